"""`--fail-under`: what a figure must reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from evals.questions import KINDS, PARTS
from evals.scores import ALL, FEWER_IS_BETTER, JUDGED, METRICS, OVERALL, Figures
from rag import QuestionError

_TIMES = ("mean", "median", "p95", "max")
_NAMES = (*METRICS, *JUDGED, *(f"ms_{name}" for name in _TIMES))


@dataclass(frozen=True, slots=True)
class Threshold:
    """The least that a figure may be, or the most where fewer is better, over all questions or one group."""

    group: str
    metric: str
    value: float

    @property
    def most(self) -> bool:
        """Whether the value is a limit from above."""
        return self.metric in FEWER_IS_BETTER or self.metric.startswith("ms_")

    def __str__(self) -> str:
        group = "" if self.group == ALL else f"{self.group}/"
        return f"{group}{self.metric} {'<=' if self.most else '>='} {self.value:g}"


def parse_threshold(text: str) -> Threshold:
    """`metric=value`, or `group/metric=value` for a kind or a part. Raises QuestionError."""
    name, equals, value = text.partition("=")
    group, slash, metric = name.strip().rpartition("/")
    if not equals or metric not in _NAMES:
        raise QuestionError(f"--fail-under {text!r}: give metric=value, the metrics are {', '.join(_NAMES)}")
    if slash and group not in (ALL, *PARTS, *KINDS):
        raise QuestionError(f"--fail-under {text!r}: no group {group!r}, there are {', '.join((*PARTS, *KINDS))}")
    try:
        return Threshold(group or ALL, metric, float(value))
    except ValueError:
        raise QuestionError(f"--fail-under {text!r}: {value!r} is not a number") from None


def unmet(thresholds: Sequence[Threshold], figures: Figures, timing: Mapping[str, float]) -> Iterator[str]:
    """The thresholds that don't hold, in words. One whose figure no question has doesn't hold: nothing shows it."""
    for threshold in thresholds:
        value = _value(threshold, figures, timing)
        if value is None:
            yield f"{threshold} can't be shown: no question has that figure"
        elif value > threshold.value if threshold.most else value < threshold.value:
            yield f"{threshold} is missed: it is {value:g}"


def _value(threshold: Threshold, figures: Figures, timing: Mapping[str, float]) -> float | None:
    if threshold.metric.startswith("ms_"):
        return timing.get(threshold.metric.removeprefix("ms_"))
    by_kind = figures.get(threshold.group, {OVERALL: {}})
    row = figures[ALL].get(threshold.group, {}) if threshold.group in KINDS else by_kind[OVERALL]
    figure = row.get(threshold.metric)
    return None if figure is None else figure.value
