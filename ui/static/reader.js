// The page's script, first part: the reader. Gradio runs all parts as one, once, with `element` (the reader),
// `trigger` and `server`. They listen on the document, since Gradio replaces what lies inside its components.
// Whatever they put into the page comes escaped from the server or is set as text.
"use strict";

const reader = element.querySelector(".reader");
const sheet = reader.querySelector(".sheet");
const sources = reader.querySelector(".sources");
const contents = reader.querySelector(".contents nav");
const said = reader.querySelector("[role=status]");
const problem = reader.querySelector(".problem");
const back = reader.querySelector(".back");
const columns = document.getElementById("columns"); // Gradio holds our styles to what lies inside its frame
const narrow = window.matchMedia("(max-width: 799px)");
let shown = null; // the id of the source in the reader
let wanted = ""; // the id of the source that was asked for last
let asked = 0; // counts calls, so that a slow one doesn't overtake a later one
let cameFrom = null; // data-cite of the citation that was followed last

// An event of ours; Gradio says nothing where the server is gone.
function tell(kind, payload) {
  trigger(kind, payload);
  fetch("healthz").catch(missed);
}

async function open(source) {
  const call = ++asked;
  wanted = source;
  if (source && source === shown) return true;
  const pages = await server.read_source(source || "");
  if (call !== asked) return false;
  if (!pages) {
    say("This source is no longer here.");
    return false;
  }
  sheet.innerHTML = pages.text;
  contents.innerHTML = pages.contents;
  sheet.scrollTop = 0;
  shown = source || sources.value;
  if (![...sources.options].some((option) => option.value === shown)) sources.add(new Option(pages.title, shown));
  sources.value = shown;
  return true;
}

function unmark() {
  for (const mark of sheet.querySelectorAll("mark")) {
    const span = mark.parentNode;
    mark.replaceWith(mark.textContent);
    span.normalize();
  }
  for (const block of sheet.querySelectorAll(".near")) block.classList.remove("near");
}

// Offsets count Unicode characters, as Python does; a JavaScript string counts UTF-16 units.
function markSpan(span, start, end) {
  const first = Number(span.dataset.start);
  const letters = Array.from(span.textContent);
  const from = Math.max(0, start - first);
  const to = Math.min(letters.length, end - first);
  if (from >= to) return null;
  const mark = document.createElement("mark");
  mark.textContent = letters.slice(from, to).join("");
  span.replaceChildren(letters.slice(0, from).join(""), mark, letters.slice(to).join(""));
  span.closest(".block")?.classList.add("near");
  return mark;
}

function markRange(start, end) {
  unmark();
  let first = null;
  for (const span of sheet.querySelectorAll("span[data-start]")) {
    if (Number(span.dataset.end) <= start || Number(span.dataset.start) >= end) continue;
    const mark = markSpan(span, start, end);
    first ||= mark;
  }
  return first;
}

// A kept or imported answer may be older than the source: its words are compared before they are shown as found.
const plain = (text) => text.replace(/[\s\ufffd]+/g, " ").trim();
const marked = () => [...sheet.querySelectorAll("mark")].map((mark) => mark.textContent).join("");
const cardOf = (cite) => document.querySelector(`[data-card="${CSS.escape(cite.replace(/-card$/, ""))}"]`);
const quoteOf = (button) => cardOf(button.dataset.cite || "")?.querySelector(".quote").textContent;

function say(text) {
  problem.textContent = text;
  problem.hidden = !text;
}

function bring(target, pane, share) {
  const gap = target.getBoundingClientRect().top - pane.getBoundingClientRect().top;
  pane.scrollTop += gap - pane.clientHeight * share;
}

async function follow(button) {
  const { source, start, end, cite } = button.dataset;
  if (!start) return openPoint([source, ""]);
  peek.hidden = true;
  show(true);
  if (!(await open(source))) return;
  const mark = markRange(Number(start), Number(end));
  const moved = !mark || (quoteOf(button) && plain(marked()) !== plain(quoteOf(button)));
  if (moved) unmark();
  else bring(mark, sheet, 0.3);
  say(moved ? "These words no longer stand at this place; the source has changed since." : "");
  cameFrom = cite || null;
  back.hidden = !cameFrom;
  if (narrow.matches) back.focus({ preventScroll: true });
  const section = mark?.closest("section")?.getAttribute("aria-label");
  said.textContent = section ? `The reader shows ${section}` : "";
  for (const old of document.querySelectorAll("[data-followed]")) delete old.dataset.followed;
  button.dataset.followed = "";
}

// On a phone the reader lies over the page, and the phone's own way back closes it.
function show(on) {
  if (on && narrow.matches && !columns.hasAttribute("data-reading")) history.pushState({ reading: true }, "");
  columns.toggleAttribute("data-reading", on);
}

function goBack() {
  const over = history.state?.reading && columns.hasAttribute("data-reading");
  show(false);
  const from = cameFrom && document.querySelector(`[data-cite="${CSS.escape(cameFrom)}"]`);
  if (from && columns.dataset.view !== "ask") {
    columns.dataset.view = "ask"; // at once, or there would be nothing to put the focus on
    location.hash = "#ask";
  } else if (over) history.back();
  if (!from) return;
  bring(from, document.getElementById("scroll"), 0.4);
  from.focus({ preventScroll: true });
}
