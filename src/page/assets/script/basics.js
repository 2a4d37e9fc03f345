// What is convenient. Reading, searching and writing need none of this.
"use strict";
const $ = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const keeper = (place) => ({
  get(key) { try { return window[place].getItem(key); } catch { return null; } },
  // Whether it is kept: there may be no room, or it is not allowed.
  set(key, value) { try { value === null ? window[place].removeItem(key) : window[place].setItem(key, value); return true; } catch { return false; } },
  keys() { try { return Object.keys(window[place]); } catch { return []; } },
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
  for (const [unit, length] of units) if (Math.abs(seconds) >= length) return format.format((at > Date.now() ? Math.round : Math.trunc)(seconds / length), unit);
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
function make(tag, text, attributes = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
function button(text, act) {
  const element = make("button", text, { type: "button" });
  element.addEventListener("click", act);
  return element;
}
tell();
setInterval(tell, 1000);
