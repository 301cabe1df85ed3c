"""A first question file from anyone's documents: exact gold, nothing overwritten, feedback in any state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from corpus import Corpus
from evals.check import check_file
from evals.draft import MOST, draft_questions, read_feedback, write_draft
from rag import Engine
from tests.evals.conftest import verse_eval
from tests.rag.scripted import Reply, Scripted, scripted


def test_a_draft_of_ones_own_documents_passes_its_own_check(minutes: Path, tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    result = verse_eval("--corpus", minutes, "--draft", "--questions", file)
    assert result.exit_code == 0, result.output
    assert f"verse eval --corpus {minutes} --check {file}" in result.stdout
    count, faults = check_file(file, Corpus.open(minutes))
    assert count >= 8
    assert [str(fault) for fault in faults] == []
    asked = file.read_text(encoding="utf-8")
    assert "Who thinks that bees made the difference?" in asked
    assert "…" in asked, "numbers are asked for by a gap"
    assert '"answerable": false' in asked.replace('"answerable":false', '"answerable": false')


def test_a_draft_of_the_built_in_corpus_is_spread_and_the_same_every_time(corpus: Corpus, tmp_path: Path) -> None:
    questions = draft_questions(corpus)
    assert questions == draft_questions(corpus)
    assert len(questions) <= MOST
    sources = {section.partition("#")[0] for question in questions for section in question.gold_sections}
    assert sources == set(corpus.source_by_id)
    write_draft(tmp_path / "q.jsonl", questions)
    assert check_file(tmp_path / "q.jsonl", corpus) == (len(questions), [])


def test_a_question_file_that_is_there_is_left_alone(minutes: Path, questions: Path) -> None:
    before = questions.read_text(encoding="utf-8")
    result = verse_eval("--corpus", minutes, "--draft", "--questions", questions)
    assert result.exit_code == 2
    assert "exists; name another file" in result.stderr
    assert questions.read_text(encoding="utf-8") == before


@pytest.mark.parametrize("text", ["", "one word", "x" * 3000, "1 2 3 4 5 6 7 8 9 10 11 12 13 14", "# A\n\n# B\n\n!"])
def test_odd_texts_give_what_they_can(text: str, tmp_path: Path) -> None:
    corpus = Corpus.from_texts({"odd": text, "even": "Some words stand here."})
    questions = draft_questions(corpus)
    assert questions, "at least those that no document answers"
    write_draft(tmp_path / "q.jsonl", questions)


def test_ratings_become_questions_and_whatever_cannot_be_read_is_passed_over(engine: Engine, tmp_path: Path) -> None:
    liked = engine.ask("What is research taste?")
    disliked = engine.ask("how much has SSI raised?")
    lines = [
        json.dumps({"rating": "up", "question": liked.question, "answer": liked.to_dict()}),
        json.dumps({"rating": "down", "question": disliked.question, "answer": disliked.to_dict()}),
        "half a li",
        json.dumps({"rating": "up", "question": "?", "answer": {"citations": [{"source_id": "gone", "quote": "x"}]}}),
        json.dumps({"rating": "up", "answer": None}),
        json.dumps({"rating": "down", "answer": []}),
        json.dumps(["no", "object"]),
    ]
    file = tmp_path / "feedback.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    found = [q for q in draft_questions(engine.corpus, read_feedback(file)) if q.id.startswith("feedback")]
    assert [q.question for q in found] == [liked.question, disliked.question]
    assert found[0].evidence[0] == liked.citations[0].quote
    assert found[1].evidence == (), "a person says what the right answer is"
    write_draft(tmp_path / "q.jsonl", found)
    _, faults = check_file(tmp_path / "q.jsonl", engine.corpus)
    assert [(fault.line, fault.text.split(";")[0]) for fault in faults] == [(2, "answerable, but without evidence")]
    assert read_feedback(tmp_path / "none") == []


def test_a_language_model_puts_the_draft_into_natural_words(minutes: Path, tmp_path: Path) -> None:
    def writes(prompt: str, body: dict[str, Any]) -> list[str] | Reply:
        if len(server.asked) > 2:
            return Reply(400)
        return ["How much is ", "the repair?"] if "12,000" in prompt else ["Here you are:\n1. What?"]

    server: Scripted
    file = tmp_path / "q.jsonl"
    with scripted(writes) as server:
        result = verse_eval("--corpus", minutes, "--draft", "--questions", file, "--llm", server.name)
    assert result.exit_code == 0, result.output
    assert "the other questions keep our words" in result.stderr
    count, faults = check_file(file, Corpus.open(minutes))
    assert count >= 8
    assert faults == []
    asked = [json.loads(line)["question"] for line in file.read_text(encoding="utf-8").splitlines()]
    assert not any("Here you are" in question for question in asked), "only one plain question is taken over"
