"""The labelled pairs and the figures made of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from evals.support import (
    PAIRS,
    SPLITS,
    TAUGHT,
    TAUGHT_PAIRS,
    TRUE_KINDS,
    Pair,
    Scored,
    compare,
    figures,
    fit,
    read_pairs,
    score,
)
from rag.support import SupportChecker

TEXTS = Path(__file__).parents[2] / "corpus" / "texts"


def test_the_pairs_are_many_distinct_and_verbatim() -> None:
    pairs = [*read_pairs(PAIRS), *read_pairs(TAUGHT_PAIRS)]
    held = " ".join(" ".join(file.read_text(encoding="utf-8") for file in TEXTS.iterdir()).split())
    assert len(pairs) >= 20_000
    assert len({pair.id for pair in pairs}) == len({(pair.sentence, pair.passages) for pair in pairs}) == len(pairs)
    assert {pair.split for pair in pairs} == {*TAUGHT, *SPLITS}
    for pair in pairs:
        assert pair.supported == (pair.kind in TRUE_KINDS), pair.id
        # Some passages are sentences put together; each of these stands there.
        sentences = [one for text in pair.passages for one in re.split(r"(?<=[.!?”]) ", " ".join(text.split()))]
        assert pair.source.startswith("made") or all(one in held for one in sentences), pair.id


def _scored(kind: str, score: float, label: str, overlap: float) -> Scored:
    pair = Pair("s", ("p",), kind in TRUE_KINDS, kind)
    return Scored(pair, {"cover": score}, score, label, overlap)


def test_figures_by_hand() -> None:
    scored = [
        _scored("none-close", 0.9, "supported", 0.5),
        _scored("none-close", 0.2, "unsupported", 0.5),
        _scored("number", 0.1, "unsupported", 0.9),
        _scored("hedge", 0.4, "weak", 0.9),
    ]
    found = figures(scored)
    # Of four (true, false) pairs .9 wins two and .2 wins one; overlap loses all.
    assert (found["auroc"], found["auroc_word_overlap"]) == (0.75, 0.0)
    # Half of the true kept, half of the false refused.
    assert found["balanced_accuracy"] == 0.5
    assert found["by_kind"] == {
        "hedge": {"pairs": 1, "refused": 0.0, "supported": 0.0},
        "none-close": {"pairs": 2, "refused": 0.5, "supported": 0.5},
        "number": {"pairs": 1, "refused": 1.0, "supported": 0.0},
    }


def test_a_fit_finds_the_feature_that_tells_and_never_a_negative_weight() -> None:
    scored = [
        Scored(Pair("s", ("p",), n % 2 == 0), {"tells": float(n % 2 == 0), "misleads": float(n % 2)}, 0.0, "", 0.0)
        for n in range(40)
    ]
    weights = fit({"set": scored})
    assert weights["tells"] > 1
    assert weights["misleads"] == 0
    with pytest.raises(ValueError, match="no pair"):
        fit({})


def test_what_is_taught_is_never_measured() -> None:
    taught = {pair.sentence for file in (PAIRS, TAUGHT_PAIRS) for pair in read_pairs(file) if pair.split in TAUGHT}
    measured = [pair for pair in read_pairs(PAIRS) if pair.split in ("never", "late", "fresh", "last")]
    assert [pair.id for pair in measured if pair.sentence in taught] == []


def test_sets_are_compared_with_word_overlap(tmp_path: Path) -> None:
    evidence = ["The mill closed in 1990, they say."]
    rows = [
        {"sentence": "The mill closed in 1990.", "passages": evidence, "supported": True},
        {"sentence": "The mill closed in 1991.", "passages": evidence, "supported": False},
        {"sentence": "In 1990 the mill was shut.", "passages": evidence, "supported": True},
    ]
    file = tmp_path / "mills.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    found = compare({"mills": score(SupportChecker(), read_pairs(file))})
    assert found["mills"]["auroc"] == 1.0
    assert found["mills"]["word_overlap"] < 1.0
    assert "encoder_cosine" not in found["mills"]
