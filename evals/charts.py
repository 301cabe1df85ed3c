"""Charts of a run as SVG that stands inside a page: figures by kind, abstention by threshold, latency."""

from __future__ import annotations

import io

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Chart

from evals.intervals import Figure
from evals.scores import ALL, Figures, Scores

_STYLE: dict[str, object] = {
    "svg.fonttype": "none",  # text stays text: small, and a screen reader finds it
    "svg.hashsalt": "verse",  # the same chart gives the same file
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_BLUE, _ORANGE, _GREEN = "#2f5d8a", "#b5651d", "#4a7c59"
_BY_KIND = (("section_hit", _BLUE), ("evidence_recall", _ORANGE), ("must_include", _GREEN))


def by_kind(figures: Figures) -> str:
    """Section hit, evidence recall and must-include by kind, with their intervals."""
    rows = [(kind, row) for kind, row in figures[ALL].items() if any(row[metric] is not None for metric, _ in _BY_KIND)]
    with style.context(_STYLE):
        chart = Chart(figsize=(7.2, 0.42 * len(rows) + 1.0), layout="constrained")
        axes = chart.subplots()
        for n, (metric, colour) in enumerate(_BY_KIND):
            for at, (_, row) in enumerate(rows):
                _bar(axes, at + (n - 1) * 0.27, row[metric], colour, metric if at == 0 else None)
        axes.set_yticks(range(len(rows)), [kind for kind, _ in rows])
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        if rows:
            chart.legend(loc="outside upper center", ncols=3, frameon=False)
        return _svg(chart)


def abstention(scores: Scores) -> str | None:
    """What refusing below each confidence would catch and cost; None without both sorts of question."""
    confidence = np.frombuffer(scores.confidence, dtype=np.float64)
    answerable = np.array(scores.answerable)
    known = ~np.isnan(confidence)
    yes, no = confidence[known & answerable], confidence[known & ~answerable]
    if not len(yes) or not len(no):
        return None
    thresholds = np.linspace(0, 1, 101)
    with style.context(_STYLE):
        chart = Chart(figsize=(3.5, 2.8), layout="constrained")
        axes = chart.subplots()
        axes.plot(thresholds, [(no < t).mean() for t in thresholds], color=_BLUE, label="unanswerable refused")
        axes.plot(thresholds, [(yes < t).mean() for t in thresholds], color=_ORANGE, label="answerable refused")
        axes.set_xlabel("refused below this confidence")
        axes.set_ylim(0, 1.02)
        axes.legend(frameon=False)
        return _svg(chart)


def latency(scores: Scores) -> str:
    """How many answers took how long."""
    values = 1000 * np.frombuffer(scores.seconds, dtype=np.float64)
    with style.context(_STYLE):
        chart = Chart(figsize=(3.5, 2.8), layout="constrained")
        axes = chart.subplots()
        axes.hist(values, bins=30, color=_BLUE)
        axes.axvline(float(np.median(values)), color=_ORANGE, label="median")
        axes.axvline(float(np.percentile(values, 95)), color=_GREEN, label="95th percentile")
        axes.set_xlabel("milliseconds an answer")
        axes.legend(frameon=False)
        return _svg(chart)


def _bar(axes: Axes, at: float, figure: Figure | None, colour: str, label: str | None) -> None:
    if figure is None:
        return
    axes.barh(at, figure.value, height=0.24, color=colour, label=label)
    if figure.low is not None and figure.high is not None:
        axes.plot([figure.low, figure.high], [at, at], color="black", linewidth=0.8)


def _svg(chart: Chart) -> str:
    out = io.StringIO()
    chart.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return text[text.index("<svg") :]
