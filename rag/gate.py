"""The first gate: whether the sources answer this question at all."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rag.datatypes import Evidence, Query
from rag.index import PassageIndex

THRESHOLD = 0.5


def answerability(index: PassageIndex, query: Query, evidence: Sequence[Evidence]) -> float:
    """Probability in [0, 1] that the evidence answers the question: a logistic function of the best
    cosine and of how much of the question's term weight the best sentences hold. A first version, with
    weights set by eye; calibrated ones follow."""
    if not evidence:
        return 0.0
    if query.sections and query.intent in ("summary", "list"):
        return 1.0
    weights = index.term_weights(query.terms)
    total = sum(weights.values())
    absent = sum(w for term, w in weights.items() if not len(index.passages_with(term))) / total if total else 1.0
    cosine = max(e.tokens for e in evidence[:5])
    coverage = max(e.coverage for e in evidence[:5])
    return 1.0 / (1.0 + math.exp(-(9.0 * (cosine - 0.33) + 3.0 * coverage - 3.0 * absent)))
