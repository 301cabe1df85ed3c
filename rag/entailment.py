"""A text and a sentence, read together: whether the one entails the other.

The built-in encoder with what was taught to it (rag/adapter.py), run as ONNX. Knows nothing of what differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from rag.datatypes import Vectors
from rag.encoder import ENTAILMENT_FILE, open_session
from rag.onecore import one_core

_KEPT = 4_096


class Verdict(NamedTuple):
    """Log odds: that the text entails the sentence, against anything else; that it contradicts it, likewise."""

    entails: float
    contradicts: float


class EntailmentModel:
    """Reads pairs, and remembers the last verdicts, for the same are asked for again. Safe to share between threads."""

    def __init__(self, session: onnxruntime.InferenceSession, tokenizer: Tokenizer) -> None:
        # Not bound to this object: a circle would keep the session until the garbage collector comes by.
        self._judge = lru_cache(maxsize=_KEPT)(partial(_judge, session, tokenizer))

    @classmethod
    def open(cls, folder: Path) -> EntailmentModel:
        """The export in a folder. Raises IndexMismatch when a file is missing or damaged."""
        return cls(*open_session(folder, ENTAILMENT_FILE))

    def judge(self, texts: Sequence[str], sentence: str) -> list[Verdict]:
        """What each text says of the sentence, in order."""
        return [self._judge(text, sentence) for text in texts]


@one_core
def _judge(session: onnxruntime.InferenceSession, tokenizer: Tokenizer, text: str, sentence: str) -> Verdict:
    encoding = tokenizer.encode(text, sentence)
    ids, types, mask = (
        np.array([row], dtype=np.int64) for row in (encoding.ids, encoding.type_ids, encoding.attention_mask)
    )
    logits: Vectors = session.run(None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": types})[0][0]
    entails, neutral, contradicts = (float(value) for value in logits)
    return Verdict(
        entails - float(np.logaddexp(neutral, contradicts)), contradicts - float(np.logaddexp(neutral, entails))
    )
