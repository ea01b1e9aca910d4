// Livelier pages: new decisions on top of the list as they come, and figures that keep up. Everything is there without it.
"use strict";

const LONGEST = 50;
const EVERY = 15000;

// New decisions.
const feed = document.getElementById("feed");
if (feed) {
  const state = document.querySelector(".live");
  const news = document.getElementById("news");
  const address = new URL(feed.dataset.feed, location.href);
  let source = null;
  const tell = (name, words) => {
    state.dataset.state = name;
    state.textContent = words;
  };
  const show = (event) => {
    address.searchParams.set("after", event.lastEventId);
    const rows = document.createElement("template");
    rows.innerHTML = event.data;
    const fresh = [...rows.content.children].filter((row) => !document.querySelector(`[data-id="${row.dataset.id}"]`));
    fresh.forEach((row) => row.classList.add("fresh"));
    feed.prepend(...fresh);
    while (feed.children.length > LONGEST) feed.lastElementChild.remove();
    const nothing = feed.parentElement.querySelector(".nothing");
    if (nothing) nothing.remove();
    if (fresh.length === 1) news.textContent = fresh[0].querySelector(".what").innerText;
    else if (fresh.length > 1) news.textContent = `${fresh.length} new decisions`;
  };
  // A browser has few connections to a host: a page that nobody sees keeps none, and goes on where it was once it is seen again.
  const follow = () => {
    const isOver = source === null || source.readyState === EventSource.CLOSED;
    if (document.hidden) {
      source?.close();
      source = null;
    } else if (isOver) {
      source = new EventSource(address);
      source.addEventListener("open", () => tell("on", "live"));
      source.addEventListener("error", () => tell("off", "not connected"));
      source.addEventListener("decisions", show);
    }
  };
  follow();
  document.addEventListener("visibilitychange", follow);
  // A refusal ends a source for good.
  setInterval(follow, EVERY);
}

// Figures: the parts of the page that say so are fetched anew, unless somebody is at work in them.
const parts = () => [...document.querySelectorAll("[data-live]")];
const isBusy = (part) =>
  part.contains(document.activeElement) && document.activeElement !== document.body
  || part.querySelector("details[open]") !== null
  || [...part.querySelectorAll("input:not([type=hidden]), textarea")].some((field) => field.value !== field.defaultValue);
const stale = document.getElementById("stale");
const clock = () => `${new Date().toISOString().slice(11, 19)} UTC`;
let upToDate = clock();
// Figures that stand still without a word would be taken for the latest.
const frozen = (why) => {
  const words = `Not up to date since ${upToDate}: ${why}`;
  stale.hidden = false;
  if (stale.textContent !== words) stale.textContent = words;
};
const refresh = async () => {
  if (document.hidden) return;
  const signal = AbortSignal.timeout(EVERY);
  const answer = await fetch(location.pathname + location.search, { headers: { Accept: "text/html" }, signal });
  const isSignedOut = answer.status === 401 || answer.redirected && new URL(answer.url).pathname === "/login";
  if (isSignedOut) return frozen("signed out");
  if (!answer.ok || answer.redirected) return frozen("Weir does not answer");
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of parts()) {
    const fresh = page.querySelector(`[data-live="${part.dataset.live}"]`);
    if (fresh && !isBusy(part) && fresh.innerHTML !== part.innerHTML) part.innerHTML = fresh.innerHTML;
  }
  // How long ago the decisions were.
  for (const row of page.querySelectorAll("#feed [data-id]")) {
    const when = document.querySelector(`#feed [data-id="${row.dataset.id}"] .when`);
    if (when) when.innerHTML = row.querySelector(".when").innerHTML;
  }
  upToDate = clock();
  stale.hidden = true;
};
if (stale && parts().length > 0) setInterval(() => refresh().catch(() => frozen("Weir does not answer")), EVERY);

// From what is wrong with a text to its place in it.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-line]");
  const field = document.getElementById("text");
  if (!link || !field) return;
  event.preventDefault();
  const lines = field.value.split("\n");
  const line = Number(link.dataset.line) - 1;
  const start = lines.slice(0, line).reduce((sum, text) => sum + text.length + 1, 0);
  const height = Number.parseFloat(getComputedStyle(field).lineHeight);
  field.focus();
  field.setSelectionRange(start + Number(link.dataset.column) - 1, start + lines[line].length);
  field.scrollTop = Math.max(0, (line - 5) * height);
});

// A form is sent once; and again after a moment, since whoever presses Esc while it is on its way stays on the page.
const AGAIN = 3000;
const clear = (form) => delete form.dataset.sent;
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) event.preventDefault();
  else if (form.method === "post") {
    form.dataset.sent = "yes";
    setTimeout(clear, AGAIN, form);
  }
});
window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(clear));
