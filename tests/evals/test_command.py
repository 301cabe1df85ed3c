"""`verse eval` as its user and a CI meet it: figures, files, exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from evals.run import read_cases
from tests.evals.conftest import QUESTIONS, verse_eval, write_questions


@pytest.fixture(scope="module")
def index(minutes: Path, encoder_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("index")


@pytest.fixture
def run(minutes: Path, index: Path, questions: Path, tmp_path: Path) -> Any:
    """`verse eval` on the small corpus."""

    def call(*arguments: object, out: str = "out") -> Result:
        given = ("--questions", questions) if "--questions" not in arguments else ()
        place = ("--out", tmp_path / out) if "--out" not in arguments else ()
        return verse_eval("--corpus", minutes, "--index", index, *given, *place, *arguments)

    return call


def record(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return found


def test_a_run_prints_figures_and_leaves_every_answer_and_setting(run: Any, tmp_path: Path) -> None:
    result = run()
    assert result.exit_code == 0, result.output
    assert "evidence_recall" in result.stdout
    assert "overall" in result.stdout
    found = record(tmp_path / "out")
    assert [case["id"] for case in found["cases"]] == [question["id"] for question in QUESTIONS]
    assert all(case["answer"]["text"] for case in found["cases"])
    settings = found["settings"]
    assert set(settings["corpus"]["sources"]) == {"june", "may"}
    assert settings["index"]["model"] == "all-MiniLM-L6-v2"
    assert {"version", "commit", "packages", "llm", "judge", "questions"} <= set(settings)
    figure = found["figures"]["all"]["overall"]["evidence_recall"]
    assert figure["n"] == 3
    assert figure["low"] <= figure["value"] <= figure["high"]
    assert found["figures"]["all"]["off_topic"]["evidence_recall"] is None, "none, and not zero"
    assert list((tmp_path / "out").glob("answers*")) == []


def test_figures_are_the_same_on_every_run(run: Any, tmp_path: Path) -> None:
    run(out="a")
    run(out="b")
    a, b = record(tmp_path / "a"), record(tmp_path / "b")
    assert a["figures"] == b["figures"]
    assert [case["figures"] for case in a["cases"]] == [case["figures"] for case in b["cases"]]
    assert a["settings"] == b["settings"]


def test_json_prints_the_figures_and_nothing_else(run: Any) -> None:
    found = json.loads(run("--json").stdout)
    assert found["figures"]["all"]["overall"]["quote_validity"]["value"] == 1


@pytest.mark.parametrize(
    ("threshold", "code", "words"),
    [
        ("quote_validity=1", 0, ""),
        ("evidence_recall=1.1", 1, "evidence_recall >= 1.1 is missed"),
        ("factoid/evidence_recall=1.1", 1, "factoid/evidence_recall >= 1.1 is missed"),
        ("refused=0.5", 0, ""),
        ("ms_median=0.0001", 1, "ms_median <= 0.0001 is missed"),
        ("voice=0.5", 1, "can't be shown: no question has that figure"),
        ("niceness=1", 2, "the metrics are recall@5"),
        ("evidence_recall", 2, "give metric=value"),
        ("riddle/evidence_recall=1", 2, "no group 'riddle'"),
        ("evidence_recall=high", 2, "is not a number"),
    ],
)
def test_a_threshold_decides_the_exit_code(run: Any, threshold: str, code: int, words: str) -> None:
    result = run("--fail-under", threshold)
    assert result.exit_code == code, result.output
    assert words in result.stderr


def test_the_same_code_holds_against_its_own_baseline(run: Any, tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.json"
    assert run("--record", baseline).exit_code == 0
    assert "12,000" not in baseline.read_text(encoding="utf-8"), "a baseline holds no texts"
    result = run("--baseline", baseline, out="again")
    assert result.exit_code == 0, result.output
    assert run("--baseline", tmp_path / "out", out="third").exit_code == 0


def test_a_corpus_that_lost_its_evidence_misses_the_baseline(run: Any, minutes: Path, tmp_path: Path) -> None:
    run()
    other = tmp_path / "other"
    other.mkdir()
    (other / "may.md").write_text((minutes / "may.md").read_text(encoding="utf-8"), encoding="utf-8")
    result = run("--baseline", tmp_path / "out", "--corpus", other, "--index", tmp_path / "i", out="again")
    assert result.exit_code == 1, result.output
    assert "the corpus lost the evidence of 1 question (pump)" in result.stderr
    assert "corpus: the source june was dropped" in result.stdout


def test_gold_that_does_not_fit_is_scored_and_said(run: Any, tmp_path: Path) -> None:
    file = write_questions(tmp_path / "q.jsonl", *QUESTIONS, {**QUESTIONS[0], "id": "x", "evidence": ["It is free."]})
    result = run("--questions", file)
    assert result.exit_code == 2
    assert "evidence is not verbatim: 'It is free.'" in result.stderr
    assert record(tmp_path / "out")["figures"]["all"]["overall"]["evidence_recall"]["n"] == 4


def test_a_question_that_is_refused_is_a_gap_and_not_a_zero(run: Any, tmp_path: Path) -> None:
    file = write_questions(tmp_path / "q.jsonl", *QUESTIONS, {**QUESTIONS[0], "id": "x", "question": "x" * 5000})
    result = run("--questions", file)
    assert result.exit_code == 1
    assert "no answer to 1 question (x)" in result.stderr
    found = record(tmp_path / "out")
    assert found["figures"]["all"]["overall"]["evidence_recall"]["n"] == 3
    assert "the limit is 4,000" in found["cases"][-1]["error"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--questions", "/no/such/file"], "give a JSONL file"),
        (["--baseline", "/no/such/run"], "make a run with"),
        (["--baseline", __file__], "is not a run of verse eval"),
        (["--out", "/proc/no"], "name a folder that you may write to"),
        (["--split", "never"], "leave out --split"),
        (["--corpus", "/no/such/corpus"], "verse new"),
    ],
    ids=["questions", "baseline", "not a run", "out", "split", "corpus"],
)
def test_a_wrong_argument_is_one_line_and_code_2(run: Any, arguments: list[str], words: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert "Traceback" not in result.output


def test_an_interrupted_run_goes_on_where_it_stopped(run: Any, tmp_path: Path) -> None:
    run()
    whole = record(tmp_path / "out")
    answers = tmp_path / "again" / "answers.jsonl"
    answers.parent.mkdir()
    # As a kill leaves it: two answers and half of a third; the first is marked, to see whether it is asked anew.
    first, second, third = (json.dumps(case) for case in whole["cases"][:3])
    marked = json.dumps({**whole["cases"][0], "seconds": 77.0})
    run_key = header_of(run, tmp_path)
    answers.write_text(f"{run_key}{marked}\n{second}\n{third[:50]}", encoding="utf-8")
    result = run(out="again")
    assert result.exit_code == 0, result.output
    resumed = record(answers.parent)
    assert [case["id"] for case in resumed["cases"]] == [case["id"] for case in whole["cases"]]
    assert resumed["cases"][0]["seconds"] == 77.0
    assert resumed["figures"] == whole["figures"]
    assert first != marked


def header_of(run: Any, tmp_path: Path) -> str:
    """The first line of a run's answers, as one that stopped at a locked record leaves it."""
    stopped = tmp_path / "stopped"
    (stopped / "run.json").mkdir(parents=True)
    assert run(out="stopped").exit_code == 2, "a folder stands where run.json should"
    assert len(list(read_cases(stopped / "answers.jsonl"))) == len(QUESTIONS)
    return (stopped / "answers.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)[0]


def test_answers_of_another_run_are_not_taken_over(run: Any, tmp_path: Path) -> None:
    answers = tmp_path / "out" / "answers.jsonl"
    answers.parent.mkdir()
    answers.write_text('{"run": "another"}\n{"id": "roof-cost"}\n', encoding="utf-8")
    assert run().exit_code == 0
    assert len(record(answers.parent)["cases"]) == len(QUESTIONS)
