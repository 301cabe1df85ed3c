"""Writing a file so that nobody ever sees half of it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from corpus.errors import CorpusError

try:
    import fcntl
except ImportError:  # Windows, where nothing that is open can be deleted
    fcntl = None  # type: ignore[assignment]

_UNFINISHED = ".part"


def remove_unfinished(folder: Path) -> None:
    """Delete what writers that were killed left in a folder; a writer that is at work keeps its file locked."""
    try:
        strays = list(folder.glob(f".*{_UNFINISHED}"))
    except OSError:  # a folder that can't be read
        return
    for stray in strays:
        with contextlib.suppress(OSError):
            if fcntl is None:
                stray.unlink()
                continue
            with stray.open("rb") as opened:
                _lock(opened.fileno())
                stray.unlink()


def write_atomically(file: Path, data: bytes) -> None:
    """Write beside, then rename: a reader sees the old file or the new one. Raises CorpusError."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = _begin(file.parent)
    except OSError as error:
        raise CorpusError(f"{file} can't be written: {error.strerror}; mend the folder's permissions") from None
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
            if fcntl is not None:  # while it is locked
                os.replace(beside, file)
        if fcntl is None:
            os.replace(beside, file)
    except OSError as error:
        Path(beside).unlink(missing_ok=True)
        raise CorpusError(f"{file} can't be written: {error.strerror}; make room on the disk") from None


def _begin(folder: Path) -> tuple[int, str]:
    """A new file of a passing name, locked: its handle and path."""
    while True:
        handle, beside = tempfile.mkstemp(dir=folder, prefix=".", suffix=_UNFINISHED)
        with contextlib.suppress(OSError):  # a file system without locks
            _lock(handle)
        if os.fstat(handle).st_nlink or fcntl is None:
            return handle, beside
        os.close(handle)  # it was taken for a leftover before it was locked


def _lock(handle: int) -> None:
    """Raises OSError where somebody else holds it."""
    if fcntl is not None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
