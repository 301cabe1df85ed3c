"""Ctrl-C, a polite kill, or a full pipe: one line at most, an exit code that says so, and nothing half done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.folder import BUILDS
from tests.faults.conftest import Town

ROOT = Path(__file__).parents[2]
VERSE = (sys.executable, "-c", "from ui.start import main; main()")


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """What a shell starts in the background ignores Ctrl-C, and so would all that it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def begin(town: Town, *arguments: str) -> subprocess.Popen[str]:
    places = ("--corpus", str(town.corpus), "--index", str(town.index))
    return subprocess.Popen(
        [*VERSE, *places, *arguments],
        cwd=ROOT,
        env=dict(os.environ),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,
    )


def test_stopped_while_its_libraries_load_it_says_nothing(town: Town) -> None:
    told = [sys.executable, "-X", "importtime", *VERSE[1:], "--corpus", str(town.corpus), "sources"]
    with subprocess.Popen(told, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as verse:
        assert verse.stderr is not None
        while "numpy" not in verse.stderr.readline():
            assert verse.poll() is None
        verse.send_signal(signal.SIGINT)
        said, complained = verse.communicate()
    assert said == ""
    assert not [line for line in complained.splitlines() if not line.startswith("import time:")]
    assert verse.returncode == -signal.SIGINT


@pytest.mark.slow
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_an_ingest_that_is_stopped_clears_its_half_build_away(town: Town, sent: int, code: int) -> None:
    with begin(town, "ingest", "--rebuild") as verse:
        while len(list((town.index / BUILDS).iterdir())) < 2:
            assert verse.poll() is None
            time.sleep(0.01)
        verse.send_signal(sent)
        _, complained = verse.communicate()
    assert verse.returncode == code
    assert "Traceback" not in complained
    assert town.is_tidy()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_place_for_the_answer_that_is_full_is_one_line(town: Town) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*VERSE, "--corpus", str(town.corpus), "sources"], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 1
    assert done.stderr == "verse: No space left on device; make room, or mend what is named, and try again\n"
