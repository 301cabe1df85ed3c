"""Candidates -> ranked evidence: every sentence of the best passages, scored against the question."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rag.datatypes import Evidence, Query, ScoredPassage
from rag.index import PassageIndex
from rag.terms import terms

_PASSAGE_WEIGHT = 0.25
_LEXICAL_WEIGHT = 0.35


def rank_evidence(index: PassageIndex, query: Query, candidates: Sequence[ScoredPassage]) -> list[Evidence]:
    """Sentences of the candidates, best first."""
    weights = index.term_weights(query.terms)
    total = sum(weights.values()) or 1.0
    ranked: list[Evidence] = []
    for candidate in candidates:
        passage = candidate.passage
        document = index.corpus.documents[passage.source_id]
        cosines = index.sentence_vectors(passage) @ query.vector
        for offset, position in enumerate(range(*passage.sentences)):
            sentence = document.sentences[position]
            text = document.text[sentence.start : sentence.end]
            coverage = sum(weights.get(term, 0.0) for term in _term_set(text)) / total
            cosine = float(cosines[offset])
            score = cosine + _LEXICAL_WEIGHT * coverage + _PASSAGE_WEIGHT * candidate.score
            ranked.append(Evidence(passage, sentence, position, text, score, cosine, coverage))
    ranked.sort(key=lambda e: (-e.score, e.passage.row, e.position))
    return ranked


@lru_cache(maxsize=65_536)
def _term_set(text: str) -> frozenset[str]:
    return frozenset(terms(text))
