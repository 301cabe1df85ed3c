"""What the bench measured, as figures with their targets, a table and a plot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import style
from matplotlib.figure import Figure as Chart
from rich.console import Console
from rich.table import Table

_OURS, _PLAIN = "ours", "plain"
_STYLE: dict[str, object] = {"svg.fonttype": "none", "svg.hashsalt": "verse", "font.size": 9}
_BLUE, _ORANGE, _GREY = "#2f5d8a", "#b5651d", "#888888"


def figures(measured: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each figure with both stacks' medians and spread, their ratio, and its target where it has one."""
    cold, phases, warm = measured["cold"], measured["phases"], measured["warm"]
    found = [_against("cold ask, process to printed answer", "s", cold[_OURS], cold[_PLAIN], most=0.20)]
    for phase in ("import", "open", "first"):
        found.append(_against(f"cold: {phase}", "s", _each(phases[_OURS], phase), _each(phases[_PLAIN], phase)))
    for share, target in ((50, 0.6), (95, None), (99, None)):
        ours, plain = (
            [1000 * np.percentile(run["seconds"], share) for run in warm[stack]] for stack in (_OURS, _PLAIN)
        )
        found.append(_against(f"warm p{share}: our answer, its retrieval", "ms", ours, plain, most=target))
    found.append(
        _against("memory while answering", "MB", _each(warm[_OURS], "rss"), _each(warm[_PLAIN], "rss"), most=0.45)
    )
    for size, runs in measured["ingest"].items():
        ours, plain = ([run["passages"] / run["seconds"] for run in runs[stack]] for stack in (_OURS, _PLAIN))
        found.append(_against(f"ingest of {int(size):,} passages", "/s", ours, plain, least=3.5))
        ours, plain = ([run["bytes"] / run["passages"] / 1e3 for run in runs[stack]] for stack in (_OURS, _PLAIN))
        found.append(_against(f"index of {int(size):,} passages", "kB each", ours, plain))
    for askers, runs in measured["askers"].items():
        ours, plain = ([len(run["seconds"]) / run["whole"] for run in runs[stack]] for stack in (_OURS, _PLAIN))
        found.append(_against(f"{askers} at once, throughput", "/s", ours, plain))
        ours, plain = (_percentiles(runs[stack], 95) for stack in (_OURS, _PLAIN))
        found.append(_against(f"{askers} at once, p95", "ms", ours, plain))
    return [*found, *_alone(measured)]


def _alone(measured: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """The figures that only we have."""
    yield _figure("verse ingest, nothing changed", "s", measured["no_change"], most=1.5)
    yield _figure("verse ui to first page", "s", measured["page"], most=4.0)
    alone, crowds = measured["askers"]["1"][_OURS], measured["askers"]["64"][_OURS]
    one = np.median([np.median(run["seconds"]) for run in alone])
    crowd = [np.percentile(run["seconds"], 95) / (64 * one) for run in crowds]
    yield _figure("p95 of 64 askers by 64 × one warm answer", "×", crowd, most=1.2)
    same = all(run["same"] for runs in measured["askers"].values() for run in runs[_OURS])
    yield _figure("answers at once the same as one by one", "", [float(same)], least=1.0)
    grown = {run["passages"]: run for run in measured["growth"]}
    if len(grown) > 1:
        base = grown.get(1000) or grown[min(grown)]
        largest = grown[max(grown)]
        name = f"warm answer at {largest['passages']:,} passages by {base['passages']:,}"
        yield _figure(name, "×", [largest["p50"] / base["p50"]], most=2.5)
        for what, (_, exponent) in fits(measured["growth"]).items():
            yield _figure(f"exponent of {what} over passages", "", [exponent])


def fits(growth: Sequence[Mapping[str, Any]]) -> dict[str, tuple[float, float]]:
    """(cost at one passage, exponent) of cost = a·n^b, by least squares over logarithms."""
    sizes = np.log([run["passages"] for run in growth])
    costs = {"building": "seconds", "asking": "p50", "disk": "bytes"}
    fitted = {what: np.polyfit(sizes, np.log([run[key] for run in growth]), 1) for what, key in costs.items()}
    return {what: (float(np.exp(b)), float(a)) for what, (a, b) in fitted.items()}


def _against(
    name: str,
    unit: str,
    ours: Sequence[float],
    plain: Sequence[float],
    most: float | None = None,
    least: float | None = None,
) -> dict[str, Any]:
    ratio = float(np.median(ours) / np.median(plain))
    sides = {_OURS: _spread(ours), _PLAIN: _spread(plain)}
    return {"name": name, "unit": unit, **sides, "ratio": ratio, **_judged(ratio, most, least)}


def _figure(
    name: str, unit: str, values: Sequence[float], most: float | None = None, least: float | None = None
) -> dict[str, Any]:
    return {"name": name, "unit": unit, _OURS: _spread(values), **_judged(float(np.median(values)), most, least)}


def _judged(value: float, most: float | None, least: float | None) -> dict[str, Any]:
    if most is None and least is None:
        return {}
    met = (most is None or value <= most) and (least is None or value >= least)
    return {"target": f"≤ {most}" if most is not None else f"≥ {least}", "met": met}


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"median": float(np.median(values)), "min": float(min(values)), "max": float(max(values)), "n": len(values)}


def _percentiles(runs: Sequence[Mapping[str, Any]], share: int) -> list[float]:
    """Milliseconds that this share of the answers of each run stayed under."""
    return [float(1000 * np.percentile(run["seconds"], share)) for run in runs]


def _each(runs: Sequence[Mapping[str, Any]], key: str) -> list[float]:
    return [run[key] for run in runs]


def print_figures(rows: Sequence[Mapping[str, Any]]) -> None:
    """The table: median (smallest to largest), ratio, target."""
    table = Table(box=None, pad_edge=False)
    for name in ("figure", "ours", "plain", "ratio", "target", ""):
        table.add_column(name, justify="left" if name in ("figure", "") else "right")
    for row in rows:
        mark = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}[row.get("met")]
        ratio = f"{row['ratio']:.2f}" if "ratio" in row else ""
        sides = [_cell(row[side], row["unit"]) if side in row else "" for side in (_OURS, _PLAIN)]
        table.add_row(row["name"], *sides, ratio, row.get("target", ""), mark)
    Console(width=150).print(table)


def _cell(spread: Mapping[str, float], unit: str) -> str:
    values = [
        f"{spread[key]:,.3g}" if spread[key] < 1000 else f"{spread[key]:,.0f}" for key in ("median", "min", "max")
    ]
    return f"{values[0]} {unit} ({values[1]} to {values[2]})" if spread["n"] > 1 else f"{values[0]} {unit}"


def draw(measured: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], file: Path) -> None:
    """Ratios to the plain stack, and growth with its fits, as SVG."""
    with style.context(_STYLE):
        chart = Chart(figsize=(9, 4.2), layout="constrained")
        ratios, growth = chart.subplots(1, 2, width_ratios=(3, 2))
        compared = [row for row in rows if "ratio" in row]
        colours = [_ORANGE if row.get("met") is False else _BLUE for row in compared]
        ratios.barh([row["name"] for row in compared], [row["ratio"] for row in compared], color=colours)
        ratios.axvline(1, color=_GREY, linewidth=0.8)
        ratios.set_xscale("log")
        ratios.invert_yaxis()
        ratios.set_xlabel("ours by the plain stack")
        runs = measured["growth"]
        sizes = [run["passages"] for run in runs]
        growth.loglog(sizes, [run["seconds"] for run in runs], "o-", color=_ORANGE, label="building, s")
        growth.loglog(sizes, [1000 * run["p50"] for run in runs], "o-", color=_BLUE, label="asking, p50, ms")
        growth.loglog(sizes, [run["bytes"] / 1e6 for run in runs], "o-", color=_GREY, label="disk, MB")
        growth.set_xlabel("passages (made-up vectors)")
        growth.legend(frameon=False)
        chart.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
