"""Whoever has run.json can work the figures out again, without our code."""

from __future__ import annotations

import json
from math import log2
from pathlib import Path
from typing import Any

import pytest

from corpus import Corpus
from evals.metrics import DEPTH
from tests.evals.conftest import verse_eval


@pytest.fixture(scope="module")
def found(minutes: Path, encoder_files: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("recompute")
    file = folder / "q.jsonl"
    verse_eval("--corpus", minutes, "--draft", "--questions", file)
    result = verse_eval("--corpus", minutes, "--index", folder / "i", "--questions", file, "--out", folder / "out")
    assert result.exit_code == 0, result.output
    record: dict[str, Any] = json.loads((folder / "out" / "run.json").read_text(encoding="utf-8"))
    return record


def test_every_figure_is_the_sum_of_parts_by_the_sum_of_wholes(found: dict[str, Any]) -> None:
    for metric, figure in found["figures"]["all"]["overall"].items():
        shares = [case["figures"][metric] for case in found["cases"] if metric in case["figures"]]
        whole = sum(share[1] for share in shares)
        if figure is None:
            assert whole == 0
        else:
            assert figure["value"] == pytest.approx(sum(share[0] for share in shares) / whole, abs=1e-6)
            assert figure["n"] == sum(share[1] > 0 for share in shares)


def test_retrieval_follows_from_the_lists_in_the_record(found: dict[str, Any]) -> None:
    scored = [case for case in found["cases"] if case.get("relevant")]
    assert len(scored) >= 8
    for case in scored:
        relevant, ranked = set(case["relevant"]), case["retrieved"]
        hits = [passage in relevant for passage in ranked[:DEPTH]]
        gain = sum(hit / log2(rank + 1) for rank, hit in enumerate(hits, start=1))
        ideal = sum(1 / log2(rank + 1) for rank in range(1, min(len(relevant), DEPTH) + 1))
        figures = case["figures"]
        assert figures["recall@5"][0] == pytest.approx(sum(hits[:5]) / len(relevant), abs=1e-6)
        assert figures["ndcg@10"][0] == pytest.approx(gain / ideal, abs=1e-6)
        assert figures["mrr@10"][0] == pytest.approx(1 / (hits.index(True) + 1) if any(hits) else 0, abs=1e-6)


def test_an_exact_quote_can_be_looked_up_by_its_offsets(found: dict[str, Any], minutes: Path) -> None:
    corpus = Corpus.open(minutes)
    quotes = [citation for case in found["cases"] for citation in case["answer"]["citations"]]
    assert quotes
    for quote in quotes:
        assert corpus.text(quote["source_id"])[quote["start"] : quote["end"]] == quote["quote"]
