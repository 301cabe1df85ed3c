"""Corpus -> a build of the index, written beside the one that serves."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from corpus import Corpus
from rag.chroma import ChromaPassage, bytes_in_motion, write_dense
from rag.datatypes import Encoder, Vectors
from rag.errors import IndexMismatch, IndexMissing
from rag.folder import BM25, BUILDS, CHROMA, ENCODER, FORMAT, PASSAGE, TABLE, Meta, check_build, publish, read_meta
from rag.integrity import mark_files
from rag.lexical import write_lexical
from rag.passages import split_document
from rag.vectors import KnownVectors, PassageText, Progress, write_vectors


def build_index(
    folder: Path, corpus: Corpus, model: str, encoder: tuple[Encoder, Path | None], progress: Progress, *, reuse: bool
) -> Meta:
    """Build beside what serves, then swap by rename; with `reuse`, vectors of unchanged passages are taken over.

    `encoder` comes with the folder of its files, if it has any; `progress` is told (done, total) in passages.
    Raises IndexMismatch when the folder can't be written.
    """
    build = folder / BUILDS / uuid.uuid4().hex[:12]
    try:
        build.mkdir(parents=True)
        meta = _write_build(
            build, corpus, model, encoder[0], _known(folder, model) if reuse else KnownVectors.none(), progress
        )
        if encoder[1] is not None:
            _link_files(encoder[1], build / ENCODER)
        loose = {f"{CHROMA}/{name}": ranges for name, ranges in bytes_in_motion(build / CHROMA).items()}
        meta = replace(meta, files=mark_files(build, loose))
        publish(folder, build, meta)
    except OSError as error:
        shutil.rmtree(build, ignore_errors=True)
        raise IndexMismatch(
            f"the index can't be written to {str(folder)!r} ({error.strerror}); free space there, or choose a "
            "writable folder with: --index FOLDER"
        ) from None
    except BaseException:
        shutil.rmtree(build, ignore_errors=True)
        raise
    return meta


def _known(folder: Path, model: str) -> KnownVectors:
    """What the build that serves has embedded with the same model; nothing where it can't be read or is damaged."""
    try:
        build, meta = read_meta(folder)
        if meta.model != model:
            return KnownVectors.none()
        check_build(build, meta, whole=True)
        return KnownVectors.open(build)
    except (IndexMissing, IndexMismatch, OSError, ValueError):
        return KnownVectors.none()


def _write_build(
    build: Path, corpus: Corpus, model: str, encoder: Encoder, known: KnownVectors, progress: Progress
) -> Meta:
    sources = tuple(source.id for source in corpus.sources)
    sections: dict[tuple[str, str], int] = {}
    rows: list[tuple[int, ...]] = []
    sentences = 0
    for number, source in enumerate(sources):
        document = corpus.documents[source]
        for first, last in split_document(document):
            section = document.section_by_label[document.sentences[first].section]
            place = sections.setdefault((section.label, section.title), len(sections))
            start, end = document.sentences[first].start, document.sentences[last - 1].end
            rows.append((number, place, start, end, first, last))
            sentences += last - first
    if not rows:
        raise IndexMissing("the corpus holds no sentences to index; add a text with words in it")
    table = np.array(rows, dtype=PASSAGE)
    np.save(build / TABLE, table)
    names = _Names(corpus, sources, tuple(sections))
    vectors, embedded = write_vectors(build, _Texts(names, table), encoder, known, progress)
    write_dense(build / CHROMA, _chroma_passages(names, table, vectors), len(table))
    write_lexical(build / BM25, (names.title(row) + names.text(row) for row in table))
    return Meta(
        format=FORMAT,
        model=model,
        dimension=vectors.shape[1],
        corpus=corpus.hash,
        passages=len(rows),
        sentences=sentences,
        embedded=embedded,
        sources=sources,
        hashes=tuple(corpus.source_hash(source) for source in sources),
        sections=tuple(sections),
        files={},
    )


@dataclass(frozen=True)
class _Names:
    """The texts behind the numbers of the table."""

    corpus: Corpus
    sources: tuple[str, ...]
    sections: tuple[tuple[str, str], ...]

    def text(self, row: np.void) -> str:
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

    def __init__(self, names: _Names, table: NDArray[np.void]) -> None:
        self._names = names
        self._table = table

    def __len__(self) -> int:
        return len(self._table)

    @overload
    def __getitem__(self, n: int) -> PassageText: ...
    @overload
    def __getitem__(self, n: slice) -> Sequence[PassageText]: ...
    def __getitem__(self, n: int | slice) -> PassageText | Sequence[PassageText]:
        if isinstance(n, slice):
            return _Texts(self._names, self._table[n])
        row = self._table[n]
        return PassageText(self._names.title(row), self._names.text(row), tuple(self._names.spans(row)))


def _chroma_passages(names: _Names, table: NDArray[np.void], vectors: Vectors) -> Iterator[ChromaPassage]:
    for n, row in enumerate(table):
        label, title = names.sections[row["section"]]
        metadata = {"source_id": names.sources[row["source"]], "section": label, "section_title": title}
        yield ChromaPassage(
            n, names.text(row), {**metadata, "start": int(row["start"]), "end": int(row["end"])}, vectors[n]
        )


def _link_files(source: Path, target: Path) -> None:
    """The same files under another name where the file system can, copies where it can't."""
    target.mkdir()
    for file in source.iterdir():
        try:
            os.link(file, target / file.name)
        except OSError:
            shutil.copyfile(file, target / file.name)
