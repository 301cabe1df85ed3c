"""The page with the real engine and the real article: what a reader sees first."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

import rag
from tests.ui.conftest import serving, visiting
from tests.ui.test_page import asked, marked


@pytest.fixture(scope="module")
def real_engine(encoder_files: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[rag.Engine]:
    """An engine over the built-in corpus."""
    with rag.open_engine(index=tmp_path_factory.mktemp("real-index")) as engine:
        yield engine


@pytest.mark.browser
def test_a_cited_answer_about_the_article(browser: Browser, real_engine: rag.Engine) -> None:
    question = "Why does Ilya think scaling is over?"
    answer = real_engine.ask(question)
    with serving(real_engine) as address, visiting(browser, address) as page:
        exchange = asked(page, question)
        expect(exchange).to_contain_text(answer.citations[0].section)
        expect(exchange).to_contain_text(answer.citations[0].quote[:60])
        page.locator(".exchange .mark").first.click()
        assert " ".join(marked(page).split()) == " ".join(answer.citations[0].quote.split())


@pytest.mark.browser
def test_what_the_sources_do_not_say(browser: Browser, real_engine: rag.Engine) -> None:
    with serving(real_engine) as address, visiting(browser, address) as page:
        exchange = asked(page, "What will the weather be in London tomorrow?")
        expect(exchange).to_contain_text("The sources don't say")
