"""Each file of an index in turn: cut short, wiped, lost, one bit turned. Noticed at open, by name, with the cure."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rag
from rag.chroma import DATABASE, DenseIndex
from rag.datatypes import Scope
from rag.encoder import TOKENIZER_FILE
from rag.errors import DenseUnavailable
from rag.export import export_encoder
from rag.folder import CHROMA, CURRENT, read_meta
from rag.integrity import READ_WHOLE, SEEN, find_damage, mark_files
from tests.faults.conftest import Town


def damages(content: bytes, chance: random.Random) -> Iterator[tuple[str, bytes]]:
    yield "cut short", content[: len(content) // 2]
    yield "cut by a byte", content[:-1]
    yield "wiped", b"\0" * len(content)
    places = {0, len(content) // 2, len(content) - 1, *(chance.randrange(len(content)) for _ in range(4))}
    for place in sorted(places):
        bit = 1 << chance.randrange(8)
        yield f"bit {bit} at {place}", content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]


def test_damage_to_any_file_is_named_at_open(town: Town, answers: list[dict[str, Any]]) -> None:
    chance = random.Random(8)
    marks = read_meta(town.index)[1].files
    named = 0
    for file in [file for file in town.files() if file.name != "ingest.lock" and file.stat().st_size]:
        content = file.read_bytes()
        mark = marks.get(file.relative_to(town.build).as_posix() if file.name != CURRENT else "")
        for kind, damaged in damages(content, chance):
            place = int(kind.rsplit(" ", 1)[-1]) if kind.startswith("bit") else -1
            if damaged == content or any(a <= place < b for a, b in (mark or {"loose": []})["loose"]):
                continue
            file.write_bytes(damaged)
            with pytest.raises(rag.IndexMismatch, match=r"verse ingest") as caught:
                town.answers()
            assert file.name in str(caught.value), kind
            named += 1
        if file.name != CURRENT:  # without it there is no index, and one is built
            file.unlink()
            with pytest.raises(rag.IndexMismatch, match=rf"{file.name}.*verse ingest"):
                town.answers()
        file.write_bytes(content)
    assert named > 150
    assert town.answers() == answers


def _by_chroma(town: Town) -> list[tuple[int, float]] | None:
    """The nearest passages by Chroma, which isn't asked for so few otherwise; None where it can't serve."""
    try:
        dense = DenseIndex.open(town.build / CHROMA)
    except DenseUnavailable:
        return None
    try:
        return dense.search(np.full(384, 384**-0.5, dtype=np.float32), 5, Scope())
    finally:
        dense.close()


def test_where_chroma_itself_writes_damage_changes_no_answer(town: Town, answers: list[dict[str, Any]]) -> None:
    database = town.build / CHROMA / DATABASE
    content, found = database.read_bytes(), _by_chroma(town)
    assert found
    for start, end in read_meta(town.index)[1].files[f"{CHROMA}/{DATABASE}"]["loose"]:
        for place in (start, (start + end) // 2, end - 1):
            database.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
            assert town.answers() == answers
            assert _by_chroma(town) in (found, None)
        database.write_bytes(content[:start] + b"\xff" * (end - start) + content[end:])
        assert town.answers() == answers
        assert _by_chroma(town) in (found, None)


def test_the_next_ingest_mends_what_is_damaged_and_takes_nothing_over_from_it(
    town: Town, answers: list[dict[str, Any]]
) -> None:
    vectors = town.build / "passage_vectors.npy"
    content = vectors.read_bytes()
    vectors.write_bytes(content[:-1000] + b"\0" * 1000)
    done = town.ingest()
    assert done.changed and done.meta.embedded == done.meta.passages
    assert town.answers() == answers


def test_opened_a_thousand_times_an_index_is_still_sound(town: Town, answers: list[dict[str, Any]]) -> None:
    # Chroma adds a row to its database each time; ten openings show it, the rest is done for it.
    database = town.build / CHROMA / DATABASE
    before = database.read_bytes()
    for _ in range(10):
        assert _by_chroma(town)
    assert database.read_bytes() != before
    with closing(sqlite3.connect(database)) as opened, opened:
        opened.executemany("INSERT INTO acquire_write (lock_status) VALUES (?)", [(1,)] * 5_000)
    assert database.stat().st_size > len(before)
    assert town.answers() == answers


@pytest.mark.slow
def test_a_damaged_export_of_the_encoder_is_made_anew(encoder_files: Path, tmp_path: Path) -> None:
    folder = tmp_path / "encoders" / encoder_files.name
    shutil.copytree(encoder_files, folder)
    shutil.copy(encoder_files.with_name(f"{encoder_files.name}.json"), folder.parent)
    assert export_encoder(tmp_path) == folder
    content = (folder / TOKENIZER_FILE).read_bytes()
    (folder / TOKENIZER_FILE).write_bytes(content[:-1] + b" ")
    (folder.parent / ".export-left-by-a-crash").mkdir()
    export_encoder(tmp_path)
    assert (folder / TOKENIZER_FILE).read_bytes() == content
    assert not (folder.parent / ".export-left-by-a-crash").exists()


def test_a_large_folder_is_read_again_only_where_it_was_written_to(tmp_path: Path) -> None:
    large, small = tmp_path / "large", tmp_path / "small"
    with large.open("wb") as file:
        file.truncate(READ_WHOLE + 1)
    small.write_bytes(b"one")
    marks = mark_files(tmp_path)
    assert find_damage(tmp_path, marks) == ""
    assert set(json.loads((tmp_path / SEEN).read_bytes())) == {"large", "small"}
    began = time.perf_counter()
    assert find_damage(tmp_path, marks) == ""
    quick = time.perf_counter() - began
    status = small.stat()
    small.write_bytes(b"two")
    os.utime(small, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert find_damage(tmp_path, marks) == f"{small} doesn't hold what was written there"
    began = time.perf_counter()
    assert find_damage(tmp_path, marks, whole=True)
    assert quick < (time.perf_counter() - began) / 3
