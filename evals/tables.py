"""Figures as a terminal shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from evals.compare import Comparison
from evals.intervals import Figure
from evals.scores import ALL, FEWER_IS_BETTER, JUDGED, METRICS, OVERALL, Figures
from rag.terminal import in_one_line

_BY_KIND = (
    "recall@10",
    "section_hit",
    "section_precision",
    "evidence_recall",
    "must_include",
    "must_not",
    "voice",
    "quote_validity",
    "support",
    "abstention_precision",
    "abstention_recall",
    "refused",
)
_TURNED = 20


def show_figures(figures: Figures, counts: dict[str, dict[str, int]]) -> None:
    """Figures by kind, then each figure with its interval, of all questions and of each part."""
    console = Console(width=150)
    console.print(_by_kind(figures[ALL], counts[ALL]))
    console.print()
    console.print(_by_part(figures, counts))


def show_comparison(comparison: Comparison) -> None:
    """The differences over all questions and over each part, and the questions that turned."""
    console = Console(width=150)
    console.print(f"{comparison.before} -> {comparison.after}", markup=False, highlight=False)
    for line in comparison.changed:
        console.print(in_one_line(f"differs: {line}"), markup=False)
    for part in dict.fromkeys(row.part for row in comparison.rows):
        rows = [row for row in comparison.of(part, OVERALL) if row.better is not None]
        table = _table(f"{part} questions" if part == ALL else part, ("before", "after", "difference", "95 %", "p", ""))
        for row in rows:
            d = row.difference
            verdict = ("better" if row.better else "worse") + ("" if d.significant else ", within noise")
            table.add_row(
                row.metric,
                f"{d.before:.3f}",
                f"{d.after:.3f}",
                f"{d.value:+.3f}",
                f"{d.low:+.3f} to {d.high:+.3f}",
                f"{d.p:.3f}",
                verdict,
            )
        console.print(table if rows else f"{part}: no figure differs")
    for heading, side in (("Better", "better"), ("Worse", "worse")):
        turned = [(turn, getattr(turn, side)) for turn in comparison.turned if getattr(turn, side)]
        console.print(f"{heading}: {len(turned)} questions")
        for turn, changes in turned[:_TURNED]:
            told = ", ".join(f"{name} {old:.2f} -> {new:.2f}" for name, old, new in changes)
            # What is never tuned on is not to be looked at question by question.
            question = f" {turn.question[:70]!r}" if turn.part != "never" and turn.question else ""
            console.print(in_one_line(f"  {turn.id}{question}: {told}"), markup=False, highlight=False)
        if len(turned) > _TURNED:
            console.print(f"  … and {len(turned) - _TURNED} more (--json lists all)")
    if comparison.left_out:
        console.print(f"Left out, asked by one run only or in other words: {len(comparison.left_out)} questions")


def _by_kind(rows: dict[str, dict[str, Figure | None]], counts: dict[str, int]) -> Table:
    table = _table("kind", ("n", *(_name(metric) for metric in _BY_KIND)))
    for kind, row in rows.items():
        table.add_row(kind, str(counts[kind]), *(_cell(row[metric]) for metric in _BY_KIND))
    return table


def _by_part(figures: Figures, counts: dict[str, dict[str, int]]) -> Table:
    parts = list(figures) if len(figures) > 2 else [ALL]
    table = _table("figure (95 % interval)", [f"{part}\nn {counts[part][OVERALL]}" for part in parts])
    for metric in (*METRICS, *JUDGED):
        row = [figures[part][OVERALL][metric] for part in parts]
        if any(row):
            table.add_row(metric + (" (fewer is better)" if metric in FEWER_IS_BETTER else ""), *map(_interval, row))
    return table


def _table(first: str, others: Iterable[str] | Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table


def _name(metric: str) -> str:
    return metric.replace("_", "\n")


def _cell(figure: Figure | None) -> str:
    return "–" if figure is None else f"{figure.value:.3f}"


def _interval(figure: Figure | None) -> str:
    if figure is None or figure.low is None:
        return _cell(figure)
    return f"{figure.value:.3f} ({figure.low:.2f} to {figure.high:.2f})"
