"""The sources' side of the page: what the corpus holds, a map of it, and its edits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import gradio as gr

from corpus import Corpus, VerseError
from corpus.loaders import SUFFIXES
from corpus.manifest import Stance
from ui.access import is_admin
from ui.catalog import render_catalog, render_head, render_work
from ui.edits import Adding, why_read_only
from ui.jobs import Outcome, Work
from ui.library import Library
from ui.map import draw_map
from ui.render import STANCE_WORDS
from ui.suggest import main_source

HERE, COPY, NEW = "The open corpus", "A copy of it", "A new corpus"

Update = dict[Any, Any]


class SourcesPage:
    """The components and the handlers of their events; holds nothing of any visitor."""

    def __init__(self, library: Library) -> None:
        self.library = library

    def lay_out(self) -> None:
        """The map, the sources, and how one adds to them."""
        self.began = gr.State(False)  # whether this visitor's last click began any work
        with gr.Column(elem_id="sources-page", elem_classes="page"):
            self.head = gr.HTML("", elem_id="corpus-head", apply_default_css=False, js_on_load=None)
            self.work = gr.HTML("", elem_id="work", apply_default_css=False, js_on_load=None)
            with gr.Row(elem_id="edits"):
                self.fetch = gr.Button("Fetch linked pages", elem_id="fetch", size="sm")
                self.rebuild = gr.Button("Rebuild the index", elem_id="rebuild", size="sm")
                self.stop = gr.Button("Stop", elem_id="stop-work", size="sm")
            with gr.Accordion("Add a file or a link", open=False, elem_id="adding"):
                self._lay_out_form()
            self.map = gr.Plot(None, elem_id="map", show_label=False, container=False)
            self.catalog = gr.HTML("", elem_id="catalog", apply_default_css=False, js_on_load=None)

    def _lay_out_form(self) -> None:
        stances = [(STANCE_WORDS[stance], stance) for stance in get_args(Stance)]
        self.files = gr.File(label="Files", file_count="multiple", file_types=list(SUFFIXES), height=140)
        self.links = gr.Textbox(label="Links, one a line", lines=1, max_lines=6, placeholder="https://…")
        with gr.Row():
            self.into = gr.Dropdown([HERE, COPY, NEW], value=HERE, label="Add to")
            self.name = gr.Textbox(label="Name of the new corpus", visible=False)
        with gr.Row():
            self.title = gr.Textbox(label="Title (one source; default: its own)")
            self.author = gr.Textbox(label="Author")
        with gr.Row():
            self.stance = gr.Dropdown(stances, value="primary", label="How it stands to the rest")
            self.bears_on = gr.Dropdown([], multiselect=True, label="Bears on")
        self.send = gr.Button("Add", variant="primary", elem_id="add", size="sm")

    def wire(self, reader: gr.HTML, renew: Callable[[Callable[..., Any]], Any]) -> None:
        """Say which handler answers which event; `renew` adds what renews the rest of the page to an event's `then`,
        for when the corpus is another."""
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        form = [self.files, self.links, self.into, self.name, self.title, self.author, self.stance, self.bears_on]
        whole = [self.head, self.catalog, self.map, self.into, self.bears_on, self.fetch, self.rebuild]
        begins = [
            gr.on([self.send.click], self.add, form, [self.work, self.began, self.files, self.links], **quiet),
            self.fetch.click(self._verb(self.library.fetch), None, [self.work, self.began], **quiet),
            self.rebuild.click(self._verb(self.library.rebuild), None, [self.work, self.began], **quiet),
            reader.delete(self.remove_or_switch, None, [self.work, self.began], **quiet),
        ]
        opened = reader.expand(self.opened, None, [*whole, self.work, self.began], **quiet)
        self._follow(opened, whole, quiet).then(
            None, None, None, js="() => window.chapterAndVerse.renew({ onlyIfOther: true })", **quiet
        )
        self.into.change(lambda into: gr.Textbox(visible=into == NEW), self.into, self.name, **quiet)
        self.stop.click(self.stopped, None, None, **quiet)
        for event in begins:
            renew(self._follow(event, whole, quiet).then).then(
                None, None, None, js="() => window.chapterAndVerse.renew()", **quiet
            )

    def _follow(self, event: Any, whole: list[Any], quiet: dict[str, Any]) -> Any:  # noqa: ANN401 -- Gradio's own
        """Watch the work that an event began, and show the page anew after it."""
        over = event.then(self.watch, self.began, self.work, concurrency_limit=None, **quiet)
        return over.then(self.renewed, self.began, whole, **quiet)

    def renewed(self, began: bool, request: gr.Request) -> Update:
        """The page after work; where there was none it stays as it is, and so does a form that was refused."""
        return self.show(request) if began else {self.head: gr.skip()}

    def show(self, request: gr.Request) -> Update:
        """The page as the corpus is now; the map is drawn when the page is first looked at."""
        corpus = self.library.corpus
        editor = is_admin(request)
        intos = [COPY, NEW] if why_read_only(corpus) else [HERE, COPY, NEW]
        return {
            self.head: render_head(corpus, self.library.corpora(), editor=editor),
            self.catalog: render_catalog(corpus, editor=editor),
            self.map: draw_map(corpus),
            self.into: gr.Dropdown(intos if corpus.folder else [NEW], value=intos[0] if corpus.folder else NEW),
            self.bears_on: gr.Dropdown(_labels(corpus), value=[]),
            self.fetch: gr.Button(interactive=editor),
            self.rebuild: gr.Button(interactive=editor),
        }

    def opened(self, request: gr.Request) -> Update:
        """The page when it is first looked at: with the work that is going on, or was done last."""
        work = self.library.jobs.work
        return self.show(request) | {self.work: render_work(work), self.began: not work.over}

    def add(
        self,
        files: list[str] | None,
        links: str,
        into: str,
        name: str | None,
        title: str,
        author: str,
        stance: Stance,
        bears_on: list[str],
        request: gr.Request,
    ) -> Update:
        """Begin to add what the form says."""
        items: list[Path | str] = [*map(Path, files or []), *filter(None, map(str.strip, (links or "").splitlines()))]
        if not items:
            return self._refused("Adding", "Choose a file or give a link first.")
        name = (name or "").strip()
        if into == NEW and not name:
            return self._refused("Adding", "Give the new corpus a name.")
        known = {"title": title.strip() or None, "author": author, "stance": stance, "bears_on": bears_on}
        if into != HERE:
            known["bears_on"] = bears_on if into == COPY else []
        goal = {HERE: "", COPY: "copy"}.get(into, name)
        begun = self._begin(request, lambda: self.library.add(Adding(items, known, goal)))
        return begun | ({self.files: None, self.links: ""} if begun[self.began] else {})

    def remove_or_switch(self, event: gr.EventData, request: gr.Request) -> Update:
        """Begin what the page's script asks: to take a source out, or to open another corpus."""
        sent = event._data if isinstance(event._data, dict) else {}
        source, position = sent.get("source"), sent.get("position")
        corpora = self.library.corpora()
        if isinstance(source, str):
            return self._begin(request, lambda: self.library.remove(source))
        if isinstance(position, int) and 0 <= position < len(corpora):
            return self._begin(request, lambda: self.library.switch(corpora[position]))
        return self._refused("Not now", "This is no longer here; reload the page.")

    def stopped(self, request: gr.Request) -> None:
        """Stop what is under way."""
        if is_admin(request):
            self.library.jobs.stop()

    def watch(self, began: bool) -> Iterator[str | Update]:
        """The work as it goes on, until it is over."""
        yield from map(render_work, self.library.jobs.watch()) if began else [gr.skip()]  # nothing would empty it

    def _verb(self, verb: Callable[[], None]) -> Callable[[gr.Request], Update]:
        def begin(request: gr.Request) -> Update:
            return self._begin(request, verb)

        return begin

    def _begin(self, request: gr.Request, verb: Callable[[], None]) -> Update:
        if not is_admin(request):
            return self._refused("Not allowed", "Only an admin changes the sources; log in as one.")
        try:
            verb()
        except VerseError as error:
            return self._refused("Not now", str(error))
        return {self.work: render_work(self.library.jobs.work), self.began: True}

    def _refused(self, title: str, why: str) -> Update:
        refusal = Work(title, outcomes=(Outcome("", why, ok=False),))
        return {self.work: render_work(refusal), self.began: False}


def _labels(corpus: Corpus) -> list[tuple[str, str]]:
    sections = corpus.documents[main_source(corpus).id].sections
    return [(s.label if s.title in ("", s.label) else f"{s.label}: {s.title}", s.label) for s in sections]
