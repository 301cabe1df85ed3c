"""Which answer each visitor waits for, so that Stop and a closed page end it at once, also in mid-sentence."""

from __future__ import annotations

import threading
from typing import Protocol


class Closable(Protocol):
    """What can be ended from any thread."""

    def close(self) -> None:
        """End it."""
        ...


class Running:
    """One answer a visitor; a visitor is a session of the page."""

    def __init__(self) -> None:
        self._answers: dict[str, Closable] = {}
        self._lock = threading.Lock()

    def begin(self, visitor: str, answer: Closable) -> None:
        """Remember it; an earlier one of the same visitor is ended."""
        with self._lock:
            earlier, self._answers[visitor] = self._answers.get(visitor), answer
        if earlier is not None:
            earlier.close()

    def end(self, visitor: str) -> None:
        """End what a visitor waits for, if anything."""
        with self._lock:
            answer = self._answers.pop(visitor, None)
        if answer is not None:
            answer.close()
