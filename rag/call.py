"""One answer's time with a model's server: it ends at a deadline, and at once when it is cut from any thread.

A thread that waits for bytes can't be interrupted, and closing a socket under it doesn't wake it; shutting the
socket down does, and the server sees that nobody listens any more. So a Call remembers the sockets of its
requests, by the `trace` extension of httpx.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Generator, Iterator, Sequence
from types import TracebackType
from typing import Any, Literal, Protocol, Self, TypeVar

import httpx
from typing_extensions import TypedDict

T = TypeVar("T")
Ending = Literal["stopped", "deadline"]


class Message(TypedDict):
    """One message to a model."""

    role: Literal["system", "user", "assistant"]
    content: str


class CallEnded(Exception):
    """The call was cut, or its time is over."""


class LanguageModel(Protocol):
    """What the stages know of a language model. `secret` is the key it was opened with, never to be shown."""

    name: str
    secret: str

    def context(self, call: Call) -> int:
        """How many tokens it reads and writes at most. Raises ModelUnavailable and CallEnded."""
        ...

    def stream(self, messages: Sequence[Message], most: int, call: Call) -> Iterator[str]:
        """Its answer of at most `most` tokens, piece by piece. Raises ModelUnavailable and CallEnded."""
        ...


class Call:
    """A context manager that may span several requests; `seconds` count from the first of them."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.ending: Ending | None = None
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._connections: list[Any] = []
        self._timer = threading.Timer(seconds, self.cut, ("deadline",))
        self._timer.daemon = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            for connection in self._connections:
                _shut(connection)
                connection.close()
            self._connections.clear()

    def cut(self, ending: Ending = "stopped") -> None:
        """End it now, from any thread: who waits for bytes gets an error, and the server a closed connection."""
        with self._lock:
            self.ending = self.ending or ending
            self._over.set()
            for connection in self._connections:
                _shut(connection)

    def pause(self, seconds: float) -> None:
        """Sleep, unless it is cut."""
        self._over.wait(seconds)

    def watch(self, request: httpx.Request) -> None:
        """An event hook for httpx: remember the connection of this request."""
        with self._lock:
            if self._timer.ident is None:
                self._timer.start()
        request.extensions = {**request.extensions, "trace": self._trace}

    def _trace(self, event: str, info: dict[str, Any]) -> None:
        # "connection.start_tls.complete"; behind a proxy "http_proxy.start_tls.complete".
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            with self._lock:
                self._connections.append(info["return_value"])
                if self.ending:
                    _shut(info["return_value"])


class Stoppable(Iterator[T]):
    """What a generator yields that talks with a model's server during a call."""

    def __init__(self, generator: Generator[T], call: Call) -> None:
        self._generator = _within(generator, call)
        self._call = call

    def __next__(self) -> T:
        try:
            return next(self._generator)
        except CallEnded:
            raise StopIteration from None

    def close(self) -> None:
        """End it now, from any thread; the connection to the server is closed at once."""
        self._call.cut()
        with contextlib.suppress(ValueError):  # another thread is inside, and is let go by the cut
            self._generator.close()


def _within(generator: Generator[T], call: Call) -> Generator[T]:
    with call:
        yield from generator


def _shut(connection: Any) -> None:  # noqa: ANN401 -- httpcore's NetworkStream, which httpx doesn't export
    with contextlib.suppress(OSError):  # closed by the other side already
        connection.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
