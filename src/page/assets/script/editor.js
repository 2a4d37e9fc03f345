// Writing: a draft is kept here until it is saved, files may be dropped, and the preview comes without leaving.
const editor = $("#editor");
if (editor) {
  visit.set("sent", null); // it was not saved, or this would not be shown
  const key = `draft ${editor.dataset.draft ?? location.pathname}`, body = $("#body"), title = $("#title");
  const fields = ["title", "body", "folder", "slug", "properties"].map((name) => editor.elements[name]).filter(Boolean);
  const now = () => JSON.stringify(fields.map((field) => field.value));
  const first = now(), kept = store.get(key), offer = $("#draft");
  if (offer && kept && kept !== first) {
    offer.hidden = false;
    $("#draft-take").addEventListener("click", () => {
      try { JSON.parse(kept).forEach((value, at) => { if (fields[at]) fields[at].value = value; }); } catch { /* not ours */ }
      offer.hidden = true;
      body.focus();
    });
    $("#draft-drop").addEventListener("click", () => { store.set(key, null); offer.hidden = true; });
  }
  editor.addEventListener("input", () => store.set(key, now() === first ? null : now()));
  editor.addEventListener("submit", () => visit.set("sent", key));
  const previewButton = $("#preview-button");
  previewButton?.addEventListener("click", async (event) => {
    event.preventDefault();
    const answer = await fetch("/preview", { method: "POST", headers: { "x-part": "preview" }, body: new URLSearchParams({ body: body.value, of: editor.dataset.of ?? "" }) }).catch(() => null);
    const text = $("#preview-text");
    if (!answer) return;
    text.innerHTML = await answer.text(); // sanitised by the server
    $("#preview").hidden = false;
    $("#preview").scrollIntoView({ block: "nearest" });
  });
  async function bring(files) {
    for (const file of files) {
      const text = await file.text();
      body.value = body.value ? `${body.value.trimEnd()}\n\n${text}` : text;
      if (!title.value) title.value = /^#\s+(.+)$/m.exec(text)?.[1].trim() ?? file.name.replace(/\.[^.]*$/, "");
    }
    editor.dispatchEvent(new Event("input"));
  }
  const isText = (file) => file.type.startsWith("text/") || /\.(md|markdown|txt)$/i.test(file.name);
  body.addEventListener("dragover", (event) => { if (event.dataTransfer.types.includes("Files")) { event.preventDefault(); body.classList.add("dropping"); } });
  body.addEventListener("dragleave", () => body.classList.remove("dropping"));
  for (const kind of ["drop", "paste"]) body.addEventListener(kind, (event) => {
    body.classList.remove("dropping");
    const files = [...(event.dataTransfer ?? event.clipboardData).files].filter(isText);
    if (files.length) { event.preventDefault(); bring(files); }
  });
} else {
  // What was sent and is shown now has been saved.
  const sent = visit.get("sent");
  if (sent && location.pathname.startsWith("/articles/")) { store.set(sent, null); visit.set("sent", null); }
}
