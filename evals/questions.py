"""A question file: one JSON object a line -> Questions, each fault named with its line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rag import QuestionError
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
Part = Literal["given", "tune", "never"]
PARTS: tuple[str, ...] = get_args(Part)
_HERE = Path(__file__).parent
GIVEN, OWN_ARTICLE, OWN_CORPUS = (_HERE / f"{name}.jsonl" for name in ("article_dev", "article_own", "corpus_own"))
_SPLIT = _HERE / "split.json"
ARTICLE = ("article",)


class QuestionFileError(QuestionError):
    """A question file can't be used; the message names file, line and fault."""


class Question(BaseModel):
    """A question and what a good answer to it holds; docs/evals.md explains each field.

    `evidence` are verbatim spans; `evidence_alt` gives for each the other spans that say the same.
    `must_include` is a list of alternatives each; `must_not` are strings that no answer may hold. A gold
    section is a label, or `source#label` where the question is asked of all sources. `part` says whether
    anything was tuned on the question.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1)
    kind: Kind
    question: str
    answerable: bool
    history: tuple[Turn, ...] = ()
    gold_sections: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    evidence_alt: tuple[tuple[str, ...], ...] = ()
    must_include: tuple[tuple[str, ...], ...] = ()
    must_not: tuple[str, ...] = ()
    attribution: str | None = None
    difficulty: Literal[1, 2, 3] = 1
    sources: tuple[str, ...] = ()
    voice: str | None = None
    reference: str | None = None
    part: Part | None = None

    @model_validator(mode="after")
    def _parallel(self) -> Self:
        if self.evidence_alt and len(self.evidence_alt) != len(self.evidence):
            raise ValueError(
                f"evidence_alt has {len(self.evidence_alt)} lists for {len(self.evidence)} spans of evidence; "
                "give one list for each, or leave it out"
            )
        return self

    @property
    def spans(self) -> list[tuple[str, ...]]:
        """Each span of evidence with the spans that say the same."""
        alternatives = self.evidence_alt or ((),) * len(self.evidence)
        return [(span, *others) for span, others in zip(self.evidence, alternatives, strict=True)]

    @property
    def names_sources(self) -> bool:
        """Whether the gold sections are written `source#label`."""
        return any("#" in section for section in self.gold_sections)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one line of a file, and how to mend it."""

    file: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.text}"


def read_questions(file: Path) -> list[Question]:
    """The questions of a file, in its order. Raises QuestionFileError."""
    questions, faults = [], []
    for _, found in read_lines(file):
        if isinstance(found, Fault):
            faults.append(found)
        else:
            questions.append(found)
    if faults:
        more = f" ({len(faults) - 1} more; verse eval --check {file} lists them)" if len(faults) > 1 else ""
        raise QuestionFileError(f"{faults[0]}{more}")
    return questions


def read_lines(file: Path) -> Iterator[tuple[int, Question | Fault]]:
    """(line number, question or what is wrong with it), line by line. Raises QuestionFileError where there is
    nothing to read."""
    seen: dict[str, int] = {}
    try:
        with file.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    found = _parse(file, number, line, seen)
                    yield number, found
                    if isinstance(found, Question):
                        seen[found.id] = number
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionFileError(f"{file} can't be read ({error}); give a JSONL file with --questions") from None
    if not seen and not file.read_text(encoding="utf-8-sig").strip():
        raise QuestionFileError(f"{file} holds no questions; write one JSON object a line, or start from --draft")


def _parse(file: Path, number: int, line: str, seen: dict[str, int]) -> Question | Fault:
    try:
        question = Question.model_validate(json.loads(line))
    except json.JSONDecodeError as error:
        return Fault(file, number, f"not JSON ({error.msg} at column {error.colno}); mend that line")
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        return Fault(file, number, f"{where + ': ' if where else ''}{message}; mend that line")
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits, 5,000 brackets
        return Fault(file, number, f"not JSON that can be read ({error}); mend that line")
    if question.id in seen:
        return Fault(file, number, f"the id {question.id!r} is used on line {seen[question.id]} too; rename one")
    return question


def built_in_questions() -> list[Question]:
    """The questions that the project began with and our own, each with its part; those on the article alone
    are asked of the article alone."""
    parts: dict[str, Part] = {
        question_id: part for part in ("tune", "never") for question_id in json.loads(_SPLIT.read_text("utf-8"))[part]
    }
    return [
        question.model_copy(update={"part": parts.get(question.id, "given"), "sources": question.sources or scope})
        for file, scope in ((GIVEN, ARTICLE), (OWN_ARTICLE, ARTICLE), (OWN_CORPUS, ()))
        for question in read_questions(file)
    ]


def in_scope(questions: Sequence[Question], sources: Sequence[str]) -> list[Question]:
    """The questions, asked of these sources where they name none of their own."""
    if not sources:
        return list(questions)
    return [q if q.sources else q.model_copy(update={"sources": tuple(sources)}) for q in questions]
