"""A text becomes a Document: sections, sentences and their exact character offsets.

Knows headings, paragraphs, lists and tables; knows nothing of who speaks (voices.py) or of files
(loaders.py). Offsets count characters of `Document.text`, start inclusive, end exclusive, and come from
a cursor that only moves forward, so that a sentence which occurs twice has two places.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from sentencex import get_sentence_boundaries

SentenceKind = Literal["prose", "quote", "item", "row"]


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of a document under one heading, the heading's own line included."""

    label: str
    title: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """The unit of citation. `paragraph` numbers the paragraphs of the document from 0."""

    start: int
    end: int
    section: str
    voice: str = ""
    kind: SentenceKind = "prose"
    paragraph: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table of checked claims; each part is a (start, end) pair of offsets."""

    claim: tuple[int, int]
    verdict: tuple[int, int]
    evidence: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Span:
    """A named stretch: a sub-heading, a remainder such as the title, or a place such as a page."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Heading:
    """A line that a loader or a layout knows to be a heading; level 1 is the outermost."""

    title: str
    start: int
    end: int
    level: int = 1


@dataclass(frozen=True, slots=True)
class Layout:
    """What is peculiar to one text and can't be seen in it, as said by its manifest.

    `headings`: lines that open a section: the line itself, or its beginning before a colon.
    `remainder`: name -> how the first line of that stretch begins; it runs to the next one or to the end.
    `verdicts`: words that part claim from evidence in the rows of a table whose columns run together.
    """

    headings: tuple[str, ...] = ()
    remainder: tuple[tuple[str, str], ...] = ()
    table_header: str = ""
    verdicts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Document:
    """A text with its structure. Sections and remainders together cover every character once."""

    source_id: str
    title: str
    text: str
    sections: tuple[Section, ...]
    sentences: tuple[Sentence, ...]
    remainders: tuple[Span, ...] = ()
    subheadings: tuple[Span, ...] = ()
    rows: tuple[Row, ...] = ()
    places: tuple[Span, ...] = field(default=())

    @cached_property
    def section_by_label(self) -> dict[str, Section]:
        """Section by its label; labels are unique within a document."""
        return {section.label: section for section in self.sections}

    def wording(self, sentence: Sentence) -> str:
        """A sentence as it is said: as it stands, but a row with its columns parted."""
        row = next((row for row in self.rows if row.claim[0] == sentence.start), None)
        if sentence.kind != "row" or row is None:
            return self.text[sentence.start : sentence.end]
        claim, verdict, *evidence = (self.text[a:b] for a, b in filter(None, (row.claim, row.verdict, row.evidence)))
        return f"{claim}: {' '.join([verdict, *evidence])}"

    def locator(self, start: int) -> str | None:
        """The page or time at an offset, where the source has them."""
        return next((place.name for place in self.places if place.start <= start < place.end), None)


# A numbered division names itself before its title: "Chapter 3: Why ...", "Part II – ...".
_NUMBERED = re.compile(
    r"^(?P<label>(?:chapter|part|section|book|act|episode|lesson|appendix)\s+[\w.]{1,8})\s*(?:[:–—-]|\.\s)\s*(?P<title>\S.*)$",
    re.IGNORECASE,
)
_MARKDOWN = re.compile(r"^(#{1,6})\s+(\S.*?)\s*#*$")
_BULLET = re.compile(r"^\s*(?:[•*·‣◦–-]|\d{1,3}[.)])\s+")
_SPEAKER = re.compile(r"^\s*(?:\[?\d{1,2}:\d{2}(?::\d{2})?\]?\s*)?[A-Z][\w.'’-]*(?: [A-Z][\w.'’-]*){0,3}:\s")
_WINDOW = 4_000
_OPENING = '“"«„‘'
_CLOSING = '”"»“’'


def parse(
    source_id: str,
    title: str,
    text: str,
    *,
    layout: Layout | None = None,
    headings: Sequence[Heading] | None = None,
    places: Sequence[Span] = (),
    language: str = "en",
) -> Document:
    """Read a text's structure.

    `headings` are those that a loader found in the file's own markup; without them they are read off the
    text: the layout's, Markdown's, numbered ones ("Chapter 3: ..."), or short lines that stand alone.
    """
    layout = layout or Layout()
    lines = list(_lines(text))
    remainders = _find_remainders(text, lines, layout)
    body = [line for line in lines if not _inside(line[0], remainders)]
    opened, subheadings = (list(headings), []) if headings is not None else _find_headings(text, body, layout)
    sections, remainders = _cut_sections(text, title, opened, remainders)
    sentences: list[Sentence] = []
    rows: list[Row] = []
    heading_starts = {heading.start for heading in opened} | {span.start for span in subheadings}
    section_starts = [section.start for section in sections]
    for paragraph, (start, end, kind) in enumerate(_paragraphs(text, body, heading_starts, layout)):
        at = bisect_right(section_starts, start) - 1
        if at < 0 or start >= sections[at].end:
            continue
        section = sections[at]
        row = _read_row(text, start, end, layout) if kind == "row" else None
        if row:
            rows.append(row)
            sentences.append(Sentence(start, end, section.label, kind="row", paragraph=paragraph))
            continue
        for a, b in split_sentences(text, start, end, language):
            sentences.append(Sentence(a, b, section.label, kind=_kind(text[a:b], kind), paragraph=paragraph))
    return Document(
        source_id,
        title,
        text,
        tuple(sections),
        tuple(sentences),
        tuple(remainders),
        tuple(subheadings),
        tuple(rows),
        tuple(places),
    )


def split_sentences(text: str, start: int, end: int, language: str = "en") -> Iterator[tuple[int, int]]:
    """Offsets of the sentences of `text[start:end]`, without the white space around them. None is longer than
    _WINDOW: what runs on without an end is cut between words."""
    cursor = start
    for piece in _pieces(text, start, end, language):
        a = cursor
        cursor += len(piece)
        a += len(piece) - len(piece.lstrip())
        b = a + len(piece.strip())
        if b > a and any(ch.isalnum() for ch in text[a:b]):
            yield a, b


def _pieces(text: str, start: int, end: int, language: str) -> Iterator[str]:
    """The text cut after each sentence, window by window: the splitter's time grows with the square of its text."""
    while start < end:
        window = text[start : min(end, start + _WINDOW)]
        pieces: list[str] = [boundary["text"] for boundary in get_sentence_boundaries(language, window)]
        if start + len(window) < end:
            if len(pieces) > 1:
                pieces.pop()  # it may go on beyond the window
            else:
                words = window.split()
                pieces = [window[: window.rindex(words[-1])] if len(words) > 1 else window]
        yield from pieces
        start += sum(map(len, pieces)) or len(window)


def _kind(sentence: str, paragraph_kind: SentenceKind) -> SentenceKind:
    """A sentence that is one quotation from end to end is a quote, wherever it stands."""
    whole = sentence[0] in _OPENING and sentence.rstrip(".,;")[-1:] in _CLOSING
    return "quote" if whole and paragraph_kind == "prose" else paragraph_kind


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of each line, white space at its ends left out; blank lines are empty spans."""
    for match in re.finditer(r"[^\n]*(?:\n|$)", text):
        if match.start() == match.end() and match.start() == len(text):
            break
        line = match.group()
        start = match.start() + len(line) - len(line.lstrip())
        yield (start, start + len(line.strip())) if line.strip() else (match.start(), match.start())


def _inside(offset: int, spans: Sequence[Span]) -> bool:
    return any(span.start <= offset < span.end for span in spans)


def _find_remainders(text: str, lines: Sequence[tuple[int, int]], layout: Layout) -> list[Span]:
    """Stretches that belong to no section; each ends where the next one or the first heading begins."""
    starts: list[tuple[int, str]] = []
    for name, beginning in layout.remainder:
        start = next((a for a, b in lines if text.startswith(beginning, a)), None)
        if start is not None:
            starts.append((start, name))
    starts.sort()
    heading = min((a for a, b in lines if _opens(text[a:b], layout)), default=len(text))
    spans = []
    for i, (start, name) in enumerate(starts):
        end = starts[i + 1][0] if i + 1 < len(starts) else len(text)
        spans.append(Span(name, start, heading if start < heading < end else end))
    return spans


def _opens(line: str, layout: Layout) -> bool:
    return any(line == h or line.startswith(h + ":") for h in layout.headings)


def _find_headings(text: str, lines: Sequence[tuple[int, int]], layout: Layout) -> tuple[list[Heading], list[Span]]:
    """Headings that open sections, and the lesser ones that stand inside a section."""
    if layout.headings:
        opened = [Heading(text[a:b], a, b) for a, b in lines if _opens(text[a:b], layout)]
        known = {heading.start for heading in opened}
        lesser = [Span(text[a:b], a, b) for a, b in _standalone(text, lines) if a not in known]
        return opened, lesser
    marked = [(m, a, b) for a, b in lines if (m := _MARKDOWN.match(text[a:b]))]
    if marked:
        return [Heading(m[2], a, b, len(m[1])) for m, a, b in marked], []
    numbered = [Heading(text[a:b], a, b) for a, b in lines if len(text[a:b]) < 160 and _NUMBERED.match(text[a:b])]
    if len(numbered) > 1:
        return numbered, []
    return [Heading(text[a:b], a, b) for a, b in _standalone(text, lines)], []


def _standalone(text: str, lines: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Short lines between blank ones that end like a title and are followed by a longer paragraph."""
    following = [(0, 0)] * len(lines)  # the next line that isn't blank
    for i in range(len(lines) - 1, 0, -1):
        a, b = lines[i]
        following[i - 1] = (a, b) if b > a else following[i]
    for i, (a, b) in enumerate(lines):
        line = text[a:b]
        alone = (i == 0 or lines[i - 1][0] == lines[i - 1][1]) and (
            i + 1 < len(lines) and lines[i + 1][0] == lines[i + 1][1]
        )
        if not (alone and 0 < len(line) <= 80 and len(line.split()) <= 12):
            continue
        if line[-1] in ".?!:;,…" + _CLOSING or not (line[0].isupper() or line[0].isdigit()):
            continue
        follows = following[i][1] - following[i][0]
        if follows > len(line) and follows > 60 and not _BULLET.match(line):
            yield a, b


def _cut_sections(
    text: str, title: str, opened: Sequence[Heading], remainders: list[Span]
) -> tuple[list[Section], list[Span]]:
    """Sections from heading to heading; text before the first is a section of its own if it says anything."""
    cuts = sorted([(h.start, h) for h in opened], key=lambda cut: cut[0])
    first = cuts[0][0] if cuts else len(text)
    sections: list[Section] = []
    lead_start = max((r.end for r in remainders if r.end <= first), default=0)
    lead = text[lead_start:first]
    if lead.strip() and not _inside(lead_start, remainders):
        sections.append(Section(title, title, lead_start, first))
    elif lead and cuts:
        remainders = [*remainders, Span("space", lead_start, first)] if lead_start < first else remainders
    for i, (start, heading) in enumerate(cuts):
        end = cuts[i + 1][0] if i + 1 < len(cuts) else len(text)
        end = min([end, *(r.start for r in remainders if start < r.start < end)])
        label, name = _label(heading.title)
        sections.append(Section(label, name, start, end))
    return _unique(_drop_bare_title(text, title, sections)), sorted(remainders, key=lambda span: span.start)


def _drop_bare_title(text: str, title: str, sections: list[Section]) -> list[Section]:
    """A first heading with nothing under it is the document's title: join it to what follows."""
    if len(sections) > 1:
        head, second = sections[0], sections[1]
        if "\n" not in text[head.start : head.end].strip() and head.end == second.start:
            return [Section(second.label, second.title, head.start, second.end), *sections[2:]]
    return sections


def _label(heading: str) -> tuple[str, str]:
    numbered = _NUMBERED.match(heading)
    return (numbered["label"], numbered["title"]) if numbered else (heading, heading)


def _unique(sections: Sequence[Section]) -> list[Section]:
    """Two sections of one name get numbers, so that a label names one place."""
    seen: Counter[str] = Counter()
    unique = []
    for section in sections:
        seen[section.label] += 1
        n = seen[section.label]
        label = section.label if n == 1 else f"{section.label} ({n})"
        unique.append(Section(label, section.title, section.start, section.end))
    return unique


def _paragraphs(
    text: str, lines: Sequence[tuple[int, int]], heading_starts: set[int], layout: Layout
) -> Iterator[tuple[int, int, SentenceKind]]:
    """(start, end, kind) of each paragraph, list item and table row; headings are none of these."""
    block: list[tuple[int, int]] = []
    for a, b in [*lines, (len(text), len(text))]:
        if b > a and a not in heading_starts:
            block.append((a, b))
            continue
        if block:
            yield from _paragraphs_of_block(text, block, layout)
        block = []


def _paragraphs_of_block(
    text: str, block: Sequence[tuple[int, int]], layout: Layout
) -> Iterator[tuple[int, int, SentenceKind]]:
    if layout.table_header and text[slice(*block[0])] == layout.table_header:
        yield from ((a, b, "row") for a, b in block[1:])
        return
    wrapped = (
        len(block) > 1
        and all(b - a <= 120 for a, b in block)
        and any(text[b - 1] not in ".?!:;" + _CLOSING for a, b in block[:-1])
    )
    start: int | None = None
    for i, (a, b) in enumerate(block):
        line = text[a:b]
        listed = _BULLET.match(line)
        if start is None:
            start, kind = a, "item" if listed else "prose"
        last = i + 1 == len(block)
        following = "" if last else text[slice(*block[i + 1])]
        if last or not wrapped or _BULLET.match(following) or _SPEAKER.match(following):
            bullet = _BULLET.match(text[start:b])
            yield start + (bullet.end() if bullet else 0), b, "item" if kind == "item" else "prose"
            start = None


def _read_row(text: str, start: int, end: int, layout: Layout) -> Row | None:
    """Claim, verdict and evidence of a row whose columns run together: the first verdict word parts them."""
    line = text[start:end]
    found = [
        (m.start(), m.end())
        for verdict in layout.verdicts
        for m in re.finditer(rf"(?<=[\w.”\"')%]){re.escape(verdict)}(?!\w)", line)
    ]
    if not found:
        return None
    a, b = min(found, key=lambda span: (span[0], -span[1]))
    rest = line[b:].strip(" ,")
    offset = start + line.index(rest, b) if rest else end
    return Row((start, start + a), (start + a, start + b), (offset, end) if rest else None)
