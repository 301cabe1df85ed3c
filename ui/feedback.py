"""What readers thought of an answer: one JSON object a line, kept on this machine."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from corpus import VerseError
from rag.datatypes import Answer

FEEDBACK = "feedback.jsonl"
LONGEST_REASON = 2_000
_WAIT = 5.0  # seconds for another writer to end

Rating = Literal["up", "down"]


def keep_feedback(home: Path, rating: Rating, reason: str, question: str, answer: Answer) -> None:
    """Append one line to `feedback.jsonl` in home; `verse eval --draft` reads it. Raises VerseError."""
    line = {
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "rating": rating,
        "reason": reason.strip()[:LONGEST_REASON],
        "question": question,
        "answer": answer.to_dict(),
    }
    file = home / FEEDBACK
    try:
        home.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{file}.lock", timeout=_WAIT), file.open("a", encoding="utf-8") as opened:
            opened.write(json.dumps(line) + "\n")
    except (OSError, Timeout) as error:
        why = "another program is writing it" if isinstance(error, Timeout) else error.strerror
        raise VerseError(f"{file} can't be written ({why}); mend its permissions or set VERSE_HOME") from None


def read_feedback(home: Path) -> bytes:
    """All ratings as they lie there, one JSON object a line; none where nobody rated. Raises VerseError."""
    file = home / FEEDBACK
    try:
        return file.read_bytes() if file.exists() else b""
    except OSError as error:
        raise VerseError(f"{file} can't be read ({error.strerror}); mend its permissions") from None


def delete_feedback(home: Path) -> None:
    """Delete all ratings. Raises VerseError."""
    file = home / FEEDBACK
    try:
        with FileLock(f"{file}.lock", timeout=_WAIT):
            file.unlink(missing_ok=True)
    except (OSError, Timeout) as error:
        why = "another program is writing it" if isinstance(error, Timeout) else error.strerror
        raise VerseError(f"{file} can't be deleted ({why}); mend its permissions") from None
