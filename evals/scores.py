"""The shares of every question, and figures over groups of them."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evals.intervals import Column, Figure, figure
from evals.questions import KINDS, PARTS

# In the order of a report; those of a judge stand apart.
METRICS = (
    "recall@5",
    "recall@10",
    "hit@10",
    "ndcg@10",
    "mrr@10",
    "section_hit",
    "section_precision",
    "evidence_recall",
    "must_include",
    "must_not",
    "voice",
    "quote_validity",
    "support",
    "citation_recall",
    "citation_precision",
    "abstention_precision",
    "abstention_recall",
    "abstention_f1",
    "refused",
    "agreement",
)
JUDGED = ("faithfulness", "relevancy", "correctness")
FEWER_IS_BETTER = frozenset({"must_not", "refused"})
ALL, OVERALL = "all", "overall"
_NONE = float("nan")

Figures = dict[str, dict[str, dict[str, Figure | None]]]


@dataclass
class Scores:
    """Columns of shares, one row a question; NaN where a question can't have the figure. Numbers only, so that
    100,000 questions fit. `failed` are the ids that got no answer, `unwritten` those that
    the language model failed on, `unjudged` those whose judge failed."""

    ids: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    parts: list[str | None] = field(default_factory=list)
    answerable: list[bool] = field(default_factory=list)
    confidence: array[float] = field(default_factory=lambda: array("d"))
    seconds: array[float] = field(default_factory=lambda: array("d"))
    failed: list[str] = field(default_factory=list)
    unjudged: list[str] = field(default_factory=list)
    unwritten: list[str] = field(default_factory=list)
    _columns: dict[str, tuple[array[float], array[float]]] = field(
        default_factory=lambda: {name: (array("d"), array("d")) for name in (*METRICS, *JUDGED)}
    )

    def add(self, case: Mapping[str, Any]) -> None:
        """The row of a recorded case."""
        self.ids.append(case["id"])
        self.kinds.append(case["kind"])
        self.parts.append(case["part"])
        self.answerable.append(case["answerable"])
        self.confidence.append(_NONE if case["confidence"] is None else case["confidence"])
        self.seconds.append(case.get("seconds", _NONE))
        if case["error"]:
            self.failed.append(case["id"])
        if case.get("judge_error"):
            self.unjudged.append(case["id"])
        if case.get("notice"):
            self.unwritten.append(case["id"])
        for name, (parts, wholes) in self._columns.items():
            part, whole = case["figures"].get(name, (_NONE, _NONE))
            parts.append(part)
            wholes.append(whole)

    def column(self, metric: str, rows: NDArray[np.int64] | None = None) -> tuple[Column, Column]:
        """Parts and wholes of a metric."""
        parts, wholes = (np.frombuffer(values, dtype=np.float64) for values in self._columns[metric])
        return (parts, wholes) if rows is None else (parts[rows], wholes[rows])

    def groups(self) -> Iterator[tuple[str, str, NDArray[np.int64]]]:
        """(part, kind, rows): of all questions and of each part of them, each kind and overall last."""
        kinds = np.array(self.kinds)
        parts = np.array([part or "" for part in self.parts])
        for part in (ALL, *PARTS):
            rows = np.arange(len(self.ids)) if part == ALL else np.flatnonzero(parts == part)
            if len(rows):
                for kind in KINDS:
                    found = rows[kinds[rows] == kind]
                    if len(found):
                        yield part, kind, found
                yield part, OVERALL, rows

    def figures(self) -> Figures:
        """Part -> kind -> metric -> figure."""
        found: Figures = {}
        for part, kind, rows in self.groups():
            found.setdefault(part, {})[kind] = {name: figure(*self.column(name, rows)) for name in self._columns}
        return found

    def counts(self) -> dict[str, dict[str, int]]:
        """Part -> kind -> number of questions."""
        found: dict[str, dict[str, int]] = {}
        for part, kind, rows in self.groups():
            found.setdefault(part, {})[kind] = len(rows)
        return found

    def __len__(self) -> int:
        return len(self.ids)
