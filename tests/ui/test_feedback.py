"""What readers think is kept, a line each, also when many write at once; a disk that refuses is named."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from corpus import Corpus, VerseError
from tests.ui.fakes import FakeEngine
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
