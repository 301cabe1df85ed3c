"""A fast encoder for growth runs: an index of 100,000 passages without hours of embedding."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np

from rag.encoder import SKETCH, OnnxEncoder, Tokens, unit
from rag.terms import words

_DIMENSION = 384
_KNOWN = 4096


class MadeUpEncoder(OnnxEncoder):
    """Each word has a random vector, a text their mean: vectors of the right number, shape and spread, and no more
    meaning than shared words have. Costs of index and search are as with the real one; answers are not."""

    def __init__(self) -> None:
        self._vectors = unit(np.random.default_rng(7).standard_normal((_KNOWN, _DIMENSION)).astype(np.float32))

    def encode_tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """One token a word."""
        return [self._tokens(text) for text in texts]

    def _tokens(self, text: str) -> Tokens:
        starts, at = [], 0
        pieces = text.split()
        for piece in pieces:
            at = text.index(piece, at)
            starts.append((at, at + len(piece)))
            at += len(piece)
        numbers = [crc32(" ".join(words(piece)).encode()) % _KNOWN for piece in pieces]
        hidden = self._vectors[numbers]
        sketches = unit(hidden[:, :SKETCH])
        offsets = np.array(starts, dtype=np.int64).reshape(-1, 2)
        return Tokens(sketches, offsets, unit(hidden.mean(axis=0)), hidden)
