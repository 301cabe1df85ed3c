"""What `verse doctor` looks at: each check says what it found and, where it fails, the cure."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from corpus import Corpus, VerseError
from rag.call import Call, CallEnded
from rag.encoder import OnnxEncoder, load_sentence_transformer
from rag.entailment import EntailmentModel
from rag.errors import ModelUnavailable
from rag.folder import ENCODER, check_build
from rag.llama import open_llm
from rag.opening import index_folder, open_corpus, open_index
from rag.settings import DEFAULT_MODEL, Settings

_PACKAGES = (
    "chromadb",
    "bm25s",
    "llama-index-core",
    "sentence-transformers",
    "torch",
    "onnxruntime",
    "gradio",
)
_MODEL_SECONDS = 30.0


@dataclass(frozen=True)
class Check:
    """One finding; `cure` is empty where nothing is wrong."""

    name: str
    ok: bool
    finding: str
    cure: str = ""

    def to_dict(self) -> dict[str, str | bool]:
        """The check as JSON types."""
        return asdict(self)


def examine(settings: Settings) -> list[Check]:
    """All checks, in the order in which things depend on each other."""
    checks = [
        Check("Python", True, f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        *(_package(name) for name in _PACKAGES),
        _home(settings.home),
        *_language_model(settings),
    ]
    try:
        corpus = open_corpus(settings)
        corpus.check()
    except VerseError as error:
        return [*checks, _failed("corpus", error)]
    checks.append(
        Check("corpus", True, f"{corpus.folder}: {len(corpus.sources)} sources")
        if not corpus.failures
        else Check("corpus", False, "; ".join(corpus.failures.values()), "mend or remove these sources")
    )
    return [*checks, *_index(corpus, settings)]


def _package(name: str) -> Check:
    try:
        return Check(name, True, version(name))
    except PackageNotFoundError:
        return Check(name, False, "not installed", f"pip install {name}")


def _language_model(settings: Settings) -> list[Check]:
    """Whether the language model of the settings answers at all; nothing where none is set."""
    if settings.llm is None:
        return []
    call = Call(min(settings.llm_seconds, _MODEL_SECONDS))
    began = time.monotonic()
    try:
        llm = open_llm(settings.llm, settings.llm_context)
        with call:
            said = "".join(llm.stream([{"role": "user", "content": "Say hello."}], 16, call))
            read = llm.context(call)
    except ModelUnavailable as error:
        return [_failed("language model", error)]
    except CallEnded:
        slow = f"{settings.llm} said nothing whole within {call.seconds:g} seconds"
        return [Check("language model", False, slow, "take a smaller model, or try again when it is loaded")]
    seconds = time.monotonic() - began
    if not said.strip():
        return [Check("language model", False, f"{settings.llm} answered nothing", "try another model")]
    return [Check("language model", True, f"{settings.llm} answered in {seconds:.1f} s and reads {read:,} tokens")]


def _home(home: Path) -> Check:
    nearest = next(folder for folder in (home, *home.parents) if folder.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK):
        return Check("home", True, str(home))
    return Check("home", False, f"{home} can't be written", "set VERSE_HOME to a folder that you may write to")


def _index(corpus: Corpus, settings: Settings) -> list[Check]:
    try:
        index = open_index(corpus, settings)
        place = settings.server or index_folder(corpus, settings)
        checks = [Check("index", True, f"{place}: {len(index)} passages, matches the corpus")]
        gone = [why.partition(";")[0] for source, why in index.corpus.failures.items() if source not in corpus.failures]
        if gone:
            checks.append(Check("pages", False, f"answering from the last index: {'; '.join(gone)}", "verse fetch"))
        check_build(index.build, index.meta, whole=True)
        index.close()
        if settings.model == DEFAULT_MODEL:
            OnnxEncoder.open(index.build / ENCODER)
            EntailmentModel.open(index.build / ENCODER)
        else:
            load_sentence_transformer(settings.model)
    except VerseError as error:
        return [_failed("index", error)]
    return [*checks, Check("model", True, settings.model)]


def _failed(name: str, error: VerseError) -> Check:
    """Our errors end with the command that cures them."""
    text = str(error)
    finding, _, cure = text.partition("; ")
    return Check(name, False, finding, cure)
