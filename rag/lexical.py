"""What is found by its words: passages by BM25, headings by their terms."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Self

import bm25s
import numpy as np
from numpy.typing import NDArray

from rag.terms import terms


class LexicalIndex:
    """BM25 over the passages of a build, memory-mapped."""

    def __init__(self, bm25: bm25s.BM25) -> None:
        self._bm25 = bm25
        # Plain arrays over the same memory: numpy's class for mapped ones takes a microsecond for every slice.
        scores = bm25.scores = {
            name: np.asarray(value) if isinstance(value, np.ndarray) else value for name, value in bm25.scores.items()
        }
        self._postings: tuple[NDArray[np.int64], NDArray[np.int64]] = (scores["indices"], scores["indptr"])
        self._vocabulary: dict[str, int] = bm25.vocab_dict
        self._passages = int(scores["num_docs"])

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Map the files. Raises OSError, ValueError or KeyError where one is missing or damaged."""
        return cls(bm25s.BM25.load(str(folder), mmap=True))

    def score(self, query: Sequence[str]) -> NDArray[np.float32]:
        """BM25 of every passage for the terms of a query, shape (passages,)."""
        known = [term for term in query if term in self._vocabulary]
        if not known:
            return np.zeros(self._passages, dtype=np.float32)
        scores: NDArray[np.float32] = self._bm25.get_scores(known)
        return scores

    def weigh(self, query: Sequence[str]) -> float:
        """The BM25 that a passage would have which held every term without end; no passage has more."""
        n = self._passages
        found = (len(self.passages_with(term)) for term in query)
        return sum(math.log1p((n - df + 0.5) / (df + 0.5)) for df in found)

    def rarity(self, query: Sequence[str]) -> dict[str, float]:
        """Inverse document frequency of each term over the whole index: log(1 + passages / df)."""
        n = self._passages
        return {term: float(np.log1p(n / max(1, len(self.passages_with(term))))) for term in query}

    @cached_property
    def by_letter(self) -> dict[str, list[str]]:
        """The terms by their first letters; made when they are first looked at."""
        found: dict[str, list[str]] = {}
        for term in self._vocabulary:
            found.setdefault(term[:1], []).append(term)
        return found

    def passages_with(self, term: str) -> NDArray[np.int64]:
        """Rows of the passages that hold a term; its length is the document frequency."""
        token = self._vocabulary.get(term)
        indices, starts = self._postings
        return indices[:0] if token is None else indices[starts[token] : starts[token + 1]]


def write_lexical(folder: Path, texts: Iterable[str]) -> None:
    """Write the BM25 of texts, one row each."""
    # A passage without any term (only stop words) still needs a row of its own, so it gets an empty term.
    tokens = [terms(text) or [""] for text in texts]
    retriever = bm25s.BM25(k1=1.2, b=0.75)
    retriever.index(tokens, show_progress=False)
    retriever.save(str(folder))


class Headings:
    """(source id, label) of every section in the order of the corpus, found by the terms of the label."""

    def __init__(self, all_headings: Sequence[tuple[str, str]]) -> None:
        self._all = all_headings
        holding: dict[str, list[int]] = {}
        self._sizes = np.zeros(len(all_headings), dtype=np.int64)
        for n, (_, label) in enumerate(all_headings):
            held = set(terms(label))
            self._sizes[n] = len(held)
            for term in held:
                holding.setdefault(term, []).append(n)
        self._holding = {term: np.array(found, dtype=np.int64) for term, found in holding.items()}

    def holding(self, term: str) -> list[tuple[str, str]]:
        """The headings that hold a term."""
        return [self._all[int(n)] for n in self._holding.get(term, ())]

    def holding_both(self, one: str, other: str) -> list[tuple[str, str]]:
        """The headings that hold two terms."""
        none: list[int] = []
        both = np.intersect1d(self._holding.get(one, none), self._holding.get(other, none))
        return [self._all[int(n)] for n in both]

    def made_of(self, words: Iterable[str]) -> list[tuple[str, str]]:
        """The headings all of whose terms are among those given."""
        found = [self._holding[term] for term in set(words) if term in self._holding]
        if not found:
            return []
        held = np.bincount(np.concatenate(found), minlength=len(self._all))
        return [self._all[int(n)] for n in np.flatnonzero((held == self._sizes) & (held > 0))]
