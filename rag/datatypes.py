"""Frozen values that pass between the stages, and the answer that leaves the house.

An Answer is a value: its text, its JSON and what the page shows are views of it, never parsed back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from typing_extensions import TypedDict

from corpus import Sentence
from corpus.people import Person

Vectors = NDArray[np.float32]

Stance = Literal["primary", "opposing", "supporting", "evidence"]
Status = Literal["answered", "partial", "not_in_sources"]
SupportLabel = Literal["supported", "weak", "unsupported"]


class Turn(TypedDict):
    """One turn of the conversation so far, oldest first."""

    role: Literal["user", "assistant"]
    content: str


class Encoder(Protocol):
    """Text -> unit vectors; sentence-transformers' own method names, so that its models fit as they are."""

    def encode_query(self, texts: Sequence[str], /) -> Vectors:
        """Rows of unit length, one a text, shape (len(texts), dimension)."""
        ...

    def encode_document(self, texts: Sequence[str], /) -> Vectors:
        """Rows of unit length, one a text, shape (len(texts), dimension)."""
        ...


# (question, texts) -> scores, higher is better, shape (len(texts),)
Reranker = Callable[[str, Sequence[str]], Vectors]


@dataclass(frozen=True, slots=True)
class Scope:
    """What may be looked at; empty means everything."""

    sources: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """The unit of retrieval: some 100 to 180 words of one section. `sentences` are (first, last + 1)
    positions in the sentences of its document; `row` is its position in the index."""

    id: str
    source_id: str
    section: str
    section_title: str
    start: int
    end: int
    text: str
    row: int = -1
    sentences: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class ScoredPassage:
    """A passage and how well it fits the question; higher is better, comparable within one list only."""

    passage: Passage
    score: float


@dataclass(frozen=True, slots=True)
class Standalone:
    """A turn made independent of its history. `text` reads as a question of its own; `asked` is the turn
    as it was put; `context` is what it leans on, and `leaning` how much that counts beside the turn's 1; `said`
    is what was answered before, which a turn that leans on it doesn't ask for again; `more` leaves it out."""

    text: str
    asked: str
    context: str = ""
    leaning: float = 0.0
    said: str = ""
    more: bool = False


# How a refusal begins.
REFUSAL = "The sources don't say"

Intent = Literal["answer", "summary", "list", "check", "compare", "views"]
Asked = Literal["amount", "money", "duration", "percent", "date", "person", "place", "reason"]


@dataclass(frozen=True, slots=True)
class Query:
    """A standalone question as the stages see it.

    `text` is the standalone question, `asked` the turn as it was put, `terms` the content terms of `text`;
    `weighted_terms` those of the turn and of what it leans on, each group with its share of the weight.
    `vector` has unit length; `tokens` are sketches of the tokens of both, shape (tokens, SKETCH), weighted by
    `token_weights`, of the words in `token_words`.
    `intent` is the form of answer that it wants, `kinds` the kinds of thing, `people` and
    `sections` those that it names (sections as (source id, label); `place_terms` are the terms that name them),
    `holders` the people whose view it asks for; `named` is the rarest term of the name of another; `said` is what was
    answered before, which is left out where it asks for `more`; `looked_at` what the index has compared so far, by row,
    so that two stages don't do it twice.
    """

    text: str
    asked: str
    terms: tuple[str, ...]
    weighted_terms: tuple[tuple[tuple[str, ...], float], ...]
    vector: Vectors
    tokens: Vectors
    token_weights: Vectors
    token_words: tuple[str, ...] = ()
    intent: Intent = "answer"
    kinds: frozenset[Asked] = frozenset()
    people: tuple[str, ...] = ()
    sections: tuple[tuple[str, str], ...] = ()
    place_terms: frozenset[str] = frozenset()
    holders: tuple[str, ...] = ()
    named: str = ""
    said: str = ""
    more: bool = False
    looked_at: dict[int, tuple[Vectors, Vectors]] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence of a passage, scored against the question. `position` is its place in the sentences of
    its document; `tokens` is its likeness to the question token by token, `coverage` the share of the
    question's term weight that its paragraph holds, both in [0, 1]."""

    passage: Passage
    sentence: Sentence
    position: int
    text: str
    score: float
    tokens: float
    coverage: float

    def speaks_of(self, person: Person) -> bool:
        """Whether a person holds the sentence or is named in it."""
        return self.sentence.voice == person.name or any(form in self.text for form in person.forms)


@dataclass(frozen=True, slots=True)
class DraftSentence:
    """A sentence to be said and the evidence that it rests on; `support` is None where it is a quote of that, or
    `about` it: a known correction."""

    text: str
    evidence: tuple[Evidence, ...]
    form: Literal["prose", "item"] = "prose"
    support: Support | None = None
    about: bool = False


@dataclass(frozen=True, slots=True)
class Support:
    """How far passages bear a sentence out: 1 is word for word, 0 is not at all. Never "verified"."""

    label: SupportLabel
    score: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A known correction that concerns the cited place."""

    text: str
    status: Literal["confirmed", "inferred"]
    source_id: str
    source_title: str


@dataclass(frozen=True, slots=True)
class Citation:
    """A verbatim quote at an exact place: `document.text[start:end] == quote`, asserted where it is made."""

    number: int
    source_id: str
    source_title: str
    author: str
    url: str | None
    stance: Stance
    section: str
    section_title: str
    locator: str | None
    quote: str
    start: int
    end: int
    voice: str
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """One sentence of an answer and the numbers of the citations that it rests on."""

    text: str
    citations: tuple[int, ...] = ()
    voice: str = ""
    support: Support | None = None
    form: Literal["prose", "item"] = "prose"


def text_of(sentences: Sequence[AnswerSentence]) -> str:
    """Sentences as plain text with marks such as [1]; list items stand on lines of their own."""
    text = ""
    previous = "prose"
    for sentence in sentences:
        marks = "".join(f"[{number}]" for number in sentence.citations)
        weak = "(weakly supported)" if sentence.support and sentence.support.label == "weak" else ""
        piece = " ".join(filter(None, (sentence.text, marks, weak)))
        if sentence.form == "item":
            text += ("\n" if text else "") + f"- {piece}"
        else:
            text += ("\n\n" if previous == "item" else " " if text else "") + piece
        previous = sentence.form
    return text


@dataclass(frozen=True, slots=True)
class Answer:
    """What the engine gives for a question; see the README for each field.

    `mode` is "extractive" or the language model's name. `notice` is one line that a surface shows apart from the
    text: why this answer had to be made without the model that was asked for; else empty.
    """

    question: str
    standalone_question: str
    status: Status
    confidence: float
    sentences: tuple[AnswerSentence, ...] = ()
    citations: tuple[Citation, ...] = ()
    other_views: tuple[Citation, ...] = ()
    nearest: tuple[Citation, ...] = ()
    withheld: tuple[AnswerSentence, ...] = ()
    mode: str = "extractive"
    notice: str = ""
    timings: Mapping[str, float] = field(default_factory=dict)

    @property
    def abstained(self) -> bool:
        """Whether the sources don't say."""
        return self.status == "not_in_sources"

    @property
    def text(self) -> str:
        """The answer as plain text with marks such as [1]; list items stand on lines of their own."""
        return text_of(self.sentences)

    def to_dict(self) -> dict[str, Any]:
        """The answer as JSON types; the same object on every surface."""
        return {
            "text": self.text,
            "abstained": self.abstained,
            **asdict(self),
            "timings": dict(self.timings),
        }
