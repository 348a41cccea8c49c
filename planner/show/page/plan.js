// What every part of the page uses: safe HTML, numbers and durations, the data blocks, and the state kept in the URL.

const $ = (id) => document.getElementById(id);

class Markup {
  constructor(text) { this.text = text; }
}

const escapeText = (text) => String(text).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

function markupOf(value) {
  if (value instanceof Markup) return value.text;
  if (Array.isArray(value)) return value.map(markupOf).join("");
  return value === null || value === undefined || value === false ? "" : escapeText(value);
}

// Every value put into the template is escaped, unless it came out of this function itself.
const html = (parts, ...values) => new Markup(String.raw({ raw: parts }, ...values.map(markupOf)));

const put = (element, markup) => { element.innerHTML = markupOf(markup); };

const number = new Intl.NumberFormat("en").format;
const counted = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
const percent = (part, whole) => {
  const share = whole ? (100 * part) / whole : 0;
  return `${share > 0 && share < 1 ? "<1" : Math.round(share)}%`;
};

// In the two largest units, as in "3 h 10 min"; `planner.show.html.duration` says it the same way.
function duration(seconds) {
  let left = Math.round(seconds);
  const parts = [];
  for (const [unit, size] of [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]]) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count) parts.push(`${count} ${unit}`);
    else if (parts.length) break;
  }
  return parts.slice(0, 2).join(" ") || "0 s";
}

// As narrow as a column's head must be: "45s", "12m", "3h05", "2d3h".
function offset(seconds) {
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (!minutes) return `${Math.round(seconds)}s`;
  if (!hours) return `${minutes}m`;
  if (hours >= 48) return `${Math.floor(hours / 24)}d${hours % 24}h`;
  return `${hours}h${String(minutes % 60).padStart(2, "0")}`;
}

// A block of gzip in base64 becomes the JSON that it holds.
async function load(id) {
  const bytes = Uint8Array.from(atob($(id).textContent), (sign) => sign.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

const keyOf = (place) => `${place.cluster}/${place.namespace}/${place.kind}/${place.name}`;

// What is searched and filtered lives in the URL, so that a view can be sent to a colleague.
// `wave` is a number as text, or "none" for the pods that get no move; `workload` is a key.
const state = { q: "", wave: "", workload: "" };
const listeners = [];

function readState() {
  const fields = new URLSearchParams(location.hash.slice(1));
  for (const name of Object.keys(state)) state[name] = fields.get(name) ?? "";
}

function writeState(change) {
  Object.assign(state, change);
  const fields = new URLSearchParams();
  for (const [name, value] of Object.entries(state)) if (value) fields.set(name, value);
  history.replaceState(null, "", `#${fields}`);
  announceState();
}

function announceState() {
  for (const listener of listeners) listener();
}

// The same click that sets a filter takes it away again.
function toggleState(change) {
  const same = Object.entries(change).every(([name, value]) => state[name] === value);
  writeState(same ? Object.fromEntries(Object.keys(change).map((name) => [name, ""])) : change);
}

// What held a move back, in words; nothing did where there is no cause.
const NOTHING_HELD = "nothing held it back";
const inWords = (cause) => cause.replace(":", " ");

const tip = {
  show(lines, box) {
    const element = $("tip");
    put(element, html`<b>${lines[0]}</b>${lines.slice(1).filter(Boolean).map((line) => html`<span>${line}</span>`)}`);
    element.hidden = false;
    const { width, height } = element.getBoundingClientRect();
    const below = box.bottom + 8;
    element.style.left = `${Math.max(8, Math.min(box.left, innerWidth - width - 8))}px`;
    element.style.top = `${below + height > innerHeight ? Math.max(8, box.top - height - 8) : below}px`;
  },
  hide() { $("tip").hidden = true; },
};
