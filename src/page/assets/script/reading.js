// Reading: links to sections, and copies of code.
for (const heading of all(".prose :is(h2, h3, h4, h5, h6)[id]")) {
  heading.append(" ", make("a", "#", { class: "permalink", href: `#${heading.id}`, "aria-label": "Link to this section" }));
}
function copier(source) {
  const copy = button("Copy", async () => {
    try { await navigator.clipboard.writeText(source.textContent); }
    catch { getSelection().selectAllChildren(source); document.execCommand("copy"); } // without encryption
    set(copy, "Copied");
    setTimeout(() => set(copy, "Copy"), 2000);
  });
  copy.className = "copy";
  return copy;
}
for (const pre of all(".prose pre")) {
  const code = make("div", "", { class: "code" });
  pre.replaceWith(code);
  code.append(pre, copier(pre));
}
const made = $("#token-made");
if (made) made.after(" ", copier(made));
