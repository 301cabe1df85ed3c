"""A browser, and the page on a port of its own with an engine that the test can ask what it was asked."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from corpus import Corpus
from tests.ui.fakes import FakeEngine
from ui.access import LOCAL, Rules
from ui.chat import Engine
from ui.limits import BOUNDS, Bounds
from ui.server import Server, address_of, listen, make_server

expect.set_options(timeout=15_000)  # a machine that runs other things too
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
ARTICLE = """Chapter 1: On keeping bees

Bees want a dry hive. A damp hive kills more bees than cold does. Ana Petrov says that wood breathes.

She keeps 🐝🐝 forty hives 𝒾𝓃 the hills. Each hive holds one queen.

Chapter 2: On <b>honey</b> & its uses

Honey keeps for years. Honey keeps for years. <script>window.stolen = 1</script> is not a recipe.

- Warm it slowly in a bath of water.
- Never boil it, whatever they say.
"""
CRITIC = """# The case against

## What the critic says

Bees do not mind the damp at all. The critic kept wet hives for ten years and lost none of them.
"""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without a window; its absence is a failure where CI says so, else a reason to skip."""
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        why = "no Chromium here; get one with: apt-get install -y chromium"
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    """Two small sources with markup, astral characters and a repeated sentence."""
    return Corpus.from_texts(
        {"article": ARTICLE, "critic": CRITIC},
        titles={"article": "Bees & <i>Honey</i>", "critic": "The “case” against"},
    )


def until(true: Callable[[], bool], seconds: float = 15) -> None:
    """Wait for what happens in a thread of the server, a moment before or after the page shows it."""
    deadline = time.monotonic() + seconds
    while not true():  # looked at once more, what lasts a moment would be gone
        assert time.monotonic() < deadline, f"not within {seconds} seconds"
        time.sleep(0.02)


@contextmanager
def serving(engine: Engine, rules: Rules = LOCAL, bounds: Bounds = BOUNDS, port: int = 0) -> Iterator[str]:
    """Serves the page, by default on a free port, until the block ends; gives its address."""
    ready = threading.Event()
    with running(make_server(engine, ready.set, rules, bounds), ready, port) as address:
        yield address


@contextmanager
def running(server: Server, ready: threading.Event, port: int = 0) -> Iterator[str]:
    """Runs a server that sets `ready` once it listens, until the block ends; gives its address."""
    with listen("127.0.0.1", port) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        assert ready.wait(30)
        yield address_of(listening, "127.0.0.1")
        server.should_exit = True
        thread.join(15)
        assert not thread.is_alive()


@contextmanager
def visiting(
    browser: Browser, address: str, *, width: int = 1280, height: int = 800, dark: bool = False
) -> Iterator[Page]:
    """The page in a browser that has kept nothing; fails if a request leaves this machine or a script breaks."""
    with browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
    ) as context:
        page = context.new_page()
        page.set_default_timeout(15_000)
        strangers: list[str] = []
        mistakes: list[str] = []
        page.on("request", lambda request: None if is_local(request.url) else strangers.append(request.url))
        page.on("pageerror", lambda error: mistakes.append(str(error)))
        page.goto(address)
        page.wait_for_selector(".sheet section", state="attached")
        yield page
        assert strangers == []
        assert mistakes == []


def is_local(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "data:", "blob:http://127.0.0.1:"))


@pytest.fixture(scope="session")
def engine(corpus: Corpus) -> FakeEngine:
    return FakeEngine(corpus, picks=(1, 3, 6), pause=0.05)


@pytest.fixture(scope="session")
def address(engine: FakeEngine) -> Iterator[str]:
    with serving(engine) as at:
        yield at


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    with visiting(browser, address) as page:
        yield page
