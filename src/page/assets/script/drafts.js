// Who signs out leaves no drafts behind for the next user of this browser.
for (const form of document.querySelectorAll("form[action='/logout']")) form.addEventListener("submit", () => {
  try { for (const key of Object.keys(localStorage)) if (key.startsWith("draft ")) localStorage.removeItem(key); } catch { /* not allowed: then there are none */ }
});
