"""Whatever ends an ingest, the last complete index serves, and the next ingest finishes and leaves nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import rag
from corpus import Corpus, atomic
from corpus.edit import new_corpus
from corpus.pages import PageRecord, store, targets
from rag.bundle import write_bundle
from rag.doctor import examine
from rag.folder import BUILDS, FORMAT, META
from rag.ingest import ingest
from rag.opening import open_corpus, pages_folder
from tests.faults.conftest import LONG, Ingests, Town

KILLS = 100 if LONG else 6
REBUILDS = 50 if LONG else 4


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.mark.slow
@pytest.mark.soak
def test_killed_at_any_step_an_ingest_loses_nothing(
    town: Town, answers: list[dict[str, Any]], ingests: Ingests
) -> None:
    steps = ingests.die_at_step(town, 0)
    assert steps is not None and steps > 30
    every = max(1, steps // KILLS)
    for step in range(1 + every // 2, steps + 1, every):
        assert ingests.die_at_step(town, step) is None
        assert town.answers() == answers, step
    # The last steps are those of the swap.
    for step in range(steps - 2, steps + 1):
        assert ingests.die_at_step(town, step) is None
    assert town.answers() == answers
    town.ingest()
    assert town.is_tidy()
    assert town.answers() == answers


@pytest.mark.slow
@pytest.mark.soak
def test_killed_at_a_random_moment_an_ingest_loses_nothing(
    town: Town, answers: list[dict[str, Any]], ingests: Ingests
) -> None:
    began = time.perf_counter()
    with ingests.ingesting(town):
        pass
    whole = time.perf_counter() - began
    chance = random.Random(1)
    for _ in range(KILLS):
        with ingests.ingesting(town) as (process, _):
            process.join(chance.uniform(0, whole))
            process.kill()
        assert town.answers() == answers
    town.ingest()
    assert town.is_tidy()
    assert town.answers() == answers


def test_an_edit_killed_half_way_serves_the_old_text_or_the_new(
    town: Town, answers: list[dict[str, Any]], ingests: Ingests
) -> None:
    before = Corpus.open(town.corpus)
    (town.corpus / "ferry.md").write_text("# The ferry\n\nThe ferry opens at noon.", encoding="utf-8")
    assert ingests.die_at_step(town, 25, rebuild=False) is None
    with rag.open_engine(before, index=town.index) as engine:
        assert {**engine.ask("When does the ferry open?").to_dict(), "timings": None} == answers[0]
    with pytest.raises(rag.IndexMismatch, match="run: verse ingest"):
        town.answers()
    assert town.ingest().meta.embedded == 1
    assert town.is_tidy()
    assert "noon" in town.answers()[0]["text"]


def test_what_was_left_by_a_crash_is_gone_after_an_ingest_that_changes_nothing(town: Town) -> None:
    (town.index / BUILDS / "0123456789ab" / "chroma").mkdir(parents=True)
    (town.index / ".current-0123456789ab").write_text("0123456789ab")
    (town.index / "ingest.holder").write_text("process 1 on an old machine")
    assert not town.ingest().changed
    assert town.is_tidy()


def test_what_a_killed_reader_left_is_gone_after_an_ingest_and_what_is_being_written_is_not(
    town: Town, tmp_path: Path
) -> None:
    parsed = tmp_path / "home" / "parsed"
    parsed.mkdir(parents=True)
    (parsed / ".left.part").write_bytes(b"half")
    handle, writing = atomic._begin(parsed)
    ingest(Corpus.open(town.corpus), town.settings.model_copy(update={"home": tmp_path / "home"}))
    assert [str(path) for path in parsed.iterdir()] == [writing]
    os.close(handle)


def test_a_second_ingest_is_told_who_is_at_work_and_a_crash_leaves_no_lock(town: Town, ingests: Ingests) -> None:
    with ingests.ingesting(town) as (first, _):
        while not town.at_work():
            time.sleep(0.01)
        assert first.pid is not None
        os.kill(first.pid, signal.SIGSTOP)
        with pytest.raises(rag.IndexMismatch, match=rf"another ingest is at work.*process {first.pid} on .*wait"):
            town.ingest()
        first.kill()
    town.ingest()
    assert town.is_tidy()


@pytest.mark.parametrize("then", [signal.SIGCONT, signal.SIGKILL], ids=["finished", "killed"])
def test_who_asks_while_the_first_index_is_built_waits_for_it_and_is_told_so(
    town: Town,
    answers: list[dict[str, Any]],
    ingests: Ingests,
    tmp_path: Path,
    then: signal.Signals,
    caplog: pytest.LogCaptureFixture,
) -> None:
    first = Town(town.corpus, tmp_path / "first")
    caplog.set_level("WARNING")
    with ingests.ingesting(first) as (builder, _), ThreadPoolExecutor(1) as pool:
        while not first.at_work():
            time.sleep(0.01)
        assert builder.pid is not None
        os.kill(builder.pid, signal.SIGSTOP)
        asking = pool.submit(first.answers)
        while not caplog.messages:
            time.sleep(0.01)
        assert f"(process {builder.pid} on " in caplog.messages[0]
        assert caplog.messages[0].endswith("waiting for it to end, 10 minutes at most")
        assert not asking.done()
        os.kill(builder.pid, then)
        assert asking.result(60) == answers
    assert len(caplog.messages) == 1
    assert first.is_tidy()


def test_who_reads_keeps_what_is_read(town: Town, answers: list[dict[str, Any]]) -> None:
    with rag.open_engine(town.corpus, index=town.index) as early:
        build = early.index.build
        for _ in range(2):
            town.ingest(rebuild=True)
            assert {**early.ask("When does the ferry open?").to_dict(), "timings": None} == answers[0]
        assert build.is_dir()
        assert len(list((town.index / BUILDS).iterdir())) == 2
    town.ingest()
    assert town.is_tidy()


@pytest.mark.slow
@pytest.mark.soak
def test_rebuilt_again_and_again_an_index_takes_no_more_room(town: Town) -> None:
    town.ingest(rebuild=True)
    before = size(town.index)
    for _ in range(REBUILDS):
        town.ingest(rebuild=True)
    assert size(town.index) < 1.02 * before
    assert town.is_tidy()


@pytest.mark.slow
def test_a_full_disk_is_named_and_what_serves_goes_on(
    town: Town, answers: list[dict[str, Any]], ingests: Ingests, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=240m", "tmpfs", str(disk)], check=False).returncode:
        pytest.skip("a small disk can't be mounted here; needs root")
    try:
        small = Town(town.corpus, disk / "index")
        shutil.copytree(town.index, small.index)
        room = disk / "room"
        for free in (0, 50_000, 200_000, 400_000, 900_000):
            room.unlink(missing_ok=True)
            usage = os.statvfs(disk)
            with room.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, max(1, usage.f_bavail * usage.f_frsize - free))
            with ingests.ingesting(small) as (_, told):
                said = told.recv()
            assert said.startswith("the index can't be written") and "free space" in said, (free, said)
            assert small.answers() == answers
        with contextlib.suppress(OSError), room.open("ab", buffering=0) as file:
            while file.write(bytes(4096)):  # to the last byte
                pass
        with pytest.raises(rag.CorpusError, match="No space left"):
            new_corpus(disk / "new")
        with pytest.raises(rag.SettingsError, match="No space left"):
            write_bundle(disk / "report.zip", town.settings, ())
        room.unlink()
        new_corpus(disk / "new")  # nothing was left of the first try
        write_bundle(disk / "report.zip", town.settings, ())
        small.ingest()
        assert small.is_tidy()
        assert small.answers() == answers
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_read_only_index_serves_and_says_why_it_cannot_be_rebuilt(town: Town, answers: list[dict[str, Any]]) -> None:
    mount = ["mount", "--bind", str(town.index), str(town.index)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here; needs root")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(town.index)], check=True)
        assert town.answers() == answers
        with pytest.raises(rag.IndexMismatch, match=r"can't be written.*Read-only.*--index"):
            town.ingest(rebuild=True)
        assert town.answers() == answers
    finally:
        subprocess.run(["umount", str(town.index)], check=True)


def test_a_source_that_vanishes_serves_from_the_index_until_an_ingest_leaves_it_out(town: Town) -> None:
    _write_manifest(town)
    town.ingest()
    before = town.answers()
    ferry = town.corpus / "ferry.md"
    text = ferry.read_bytes()
    ferry.unlink()
    assert town.answers() == before
    with rag.open_engine(town.corpus, index=town.index) as engine:
        assert "ferry.md is missing; put the text there" in engine.corpus.failures["ferry"]
    (town.corpus / "market.md").write_bytes(b"\0\1\2\3" * 99)  # one more, damaged
    assert town.answers() == before
    done = town.ingest()
    assert done.removed == done.failed == ("ferry", "market")
    with rag.open_engine(town.corpus, index=town.index) as engine:
        assert engine.ask("Who looks after the lighthouse?").citations[0].source_id == "lighthouse"
        with pytest.raises(rag.QuestionError):
            engine.ask("When does it open?", sources=["ferry"])
    ferry.write_bytes(text)
    assert town.ingest().meta.embedded == 8
    assert town.answers()[0]["text"] == before[0]["text"]


def test_a_vanished_source_beside_an_edited_one_is_no_reason_to_serve_old_words(town: Town) -> None:
    _write_manifest(town)
    town.ingest()
    (town.corpus / "ferry.md").unlink()
    (town.corpus / "market.md").write_text("# Market\n\nThe market is closed for ever and a day.", encoding="utf-8")
    with pytest.raises(rag.IndexMismatch, match="run: verse ingest"):
        town.answers()


def test_a_downloaded_page_that_vanishes_serves_from_the_index_until_an_ingest_leaves_it_out(town: Town) -> None:
    _write_manifest(town, ferry='links = ["https://example.org/ferry", "https://example.org/pier"]\n')
    before = Corpus.open(town.corpus)
    pages = pages_folder(town.settings)
    for target in targets(before.sources):
        body = f"The bridge at {target.url} was painted blue in the spring.".encode()
        found = {"final_url": target.url, "title": "A page", "etag": "", "last_modified": "", "fetched": "2025-11-25"}
        record = PageRecord(target.url, file=f"{target.page_id}.txt", sha256=sha256(body).hexdigest(), **found)
        store(pages, target, record, body)
    try:
        ingest(open_corpus(town.settings), town.settings)
        with rag.open_engine(town.corpus, index=town.index) as engine:
            told = engine.ask("What colour was the bridge painted?").text
        for page in sorted(pages.glob("ferry--*.txt")):
            page.unlink()
            with rag.open_engine(town.corpus, index=town.index) as engine:
                assert engine.ask("What colour was the bridge painted?").text == told
                assert "that was downloaded is gone; get it again with: verse fetch" in str(engine.corpus.failures)
        (check,) = (check for check in examine(town.settings) if check.name == "pages")
        assert (check.ok, check.cure) == (False, "verse fetch")
        assert len(ingest(open_corpus(town.settings), town.settings).removed) == 2
    finally:
        shutil.rmtree(pages)


def test_a_corpus_folder_that_vanishes_serves_from_its_index(town: Town, tmp_path: Path) -> None:
    town.ingest(rebuild=True)  # here; what was copied here is another folder's
    before = town.answers()
    shutil.move(town.corpus, tmp_path / "elsewhere")
    assert town.answers() == before
    with pytest.raises(rag.CorpusError, match="no corpus folder"):
        town.ingest()
    with pytest.raises(rag.CorpusError, match="no corpus folder"):  # the index of one folder isn't another's
        rag.open_engine(tmp_path / "typo", index=town.index)


def test_a_folder_that_the_system_refuses_to_look_into_is_named(town: Town, tmp_path: Path) -> None:
    # Root may look into every folder, so the refusal here is of a name that is too long.
    refused = tmp_path / ("x" * 300)
    with pytest.raises(rag.CorpusError, match=r"can't be read: File name too long"):
        rag.open_engine(refused, index=town.index)
    with pytest.raises(rag.IndexMismatch, match=r"can't be read \(File name too long\)"):
        rag.open_engine(town.corpus, index=refused)


def test_sections_of_a_primary_text_that_vanished_are_no_fault_of_those_that_bear_on_them(town: Town) -> None:
    _write_manifest(town, ferry='stance = "opposing"\nbears_on = ["The market in year 1"]\n')
    town.ingest()
    (town.corpus / "market.md").unlink()
    assert town.ingest().removed == ("market",)


def test_a_clock_that_jumps_changes_nothing(town: Town, answers: list[dict[str, Any]]) -> None:
    for years in (-50, 50):
        then = time.time() + years * 31_557_600
        for path in [*town.index.rglob("*"), *town.corpus.iterdir()]:
            os.utime(path, (then, then))
        assert not town.ingest().changed
        assert town.answers() == answers


@pytest.mark.parametrize("version", [1, FORMAT + 1])
def test_an_index_of_another_version_is_named_and_replaced(
    town: Town, answers: list[dict[str, Any]], version: int
) -> None:
    meta = town.build / META
    meta.write_text(json.dumps({"format": version, "made": "by another version"}))
    with pytest.raises(rag.IndexMismatch, match=rf"format {version}, this version reads {FORMAT}; run: verse ingest"):
        town.answers()
    assert town.ingest().changed
    assert town.is_tidy()
    assert town.answers() == answers


def _write_manifest(town: Town, **more: str) -> None:
    """A manifest that names every text, with `more` for a source by its id."""
    entries = (f'[[sources]]\nid = "{f.stem}"\ntitle = "{f.stem}"\n{more.get(f.stem, "")}' for f in _texts(town))
    (town.corpus / "manifest.toml").write_text('title = "Town"\n' + "".join(entries), encoding="utf-8")


def _texts(town: Town) -> list[Path]:
    return sorted(town.corpus.glob("*.md"))
