"""Candidates -> ranked evidence: every sentence of the best passages, scored against the question.

The score is the logit of a logistic regression over features that can be named. It was fitted on the
questions set aside for tuning (`python -m evals.fit`); evals/results/ has the ablation.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    # Nor this: "when did ...?" is hardly answered without a time.
    "demanded": 1.5,
}


# A cross-encoder sees this many sentences; a deviation of its score counts as much as this in logits. Not fitted: none
# comes with the product.
_RATED, _SAY = 30, 1.5

# Not fitted: a turn that leans on the conversation asks for something new (in logits).
_SAID_BEFORE = 1.5


@one_core
def rank_evidence(index: PassageIndex, query: Query, candidates: Sequence[ScoredPassage]) -> list[Evidence]:
    """Sentences of the best candidates, best first; ties in the order of the corpus."""
    ranked: list[Evidence] = []
    weights = weigh(index, query)
    best = candidates[:DEPTH]
    likeness = index.sentence_likeness([candidate.passage for candidate in best], query)
    for candidate, tokens in zip(best, likeness, strict=True):
        sentences, values = features(index, query, candidate, weights, tokens)
        scores = np.sum([weight * values[name] for name, weight in WEIGHTS.items()], axis=0)
        for n, (position, sentence, text) in enumerate(sentences):
            ranked.append(
                Evidence(
                    passage=candidate.passage,
                    sentence=sentence,
                    position=position,
                    text=text,
                    score=float(scores[n]) - _SAID_BEFORE * (text in query.said),
                    tokens=float(values["tokens"][n]),
                    coverage=float(values["paragraph_coverage"][n]),
                )
            )
    ranked.sort(key=lambda e: (-e.score, e.passage.row, e.position))
    return ranked


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
    """The weight of each term: how rare it is, times the share of the turn or of what it leans on."""
    weights: dict[str, float] = {}
    for group, share in query.weighted_terms:
        for term, rarity in index.term_weights(group).items():
            weights[term] = max(weights.get(term, 0.0), rarity * share)
    return weights


def features(
    index: PassageIndex,
    query: Query,
    candidate: ScoredPassage,
    weights: dict[str, float],
    tokens: NDArray[np.float32],
) -> tuple[list[tuple[int, Sentence, str]], dict[str, NDArray[np.float32]]]:
    """The sentences of a candidate as (position, sentence, text), and the features of each by name; `tokens` is
    their likeness to the question token by token."""
    passage = candidate.passage
    document = index.corpus.documents[passage.source_id]
    sentences = [
        (n, document.sentences[n], document.text[document.sentences[n].start : document.sentences[n].end])
        for n in range(*passage.sentences)
    ]
    paragraphs = [sentence.paragraph for _, sentence, _ in sentences]
    best: dict[int, float] = {}
    covered: dict[int, set[str]] = {}
    for paragraph, value, (_, _, text) in zip(paragraphs, tokens, sentences, strict=True):
        best[paragraph] = max(best.get(paragraph, -1.0), float(value))
        covered.setdefault(paragraph, set()).update(_term_set(text) & weights.keys())
    total = sum(weights.values()) or 1.0
    coverage = {paragraph: sum(weights[term] for term in found) / total for paragraph, found in covered.items()}
    n = len(sentences)
    held = demanded(query.asked)
    values = {
        "tokens": tokens,
        "paragraph_tokens": [best[paragraph] for paragraph in paragraphs],
        "previous_tokens": [0.0, *tokens[:-1]],
        "paragraph_coverage": [coverage[paragraph] for paragraph in paragraphs],
        "question": [text.rstrip("”\"'").endswith("?") for _, _, text in sentences],
        "short": [text.count(" ") < 5 for _, _, text in sentences],
        "quote": [sentence.kind == "quote" for _, sentence, _ in sentences],
        "checked_row": [query.intent == "check" and sentence.kind == "row" for _, sentence, _ in sentences],
        "kind": [share_held(text, query.kinds) for _, _, text in sentences],
        "demanded": [held is not None and held(text) for _, _, text in sentences],
        "section_named": [(passage.source_id, passage.section) in query.sections] * n,
        "holder": [sentence.voice in query.holders for _, sentence, _ in sentences],
        "main": [_is_main(index, query, passage)] * n,
    }
    return sentences, {name: np.asarray(column, dtype=np.float32) for name, column in values.items()}


def _is_main(index: PassageIndex, query: Query, passage: Passage) -> bool:
    """Whether a passage is of the text that the others bear on, in a question that asks for nobody else's view."""
    main = index.corpus.main
    others = {person.name for person in index.corpus.people if person.role not in ("guest", "host")}
    return (
        main is not None
        and passage.source_id == main.id
        and query.intent != "views"
        and not others.intersection(query.people)
    )


@lru_cache(maxsize=65_536)
def _term_set(text: str) -> frozenset[str]:
    return frozenset(terms(text))
