"""For everybody: nothing serious for screen readers and eyes, light and dark, right to left, and by keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from corpus import Corpus
from corpus.edit import add_source, new_corpus
from rag.settings import Settings
from tests.ui.conftest import ARTICLE, CRITIC, serving, visiting
from tests.ui.fakes import FakeEngine, Opener
from tests.ui.test_page import ask, asked, marked
from ui.library import Library

pytestmark = pytest.mark.browser
HEBREW = "הדבורים אוהבות כוורת יבשה. הן אינן אוהבות רטיבות, אומרת Ana Petrov."


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page over a folder with an article, a critic and a text from right to left."""
    parent = tmp_path_factory.mktemp("manners")
    new_corpus(parent / "bees", "Bees")
    for name, text, known in (
        ("hives.md", ARTICLE, {}),
        ("critic.md", CRITIC, {"stance": "opposing", "bears_on": ["Chapter 1"]}),
        ("hebrew.txt", HEBREW, {"stance": "evidence", "bears_on": ["Chapter 2"]}),
    ):
        (parent / name).write_text(text, encoding="utf-8")
        add_source(parent / "bees", parent / name, **known)  # type: ignore[arg-type]
    settings = Settings.read(corpus=parent / "bees", home=parent / "home", llm="fake/scribe")
    engine = FakeEngine(Corpus.open(parent / "bees"), (1, 3), settings=settings)
    with Library(engine, Opener()) as library, serving(library) as at:
        yield at


def faults(page: Page) -> list[str]:
    """What axe-core finds serious or critical, with the places."""
    found = Axe().run(page).response["violations"]
    return [
        f"{fault['id']}: {node['html'][:160]}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious(browser: Browser, address: str, dark: bool) -> None:
    with visiting(browser, address, dark=dark) as page:
        assert page.evaluate("document.body.classList.contains('dark')") is dark
        assert faults(page) == []
        asked(page, "Why a dry hive?").locator("button.mark").first.click()
        marked(page)
        page.get_by_role("button", name="Not helpful").click()
        page.locator(".withheld summary").click()
        page.locator(".scope summary").click()
        assert faults(page) == []
        asked(page, "unknown")
        asked(page, "broken")
        page.locator(".chats summary").click()
        assert faults(page) == []
        page.get_by_role("link", name="Sources").click()
        expect(page.locator("#map .point").first).to_be_visible()
        page.get_by_role("button", name="Add a file or a link").click()
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.locator(".work")).to_be_visible()
        assert faults(page) == []
        page.get_by_role("link", name="Evals").click()
        expect(page.locator("#report")).to_contain_text("No run yet")
        assert faults(page) == []


def test_axe_finds_nothing_serious_on_a_phone(browser: Browser, address: str) -> None:
    with visiting(browser, address, width=390, height=844) as page:
        asked(page, "Why?").locator("button.mark").first.click()
        marked(page)
        assert faults(page) == []
        page.get_by_role("button", name="Close the reader").click()
        page.get_by_role("link", name="Sources").click()
        expect(page.locator("#map .point").first).to_be_visible()
        assert faults(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_text_from_right_to_left_stays_whole(browser: Browser, address: str) -> None:
    with visiting(browser, address) as page:
        exchange = asked(page, HEBREW)
        assert exchange.locator(".asked").evaluate("e => getComputedStyle(e).direction") == "rtl"
        page.get_by_role("link", name="Sources").click()
        page.locator(".sources-list .go", has_text="hebrew").click()
        expect(page.locator(".sheet")).to_contain_text(HEBREW.split(".")[0])
        assert page.locator(".sheet .block").first.evaluate("e => getComputedStyle(e).direction") == "rtl"


def test_the_whole_way_by_keyboard_alone(browser: Browser, address: str) -> None:
    with visiting(browser, address) as page:
        expect(page.get_by_label("Your question")).to_be_focused()
        page.keyboard.type("slow: why?")
        page.keyboard.press("Enter")
        expect(page.locator(".sentence")).to_have_count(1)
        page.keyboard.press("Escape")
        expect(page.locator(".status")).to_have_text("Stopped before the end")
        page.get_by_label("Your question").focus()
        page.keyboard.type("Why?")
        page.keyboard.press("Enter")
        expect(page.locator(".exchange .actions")).to_be_visible()
        for keys, mark in (("Alt+ArrowDown", 0), ("Alt+ArrowDown", 1), ("Alt+ArrowUp", 0)):
            page.keyboard.press(keys)
            expect(page.locator("button.mark").nth(mark)).to_be_focused()
            assert seen_focus(page)
        page.locator(".back").focus()
        page.keyboard.press("Enter")
        expect(page.locator("button.mark").first).to_be_focused()
        page.locator(".scope summary").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        assert seen_focus(page)
        page.keyboard.press("Space")
        expect(page.locator(".scope .chosen")).not_to_have_text("Everything")
        page.keyboard.press("Escape")
        expect(page.locator(".scope summary")).to_be_focused()
        page.get_by_role("link", name="Sources").focus()
        page.keyboard.press("Enter")
        expect(page.locator(".sources-list .card").first).to_be_visible()
        page.go_back()
        expect(page.get_by_label("Your question")).to_be_visible()


def seen_focus(page: Page) -> bool:
    """Whether what has the focus shows it."""
    width = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    return float(re.sub("[^0-9.]", "", width) or 0) >= 1


def test_the_page_is_there_within_two_seconds(browser: Browser, address: str) -> None:
    with visiting(browser, address) as page:  # what a first visit brings into the browser's cache
        took = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    assert took < 5_000  # on a machine that runs other tests; by itself it is under 2 s


def test_nothing_leaves_the_machine_on_any_page(browser: Browser, address: str) -> None:
    seen: list[str] = []
    with visiting(browser, address) as page:
        page.on("request", lambda request: seen.append(request.url))
        asked(page, "Why?").locator("button.mark").first.click()
        for name in ("Sources", "Evals", "Ask"):
            page.get_by_role("link", name=name).click()
        page.get_by_role("link", name="Sources").click()
        expect(page.locator("#map .point").first).to_be_visible()
        page.locator("#map .point").first.hover(force=True)
        page.wait_for_timeout(500)
        page.get_by_role("link", name="Ask").click()
        ask(page, "And now?")
    assert seen
    assert [url for url in seen if not url.startswith(("data:", "blob:", f"{address}/"))] == []
