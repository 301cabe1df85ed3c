"""A question file: one JSON object a line -> Questions, each fault named with its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from corpus import VerseError
from rag.datatypes import Turn

Kind = Literal[
    "factoid",
    "why_how",
    "attribution",
    "compare",
    "list_summary",
    "fact_check",
    "follow_up",
    "unanswerable",
    "false_premise",
    "off_topic",
    "opposing_view",
    "correction",
]
KINDS: tuple[str, ...] = get_args(Kind)
_HERE = Path(__file__).parent
BUILT_IN = _HERE / "article_dev.jsonl"


class QuestionFileError(VerseError):
    """A question file can't be used; the message names file, line and fault."""


class Question(BaseModel):
    """A question and what a good answer to it holds.

    `evidence` are verbatim spans; `evidence_alt` gives for each the other spans that say the same.
    `must_include` is a list of alternatives each; `must_not` are strings that no answer may hold. A gold
    section is a label, or `source#label` where the question is asked of all sources.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    kind: Kind
    question: str
    history: tuple[Turn, ...] = ()
    gold_sections: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    evidence_alt: tuple[tuple[str, ...], ...] = ()
    must_include: tuple[tuple[str, ...], ...] = ()
    must_not: tuple[str, ...] = ()
    answerable: bool
    attribution: str | None = None
    difficulty: Literal[1, 2, 3] = 1
    sources: tuple[str, ...] = ()
    voice: str | None = None

    @property
    def spans(self) -> list[tuple[str, ...]]:
        """Each span of evidence with the spans that say the same."""
        alternatives = self.evidence_alt or ((),) * len(self.evidence)
        return [(span, *others) for span, others in zip(self.evidence, alternatives, strict=True)]


def of_split(questions: list[Question], name: Literal["tune", "never"]) -> list[Question]:
    """Those of our own questions that are tuned on, or those that never are."""
    ids = set(json.loads((_HERE / "split.json").read_text(encoding="utf-8"))[name])
    return [question for question in questions if question.id in ids]


def read_questions(file: Path) -> list[Question]:
    """The questions of a file, in its order. Raises QuestionFileError."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionFileError(f"{file} can't be read ({error}); give a JSONL file with --questions") from None
    questions: list[Question] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            question = Question.model_validate(json.loads(line))
        except json.JSONDecodeError as error:
            raise QuestionFileError(f"{file}, line {number}: not JSON ({error.msg}); mend that line") from None
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise QuestionFileError(f"{file}, line {number}: {where}: {first['msg']}; mend that line") from None
        if question.id in seen:
            raise QuestionFileError(
                f"{file}, line {number}: the id {question.id!r} is used on line {seen[question.id]} too; rename one"
            )
        seen[question.id] = number
        questions.append(question)
    if not questions:
        raise QuestionFileError(f"{file} holds no questions; write one JSON object a line")
    return questions
