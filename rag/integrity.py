"""Damage to files is noticed: each gets a mark when it is written, and is compared with it before it is used.

A mark is a length and a CRC-32: every flipped bit and every shorter burst changes it, other damage but for one
case in four billion, and 100 MB take some 40 ms. It is meant for accidents, not for somebody who may write to
the folder, since he could write the marks too.
"""

from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from typing_extensions import TypedDict

from corpus.atomic import write_atomically
from corpus.errors import CorpusError

# What a folder may hold and still be read whole each time. In a larger one a file that was found sound is read
# again only when its status has changed; a write changes that, decay of the disk itself doesn't.
READ_WHOLE = 300_000_000
SEEN = "seen.json"
_PIECE = 1 << 20

Ranges = Sequence[tuple[int, int]]


class FileMark(TypedDict):
    """By which a file is known again. `loose` are (start, end) of bytes that its owner goes on writing to; such a
    file may also grow."""

    bytes: int
    crc32: int
    loose: list[tuple[int, int]]


def mark_files(folder: Path, loose: Mapping[str, Ranges] | None = None) -> dict[str, FileMark]:
    """Marks of all files under a folder, by their paths in it; `loose` names bytes that may change, by path."""
    marks: dict[str, FileMark] = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = file.relative_to(folder).as_posix()
        ranges = sorted((loose or {}).get(name, ()))
        size = file.stat().st_size
        marks[name] = {"bytes": size, "crc32": _checksum(file, size, ranges), "loose": ranges}
    return marks


def find_damage(folder: Path, marks: Mapping[str, FileMark], *, whole: bool = False) -> str:
    """The first file that isn't what its mark says, and how; empty where all are. `whole`: read every byte, however
    large the folder is and whatever was seen before."""
    large = sum(mark["bytes"] for mark in marks.values()) > READ_WHOLE
    seen = _read_seen(folder) if large and not whole else {}
    for name, mark in marks.items():
        status = _status(folder / name)
        if not status or seen.get(name) != status:
            state = _compare(folder / name, mark)
            if state:
                return f"{folder / name} {state}"
            seen[name] = status
    if large:
        _write_seen(folder, seen)
    return ""


def _compare(file: Path, mark: FileMark) -> str:
    """What is wrong with a file; empty for nothing."""
    try:
        size = file.stat().st_size
        if size < mark["bytes"] or (size > mark["bytes"] and not mark["loose"]):
            return f"has {size} bytes, expected {mark['bytes']}"
        same = _checksum(file, mark["bytes"], mark["loose"]) == mark["crc32"]
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"can't be read ({error.strerror})"
    return "" if same else "doesn't hold what was written there"


def _checksum(file: Path, size: int, loose: Ranges) -> int:
    """CRC-32 of the first `size` bytes without the loose ones."""
    checksum, start = 0, 0
    with file.open("rb") as data:
        for a, b in [*loose, (size, size)]:
            data.seek(start)
            while start < a:
                piece = data.read(min(_PIECE, a - start))
                if not piece:
                    break
                checksum, start = zlib.crc32(piece, checksum), start + len(piece)
            start = max(start, b)
    return checksum


def _status(file: Path) -> list[int]:
    try:
        found = file.stat()
    except OSError:
        return []
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def _read_seen(folder: Path) -> dict[str, list[int]]:
    try:
        seen = json.loads((folder / SEEN).read_bytes())
    except (OSError, ValueError):
        return {}
    return seen if isinstance(seen, dict) else {}


def _write_seen(folder: Path, seen: Mapping[str, list[int]]) -> None:
    with contextlib.suppress(CorpusError):  # a folder that can't be written is read whole each time
        write_atomically(folder / SEEN, json.dumps(seen).encode())
