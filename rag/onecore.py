"""Small matrices are multiplied by one thread.

A question's matrices are so small that waking a second thread for them costs more than it gains, and where many
ask at once the threads of all of them wait for each other: measured here, a third of the processor time remains.
"""

from __future__ import annotations

import threading
from contextlib import ContextDecorator
from functools import cached_property
from types import TracebackType
from typing import Any, Self

from threadpoolctl import OpenBLASController, ThreadpoolController


class _OneCore(ContextDecorator):
    """While anybody is inside, the matrix library keeps to one thread; the last to leave gives it back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._limit: Any = None

    @cached_property
    def _controller(self) -> ThreadpoolController:
        return ThreadpoolController()

    def __enter__(self) -> Self:
        with self._lock:
            if not self._inside:
                self._limit = self._controller.limit(limits=1, user_api="blas")
            self._inside += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                # threadpoolctl listens to nobody but the thread that came first, which may be gone long since.
                OpenBLASController.clear_controlling_thread(force=True)
                self._limit.restore_original_limits()
                OpenBLASController.clear_controlling_thread(force=True)


one_core = _OneCore()
