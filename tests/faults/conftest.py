"""A small corpus, its index, and what it answers while all is well."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

import rag
from corpus import Corpus
from rag.folder import BUILDS, CURRENT
from rag.ingest import Ingested, ingest
from rag.settings import Settings
from tests.faults.doomed import die_at_step, ingest_and_tell

LONG = float(os.environ.get("SOAK_MINUTES", "0")) >= 2  # `make soak`
TOPICS = ("ferry", "harbour", "lighthouse", "market", "orchard", "quarry", "smithy", "tannery")
QUESTIONS = ("When does the ferry open?", "Who looks after the lighthouse?", "What is the price at the market?")


@dataclass(frozen=True)
class Town:
    """A corpus folder and its index."""

    corpus: Path
    index: Path

    @property
    def build(self) -> Path:
        return self.index / BUILDS / (self.index / CURRENT).read_text()

    def ingest(self, *, rebuild: bool = False) -> Ingested:
        return ingest(Corpus.open(self.corpus), self.settings, rebuild=rebuild)

    @property
    def settings(self) -> Settings:
        return Settings.read(corpus=self.corpus, index=self.index)

    def answers(self) -> list[dict[str, Any]]:
        """What is answered to all questions, but for the time it took."""
        with rag.open_engine(self.corpus, index=self.index) as engine:
            found = [engine.ask(question).to_dict() for question in QUESTIONS]
        return [{**answer, "timings": None} for answer in found]

    def at_work(self) -> bool:
        """Whether an ingest has begun and said who it is: its file is there a moment before its text."""
        holder = self.index / "ingest.holder"
        return holder.is_file() and holder.read_text() != ""

    def is_tidy(self) -> bool:
        """Whether the index folder holds one build and what goes with it, nothing else."""
        top = {path.name for path in self.index.iterdir()}
        return top == {CURRENT, BUILDS, "ingest.lock"} and [self.build] == list((self.index / BUILDS).iterdir())

    def files(self) -> list[Path]:
        return sorted(path for path in self.index.rglob("*") if path.is_file())


def write_town(folder: Path) -> None:
    folder.mkdir()
    for n, topic in enumerate(TOPICS):
        parts = [
            f"# The {topic} in year {year}\n\nThe {topic} opens at {(n + year) % 12 + 1} o'clock. Keeper {year} looks "
            f"after the {topic}. The price at the {topic} is {year * 3 + n} crowns."
            for year in range(1, 9)
        ]
        (folder / f"{topic}.md").write_text("\n\n".join(parts), encoding="utf-8")


@pytest.fixture(scope="session")
def pristine(encoder_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Town:
    """A town that no test changes."""
    folder = tmp_path_factory.mktemp("pristine")
    write_town(folder / "town")
    town = Town(folder / "town", folder / "index")
    town.ingest()
    return town


@pytest.fixture(scope="session")
def answers(pristine: Town) -> list[dict[str, Any]]:
    """What the town answers while all is well."""
    found = pristine.answers()
    assert [answer["status"] for answer in found] == ["answered"] * len(QUESTIONS)
    return found


@pytest.fixture
def town(pristine: Town, tmp_path: Path) -> Town:
    """A town of one's own, with an encoder that may be damaged."""
    shutil.copytree(pristine.corpus, tmp_path / "town")
    shutil.copytree(pristine.index, tmp_path / "index")
    return Town(tmp_path / "town", tmp_path / "index")


class Ingests:
    """Processes that ingest, forked from one that has imported everything, so that they begin at once."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["llama_index.vector_stores.chroma", "tests.faults.doomed"])

    def die_at_step(self, town: Town, step: int, *, rebuild: bool = True) -> int | None:
        """Ingest and be killed at a step; the number of steps if there are fewer."""
        told, tell = self._context.Pipe(duplex=False)
        process = self._context.Process(target=die_at_step, args=(town.corpus, town.index, step, rebuild, tell))
        process.start()
        tell.close()
        process.join()
        with told:
            done = None if process.exitcode == -signal.SIGKILL else int(told.recv())
        process.close()
        return done

    @contextmanager
    def ingesting(self, town: Town) -> Iterator[tuple[BaseProcess, Connection]]:
        """An ingest that has just begun, and where it tells its error."""
        told, tell = self._context.Pipe(duplex=False)
        process = self._context.Process(target=ingest_and_tell, args=(town.corpus, town.index, tell))
        process.start()
        tell.close()
        try:
            with told:
                assert told.recv() == "begins"
                yield process, told
                process.join()
        finally:
            process.kill()  # one that a failed test left stopped would keep this process from ever ending
            process.join()
            process.close()


@pytest.fixture(scope="session")
def ingests() -> Ingests:
    return Ingests()
