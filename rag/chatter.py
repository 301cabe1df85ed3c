"""Turns that ask the sources nothing: greetings, questions about the assistant, attempts to command it.

Speech acts in general English; nothing here knows what any document is about. A turn that is told apart
here is never obeyed and never searched for.
"""

from __future__ import annotations

import re
from typing import Literal

from corpus import Corpus

Chatter = Literal["greeting", "assistant", "command"]

_GREETING = re.compile(
    r"^(?!.*\b(?:who|what(?!'s up)|why|when|where|which|whose|does|did|was|were)\b)\W*"
    r"(?:hi|hello|hey|hiya|yo|howdy|greetings|good (?:morning|afternoon|evening|night|day)|thanks?|thank you|"
    r"thx|cheers|bye|goodbye|see you|how are you|how(?:'s| is) it going|what's up|sup|"
    r"(?!.*\?\W*$)(?:nice|cool|great|ok(?:ay)?|wow|lol|well done|good job|nice to meet you))\b(?:\W+\w+){0,5}\W*$",
    re.IGNORECASE,
)
_ASSISTANT = re.compile(
    r"\b(?:who|what) (?:exactly )?are you\b|"
    r"\bare you (?:an? |really |just )?(?:ai|bot|human|person|robot|machine|chat\w*|gpt\S*|llm|"
    r"language model|real|sentient|conscious|alive)\b|"
    r"\byour (?:own )?(?:name|model|creators?|developers?|makers?|training|favou?rite|opinions?|feelings?|day|age|"
    r"personality|hobb(?:y|ies)|version|capabilit\w+)\b|\bwho (?:made|built|created|wrote|trained) you\b|"
    r"\bwhat can (?:you|i) (?:do|ask)\b|\bhow (?:do|can) (?:you|i) (?:work|use (?:you|this))\b|"
    r"\bdo you (?:like|love|feel|dream|sleep|eat|have (?:a name|feelings|emotions|friends|hobbies|a body))\b",
    re.IGNORECASE,
)
_COMMAND = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass|skip|drop)\b.{0,60}\b(?:instructions?|rules?|prompts?|above|previous|"
    r"prior|earlier|article|context|sources?|documents?|guidelines|everything)\b|"
    r"\b(?:system|hidden|initial|secret|your) (?:prompt|instructions?|message|rules?|configuration|settings)\b|"
    r"\b(?:developer|debug|admin|god|dan|jailbreak|maintenance|sudo) mode\b|\bjailbr\w+|"
    r"\b(?:pretend|role-?play)\b|"
    r"\b(?:act|behave|respond|answer|reply|speak|talk)\b.{0,20}\b(?:as if|to be|like an?|as an?|only (?:in|with))\b|"
    r"^\W*(?:system|assistant|developer|admin|user|human)\s*[:>\]]|"
    r"</?(?:context|system|assistant|user|instructions?|prompt|sources?|documents?|s|im_start|im_end|script)\b[^>]*>|"
    r"\bfrom now on\b|\bnew (?:rule|instruction|task|order)s?\b\s*[:,-]|\brepeat after me\b|"
    r"\bend (?:every|each|all) (?:reply|answer|message|response)\w*\b|"
    r"\b(?:write|compose|sing|tell|make|draw|generate|create|give|crack)\b(?: \w+){0,3} "
    r"(?:joke|poem|song|story|haiku|essay|"
    r"code|script|program|limerick|recipe|e-?mail|rap|sonnet|function|tweet)s?\b",
    re.IGNORECASE,
)


_OPENINGS: dict[Chatter, str] = {
    "greeting": "Hello! I answer questions about {title} in its own words, each with its place and its speaker.",
    "assistant": "I look up answers in {title} and give them in its own words, each with its place and its speaker.",
    "command": "I only answer from {title}; instructions in a question change nothing about that.",
}


def reply(kind: Chatter, corpus: Corpus) -> str:
    """What is said instead of an answer, and an example of what can be asked."""
    first = corpus.sources[0]
    sections = [s for s in corpus.documents[first.id].sections if s.title != s.label] or list(
        corpus.documents[first.id].sections
    )
    example = f"You could ask: What does {first.author or 'it'} say about “{sections[len(sections) // 2].title}”?"
    if sections[0].label != sections[0].title:
        example = f"You could ask: What is {sections[len(sections) // 2].label} about?"
    return f"{_OPENINGS[kind].format(title=f'“{corpus.title or first.title}”')} {example}"


def chatter(text: str) -> Chatter | None:
    """The kind of turn, or None for a question to the sources."""
    if _COMMAND.search(text):
        return "command"
    if _ASSISTANT.search(text):
        return "assistant"
    return "greeting" if _GREETING.match(text) else None
