"""The conversation as values: what was asked, what came back, and several chats on one shelf.

Knows nothing of Gradio or HTML. Every change gives a new value; nothing here belongs to one visitor.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from pydantic import TypeAdapter, ValidationError

from corpus import Corpus, VerseError
from rag.datatypes import Answer, AnswerSentence, Citation, Scope, ScoredPassage, Turn
from rag.settings import Settings
from ui.suggest import follow_ups

TITLE_LENGTH = 60
EVERYTHING = Scope()
SAVED_LENGTH = 2_000_000  # browsers keep about five million characters for one site


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


@dataclass(frozen=True, slots=True)
class Chat:
    """Exchanges in the order they were made; named after its first question."""

    exchanges: tuple[Exchange, ...] = ()

    @property
    def title(self) -> str:
        """The first question, shortened."""
        if not self.exchanges:
            return "New chat"
        first = " ".join(self.exchanges[0].question.split())
        return first if len(first) <= TITLE_LENGTH else first[: TITLE_LENGTH - 1].rstrip() + "…"

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


EMPTY = Chat()


@dataclass(frozen=True, slots=True)
class Shelf:
    """One visitor's chats, newest first, and which of them is open."""

    chats: tuple[Chat, ...] = (Chat(),)
    open: int = 0

    @property
    def chat(self) -> Chat:
        """The chat that is open."""
        return self.chats[self.open]

    def with_chat(self, chat: Chat) -> Shelf:
        """The open chat replaced."""
        return replace(self, chats=(*self.chats[: self.open], chat, *self.chats[self.open + 1 :]))

    def with_new(self, chat: Chat = EMPTY) -> Shelf:
        """Another chat on top, open; an empty one that is there already makes place for it."""
        kept = tuple(chat for chat in self.chats if chat.exchanges)
        return Shelf((chat, *kept))

    def with_rating(self, rated: Exchange, rating: Literal["up", "down"]) -> Shelf:
        """One exchange of the open chat rated."""
        return self.with_chat(Chat(tuple(replace(e, rating=rating) if e is rated else e for e in self.chat.exchanges)))

    def with_open(self, position: int) -> Shelf:
        """Another chat open; a position that isn't there changes nothing."""
        return replace(self, open=position) if 0 <= position < len(self.chats) else self

    def without(self, position: int) -> Shelf:
        """A chat taken away; the shelf never becomes empty."""
        kept = tuple(chat for n, chat in enumerate(self.chats) if n != position)
        still = self.open - (1 if position < self.open else 0)
        return Shelf(kept, min(still, len(kept) - 1)) if kept else Shelf()

    def stopped(self) -> Shelf:
        """Whatever still ran is marked as stopped."""
        return self.with_chat(Chat(tuple(replace(e, stopped=True) if e.running else e for e in self.chat.exchanges)))

    def failed(self, message: str) -> Shelf:
        """Whatever still ran ends with this message."""
        return self.with_chat(Chat(tuple(replace(e, message=message) if e.running else e for e in self.chat.exchanges)))


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
    kept = Chat(chat.exchanges if at is None else chat.exchanges[: max(at, 0)])
    exchange = Exchange(question)
    yield Chat((*kept.exchanges, exchange))
    events: Iterator[AnswerSentence | Answer] = iter(())
    try:
        events = stream(question, kept.history, sources=scope.sources, sections=scope.sections)
        for event in events:
            if isinstance(event, Answer):
                known = [e.question for e in kept.exchanges] + [question]
                exchange = replace(exchange, answer=event, follow_ups=tuple(follow_ups(corpus, event, known)))
            else:
                exchange = replace(exchange, sentences=(*exchange.sentences, event))
            yield Chat((*kept.exchanges, exchange))
    except VerseError as error:
        yield Chat((*kept.exchanges, replace(exchange, message=str(error))))
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

    chats = (Chat(tuple(replace(e, lost=lost(e.answer)) for e in chat.exchanges)) for chat in shelf.chats)
    return replace(shelf, chats=tuple(chats))


_SHELF = TypeAdapter(Shelf)


def save(shelf: Shelf) -> str:
    """The shelf as a string that the browser keeps; the oldest chats go when it grows too long."""
    while True:
        saved = json.dumps(_SHELF.dump_python(shelf, mode="json"))
        if len(saved) <= SAVED_LENGTH or len(shelf.chats) == 1:
            return saved
        shelf = shelf.without(len(shelf.chats) - 1 if shelf.open < len(shelf.chats) - 1 else 0)


def restore(saved: object) -> Shelf:
    """The shelf that a browser kept; an empty one where that can't be read."""
    if not isinstance(saved, str):
        return Shelf()
    try:
        shelf = _SHELF.validate_python(json.loads(saved), strict=False)
    except (ValidationError, ValueError, RecursionError):
        return Shelf()
    return shelf.with_open(shelf.open).stopped() if 0 <= shelf.open < len(shelf.chats) else Shelf()
