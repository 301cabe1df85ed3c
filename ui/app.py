"""The page: its parts and what each event does.

All that belongs to a visitor lies in that visitor's Gradio session and browser; the engine alone is shared.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from corpus import VerseError
from rag.datatypes import Turn
from ui import chat as chats
from ui.api import add_api
from ui.chat import Engine, Shelf
from ui.export import from_json, to_json, to_markdown
from ui.feedback import Rating, keep_feedback
from ui.frame import render_chats, render_header, render_hint
from ui.library import Lent, Library
from ui.reader import Pages, render_options, render_reader, render_source
from ui.render import render_exchange, render_welcome
from ui.report import EvalsPage
from ui.running import Running
from ui.scope import read_scope, render_mode, render_scope, wants_plain
from ui.sources import SourcesPage
from ui.suggest import first_questions, main_source
from ui.watch import Figures, Guarded, watched

STATIC = Path(__file__).parent / "static"
AT_ONCE = 24  # questions answered at the same time; a further visitor waits for a moment
SCRIPTS = ("reader.js", "conversation.js", "pages.js", "events.js")  # one script in four parts, in this order
EMPTY = "Type a question first, or choose one of those suggested."
WAIT = "Wait for the answer to end."
FAILED = "Something went wrong here; the log of `verse ui` says what."
UPLOADS = (3_600, 86_400)  # seconds: how often uploaded files are looked through, and how old one may be
# Which chat this page had open, and all that the browser keeps, just as an event is sent: another page of the same
# browser may have kept something since. A browser may refuse its store.
KEPT = (
    "(() => { try { return JSON.stringify([sessionStorage, localStorage].map((store) => "
    "store.getItem('chapter-and-verse-chats') || '')) } catch { return '' } })()"
)

Update = dict[Any, Any]


def build(
    engine: Engine,
    suggestions: Sequence[str] | None = None,
    waiting: int | None = None,
    figures: Figures | None = None,
) -> gr.Blocks:
    """The page as Gradio blocks; `suggestions` are the first questions, by default made from the corpus. Once
    `waiting` questions wait, a further one is refused; `figures` count what becomes of them."""
    blocks = Guarded(title="Chapter & Verse", analytics_enabled=False, fill_width=True, delete_cache=UPLOADS)
    library = engine if isinstance(engine, Library) else Library(engine)
    if figures is not None:
        library = watched(library, figures)
    with blocks:
        page = Page(library, suggestions)
        page.lay_out()
        page.wire(blocks)
        add_api(library, AT_ONCE)
    blocks.queue(max_size=waiting, default_concurrency_limit=AT_ONCE)
    return blocks


class Page:
    """The components of the page and the handlers of their events; holds nothing of any visitor."""

    def __init__(self, engine: Library, suggestions: Sequence[str] | None) -> None:
        self.engine = engine
        self.suggestions = suggestions
        self.sources = SourcesPage(engine)
        self.evals = EvalsPage(engine)
        self.running = Running()

    @property
    def welcome(self) -> str:
        """What an empty chat shows."""
        corpus = self.engine.corpus
        asks = first_questions(corpus) if self.suggestions is None else self.suggestions
        return render_welcome(corpus.title, asks)

    def lay_out(self) -> None:
        """Left the conversation or the sources, right the reader."""
        corpus = self.engine.corpus
        self.shelf = gr.State(Shelf(known=False))
        self.saved = gr.Textbox(visible="hidden", elem_id="saved")  # out: what the browser is to keep; in: `KEPT`
        self.masthead = _html(render_header(corpus.title), "masthead")
        with gr.Row(elem_id="columns"):
            with gr.Column(elem_id="conversation"):
                self.chats = _html(render_chats(Shelf()), "chats")
                with gr.Column(elem_id="scroll"):
                    self.log = _html(self.welcome, "log")
                    self.live = _html("", "live")
                self._lay_out_composer()
            self.sources.lay_out()
            self.evals.lay_out()
            with gr.Column(elem_id="reading"):
                script = "\n".join((STATIC / name).read_text(encoding="utf-8") for name in SCRIPTS)
                self.reader = gr.HTML(
                    render_reader(corpus),
                    elem_id="reader",
                    apply_default_css=False,
                    js_on_load=script,
                    server_functions=[_read_source(self.engine), _list_sources(self.engine)],
                )
        self.outbox = gr.Textbox(visible="hidden", elem_id="outbox")
        self.chosen = gr.Textbox(visible="hidden", elem_id="chosen")  # filled by the script as a question is sent

    def _lay_out_composer(self) -> None:
        with gr.Column(elem_id="composer"):
            with gr.Row(elem_id="asking"):
                self.box = gr.Textbox(
                    label="Your question",
                    placeholder="Ask the sources…",
                    lines=1,
                    max_lines=8,
                    elem_id="question",
                    autofocus=True,
                    scale=1,
                )
                self.send = gr.Button("Send", elem_id="send", variant="primary", scale=0, min_width=80)
                self.stop = gr.Button("Stop", elem_id="stop", variant="stop", scale=0, min_width=80)
            with gr.Row(elem_id="choices"):
                self.scope = _html(render_scope(self.engine.corpus), "scope")
                self.mode = _html(render_mode(self.engine.settings.llm), "mode")
            self.hint = _html(render_hint(""), "hint")

    def wire(self, blocks: gr.Blocks) -> None:
        """Say which handler answers which event."""
        shown = [self.shelf, self.log, self.live, self.chats, self.saved]
        mine = [self.shelf, self.saved]
        # Only questions queue: a full queue must never keep a visitor from stopping, or from the chats of before.
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "queue": False}
        asking = gr.on(
            [self.box.submit, self.send.click, self.reader.click],
            self.ask,
            [self.box, self.chosen, *mine],
            [*shown, self.box, self.hint],
            js=f"(typed, chosen, shelf) => [typed, window.chapterAndVerse.scope(), shelf, {KEPT}]",
            concurrency_limit=AT_ONCE,
            trigger_mode="once",
            api_name="page_ask",
            **(quiet | {"queue": True}),
        )
        kept = quiet | {"js": f"(shelf) => [shelf, {KEPT}]"}
        asking.success(self.keep, mine, [self.chats, self.saved], **kept)
        asking.failure(self.failed, mine, shown, **kept)
        exporting = self.reader.select(self.export, mine, self.outbox, **kept)
        for event in (
            self.stop.click(self.stopped, mine, shown, cancels=[asking], **kept),
            self.reader.input(self.rearrange, mine, shown, cancels=[asking], **kept),
            self.reader.upload(self.take_in, mine, [*shown, self.hint], cancels=[asking], **kept),
            self.reader.like(self.rate, mine, [*shown, self.hint], **kept),
            self.reader.edit(self.rename, mine, [*shown, self.hint], **kept),
            exporting,
        ):
            event.failure(None, None, None, js="() => window.chapterAndVerse.missed()", **quiet)
        download = "(text) => window.chapterAndVerse.download(text)"
        exporting.success(None, self.outbox, None, js=download, **quiet)
        self.saved.change(None, self.saved, None, js="(text) => window.chapterAndVerse.keep(text)", **quiet)
        dressed = [*shown, self.masthead, self.scope, self.mode]
        blocks.unload(self.left)
        blocks.load(self.load, mine, dressed, **kept)
        self.sources.wire(self.reader, lambda then: then(self.load, mine, dressed, **kept))
        self.evals.wire(self.reader)

    def ask(
        self, typed: str, chosen: str, shelf: Shelf, kept: str, event: gr.EventData, request: gr.Request
    ) -> Iterator[Update]:
        """Answer what was typed, or what the page's script asks: a suggestion, or an earlier question anew."""
        question, at = _asked(typed, event)
        if not question.strip():
            yield {self.hint: render_hint(EMPTY)}
            return
        shelf = _joined(shelf, kept).stopped()
        first = True
        corpus = self.engine.corpus
        stream = partial(self._stream, request.session_hash or "", wants_plain(chosen))
        for chat in chats.ask(stream, corpus, question, shelf.chat, scope=read_scope(chosen, corpus), at=at):
            shelf = shelf.with_chat(chat)
            last = len(chat.exchanges) - 1
            update: Update = {self.shelf: shelf, self.live: render_exchange(chat.exchanges[last], last)}
            if first:
                update |= {self.log: _log(shelf, last), self.hint: render_hint("")}
                update |= {self.chats: render_chats(shelf), self.saved: chats.save(shelf)}
                update |= {self.box: ""} if at is None else {}
                first = False
            yield update
        yield {part: new for part, new in self._show(shelf).items() if part is not self.saved}

    def _stream(self, visitor: str, plain: bool, question: str, history: Sequence[Turn], **scope: Any) -> Lent:
        events = self.engine.stream(question, history, plain=plain, **scope)
        self.running.begin(visitor, events)
        return events

    def left(self, request: gr.Request) -> None:
        """A page was closed or reloaded: nobody waits for its answer any more."""
        self.running.end(request.session_hash or "")

    def keep(self, shelf: Shelf, kept: str) -> Update:
        """The browser's store after an answer: other pages may have kept theirs while this one was written."""
        shelf = _joined(shelf, kept)
        return {self.chats: render_chats(shelf), self.saved: chats.save(shelf)}

    def stopped(self, shelf: Shelf, kept: str, request: gr.Request) -> Update:
        """Keep what had come when the visitor stopped it."""
        self.running.end(request.session_hash or "")
        return self._show(_joined(shelf, kept).stopped())

    def failed(self, shelf: Shelf, kept: str) -> Update:
        """Say that something unforeseen happened; the log has the details."""
        return self._show(_joined(shelf, kept).failed(FAILED))

    def rearrange(self, shelf: Shelf, kept: str, event: gr.EventData, request: gr.Request) -> Update:
        """Begin, open or delete a chat; an answer that is still being written is stopped."""
        self.running.end(request.session_hash or "")
        act, name = _text(event, "act"), _text(event, "chat")
        shelf = _joined(shelf, kept).stopped()
        if act == "new":
            shelf = shelf.with_new()
        elif act == "open":
            shelf = shelf.showing(name)
        elif act == "remove":
            shelf = shelf.without(name)
        return self._show(chats.compared(shelf, self.engine.corpus))

    def rename(self, shelf: Shelf, kept: str, event: gr.EventData) -> Update:
        """A chat under the title that its reader gave it."""
        shelf = _joined(shelf, kept)
        if any(exchange.running for exchange in shelf.chat.exchanges):
            return {self.hint: render_hint(WAIT)}
        return self._show(shelf.renamed(_text(event, "chat"), _text(event, "title"))) | {self.hint: render_hint("")}

    def take_in(self, shelf: Shelf, kept: str, event: gr.EventData) -> Update:
        """A chat from a file that was exported here, opened as another chat."""
        shelf = _joined(shelf, kept).stopped()
        try:
            shelf = chats.compared(shelf.with_new(from_json(_text(event, "text"))), self.engine.corpus)
        except VerseError as error:
            return self._show(shelf) | {self.hint: render_hint(str(error))}
        return self._show(shelf) | {self.hint: render_hint("")}

    def rate(self, shelf: Shelf, kept: str, event: gr.EventData) -> Update:
        """What the visitor thinks of an answer, kept in a file on this machine."""
        shelf = _joined(shelf, kept)
        exchange = shelf.chat.at(_number(event, "position"))
        rating: Rating = "up" if _text(event, "rating") == "up" else "down"
        if exchange is None or exchange.answer is None:
            return {self.hint: render_hint("This answer is no longer here.")}
        if shelf.chat.exchanges[-1].running:
            return {self.hint: render_hint(WAIT)}
        home = self.engine.settings.home
        try:
            keep_feedback(home, rating, _text(event, "reason"), exchange.question, exchange.answer)
        except VerseError as error:
            return {self.hint: render_hint(str(error))}
        return self._show(shelf.with_rating(exchange, rating)) | {self.hint: render_hint("")}

    def load(self, shelf: Shelf, kept: str) -> Update:
        """The chats that this browser kept, and what the page says of the corpus as it is now."""
        corpus = self.engine.corpus
        shelf = chats.compared(_joined(shelf, kept), corpus)
        running = any(exchange.running for exchange in shelf.chat.exchanges)  # what it writes is shown by its own event
        shown = {} if running else self._show(shelf)
        shown.pop(self.saved, None)  # nothing new to keep, and what can't be read isn't overwritten by looking at it
        dressed = {self.scope: render_scope(corpus), self.mode: render_mode(self.engine.settings.llm)}
        return shown | dressed | {self.masthead: render_header(corpus.title)}

    def export(self, shelf: Shelf, kept: str, event: gr.EventData) -> str:
        """The open chat as the text of a file: JSON, or Markdown."""
        chat = _joined(shelf, kept).chat
        return to_json(chat) if _text(event, "kind") == "json" else to_markdown(chat)

    def _show(self, shelf: Shelf) -> Update:
        return {
            self.shelf: shelf,
            self.log: _log(shelf, len(shelf.chat.exchanges)) if shelf.chat.exchanges else self.welcome,
            self.live: "",
            self.chats: render_chats(shelf),
            self.saved: chats.save(shelf),
        }


def _read_source(engine: Engine) -> Callable[[str], Pages | None]:
    def read_source(source_id: str) -> Pages | None:
        """A source for the reader; without an id, the one it opens with. Called by the page's script."""
        known = source_id if isinstance(source_id, str) else ""  # anybody can send anything
        return render_source(engine.corpus, known or main_source(engine.corpus).id)

    return read_source


def _list_sources(engine: Engine) -> Callable[[object], str]:
    def list_sources(_: object = None) -> str:
        """The reader's menu of sources as they are now. Called by the page's script."""
        return render_options(engine.corpus)

    return list_sources


def _html(value: str, elem_id: str) -> gr.HTML:
    return gr.HTML(value, elem_id=elem_id, apply_default_css=False, js_on_load=None)


def _joined(shelf: Shelf, kept: str) -> Shelf:
    """The shelf of a page with what its browser has just sent as kept."""
    try:
        name, saved = json.loads(kept)
    except (ValueError, TypeError, RecursionError):
        return shelf.joined(Shelf())
    return shelf.joined(chats.restore(saved).showing(name))


def _log(shelf: Shelf, end: int) -> str:
    return "".join(render_exchange(exchange, n) for n, exchange in enumerate(shelf.chat.exchanges[:end]))


def _asked(typed: str, event: gr.EventData) -> tuple[str, int | None]:
    """The question, and the position of the exchange that it replaces."""
    if _text(event, "act") != "ask":
        return typed or "", None
    return _text(event, "question"), _number(event, "position")


def _payload(event: gr.EventData, name: str) -> object:
    """What the page's script sent along; anybody can send anything."""
    sent = event._data
    return sent.get(name) if isinstance(sent, dict) else None


def _text(event: gr.EventData, name: str) -> str:
    value = _payload(event, name)
    return value if isinstance(value, str) else ""


def _number(event: gr.EventData, name: str) -> int | None:
    value = _payload(event, name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
