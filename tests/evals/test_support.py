"""The labelled pairs and the figures made of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evals.support import PAIRS, TRUE_KINDS, Pair, Scored, figures, fit, leave_one_out, read_pairs, score
from rag.support import SupportChecker

TEXTS = Path(__file__).parents[2] / "corpus" / "texts"


def test_the_pairs_are_many_distinct_and_verbatim() -> None:
    pairs = read_pairs(PAIRS)
    held = "\n".join(file.read_text(encoding="utf-8") for file in TEXTS.iterdir())
    assert len(pairs) >= 240
    assert len({pair.id for pair in pairs}) == len({(pair.sentence, pair.passages) for pair in pairs}) == len(pairs)
    assert {pair.split for pair in pairs} == {"tune", "never", "late"}
    for pair in pairs:
        assert pair.supported == (pair.kind in TRUE_KINDS), pair.id
        assert pair.source == "made up" or all(passage in held for passage in pair.passages), pair.id


def _scored(kind: str, score: float, label: str, overlap: float) -> Scored:
    pair = Pair("s", ("p",), kind in TRUE_KINDS, kind)
    return Scored(pair, {"cover": score}, 0.0, score, label, overlap)


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
        Scored(Pair("s", ("p",), n % 2 == 0), {"tells": float(n % 2 == 0), "misleads": float(n % 2)}, 0.0, 0.0, "", 0.0)
        for n in range(40)
    ]
    weights = fit({"set": scored})
    assert weights["tells"] > 1
    assert weights["misleads"] == 0
    with pytest.raises(ValueError, match="no pair"):
        fit({})


def test_each_set_is_left_out_with_its_family(tmp_path: Path) -> None:
    rows = [
        {"sentence": "The mill closed in 1990.", "passages": ["The mill closed in 1990, they say."], "supported": True},
        {
            "sentence": "The mill closed in 1991.",
            "passages": ["The mill closed in 1990, they say."],
            "supported": False,
        },
    ]
    file = tmp_path / "mills.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    scored = score(SupportChecker(), read_pairs(file))
    found = leave_one_out({"mills": scored, "mills-other": scored, "dams": scored}, scored)
    assert {name: row["auroc"] for name, row in found.items()} == {"mills": 1.0, "mills-other": 1.0, "dams": 1.0}
