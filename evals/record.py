"""What is kept of a run: its settings, its figures and every answer, in one JSON file; or a baseline, which is the
same without texts."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import corpus
import rag
from evals.intervals import LEVEL, SEED
from evals.run import Case
from evals.scores import ALL, JUDGED, Figures, Scores
from rag import Engine, QuestionError

RUN, ANSWERS, REPORT = "run.json", "answers.jsonl", "report.html"
FORMAT = 1
_PACKAGES = ("chromadb", "bm25s", "onnxruntime", "llama-index-core", "ir-measures", "scipy", "numpy")
_BASELINE = ("id", "kind", "part", "answerable", "confidence", "asked_hash", "figures", "error")
HOW_TO_READ = (
    "figures: part -> kind -> metric -> value with its interval over n questions, null where no question can have "
    "it. A case's figures are [part, whole]; a figure over cases is the sum of the parts by the sum of the wholes. "
    "retrieved and relevant are passage ids, best first: a run and its judgements for any other library."
)


@dataclass(frozen=True)
class Run:
    """A recorded run, as another one is compared with it."""

    file: Path
    settings: Mapping[str, Any]
    misfits: Mapping[str, str]
    cases: list[Case]
    scores: Scores

    @property
    def name(self) -> str:
        """How a table calls it."""
        return self.file.parent.name if self.file.name == RUN else self.file.stem


def describe(engine: Engine, questions_hash: str, files: list[str], judge: str | None) -> dict[str, Any]:
    """Everything that the figures depend on."""
    meta = engine.index.meta
    return {
        "format": FORMAT,
        "version": version("chapter-and-verse"),
        "commit": _commit(),
        "code": _code_hash(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "packages": {name: _version(name) for name in _PACKAGES},
        "corpus": {
            "folder": "built-in" if engine.corpus.folder == corpus.BUILT_IN else str(engine.corpus.folder or ""),
            "hash": engine.corpus.hash,
            "sources": {source.id: engine.corpus.source_hash(source.id) for source in engine.corpus.sources},
        },
        "index": {"format": meta.format, "model": meta.model, "dimension": meta.dimension, "passages": meta.passages},
        "llm": engine.settings.llm,
        "judge": judge,
        "questions": {"files": files, "hash": questions_hash},
        "intervals": {"level": LEVEL, "seed": SEED},
    }


def run_key(settings: Mapping[str, Any]) -> str:
    """Names a run by what its answers depend on; an interrupted one goes on under the same key only."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


def figures_as_json(figures: Figures, *, judged: bool) -> dict[str, Any]:
    """The figures as JSON types; those of a judge only where one was asked."""
    return {
        part: {
            kind: {
                metric: asdict(figure) if figure else None
                for metric, figure in row.items()
                if judged or metric not in JUDGED
            }
            for kind, row in kinds.items()
        }
        for part, kinds in figures.items()
    }


def timing(scores: Scores) -> dict[str, float]:
    """Milliseconds an answer, as the asker waits for it."""
    return _times(np.frombuffer(scores.seconds, dtype=np.float64)) if len(scores) else {}


def timing_by_kind(scores: Scores) -> dict[str, dict[str, float]]:
    """The same by kind."""
    seconds = np.frombuffer(scores.seconds, dtype=np.float64)
    return {kind: _times(seconds[rows]) for part, kind, rows in scores.groups() if part == ALL}


def _times(seconds: NDArray[np.float64]) -> dict[str, float]:
    values = 1000 * seconds
    named = {"mean": values.mean(), "median": np.median(values), "p95": np.percentile(values, 95), "max": values.max()}
    return {name: round(float(value), 2) for name, value in named.items()}


def write_run(file: Path, head: Mapping[str, Any], cases: Iterable[Case]) -> None:
    """One JSON object, its cases written one by one; beside first, then renamed. Raises QuestionError."""
    try:
        handle, beside = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=".part")
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            opening = json.dumps({**head, "how_to_read": HOW_TO_READ}, indent=1, ensure_ascii=False)
            out.write(opening.removesuffix("\n}") + ',\n "cases": [')
            separator = "\n"
            for case in cases:
                out.write(separator + json.dumps(case))
                separator = ",\n"
            out.write("\n ]\n}\n")
        Path(beside).chmod(0o644)
        Path(beside).replace(file)
    except OSError as error:
        raise cannot_write(file, error) from None


def baseline_cases(cases: Iterable[Case]) -> Iterator[Case]:
    """The figures of each question, without question and answer."""
    for case in cases:
        yield {name: case[name] for name in _BASELINE}


def read_run(path: Path) -> Run:
    """A run by its folder or its file. Raises QuestionError."""
    file = path / RUN if path.is_dir() else path
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        scores = Scores()
        for case in record["cases"]:
            scores.add(case)
        return Run(file, record["settings"], record["misfits"], record["cases"], scores)
    except OSError as error:
        raise QuestionError(f"{file} can't be read ({error.strerror}); make a run with: verse eval --out DIR") from None
    except (ValueError, KeyError, TypeError):
        raise QuestionError(f"{file} is not a run of verse eval; make one with: verse eval --out DIR") from None


def writable_folder(folder: Path) -> Path:
    """The folder, made where it isn't there; tried before any question is asked. Raises QuestionError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        raise cannot_write(folder, error) from None


def cannot_write(path: Path, error: OSError) -> QuestionError:
    """The error of a place that can't be written."""
    return QuestionError(f"{path} can't be written ({error.strerror}); name a folder that you may write to with --out")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _code_hash() -> str:
    """Of the code that answers and scores: a commit says nothing of what isn't committed."""
    digest = hashlib.sha256()
    for room in (corpus, rag):
        for file in sorted(Path(str(room.__file__)).parent.glob("*.py")):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    for file in sorted(Path(__file__).parent.glob("*.py")):
        if file.stem in ("metrics", "gold", "run", "judge", "questions"):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


def _commit() -> str | None:
    """The commit of a checkout, "+" where files differ from it; None where the product is installed."""
    git = ("git", "-C", str(Path(__file__).parent))
    try:
        commit = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
        changes = subprocess.run([*git, "status", "--porcelain", "-uno"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return commit.stdout.strip() + ("+" if changes.stdout.strip() else "")
