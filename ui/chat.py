"""The conversation as values: what was asked, what came back, and several chats on one shelf.

Knows nothing of Gradio or HTML. Every change gives a new value; nothing here belongs to one visitor.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from pydantic import TypeAdapter, ValidationError

from corpus import Corpus, VerseError
from rag.datatypes import Answer, AnswerSentence, Citation, Scope, ScoredPassage, Turn
from rag.settings import Settings
from ui.suggest import follow_ups

TITLE_LENGTH = 60
EVERYTHING = Scope()
SAVED_LENGTH = 2_000_000  # browsers keep about five million characters for one site
GONE = 500  # deleted chats that are remembered, so that no other page of the same browser brings them back


class Engine(Protocol):
    """What the page needs of `rag.Engine`."""

    @property
    def corpus(self) -> Corpus:
        """The sources that are asked about."""
        ...

    @property
    def settings(self) -> Settings:
        """Where this machine keeps things."""
        ...

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        sources: Sequence[str] = (),
        sections: Sequence[str] = (),
    ) -> Answer:
        """The answer to a question, in one piece."""
        ...

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        sources: Sequence[str] = (),
        sections: Sequence[str] = (),
    ) -> Iterator[AnswerSentence | Answer]:
        """Its sentences as they are written, and last the Answer."""
        ...

    def retrieve(
        self,
        question: str,
        history: Sequence[Turn] = (),
        k: int = 10,
        *,
        sources: Sequence[str] = (),
        sections: Sequence[str] = (),
    ) -> list[ScoredPassage]:
        """The k passages that fit a question best, best first."""
        ...

    def with_llm(self, name: str | None) -> Engine:
        """The same, answering with another language model, or with none."""
        ...

    def close(self) -> None:
        """Let go of the index."""
        ...


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and what has come back: sentences while it runs, then an answer or a message.

    `follow_ups` are questions that the answer suggests, `rating` what the visitor thought of it, `lost` how
    many of its citations the sources no longer bear out: an older or foreign answer.
    """

    question: str
    sentences: tuple[AnswerSentence, ...] = ()
    answer: Answer | None = None
    message: str = ""
    stopped: bool = False
    follow_ups: tuple[str, ...] = ()
    rating: Literal["", "up", "down"] = ""
    lost: int = 0

    @property
    def running(self) -> bool:
        """Whether more is to come."""
        return self.answer is None and not self.message and not self.stopped


def _stopped(exchange: Exchange) -> Exchange:
    return replace(exchange, stopped=True) if exchange.running else exchange


def new_id() -> str:
    """An id for a chat; later ones sort after earlier ones."""
    return f"{time.time_ns():016x}{secrets.token_hex(4)}"


@dataclass(frozen=True, slots=True)
class Chat:
    """Exchanges in the order they were made; named after its first question, or as its reader likes.

    `id` tells it from others on every page of a browser, `changed` (seconds since 1970) the later of two states.
    """

    exchanges: tuple[Exchange, ...] = ()
    name: str = ""
    id: str = field(default_factory=new_id, compare=False)
    changed: float = field(default_factory=time.time, compare=False)

    @property
    def title(self) -> str:
        """Its name, or the first question, shortened."""
        first = self.name or (self.exchanges[0].question if self.exchanges else "New chat")
        first = " ".join(first.split())
        return first if len(first) <= TITLE_LENGTH else first[: TITLE_LENGTH - 1].rstrip() + "…"

    def having(self, *exchanges: Exchange) -> Chat:
        """The same chat, now with these exchanges."""
        return replace(self, exchanges=exchanges, changed=time.time())

    def at(self, position: int | None) -> Exchange | None:
        """The exchange of a position; None where there is none."""
        return self.exchanges[position] if position is not None and 0 <= position < len(self.exchanges) else None

    @property
    def history(self) -> list[Turn]:
        """What the engine is told of the conversation: answered exchanges, oldest first."""
        turns: list[Turn] = []
        for exchange in self.exchanges:
            if exchange.answer:
                turns.append({"role": "user", "content": exchange.question})
                turns.append({"role": "assistant", "content": exchange.answer.text})
        return turns


@dataclass(frozen=True, slots=True)
class Shelf:
    """One visitor's chats, newest first, and which of them is open.

    `gone` are the ids of deleted ones. A shelf that isn't `known` is what a server has of a page that it has
    forgotten, or not met yet: nothing.
    """

    chats: tuple[Chat, ...] = field(default_factory=lambda: (Chat(),))
    open: int = 0
    gone: tuple[str, ...] = ()
    known: bool = True

    @property
    def chat(self) -> Chat:
        """The chat that is open."""
        return self.chats[self.open]

    def joined(self, kept: Shelf) -> Shelf:
        """With what the browser keeps: of a chat that both have the later state, and none that was deleted but the
        one that is being read here."""
        if not self.known:
            return kept
        gone = tuple(dict.fromkeys((*self.gone, *kept.gone)))[-GONE:]
        both = {chat.id: chat for chat in kept.chats if chat.exchanges}
        for chat in self.chats:
            theirs = both.get(chat.id)
            both[chat.id] = chat if theirs is None or theirs.changed <= chat.changed else theirs
        open_here = self.chat.id
        chats = tuple(both[name] for name in sorted(both, reverse=True) if name == open_here or name not in gone)
        return replace(self, chats=chats, open=0, gone=gone).showing(open_here)

    def showing(self, name: str) -> Shelf:
        """The chat of this id open; one that isn't there changes nothing."""
        return next((replace(self, open=n) for n, chat in enumerate(self.chats) if chat.id == name), self)

    def with_chat(self, chat: Chat) -> Shelf:
        """The open chat replaced."""
        return replace(self, chats=(*self.chats[: self.open], chat, *self.chats[self.open + 1 :]))

    def with_new(self, chat: Chat | None = None) -> Shelf:
        """A chat more, and open: an empty one, or one from elsewhere; an empty one that is there makes place."""
        kept = (old for old in self.chats if old.exchanges)
        return replace(self, chats=(chat or Chat(), *kept), open=0)

    def with_rating(self, rated: Exchange, rating: Literal["up", "down"]) -> Shelf:
        """One exchange of the open chat rated."""
        return self._with_each(lambda e: replace(e, rating=rating) if e is rated else e)

    def renamed(self, name: str, title: str) -> Shelf:
        """The chat of an id with another title; an empty one brings back its first question."""
        title = " ".join(title.split())[:TITLE_LENGTH]
        chats = (replace(c, name=title, changed=time.time()) if c.id == name else c for c in self.chats)
        return replace(self, chats=tuple(chats))

    def without(self, name: str) -> Shelf:
        """The chat of an id taken away; the shelf never becomes empty."""
        at = next((n for n, chat in enumerate(self.chats) if chat.id == name), None)
        if at is None:
            return self
        kept = (*self.chats[:at], *self.chats[at + 1 :])
        still = self.open - (1 if at < self.open else 0)
        gone = (*self.gone, name)[-GONE:]
        return replace(self, chats=kept or (Chat(),), open=min(still, max(0, len(kept) - 1)), gone=gone)

    def stopped(self) -> Shelf:
        """Whatever still ran is marked as stopped."""
        return self._with_each(_stopped)

    def failed(self, message: str) -> Shelf:
        """Whatever still ran ends with this message."""
        return self._with_each(lambda e: replace(e, message=message) if e.running else e)

    def _with_each(self, change: Callable[[Exchange], Exchange]) -> Shelf:
        """The exchanges of the open chat changed; without a change it is the chat that it was."""
        changed = tuple(map(change, self.chat.exchanges))
        return self if changed == self.chat.exchanges else self.with_chat(self.chat.having(*changed))


class Asking(Protocol):
    """How a question is put: `Library.stream`, or an engine's."""

    def __call__(
        self, question: str, history: Sequence[Turn] = (), *, sources: Sequence[str] = (), sections: Sequence[str] = ()
    ) -> Iterator[AnswerSentence | Answer]:
        """The sentences of the answer, and last the Answer."""
        ...


def ask(
    stream: Asking,
    corpus: Corpus,
    question: str,
    chat: Chat,
    *,
    scope: Scope = EVERYTHING,
    at: int | None = None,
) -> Iterator[Chat]:
    """The chat as its next exchange grows. With `at`, the exchange of that position and all later ones
    are asked anew. A VerseError becomes the exchange's message. Closing this closes the stream.
    """
    kept = chat if at is None else chat.having(*chat.exchanges[: max(at, 0)])
    exchange = Exchange(question)
    yield kept.having(*kept.exchanges, exchange)
    events: Iterator[AnswerSentence | Answer] = iter(())
    try:
        events = stream(question, kept.history, sources=scope.sources, sections=scope.sections)
        for event in events:
            if isinstance(event, Answer):
                known = [e.question for e in kept.exchanges] + [question]
                exchange = replace(exchange, answer=event, follow_ups=tuple(follow_ups(corpus, event, known)))
            else:
                exchange = replace(exchange, sentences=(*exchange.sentences, event))
            yield kept.having(*kept.exchanges, exchange)
    except VerseError as error:
        yield kept.having(*kept.exchanges, replace(exchange, message=str(error)))
    finally:
        close = getattr(events, "close", None)
        if close is not None:
            close()


def compared(shelf: Shelf, corpus: Corpus) -> Shelf:
    """The shelf with every kept answer compared with the sources as they are now."""

    def stands(citation: Citation) -> bool:
        known = citation.source_id in corpus.source_by_id
        return known and corpus.text(citation.source_id)[citation.start : citation.end] == citation.quote

    def lost(answer: Answer | None) -> int:
        return sum(not stands(citation) for citation in answer.citations) if answer else 0

    chats = (replace(c, exchanges=tuple(replace(e, lost=lost(e.answer)) for e in c.exchanges)) for c in shelf.chats)
    return replace(shelf, chats=tuple(chats))


_SHELF = TypeAdapter(Shelf)


def save(shelf: Shelf) -> str:
    """The shelf as a string that the browser keeps; the oldest chats go when it grows too long."""
    while True:
        saved = json.dumps(_SHELF.dump_python(shelf, mode="json"))
        if len(saved) <= SAVED_LENGTH or len(shelf.chats) == 1:
            return saved
        oldest = len(shelf.chats) - 1 if shelf.open < len(shelf.chats) - 1 else 0
        kept = tuple(chat for n, chat in enumerate(shelf.chats) if n != oldest)
        shelf = replace(shelf, chats=kept, open=shelf.open - (oldest < shelf.open))


def restore(saved: object) -> Shelf:
    """The shelf that a browser kept; an empty one where that can't be read."""
    if not isinstance(saved, str):
        return Shelf()
    try:
        shelf = _SHELF.validate_python(json.loads(saved), strict=False)
    except (ValidationError, ValueError, RecursionError):
        return Shelf()
    if not 0 <= shelf.open < len(shelf.chats) or len({chat.id for chat in shelf.chats}) < len(shelf.chats):
        return Shelf()
    # What another page is still writing isn't changed by being read here, hence no new time.
    ended = (replace(c, exchanges=tuple(_stopped(e) for e in c.exchanges)) for c in shelf.chats)
    return replace(shelf, chats=tuple(ended), known=True)
