"""The support check as a classifier: how often it is right on labelled pairs of a sentence and its evidence.

`support_pairs.jsonl` holds pairs over our own corpus and over made-up texts: true sentences close to the source's words
or in other words, and false ones with one thing wrong. Those of "tune" were at hand while the rules were written; with
them and with `taught_pairs.jsonl` the built-in model was taught (evals/entailment.py). The weights are fitted to those
of "fit". Those of the other splits have been scored only: "never" was written before any rule, "late" after the first
ones, "fresh" and "last" by others who knew neither the check nor any other pair; "last" was scored once, at the end.

`--sets DIR` takes public sets, one .jsonl a set with lines {"sentence", "passages", "supported"}; they aren't part of
this project. Those named in READ count a little in the fit (`--fit` prints new weights); the others are only scored.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.metrics import roc_auc_score

from corpus.manifest import built_in_people
from rag.encoder import OnnxEncoder
from rag.entailment import EntailmentModel
from rag.export import export_encoder
from rag.settings import Settings
from rag.statements import read
from rag.support import BuiltIn, SupportChecker, Values
from rag.terms import terms

PAIRS = Path(__file__).with_name("support_pairs.jsonl")
TAUGHT_PAIRS = Path(__file__).with_name("taught_pairs.jsonl")
RESULTS = Path(__file__).parent / "results" / "support.json"
SPLITS = ("fit", "never", "late", "fresh", "last")
# With these the encoder was taught (evals/entailment.py), so that no weight may be fitted to what it says of them.
TAUGHT = frozenset({"tune", "taught"})
READ = frozenset(
    """attributedqa attrscore climatefever fever-other fever-symmetric hagrid lfqa negatednli-mnli negatednli-rte
    qags-cnn qags-xsum scifact sick""".split()
)
TRUE_KINDS = ("none-close", "none-paraphrase")
# Of a public set no more than this many pairs are scored, evenly spread over the file.
MOST = 150
# How much each public set counts in a fit beside our own pairs, and how much large weights cost.
PUBLIC_SHARE = 0.1
RIDGE = 2e-3

Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pair:
    """A sentence, its evidence, and whether the evidence supports it. `kind` is what was changed, or none-close
    and none-paraphrase for true ones."""

    sentence: str
    passages: tuple[str, ...]
    supported: bool
    kind: str = ""
    split: str = ""
    id: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Scored:
    """A pair beside what the check makes of it: features, score and label, and the share of the sentence's terms that
    the evidence has (the baseline)."""

    pair: Pair
    values: Values
    score: float
    label: str
    overlap: float


def read_pairs(file: Path) -> tuple[Pair, ...]:
    """Read labelled pairs, in file order. A line holds one, or what several share and in `pairs` the rest of each."""
    pairs = []
    for line in file.read_text(encoding="utf-8").splitlines():
        shared = json.loads(line)
        for own in shared.pop("pairs", [{}]):
            raw = {**shared, **own}
            known = {name: raw[name] for name in ("kind", "split", "id", "source") if name in raw}
            pairs.append(Pair(raw["sentence"], tuple(raw["passages"]), bool(raw["supported"]), **known))
    return tuple(pairs)


def score(checker: SupportChecker, pairs: Sequence[Pair]) -> list[Scored]:
    """What the check makes of each pair."""
    found = []
    for pair in pairs:
        support = checker.check(pair.sentence, pair.passages)
        texts = [passage for passage in pair.passages if passage.strip()]
        _, _, values = checker.look(read(pair.sentence), texts)
        claimed = set(terms(pair.sentence))
        held = {term for text in texts for term in terms(text)}
        overlap = len(claimed & held) / len(claimed) if claimed else 0.0
        found.append(Scored(pair, values, support.score, support.label, overlap))
    return found


def figures(scored: Sequence[Scored]) -> dict[str, object]:
    """AUROC of score and of word overlap, balanced accuracy of "not unsupported", and by kind the share refused
    (label "unsupported"): good for what was changed, bad for what is true."""
    truth = [one.pair.supported for one in scored]
    kept = [one.label != "unsupported" for one in scored]
    kinds: dict[str, list[Scored]] = defaultdict(list)
    for one in scored:
        kinds[one.pair.kind].append(one)
    right = [np.mean([k == t for k, t in zip(kept, truth, strict=True) if t is side]) for side in (True, False)]
    return {
        "pairs": len(scored),
        "auroc": round(float(roc_auc_score(truth, [one.score for one in scored])), 3),
        "auroc_word_overlap": round(float(roc_auc_score(truth, [one.overlap for one in scored])), 3),
        "balanced_accuracy": round(float(np.mean(right)), 3),
        "by_kind": {
            kind: {
                "pairs": len(ones),
                "refused": round(sum(one.label == "unsupported" for one in ones) / len(ones), 3),
                "supported": round(sum(one.label == "supported" for one in ones) / len(ones), 3),
            }
            for kind, ones in sorted(kinds.items())
        },
    }


def fit(scored: Mapping[str, Sequence[Scored]], shares: Mapping[str, float] | None = None) -> dict[str, float]:
    """Logistic regression with weights that are never negative; each set counts alike, and within it true and false.

    Raises ValueError without any pair."""
    rows = [(name, one) for name, ones in scored.items() for one in ones]
    if not rows:
        raise ValueError("no pair to fit to")
    names = list(rows[0][1].values)
    features = np.array([[one.values[name] for name in names] + [1.0] for _, one in rows])
    truth = np.array([one.pair.supported for _, one in rows], dtype=float)
    counts = Counter((name, one.pair.supported) for name, one in rows)
    weight = np.array([(shares or {}).get(name, 1.0) / counts[name, one.pair.supported] for name, one in rows])

    def loss(point: Column) -> tuple[float, Column]:
        z = features @ point
        ridge = np.append(point[:-1], 0.0)
        gap = weight * (1 / (1 + np.exp(-z)) - truth)
        cost = weight @ (np.logaddexp(0, z) - truth * z) / weight.sum() + RIDGE / 2 * (ridge @ ridge)
        return float(cost), features.T @ gap / weight.sum() + RIDGE * ridge

    bounds = [(0.0, None)] * len(names) + [(None, None)]
    found = minimize(loss, np.zeros(len(names) + 1), jac=True, bounds=bounds, method="L-BFGS-B").x
    return {name: round(float(value), 2) for name, value in zip([*names, "bias"], found, strict=True)}


def compare(sets: Mapping[str, Sequence[Scored]]) -> dict[str, dict[str, float]]:
    """AUROC on each set: of the score, of word overlap, and of the encoder's cosine where it was asked."""
    found = {}
    for name, ones in sets.items():
        truth = [one.pair.supported for one in ones]
        columns = {"auroc": [one.score for one in ones], "word_overlap": [one.overlap for one in ones]}
        if "whole" in ones[0].values:
            columns["encoder_cosine"] = [one.values["whole"] for one in ones]
        rows = {key: round(float(roc_auc_score(truth, values)), 3) for key, values in columns.items()}
        found[name] = {"pairs": float(len(ones)), **rows}
    return found


def _means(rows: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    columns = [key for key in next(iter(rows.values())) if key != "pairs"]
    return {key: round(float(np.mean([row[key] for row in rows.values()])), 3) for key in columns}


def _spread(pairs: Sequence[Pair]) -> list[Pair]:
    step = max(1.0, len(pairs) / MOST)
    return [pairs[int(n * step)] for n in range(min(MOST, len(pairs)))]


def report(
    checkers: Mapping[str, SupportChecker], sets: Mapping[str, Sequence[Pair]], show_fit: bool
) -> dict[str, object]:
    """All figures, by how the check looks (words alone, or with the built-in model)."""
    pairs = read_pairs(PAIRS)
    found: dict[str, object] = {}
    for how, checker in checkers.items():
        own = {split: score(checker, [p for p in pairs if p.split == split]) for split in SPLITS}
        part: dict[str, object] = {f"own_{split}": figures(scored) for split, scored in own.items()}
        scored = {name: score(checker, ones) for name, ones in sets.items()}
        fitted = {name: ones for name, ones in scored.items() if name in READ}
        if sets:
            rows = compare(scored)
            groups = {"read": READ & rows.keys(), "only_scored": rows.keys() - READ}
            means = {name: _means({s: rows[s] for s in chosen}) for name, chosen in groups.items() if chosen}
            part["public_sets"] = {"mean": {"all": _means(rows), **means}, **rows}
        if show_fit:
            shares = dict.fromkeys(fitted, PUBLIC_SHARE)
            click.echo(f"{how}: {fit({**fitted, 'own': own['fit']}, shares)}")
        found[how] = part
    return found


@click.command()
@click.option("--sets", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Public sets, .jsonl each.")
@click.option("--fit", "show_fit", is_flag=True, help="Print weights fitted to our own pairs and the sets.")
@click.option("--errors", is_flag=True, help="List what went wrong on the pairs that the weights are fitted to.")
def main(sets: Path | None, show_fit: bool, errors: bool) -> None:
    """Score the support check, print a table, write evals/results/support.json."""
    people = [person.forms for person in built_in_people()]
    files = export_encoder(Settings.read().home)
    built_in = BuiltIn(OnnxEncoder.open(files), EntailmentModel.open(files))
    checkers = {"words": SupportChecker(people=people), "read": SupportChecker(built_in, people)}
    public = {file.stem: _spread(read_pairs(file)) for file in sorted(sets.glob("*.jsonl"))} if sets else {}
    found = report(checkers, public, show_fit)
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    for how, part in found.items():
        assert isinstance(part, dict)
        # Without the public sets at hand, their figures stay as they were last made.
        kept[how] = {
            **({"public_sets": kept[how]["public_sets"]} if "public_sets" in kept.get(how, {}) else {}),
            **part,
        }
        click.echo(f"{how}: {json.dumps(part, indent=1)}")
    RESULTS.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if errors:
        for one in score(checkers[list(checkers)[-1]], [p for p in read_pairs(PAIRS) if p.split == "fit"]):
            if (one.label == "unsupported") == one.pair.supported:
                click.echo(f"{one.pair.id} {one.pair.kind} {one.score:.2f}: {one.pair.sentence}")


if __name__ == "__main__":
    main()
