"""Writing a file so that nobody ever sees half of it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from corpus.errors import CorpusError

_UNFINISHED = ".part"


def remove_unfinished(folder: Path) -> None:
    """Delete what writers that were killed left in a folder. Only for a folder that nobody writes to now."""
    for stray in folder.glob(f".*{_UNFINISHED}"):
        stray.unlink(missing_ok=True)


def write_atomically(file: Path, data: bytes) -> None:
    """Write beside, then rename: a reader sees the old file or the new one. Raises CorpusError."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=_UNFINISHED)
    except OSError as error:
        raise CorpusError(f"{file} can't be written: {error.strerror}; mend the folder's permissions") from None
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        os.replace(beside, file)
    except OSError as error:
        Path(beside).unlink(missing_ok=True)
        raise CorpusError(f"{file} can't be written: {error.strerror}; make room on the disk") from None
