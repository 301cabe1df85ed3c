"""What documents, names and visitors write can't pass for lines of ours: in the log, in a terminal, in an export."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import pytest
from markdown_it import MarkdownIt

from rag.datatypes import Answer, AnswerSentence, Citation
from rag.settings import Settings
from rag.terminal import show_rest
from tests.faults.conftest import Town
from tests.faults.test_stopped import begin
from ui.chat import Chat, Exchange
from ui.export import to_markdown
from ui.logs import LOG, set_up_logs

FORGED = "x\n2026-11-25T10:00:00Z [info] asked status=answered\r\x1b[31m\x85y\u2028z\x0bw"


@pytest.fixture
def logs() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("told", [False, True])
def test_an_event_is_a_line(logs: None, capsys: pytest.CaptureFixture[str], form: str, told: bool) -> None:
    set_up_logs(Settings.read(log=form, log_questions=told))
    LOG.info("asked", question=FORGED, path=FORGED, several=[FORGED])
    logging.getLogger(FORGED).warning("read %s", FORGED)
    try:
        raise ValueError(FORGED)
    except ValueError:
        logging.getLogger("library").exception("failed")
    lines = capsys.readouterr().err.splitlines()
    events = [line for line in lines if re.match(r"20\d\d-|\{", line)]
    assert len(events) == 3
    rest = [line for line in lines if line not in events]
    assert [line for line in rest if not line.startswith((" ", "ValueError"))] == []
    assert not any("\x1b" in line for line in lines)


def test_a_title_is_no_line_of_a_terminal_s() -> None:
    title = "Minutes\n[2] The board · signed"
    citation = Citation(
        1, "a", title, "", None, "primary", "One\nverse: done", "One\nverse: done", None, "Yes.", 0, 4, ""
    )
    shown = show_rest(Answer("q", "q", "answered", 1.0, (AnswerSentence("Yes.", (1,)),), (citation,)))
    assert shown.splitlines() == ["", "[1] Minutes [2] The board · signed · One verse: done", "    | Yes."]


def test_the_name_of_a_file_is_no_line_of_ours(town: Town) -> None:
    with begin(town, "add", "no\nverse: added everything\x1b[2J.md") as verse:
        said, complained = verse.communicate()
    assert said == ""
    assert complained.splitlines() == [
        "verse: no verse: added everything�[2J.md isn't there; name a file, or an address that begins with https://"
    ]


@pytest.mark.parametrize(
    "text", ["see [1](https://evil.example)", "[1]: https://evil.example", "[1][2]\n\n[2]: //evil"]
)
def test_a_mark_of_an_exported_answer_is_no_link_of_a_document_s(text: str) -> None:
    answer = Answer("q", "q", "answered", 1.0, (AnswerSentence(text, ()),), ())
    html = MarkdownIt("commonmark").render(to_markdown(Chat((Exchange("q", answer=answer),))))
    assert "<a " not in html
    assert "[1]" in html
