"""A chat as a file: Markdown for people, JSON for programs (each answer is `Answer.to_dict()`), and back."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from pydantic import BaseModel, TypeAdapter, ValidationError

from corpus import VerseError
from rag.datatypes import Answer, Citation
from ui.chat import TITLE_LENGTH, Chat, Exchange
from ui.render import STANCE_WORDS, STATUS_WORDS, web_address

LONGEST_FILE = 5_000_000  # characters


class _ExportedExchange(BaseModel):
    question: str
    message: str = ""
    answer: Answer | None = None


class _ExportedChat(BaseModel):
    title: str = ""
    exchanges: tuple[_ExportedExchange, ...]


# What begins markup, a link, a picture or HTML.
_ACTIVE = re.compile(r"[\\`*_<>\[\]~&#|]")
_MARK = re.compile(r"\\\[(\d+)\\\](?!\(|:|\\\[)")  # but no link of its own making
_FILE = TypeAdapter(_ExportedChat)


def to_json(chat: Chat) -> str:
    """Every exchange with the same object that the API gives."""
    exchanges = [
        {
            "question": exchange.question,
            "message": exchange.message,
            "answer": exchange.answer.to_dict() if exchange.answer else None,
        }
        for exchange in chat.exchanges
    ]
    return json.dumps({"title": chat.title, "exchanges": exchanges}, ensure_ascii=False, indent=2)


def from_json(text: str) -> Chat:
    """The chat of a file that `to_json` wrote. Raises VerseError."""
    if len(text) > LONGEST_FILE:
        raise VerseError(f"this file has over {LONGEST_FILE // 1_000_000} million characters; export single chats")
    try:
        exported = _FILE.validate_json(text.encode("utf-8", "surrogatepass"))
    except (ValidationError, RecursionError):
        raise VerseError("this isn't a chat that was exported as JSON here; choose such a file") from None
    if not exported.exchanges:
        raise VerseError("this chat is empty; choose another file")
    if not all(0 <= share <= 1 for e in exported.exchanges if e.answer for share in _shares(e.answer)):
        raise VerseError("this chat holds a probability that is none; choose a file that was exported here")
    found = (Exchange(e.question, answer=e.answer, message=e.message) for e in exported.exchanges)
    chat = Chat(tuple(replace(exchange, stopped=exchange.running) for exchange in found))
    named = exported.title != chat.title
    return replace(chat, name=" ".join(exported.title.split())[:TITLE_LENGTH]) if named else chat


def _shares(answer: Answer) -> list[float]:
    """What a number between 0 and 1 is, and JSON may hold anything for."""
    judged = (*answer.sentences, *answer.withheld)
    return [answer.confidence, *(sentence.support.score for sentence in judged if sentence.support)]


def to_markdown(chat: Chat) -> str:
    """Questions as headings, answers with their marks, citations below."""
    parts = [f"# {_plain(chat.title)}"]
    for exchange in chat.exchanges:
        parts.append("## " + _plain(" ".join(exchange.question.split())))
        if exchange.answer:
            parts.extend(_answer(exchange.answer))
        else:
            parts.append(_plain(exchange.message) or "(stopped)")
    return "\n\n".join(parts) + "\n"


def _answer(answer: Answer) -> list[str]:
    parts = [f"*{STATUS_WORDS[answer.status]}*"]
    if answer.text:
        parts.append(_plain(answer.text))
    parts.extend(_citation(f"[{citation.number}]", citation) for citation in answer.citations)
    for title, views in (("Other views", answer.other_views), ("Nearest passages", answer.nearest)):
        if views:
            parts.append(f"### {title}")
            parts.extend(_citation("-", citation) for citation in views)
    return parts


def _citation(mark: str, citation: Citation) -> str:
    title = citation.section_title
    where = f"{citation.section}: {title}" if title and title != citation.section else citation.section
    url = web_address(citation.url)
    title = _plain(citation.source_title)
    source = f"[{title}](<{url}>)" if url else title
    who = f"{_plain(citation.voice)}, " if citation.voice else ""
    quote = _plain(" ".join(citation.quote.split()))
    lines = [f"{mark} **{_plain(where)}** ({who}{STANCE_WORDS[citation.stance].lower()}; {source})", f"> {quote}"]
    lines.extend(
        f"> Correction ({note.status}): {_plain(note.text)} ({_plain(note.source_title)})" for note in citation.notes
    )
    return "\n\n".join(lines)


def _plain(text: str) -> str:
    """What was written somewhere else, so that a reader of Markdown shows it as it stands and loads nothing for it;
    the marks of an answer stay as they are."""
    return _MARK.sub(r"[\1]", _ACTIVE.sub(r"\\\g<0>", text))
