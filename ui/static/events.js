// Fourth part: which event does what.

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
  rate,
  rename,
  import: takeIn,
  "take-out": takeOut,
  switch: (button) => tell("delete", { position: Number(button.dataset.position) }),
  new: () => rearrange("new"),
  open: (button) => rearrange("open", button),
  remove: (button, event) => twice(button, event, button.dataset.chat, "Really?", () => rearrange("remove", button)),
  export: (button) => tell("select", { kind: button.dataset.kind }),
};

function rearrange(act, button) {
  tell("input", { act, chat: button ? button.dataset.chat : "" });
  for (const menu of document.querySelectorAll(".chats details[open]")) menu.open = false;
}

for (const kind of ["click", "focusin"]) {
  document.addEventListener(kind, (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-act]");
  if (button && acts[button.dataset.act]) acts[button.dataset.act](button, event);
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
document.addEventListener("change", (event) => {
  if (event.target.closest?.("#scope form")) choose(event.target);
});
sources.addEventListener("change", () => {
  say("");
  cameFrom = null;
  back.hidden = true;
  open(sources.value);
});

// Gradio drops what is sent while a stopped answer is still ending on the server: it is sent once more then.
const typed = () => document.querySelector("#question textarea")?.value || "";
const enters = (event) => event.key === "Enter" && !event.shiftKey && event.target.closest?.("#question");
const sends = (event) => (event.type === "keydown" ? enters(event) : event.target.closest?.("#send"));
for (const kind of ["keydown", "click"]) {
  document.addEventListener(
    kind,
    (event) => {
      const text = typed();
      if (!event.isTrusted || !sends(event) || !text.trim() || event.isComposing) return;
      setTimeout(() => {
        const idle = !document.querySelector('.exchange[data-state="running"]');
        if (typed() !== text) return;
        if (idle) document.querySelector("#send").click();
        else hint("Wait for the answer to end, or stop it.");
      }, 1500);
    },
    true,
  );
}

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

window.chapterAndVerse = { download, scope, renew, keep, missed };
window.addEventListener("hashchange", view);
window.addEventListener("popstate", () => {
  if (narrow.matches && columns.hasAttribute("data-reading") && !history.state?.reading) goBack();
});
open("").then(view);
