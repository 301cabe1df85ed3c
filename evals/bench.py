"""The verb `verse bench`: our stack and the plain one side by side, each measurement in a process of its own.

Runs of the two alternate, so that what else the machine does meets both. A figure is the median of its runs with
the smallest and the largest beside it.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click
import httpx
import numpy as np
import psutil
from rich.console import Console

from evals.bench_asking import QUESTIONS
from evals.bench_report import draw, figures, print_figures
from evals.bench_text import generate
from rag.ingest import ingest
from rag.opening import open_corpus
from rag.settings import Settings

Runs = dict[str, list[dict[str, Any]]]

_OURS, _PLAIN = "ours", "plain"
_PLAIN_NEEDS = "llama-index-embeddings-huggingface"
_COUNT = click.IntRange(1)
_ASKERS = (1, 8, 64)
_RESULTS = Path(__file__).parent / "results"


@click.command()
@click.option("--runs", default=5, show_default=True, type=_COUNT, help="How often each measurement is made.")
@click.option(
    "--size", "sizes", multiple=True, type=_COUNT, default=(100, 1000), help="Passages ingested by both stacks."
)
@click.option(
    "--growth", "grown", multiple=True, type=_COUNT, default=(100, 1_000, 10_000), help="Passages of the growth run."
)
@click.option("--out", type=click.Path(path_type=Path), default=_RESULTS / "bench.json", help="The JSON file.")
def bench(runs: int, sizes: tuple[int, ...], grown: tuple[int, ...], out: Path) -> None:
    """Measure us against the plain llama-index stack over the built-in corpus, and growth up to the sizes named."""
    try:
        version(_PLAIN_NEEDS)
    except PackageNotFoundError:
        raise click.ClickException(f"the plain stack needs {_PLAIN_NEEDS}; run: pip install '.[bench]'") from None
    settings = Settings.read()
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="verse-bench-") as scratch, console.status("") as status:
        measured = _Bench(Path(scratch), settings, runs, lambda line: status.update(line)).run(sizes, grown)
    record = {"command": " ".join(["verse", *sys.argv[1:]]), "machine": _machine(), **measured}
    record["figures"] = figures(measured)
    out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    draw(measured, record["figures"], out.with_suffix(".svg"))
    print_figures(record["figures"])


class _Bench:
    """One run of everything; scratch files lie in a folder that goes with it."""

    def __init__(self, scratch: Path, settings: Settings, runs: int, say: Callable[[str], object]) -> None:
        self._scratch = scratch
        self._settings = settings
        self._runs = runs
        self._say = say
        self._environment = {**os.environ, "VERSE_HOME": str(settings.home)}

    def run(self, sizes: tuple[int, ...], grown: tuple[int, ...]) -> dict[str, Any]:
        """All measurements as JSON types."""
        self._say("The index of both stacks over the built-in corpus")
        corpus = open_corpus(self._settings)
        ours, plain = ingest(corpus, self._settings).folder, self._scratch / _PLAIN
        texts = self._texts("article", {source: document.text for source, document in corpus.documents.items()})
        self._child(_PLAIN, "ingest", plain, texts)
        question = QUESTIONS[0]
        both = {_OURS: [ours], _PLAIN: [plain]}
        return {
            "cold": self._cold(plain, question),
            "phases": self._pairs("import, open, first answer", "first_answer", both, question),
            "warm": self._pairs("warm answers", "warm", both, "5"),
            "askers": {
                str(count): self._pairs(f"{count} at once", "askers", both, str(count), "4") for count in _ASKERS
            },
            "ingest": {str(size): self._ingest(size) for size in sizes},
            "growth": [self._growth(size) for size in grown],
            "no_change": [self._timed(_verse("ingest")) for _ in range(self._runs)],
            "page": [self._page() for _ in range(min(3, self._runs))],
        }

    def _cold(self, plain: Path, question: str) -> dict[str, list[float]]:
        """Seconds from the start of a process to its printed answer and its end."""
        found: dict[str, list[float]] = {_OURS: [], _PLAIN: []}
        for n in range(self._runs):
            self._say(f"cold, {n + 1} of {self._runs}")
            found[_OURS].append(self._timed(_verse("ask", question)))
            found[_PLAIN].append(self._timed(_module(_PLAIN, "ask", plain, question)))
        return found

    def _pairs(self, name: str, task: str, folders: dict[str, list[Path]], *given: str) -> Runs:
        found: Runs = {stack: [] for stack in folders}
        for n in range(self._runs):
            self._say(f"{name}, {n + 1} of {self._runs}")
            for stack, folder in folders.items():
                found[stack].append(self._child(stack, task, *folder, *given))
        return found

    def _ingest(self, size: int) -> Runs:
        """Both stacks over the same generated texts; the larger, the fewer runs."""
        texts = self._texts(f"made-{size}", generate(size))
        found: Runs = {_OURS: [], _PLAIN: []}
        for n in range(max(1, min(self._runs, 1000 // size))):
            self._say(f"ingest of {size:,} passages, {n + 1}")
            for stack, runs in found.items():
                runs.append(self._child(stack, "ingest", self._scratch / f"{stack}-{size}-{n}", texts))
        return found

    def _growth(self, size: int) -> dict[str, Any]:
        """Ours alone with made-up vectors: what the index costs to build, to open and to ask at a size."""
        self._say(f"growth: {size:,} passages")
        folder, texts = self._scratch / f"grown-{size}", self._texts(f"grown-{size}", generate(size, seed=2))
        built = self._child(_OURS, "ingest", folder, texts, "made-up")
        asked = [self._child(_OURS, "warm", folder, "2", texts) for _ in range(min(3, self._runs))]
        p50 = float(np.median([np.median(run["seconds"]) for run in asked]))
        p95 = float(np.median([np.percentile(run["seconds"], 95) for run in asked]))
        return {**built, "p50": p50, "p95": p95, "asking_rss": asked[0]["rss"], "asking_uss": asked[0]["uss"]}

    def _page(self) -> float:
        """Seconds from `verse ui` to its first page, whole."""
        self._say("the page")
        began = time.perf_counter()
        command = _verse("ui", "--port", "0")
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=self._environment) as server:
            try:
                assert server.stdout is not None
                address = re.search(r"http://\S+", server.stdout.readline())
                if address is None:
                    raise click.ClickException("the page didn't start; try: verse ui --port 0")
                httpx.get(address[0], timeout=60).raise_for_status()
                return time.perf_counter() - began
            finally:
                server.kill()

    def _timed(self, command: list[str]) -> float:
        began = time.perf_counter()
        self._run(command)
        return time.perf_counter() - began

    def _child(self, stack: str, task: str, *given: Path | str) -> dict[str, Any]:
        result: dict[str, Any] = json.loads(self._run(_module(stack, task, *given)))
        return result

    def _run(self, command: list[str]) -> str:
        done = subprocess.run(command, capture_output=True, text=True, env=self._environment)
        if done.returncode:
            raise click.ClickException(f"{' '.join(command[:5])} failed: {done.stderr.strip()[-500:]}")
        return done.stdout

    def _texts(self, name: str, texts: dict[str, str]) -> Path:
        file = self._scratch / f"{name}.json"
        file.write_text(json.dumps(texts), encoding="utf-8")
        return file


def _verse(*given: str) -> list[str]:
    return [sys.executable, "-c", "from ui.start import main; main()", *given]


def _module(stack: str, task: str, *given: Path | str) -> list[str]:
    return [sys.executable, "-m", f"evals.bench_{stack}", task, *map(str, given)]


def _machine() -> dict[str, Any]:
    """What the figures were taken on, and what else it was doing."""
    packages = ("chapter-and-verse", "onnxruntime", "chromadb", "torch", "sentence-transformers", "llama-index-core")
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "load_at_end": [round(x, 1) for x in psutil.getloadavg()],
        "packages": {name: version(name) for name in packages},
    }
