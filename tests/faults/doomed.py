"""What runs in the processes that these tests end."""

from __future__ import annotations

import os
import signal
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from corpus import Corpus, VerseError
from rag.ingest import ingest
from rag.settings import Settings

TOUCHES = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "shutil.rmtree")


def die_at_step(folder: Path, index: Path, step: int, rebuild: bool, out: Connection) -> None:
    """Ingest, and be killed at the n-th thing that is done to a file of the index; tell how many there are."""
    corpus, settings, done = Corpus.open(folder), Settings.read(corpus=folder, index=index), 0

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal done
        if event in TOUCHES and str(arguments[0]).startswith(str(index)):
            done += 1
            if done == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    ingest(corpus, settings, rebuild=rebuild)
    out.send(done)


def ingest_and_tell(folder: Path, index: Path, out: Connection) -> None:
    """Ingest anew; tell when it begins, and the error that it ends with, empty for none."""
    corpus, settings = Corpus.open(folder), Settings.read(corpus=folder, index=index)
    out.send("begins")
    try:
        ingest(corpus, settings, rebuild=True)
        out.send("")
    except VerseError as error:
        out.send(str(error))
