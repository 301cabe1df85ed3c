"""llama-index's own evaluator, run on our retriever as its type, finds what our figures say."""

from __future__ import annotations

import pytest
from llama_index.core.evaluation import RetrieverEvaluator

from evals import metrics
from evals.gold import relevant_passages
from evals.questions import OWN_CORPUS, read_questions
from rag import Engine

pytestmark = pytest.mark.slow


def test_hit_rate_and_mrr_agree(engine: Engine) -> None:
    evaluator = RetrieverEvaluator.from_metric_names(
        ["hit_rate", "mrr"], retriever=engine.as_retriever(k=metrics.DEPTH)
    )
    compared = 0
    for question in read_questions(OWN_CORPUS):
        relevant = relevant_passages(question, engine)
        if question.history or not relevant:
            continue
        theirs = evaluator.evaluate(query=question.question, expected_ids=relevant)
        ours = metrics.retrieval(relevant, [f.passage.id for f in engine.retrieve(question.question, k=metrics.DEPTH)])
        assert theirs.metric_vals_dict["hit_rate"] == ours["hit@10"].part
        assert theirs.metric_vals_dict["mrr"] == pytest.approx(ours["mrr@10"].part, abs=1e-6)
        compared += 1
    assert compared > 40
