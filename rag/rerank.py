"""Candidates -> ranked evidence: every sentence of the best passages, scored against the question.

The score is the logit of a logistic regression over features that can be named. It was fitted on the
questions set aside for tuning (`python -m evals.fit`); evals/results/ has the ablation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rag.asked import defined, demanded, names_topic, share_held
from rag.datatypes import Evidence, Query, Reranker, ScoredPassage
from rag.index import PassageIndex
from rag.intent import without_checking
from rag.lines import FEATURES, Lines
from rag.onecore import one_core
from rag.terms import term_set, terms

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
    # Nor this: what something is, is best said by a sentence about it.
    "defines": 2.0,
    # Nor this: "Superintelligence Labs" is a firm, and not what is asked.
    "of_a_firm": -3.0,
    # Nor this: who asks for one Daniel isn't answered with another.
    "named": 3.0,
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
_VERBS = "is are was were means refers serves lets helps describes consists proposes holds".split()
_PREDICATES = (*(f" {verb}" for verb in _VERBS), ", ", "”")
_DENIES = (" is not ", " are not ", " isn")
_FIRM = re.compile(
    r"\b[A-Z][\w-]+ (?:Labs?|Institute|Foundation|Cent(?:er|re)|Group|Inc|Corp|University|Ventures|Capital)\b"
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
    lines = [index.lines(candidate.passage.row) for candidate in best]
    values = features(index, query, lines, tokens)
    matrix = np.stack([values[name] for name in WEIGHTS])
    scores = (np.fromiter(WEIGHTS.values(), np.float32) @ matrix).tolist()
    found = zip(scores, tokens.tolist(), values["paragraph_coverage"].tolist(), strict=True)
    ranked = [
        Evidence(read.passage, sentence, position, text, *next(found))
        for read in lines
        for position, sentence, text in zip(range(*read.passage.sentences), read.sentences, read.texts, strict=True)
    ]
    if query.more:
        ranked = [e for e in ranked if _wording(index, e) not in query.said]
    # Who asks for a number or a date wants it, said or not.
    if query.said and demanded(query.asked) is None:
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
    index: PassageIndex, query: Query, lines: Sequence[Lines], tokens: NDArray[np.float32]
) -> dict[str, NDArray[np.float32]]:
    """The features of the sentences of passages by name, an array of shape (sentences,) each; `tokens` is their
    likeness to the question token by token."""
    sentences = [sentence for read in lines for sentence in read.sentences]
    texts = [text for read in lines for text in read.texts]
    counts = [len(read.texts) for read in lines]
    begins = np.cumsum(counts, dtype=np.int64) - counts
    main, named = _main_source(index, query), set(query.sections)
    of_main = [read.passage.source_id == main for read in lines]
    in_named = [(read.passage.source_id, read.passage.section) in named for read in lines]
    nothing = [0.0] * len(sentences)
    check, holders, held = query.intent == "check", query.holders, demanded(query.asked)
    previous = np.roll(tokens, 1)
    previous[begins] = 0.0
    columns = {
        "tokens": tokens,
        "previous_tokens": previous,
        "checked_row": [sentence.kind == "row" for sentence in sentences] if check else nothing,
        "kind": [share_held(text, query.kinds) for text in texts] if query.kinds else nothing,
        "demanded": [held(text) for text in texts] if held is not None else nothing,
        "defines": _defines(defined(query.asked), texts) or nothing,
        "of_a_firm": _of_a_firm(query, texts) or nothing,
        "named": [query.named in term_set(text) for text in texts] if query.named else nothing,
        "of_its_sources": _of_its_sources(query, lines) or nothing,
        "section_named": np.repeat(in_named, counts),
        "holder": [sentence.voice in holders for sentence in sentences] if holders else nothing,
        "main": np.repeat(of_main, counts),
        **_by_paragraph(lines, begins, tokens, weigh(index, query)),
        **dict(zip(FEATURES, np.concatenate([read.features for read in lines], axis=1), strict=True)),
    }
    return {name: np.asarray(column, dtype=np.float32) for name, column in columns.items()}


def _of_its_sources(query: Query, lines: Sequence[Lines]) -> list[bool]:
    """For each sentence whether it tells how its text came by what it says; empty where none does, or that is asked."""
    aside = [bool(_BACK_MATTER.search(read.passage.section)) for read in lines]
    if not any(aside) or _ASKS_FOR_IT.search(query.asked):
        return []
    told = zip(aside, lines, strict=True)
    return [back and bool(_OF_ITS_SOURCES.search(text)) for back, read in told for text in read.texts]


def _of_a_firm(query: Query, texts: Sequence[str]) -> list[bool]:
    """For each sentence whether a word of the question stands in it as part of a firm's name alone, which the question
    doesn't name; empty where none does."""
    asked, wanted = query.asked.lower(), set(terms(query.asked))
    found = [[hit[0] for hit in _FIRM.finditer(text) if hit[0].lower() not in asked] for text in texts]
    if not any(found):
        return []

    def lost(text: str, firms: Sequence[str]) -> bool:
        kept = text
        for firm in firms:
            kept = kept.replace(firm, " ")
        return not wanted.isdisjoint(term_set(text) - term_set(kept))

    return [bool(firms) and lost(text, firms) for text, firms in zip(texts, found, strict=True)]


def _defines(topic: str | None, texts: Sequence[str]) -> list[float]:
    """For each sentence 1 if its subject is what is to be defined, half if it has it at all; empty where nothing is."""
    if topic is None:
        return []
    heads = tuple(article + topic.lower() for article in ("", "a ", "an ", "the "))
    subjects = tuple(head + verb for head in heads for verb in _PREDICATES)
    denied = tuple(head + verb for head in heads for verb in _DENIES)
    bare = [text.lower().lstrip("“\"'‘") for text in texts]
    begins = [text.startswith(subjects) and not text.startswith(denied) for text in bare]
    return [1.0 if b else 0.5 * names_topic(topic, text) for b, text in zip(begins, texts, strict=True)]


def _by_paragraph(
    lines: Sequence[Lines], begins: NDArray[np.int64], tokens: NDArray[np.float32], weights: dict[str, float]
) -> dict[str, NDArray[np.float32]]:
    """For each sentence what the part of its paragraph in its passage has: the best likeness, and the share of the
    terms' weight. `begins` is where each passage begins among the sentences."""
    places = _places(lines, begins)
    counts = np.diff(places, append=len(tokens))
    return {
        "paragraph_tokens": np.repeat(np.maximum.reduceat(tokens, places), counts),
        "paragraph_coverage": np.repeat(np.array(_covered(lines, weights), dtype=np.float32), counts),
    }


def paragraph_coverage(index: PassageIndex, query: Query, lines: Sequence[Lines]) -> NDArray[np.float32]:
    """The share of the question's term weight that the part of each sentence's paragraph in its passage holds, shape
    (sentences,)."""
    counts = [len(read.texts) for read in lines]
    places = _places(lines, np.cumsum(counts, dtype=np.int64) - counts)
    shares = np.array(_covered(lines, weigh(index, query)), dtype=np.float32)
    return np.repeat(shares, np.diff(places, append=sum(counts)))


def _places(lines: Sequence[Lines], begins: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where the part of each paragraph in its passage begins among the sentences of all passages."""
    return np.concatenate([read.paragraphs + begin for read, begin in zip(lines, begins.tolist(), strict=True)])


def _covered(lines: Sequence[Lines], weights: dict[str, float]) -> list[float]:
    """For each of those parts, the share of the terms' weight that it holds."""
    wanted = frozenset(weights)
    total = sum(weights.values()) or 1.0
    return [sum(weights[term] for term in wanted & terms) / total for read in lines for terms in read.terms]


def _main_source(index: PassageIndex, query: Query) -> str | None:
    """The source that the others bear on, in a question that asks for nobody else's view."""
    others = {person.name for person in index.corpus.people if person.role not in ("guest", "host")}
    asks_for_others = query.intent == "views" or bool(others.intersection(query.people))
    return None if index.corpus.main is None or asks_for_others else index.corpus.main.id
