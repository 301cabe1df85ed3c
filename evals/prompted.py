"""A language model that is asked one thing at a time, without conversation or evidence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rag import ModelUnavailable
from rag.call import Call, CallEnded, LanguageModel
from rag.llama import open_llm

LONGEST = 512  # tokens


@contextmanager
def _timed(seconds: float) -> Iterator[Call]:
    """A call whose end by the clock is the model's fault."""
    with Call(seconds) as call:
        try:
            yield call
        except CallEnded:
            raise ModelUnavailable(
                f"it took longer than {seconds:g} seconds; give it more with VERSE_LLM_SECONDS"
            ) from None


@dataclass(frozen=True)
class Prompted:
    """A model and the longest time that one of its answers may take."""

    model: LanguageModel
    seconds: float

    @classmethod
    def open(cls, name: str, seconds: float, context: int | None) -> Prompted:
        """The model of this name. Raises ModelUnavailable."""
        return cls(open_llm(name, context), seconds)

    def context(self) -> int:
        """How many tokens it reads and writes at most. Raises ModelUnavailable."""
        with _timed(self.seconds) as call:
            return self.model.context(call)

    def __call__(self, prompt: str) -> str:
        """Its answer. Raises ModelUnavailable."""
        with _timed(self.seconds) as call:
            return "".join(self.model.stream([{"role": "user", "content": prompt}], LONGEST, call))
