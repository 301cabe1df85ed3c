"""How much one visitor may ask for: questions a minute, tries of the password, and the size of what is sent."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.errors import SettingsError
from rag.settings import Settings

TRIES = "10 per 5 minutes"  # of the password, from one address
RATE = "120 per minute"  # of requests that make work, from one visitor, where others are let in
BODY = 8_000_000  # bytes of a request that isn't an upload; a browser's kept chats are at most 2 million characters
_JUMP = 2.0  # seconds by which a clock that is only set right doesn't move at once
STEPS = 10  # times as many of a page's own small steps: opening it, its chats, its leaves
_WORK = re.compile(r"/gradio_api/(queue/join|call/|upload\b|mcp\b)")
_UNQUEUED = re.compile(r"/gradio_api/(run/|api/|mcp\b)")
_UPLOAD = re.compile(r"/gradio_api/upload/?")


@dataclass(frozen=True)
class Bounds:
    """What the settings say of load: the rate in words or none, how many questions may wait, bytes of an upload."""

    rate: str | None = None
    waiting: int = 64
    upload: int = 100_000_000


BOUNDS = Bounds()


def bounds_of(settings: Settings, *, local: bool) -> Bounds:
    """The bounds; whoever sits at the machine alone has no rate unless one is set. Raises SettingsError."""
    rate = settings.rate or (None if local else RATE)
    if rate is not None:
        parsed(rate)
    return Bounds(rate, settings.queue, settings.upload_mb * 1_000_000)


def _clock_offset() -> float:
    """How far the clock on the wall is from the one that never jumps, in seconds."""
    return time.time() - time.monotonic()


class Rate:
    """So many a time for each visitor, by fixed windows of the library `limits`. That goes by the clock on the wall:
    when it jumps, all is counted anew, or one that was put back an hour would lock a visitor out for as long."""

    def __init__(self, rate: str, times: int = 1, offset: Callable[[], float] = _clock_offset) -> None:
        one = parsed(rate)
        self._item = type(one)(one.amount * times, one.multiples)
        self._storage = MemoryStorage()
        self._counted = FixedWindowRateLimiter(self._storage)
        self._offset = offset
        self._last_offset = offset()

    def wait(self, visitor: str) -> int | None:
        """Count one more; None where that is within the rate, else the seconds until it is again."""
        last, self._last_offset = self._last_offset, self._offset()
        if abs(self._last_offset - last) > _JUMP:
            self._storage.reset()
        if self._counted.hit(self._item, visitor):
            return None
        reset, _ = self._counted.get_window_stats(self._item, visitor)
        return max(1, math.ceil(reset - time.time()))


def parsed(rate: str) -> RateLimitItem:
    """A rate in words, as in "60/minute". Raises SettingsError."""
    try:
        return parse(rate)
    except ValueError:
        raise SettingsError(f"the rate {rate!r} can't be read; write it like 60/minute or 10 per 5 minutes") from None


class Limits:
    """Refuses what is too much: 429 for too many requests of a visitor, 503 for too many at once past Gradio's
    queue, 413 for one that is too large."""

    def __init__(self, app: ASGIApp, bounds: Bounds) -> None:
        self.app = app
        self.bounds = bounds
        self.work = Rate(bounds.rate) if bounds.rate else None
        self.steps = Rate(bounds.rate, times=STEPS) if bounds.rate else None
        self.running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        work, unqueued = _WORK.match(scope["path"]), _UNQUEUED.match(scope["path"])
        rate = self.work if work else self.steps
        if rate and (seconds := rate.wait(scope["user"].display_name)) is not None:
            await _too_many(seconds)(scope, receive, send)
        elif unqueued and self.running >= self.bounds.waiting:
            await refused(503, "the server is busy; try again in a moment", {"Retry-After": "2"})(scope, receive, send)
        else:
            self.running += bool(unqueued)
            try:
                await self._measured(scope, receive, send)
            finally:
                self.running -= bool(unqueued)

    async def _measured(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on as long as it isn't larger than it may be, whatever it says of itself."""
        most = self.bounds.upload if _UPLOAD.fullmatch(scope["path"]) else BODY
        stated = Headers(scope=scope).get("content-length", "0")
        if not stated.isdigit() or int(stated) > most:
            await _too_large(most)(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:  # a body without a length; what reads it sees the sender go
                return {"type": "http.disconnect"}
            return message

        await self.app(scope, counted, send)


def refused(status: int, reason: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A refusal as programs and Gradio's own script read it; the page shows the reason."""
    return JSONResponse({"detail": reason, "error": reason}, status, headers)


def _too_many(seconds: int) -> JSONResponse:
    reason = f"that was more than this server takes from one visitor; go on in {seconds} s"
    return refused(429, reason, {"Retry-After": str(seconds)})


def _too_large(most: int) -> JSONResponse:
    return refused(413, f"that is larger than the {most / 1e6:.0f} MB taken at once", {"Connection": "close"})
