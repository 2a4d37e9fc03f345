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
