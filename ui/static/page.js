// The page's one script: Gradio runs it once, with `element` (the reader), `trigger` and `server`.
// It listens on the document, since Gradio replaces what lies inside its components. Whatever it puts
// into the page comes escaped from the server or is set as text.
"use strict";

const reader = element.querySelector(".reader");
const sheet = reader.querySelector(".sheet");
const sources = reader.querySelector(".sources");
const contents = reader.querySelector(".contents nav");
const said = reader.querySelector("[role=status]");
const back = reader.querySelector(".back");
const columns = document.getElementById("columns"); // Gradio holds our styles to what lies inside its frame
const narrow = window.matchMedia("(max-width: 799px)");
let shown = null; // the id of the source in the reader
let asked = 0; // counts calls, so that a slow one doesn't overtake a later one
let cameFrom = null; // data-cite of the citation that was followed last

// --- the reader -------------------------------------------------------------------------------

async function open(source) {
  const call = ++asked;
  if (source && source === shown) return true;
  const pages = await server.read_source(source || "");
  if (call !== asked) return false;
  if (!pages) {
    said.textContent = "This source is no longer here.";
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

function bring(target, pane, share) {
  const gap = target.getBoundingClientRect().top - pane.getBoundingClientRect().top;
  pane.scrollTop += gap - pane.clientHeight * share;
}

async function follow(button) {
  const { source, start, end, cite } = button.dataset;
  peek.hidden = true;
  show(true);
  if (!(await open(source))) return;
  const mark = markRange(Number(start), Number(end));
  if (mark) bring(mark, sheet, 0.3);
  cameFrom = cite || null;
  back.hidden = !cameFrom;
  if (narrow.matches) back.focus({ preventScroll: true });
  const section = mark?.closest("section")?.getAttribute("aria-label");
  said.textContent = section ? `The reader shows ${section}` : "";
  for (const old of document.querySelectorAll("[data-followed]")) delete old.dataset.followed;
  button.dataset.followed = "";
}

function show(on) {
  columns.toggleAttribute("data-reading", on);
}

function goBack() {
  show(false);
  const from = cameFrom && document.querySelector(`[data-cite="${CSS.escape(cameFrom)}"]`);
  if (!from) return;
  bring(from, document.getElementById("scroll"), 0.4);
  from.focus({ preventScroll: true });
}

// --- the conversation -------------------------------------------------------------------------

const exchange = (button) => document.querySelector(`.exchange[data-position="${button.dataset.position}"]`);

function ask(question, position) {
  trigger("click", { act: "ask", question, position: position === undefined ? null : Number(position) });
}

function edit(button) {
  const heading = exchange(button).querySelector(".question h2");
  const form = document.createElement("form");
  const text = document.createElement("textarea");
  const send = Object.assign(document.createElement("button"), { type: "submit", textContent: "Ask this instead" });
  const cancel = Object.assign(document.createElement("button"), { type: "button", textContent: "Cancel" });
  const close = () => {
    form.replaceWith(heading);
    button.hidden = false;
    button.focus();
  };
  text.value = heading.querySelector(".asked").textContent;
  text.setAttribute("aria-label", "Edit the question");
  text.dir = "auto";
  text.rows = 2;
  form.className = "edit";
  form.append(text, send, cancel);
  cancel.onclick = close;
  form.onsubmit = (event) => {
    event.preventDefault();
    if (!text.value.trim()) return text.focus();
    const question = text.value;
    close();
    ask(question, button.dataset.position);
  };
  text.onkeydown = (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) form.requestSubmit(send);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  button.hidden = true;
  heading.replaceWith(form);
  text.focus();
}

async function copy(button) {
  const text = [...exchange(button).querySelectorAll(".prose .sentence")].map((part) => part.textContent).join(" ");
  const quotes = [...exchange(button).querySelectorAll(".cards.citations .card")].map(
    (card) => `${card.querySelector(".where").textContent}: “${card.querySelector(".quote").textContent}”`,
  );
  await navigator.clipboard.writeText([text, ...quotes].join("\n\n"));
  button.textContent = "Copied";
}

// The next or previous citation in the conversation, from the one that was followed last.
function step(by) {
  const marks = [...document.querySelectorAll("#conversation button.mark")];
  if (!marks.length) return;
  const now = marks.findIndex((mark) => mark.dataset.cite === cameFrom);
  const next = marks[now < 0 ? (by > 0 ? 0 : marks.length - 1) : (now + by + marks.length) % marks.length];
  bring(next, document.getElementById("scroll"), 0.4);
  next.focus({ preventScroll: true });
  follow(next);
}

function download(text) {
  const kind = text.startsWith("{") ? "json" : "md";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  link.download = `chapter-and-verse.${kind}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// --- the quote on hover -----------------------------------------------------------------------

const peek = document.createElement("div");
peek.id = "peek";
peek.setAttribute("role", "tooltip");
peek.hidden = true;
columns.append(peek);

function preview(mark) {
  const [position, number] = mark.dataset.cite.split("-");
  const card = document.querySelector(`[data-card="${position}-${number}"]`);
  if (!card) return;
  const part = (name, cls) => {
    const line = document.createElement("p");
    line.className = cls;
    line.dir = "auto";
    line.textContent = card.querySelector(name)?.textContent || "";
    return line;
  };
  peek.replaceChildren(part(".quote", "quote"), part(".where", "where"), part(".who", "who"));
  peek.hidden = false;
  const box = mark.getBoundingClientRect();
  const below = box.bottom + 8 + peek.offsetHeight < window.innerHeight;
  peek.style.top = `${below ? box.bottom + 8 : Math.max(8, box.top - 8 - peek.offsetHeight)}px`;
  peek.style.left = `${Math.max(8, Math.min(box.left, window.innerWidth - peek.offsetWidth - 8))}px`;
}

// --- events -----------------------------------------------------------------------------------

const acts = {
  go: follow,
  back: goBack,
  close: goBack,
  read: () => show(true),
  section: (button) => {
    bring(sheet.querySelector(`section[data-section="${button.dataset.section}"]`), sheet, 0.02);
    button.closest("details").open = false;
  },
  ask: (button) => ask(button.textContent),
  retry: (button) => ask(exchange(button).querySelector(".asked").textContent, button.dataset.position),
  edit,
  copy,
  new: () => rearrange("new"),
  open: (button) => rearrange("open", button),
  remove: (button) => rearrange("remove", button),
  export: (button) => trigger("select", { kind: button.dataset.kind }),
};

function rearrange(act, button) {
  trigger("input", { act, position: button ? Number(button.dataset.position) : null });
  for (const menu of document.querySelectorAll(".chats details[open]")) menu.open = false;
}

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  const button = event.target.closest?.("[data-act]");
  if (button && acts[button.dataset.act]) acts[button.dataset.act](button);
});

document.addEventListener("keydown", (event) => {
  if (event.altKey && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    step(event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Escape") {
    const menu = document.querySelector("details.menu[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    } else if (narrow.matches && columns.hasAttribute("data-reading")) goBack();
    else if (document.querySelector('.exchange[data-state="running"]')) document.querySelector("#stop").click();
    else unmark();
  }
});

for (const kind of ["mouseover", "focusin"]) {
  document.addEventListener(kind, (event) => {
    const mark = event.target.closest?.("button.mark");
    if (mark) preview(mark);
    else peek.hidden = true;
  });
}
for (const kind of ["wheel", "touchmove"]) document.addEventListener(kind, () => (peek.hidden = true), { passive: true });
sources.addEventListener("change", () => {
  cameFrom = null;
  back.hidden = true;
  open(sources.value);
});

// A new question comes to the top of the conversation; nothing else moves what is being read.
let newest = "";
let ran = false;
new MutationObserver(() => {
  const last = [...document.querySelectorAll(".exchange")].pop();
  const running = last?.dataset.state === "running";
  const key = last ? `${last.dataset.position} ${last.querySelector(".asked")?.textContent}` : "";
  if (last && (key !== newest || (running && !ran)) && !last.querySelector(".edit")) {
    bring(last, document.getElementById("scroll"), 0);
    newest = key;
  }
  ran = running;
}).observe(document.getElementById("scroll"), { childList: true, subtree: true, attributes: true });

window.chapterAndVerse = { download };
open("");
