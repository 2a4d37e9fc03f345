// Drafts: what is written in one window is kept in this browser until the server says that it was saved.
const DRAFT = "draft ", KEPT_FOR = 30 * 86400e3;
const freshId = () => [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
function draft(id) {
  try { const kept = JSON.parse(store.get(DRAFT + id)); return kept?.values ? { ...kept, id } : null; } catch { return null; }
}
function drafts() {
  const ids = store.keys().filter((key) => key.startsWith(DRAFT)).map((key) => key.slice(DRAFT.length));
  return ids.map(draft).filter(Boolean).sort((one, other) => other.at - one.at);
}
for (const old of drafts()) if (Date.now() - old.at > KEPT_FOR) store.set(DRAFT + old.id, null);

// The server names the draft that it has saved, and its article.
const confirmed = /(?:^|; )afterword-saved=(\w+)\.([^;]+)/.exec(document.cookie);
if (confirmed) {
  store.set(DRAFT + confirmed[1], null);
  visit.set(`saved ${confirmed[1]}`, confirmed[2]);
  document.cookie = "afterword-saved=; path=/; max-age=0; samesite=strict";
}
if ($("#drafts-kept")) $("#drafts-kept").hidden = !drafts().length;

// Who signs out leaves no drafts behind for the next user of this browser.
for (const form of all("form[action='/logout']")) form.addEventListener("submit", () => {
  for (const key of store.keys()) if (key.startsWith(DRAFT)) store.set(key, null);
});
