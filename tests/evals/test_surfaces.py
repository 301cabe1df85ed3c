"""The same answer everywhere: the command, the page's API and MCP, each by a process and a socket of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import rag
from corpus import Corpus
from evals.questions import Question, read_questions
from evals.surfaces import Surfaces
from rag import Engine
from tests.evals.conftest import verse_eval


@pytest.fixture(scope="module")
def small(minutes: Path, encoder_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with rag.open_engine(Corpus.open(minutes), index=tmp_path_factory.mktemp("index")) as opened:
        yield opened


@pytest.mark.slow
def test_every_surface_gives_the_answer_that_python_gives(small: Engine, questions: Path, tmp_path: Path) -> None:
    place = ("--corpus", small.corpus.folder, "--index", small.settings.index, "--out", tmp_path / "out")
    result = verse_eval(*place, "--questions", questions, "--surfaces", "--fail-under", "agreement=1")
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))["figures"]["all"]["overall"]["agreement"]
    assert (found["value"], found["n"]) == (1, 3), "one question of each kind, on three surfaces"


def test_a_surface_that_differs_is_named(small: Engine, questions: Path) -> None:
    asked = read_questions(questions)

    def same(question: Question) -> object:
        return {**small.ask(question.question).to_dict(), "timings": {}}

    def other(question: Question) -> object:
        return {**small.ask(question.question).to_dict(), "citations": []}

    surfaces = Surfaces({"one": same, "two": other}, asked)
    shares = [surfaces.score(question, small.ask(question.question))[0] for question in asked]
    assert [share.get("agreement") for share in shares] == [(1, 2), (1, 2), None, (2, 2)]
    assert surfaces.differences == ["two answers roof-cost otherwise", "two answers bees otherwise"]
