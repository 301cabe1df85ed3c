"""Text with marks, as a language model writes it -> sentences and the keys of the evidence that each one cites.

A mark is anything in square brackets; what isn't a key that was given is removed, since a number in brackets
would read as one of our own citations. Knows nothing of what is true.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from sentencex import get_sentence_boundaries

# A model that writes this much without ending a sentence isn't answering; nor is one that writes this much at all.
LONGEST_SENTENCE = 1_000
LONGEST_QUOTATION = 500
LONGEST_ANSWER = 8_000

_OPEN, _CLOSE = "[【〔", "]】〕"
_MARK = re.compile(rf"[{re.escape(_OPEN)}]+[^{re.escape(_OPEN + _CLOSE)}\n]{{0,120}}[{re.escape(_CLOSE)}]+")
_ROUND = re.compile(r"\(([^()\n]{1,60})\)")
_TRAILING_MARKS = re.compile(rf"\s*(?:{_MARK.pattern}[\s.,;]*)+")
_BRACKETS = re.compile(rf"[{re.escape(_OPEN + _CLOSE)}]")
_BULLET = re.compile(r"^\s*(?:[-*•–]|\d{1,2}[.)])\s+")
_MARKDOWN = re.compile(r"\*\*|__|`|^#{1,6}\s+|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)")
_THOUGHT = re.compile(r"\s*<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)
_THINKS = re.compile(r"\s*<(?:t(?:h(?:i(?:n(?:k(?:i(?:n(?:g)?)?)?)?)?)?)?)?\Z|\s*<think")
_ENDS = re.compile(r"[.!?…:][\s”\"’')\]】〕]*\Z")
_SPACE_BEFORE = re.compile(r"\s+([.,;:!?])")


@dataclass(frozen=True, slots=True)
class Marked:
    """A sentence without its marks, and the given keys that they held, in order. `whole` is False for words
    that neither end a sentence nor cite anything, such as a heading or the last words of a text that was cut."""

    text: str
    keys: tuple[str, ...] = ()
    form: Literal["prose", "item"] = "prose"
    whole: bool = True


class EndlessText(Exception):
    """The text doesn't come to an end, or its sentence doesn't."""


def read_marked(pieces: Iterable[str], given: Collection[str]) -> Iterator[Marked]:
    """Sentences as soon as they are finished. Raises EndlessText."""
    text, length = "", 0
    for piece in pieces:
        text += piece
        length += len(piece)
        if _THINKS.match(text):
            text = _THOUGHT.sub("", text, count=1)
        if not _THINKS.match(text):
            text = yield from _finished(text, given)
            if len(text) > LONGEST_SENTENCE:
                raise EndlessText(f"a sentence of more than {LONGEST_SENTENCE:,} characters")
        if length > LONGEST_ANSWER:
            raise EndlessText(f"more than {LONGEST_ANSWER:,} characters")
    if not _THINKS.match(text):
        yield from _finished(text + "\n", given)


def _finished(text: str, given: Collection[str]) -> Generator[Marked, None, str]:
    """The sentences of a text that are finished; returns what is left."""
    while (end := _end_of_sentence(text)) is not None:
        yield from _read(text[:end], given)
        text = text[end:]
    return text


def plain(text: str) -> str:
    """Text on one line, without characters that can't be seen or that turn the direction of writing."""
    kept = "".join(" " if unicodedata.category(ch) in ("Cc", "Zl", "Zp") else ch for ch in text)
    return " ".join("".join(ch for ch in kept if unicodedata.category(ch) not in ("Cf", "Cs", "Co", "Cn")).split())


def _end_of_sentence(text: str) -> int | None:
    """Where the first sentence ends with the marks that follow it, once something else has begun."""
    start = len(text) - len(text.lstrip())
    line = text.find("\n", start)
    head = text[start : line if line >= 0 else None]
    for boundary in get_sentence_boundaries("en", head):
        end = start + int(boundary["end_index"])
        if not _ENDS.search(text[start:end]) or (line < 0 and _in_quotation(text[start:end])):
            continue
        leads = _MARK.match(text, start)
        if not leads and (marks := _TRAILING_MARKS.match(text, end)):
            end = marks.end()
        if not _MARK.sub("", text[start:end]).strip(" .,;"):
            continue  # nothing but marks so far: they belong to what follows
        rest = text[end:].lstrip(" ")
        if line < 0 and (not rest or (rest[0] in _OPEN and not leads and not _MARK.match(rest))):
            return None
        return end
    return line + 1 if line >= 0 else None


def _in_quotation(text: str) -> bool:
    """Whether a quotation has begun that may go on in what isn't there yet; a stray mark doesn't hold all back."""
    return len(text) < LONGEST_QUOTATION and (text.count("“") > text.count("”") or text.count('"') % 2 == 1)


def _read(text: str, given: Collection[str]) -> Iterator[Marked]:
    bullet = _BULLET.match(text)
    text = plain(text[bullet.end() :] if bullet else text)
    keys: list[str] = []
    for mark in _MARK.findall(text):
        keys += [word for word in re.findall(r"\w+", mark.lower()) if word in given]

    def in_round(mark: re.Match[str]) -> str:
        found = [word for word in re.findall(r"\w+", mark[1].lower()) if word in given]
        keys.extend(found)
        return "" if found else mark[0]

    text = _ROUND.sub(in_round, _MARK.sub(" ", text))
    loose = [word for word in re.findall(r"\w+", text) if word.lower() in given]  # marks that lost a bracket
    keys += [word.lower() for word in loose]
    for word in loose:
        text = re.sub(rf"\b{word}\b", " ", text)
    text = _MARKDOWN.sub("", _BRACKETS.sub(" ", text))
    text = _SPACE_BEFORE.sub(r"\1", " ".join(text.split())).strip(" ,;")
    if any(ch.isalnum() for ch in text):
        whole = bool(keys or bullet or _ENDS.search(text))
        yield Marked(text, tuple(dict.fromkeys(keys)), "item" if bullet else "prose", whole)
