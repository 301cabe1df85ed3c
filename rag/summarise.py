"""Sections -> the sentences that stand for them, from end to end: one a paragraph, the central ones first."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from corpus import Corpus
from rag.asked import without_speaker
from rag.datatypes import DraftSentence, Evidence, Query, Scope, Vectors
from rag.index import PassageIndex
from rag.intent import number_of_sentences, without_summary
from rag.terms import OF_TEXTS, content_terms, points_back, terms

# What a summary of the whole may be called beside a text.
_WHOLE = frozenset(
    terms(
        """entire whole full complete total short brief quick simple plain everything thing key main core gist reader
        minutes report memo letter transcript paper study book video lecture speech post blog thread file notes story
        message"""
    )
)
_MOST = 7
_MOST_SECTIONS = 12
_ROUNDS_OFF = re.compile(
    r"\b(?:takeaways?|summary|conclusions?|abstract|tl;?dr|key points|highlights|in short|main points)\b", re.IGNORECASE
)
# A paragraph's first sentence says what it is about more often than another; a question says nothing yet.
_LEADS, _ASKS, _QUOTES, _SHORT, _DANGLES, _ANNOUNCES = 0.25, 0.3, 0.05, 0.2, 0.6, 0.6
# A host welcomes, asks and repeats; what a talk says is said by others.
_HOSTS = 0.4


def has_topic(corpus: Corpus, query: Query) -> bool:
    """Whether a summary is to be of something in particular: neither of a text or its sections, nor of the guest."""
    guests = [p for p in corpus.people if p.name in query.people and p.role in ("guest", "host")]
    names = {term for person in guests for form in person.forms for term in terms(form)}
    return not query.sections and bool({*content_terms(without_summary(query.asked))} - OF_TEXTS - _WHOLE - names)


def summarise(index: PassageIndex, query: Query, scope: Scope) -> list[DraftSentence]:
    """The named sections in short; without a name those of the scope, or the section that rounds the text off,
    or every section. What lies outside the scope is not looked at."""
    most = number_of_sentences(query.asked)
    every = _sections(index, scope)
    rounding_off = [place for place in every if _ROUNDS_OFF.search(place[1])][:1]
    named = list(query.sections) or (every if scope.sections else rounding_off)
    if not named:
        each = max(1, (most or _MOST) // max(1, len(every)))
        leads = [_outline(index, source, label, query, each) for source, label in every]
        return [e for lead in leads for e in lead][: most or _MOST_SECTIONS]
    share = max(1, (most or _MOST) // len(named)) if len(named) > 1 else most or _MOST
    return [said for source, label in named for said in _outline(index, source, label, query, share)]


def _sections(index: PassageIndex, scope: Scope) -> list[tuple[str, str]]:
    """(source id, label) of the sections that may be summarised: those in scope of the first source that has any."""
    for source_id in scope.sources or (source.id for source in index.corpus.sources):
        labels = index.sections_of(source_id)
        if found := [(source_id, label) for label in labels if not scope.sections or label in scope.sections]:
            return found
    return []


def _outline(index: PassageIndex, source_id: str, label: str, query: Query, most: int) -> list[DraftSentence]:
    sentences, vectors = _section(index, source_id, label)
    if not sentences:
        return []
    kinds = {e.sentence.kind for e in sentences}
    if kinds <= {"item", "row"} or (kinds >= {"item"} and most > 1 and _mostly_items(sentences)):
        leads = [
            e for n, e in enumerate(sentences) if n == 0 or e.sentence.paragraph != sentences[n - 1].sentence.paragraph
        ]
        document = index.corpus.documents[source_id]
        return [
            DraftSentence(document.wording(e.sentence), (e,), "item")
            for e in leads[: max(most, len(leads)) if most == _MOST else most]
        ]
    values = worth(sentences, vectors, query)
    hosts = {person.name for person in index.corpus.people if person.role == "host"}
    values -= _HOSTS * np.array([e.sentence.voice in hosts for e in sentences])
    paragraphs = [e.sentence.paragraph for e in sentences]
    best = {p: max((n for n, q in enumerate(paragraphs) if q == p), key=lambda n: (values[n], -n)) for p in paragraphs}
    chosen = sorted(sorted(best.values(), key=lambda n: -values[n])[:most])
    return [DraftSentence(sentences[n].text, (sentences[n],)) for n in chosen]


def _mostly_items(sentences: Sequence[Evidence]) -> bool:
    return sum(e.sentence.kind == "item" for e in sentences) > len(sentences) / 2


def worth(sentences: Sequence[Evidence], vectors: Vectors, query: Query) -> NDArray[np.float32]:
    """Closeness to the middle of the section (centroid summarisation, Radev et al. 2004) and to what is asked."""
    middle = vectors.mean(axis=0)
    values = vectors @ middle / (np.linalg.norm(middle) or 1.0) + 0.3 * (vectors @ query.vector)
    for n, e in enumerate(sentences):
        text = without_speaker(e.text)
        first = n == 0 or sentences[n - 1].sentence.paragraph != e.sentence.paragraph
        values[n] += (
            _LEADS * first + _QUOTES * (e.sentence.kind == "quote") - _ASKS * e.text.rstrip("”\"'").endswith("?")
        )
        values[n] -= (
            _SHORT * ((text.count(" ") < 6) + 2 * (text.count(" ") < 3))
            + _DANGLES * points_back(text)
            + _ANNOUNCES * e.text.endswith(":")
        )
    return np.asarray(values, dtype=np.float32)


def _section(index: PassageIndex, source_id: str, label: str) -> tuple[list[Evidence], Vectors]:
    """All sentences of a section, unscored, and their vectors."""
    sentences: list[Evidence] = []
    vectors: list[Vectors] = []
    for passage in index.passages_of(source_id, label):
        vectors.append(index.sentence_vectors(passage))
        sentences += index.sentences_in(passage)
    return sentences, np.concatenate(vectors) if vectors else np.empty((0, 0), np.float32)
