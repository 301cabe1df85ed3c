"""Standalone question -> candidates: passages near in meaning and in words, seen with their neighbours.

A passage is scored by three things, all in [0, 1] or nearly so, so that they add up without statistics of the
query:

- the cosine of passage and question;
- the share of the question's BM25 weight that the passage earns, words that are nowhere included: a share of
  the best passage's score instead would give full marks to a passage that shares one poor word;
- for the best by these two, their likeness token by token, which finds a fact in a passage about something else.

The sum counts twice: once by itself, and once at its best around the passage in its section (a soft maximum that
fades with distance). A passage in the middle of what was asked about often names it by "it", above all where
people talk.

The weights and what each part gains: docs/retrieval.md.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rag.datatypes import Query, Scope, ScoredPassage, Vectors
from rag.index import PassageIndex
from rag.onecore import one_core

CANDIDATES = 50
# Each search brings this many passages and only these are scored, so a large corpus costs little more.
_POOL = 100
# So many of them, the best by what is cheap, are compared token by token.
_LOOKED_AT = 40
_LEXICAL_WEIGHT = 0.7
_TOKEN_WEIGHT = 0.7
# Weights of the passages one, two, three and four places away; the passage itself has 1.
_NEIGHBOURS = (0.8, 0.6, 0.4, 0.2)
# How near the soft maximum comes to the hard one; their mean would punish the neighbours of a small good place.
_SHARPNESS = 16.0

# Among the first few, what a passage pays for each chosen one right before or after it.
_FIRST = 5
_FINE = 0.075


@one_core
def find_candidates(index: PassageIndex, query: Query, scope: Scope, k: int = CANDIDATES) -> list[ScoredPassage]:
    """Find the k best passages of the scope, best first; ties in the order of the corpus."""
    share = _lexical_share(index, query)
    rows = _pool(index, query.vector, share, scope, max(k, _POOL))
    around, weights = _neighbourhoods(index, rows)
    near, places = np.unique(around, return_inverse=True)
    places = places.reshape(around.shape)
    merit = index.passage_vectors(near) @ query.vector + _LEXICAL_WEIGHT * share[near]
    cheap = _score(merit[places], weights)
    looked_at = rows[np.lexsort((rows, -cheap))[:_LOOKED_AT]]
    likeness = index.likeness(looked_at, query)
    # A passage that isn't looked at has at most the least likeness of those that are.
    likely = np.full(len(near), likeness.min(initial=1.0), dtype=np.float32)
    likely[np.searchsorted(near, looked_at)] = likeness
    scores = _score((merit + _TOKEN_WEIGHT * likely)[places], weights)
    order, falling = _order(index, rows, scores)
    return [
        ScoredPassage(index.passage(int(row)), float(score))
        for row, score in zip(rows[order[:k]], falling[:k], strict=True)
    ]


def _score(merit: NDArray[np.float32], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half what a passage merits by itself, half the best around it; the passage stands in the middle column."""
    around = np.log((weights * np.exp(_SHARPNESS * merit)).sum(axis=1) / weights.sum(axis=1)) / _SHARPNESS
    return np.asarray((merit[:, len(_NEIGHBOURS)] + around) / 2, dtype=np.float64)


def _order(
    index: PassageIndex, rows: NDArray[np.int64], scores: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Positions in `rows`, best first, and scores that never rise. Among the first few a passage right beside
    one already chosen pays a fine: when the best place is the wrong one, its neighbours are wrong as well."""
    fined = scores.copy()
    first: list[int] = []
    earned: list[float] = []
    for _ in range(min(_FIRST, len(rows))):
        best = int(np.argmax(fined))
        first.append(best)
        earned.append(fined[best])
        beside = (np.abs(rows - rows[best]) == 1) & index.same_section(rows, rows[[best]])
        fined[beside] -= _FINE
        fined[best] = -np.inf
    rest = [i for i in np.lexsort((rows, -scores)) if i not in first]
    falling = np.minimum.accumulate(np.array([*earned, *scores[rest]]))
    return np.array([*first, *rest], dtype=np.int64), falling


def _lexical_share(index: PassageIndex, query: Query) -> NDArray[np.float32]:
    """What each passage earns of the BM25 that the question could earn, in [0, 1]."""
    total = np.zeros(len(index), dtype=np.float32)
    for terms, weight in query.weighted_terms:
        most = index.weigh_terms(terms)
        if most > 0:
            total += np.float32(weight / most) * index.score_lexical(terms)
    return total


def _pool(
    index: PassageIndex, vector: Vectors, share: NDArray[np.float32], scope: Scope, size: int
) -> NDArray[np.int64]:
    """Rows that either search puts among its best, in the order of the corpus."""
    inside = index.rows(scope)
    if inside is not None:
        share = np.where(inside, share, 0.0)
    by_words = np.argpartition(-share, size)[:size] if size < len(share) else np.arange(len(share))
    by_meaning = [row for row, _ in index.search_dense(vector, size, scope)]
    return np.unique(np.concatenate([np.array(by_meaning, dtype=np.int64), by_words[share[by_words] > 0]]))


def _neighbourhoods(index: PassageIndex, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """For each row the rows around it, itself in the middle, and their weights; 0 where the section ends."""
    reach = len(_NEIGHBOURS)
    kernel = np.array([*reversed(_NEIGHBOURS), 1.0, *_NEIGHBOURS])
    around = rows[:, None] + np.arange(-reach, reach + 1)
    known = (around >= 0) & (around < len(index))
    around = np.where(known, around, rows[:, None])
    return around, kernel * (known & index.same_section(around, rows[:, None]))
