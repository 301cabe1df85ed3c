"""A judge behind a real server on loopback: what it says is recorded, what it fails on is a gap."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.evals.conftest import verse_eval
from tests.rag.scripted import Reply, Scripted, scripted


def verdict(prompt: str, body: dict[str, Any]) -> Iterable[str]:
    """Correctness is asked for as a number, the other two as YES or NO."""
    return ["4.0\nIt says the same."] if "Reference Answer" in prompt else ["YES"]


@pytest.fixture(scope="module")
def index(minutes: Path, encoder_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("index")


@pytest.fixture
def run(minutes: Path, index: Path, questions: Path, tmp_path: Path) -> Any:
    def call(*arguments: object) -> tuple[int, str, dict[str, Any]]:
        result = verse_eval(
            *("--corpus", minutes, "--index", index, "--questions", questions, "--out", tmp_path / "out"), *arguments
        )
        file = tmp_path / "out" / "run.json"
        return result.exit_code, result.output, json.loads(file.read_text("utf-8")) if file.exists() else {}

    return call


def judged(found: dict[str, Any]) -> dict[str, float | None]:
    row = found["figures"]["all"]["overall"]
    return {name: row[name]["value"] if row[name] else None for name in ("faithfulness", "relevancy", "correctness")}


def test_the_judges_opinion_is_recorded_with_its_name_and_apart(run: Any, tmp_path: Path) -> None:
    with scripted(verdict) as server:
        code, _, found = run("--judge", server.name)
        assert code == 0
        assert judged(found) == {"faithfulness": 1, "relevancy": 1, "correctness": 4}
        assert found["settings"]["judge"] == server.name
        assert len(server.asked) == 3 * 3, "three opinions on each of the three answers that cite anything"
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "the opinion of" in page


def test_without_a_judge_there_are_no_such_figures(run: Any) -> None:
    _, _, found = run()
    assert "faithfulness" not in found["figures"]["all"]["overall"]
    assert found["settings"]["judge"] is None


def test_a_judge_that_fails_midway_leaves_a_gap_and_the_rest_is_scored(run: Any) -> None:
    def falters(prompt: str, body: dict[str, Any]) -> Iterable[str] | Reply:
        return verdict(prompt, body) if len(server.asked) <= 4 else Reply(400)

    server: Scripted
    with scripted(falters) as server:
        code, output, found = run("--judge", server.name)
    assert code == 0
    assert "the judge failed on 2 questions (bees, pump); the other figures stand" in output
    row = found["figures"]["all"]["overall"]
    assert row["faithfulness"]["n"] == 2
    assert row["correctness"]["n"] == 1
    assert row["evidence_recall"]["n"] == 3
    assert "its server failed (400)" in found["cases"][1]["judge_error"]


def test_a_verdict_that_cannot_be_read_is_a_gap(run: Any) -> None:
    with scripted(lambda prompt, body: ["Well ..."] if "Reference Answer" in prompt else ["NO"]) as server:
        _, _, found = run("--judge", server.name)
    assert judged(found) == {"faithfulness": 0, "relevancy": 0, "correctness": None}
    assert found["cases"][0]["judge_error"] == "correctness: the judge's verdict can't be read"


def test_a_judge_may_not_judge_itself_unless_said(run: Any) -> None:
    with scripted(verdict) as server:
        code, output, _ = run("--judge", server.name, "--llm", server.name)
        assert code == 2
        assert "--judge-itself" in output
        assert server.asked == []
        code, _, found = run("--judge", server.name, "--llm", server.name, "--judge-itself")
        assert code == 0
        assert found["settings"]["llm"] == found["settings"]["judge"] == server.name


@pytest.mark.parametrize("name", ["openai-like/none@http://127.0.0.1:9/v1", "oracle", "openai/gpt-4o"])
def test_a_judge_that_cannot_be_had_is_said_before_anything_is_asked(run: Any, name: str) -> None:
    code, output, found = run("--judge", name)
    assert code == 2
    assert "Traceback" not in output
    assert ";" in output or "name one as" in output
    assert found == {}
