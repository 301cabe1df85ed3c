"""What every loader hands over: a text with the exact places of what its format knows.

A reader lists blocks in reading order; `assemble` writes them into one text and counts the offsets, so that
no reader counts characters by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from corpus.document import Heading, Span

# Control characters would reach terminals through quotes; lone surrogates can't be written as UTF-8.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a loader found. `headings` is None where the format marks none, and the text is searched.

    `places`: pages or times, as citations name them ("p. 3", "00:12:31"); `speakers`: who speaks where, the
    label of a turn included where it stands in the text. Both are sorted and never overlap.
    `title`: what the file calls itself; empty where it doesn't say.
    """

    text: str
    headings: tuple[Heading, ...] | None = None
    places: tuple[Span, ...] = ()
    speakers: tuple[Span, ...] = ()
    title: str = ""

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Self:
        """What `dataclasses.asdict` made of it, also after JSON. Raises KeyError or TypeError."""
        headings = found["headings"]
        return cls(
            found["text"],
            None if headings is None else tuple(Heading(**heading) for heading in headings),
            tuple(Span(**span) for span in found["places"]),
            tuple(Span(**span) for span in found["speakers"]),
            found["title"],
        )


@dataclass(frozen=True, slots=True)
class Block:
    """A heading (`level` from 1), a paragraph, an item or a row; `before` parts it from the block above."""

    text: str
    level: int = 0
    place: str = ""
    speaker: str = ""
    before: str = "\n\n"


def assemble(blocks: Iterable[Block], title: str = "") -> Loaded:
    """One text of all blocks; blank ones are left out. The text is empty when nothing is left."""
    pieces: list[str] = []
    headings: list[Heading] = []
    places: list[Span] = []
    speakers: list[Span] = []
    cursor = 0
    for block in blocks:
        text = _CONTROL.sub("", block.text).strip()
        if not text:
            continue
        before = block.before if pieces else ""
        start = cursor + len(before)
        cursor = start + len(text)
        pieces += [before, text]
        if block.level:
            headings.append(Heading(text, start, cursor, block.level))
        for name, spans in ((block.place, places), (block.speaker, speakers)):
            _extend(spans, name, start, cursor, touching=start - len(before))
    return Loaded("".join(pieces), tuple(headings) or None, tuple(places), tuple(speakers), one_line(title))


def _extend(spans: list[Span], name: str, start: int, end: int, *, touching: int) -> None:
    """Add a span, or lengthen the last one where it says the same and reaches up to here."""
    if name and spans and spans[-1].name == name and spans[-1].end == touching:
        spans[-1] = Span(name, spans[-1].start, end)
    elif name:
        spans.append(Span(name, start, end))


def one_line(title: str) -> str:
    """Make a name fit for one line of a terminal: no line ends, no control characters, 200 characters."""
    return " ".join(_CONTROL.sub(" ", title).split())[:200]
