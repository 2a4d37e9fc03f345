// What changes by itself.
const live = $("[data-live]");
const connection = $("#connection");
let source = null, heard = 0;
function connected(is) {
  connection.classList.toggle("lost", !is);
  set(connection, is ? "Live" : "Connection lost: what you see is older");
  live.classList.toggle("stale", !is);
}
const hear = () => { heard = Date.now(); connected(true); };
function place(name, html) {
  const part = $(`[data-fragment="${CSS.escape(name)}"]`);
  if (!part || part.innerHTML === html) return;
  const focused = part.contains(document.activeElement) && document.activeElement.getAttribute("href");
  part.innerHTML = html; // rendered and escaped by the server
  tell(part);
  if (focused) $(`[href="${CSS.escape(focused)}"]`, part)?.focus();
}
// Of other views the server says only that something has changed; they are read again, and not all the time.
let isReading = false, isOld = false;
async function readAgain() {
  hear();
  isOld = true;
  if (isReading) return;
  isReading = true;
  while (isOld && !pause.dataset.paused) {
    isOld = false;
    const { html, whole } = await part(location.href);
    const seen = whole && new DOMParser().parseFromString(html, "text/html");
    if (seen) for (const fragment of all("[data-fragment]", seen)) place(fragment.dataset.fragment, fragment.innerHTML);
    await new Promise((rested) => setTimeout(rested, 2000));
  }
  isReading = false;
}
function follow() {
  source = new EventSource(live.dataset.live);
  source.addEventListener("open", hear);
  source.addEventListener("alive", hear);
  source.addEventListener("changed", readAgain);
  source.addEventListener("fragment", (event) => {
    hear();
    const { name, html } = JSON.parse(event.data);
    place(name, html);
  });
  source.addEventListener("error", async () => {
    connected(false);
    if (source.readyState !== EventSource.CLOSED) return;
    // A refusal ends it for good, and is not told here.
    const refusal = new AbortController();
    const answer = await fetch(live.dataset.live, { signal: refusal.signal }).catch(() => null);
    refusal.abort();
    if (answer?.status === 401) {
      set(connection, "Your session has ended: ");
      connection.append(make("a", "sign in", { href: `/login?next=${encodeURIComponent(location.pathname + location.search)}` }));
      pause.hidden = true;
    } else setTimeout(() => { if (!pause.dataset.paused) { source.close(); follow(); } }, 5000);
  });
}
const pause = button("Hold", () => {
  if (pause.dataset.paused) { delete pause.dataset.paused; pause.textContent = "Hold"; follow(); return; }
  pause.dataset.paused = "yes";
  pause.textContent = "Go on";
  source.close();
  set(connection, "Held: what you see is older");
});
pause.title = "Hold what changes by itself";
if (live) {
  follow();
  connection.after(pause);
  setInterval(() => { if (source.readyState !== EventSource.CLOSED && !pause.dataset.paused && Date.now() - heard > 25000) connected(false); }, 5000);
}
addEventListener("pagehide", () => source?.close());
addEventListener("pageshow", (event) => { if (event.persisted && live) follow(); });
