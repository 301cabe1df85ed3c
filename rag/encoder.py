"""Text -> unit vectors.

The built-in model is all-MiniLM-L6-v2, run as ONNX (rag/export.py) so that asking never imports torch: passages by
its weights as published, questions by the same in 8 bits. Any other sentence-transformers model works by its name,
at sentence-transformers' own speed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from rag.datatypes import Encoder, Reranker, Vectors
from rag.errors import IndexMismatch, ModelUnavailable
from rag.onecore import one_core
from rag.settings import DEFAULT_MODEL

MODEL_FILE = "model.onnx"
QUESTION_FILE = "question.onnx"
ENTAILMENT_FILE = "entailment.onnx"
TOKENIZER_FILE = "tokenizer.json"
MAX_TOKENS = 256
SKETCH = 128
# Texts of so many tokens go together: then what a layer hands to the next stays in a core's own cache.
_BATCH_TOKENS = 256

# Weights in a pickle could run programs; a model that has no others is refused.
_NOTHING_UNPICKLED = {"use_safetensors": True}


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one text: unit vectors in the sketch's dimensions, shape (tokens, SKETCH), and the
    characters that each stands for, shape (tokens, 2); and their mean, the vector of the whole text."""

    sketches: Vectors
    offsets: NDArray[np.int64]
    pooled: Vectors
    hidden: Vectors


class OnnxEncoder:
    """The exported model: mean pooling over tokens, then length 1, as sentence-transformers does it."""

    def __init__(self, session: onnxruntime.InferenceSession, tokenizer: Tokenizer, workers: int = 1) -> None:
        self._session = session
        self._tokenizer = tokenizer
        self._workers = workers

    @classmethod
    def open(cls, folder: Path) -> OnnxEncoder:
        """The export in a folder, for questions and single sentences. Raises IndexMismatch when a file is missing or
        damaged."""
        return cls(*open_session(folder, QUESTION_FILE))

    @classmethod
    def open_exact(cls, folder: Path, threads: int = 0) -> OnnxEncoder:
        """The export in a folder, with its weights as published, for texts by the hundred: all cores, or as many as
        `threads`, each with texts of its own. Raises IndexMismatch when a file is missing or damaged."""
        return cls(*open_session(folder, MODEL_FILE), threads or _cores())

    def encode_query(self, texts: Sequence[str], /) -> Vectors:
        """Rows of unit length, float32, shape (len(texts), 384)."""
        return np.stack([tokens.pooled for tokens in self.encode_tokens(texts)])

    def encode_document(self, texts: Sequence[str], /) -> Vectors:
        """Rows of unit length, float32, shape (len(texts), 384)."""
        return np.stack([tokens.pooled for tokens in self.encode_tokens(texts)])

    @one_core
    def encode_tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """The tokens of each text, in the order of the texts."""
        encodings = self._tokenizer.encode_batch(list(texts))
        batches = _batches([len(encoding.ids) for encoding in encodings])
        found: dict[int, Tokens] = {}

        def encode(batch: list[int]) -> None:
            found.update(zip(batch, self._encode([encodings[n] for n in batch]), strict=True))

        if self._workers == 1 or len(batches) == 1:
            for batch in batches:
                encode(batch)
        else:
            with ThreadPoolExecutor(self._workers) as pool:
                list(pool.map(encode, batches))
        return [found[n] for n in range(len(texts))]

    def has_word(self, word: str) -> bool:
        """Whether the model has a lower-cased word whole, as it has the common words of its language."""
        return self._tokenizer.token_to_id(word) is not None

    def _encode(self, encodings: Sequence[Encoding]) -> Iterator[Tokens]:
        ids = np.zeros((len(encodings), max(len(encoding.ids) for encoding in encodings)), dtype=np.int64)
        mask = np.zeros_like(ids)
        for n, encoding in enumerate(encodings):
            ids[n, : len(encoding.ids)] = encoding.ids
            mask[n, : len(encoding.ids)] = 1
        hidden: Vectors = self._session.run(
            None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        )[0]
        for encoding, states in zip(encodings, hidden, strict=True):
            real = states[: len(encoding.ids)]
            # The marks at both ends count in the mean, as they did in training, but stand for no text.
            offsets = np.array(encoding.offsets[1 : len(real) - 1], dtype=np.int64).reshape(-1, 2)
            words = real[1:-1]
            yield Tokens(unit(words @ _sketch()), offsets, unit(real.mean(axis=0)), words)


def open_session(folder: Path, file: str) -> tuple[onnxruntime.InferenceSession, Tokenizer]:
    """One of an export's models, for one core, and a tokenizer. Raises IndexMismatch when a file is missing or
    damaged."""
    options = onnxruntime.SessionOptions()
    # A text is one core's work: for a dozen words a second core costs more in waiting than it gains.
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    try:
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
        session = onnxruntime.InferenceSession(
            str(folder / file),
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=["SkipLayerNormFusion"],  # six times slower than what it fuses
        )
    except Exception as error:  # noqa: BLE001 -- both libraries raise bare Exception subclasses of their own
        reason = str(error).splitlines()[0][:200]
        raise IndexMismatch(f"the encoder in {folder} is damaged ({reason}); run: verse ingest --rebuild") from None
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.no_padding()
    return session, tokenizer


def _cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Positions of texts of like length, the longest first: padding is computed like any token."""
    batches: list[list[int]] = []
    room = 0
    for n in sorted(range(len(lengths)), key=lambda n: -lengths[n]):
        if room < 1:
            batches.append([])
            room = _BATCH_TOKENS // max(1, lengths[n])
        batches[-1].append(n)
        room -= 1
    return batches


def unit(vectors: Vectors) -> Vectors:
    """The same vectors with length 1; a zero vector stays zero."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(norms == 0, 1, norms), dtype=np.float32)


@lru_cache(maxsize=1)
def _sketch() -> Vectors:
    """A fixed random projection to SKETCH dimensions with orthonormal columns: it keeps angles nearly
    (Johnson and Lindenstrauss, 1984), needs no training, and is the same for every corpus."""
    gaussian = np.random.default_rng(384).standard_normal((384, SKETCH))
    return np.asarray(np.linalg.qr(gaussian)[0], dtype=np.float32)


def open_encoder(model: str, folder: Path) -> Encoder:
    """The encoder that an index was built with; `folder` holds the export of the built-in one."""
    return OnnxEncoder.open(folder) if model == DEFAULT_MODEL else load_sentence_transformer(model)


def load_sentence_transformer(model: str) -> Encoder:
    """Any model that sentence-transformers can load from this machine. Raises ModelUnavailable."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415 -- seconds of torch

    try:
        loaded: Encoder = SentenceTransformer(
            model, device="cpu", local_files_only=True, model_kwargs={**_NOTHING_UNPICKLED}
        )
    except (OSError, ValueError) as error:
        raise ModelUnavailable(
            f"the model {model!r} is not on this machine ({str(error).splitlines()[0][:120]}); download it with: "
            f"hf download sentence-transformers/{Path(model).name}, or use --model {DEFAULT_MODEL}"
        ) from None
    return loaded


def load_entailment(model: str) -> Callable[[str, str], float]:
    """(premise, hypothesis) -> probability of entailment, by any cross-encoder that sentence-transformers can load
    from this machine: one trained on NLI (it has a label "entailment") or one with a single score.

    Raises ModelUnavailable."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from sentence_transformers import CrossEncoder  # noqa: PLC0415 -- seconds of torch

    try:
        loaded = CrossEncoder(model, device="cpu", local_files_only=True, model_kwargs={**_NOTHING_UNPICKLED})
    except (OSError, ValueError) as error:
        raise ModelUnavailable(
            f"the entailment model {model!r} is not on this machine ({str(error).splitlines()[0][:120]}); download it "
            f"with: hf download {model}, or leave out VERSE_NLI"
        ) from None
    names = {int(n): str(label).lower() for n, label in loaded.model.config.id2label.items()}
    column = next((n for n, label in names.items() if label.startswith(("entail", "support"))), None)
    if column is None and len(names) > 1:
        raise ModelUnavailable(f"{model!r} has no label for entailment, only {', '.join(names.values())}")

    def entails(premise: str, hypothesis: str) -> float:
        scores = np.atleast_1d(loaded.predict([(premise, hypothesis)], apply_softmax=column is not None)[0])
        return float(scores[column or 0])

    return entails


@lru_cache(maxsize=1)
def load_reranker(model: str) -> Reranker:
    """(question, texts) -> one score a text, higher is better, by any cross-encoder of sentence-transformers that lies
    on this machine. Raises ModelUnavailable."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from sentence_transformers import CrossEncoder  # noqa: PLC0415 -- seconds of torch

    try:
        loaded = CrossEncoder(
            model, device="cpu", local_files_only=True, num_labels=1, model_kwargs={**_NOTHING_UNPICKLED}
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelUnavailable(
            f"the cross-encoder {model!r} is not on this machine ({str(error).splitlines()[0][:120]}); download it "
            f"with: hf download {model}, or leave out VERSE_RERANKER"
        ) from None

    def rate(question: str, texts: Sequence[str]) -> Vectors:
        scores = loaded.predict([(question, text) for text in texts], show_progress_bar=False)
        return np.asarray(scores, dtype=np.float32).reshape(-1)

    return rate
