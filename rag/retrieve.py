"""Standalone question -> candidates: passages near in meaning and in words, fused."""

from __future__ import annotations

import numpy as np

from rag.datatypes import Query, Scope, ScoredPassage
from rag.index import PassageIndex

CANDIDATES = 50
_LEXICAL_WEIGHT = 0.5


def find_candidates(index: PassageIndex, query: Query, scope: Scope, k: int = CANDIDATES) -> list[ScoredPassage]:
    """The k best passages of the scope, best first; ties in the order of the corpus.

    The score is the cosine plus half of BM25 relative to the best passage's, so both searches count and
    neither needs the other.
    """
    inside = index.rows(scope)
    lexical = index.score_lexical(query.terms)
    if inside is not None:
        lexical = np.where(inside, lexical, 0.0)
    top = float(lexical.max(initial=0.0))
    dense = dict(index.search_dense(query.vector, k, scope))
    by_words = np.argsort(-lexical, kind="stable")[:k]
    rows = list(dict.fromkeys([*dense, *(int(row) for row in by_words if lexical[row] > 0)]))
    # A passage that only words found has a cosine below the last one that meaning found.
    floor = min(dense.values(), default=0.0)
    scored = [
        (dense.get(row, floor) + _LEXICAL_WEIGHT * (float(lexical[row]) / top if top else 0.0), row) for row in rows
    ]
    scored.sort(key=lambda pair: (-pair[0], pair[1]))
    return [ScoredPassage(index.passage(row), score) for score, row in scored[:k]]
