// Keys.
const keys = [["/", "search"], ["n", "write an article"], ["e", "edit this article"], ["g a", "articles"], ["g r", "runtime"], ["g s", "settings"], ["?", "this help"], ["Ctrl S", "save what is written; so does Ctrl Enter"]];
const help = document.createElement("dialog");
help.setAttribute("aria-labelledby", "help-title");
const list = document.createElement("dl");
for (const [key, does] of keys) {
  const dt = document.createElement("dt"), dd = document.createElement("dd"), kbd = document.createElement("kbd");
  kbd.textContent = key; dd.textContent = does; dt.append(kbd); list.append(dt, dd);
}
const heading = document.createElement("h2"), close = document.createElement("button");
heading.id = "help-title"; heading.textContent = "Keys"; close.textContent = "Close"; close.type = "button";
close.addEventListener("click", () => help.close());
// Who speaks or has other helps presses them by mistake.
const single = make("input", "", { type: "checkbox", id: "single-keys" }), singleLabel = make("label", "", { class: "check" });
single.checked = store.get("keys") !== "off";
single.addEventListener("change", () => store.set("keys", single.checked ? null : "off"));
singleLabel.append(single, " These keys are on");
help.append(heading, list, singleLabel, close);
document.body.append(help);
const helpButton = $("#help-button");
helpButton.hidden = false;
helpButton.addEventListener("click", () => help.showModal());
let before = "";
addEventListener("keydown", (event) => {
  if (!single.checked || event.ctrlKey || event.metaKey || event.altKey || event.target.matches?.("input, textarea, select, [contenteditable]") || help.open) return;
  const go = (address) => { event.preventDefault(); location.assign(address); };
  const key = before + event.key;
  before = event.key === "g" && !before ? "g " : "";
  if (key === "/") { event.preventDefault(); q ? q.focus() : location.assign("/#q"); }
  else if (key === "?") { event.preventDefault(); help.showModal(); }
  else if (key === "n" && $("a[href='/new']")) go("/new");
  else if (key === "e" && $(".reading a[href$='/edit']")) go($(".reading a[href$='/edit']").getAttribute("href"));
  else if (key === "g a") go("/");
  else if (key === "g r") go("/runtime");
  else if (key === "g s") go("/settings");
});
if (q && location.hash === "#q") q.focus();
