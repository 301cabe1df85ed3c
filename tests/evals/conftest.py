"""A small corpus of one's own, and a question file for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rag.cli import cli

ROOF = """# Minutes of May

## The roof

The board decided to repair the roof of the old barn before winter. Anna Berg said that the repair costs
12,000 euros. The work begins on 3 August, because the builders are busy until then.

## The harvest

The harvest of apples was the best in ten years. Tom Hale thinks that bees made the difference. The press will run
for three weeks in September.
"""
CELLAR = """# Minutes of June

## The cellar

Water stood in the cellar after the storm of 9 June. The pump was lent by the neighbours. The board will buy a pump
of its own for 800 euros.
"""
QUESTIONS: list[dict[str, object]] = [
    {
        "id": "roof-cost",
        "kind": "factoid",
        "question": "What does the repair of the roof cost?",
        "answerable": True,
        "gold_sections": ["The roof"],
        "evidence": ["the repair costs\n12,000 euros"],
        "must_include": [["12,000"]],
    },
    {
        "id": "bees",
        "kind": "attribution",
        "question": "Who thinks that bees made the difference to the harvest?",
        "answerable": True,
        "gold_sections": ["The harvest"],
        "evidence": ["Tom Hale thinks that bees made the difference."],
        "must_include": [["Tom Hale"]],
        "must_not": ["Anna"],
    },
    {
        "id": "pump",
        "kind": "factoid",
        "question": "How much will the pump for the cellar cost?",
        "answerable": True,
        "gold_sections": ["The cellar"],
        "evidence": ["The board will buy a pump\nof its own for 800 euros."],
        "must_include": [["800"]],
    },
    {"id": "weather", "kind": "off_topic", "question": "Will it rain in Oslo tomorrow?", "answerable": False},
]


@pytest.fixture(scope="session")
def minutes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two texts."""
    folder = tmp_path_factory.mktemp("minutes")
    (folder / "may.md").write_text(ROOF, encoding="utf-8")
    (folder / "june.md").write_text(CELLAR, encoding="utf-8")
    return folder


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """A question file on it."""
    return write_questions(tmp_path / "questions.jsonl", *QUESTIONS)


def write_questions(file: Path, *questions: object) -> Path:
    file.write_text("".join(json.dumps(question) + "\n" for question in questions), encoding="utf-8")
    return file


def verse_eval(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["eval", *map(str, arguments)], prog_name="verse")
