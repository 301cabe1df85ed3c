// Third part: the other pages beside the conversation, and the map.

const views = () => [...document.querySelectorAll(".views a")];
const hash = () => location.hash.slice(1);

// Pages are told apart by the address, so that the browser's own back and forward lead between them.
function view() {
  const name = views().some((link) => link.dataset.view === hash()) ? hash() : "ask";
  if (columns.dataset.view !== name && name === "sources") tell("expand");
  if (columns.dataset.view !== name && name === "evals") tell("collapse");
  columns.dataset.view = name;
  peek.hidden = true;
  for (const link of views()) {
    if (link.dataset.view === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

// Asks twice: what is taken away doesn't come back by itself. A double click counts as one, and the list may be drawn
// anew between the two.
let sure = "";
function twice(button, event, what, word, act) {
  if (event.detail > 1) return;
  if (sure === what) {
    sure = "";
    act();
    return;
  }
  const name = button.textContent;
  sure = what;
  button.textContent = word;
  setTimeout(() => {
    if (sure === what) sure = "";
    button.textContent = name;
  }, 4000);
}

function takeOut(button, event) {
  const { source } = button.dataset;
  twice(button, event, source, "Really remove?", () => tell("delete", { source }));
}

let known = null; // the menu as it was sent last
server.list_sources().then((options) => (known = options));

// After the corpus has changed: the reader's menu, and its text when the source is gone or may be another.
async function renew({ onlyIfOther = false } = {}) {
  const options = await server.list_sources();
  if (onlyIfOther && options === known) return;
  sources.innerHTML = known = options;
  const still = [...sources.options].some((option) => option.value === wanted);
  shown = null;
  open(still ? wanted : "");
}

// A point of the map leads to its source, and to the section.
async function openPoint([source, section]) {
  cameFrom = null;
  back.hidden = true;
  say("");
  show(true);
  if (!(await open(source)) || !section) return;
  const part = [...sheet.querySelectorAll("section")].find((found) => found.getAttribute("aria-label") === section);
  if (part) bring(part, sheet, 0.02);
}

// Work that begins, ends or is refused is brought into view: the button for it may lie far below.
let worked = "";
new MutationObserver(() => {
  const work = document.querySelector("#work .work");
  const state = work ? `${work.dataset.state} ${work.querySelectorAll("li").length > 0}` : "";
  if (work && state !== worked) work.scrollIntoView({ block: "nearest" });
  worked = state;
}).observe(document.getElementById("work"), { childList: true, subtree: true });

new MutationObserver(() => {
  const plot = document.querySelector("#map .js-plotly-plot");
  if (!plot?.on || plot.dataset.wired) return;
  plot.dataset.wired = "yes";
  const map = document.getElementById("map");
  map.tabIndex = 0; // on a phone it is wider than the screen, and scrolled by arrow keys
  map.scrollLeft = (map.scrollWidth - map.clientWidth) / 2;
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", "Map of sources and the sections that they bear on; the list below says the same");
  plot.on("plotly_click", (event) => event.points[0].customdata && openPoint(event.points[0].customdata));
}).observe(document.getElementById("sources-page"), { childList: true, subtree: true });
