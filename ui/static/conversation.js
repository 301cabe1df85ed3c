// Second part: the conversation.

const exchange = (button) => document.querySelector(`.exchange[data-position="${button.dataset.position}"]`);

function ask(question, position) {
  tell("click", { act: "ask", question, position: position === undefined ? null : Number(position) });
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
  if (exchange(button) !== [...document.querySelectorAll(".exchange")].pop()) {
    form.append(Object.assign(document.createElement("span"), { className: "note", textContent: "What was asked after it goes." }));
  }
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
  button.textContent = (await toClipboard([text, ...quotes].join("\n\n"))) ? "Copied" : "Can’t copy here";
  setTimeout(() => (button.textContent = "Copy"), 2500);
}

// Browsers give the clipboard to pages by https or of this machine only; to others the old way is left.
async function toClipboard(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text).then(() => true, () => false);
  const field = Object.assign(document.createElement("textarea"), { value: text });
  columns.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
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

// A thumb opens a line for the reason; sending it, empty or not, keeps the rating.
function rate(button) {
  const { position, rating } = button.dataset;
  const actions = button.closest(".actions");
  actions.nextElementSibling?.matches("form.reason") && actions.nextElementSibling.remove();
  const form = document.createElement("form");
  const reason = document.createElement("input");
  const send = Object.assign(document.createElement("button"), { type: "submit", textContent: "Keep" });
  const cancel = Object.assign(document.createElement("button"), { type: "button", textContent: "Cancel" });
  reason.setAttribute("aria-label", rating === "up" ? "What was helpful? (optional)" : "What was wrong? (optional)");
  reason.placeholder = reason.getAttribute("aria-label");
  reason.maxLength = 2000;
  reason.dir = "auto";
  form.className = "edit reason";
  form.append(reason, send, cancel);
  cancel.onclick = () => {
    form.remove();
    button.focus();
  };
  form.onsubmit = (event) => {
    event.preventDefault();
    form.remove();
    tell("like", { position: Number(position), rating, reason: reason.value });
  };
  reason.onkeydown = (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    cancel.onclick();
  };
  actions.after(form);
  reason.focus();
}

// A chat's title becomes a field; an empty one brings back the first question.
function rename(button) {
  const title = button.parentElement.querySelector(".title");
  const form = document.createElement("form");
  const field = Object.assign(document.createElement("input"), { value: title.textContent, maxLength: 60 });
  const close = () => {
    form.replaceWith(title);
    button.focus();
  };
  field.setAttribute("aria-label", "Title of the chat");
  field.dir = "auto";
  form.append(field);
  form.onsubmit = (event) => {
    event.preventDefault();
    tell("edit", { chat: button.dataset.chat, title: field.value });
    close();
  };
  field.onkeydown = (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  };
  title.replaceWith(form);
  field.select();
}

// A browser keeps chats until its store is full, or nothing at all if it is told to.
const LONGEST_FILE = 5e6; // as the server takes
const KEY = "chapter-and-verse-chats";

function keep(text) {
  if (!text) return;
  try {
    localStorage.setItem(KEY, text);
    const { chats, open } = JSON.parse(text);
    sessionStorage.setItem(KEY, chats[open].id);
  } catch {
    hint("This browser doesn’t keep the chats (its store is full or closed); export what you need.");
  }
}

// What only the page itself can know, under the question for a while.
function hint(text) {
  const line = document.querySelector(".hint");
  if (!line) return;
  line.textContent = text;
  setTimeout(() => line.textContent === text && (line.textContent = ""), 12000);
}

function missed() {
  hint("This wasn’t done: the server can’t be reached, or refused it. Try again in a moment.");
}

function takeIn() {
  const chooser = Object.assign(document.createElement("input"), { type: "file", accept: ".json,application/json" });
  chooser.onchange = async () => {
    const [file] = chooser.files;
    if (file.size > LONGEST_FILE) hint(`This file has over ${LONGEST_FILE / 1e6} MB; export single chats.`);
    else tell("upload", { text: await file.text() });
  };
  chooser.click();
}

// --- where to look ----------------------------------------------------------------------------

const menu = () => document.querySelector("#scope form");
const ticked = (name) => [...menu().querySelectorAll(`input[name=${name}]:checked`)];

function scope() {
  const parts = ticked("part");
  const values = (parts.length ? parts : ticked("whole")).map((input) => input.value);
  return JSON.stringify([...values, document.querySelector("#mode select")?.value || ""]);
}

// A whole and chosen parts exclude each other; with neither left, everything it is.
function choose(input) {
  const inputs = [...menu().querySelectorAll("input")];
  if (input.name === "whole") inputs.forEach((other) => (other.checked = other === input));
  else inputs.filter((other) => other.name === "whole").forEach((other) => (other.checked = !ticked("part").length && other.value === "all"));
  const names = ticked("part").map((part) => part.dataset.name);
  const whole = ticked("whole")[0]?.nextElementSibling.textContent;
  document.querySelector("#scope .chosen").textContent = whole || (names.length > 3 ? `${names.length} places` : names.join(", "));
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
  const card = cardOf(mark.dataset.cite);
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
