"""Corpus -> the table of its passages, one row each, and what stands behind the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, overload

import numpy as np
from numpy.typing import NDArray

from corpus import Corpus
from rag.chroma import ChromaPassage
from rag.datatypes import Vectors
from rag.errors import IndexMissing
from rag.folder import PASSAGE
from rag.passages import split_document
from rag.vectors import PassageText


@dataclass(frozen=True)
class Layout:
    """The passages of a corpus. `table` has a row each, of the type PASSAGE."""

    corpus: Corpus
    sources: tuple[str, ...]
    sections: tuple[tuple[str, str], ...]
    table: NDArray[np.void]

    @classmethod
    def of(cls, corpus: Corpus) -> Self:
        """Raises IndexMissing when the corpus holds no sentence."""
        sources = tuple(source.id for source in corpus.sources)
        sections: dict[tuple[str, str], int] = {}
        rows: list[tuple[int, ...]] = []
        for number, source in enumerate(sources):
            document = corpus.documents[source]
            for first, last in split_document(document):
                section = document.section_by_label[document.sentences[first].section]
                place = sections.setdefault((section.label, section.title), len(sections))
                start, end = document.sentences[first].start, document.sentences[last - 1].end
                rows.append((number, place, start, end, first, last))
        if not rows:
            raise IndexMissing("the corpus holds no sentences to index; add a text with words in it")
        return cls(corpus, sources, tuple(sections), np.array(rows, dtype=PASSAGE))

    def __len__(self) -> int:
        return len(self.table)

    @property
    def sentences(self) -> int:
        """How many sentences all passages have."""
        return int((self.table["last"] - self.table["first"]).sum())

    @property
    def texts(self) -> Sequence[PassageText]:
        """The passages as the encoder sees them, made when they are looked at."""
        return _Texts(self, self.table)

    def passage(self, n: int, vector: Vectors) -> ChromaPassage:
        """The passage of a row as it is stored in Chroma."""
        row = self.table[n]
        label, title = self.sections[row["section"]]
        metadata = {"source_id": self.sources[row["source"]], "section": label, "section_title": title}
        return ChromaPassage(
            n, self.text(row), {**metadata, "start": int(row["start"]), "end": int(row["end"])}, vector
        )

    def text(self, row: np.void) -> str:
        """The text of a passage."""
        return self.corpus.text(self.sources[row["source"]])[row["start"] : row["end"]]

    def title(self, row: np.void) -> str:
        """What is put before a passage where it is embedded and BM25-indexed: titles of source and section."""
        source = self.corpus.source_by_id[self.sources[row["source"]]].title
        label, title = self.sections[row["section"]]
        heading = title if title == label else f"{label}: {title}"
        return "\n".join([*dict.fromkeys((source, heading)), ""])

    def spans(self, row: np.void) -> list[tuple[int, int]]:
        """Where the sentences of a passage stand in it."""
        sentences = self.corpus.documents[self.sources[row["source"]]].sentences[row["first"] : row["last"]]
        start = int(row["start"])
        return [(s.start - start, s.end - start) for s in sentences]


class _Texts(Sequence[PassageText]):
    """The passages as the encoder sees them, made when they are looked at."""

    def __init__(self, layout: Layout, table: NDArray[np.void]) -> None:
        self._layout = layout
        self._table = table

    def __len__(self) -> int:
        return len(self._table)

    @overload
    def __getitem__(self, n: int) -> PassageText: ...
    @overload
    def __getitem__(self, n: slice) -> Sequence[PassageText]: ...
    def __getitem__(self, n: int | slice) -> PassageText | Sequence[PassageText]:
        if isinstance(n, slice):
            return _Texts(self._layout, self._table[n])
        row = self._table[n]
        return PassageText(self._layout.title(row), self._layout.text(row), tuple(self._layout.spans(row)))
