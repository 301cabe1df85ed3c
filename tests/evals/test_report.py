"""The report: one file, nothing fetched, nothing obeyed, the evidence marked in its text."""

from __future__ import annotations

import re
from pathlib import Path

import lxml.html
import pytest
from lxml.html import HtmlElement

from tests.evals.conftest import QUESTIONS, verse_eval, write_questions

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture(scope="module")
def page(minutes: Path, encoder_files: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("report")
    corpus = folder / "corpus"
    corpus.mkdir()
    for file in minutes.glob("*.md"):
        text = file.read_text(encoding="utf-8").replace("before winter", f"before winter {EVIL}")
        (corpus / file.name).write_text(text, encoding="utf-8")
    extra = {"id": EVIL, "kind": "follow_up", "question": f"And the bees? {EVIL}", "answerable": True}
    extra |= {"history": [{"role": "user", "content": EVIL}], "gold_sections": ["The harvest"]}
    extra |= {"evidence": ["bees made the difference", "a span that stands nowhere"], "must_not": [EVIL]}
    file = write_questions(folder / "q.jsonl", *QUESTIONS, extra)
    result = verse_eval("--corpus", corpus, "--index", folder / "i", "--questions", file, "--out", folder / "out")
    assert result.exit_code == 2, "the span that stands nowhere is said"
    return (folder / "out" / "report.html").read_text(encoding="utf-8")


def details(page: str, question: str) -> HtmlElement:
    found: HtmlElement = next(
        element
        for element in lxml.html.fromstring(page).iter("details")
        if (summary := element.find("summary")) is not None and summary.text_content().strip().startswith(question)
    )
    return found


def test_it_needs_nothing_but_itself(page: str) -> None:
    tree = lxml.html.fromstring(page)
    assert not tree.xpath("//script | //link | //img | //iframe | //*[@onerror]")
    assert [a for a in tree.xpath("//@src | //@href | //@*[name()='xlink:href']") if not a.startswith("#")] == []
    assert len(re.findall(r"<svg", page)) == 3


def test_what_documents_and_questions_say_is_shown_and_not_obeyed(page: str) -> None:
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_each_question_shows_what_was_asked_answered_found_and_missed(page: str) -> None:
    shown = details(page, "What does the repair")
    assert [mark.text_content() for mark in shown.iter("mark")] == ["the repair costs 12,000 euros"]
    assert "found · may, The roof" in shown.text_content()
    assert "a gold section" in shown.text_content()
    lost = details(page, "And the bees?")
    assert "missed · not in this corpus" in lost.text_content()
    assert details(page, "Will it rain").text_content().count("refused, as it should be") == 1


def test_figures_stand_with_their_intervals_by_kind(page: str) -> None:
    text = lxml.html.fromstring(page).text_content()
    for words in ("evidence_recall", "By kind", "attribution", "95 % bootstrap"):
        assert words in text
    assert "doesn't fit this corpus" in text
