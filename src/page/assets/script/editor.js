// Writing: files may be brought in, and the preview comes without leaving.
const editor = $("#editor");
if (editor) {
  const { place, base } = editor.dataset, { draft: id, revision } = editor.elements, body = $("#body"), title = $("#title");
  const fields = ["title", "body", "folder", "slug", "properties", "skip_embedding"].map((name) => editor.elements[name]).filter(Boolean);
  const values = () => Object.fromEntries(fields.map((field) => [field.name, field.type === "checkbox" ? field.checked : field.value]));
  const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
  // Who comes back to a form that was saved goes on with what is saved.
  const ifSaved = () => {
    const article = visit.get(`saved ${id.value}`);
    if (article) location.replace(`/articles/${article}/edit`);
  };
  ifSaved();
  addEventListener("pageshow", ifSaved);

  // A form that is shown again has what is not saved.
  const first = id.value ? null : values(), unkept = $("#unkept");
  id.value ||= freshId();
  let sent = false;
  function keep() {
    const now = values();
    const draft = same(now, first) ? null : JSON.stringify({ place, revision: base ?? revision.value, at: Date.now(), values: now });
    unkept.hidden = store.set(DRAFT + id.value, draft);
  }
  function take(draft) {
    if (!same(values(), first)) { keep(); id.value = freshId(); }
    store.set(DRAFT + draft.id, null);
    for (const field of fields) {
      const value = draft.values[field.name] ?? "";
      field.type === "checkbox" ? (field.checked = Boolean(value)) : (field.value = value);
    }
    revision.value = draft.revision;
    keep();
    body.focus();
  }
  function offer(draft) {
    const notice = make("div", "", { class: "notice", role: "status" }), said = make("p", "A draft of this was kept in this browser ");
    said.append(make("time", "", { datetime: new Date(draft.at).toISOString() }));
    if (place === "/new" && draft.values.title) said.append(": ", make("bdi", `“${draft.values.title}”`));
    if (draft.revision !== revision.value) said.append(`, written on revision ${draft.revision}; the article is at revision ${revision.value} now`);
    said.append(". ");
    notice.append(said, button("Go on with it", () => { notice.remove(); take(draft); }), " ", button("Forget it", () => { notice.remove(); store.set(DRAFT + draft.id, null); }));
    offers.append(notice);
    tell(notice);
  }
  if (!first) keep();
  const offers = $("#drafts"); // none on a page that shows one's own
  for (const draft of offers ? drafts() : []) {
    if (draft.place !== place || draft.id === id.value) continue;
    same(draft.values, first) ? store.set(DRAFT + draft.id, null) : offer(draft);
  }
  editor.addEventListener("input", keep);
  editor.addEventListener("submit", () => { sent = true; });
  addEventListener("pageshow", () => { sent = false; });
  addEventListener("beforeunload", (event) => { if (!unkept.hidden && !sent) event.preventDefault(); });
  $("#discard")?.addEventListener("click", () => store.set(DRAFT + id.value, null));

  let isPlaced = false;
  body.addEventListener("focus", () => { isPlaced = true; });
  const say = (text) => { const said = $("#editor-problem"); set(said, text); said.hidden = !text; };
  const previewButton = $("#preview-button");
  previewButton?.addEventListener("click", async (event) => {
    event.preventDefault();
    say("");
    const sent = new URLSearchParams({ body: body.value, of: editor.dataset.of ?? "" });
    const { html, whole } = await part("/preview", { method: "POST", body: sent });
    const text = $("#preview-text");
    text.innerHTML = html; // sanitised by the server
    text.classList.toggle("prose", whole);
    $("#preview").hidden = false;
    $("#preview").scrollIntoView({ block: "nearest" });
  });
  // As `afterword import` reads them.
  async function bring(files) {
    say("");
    const refused = [];
    for (const file of files) {
      if (!isText(file)) { refused.push(`${file.name} is no text; pictures and other files are not kept here.`); continue; }
      let text;
      try { text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer()); }
      catch { refused.push(`${file.name} is not in UTF-8; save it in UTF-8, and bring it again.`); continue; }
      if (!title.value) title.value = await titleOf(text, file.name);
      // At the caret; at the end, as long as there is none.
      const [from, to] = isPlaced ? [body.selectionStart, body.selectionEnd] : [body.value.length, body.value.length];
      const gap = from && body.value[from - 1] !== "\n" ? "\n\n" : "";
      body.setRangeText(gap + text, from, to, "end");
      isPlaced = true;
    }
    keep();
    say(refused.join(" "));
    body.focus();
  }
  async function titleOf(text, file) {
    const { html, whole } = await part("/title", { method: "POST", body: new URLSearchParams({ text: text.slice(0, 1 << 20), file }) });
    return whole ? html : file.replace(/\.[^.]*$/, "");
  }
  const isText = (file) => file.type.startsWith("text/") || (!file.type && !/\.\w+$/.test(file.name)) || /\.(md|markdown|txt|org|rst|csv|json|ya?ml|toml)$/i.test(file.name);
  // Also beside the field: the browser would leave this page and show the file.
  addEventListener("dragover", (event) => { if (event.dataTransfer.types.includes("Files")) { event.preventDefault(); body.classList.add("dropping"); } });
  addEventListener("dragleave", () => body.classList.remove("dropping"));
  for (const [place, kind] of [[window, "drop"], [body, "paste"]]) place.addEventListener(kind, (event) => {
    body.classList.remove("dropping");
    const files = [...(event.dataTransfer ?? event.clipboardData).files];
    if (!files.length || (kind === "paste" && event.clipboardData.types.includes("text/plain"))) return;
    event.preventDefault();
    bring(files);
  });
  const chooser = make("input", "", { type: "file", multiple: "" });
  chooser.addEventListener("change", () => { bring([...chooser.files]); chooser.value = ""; });
  editor.querySelector(".actions")?.append(button("Bring files in…", () => chooser.click()));
  editor.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || !(event.key === "s" || event.key === "Enter")) return;
    event.preventDefault();
    editor.requestSubmit($("button[value=save]", editor));
  });
  $("[aria-invalid]", editor)?.focus();
}
