"""What readers think is kept, a line each, also when many write at once; a disk that refuses is named."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner

from corpus import Corpus, VerseError
from tests.ui.fakes import FakeEngine
from ui.command import feedback
from ui.feedback import FEEDBACK, keep_feedback


def test_a_rating_is_one_line_with_the_answer_itself(tmp_path: Path, corpus: Corpus) -> None:
    answer = FakeEngine(corpus).ask("Why?")
    keep_feedback(tmp_path / "new", "down", "  wrong\nvoice " + "x" * 3000, "Why? \ud800", answer)
    (line,) = (tmp_path / "new" / FEEDBACK).read_text(encoding="utf-8").splitlines()
    kept = json.loads(line)
    assert list(kept) == ["time", "rating", "reason", "question", "answer"]
    assert (kept["rating"], kept["question"]) == ("down", "Why? \ud800")
    assert kept["reason"].startswith("wrong\nvoice xx") and len(kept["reason"]) == 2000
    assert kept["answer"] == json.loads(json.dumps(answer.to_dict()))


def test_many_at_once_keep_whole_lines(tmp_path: Path, corpus: Corpus) -> None:
    answer = FakeEngine(corpus).ask("Why?")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: keep_feedback(tmp_path, "up", str(n), "Why?", answer), range(40)))
    lines = (tmp_path / FEEDBACK).read_text(encoding="utf-8").splitlines()
    assert sorted(int(json.loads(line)["reason"]) for line in lines) == list(range(40))


def test_a_place_that_cannot_be_written_is_named_with_the_cure(tmp_path: Path, corpus: Corpus) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(VerseError, match=r"can't be written .*VERSE_HOME"):
        keep_feedback(tmp_path / "file", "up", "", "Why?", FakeEngine(corpus).ask("Why?"))


def test_ratings_can_be_taken_along_and_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERSE_HOME", str(tmp_path))
    (tmp_path / "feedback.jsonl").write_text('{"rating": "up"}\n{"rating": "down"}\n')
    copied = CliRunner().invoke(feedback, ["--export", str(tmp_path / "copy.jsonl")])
    assert copied.output.startswith("2 ratings in")
    assert (tmp_path / "copy.jsonl").read_text() == (tmp_path / "feedback.jsonl").read_text()
    assert "deleted" not in CliRunner().invoke(feedback, ["--delete"], input="n\n").output
    assert CliRunner().invoke(feedback, ["--delete", "--yes"]).output.endswith("deleted\n")
    assert CliRunner().invoke(feedback, []).output.startswith("0 ratings in")
