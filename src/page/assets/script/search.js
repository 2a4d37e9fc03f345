// What takes longer than the page itself comes after it.
for (const part of all("[data-part]")) {
  fetch(part.dataset.part, { headers: { "x-part": "part", accept: "text/html" } })
    .then((answer) => answer.ok ? answer.text() : Promise.reject(answer.status))
    .then((html) => { part.innerHTML = html; tell(part); }, () => { /* the link stays */ });
}

// Searching as one types: by words at once, by meaning as it comes.
const q = $("#q");
if (q) {
  const form = $("#search"), results = $("#results"), browse = $("#browse");
  let asked = 0, timer = null;
  async function ask(number, mode) {
    const address = new URLSearchParams(new FormData(form));
    address.set("mode", mode);
    const answer = await fetch(`/?${address}`, { headers: { "x-part": "results", accept: "text/html" } }).catch(() => null);
    return answer && number === asked ? await answer.text() : null;
  }
  async function search() {
    const number = ++asked, mode = form.elements.mode.value;
    const address = new URLSearchParams(new FormData(form));
    if (!q.value.trim()) { address.delete("q"); address.delete("mode"); }
    history.replaceState(null, "", `/?${address}`.replace(/\?$/, ""));
    browse.hidden = Boolean(q.value.trim());
    if (!q.value.trim()) { results.replaceChildren(); return; }
    let whole = false;
    const show = (html) => { if (html !== null && number === asked) { results.innerHTML = html; tell(results); } };
    const both = ask(number, mode).then((html) => { whole = true; show(html); });
    if (mode === "hybrid") ask(number, "keyword").then((html) => { if (!whole) show(html); });
    await both;
  }
  q.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(search, 160); });
  form.elements.mode.addEventListener("change", search);
  form.addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(timer); search(); });
}
