// What is convenient. Reading, searching and writing need none of this.
"use strict";
const $ = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const keeper = (place) => ({
  get(key) { try { return window[place].getItem(key); } catch { return null; } },
  set(key, value) { try { value === null ? window[place].removeItem(key) : window[place].setItem(key, value); } catch { /* full, or not allowed */ } },
});
const store = keeper("localStorage"), visit = keeper("sessionStorage");

// Colours: as the system has them, or as the user chose.
const theme = (name) => { name ? (document.documentElement.dataset.theme = name) : delete document.documentElement.dataset.theme; };
theme(store.get("theme"));
const themeButton = $("#theme-button");
themeButton.hidden = false;
themeButton.addEventListener("click", () => {
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark"
    || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  const next = dark ? "light" : "dark";
  store.set("theme", next);
  theme(next);
});

// Moments, as people say them.
const format = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const units = [["year", 31536e3], ["month", 2592e3], ["day", 86400], ["hour", 3600], ["minute", 60]];
function ago(at) {
  const seconds = (at - Date.now()) / 1000;
  for (const [unit, length] of units) if (Math.abs(seconds) >= length) return format.format(Math.trunc(seconds / length), unit);
  return Math.abs(seconds) < 10 ? "just now" : format.format(Math.trunc(seconds), "second");
}
function span(from) {
  const seconds = Math.max(0, Math.round((Date.now() - from) / 1000));
  for (const [unit, length] of units) if (seconds >= length) return `${Math.floor(seconds / length)} ${unit}${seconds >= 2 * length ? "s" : ""}`;
  return `${seconds} s`;
}
function set(element, text) { if (element.textContent !== text) element.textContent = text; }
function tell(root = document) {
  for (const time of all("time[datetime]", root)) if (!time.closest("[data-since]")) set(time, ago(Date.parse(time.dateTime)));
  for (const element of all("[data-since]", root)) set(element, span(Number(element.dataset.since)));
  for (const element of all("[data-until]", root)) {
    const left = Math.ceil((Number(element.dataset.until) - Date.now()) / 1000);
    set(element, left > 0 ? `in ${left} s` : "now");
  }
}
tell();
setInterval(tell, 1000);

// What changes by itself.
const live = $("[data-live]");
const connection = $("#connection");
let source = null, heard = 0;
function connected(is) {
  connection.classList.toggle("lost", !is);
  set(connection, is ? "Live" : "Connection lost: what you see is older");
  live.classList.toggle("stale", !is);
}
function follow() {
  source = new EventSource(live.dataset.live);
  const hear = () => { heard = Date.now(); connected(true); };
  source.addEventListener("open", hear);
  source.addEventListener("alive", hear);
  source.addEventListener("fragment", (event) => {
    hear();
    const { name, html } = JSON.parse(event.data);
    const part = $(`[data-fragment="${CSS.escape(name)}"]`);
    if (!part || part.innerHTML === html) return;
    const focused = part.contains(document.activeElement) && document.activeElement.getAttribute("href");
    part.innerHTML = html; // rendered and escaped by the server
    tell(part);
    if (focused) $(`[href="${CSS.escape(focused)}"]`, part)?.focus();
  });
  source.addEventListener("error", () => {
    connected(false);
    // A refusal ends it for good; the page may be let in again later.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => { source.close(); follow(); }, 5000);
  });
}
if (live) {
  follow();
  setInterval(() => { if (!pause.dataset.paused && Date.now() - heard > 25000) connected(false); }, 5000);
}
const pause = document.createElement("button");
pause.type = "button";
pause.textContent = "Hold";
pause.title = "Hold what changes by itself";
pause.addEventListener("click", () => {
  if (pause.dataset.paused) { delete pause.dataset.paused; pause.textContent = "Hold"; follow(); return; }
  pause.dataset.paused = "yes";
  pause.textContent = "Go on";
  source.close();
  set(connection, "Held: what you see is older");
});
if (live) connection.after(pause);
addEventListener("pagehide", () => source?.close());
addEventListener("pageshow", (event) => { if (event.persisted && live) follow(); });

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

// Who signs out leaves no drafts behind for the next user of this browser.
for (const form of document.querySelectorAll("form[action='/logout']")) form.addEventListener("submit", () => {
  try { for (const key of Object.keys(localStorage)) if (key.startsWith("draft ")) localStorage.removeItem(key); } catch { /* not allowed: then there are none */ }
});

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

// Keys.
const keys = [["/", "search"], ["n", "write an article"], ["e", "edit this article"], ["g a", "articles"], ["g r", "runtime"], ["g s", "settings"], ["?", "this help"]];
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
help.append(heading, list, close);
document.body.append(help);
const helpButton = $("#help-button");
helpButton.hidden = false;
helpButton.addEventListener("click", () => help.showModal());
let before = "";
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches?.("input, textarea, select, [contenteditable]") || help.open) return;
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
