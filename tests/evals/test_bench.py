"""The bench: figures by hand, texts that are the same each time, and one small run of ours for real."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from corpus import Corpus
from evals.bench_fake import MadeUpEncoder
from evals.bench_report import draw, figures, fits
from evals.bench_text import generate
from rag.layout import Layout
from rag.vectors import embed_passages


def measured(ours: float, plain: float) -> dict[str, Any]:
    """A bench in which everything took us `ours` and the plain stack `plain`."""
    pair = {"ours": ours, "plain": plain}
    run = {s: [{"import": t, "open": t, "first": t, "seconds": [t] * 4, "rss": t, "uss": t}] for s, t in pair.items()}
    crowd = {s: [{"whole": 4 * t, "seconds": [64 * t] * 4, "rss": t, "same": True}] for s, t in pair.items()}
    made = {s: [{"passages": 100, "seconds": t, "bytes": 1000}] for s, t in pair.items()}
    growth = [{"passages": n, "seconds": n / 50, "p50": 0.005, "bytes": 43_000 * n} for n in (100, 1000, 10_000)]
    return {
        "cold": {s: [t] * 3 for s, t in pair.items()},
        **{"phases": run, "warm": run, "growth": growth, "no_change": [1.0], "page": [5.0]},
        "ingest": {"100": made},
        "askers": {"1": crowd, "64": crowd},
    }


def test_a_figure_is_the_ratio_of_medians_and_is_held_against_its_target() -> None:
    rows = {row["name"]: row for row in figures(measured(1.0, 4.0))}
    cold = rows["cold ask, process to printed answer"]
    assert (cold["ratio"], cold["met"]) == (0.25, False)
    assert rows["warm p50: our answer, its retrieval"]["met"] is True
    ingest = rows["ingest of 100 passages"]
    assert (ingest["ratio"], ingest["met"]) == (4.0, True)
    assert rows["verse ui to first page"]["met"] is False
    assert rows["p95 of 64 askers by 64 × one warm answer"]["met"] is True
    assert rows["warm answer at 10,000 passages by 1,000"]["ours"]["median"] == 1.0


def test_answers_that_differ_when_many_ask_are_a_miss() -> None:
    broken = measured(1.0, 4.0)
    broken["askers"]["64"]["ours"][0]["same"] = False
    rows = {row["name"]: row for row in figures(broken)}
    assert rows["answers at once the same as one by one"]["met"] is False


def test_growth_is_fitted_by_its_exponent() -> None:
    cost, exponent = fits(measured(1, 1)["growth"])["building"]
    assert exponent == pytest.approx(1.0)
    assert cost == pytest.approx(1 / 50)


def test_the_plot_is_written(tmp_path: Path) -> None:
    data = measured(1.0, 4.0)
    draw(data, figures(data), tmp_path / "bench.svg")
    assert "cold ask" in (tmp_path / "bench.svg").read_text(encoding="utf-8")


def test_generated_texts_are_the_same_each_time_and_have_a_passage_a_section() -> None:
    texts = generate(25)
    assert texts == generate(25)
    assert texts != generate(25, seed=2)
    assert len(Layout.of(Corpus.from_texts(texts))) == 25


def test_made_up_vectors_have_the_shapes_of_real_ones() -> None:
    layout = Layout.of(Corpus.from_texts({"a": "The tide turns at noon. The ferry leaves at three."}))
    (found,) = embed_passages(MadeUpEncoder(), list(layout.texts))
    assert found.passage.shape == (384,)
    assert found.sentences.shape == (2, 384)
    assert [len(sketches) for sketches in found.sketches] == [5, 5]


@pytest.mark.slow
def test_a_measurement_is_a_process_that_prints_json(tmp_path: Path, encoder_files: Path) -> None:
    texts = tmp_path / "texts.json"
    texts.write_text(json.dumps(generate(10)), encoding="utf-8")

    def measure(*given: str) -> dict[str, Any]:
        command = [sys.executable, "-m", "evals.bench_ours", *given]
        found: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        return found

    built = measure("ingest", str(tmp_path / "index"), str(texts), "made-up")
    assert built["passages"] == 10
    assert built["bytes"] > 100_000
    asked = measure("warm", str(tmp_path / "index"), "1", str(texts))
    assert len(asked["seconds"]) == 20
    assert 0 < asked["uss"] <= asked["rss"]
