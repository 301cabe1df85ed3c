"""Long work in a thread of its own: one at a time, watched by whoever looks, stopped at its next step.

It goes on when the visitor who began it leaves.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from corpus import VerseError

LOOKS = 0.15  # seconds between two looks at work that is under way
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """What is being done; `total` is 0 while it isn't known."""

    text: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one thing: a source, a page, the index."""

    name: str
    text: str
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Work:
    """What is being done, or was done last."""

    title: str = ""
    step: Step = field(default_factory=lambda: Step(""))
    outcomes: tuple[Outcome, ...] = ()
    over: bool = True


class Jobs:
    """Runs one job at a time and knows how far it is. Safe to use from many threads."""

    def __init__(self) -> None:
        self.work = Work()
        self._beginning = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def begin(self, title: str, job: Callable[[], None]) -> None:
        """Begin a job. Raises VerseError where another is under way."""
        with self._beginning:
            if not self.work.over:  # asked of what is shown, so that who has seen the end may begin
                raise VerseError("another change is under way; wait for it to end")
            self._stopping.clear()
            self.work = Work(title, over=False)
            self._thread = threading.Thread(target=self._run, args=(job,), name=title, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop what is under way at its next step."""
        self._stopping.set()

    def close(self) -> None:
        """Stop what is under way and wait for its end."""
        self.stop()
        if self._thread is not None:
            self._thread.join()

    def tell(self, outcome: Outcome) -> None:
        """For a job: what became of one thing."""
        self.work = replace(self.work, outcomes=(*self.work.outcomes, outcome))

    def show(self, step: Step) -> None:
        """For a job: how far it is. Raises VerseError where it was stopped."""
        if self._stopping.is_set():
            raise VerseError("Stopped.")
        self.work = replace(self.work, step=step)

    def watch(self) -> Iterator[Work]:
        """The work as it goes on, until it is over; leaving stops only the watching."""
        last = None
        while True:
            work = self.work
            if work != last:
                yield work
                last = work
            if work.over:
                return
            time.sleep(LOOKS)

    def _run(self, job: Callable[[], None]) -> None:
        try:
            job()
        except VerseError as error:
            self.tell(Outcome("", str(error), ok=False))
        except Exception:  # noqa: BLE001 -- the visitor must learn that it ended; the log has the rest
            _log.exception("a job of the page failed")
            self.tell(Outcome("", "Something went wrong here; the log of `verse ui` says what.", ok=False))
        finally:
            self.work = replace(self.work, over=True)
