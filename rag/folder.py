"""What lies in an index folder: complete builds, and a file `current` that names the one that serves.

current                  the name of a build; replaced by rename, so it is the old or the new, never half
builds/<name>/meta.json  format, model, corpus hash, counts, a mark of every file, a checksum of all this
builds/<name>/chroma/    passage vectors and texts, written through llama-index's vector store
builds/<name>/bm25/      the lexical index, memory-mapped
builds/<name>/*.npy      the table of passages; vectors of passages and sentences; their keys
builds/<name>/tokens.bin sketches of every token, one byte a dimension
builds/<name>/corpus.json  the texts that were read; serve where a source can't be read now
builds/<name>/encoder/   the query encoder that goes with these vectors
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np

from rag.errors import IndexMismatch, IndexMissing
from rag.integrity import FileMark, find_damage

try:
    import fcntl
except ImportError:  # Windows, where nothing that is open can be deleted
    fcntl = None  # type: ignore[assignment]

# Raised, too, when the encoder is taught anew: a build holds that, and the weights of rag/support.py fit it.
FORMAT = 10
CURRENT = "current"
BUILDS = "builds"
META = "meta.json"
CHROMA = "chroma"
BM25 = "bm25"
ENCODER = "encoder"
TEXTS = "corpus.json"
TABLE = "passages.npy"

# One row a passage: numbers of its source and section, its characters, and its sentences as (first, last + 1).
PASSAGE = np.dtype([(name, "u4") for name in ("source", "section", "start", "end", "first", "last")])


@dataclass(frozen=True)
class Meta:
    """What an index was built from; compared with what is asked for when it is opened."""

    format: int
    model: str
    dimension: int
    corpus: str
    passages: int
    sentences: int
    embedded: int
    sources: tuple[str, ...]
    hashes: tuple[str, ...]
    sections: tuple[tuple[str, str], ...]
    files: Mapping[str, FileMark]


def read_meta(folder: Path) -> tuple[Path, Meta]:
    """The serving build of an index folder and its meta. Raises IndexMissing or IndexMismatch."""
    try:
        there = (folder / CURRENT).is_file()
    except OSError as error:
        raise IndexMismatch(
            f"the index at {str(folder)!r} can't be read ({error.strerror}); mend its permissions"
        ) from None
    if not there:
        raise IndexMissing(f"no complete index at {str(folder)!r}; run: verse ingest")
    build = folder / BUILDS / _serving(folder)
    try:
        raw = json.loads((build / META).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(build / META, error) from None
    if not isinstance(raw, dict):
        raise _damaged(build / META, "no table")
    checksum = raw.pop("checksum", None)
    if raw.get("format") != FORMAT:
        raise IndexMismatch(
            f"the index at {str(folder)!r} has format {str(raw.get('format'))[:20]}, this version reads {FORMAT}; "
            "run: verse ingest"
        )
    if checksum != _checksum(raw):
        raise _damaged(build / META, "not what was written there")
    try:
        meta = Meta(
            **{
                **raw,
                "sources": tuple(raw["sources"]),
                "hashes": tuple(raw["hashes"]),
                "sections": tuple(map(tuple, raw["sections"])),
            }
        )
    except (TypeError, KeyError) as error:
        raise _damaged(build / META, error) from None
    return build, meta


def serving_meta(folder: Path) -> Meta | None:
    """What serves now in an index folder, if anything that this version can read."""
    try:
        return read_meta(folder)[1]
    except (IndexMissing, IndexMismatch):
        return None


def _serving(folder: Path) -> str:
    """The name of the build that serves. Raises IndexMismatch."""
    try:
        name = (folder / CURRENT).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise _damaged(folder / CURRENT, error) from None
    if not re.fullmatch(r"[0-9a-f]{12}", name) or not (folder / BUILDS / name).is_dir():
        raise _damaged(folder / CURRENT, f"no build is called {name[:20]!r}")
    return name


def _damaged(file: Path, why: object) -> IndexMismatch:
    return IndexMismatch(f"the index file {file} is damaged ({why}); run: verse ingest")


def check_build(build: Path, meta: Meta, *, whole: bool = False) -> None:
    """That the files of a build are what was written. Raises IndexMismatch naming the first that isn't."""
    damage = find_damage(build, meta.files, whole=whole)
    if damage:
        raise IndexMismatch(f"the index file {damage}; run: verse ingest")


class Reading:
    """The build that serves, kept from being deleted until it is closed. Where the file system has no locks an
    ingest of another process may delete it: what is open stays readable, what isn't is missed by name."""

    def __init__(self, build: Path, meta: Meta, lock: int | None) -> None:
        self.build = build
        self.meta = meta
        self._lock = lock

    @classmethod
    def begin(cls, folder: Path) -> Self:
        """Hold the serving build of an index folder. Raises IndexMissing or IndexMismatch."""
        while True:
            reading = cls(*(found := read_meta(folder)), _lock(found[0], shared=True))
            if (reading.build / META).is_file():
                return reading
            reading.close()  # it was replaced and deleted before it was locked

    def close(self) -> None:
        """Let an ingest delete the build, if it serves no more."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _lock(build: Path, *, shared: bool) -> int | None:
    """A lock on a build as the open file that holds it; None where there is nothing to lock. An exclusive one
    isn't waited for: raises BlockingIOError while somebody reads."""
    if fcntl is None:
        return None
    try:
        handle = os.open(build, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise
    except OSError:  # a file system without locks
        pass
    return handle


def publish(folder: Path, build: Path, meta: Meta) -> None:
    """Let a complete build serve, by one rename once all of it is on the disk, and delete those before it."""
    raw = json.loads(json.dumps(asdict(meta)))
    (build / META).write_text(json.dumps({**raw, "checksum": _checksum(raw)}), encoding="utf-8")
    for path in [*build.rglob("*"), build]:
        _flush(path)
    beside = folder / f".{CURRENT}-{build.name}"
    beside.write_text(build.name, encoding="utf-8")
    _flush(beside)
    os.replace(beside, folder / CURRENT)
    _flush(folder)
    remove_leftovers(folder, keep=build.name)


def _checksum(raw: Mapping[str, object]) -> int:
    return zlib.crc32(json.dumps(raw).encode())


def _flush(path: Path) -> None:
    """Wait until a file or folder is on the disk, so that no loss of power leaves a name without its content."""
    with contextlib.suppress(OSError):  # not every system lets a folder be opened
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove_leftovers(folder: Path, keep: str) -> None:
    """Delete what interrupted ingests left, and builds that neither serve nor are being read."""
    for stray in folder.glob(f".{CURRENT}-*"):
        stray.unlink(missing_ok=True)
    for build in (folder / BUILDS).iterdir():
        if build.name != keep:
            _remove_unread(build)


def _remove_unread(build: Path) -> None:
    """Delete a build unless somebody reads it; nobody can begin to meanwhile."""
    try:
        handle = _lock(build, shared=False)
    except BlockingIOError:
        return
    shutil.rmtree(build, ignore_errors=True)
    if handle is not None:
        os.close(handle)
