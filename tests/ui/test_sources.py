"""The sources' page in a real browser: looked at, added to, taken from; the map leads into the reader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from corpus import Corpus
from corpus.edit import add_source, new_corpus
from rag.settings import Settings
from tests.ui.conftest import serving, visiting
from tests.ui.fakes import FakeEngine, Opener
from tests.ui.payloads import PAYLOADS
from tests.ui.test_page import asked, marked
from ui.access import Rules
from ui.library import Library
from ui.passwords import READER

pytestmark = pytest.mark.browser
ARTICLE = "# Hives\n\n## Chapter 1\n\nA hive wants to be dry.\n\n## Chapter 2\n\nDamp kills more bees than cold does.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A corpus with an article and a critic of its second chapter, whose title is hostile."""
    new_corpus(tmp_path / "bees", "Bees")
    for name, text in (("hives.md", ARTICLE), ("damp.txt", "Bees do not mind the damp at all.\n")):
        (tmp_path / name).write_text(text)
    add_source(tmp_path / "bees", tmp_path / "hives.md", title="Hives")
    hostile = " ".join(PAYLOADS)
    add_source(tmp_path / "bees", tmp_path / "damp.txt", title=hostile, author=hostile, bears_on=["Chapter 2"])
    return tmp_path / "bees"


@pytest.fixture
def opener() -> Opener:
    return Opener()


@pytest.fixture
def library(folder: Path, opener: Opener, tmp_path: Path) -> Iterator[Library]:
    settings = Settings.read(corpus=folder, home=tmp_path / "home")
    with Library(FakeEngine(Corpus.open(folder), (0, 1), settings=settings), opener) as library:
        yield library


@pytest.fixture
def page(browser: Browser, library: Library) -> Iterator[Page]:
    with serving(library) as address, visiting(browser, f"{address}/#sources") as page:
        expect(page.locator(".sources-list .card")).to_have_count(2)
        yield page


def test_a_point_of_the_map_leads_into_the_reader(page: Page) -> None:
    points = page.locator("#map .point")
    expect(points).to_have_count(2 + 0)  # the critic, and the chapter that it bears on
    for point, shown in ((points.nth(0), "Bees do not mind the damp"), (points.nth(1), "A hive wants to be dry.")):
        box = point.bounding_box()
        assert box
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(page.locator(".sheet")).to_contain_text(shown)
        page.wait_for_timeout(400)  # a second click within that time is a double click
    assert page.evaluate("window.stolen") is None
    assert page.locator("#sources-page").locator("script, img, iframe, object").count() == 0


def test_a_file_is_added_read_asked_about_and_removed(page: Page, opener: Opener, tmp_path: Path) -> None:
    (tmp_path / "honey.txt").write_text("Honey keeps for years. Warm it slowly.\n")
    page.get_by_role("button", name="Add a file or a link").click()
    page.locator("#adding input[type=file]").set_input_files(tmp_path / "honey.txt")
    expect(page.locator("#adding")).to_contain_text("honey")
    page.get_by_label("Title (one source").fill("Of honey")
    page.get_by_label("How it stands to the rest").click()
    page.get_by_role("option", name="Evidence").click()
    opener.gate.clear()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("progress")).to_have_attribute("max", "3")
    expect(page.get_by_role("button", name="Stop", exact=True).locator("visible=true")).to_have_count(1)
    opener.gate.set()
    expect(page.locator(".work li").first).to_have_text("honey.txt added as “Of honey”")
    expect(page.locator(".sources-list .card")).to_have_count(3)
    page.locator(".sources-list .go", has_text="Of honey").click()
    expect(page.locator(".sheet")).to_contain_text("Honey keeps for years.")
    page.get_by_role("link", name="Ask").click()
    page.locator(".scope summary").click()
    page.locator("#scope").get_by_label("Of honey").check()
    asked(page, "How long?")
    assert opener.opened[-1].asked[-1].sources == ("of-honey",)
    page.locator("button.mark").first.click()
    assert marked(page)
    page.get_by_role("link", name="Sources").click()
    page.get_by_role("button", name="Back to the answer").click()
    expect(page.locator("button.mark").first).to_be_focused()
    page.get_by_role("link", name="Sources").click()
    page.get_by_role("button", name="Remove Of honey").click()
    page.get_by_role("button", name="Remove Of honey").click()
    expect(page.locator(".sources-list .card")).to_have_count(2)
    expect(page.locator("select.sources option")).to_have_count(2)


def test_a_mistake_is_said_where_it_was_made(page: Page, tmp_path: Path) -> None:
    page.get_by_role("button", name="Add a file or a link").click()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(".work")).to_contain_text("Choose a file or give a link first.")
    page.wait_for_timeout(500)  # what follows an event left it there
    expect(page.locator(".work")).to_contain_text("Choose a file or give a link first.")
    expect(page.locator(".work")).to_be_in_viewport()
    secret = tmp_path / "secret.txt"
    secret.write_text("A file of this machine, which no link may name.\n")
    page.get_by_label("Links, one a line").fill(f"http://127.0.0.1:9/secret\n{secret}")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(".work li.failed").nth(0)).to_contain_text("127.0.0.1")
    expect(page.locator(".work li.failed").nth(1)).to_contain_text("this is no web address")
    expect(page.locator(".sources-list .card")).to_have_count(2)


def test_work_goes_on_and_is_seen_after_a_reload(page: Page, opener: Opener) -> None:
    opener.gate.clear()
    page.get_by_role("button", name="Rebuild the index").click()
    expect(page.locator("#work progress")).to_be_visible()
    page.reload()
    expect(page.locator("#work progress")).to_be_visible()
    opener.gate.set()
    expect(page.locator("#work .work")).to_have_attribute("data-state", "done")
    expect(page.locator("#work li")).to_contain_text("rebuilt")
    expect(page.locator(".sources-list .card")).to_have_count(2)


def test_who_is_no_admin_looks_but_changes_nothing(browser: Browser, library: Library) -> None:
    rules = Rules(local=True, free=READER)
    with serving(library, rules) as address, visiting(browser, f"{address}/#sources") as page:
        expect(page.locator(".sources-list .card")).to_have_count(2)
        expect(page.get_by_role("button", name="Rebuild the index")).to_be_disabled()
        expect(page.get_by_role("button", name="Remove")).to_have_count(0)
        page.evaluate("document.querySelector('#rebuild').disabled = false")
        page.locator("#rebuild").dispatch_event("click")
        page.get_by_role("button", name="Add a file or a link").click()
        page.get_by_label("Links, one a line").fill("http://example.org/")
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.locator(".work")).to_contain_text("Only an admin changes the sources")
    assert library.jobs.work.title == ""
