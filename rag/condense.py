"""A turn that leans on the conversation -> a question of its own, by a language model; None where it went wrong.

A condensed question decides what is looked for, so it is held to what was said: it asks as the turn asks, keeps the
turn's own terms, or those of the question that it leans on, and brings no term that the conversation doesn't have.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.call import Call, CallEnded, LanguageModel
from rag.datatypes import Turn
from rag.errors import ModelUnavailable
from rag.prompt import newest_turns, quoted
from rag.terms import is_frame, terms, words

SYSTEM = """You rewrite the last question of a conversation so that it can be understood by itself. Put names and \
things where the question has words such as "he", "it" or "that". Keep its other words. Do not answer it. Write only \
the rewritten question, on one line."""

_TOKENS, _HISTORY_TOKENS = 80, 700
_LONGEST = 300
# "What about her?" is put in many ways.
_ASKING = re.compile(r"\b(?:who|whom|whose|which|when|where|why|(?:what|how)(?! about\b))\b", re.IGNORECASE)
_DENYING = re.compile(r"\b(?:not|no|never|none|nobody|nothing|without)\b|n['’]t\b", re.IGNORECASE)


def condense(llm: LanguageModel, question: str, history: Sequence[Turn], call: Call) -> str | None:
    """The question made independent of its history. Raises CallEnded when it was stopped."""
    asked = f"Rewrite this question so that it can be understood by itself: {quoted(question)}"
    try:
        turns = newest_turns(history, min(_HISTORY_TOKENS, llm.context(call) // 3))
        pieces = llm.stream(
            [{"role": "system", "content": SYSTEM}, *turns, {"role": "user", "content": asked}], _TOKENS, call
        )
        written = "".join(pieces)
    except ModelUnavailable:
        return None
    except CallEnded:
        if call.ending != "deadline":
            raise
        return None
    return fitting(written, question, history)


def fitting(written: str, question: str, history: Sequence[Turn]) -> str | None:
    """What a model wrote, if it is the same question with nothing from outside the conversation."""
    text = quoted(written).strip(" “”\"'")
    if not text or len(text) > _LONGEST or text.count("?") > 1 or ("?" in question and not text.endswith("?")):
        return None
    if not _asked(question) <= _asked(text) or bool(_DENYING.search(question)) != bool(_DENYING.search(text)):
        return None
    own = set(terms(question))
    leant_on = next((set(terms(turn["content"])) for turn in reversed(history) if turn["role"] == "user"), set())
    if not own and 2 * len(leant_on.intersection(terms(text))) < len(leant_on):
        return None
    said = own | {term for turn in history for term in terms(turn["content"])}
    frame = {term for word in words(text) if is_frame(word) for term in terms(word)}
    return text if own <= set(terms(text)) <= said | frame else None


def _asked(question: str) -> set[str]:
    """The words that say what is asked for."""
    return {word.lower() for word in _ASKING.findall(question)}
