"""The open index: the passages of a corpus by meaning, by words and by their place."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from corpus import Corpus
from rag.datatypes import Evidence, Passage, Query, Scope, Vectors
from rag.errors import DenseUnavailable, IndexMismatch
from rag.folder import BM25, CHROMA, TABLE, Meta, Reading, check_build
from rag.lexical import Headings, LexicalIndex
from rag.lines import Lines, read_lines
from rag.vectors import QUANTA, VectorStore, mapped

if TYPE_CHECKING:
    from rag.chroma import DenseIndex

# So many passages are looked through one by one: exact, in a millisecond, and without Chroma's import at the start.
_FEW = 10_000
# So many passages that were looked at stay read: some ten megabytes.
_KEPT = 2_048


@dataclass(frozen=True)
class Parts:
    """What a build holds, open."""

    dense: DenseIndex | None
    lexical: LexicalIndex
    table: NDArray[np.void]
    vectors: VectorStore

    @classmethod
    def open(cls, build: Path, dense: DenseIndex | None = None) -> Self:
        """Open the files of a build; `dense` is a server's. Raises IndexMismatch where one can't be read."""
        try:
            lexical = LexicalIndex.open(build / BM25)
            table = mapped(build / TABLE)
            vectors = VectorStore.open(build)
        except (OSError, ValueError, KeyError) as error:
            raise IndexMismatch(
                f"the index build {build} can't be opened ({str(error)[:160]}); run: verse ingest --rebuild"
            ) from None
        if dense is None and len(table) > _FEW:
            from rag.chroma import DenseIndex  # noqa: PLC0415 -- half a second that few passages don't need

            # A folder or a disk that can't be written, such as a read-only one, is searched without Chroma.
            with contextlib.suppress(DenseUnavailable):
                dense = DenseIndex.open(build / CHROMA)
        return cls(dense, lexical, table, vectors)


class PassageIndex:
    """The passages of a corpus, searchable by meaning and by words. Safe to use from many threads."""

    def __init__(self, corpus: Corpus, reading: Reading, parts: Parts) -> None:
        self.corpus = corpus
        self.meta = reading.meta
        self.build = reading.build
        self._reading = reading
        self._dense, self._lexical = parts.dense, parts.lexical
        self._table, self._store = parts.table, parts.vectors
        self._source_numbers = {source: n for n, source in enumerate(self.meta.sources)}
        # The passage in a row of the table, and its sentences.
        self.passage, self.lines = _readers(corpus, self.meta, self._table)

    @classmethod
    def open(cls, folder: Path, corpus: Corpus, model: str, dense: DenseIndex | None = None) -> PassageIndex:
        """Open the serving build, with a server's passages where they lie on one. Raises IndexMissing, or
        IndexMismatch naming what differs."""
        reading = Reading.begin(folder)
        try:
            cls._check(folder, reading, corpus, model)
            return cls(corpus, reading, Parts.open(reading.build, dense))
        except BaseException:
            reading.close()
            raise

    @staticmethod
    def _check(folder: Path, reading: Reading, corpus: Corpus, model: str) -> None:
        """That a build is what is asked for and undamaged. Raises IndexMismatch."""
        meta = reading.meta
        if meta.model != model:
            raise IndexMismatch(
                f"the index at {str(folder)!r} was built with the model {meta.model!r}, settings ask for "
                f"{model!r}; run: verse ingest --model {model}"
            )
        if meta.corpus != corpus.hash:
            raise IndexMismatch(
                f"the index at {str(folder)!r} was built from another corpus, or from this one before it was "
                "changed; run: verse ingest"
            )
        check_build(reading.build, meta)

    def rows(self, scope: Scope) -> NDArray[np.bool_] | None:
        """Which passages lie in a scope; None means all of them."""
        if not scope.sources and not scope.sections:
            return None
        inside = np.ones(len(self._table), dtype=np.bool_)
        if scope.sources:
            numbers = [self._source_numbers[s] for s in scope.sources if s in self._source_numbers]
            inside &= np.isin(self._table["source"], numbers)
        if scope.sections:
            labels = [n for n, (label, _) in enumerate(self.meta.sections) if label in scope.sections]
            inside &= np.isin(self._table["section"], labels)
        return inside

    def search_dense(self, vector: Vectors, k: int, scope: Scope) -> list[tuple[int, float]]:
        """(row, cosine) of the k passages nearest in meaning, best first."""
        inside = self.rows(scope)
        few = inside is not None and np.count_nonzero(inside) <= _FEW
        if self._dense is not None and not few:
            with contextlib.suppress(DenseUnavailable):
                return self._dense.search(vector, k, scope)
        return self._search_exactly(vector, k, inside)

    def _search_exactly(self, vector: Vectors, k: int, inside: NDArray[np.bool_] | None) -> list[tuple[int, float]]:
        """The same from our own copy of the vectors: for a small corpus, for a narrow scope, where Chroma's graph would
        be searched in vain for what lies inside, and for when Chroma can't serve."""
        rows = np.arange(len(self)) if inside is None else np.flatnonzero(inside)
        cosines = self._store.passages @ vector if inside is None else self._store.passages[rows] @ vector
        best = np.lexsort((rows, -cosines))[:k]
        return [(int(rows[n]), float(cosines[n])) for n in best]

    def score_lexical(self, query: Sequence[str]) -> NDArray[np.float32]:
        """BM25 of every passage for the terms of a query, shape (passages,)."""
        return self._lexical.score(query)

    def weigh_terms(self, query: Sequence[str]) -> float:
        """The BM25 that a passage would have which held every term without end; no passage has more."""
        return self._lexical.weigh(query)

    def passages_with(self, term: str) -> NDArray[np.int64]:
        """Rows of the passages that hold a term; its length is the document frequency."""
        return self._lexical.passages_with(term)

    def terms_like(self, letter: str, shortest: int, longest: int) -> list[str]:
        """The terms that begin with a letter and have a length from `shortest` to `longest`."""
        return [term for term in self._lexical.by_letter.get(letter, ()) if shortest <= len(term) <= longest]

    def passages_of(self, source_id: str, label: str) -> list[Passage]:
        """The passages of one section, in order."""
        first, last = self.rows_of(source_id)
        sections = self._table["section"][first:last].tolist()
        return [self.passage(first + n) for n, place in enumerate(sections) if self.meta.sections[place][0] == label]

    def rows_in(self, places: Sequence[tuple[str, str]]) -> set[int]:
        """Rows of the passages of sections, given as (source id, label)."""
        return {passage.row for place in places for passage in self.passages_of(*place)}

    def sections_of(self, source_id: str) -> list[str]:
        """Labels of the sections of a source, in its order."""
        first, last = self.rows_of(source_id)
        return [self.meta.sections[n][0] for n in dict.fromkeys(self._table["section"][first:last].tolist())]

    def rows_of(self, source_id: str) -> tuple[int, int]:
        """First row and last row + 1 of a source; the table is in the order of the sources."""
        number = self._source_numbers[source_id]
        first, last = np.searchsorted(self._table["source"], [number, number + 1])
        return int(first), int(last)

    @cached_property
    def headings(self) -> Headings:
        """The headings of all sections, by their terms; made when they are first looked at."""
        pairs = dict.fromkeys(zip(self._table["source"].tolist(), self._table["section"].tolist(), strict=True))
        return Headings([(self.meta.sources[source], self.meta.sections[place][0]) for source, place in pairs])

    def term_weights(self, query: Sequence[str]) -> dict[str, float]:
        """Inverse document frequency of each term over the whole index: log(1 + passages / df)."""
        return self._lexical.rarity(query)

    def passage_vectors(self, rows: NDArray[np.int64]) -> Vectors:
        """Unit vectors of passages with their titles, shape (rows, dimension)."""
        return np.asarray(self._store.passages[rows])

    def likeness(self, rows: NDArray[np.int64], query: Query) -> NDArray[np.float32]:
        """How like a question passages are token by token, shape (rows,): the mean over the question's tokens
        of the best cosine with any of the passage's (MaxSim; ColBERT, Khattab and Zaharia 2020). With a model
        that doesn't show its tokens, the cosine of the best sentence."""
        if not len(query.tokens):
            sentences = [self._store.sentences_of(int(row)) @ query.vector for row in rows]
            return np.array([cosines.max() for cosines in sentences], dtype=np.float32)
        self._look_at([int(row) for row in rows], query)
        best = np.array([query.looked_at[int(row)][1] for row in rows]).reshape(-1, len(query.tokens))
        return _weighed(best, query)

    def sentence_likeness(self, passages: Sequence[Passage], query: Query) -> list[NDArray[np.float32]]:
        """The same for each sentence of passages, an array each of shape (sentences,)."""
        if not len(query.tokens):
            return [self._store.sentences_of(passage.row) @ query.vector for passage in passages]
        self._look_at([passage.row for passage in passages], query)
        return [_weighed(query.looked_at[passage.row][0], query) for passage in passages]

    def _look_at(self, rows: Sequence[int], query: Query) -> None:
        """Note the best cosine of each of the question's tokens with any token of each sentence, shape
        (sentences, question tokens), and of the passage, shape (question tokens,). One pass over all rows."""
        rows = [row for row in rows if row not in query.looked_at]
        if not rows:
            return
        store = self._store
        first, last = store.first_sentences[rows], store.first_sentences[np.add(rows, 1)]
        counts = last - first
        # The sentences of all rows, one after the other, and where each row's begin among them.
        begins = np.cumsum(counts) - counts
        sentences = np.arange(counts.sum()) + np.repeat(first - begins, counts)
        lengths = store.first_tokens[sentences + 1] - store.first_tokens[sentences]
        best = np.zeros((len(lengths), len(query.tokens)), dtype=np.float32)
        filled = np.flatnonzero(lengths)
        if len(filled):
            ends = zip(store.first_tokens[first].tolist(), store.first_tokens[last].tolist(), strict=True)
            sketches = np.concatenate([store.tokens[start:end] for start, end in ends])
            pairs = sketches.astype(np.float32) @ query.tokens.T
            best[filled] = np.maximum.reduceat(pairs, (np.cumsum(lengths) - lengths)[filled], axis=0) / QUANTA
        # A sentence past the encoder's window has no tokens, and no say in what its passage is like.
        heard = np.where(lengths[:, None] > 0, best, -np.inf)
        whole = np.maximum.reduceat(heard, begins, axis=0)
        whole[np.isneginf(whole)] = 0.0
        for n, (row, begin, count) in enumerate(zip(rows, begins.tolist(), counts.tolist(), strict=True)):
            query.looked_at[row] = (best[begin : begin + count], whole[n])

    def same_section(self, rows: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether passages lie in one section of one source, position by position."""
        a, b = self._table[rows], self._table[others]
        same: NDArray[np.bool_] = (a["source"] == b["source"]) & (a["section"] == b["section"])
        return same

    def sentences_in(self, passage: Passage) -> Iterator[Evidence]:
        """The sentences of a passage as evidence that nothing has scored."""
        lines = self.lines(passage.row)
        for n, sentence, text in zip(range(*passage.sentences), lines.sentences, lines.texts, strict=True):
            yield Evidence(passage, sentence, n, text, 0.0, 0.0, 0.0)

    def evidence_vectors(self, evidence: Sequence[Evidence]) -> Vectors:
        """Unit vectors of sentences, shape (sentences, dimension)."""
        return np.stack([self.sentence_vectors(e.passage)[e.position - e.passage.sentences[0]] for e in evidence])

    def sentence_vectors(self, passage: Passage) -> Vectors:
        """Unit vectors of a passage's sentences, shape (sentences, dimension)."""
        return self._store.sentences_of(passage.row)

    def __len__(self) -> int:
        return len(self._table)

    def close(self) -> None:
        """Let go of the files."""
        if self._dense is not None:
            self._dense.close()
        self._reading.close()


def _readers(
    corpus: Corpus, meta: Meta, table: NDArray[np.void]
) -> tuple[Callable[[int], Passage], Callable[[int], Lines]]:
    """What reads a passage of a row, and its sentences. They don't know the index, so that it goes as soon as nobody
    holds it."""

    @lru_cache(_KEPT)
    def passage(row: int) -> Passage:
        source, section, start, end, first, last = table[row].item()
        source_id = meta.sources[source]
        label, title = meta.sections[section]
        place = f"{source_id}:{start}-{end}"
        text = corpus.text(source_id)[start:end]
        return Passage(place, source_id, label, title, start, end, text, int(row), (first, last))

    @lru_cache(_KEPT)
    def lines(row: int) -> Lines:
        found = passage(row)
        return read_lines(corpus.documents[found.source_id], found)

    return passage, lines


def _weighed(best: NDArray[np.float32], query: Query) -> NDArray[np.float32]:
    """The mean over the question's tokens, by their weights."""
    return np.asarray(best @ query.token_weights / (query.token_weights.sum() or 1.0), dtype=np.float32)
