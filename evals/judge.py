"""A language model's opinion of the answers, by llama-index's own evaluators; kept apart from what is measured.

Faithfulness: does the context bear the answer out (0 or 1)? Relevancy: do answer and context fit the question (0 or
1)? Correctness: how near is the answer to the reference (1 to 5)? The prompts are llama-index's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llama_index.core.evaluation import BaseEvaluator, CorrectnessEvaluator, FaithfulnessEvaluator, RelevancyEvaluator
from llama_index.core.llms import CompletionResponse, CompletionResponseGen, CustomLLM, LLMMetadata
from pydantic import PrivateAttr

from evals.metrics import Share
from evals.prompted import LONGEST, Prompted
from evals.questions import Question
from rag import Answer, ModelUnavailable

_GIVES_UP = 3


class _Model(CustomLLM):
    """A model of ours as llama-index's evaluators want it."""

    _prompted: Prompted = PrivateAttr()
    _window: int = PrivateAttr()

    def __init__(self, prompted: Prompted) -> None:
        super().__init__()
        self._prompted, self._window = prompted, prompted.context()

    @property
    def metadata(self) -> LLMMetadata:
        """What llama-index cuts its prompts to."""
        return LLMMetadata(context_window=self._window, num_output=LONGEST, model_name=self._prompted.model.name)

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """The model's answer to a prompt. Raises ModelUnavailable."""
        return CompletionResponse(text=self._prompted(prompt))

    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        """The same, as one piece."""
        yield self.complete(prompt, formatted, **kwargs)


class LlamaJudge:
    """Scores answers until the model has failed on several questions in a row; from then on each is a gap."""

    def __init__(self, prompted: Prompted) -> None:
        """Asks the model how much it reads. Raises ModelUnavailable."""
        self.name = prompted.model.name
        self._model = _Model(prompted)
        self._failures = 0
        self._last = ""

    def score(self, question: Question, answer: Answer) -> tuple[dict[str, Share], str | None]:
        """Shares by metric, and what went wrong if something did; a verdict that can't be read is a gap too."""
        if self._failures >= _GIVES_UP:
            return {}, f"not asked, since the judge failed {_GIVES_UP} times in a row: {self._last}"
        shares: dict[str, Share] = {}
        for metric, opinion in self._opinions(question, answer):
            try:
                value = opinion()
            except ModelUnavailable as error:
                self._failures += 1
                self._last = str(error)
                return shares, f"{metric}: {self._last}"
            except ValueError:
                value = None
            if value is None:
                return shares, f"{metric}: the judge's verdict can't be read"
            shares[metric] = Share(value)
        self._failures = 0
        return shares, None

    def _opinions(self, question: Question, answer: Answer) -> list[tuple[str, Callable[[], float | None]]]:
        """What is asked about this answer: a refusal can be neither faithful nor relevant, and what has no right
        answer can't be correct."""
        quotes = [citation.quote for citation in answer.citations]
        asked: list[tuple[str, Callable[[], float | None]]] = []
        if quotes:
            for name, evaluator in (
                ("faithfulness", FaithfulnessEvaluator(llm=self._model)),
                ("relevancy", RelevancyEvaluator(llm=self._model)),
            ):
                asked.append((name, lambda e=evaluator: _score(e, question, answer, quotes)))  # type: ignore[misc]
        reference = question.reference or " ".join(question.evidence)
        if question.answerable and reference:
            correctness = CorrectnessEvaluator(llm=self._model)
            asked.append(("correctness", lambda: _score(correctness, question, answer, quotes, reference=reference)))
        return asked


def _score(
    evaluator: BaseEvaluator, question: Question, answer: Answer, quotes: Sequence[str], **more: str
) -> float | None:
    verdict = evaluator.evaluate(query=question.question, response=answer.text, contexts=list(quotes), **more)
    low, high = (1.0, 5.0) if isinstance(evaluator, CorrectnessEvaluator) else (0.0, 1.0)
    return verdict.score if verdict.score is not None and low <= verdict.score <= high else None
