// A part of a page; or, as a part, why there is none.
const NO_ANSWER = `<p class="problem" role="alert">The server does not answer. Try again in a moment.</p>`;
async function part(address, options = {}) {
  try {
    const answer = await fetch(address, { ...options, headers: { "x-part": "part", accept: "text/html" } });
    return { html: await answer.text(), whole: answer.ok };
  } catch { return { html: NO_ANSWER, whole: false }; }
}

// What takes longer than the page itself comes after it.
for (const later of all("[data-part]")) {
  part(later.dataset.part).then(({ html, whole }) => { if (whole) { later.innerHTML = html; tell(later); } }); // else the link stays
}

// Searching as one types: by words at once, by meaning as it comes.
const q = $("#q");
if (q) {
  const form = $("#search"), results = $("#results"), browse = $("#browse"), found = $("#found");
  let asked = 0, timer = null;
  function shown(address, title) {
    history.replaceState(null, "", `/?${address}`.replace(/\?$/, ""));
    document.title = `${title} · Afterword`;
  }
  async function search() {
    const number = ++asked, mode = form.elements.mode.value, question = q.value.trim();
    const address = new URLSearchParams(new FormData(form));
    browse.hidden = Boolean(question);
    if (!question) {
      address.delete("q"); address.delete("mode");
      results.replaceChildren(); set(found, "");
      shown(address, "Articles");
      return;
    }
    let isLast = false;
    const ask = (mode) => part(`/?${new URLSearchParams([...address].map(([name, value]) => [name, name === "mode" ? mode : value]))}`);
    const show = ({ html, whole }) => {
      if (number !== asked) return;
      results.innerHTML = html; // rendered and escaped by the server
      tell(results);
      if (whole) shown(address, `${question} · Search`);
    };
    if (mode === "hybrid") ask("keyword").then((answer) => { if (!isLast) show(answer); });
    const answer = await ask(mode);
    isLast = true;
    show(answer);
    if (number === asked) set(found, $("h2, .empty, .problem", results)?.textContent ?? "");
  }
  q.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(search, 160); });
  form.elements.mode.addEventListener("change", search);
  form.addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(timer); search(); });
}
