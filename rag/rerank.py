"""Candidates -> ranked evidence: every sentence of the best passages, scored against the question.

The score is the logit of a logistic regression over features that can be named. It was fitted on the
questions set aside for tuning (`python -m evals.fit`); evals/results/ has the ablation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from corpus import Sentence
from rag.asked import demanded, share_held
from rag.datatypes import Evidence, Passage, Query, Reranker, ScoredPassage
from rag.index import PassageIndex
from rag.onecore import one_core
from rag.terms import terms
from rag.understand import without_checking

# Sentences of this many passages are looked at.
DEPTH = 40

WEIGHTS: dict[str, float] = {
    "tokens": 10.9,
    "paragraph_tokens": 4.6,
    "previous_tokens": 0.4,
    "paragraph_coverage": 5.1,
    "question": -0.4,
    "short": -1.2,
    "quote": 0.7,
    "checked_row": 3.1,
    "section_named": 4.2,
    "kind": 0.8,
    # Not fitted: where the sources compete, the text that they are about comes first.
    "main": 2.0,
    # Nor this: what somebody thinks is best said in sentences that are theirs.
    "holder": 1.0,
    # Nor this: how a text came by what it says is rarely what is asked.
    "of_its_sources": -2.0,
    # Nor this: "when did ...?" is hardly answered without a time.
    "demanded": 1.5,
}


# A cross-encoder sees this many sentences; a deviation of its score counts as much as this in logits. Not fitted: none
# comes with the product.
_RATED, _SAY = 30, 1.5

# Not fitted: a turn that leans on the conversation asks for something new (in logits).
_SAID_BEFORE = 3.0

_BACK_MATTER = re.compile(
    r"^(?:\W|\d)*(?:(?:notes? on )?(?:the )?sources|references|bibliography|acknowledge?ments?|provenance|colophon|"
    r"about (?:this|the) (?:text|document|page|summary)|(?:what is |open )?uncertain(?:ty|ties)?|"
    r"how (?:it|this|they) (?:was|were) (?:seen|made|read|checked|gathered))\W*$",
    re.IGNORECASE,
)
_OF_ITS_SOURCES = re.compile(
    r"\b(?:was|were|is|are) (?:not |never |only |partly )?(?:seen|read|located|checked|dated|tied|stored|listed)\b|"
    r"\bunchecked\b|\bwere\.$",
    re.IGNORECASE,
)
_ASKS_FOR_IT = re.compile(
    r"\b(?:seen|read|sources?|references?|\w*certain\w*|sure|reliab\w+|check\w*|verif\w+|quot\w+|verbatim|word\w*|exact\w*|"
    r"real|really|original|evidence|known|found|hearsay|secondary|dated?|when)\b",
    re.IGNORECASE,
)


@one_core
def rank_evidence(index: PassageIndex, query: Query, candidates: Sequence[ScoredPassage]) -> list[Evidence]:
    """Sentences of the best candidates, best first; ties in the order of the corpus."""
    best = candidates[:DEPTH]
    if not best:
        return []
    tokens = np.concatenate(index.sentence_likeness([candidate.passage for candidate in best], query))
    sentences, values = features(index, query, best, tokens)
    matrix = np.stack([values[name] for name in WEIGHTS])
    scores = np.fromiter(WEIGHTS.values(), np.float32) @ matrix
    coverage = values["paragraph_coverage"].tolist()
    ranked = [
        Evidence(passage, sentence, position, text, score, likeness, covered)
        for (passage, position, sentence, text), score, likeness, covered in zip(
            sentences, scores.tolist(), tokens.tolist(), coverage, strict=True
        )
    ]
    if query.said:
        ranked = [replace(e, score=e.score - _SAID_BEFORE) if _wording(index, e) in query.said else e for e in ranked]
    ranked.sort(key=lambda e: (-e.score, e.passage.row, e.position))
    return ranked


def _wording(index: PassageIndex, e: Evidence) -> str:
    """A sentence as it would have been said."""
    return index.corpus.documents[e.passage.source_id].wording(e.sentence) if e.sentence.kind == "row" else e.text


def rerank(query: Query, ranked: Sequence[Evidence], rate: Reranker) -> list[Evidence]:
    """The best evidence in an order that a cross-encoder has a say in: its scores, set to mean 0 and deviation 1,
    are added to the logits. The rest keeps its place."""
    best, rest = ranked[:_RATED], ranked[_RATED:]
    if not best:
        return []
    rated = rate(query.text, [e.text for e in best])
    standard = (rated - rated.mean()) / (rated.std() or 1.0)
    judged = [replace(e, score=e.score + _SAY * float(value)) for e, value in zip(best, standard, strict=True)]
    return [*sorted(judged, key=lambda e: (-e.score, e.passage.row, e.position)), *rest]


def weigh(index: PassageIndex, query: Query) -> dict[str, float]:
    """The weight of each term: how rare it is, times the share of the turn or of what it leans on;
    nothing for the words that ask whether something is so."""
    weights: dict[str, float] = {}
    topic = set(terms(without_checking(f"{query.text} {query.asked}"))) if query.intent == "check" else None
    for group, share in query.weighted_terms:
        told = group if topic is None else [term for term in group if term in topic]
        for term, rarity in index.term_weights(told).items():
            weights[term] = max(weights.get(term, 0.0), rarity * share)
    return weights


def features(
    index: PassageIndex, query: Query, candidates: Sequence[ScoredPassage], tokens: NDArray[np.float32]
) -> tuple[list[tuple[Passage, int, Sentence, str]], dict[str, NDArray[np.float32]]]:
    """The sentences of candidates as (passage, position, sentence, text), and their features by name, an array of
    shape (sentences,) each; `tokens` is their likeness to the question token by token."""
    sentences = list(_sentences(index, candidates))
    texts = [text for _, _, _, text in sentences]
    places = [(passage.row, sentence.paragraph) for passage, _, sentence, _ in sentences]
    likeness, coverage = _by_paragraph(places, texts, tokens.tolist(), weigh(index, query))
    first = [place[0] != before[0] for place, before in zip(places[1:], places, strict=False)]
    passages = [candidate.passage for candidate in candidates]
    main, named = _main_source(index, query), set(query.sections)
    of_main = {passage.row: passage.source_id == main for passage in passages}
    in_named = {passage.row: (passage.source_id, passage.section) in named for passage in passages}
    nothing = [0.0] * len(sentences)
    check, holders, held = query.intent == "check", query.holders, demanded(query.asked)
    columns = {
        "tokens": tokens,
        "paragraph_tokens": likeness,
        "previous_tokens": np.where([True, *first], 0.0, np.roll(tokens, 1)),
        "paragraph_coverage": coverage,
        "question": [text.rstrip("”\"'").endswith("?") for text in texts],
        "short": [text.count(" ") < 5 for text in texts],
        "quote": [sentence.kind == "quote" for _, _, sentence, _ in sentences],
        "checked_row": [check and sentence.kind == "row" for _, _, sentence, _ in sentences],
        "kind": [share_held(text, query.kinds) for text in texts] if query.kinds else nothing,
        "demanded": [held(text) for text in texts] if held is not None else nothing,
        "of_its_sources": _of_its_sources(query, passages, sentences) or nothing,
        "section_named": [in_named[passage.row] for passage, _, _, _ in sentences],
        "holder": [sentence.voice in holders for _, _, sentence, _ in sentences] if holders else nothing,
        "main": [of_main[passage.row] for passage, _, _, _ in sentences],
    }
    return sentences, {name: np.asarray(column, dtype=np.float32) for name, column in columns.items()}


def _sentences(
    index: PassageIndex, candidates: Sequence[ScoredPassage]
) -> Iterator[tuple[Passage, int, Sentence, str]]:
    for candidate in candidates:
        passage = candidate.passage
        document = index.corpus.documents[passage.source_id]
        for position in range(*passage.sentences):
            sentence = document.sentences[position]
            yield passage, position, sentence, document.text[sentence.start : sentence.end]


def _of_its_sources(
    query: Query, passages: Sequence[Passage], sentences: Sequence[tuple[Passage, int, Sentence, str]]
) -> list[bool]:
    """For each sentence whether it tells how its text came by what it says; empty where none does, or that is asked."""
    aside = {passage.row for passage in passages if _BACK_MATTER.search(passage.section)}
    if not aside or _ASKS_FOR_IT.search(query.asked):
        return []
    return [passage.row in aside and bool(_OF_ITS_SOURCES.search(text)) for passage, _, _, text in sentences]


def _by_paragraph(
    places: Sequence[tuple[int, int]], texts: Sequence[str], tokens: Sequence[float], weights: dict[str, float]
) -> tuple[list[float], list[float]]:
    """For each sentence what the part of its paragraph in its passage has: the best likeness, and the share of the
    terms' weight."""
    best: dict[tuple[int, int], float] = {}
    covered: dict[tuple[int, int], set[str]] = {}
    wanted = frozenset(weights)
    for place, value, text in zip(places, tokens, texts, strict=True):
        best[place] = max(best.get(place, -1.0), value)
        covered.setdefault(place, set()).update(_term_set(text) & wanted)
    total = sum(weights.values()) or 1.0
    coverage = {place: sum(weights[term] for term in found) / total for place, found in covered.items()}
    return [best[place] for place in places], [coverage[place] for place in places]


def _main_source(index: PassageIndex, query: Query) -> str | None:
    """The source that the others bear on, in a question that asks for nobody else's view."""
    others = {person.name for person in index.corpus.people if person.role not in ("guest", "host")}
    asks_for_others = query.intent == "views" or bool(others.intersection(query.people))
    return None if index.corpus.main is None or asks_for_others else index.corpus.main.id


@lru_cache(maxsize=65_536)
def _term_set(text: str) -> frozenset[str]:
    return frozenset(terms(text))
