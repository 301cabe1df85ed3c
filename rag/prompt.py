"""What goes into a prompt from outside: text as data, the newest turns of a conversation, and their size in tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from rag.call import Message
from rag.datatypes import Turn
from rag.marks import plain

_QUOTED = str.maketrans({"[": "(", "]": ")", "【": "(", "】": ")", "<": "‹", ">": "›", "`": "'"})
# Verbs by which a text tells a model what to write.
_WRITE = (
    "(?:say|state|reply|respond|answer|output|print|write|repeat|reveal|cite|append|translate|tell|pretend|obey|quote)"
)
_READERS = "(?:you|assistants?|models?|chatbots?|AIs?|LLMs?)"
_SPEAKS_TO_MODEL = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:above|previous|prior|preceding|earlier|instructions?|"
    r"rules|guidelines|evidence|sources|everything)\b"
    r"|\b(?:system|developer|assistant|admin)\s*(?:prompt|message|note|override|mode|:)|\bnew instructions?\b"
    r"|<[|/!]?\s*\w+[^<>]*>|\[/?(?:INST|SYS)\]"
    rf"|\b{_READERS} (?:must|should|shall|will|are to)(?: now| always| only)* {_WRITE}\b"
    r"|\byou are (?:now|an? (?:AI|assistant|model))\b|\bas an? (?:AI|language model|assistant|chatbot)\b"
    r"|\byour (?:\w+ )?(?:instructions?|prompt|rules|answers?|reply|response|output|key)\b"
    rf"|(?:^|[.:;!,]\s|\b(?:and|then|instead|please|now),? ){_WRITE} (?:only|exactly|verbatim|this|that|it|the|"
    r"in|with|to|every|everyone|[“\"'(:])",
    re.IGNORECASE,
)


def quoted(text: str) -> str:
    """Text as data within a prompt: one line, and nothing that a chat template or a mark could be made of."""
    return plain(text).translate(_QUOTED)


def tokens(text: str) -> int:
    """About how many tokens a text has, on the safe side: three characters of English each, one of other scripts."""
    plain_characters = sum(ch.isascii() for ch in text)
    return plain_characters // 3 + (len(text) - plain_characters) + 8


def newest_turns(history: Sequence[Turn], room: int) -> list[Message]:
    """The newest turns that there is room for, as a chat that begins with its user and takes turns, since some
    models refuse any other."""
    turns: list[Message] = []
    role: Literal["user", "assistant"] = "assistant"
    for turn in reversed(history):
        content = quoted(turn["content"])
        room -= tokens(content)
        if room < 0:
            break
        if turn["role"] == role:
            turns.insert(0, {"role": role, "content": content})
            role = "user" if role == "assistant" else "assistant"
    return turns[1:] if turns and turns[0]["role"] == "assistant" else turns


def speaks_to_model(text: str) -> bool:
    """Whether a sentence seems meant for a model that reads it rather than for people."""
    return bool(_SPEAKS_TO_MODEL.search(text))
