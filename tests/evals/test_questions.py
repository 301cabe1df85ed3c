"""Question files: ours are whole, and a wrong one says where and what."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from corpus import Corpus
from evals.check import check_file
from evals.questions import (
    GIVEN,
    KINDS,
    OWN_ARTICLE,
    OWN_CORPUS,
    QuestionFileError,
    built_in_questions,
    read_questions,
)
from tests.evals.conftest import QUESTIONS, write_questions


def test_the_built_in_set_has_every_kind_in_both_halves_of_the_split() -> None:
    asked = built_in_questions()
    assert Counter(q.part for q in asked)["given"] == 78
    own = [q for q in asked if q.part != "given"]
    assert len(own) >= 120
    for part in ("tune", "never"):
        assert {q.kind for q in own if q.part == part} == set(KINDS)
    assert len({q.id for q in asked}) == len(asked)


def test_no_question_is_asked_twice() -> None:
    asked = Counter((q.question.lower(), str(q.history), q.sources) for q in built_in_questions())
    assert [question for question, times in asked.items() if times > 1] == []


@pytest.mark.parametrize("file", [GIVEN, OWN_ARTICLE, OWN_CORPUS], ids=lambda file: file.stem)
def test_the_built_in_gold_stands_in_the_corpus_word_for_word(file: Path, corpus: Corpus) -> None:
    count, faults = check_file(file, corpus)
    assert count > 50
    assert [str(fault) for fault in faults] == []


GOOD = dict(QUESTIONS[0])


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{not json", r"line 2: not JSON .*mend that line"),
        ('["a list"]', r"line 2: .*mend that line"),
        ({**GOOD, "id": "b", "kind": "riddle"}, r"line 2: kind: .*'factoid'"),
        ({"id": "b", "kind": "factoid", "answerable": True}, r"line 2: question: Field required"),
        ({**GOOD, "id": "b", "answer": "x"}, r"line 2: answer: Extra inputs"),
        ({**GOOD}, r"line 2: the id 'roof-cost' is used on line 1 too; rename one"),
        ({**GOOD, "id": "b", "evidence_alt": [[], []]}, r"line 2: evidence_alt has 2 lists for 1 spans"),
    ],
    ids=["not JSON", "not an object", "unknown kind", "missing field", "unknown field", "id twice", "not parallel"],
)
def test_a_bad_line_is_named_with_its_fault(tmp_path: Path, line: object, words: str) -> None:
    file = write_questions(tmp_path / "q.jsonl", GOOD)
    with file.open("a", encoding="utf-8") as out:
        out.write(line if isinstance(line, str) else write_questions(tmp_path / "line", line).read_text("utf-8"))
    with pytest.raises(QuestionFileError, match=words):
        read_questions(file)


@pytest.mark.parametrize("content", [b"", b"\n\n", None, b"\xff\xfe\x00"], ids=["empty", "blank", "missing", "binary"])
def test_a_file_without_questions_is_refused_with_a_cure(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "q.jsonl"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(QuestionFileError, match=r"q\.jsonl .*(--draft|--questions)"):
        read_questions(file)


def test_check_names_file_line_and_nearest_match(tmp_path: Path, minutes: Path) -> None:
    wrong = {
        **GOOD,
        "gold_sections": ["The roofs"],
        "evidence": ["The board decided to mend the roof of the old barn"],
        "sources": ["mai"],
    }
    file = write_questions(tmp_path / "q.jsonl", QUESTIONS[1], wrong)
    corpus = Corpus.open(minutes)
    count, faults = check_file(file, corpus)
    said = [str(fault) for fault in faults]
    assert count == 2
    assert all(text.startswith(f"{file}, line 2: ") for text in said)
    assert "no source has the id 'mai'; nearest is 'may'" in said[0]
    assert any("The board decided to repair the roof" in text and "(may, The roof)" in text for text in said)


def test_check_finds_gold_that_contradicts_itself(tmp_path: Path, minutes: Path) -> None:
    file = write_questions(
        tmp_path / "q.jsonl",
        {**GOOD, "gold_sections": ["The harvest"]},
        {**GOOD, "id": "b", "must_include": [["13,000"]]},
        {**GOOD, "id": "c", "must_not": ["12,000"]},
        {**GOOD, "id": "d", "kind": "follow_up"},
        {**GOOD, "id": "e", "answerable": False},
    )
    _, faults = check_file(file, Corpus.open(minutes))
    assert [(fault.line, fault.text.split(":")[0].split(",")[0]) for fault in faults] == [
        (1, "evidence stands in The roof"),
        (2, "must_include"),
        (3, "must_not"),
        (4, "a follow_up without history; give the turns before it"),
        (5, "not answerable"),
    ]
