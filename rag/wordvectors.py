"""Passages -> vectors of their words and sentences in context, by the built-in encoder.

One pass of the encoder for each stretch of a passage; a word's vector is the mean of its tokens', a
sentence's the mean of all tokens in it ("late chunking"; Günther et al. 2024). What was read is kept for a while,
since the same evidence is asked about sentence after sentence. Safe to share between threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from rag.datatypes import Vectors
from rag.encoder import OnnxEncoder, Tokens, unit
from rag.evidence import Passage, read_passage, stretches
from rag.statements import Statement

KEPT = 256  # some 0.3 MB each
NEAREST = 3


@dataclass(frozen=True, slots=True)
class SentenceVectors:
    """Unit vectors: of each word, shape (words, 384), and of the sentence, shape (384,)."""

    words: Vectors
    whole: Vectors


class WordVectors:
    """Reads texts with one encoder and remembers the last KEPT stretches."""

    def __init__(self, encoder: OnnxEncoder) -> None:
        # Not bound to this object: a circle would keep the encoder's 100 MB until the garbage collector comes by.
        self._read = lru_cache(maxsize=KEPT)(partial(_read, encoder))
        self._passage = lru_cache(maxsize=KEPT)(partial(_gather_passage, self._read))

    def sentence(self, text: str, statement: Statement) -> SentenceVectors:
        """The vectors of one sentence by itself."""
        return _gather(self._read(text), statement, 0)

    def passage(self, passage: Passage) -> list[SentenceVectors]:
        """The vectors of each sentence of a passage, in order."""
        return self._passage(passage.text)


def _read(encoder: OnnxEncoder, text: str) -> Tokens:
    return encoder.encode_tokens([text])[0]


def _gather_passage(read: Callable[[str], Tokens], text: str) -> list[SentenceVectors]:
    passage = read_passage(text)
    found: list[SentenceVectors] = []
    for first, last in stretches(passage):
        start = passage.spans[first][0]
        tokens = read(passage.text[start : passage.spans[last - 1][1]])
        for n in range(first, last):
            found.append(_gather(tokens, passage.statements[n], passage.spans[n][0] - start))
    return found


def _gather(tokens: Tokens, statement: Statement, offset: int) -> SentenceVectors:
    """Means over the tokens of each word and of the sentence; zero where the encoder saw none."""
    starts, ends = tokens.offsets[:, 0], tokens.offsets[:, 1]
    first = np.searchsorted(ends, [word.start + offset for word in statement.words], side="right")
    last = np.searchsorted(starts, [word.end + offset for word in statement.words], side="left")
    sums = np.concatenate([np.zeros((1, tokens.hidden.shape[1])), tokens.hidden.cumsum(axis=0, dtype=np.float64)])
    # Of unit length in the end, so the sum does for the mean.
    words = np.asarray(sums[np.maximum(first, last)] - sums[first], dtype=np.float32)
    within = (starts >= offset) & (ends <= offset + len(statement.text))
    whole = tokens.hidden[within].mean(axis=0) if within.any() else np.zeros(tokens.hidden.shape[1], np.float32)
    return SentenceVectors(unit(words), unit(whole))


@dataclass(frozen=True, slots=True)
class Closeness:
    """How close a claim stands to its evidence in the encoder's eyes; cosines, each at its best sentence.

    `whole`: of the sentences; `words`: the mean over the claim's words of the best cosine with any word of one
    sentence (MaxSim; ColBERT, Khattab and Zaharia 2020); `three`: the same over the three nearest sentences
    together; `worst`: of the word that these three answer to least.
    """

    whole: float
    words: float
    three: float
    worst: float


def closeness(
    claim: SentenceVectors, rows: Sequence[int], weights: Vectors, evidence: Sequence[SentenceVectors]
) -> Closeness:
    """Compare the words at `rows` of a claim, weighted, with every sentence of the evidence."""
    whole = np.array([float(claim.whole @ sentence.whole) for sentence in evidence])
    if not rows or not evidence:
        return Closeness(float(whole.max(initial=0.0)), 0.0, 0.0, 0.0)
    mine = claim.words[list(rows)]
    best = np.stack([(mine @ sentence.words.T).max(axis=1, initial=-1.0) for sentence in evidence])
    share = weights / (weights.sum() or 1.0)
    by_words = best @ share
    nearest = np.argsort(-(by_words + whole), kind="stable")[:NEAREST]
    together = best[nearest].max(axis=0)
    return Closeness(float(whole.max()), float(by_words.max()), float(together @ share), float(together.min()))
