"""One run against another, question by question: paired differences, the questions that turned, and what counts
as a baseline missed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from evals.intervals import Difference, difference
from evals.record import Run
from evals.scores import ALL, FEWER_IS_BETTER, JUDGED, METRICS, OVERALL

# What must never fall, not even within noise.
EXACT = frozenset({"quote_validity", "agreement"})


@dataclass(frozen=True, slots=True)
class Row:
    """The difference in one metric over one group of questions."""

    part: str
    kind: str
    metric: str
    difference: Difference

    @property
    def better(self) -> bool | None:
        """Whether after is better than before; None where they are equal."""
        gain = self.difference.value * (-1 if self.metric in FEWER_IS_BETTER else 1)
        return None if gain == 0 else gain > 0


@dataclass(frozen=True, slots=True)
class Turned:
    """A question that changed, with the metrics that went up or down, each as (metric, before, after)."""

    id: str
    kind: str
    part: str | None
    question: str
    better: tuple[tuple[str, float, float], ...]
    worse: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True)
class Comparison:
    """Two runs over the questions that both asked; `changed` are the settings that differ, `left_out` the ids
    that only one of them asked, or that were asked in other words."""

    before: str
    after: str
    rows: tuple[Row, ...]
    turned: tuple[Turned, ...]
    changed: tuple[str, ...]
    left_out: tuple[str, ...]

    def of(self, part: str, kind: str) -> Iterator[Row]:
        """The rows of one group."""
        return (row for row in self.rows if (row.part, row.kind) == (part, kind))

    def to_dict(self) -> dict[str, Any]:
        """The comparison as JSON types."""
        rows = [
            {
                **asdict(row),
                "difference": asdict(row.difference) | {"value": row.difference.value},
                "better": row.better,
            }
            for row in self.rows
        ]
        return asdict(self) | {"rows": rows}


def compare(before: Run, after: Run) -> Comparison:
    """The paired comparison of two runs."""
    old = {case["id"]: n for n, case in enumerate(before.cases)}
    both, left_out = [], []
    for n, case in enumerate(after.cases):
        other = old.pop(case["id"], None)
        if other is not None and before.cases[other]["asked_hash"] == case["asked_hash"]:
            both.append((other, n))
        else:
            left_out.append(case["id"])
    rows_before, rows_after = (np.array([pair[i] for pair in both], dtype=np.int64) for i in (0, 1))
    place_of = {n: place for place, (_, n) in enumerate(both)}
    rows = []
    for part, kind, members in after.scores.groups():
        chosen = np.array([place_of[n] for n in members.tolist() if n in place_of], dtype=np.int64)
        for metric in (*METRICS, *JUDGED):
            pair = (before.scores.column(metric, rows_before[chosen]), after.scores.column(metric, rows_after[chosen]))
            if (found := difference(*pair)) is not None:
                rows.append(Row(part, kind, metric, found))
    turned = [turn for pair in both if (turn := _turned(before.cases[pair[0]], after.cases[pair[1]])) is not None]
    return Comparison(
        before.name, after.name, tuple(rows), tuple(turned), tuple(_changed(before, after)), (*left_out, *old)
    )


def missed(comparison: Comparison, before: Run, after: Run) -> list[str]:
    """Where the later run is worse than its baseline beyond noise, in words; empty where the baseline holds.

    Noise: a figure is missed when its interval leaves out 0 and the paired test finds p < 0.05; what is exact
    may not fall at all. Gold that stood in the baseline's corpus and is gone counts, as do new failures.
    """
    found = [
        f"{row.metric} fell from {row.difference.before:.3f} to {row.difference.after:.3f} (p {row.difference.p:.3f})"
        if row.metric not in FEWER_IS_BETTER
        else f"{row.metric} rose from {row.difference.before:.3f} to {row.difference.after:.3f} "
        f"(p {row.difference.p:.3f})"
        for row in comparison.of(ALL, OVERALL)
        if row.better is False and (row.difference.significant or row.metric in EXACT)
    ]
    lost = [question_id for question_id in after.misfits if question_id not in before.misfits]
    known = {case["id"] for case in before.cases}
    if lost := [question_id for question_id in lost if question_id in known]:
        found.append(f"the corpus lost the evidence of {_count(lost)} ({_some(lost)}), first: {after.misfits[lost[0]]}")
    failed = {case["id"] for case in after.cases if case["error"]} & known
    failed -= {case["id"] for case in before.cases if case["error"]}
    if failed:
        found.append(f"{_count(sorted(failed))} got no answer ({_some(sorted(failed))})")
    return found


def _turned(before: dict[str, Any], after: dict[str, Any]) -> Turned | None:
    better: list[tuple[str, float, float]] = []
    worse: list[tuple[str, float, float]] = []
    for metric in (*METRICS, *JUDGED):
        old, new = (_value(case["figures"].get(metric)) for case in (before, after))
        if old is not None and new is not None and old != new:
            up = (new > old) != (metric in FEWER_IS_BETTER)
            (better if up else worse).append((metric, round(old, 4), round(new, 4)))
    if not better and not worse:
        return None
    asked = (after.get("asked") or before.get("asked") or {}).get("question", "")
    return Turned(after["id"], after["kind"], after["part"], asked, tuple(better), tuple(worse))


def _value(share: Sequence[float] | None) -> float | None:
    return share[0] / share[1] if share and share[1] else None


def _changed(before: Run, after: Run) -> Iterator[str]:
    """The settings that differ, a line each; the sources of the corpus one by one."""
    old, new = before.settings, after.settings
    for name in ("version", "commit", "code", "index", "llm", "judge", "packages", "python"):
        if old.get(name) != new.get(name):
            yield f"{name}: {_short(old.get(name))} -> {_short(new.get(name))}"
    was, now = (settings["corpus"]["sources"] for settings in (old, new))
    for source in sorted({*was, *now}):
        if was.get(source) != now.get(source):
            state = "was dropped" if source not in now else "is new" if source not in was else "has another text"
            yield f"corpus: the source {source} {state}"
    if was == now and old["corpus"]["hash"] != new["corpus"]["hash"]:
        yield "corpus: the manifest changed"


def _short(value: object) -> str:
    return json.dumps(value) if isinstance(value, dict) else str(value)


def _count(ids: Sequence[str]) -> str:
    return "1 question" if len(ids) == 1 else f"{len(ids)} questions"


def _some(ids: Sequence[str]) -> str:
    return ", ".join(ids[:5]) + (" …" if len(ids) > 5 else "")
