"""The vectors of an index: one pass of the encoder over a passage gives all of them.

A passage has a vector of its own; each of its sentences has one, the mean of its tokens as they stand in
their passage ("late chunking", Günther et al. 2024), so that "He" means somebody; and each token has a
sketch of one byte a dimension, by which sentences are compared with a question token by token.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from rag.datatypes import Encoder, Vectors
from rag.encoder import SKETCH, OnnxEncoder, unit

# A sketch is a unit vector times this, in whole numbers; its components lie well within ±0.5.
QUANTA = 254
_BLOCK = 64
KEY_BYTES = 16

Sketches = NDArray[np.int8]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class PassageText:
    """A passage as the encoder sees it: titles first, then the text; `spans` are its sentences in the text."""

    title: str
    text: str
    spans: tuple[tuple[int, int], ...]

    @property
    def key(self) -> bytes:
        """What must be the same for the vectors to be the same."""
        whole = f"{self.title}\0{self.text}\0{self.spans}".encode("utf-8", "surrogatepass")
        return blake2b(whole, digest_size=KEY_BYTES).digest()


@dataclass(frozen=True, slots=True)
class PassageVectors:
    """The vectors of one passage: shapes (dimension,), (sentences, dimension), and a (tokens, SKETCH) each."""

    passage: Vectors
    sentences: Vectors
    sketches: Sequence[Sketches]


@dataclass(frozen=True)
class VectorStore:
    """The vector files of a build, memory-mapped. `first_sentences[n]` is the row of passage n's first one."""

    passages: Vectors
    sentences: Vectors
    first_sentences: NDArray[np.int64]
    tokens: Sketches
    first_tokens: NDArray[np.int64]

    @classmethod
    def open(cls, build: Path) -> Self:
        """Map the files. Raises OSError or ValueError where one is missing or damaged."""
        first_tokens = mapped(build / "first_tokens.npy")
        shape = (int(first_tokens[-1]), SKETCH)
        tokens: Sketches = np.empty(shape, np.int8)
        if shape[0]:
            tokens = np.memmap(build / "tokens.bin", dtype=np.int8, mode="r", shape=shape).view(np.ndarray)
        return cls(
            mapped(build / "passage_vectors.npy"),
            mapped(build / "sentence_vectors.npy"),
            np.load(build / "first_sentences.npy"),
            tokens,
            first_tokens,
        )

    def sentences_of(self, passage: int) -> Vectors:
        """Unit vectors of a passage's sentences, shape (sentences, dimension)."""
        return np.asarray(self.sentences[self.first_sentences[passage] : self.first_sentences[passage + 1]])

    def sketches_of(self, passage: int) -> tuple[Sketches, NDArray[np.int64]]:
        """The token sketches of a passage, and where each sentence begins in them, with the end last."""
        first, last = self.first_sentences[passage], self.first_sentences[passage + 1]
        starts = np.asarray(self.first_tokens[first : last + 1])
        return np.asarray(self.tokens[starts[0] : starts[-1]]), starts - starts[0]


class Known(Protocol):
    """Where vectors may be had without embedding."""

    def find(self, first: int, texts: Sequence[PassageText]) -> dict[int, PassageVectors]:
        """The vectors of those texts that are known, by position in `texts`; `first` is the row of the first."""
        ...


class KnownVectors:
    """What an earlier build has embedded, by the key of the passage."""

    def __init__(self, rows: dict[bytes, int], store: VectorStore | None) -> None:
        self._rows = rows
        self._store = store

    @classmethod
    def none(cls) -> Self:
        """Nothing is known."""
        return cls({}, None)

    @classmethod
    def open(cls, build: Path) -> Self:
        """Read a build's. Raises OSError or ValueError where a file is missing or damaged."""
        keys = np.load(build / "keys.npy")
        return cls({key.tobytes(): row for row, key in enumerate(keys)}, VectorStore.open(build))

    def find(self, first: int, texts: Sequence[PassageText]) -> dict[int, PassageVectors]:
        """The vectors of passages that haven't changed, wherever they stood, by position in `texts`."""
        rows = {n: row for n, text in enumerate(texts) if (row := self._rows.get(text.key)) is not None}
        return {n: _vectors_of(self._store, row) for n, row in rows.items()} if self._store is not None else {}


def write_vectors(
    build: Path, texts: Sequence[PassageText], encoder: Encoder, known: Known, progress: Progress
) -> tuple[Vectors, int]:
    """Write the vector files of a build; give the vectors of passages, and how many passages were new."""
    counts = np.fromiter((len(text.spans) for text in texts), dtype=np.int64, count=len(texts))
    first = np.concatenate([[0], np.cumsum(counts)])
    dimension = encoder.encode_document(["dimension"]).shape[1]
    passages = _new_file(build / "passage_vectors.npy", len(texts), dimension)
    sentences = _new_file(build / "sentence_vectors.npy", int(first[-1]), dimension)
    lengths = np.zeros(int(first[-1]), dtype=np.int64)
    keys = np.empty((len(texts), KEY_BYTES), dtype=np.uint8)
    embedded = 0
    with (build / "tokens.bin").open("wb") as tokens:
        for begin in range(0, len(texts), _BLOCK):
            block = list(texts[begin : begin + _BLOCK])
            found = known.find(begin, block)
            fresh = [n for n in range(len(block)) if n not in found]
            found |= dict(zip(fresh, embed_passages(encoder, [block[n] for n in fresh]), strict=True))
            for n, text in enumerate(block):
                row = begin + n
                keys[row] = np.frombuffer(text.key, dtype=np.uint8)
                passages[row] = found[n].passage
                sentences[first[row] : first[row + 1]] = found[n].sentences
                lengths[first[row] : first[row + 1]] = [len(sketches) for sketches in found[n].sketches]
                tokens.writelines(sketches.tobytes() for sketches in found[n].sketches)
            embedded += len(fresh)
            progress(begin + len(block), len(texts))
    np.save(build / "first_sentences.npy", first)
    np.save(build / "first_tokens.npy", np.concatenate([[0], np.cumsum(lengths)]))
    np.save(build / "keys.npy", keys)
    return passages, embedded


def _vectors_of(store: VectorStore, row: int) -> PassageVectors:
    sketches, starts = store.sketches_of(row)
    return PassageVectors(
        np.asarray(store.passages[row]), store.sentences_of(row), [sketches[a:b] for a, b in pairwise(starts)]
    )


def pack(vectors: PassageVectors) -> bytes:
    """The vectors of a passage as bytes: how many sentences, how many tokens each, then all vectors."""
    lengths = np.array([len(vectors.sketches), *map(len, vectors.sketches)], dtype="<u4")
    floats = np.concatenate([vectors.passage[None, :], vectors.sentences]).astype("<f4")
    return b"".join([lengths.tobytes(), floats.tobytes(), *(sketches.tobytes() for sketches in vectors.sketches)])


def unpack(data: bytes, dimension: int) -> PassageVectors:
    """What was packed. Raises ValueError for anything else."""
    sentences = int(np.frombuffer(data, "<u4", 1)[0])
    lengths = np.frombuffer(data, "<u4", sentences, 4)
    floats = np.frombuffer(data, "<f4", (sentences + 1) * dimension, 4 * (sentences + 1)).reshape(-1, dimension)
    tokens = np.frombuffer(data, np.int8, offset=4 * (sentences + 1) * (dimension + 1)).reshape(-1, SKETCH)
    if lengths.sum() != len(tokens):
        raise ValueError(f"{len(tokens)} tokens, expected {lengths.sum()}")
    return PassageVectors(floats[0], floats[1:], np.split(tokens, np.cumsum(lengths)[:-1]))


def mapped(file: Path) -> NDArray[Any]:
    """An array in a file, memory-mapped. Raises OSError or ValueError where it is missing or damaged."""
    # A plain array over the same memory: numpy's class for mapped ones takes a microsecond for every slice.
    return np.asarray(np.load(file, mmap_mode="r"))


def embed_passages(encoder: Encoder, texts: Sequence[PassageText]) -> Iterator[PassageVectors]:
    """The vectors of each passage. A model that doesn't show its tokens embeds each sentence by itself, and
    has no sketches."""
    if not isinstance(encoder, OnnxEncoder):
        for text in texts:
            rows = encoder.encode_document([text.title + text.text, *(text.text[a:b] for a, b in text.spans)])
            yield PassageVectors(rows[0], rows[1:], [np.empty((0, SKETCH), np.int8)] * len(text.spans))
        return
    for text, tokens in zip(texts, encoder.encode_tokens([t.title + t.text for t in texts]), strict=True):
        starts, ends = tokens.offsets[:, 0] - len(text.title), tokens.offsets[:, 1] - len(text.title)
        inside = [(starts >= a) & (ends <= b) for a, b in text.spans]
        # A sentence past the encoder's window has no tokens; its passage stands for it.
        rows = np.stack([unit(tokens.hidden[i].mean(axis=0)) if i.any() else tokens.pooled for i in inside])
        yield PassageVectors(tokens.pooled, rows, [_quantise(tokens.sketches[i]) for i in inside])


def _quantise(vectors: Vectors) -> Sketches:
    return np.clip(np.rint(vectors * QUANTA), -127, 127).astype(np.int8)


def _new_file(file: Path, rows: int, dimension: int) -> Vectors:
    vectors: Vectors = np.lib.format.open_memmap(file, mode="w+", dtype=np.float32, shape=(rows, dimension))
    if hasattr(os, "posix_fallocate"):
        # Writing to a mapped page for which the disk has no room would end the process without a word.
        with file.open("r+b") as made:
            os.posix_fallocate(made.fileno(), 0, file.stat().st_size)
    return vectors
