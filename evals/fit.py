"""Fit the weights of the ranking and of the first gate on the questions set aside for tuning.

    python -m evals.fit

Prints cross-validated figures and the weights, which are then written by hand into rag/rerank.py and
rag/gate.py: a change of weights is a change of the product, and goes through review and the evals.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

import rag
from evals import metrics
from evals.questions import Question, built_in_questions
from rag import gate, rerank
from rag.chatter import chatter
from rag.datatypes import Query, Scope, Standalone
from rag.followup import standalone_question
from rag.retrieve import find_candidates
from rag.understand import understand

HERE = Path(__file__).parent
ARTICLE = Scope(("article",))
FOLDS, STRENGTH, SEED = 8, 0.1, 0
# Questions about anything else are easy and many could be written; one counts this much.
OFF_TOPIC_WEIGHT = 0.8

# Not fitted: with one source there is nothing to learn about which comes first, and the voice asked for is a rule.
RANKING = tuple(name for name in rerank.WEIGHTS if name not in ("main", "holder", "demanded", "of_its_sources"))

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """Weights in the features' own units."""

    names: tuple[str, ...]
    weights: Matrix
    intercept: float

    def logits(self, rows: Matrix) -> Matrix:
        """The logit of each row."""
        return np.asarray(rows @ self.weights + self.intercept)


def tuning_questions() -> list[Question]:
    """The given questions on the article and the half of our own that is tuned on."""
    return [q for q in built_in_questions() if q.part != "never" and q.sources == ARTICLE.sources]


def fit(names: Sequence[str], rows: Matrix, truth: Matrix, weights: Matrix) -> Fit:
    """Logistic regression on standardised features, given back in their own units."""
    mean, deviation = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    model = LogisticRegression(C=STRENGTH, max_iter=1000).fit((rows - mean) / deviation, truth, sample_weight=weights)
    own = model.coef_[0] / deviation
    return Fit(tuple(names), own, float(model.intercept_[0] - own @ mean))


def folds(count: int) -> Iterable[NDArray[np.bool_]]:
    """Which questions are left out, fold by fold."""
    fold = np.random.default_rng(SEED).permutation(count) % FOLDS
    return [fold == n for n in range(FOLDS)]


@dataclass(frozen=True)
class Ranked:
    """The sentences that a question's ranking sees: features, and which evidence spans each holds."""

    question: Question
    rows: Matrix
    holds: NDArray[np.bool_]


def ranked(engine: rag.Engine, question: Question, query: Query) -> Ranked:
    """Features of every sentence of the candidates."""
    index = engine.index
    passages = [candidate.passage for candidate in find_candidates(index, query, ARTICLE)[: rerank.DEPTH]]
    tokens = np.concatenate(index.sentence_likeness(passages, query))
    lines = [index.lines(passage.row) for passage in passages]
    values = rerank.features(index, query, lines, tokens)
    holds = [
        [any(metrics.overlap(s, text) >= metrics.FOUND for s in spans) for spans in question.spans]
        for text in chain.from_iterable(read.texts for read in lines)
    ]
    rows = np.stack([values[name] for name in RANKING], axis=1).astype(float)
    return Ranked(question, rows, np.array(holds))


def fit_ranking(cases: Sequence[Ranked]) -> Fit:
    """Every question counts alike: its right sentences together 1, its wrong ones together 20 hundredths each."""
    rows = np.concatenate([case.rows for case in cases])
    truth = np.concatenate([case.holds.any(axis=1).astype(float) for case in cases])
    weights = [np.where(right := c.holds.any(axis=1), 1 / max(1, right.sum()), 20 / len(c.rows)) for c in cases]
    return fit(RANKING, rows, truth, np.concatenate(weights))


def recall(case: Ranked, scores: Matrix, k: int) -> float:
    """Share of the evidence spans that the k best sentences hold."""
    return float(case.holds[np.argsort(-scores, kind="stable")[:k]].any(axis=0).mean())


@click.command()
def main() -> None:
    """Fit both, print figures and weights."""
    questions = tuning_questions()
    off = (HERE / "off_topic.txt").read_text(encoding="utf-8").splitlines()
    with rag.open_engine() as engine:
        queries = [
            understand(engine.index, engine.encoder, standalone_question(q.question, q.history), ARTICLE)
            for q in questions
        ]
        cases = [ranked(engine, q, query) for q, query in zip(questions, queries, strict=True) if q.answerable]
        asked = [(q.question, query, q.answerable) for q, query in zip(questions, queries, strict=True)]
        asked += [
            (text, understand(engine.index, engine.encoder, Standalone(text, text), ARTICLE), False) for text in off
        ]
        gate_rows = np.array([gate_features(engine, text, query) for text, query, _ in asked])
    report_ranking(cases)
    heard = np.array([chatter(text) is None for text, _, _ in asked])
    truth = np.array([float(answerable) for _, _, answerable in asked])
    report_gate(gate_rows[heard], truth[heard], np.arange(len(asked))[heard] < len(questions))


def gate_features(engine: rag.Engine, text: str, query: Query) -> list[float]:
    """The gate's features of one question, in the order of its weights."""
    evidence = rerank.rank_evidence(engine.index, query, find_candidates(engine.index, query, ARTICLE))
    values = gate.features(engine.index, text, query, evidence, ARTICLE)
    return [values[name] for name in gate.WEIGHTS]


def report_ranking(cases: Sequence[Ranked]) -> None:
    """Evidence recall of the fitted ranking on questions that it wasn't fitted on, and the weights."""
    found: dict[int, list[float]] = {k: [] for k in (1, 3, 5, 10)}
    for left_out in folds(len(cases)):
        fitted = fit_ranking([case for case, out in zip(cases, left_out, strict=True) if not out])
        for case in (case for case, out in zip(cases, left_out, strict=True) if out):
            for k, values in found.items():
                values.append(recall(case, fitted.logits(case.rows), k))
    click.echo("ranking, cross-validated: " + ", ".join(f"recall@{k} {np.mean(v):.3f}" for k, v in found.items()))
    _echo_weights(fit_ranking(cases))


def report_gate(rows: Matrix, truth: Matrix, core: NDArray[np.bool_]) -> None:
    """Abstention on questions that the gate wasn't fitted on, by threshold, and the weights."""
    weights = np.where(core, 1.0, OFF_TOPIC_WEIGHT)
    probability = np.zeros(len(truth))
    for out in folds(len(truth)):
        fitted = fit(tuple(gate.WEIGHTS), rows[~out], truth[~out], weights[~out])
        probability[out] = 1 / (1 + np.exp(-fitted.logits(rows[out])))
    for threshold in np.arange(0.40, 0.70, 0.03):
        said = probability < threshold
        right = (said & (truth == 0) & core).sum()
        refused = (said & (truth == 1)).sum() / (truth == 1).sum()
        click.echo(
            f"gate at {threshold:.2f}: precision {right / max(1, (said & core).sum()):.2f}, "
            f"recall {right / ((truth == 0) & core).sum():.2f}, answerable refused {refused:.3f}, "
            f"off-topic refused {(said & ~core).sum() / max(1, (~core).sum()):.2f}"
        )
    _echo_weights(fit(tuple(gate.WEIGHTS), rows, truth, weights))


def _echo_weights(fitted: Fit) -> None:
    for name, weight in zip(fitted.names, fitted.weights, strict=True):
        click.echo(f"  {name}: {weight:.2f}")
    click.echo(f"  intercept: {fitted.intercept:.2f}")


if __name__ == "__main__":
    main()
