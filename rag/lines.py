"""The sentences of a passage, and what no question changes about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus import Document, Sentence
from rag.datatypes import Passage
from rag.terms import term_set

# Features of a sentence by itself, the rows of `Lines.features`.
FEATURES = ("question", "short", "quote")


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """A passage read once. Arrays over its sentences have shape (..., sentences)."""

    passage: Passage
    sentences: tuple[Sentence, ...]
    texts: tuple[str, ...]
    # Where each paragraph, or the part of it that lies in the passage, begins among the sentences; its terms.
    paragraphs: NDArray[np.int64]
    terms: tuple[frozenset[str], ...]
    features: NDArray[np.float32]


def read_lines(document: Document, passage: Passage) -> Lines:
    """Read a passage of a document."""
    sentences = tuple(document.sentences[n] for n in range(*passage.sentences))
    texts = tuple(document.text[s.start : s.end] for s in sentences)
    begins = [n for n, s in enumerate(sentences) if n == 0 or s.paragraph != sentences[n - 1].paragraph]
    ends = [*begins[1:], len(sentences)]
    features = [
        [text.rstrip("”\"'").endswith("?") for text in texts],
        [text.count(" ") < 5 for text in texts],
        [s.kind == "quote" for s in sentences],
    ]
    return Lines(
        passage,
        sentences,
        texts,
        np.array(begins, dtype=np.int64),
        tuple(frozenset().union(*map(term_set, texts[a:b])) for a, b in zip(begins, ends, strict=True)),
        np.array(features, dtype=np.float32).reshape(len(FEATURES), len(texts)),
    )
