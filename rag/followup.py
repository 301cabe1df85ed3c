"""History + question -> a question that stands alone. History is used only when the turn leans on it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.datatypes import Turn
from rag.terms import terms, words

_PRONOUNS = frozenset(
    "he him his she her hers they them their theirs it its this that these those one ones there then".split()
)
_CONTINUES = re.compile(
    r"^\s*(?:and|but|so|or|also|then|what about|how about|what else|anything else|any other|which one|why not|"
    r"why so|how so|go on|more|tell me more|the other|others?)\b",
    re.IGNORECASE,
)
_BREAKS = re.compile(
    r"\b(?:different|another|new|other) (?:topic|subject|question)\b|\bchang(?:e|ing) (?:the )?(?:topic|subject)\b",
    re.IGNORECASE,
)
# Sentences of the last answer that are looked at; the rest of a long history costs nothing.
_ANSWER_CHARACTERS = 400


def standalone_question(question: str, history: Sequence[Turn]) -> str:
    """The question itself, or with what it leans on put before it: the last question and answer."""
    asked = [turn["content"] for turn in history[-4:] if turn["role"] == "user"]
    if not asked or not leans(question):
        return question
    said = [turn["content"] for turn in history[-2:] if turn["role"] == "assistant"]
    context = " ".join([asked[-1], *(text[:_ANSWER_CHARACTERS] for text in said[-1:])])
    return f"{context} {question}"


def leans(question: str) -> bool:
    """Whether a turn can't be understood without what went before it."""
    if _BREAKS.search(question):
        return False
    if _CONTINUES.match(question):
        return True
    found = words(question)
    return len(set(terms(question))) <= 2 or any(word in _PRONOUNS for word in found)
