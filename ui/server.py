"""The page on a port of this machine: the port is taken first, and nothing is fetched from elsewhere."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import math
import os
import platform
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click
import fastapi
import gradio as gr
import uvicorn
from starlette.datastructures import MutableHeaders
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from corpus import VerseError
from ui.access import LOCAL, Rules, Sessions
from ui.app import build
from ui.chat import Engine
from ui.gate import Entitled, KnownCallers, Visitors, too_often
from ui.limits import BOUNDS, TRIES, Bounds, Limits, Rate
from ui.login import login_routes
from ui.sessions import count_no_events, tidy
from ui.watch import Figures, Watch

STATIC = Path(__file__).parent / "static"

SESSIONS = 2_000  # pages whose chat the server remembers; a browser keeps its own anyway
GRACE = 2.5  # seconds for answers to end once the server is told to; what still runs then is cut off

_KEEP_ALIVE = 65  # seconds
_M_ARENA_MAX = -8  # malloc.h
# Gradio compiles its templates in the browser, hence 'unsafe-eval'. Nothing is loaded from any other host.
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
    # "no-referrer" would take the Origin from our own login form, and with it the proof that it is ours.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def share_heaps() -> None:
    """Let the threads that answer share a heap for each core; best before any of them begins. By itself glibc makes up
    to eight a core, and what is free in one serves no other: under 64 visitors that was 100 MB."""
    if platform.libc_ver()[0] == "glibc" and "MALLOC_ARENA_MAX" not in os.environ:
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, max(2, os.cpu_count() or 2))


def serve(
    engine: Engine,
    host: str = "127.0.0.1",
    port: int = 7860,
    open_browser: bool = False,
    announce: Callable[[str], object] = click.echo,
    rules: Rules = LOCAL,
    bounds: Bounds = BOUNDS,
) -> None:
    """Serve the page until it is interrupted; port 0 takes any that is free. Raises VerseError."""
    listening = listen(host, port)
    address = address_of(listening, host)

    def ready() -> None:
        announce(f"Chapter & Verse is at {address} (Ctrl+C stops it)")
        if open_browser:
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    signal.signal(signal.SIGTERM, _end)
    with listening, suppress(KeyboardInterrupt):
        try:
            make_server(engine, ready, rules, bounds).run(sockets=[listening])
        finally:
            gc.freeze()  # or Python looks through every object once more as it ends, which takes seconds


def _end(sig: int, frame: FrameType | None) -> NoReturn:
    """End as by Ctrl-C, so that the index is closed; uvicorn raises the signal again once it has shut down."""
    raise SystemExit(128 + sig)


def listen(host: str, port: int) -> socket.socket:
    """A socket that holds the port, or a VerseError that says why not and what to do."""
    cure = f"choose another with: verse ui --port {port + 1 if 0 < port < 65535 else 7861}"
    if not 0 <= port <= 65535:
        raise VerseError(f"port {port} is not between 0 and 65535; {cure}")
    try:
        family, kind, proto, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError):
        raise VerseError(f"no such host: {host!r}; try: verse ui --host 127.0.0.1") from None
    listening = socket.socket(family, kind, proto)
    if os.name == "posix":  # elsewhere this would let two programs share the port
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(place)
        listening.listen(128)
    except PermissionError:
        listening.close()
        raise VerseError(f"port {port} may not be used without special rights; {cure}") from None
    except OSError as error:
        listening.close()
        if error.errno == getattr(socket, "EADDRNOTAVAIL", 99):
            raise VerseError(f"{host} is not an address of this machine; try: verse ui --host 127.0.0.1") from None
        raise VerseError(f"port {port} is taken; {cure}") from None
    return listening


def address_of(listening: socket.socket, host: str) -> str:
    """Where a browser on this machine finds the page."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{listening.getsockname()[1]}"


def make_server(engine: Engine, ready: Callable[[], None], rules: Rules = LOCAL, bounds: Bounds = BOUNDS) -> Server:
    """A server that isn't running yet; `ready` is called once it listens."""
    visitors = Visitors(rules, Sessions(rules.session_seconds), Rate(TRIES))
    figures = Figures()
    blocks = build(engine, waiting=bounds.waiting, figures=figures)
    blocks.state_session_capacity = SESSIONS
    count_no_events(blocks._queue)
    figures.measure("verse_questions_waiting", "Questions that wait for their turn.", lambda: len(blocks._queue))
    figures.measure("verse_logins", "Visitors who are logged in.", lambda: len(visitors.sessions))
    app = fastapi.FastAPI(openapi_url=None, routes=[*login_routes(visitors), *figures.routes()])
    # The last added looks first.
    app.add_middleware(Limits, bounds=bounds)
    app.add_middleware(Entitled)
    app.add_middleware(AuthenticationMiddleware, backend=visitors, on_error=too_often)
    app.add_middleware(KnownCallers, rules=rules)
    app.add_middleware(_Headers)
    app.add_middleware(Watch, figures=figures)
    gr.mount_gradio_app(
        app,
        blocks,
        path="/",
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        show_error=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=True,
        max_file_size=bounds.upload,
        favicon_path=str(STATIC / "icon.svg"),
        theme=_theme(),
        css=(STATIC / "page.css").read_text(encoding="utf-8"),
        head='<link rel="icon" type="image/svg+xml" href="/favicon.ico"><meta name="robots" content="noindex">',
    )
    # A reader thinks for longer than uvicorn's five seconds, and a connection that closes just as a request is on its
    # way is an error in the browser.
    config = uvicorn.Config(
        app, log_level="warning", timeout_keep_alive=_KEEP_ALIVE, timeout_graceful_shutdown=1, ws="none"
    )
    pages: gr.routes.App = next(route.app for route in app.routes if isinstance(route, Mount))  # type: ignore[assignment]
    return Server(config, ready, pages)


class Server(uvicorn.Server):
    """Uvicorn's server that says when it listens, and that ends within seconds whatever still runs."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None], pages: gr.routes.App) -> None:
        super().__init__(config)
        self.pages = pages
        self._ready = ready
        self._tidying: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        if self.started:
            self._tidying = asyncio.create_task(tidy(self.pages))
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let go of the pages that are open, then of the rest."""
        self.pages.stop_event.set()
        if self._tidying is not None:
            self._tidying.cancel()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Told to end: a thread that is in the middle of an answer can't be interrupted, and isn't waited for."""
        if not self.should_exit:
            cut_off = threading.Timer(GRACE, os._exit, (128 + sig,))
            cut_off.daemon = True
            cut_off.start()
            if hasattr(signal, "SIGALRM"):  # once Python takes itself down, its threads stand still
                signal.signal(signal.SIGALRM, signal.SIG_DFL)
                signal.alarm(math.ceil(GRACE))
        super().handle_exit(sig, frame)


class _Headers:
    """Adds the headers that keep a browser from loading anything from elsewhere."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _extend(message)
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def _extend(message: MutableMapping[str, Any]) -> None:
    headers = MutableHeaders(raw=list(message.get("headers", ())))
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)  # the login has a stricter policy of its own
    message["headers"] = headers.raw


def _theme() -> gr.themes.Base:
    """Gradio's plainest theme with the fonts of the reader's own machine."""
    sans = [gr.themes.Font(name) for name in ("system-ui", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")]
    mono = [gr.themes.Font(name) for name in ("ui-monospace", "Consolas", "monospace")]
    return gr.themes.Base(
        font=sans, font_mono=mono, neutral_hue=gr.themes.colors.stone, radius_size=gr.themes.sizes.radius_sm
    )
