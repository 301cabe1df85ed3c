"""The page with the real engine and the real article: what a reader sees first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, expect

import rag
from corpus.edit import add_source, new_corpus
from tests.rag.served import Served
from tests.ui.conftest import ARTICLE, serving, until, visiting
from tests.ui.test_page import ask, asked, marked
from ui.library import Library


@pytest.fixture
def bees(encoder_files: object, home: Path, tmp_path: Path) -> Iterator[Library]:
    """A corpus of one's own, with a home of its own but for the encoder."""
    own = tmp_path / "home"
    own.mkdir()
    (own / "encoders").symlink_to(home / "encoders")
    new_corpus(tmp_path / "bees", "Bees")
    (tmp_path / "hives.md").write_text(ARTICLE, encoding="utf-8")
    add_source(tmp_path / "bees", tmp_path / "hives.md", title="Hives")
    with Library(rag.open_engine(corpus=tmp_path / "bees", home=own)) as library:
        yield library


@pytest.mark.browser
@pytest.mark.slow
def test_evals_are_run_and_compared_on_ones_own_corpus(browser: Browser, bees: Library) -> None:
    with serving(bees) as address, visiting(browser, f"{address}/#evals") as page:
        expect(page.locator("#report")).to_contain_text("No run yet on this machine.")
        report, before = page.locator("iframe.whole"), ""
        for _ in range(2):
            page.get_by_role("button", name="Run the evals").click()
            expect(report).not_to_have_attribute("srcdoc", before, timeout=60_000)  # "done" may be the first run's
            before = report.get_attribute("srcdoc") or ""
            expect(page.locator("#evals-work .work")).to_have_attribute("data-state", "done")
            expect(page.locator("#evals-work")).to_contain_text("2 done, 0 not")
            expect(page.locator(".figures tbody tr", has_text="Quote validity")).to_contain_text("1.000")
        expect(page.frame_locator("iframe.whole").locator("h1")).to_have_text("Grounding report")
        assert report.get_attribute("sandbox") == ""
        page.wait_for_timeout(1_000)  # the list is made anew as a run ends, and would take back what was chosen
        page.get_by_label("Compare with").click()
        page.get_by_role("option").nth(1).click()
        expect(page.locator(".figures tbody tr", has_text="Quote validity")).to_contain_text("the same")


@pytest.mark.browser
@pytest.mark.slow
def test_a_file_that_was_added_is_asked_about(browser: Browser, bees: Library, tmp_path: Path) -> None:
    (tmp_path / "honey.txt").write_text("Honey keeps for three thousand years in a sealed jar of clay.\n")
    with serving(bees) as address, visiting(browser, f"{address}/#sources") as page:
        page.get_by_role("button", name="Add a file or a link").click()
        page.locator("#adding input[type=file]").set_input_files(tmp_path / "honey.txt")
        expect(page.locator("#adding")).to_contain_text("honey")
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.locator(".work")).to_contain_text("passages embedded")
        page.get_by_role("link", name="Ask").click()
        exchange = asked(page, "How long does honey keep in a sealed jar?")
        expect(exchange).to_contain_text("three thousand years")
        page.locator(".exchange .mark").first.click()
        assert marked(page) == "Honey keeps for three thousand years in a sealed jar of clay."


@pytest.mark.browser
def test_a_cited_answer_about_the_article(browser: Browser, article_engine: rag.Engine) -> None:
    question = "Why does Ilya think scaling is over?"
    answer = article_engine.ask(question)
    with serving(article_engine) as address, visiting(browser, address) as page:
        exchange = asked(page, question)
        expect(exchange).to_contain_text(answer.citations[0].section)
        expect(exchange).to_contain_text(answer.citations[0].quote[:60])
        page.locator(".exchange .mark").first.click()
        assert " ".join(marked(page).split()) == " ".join(answer.citations[0].quote.split())


@pytest.mark.browser
def test_what_the_sources_do_not_say(browser: Browser, article_engine: rag.Engine) -> None:
    with serving(article_engine) as address, visiting(browser, address) as page:
        exchange = asked(page, "What will the weather be in London tomorrow?")
        expect(exchange).to_contain_text("The sources don't say")


def _connected(served: Served) -> bool:
    """Whether somebody asks the server now."""
    return any(c.status == psutil.CONN_ESTABLISHED for c in psutil.Process(served.process.pid).net_connections())


@pytest.mark.browser
@pytest.mark.slow
def test_a_model_killed_in_mid_answer_leaves_the_plain_answer_and_the_conversation(
    browser: Browser, article_engine: rag.Engine, small_model: Served
) -> None:
    first, second = "Why does Ilya think scaling is over?", "How much money has SSI raised?"
    with serving(article_engine.with_llm(small_model.name)) as address, visiting(browser, address) as page:
        ask(page, first)
        until(lambda: _connected(small_model))
        page.wait_for_timeout(300)  # it reads its prompt for a second and more
        small_model.process.kill()
        for question in (first, second):
            exchange = asked(page, question) if question == second else page.locator(".exchange").first
            expect(exchange).to_have_attribute("data-state", "done")
            expect(exchange.locator(".notice")).to_contain_text("Answered without openai-like/smollm2@")
            expect(exchange).to_contain_text(article_engine.ask(question).citations[0].quote[:60])
        expect(page.locator(".exchange")).to_have_count(2)
        page.locator(".exchange .mark").first.click()
        quote = article_engine.ask(first).citations[0].quote
        assert " ".join(marked(page).split()) == " ".join(quote.split())
        assert small_model.key not in page.content()
