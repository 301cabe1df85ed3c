"""PDF -> text, with its pages as places and the headings of its outline. Knows nothing of files or limits.

A PDF stores lines, not paragraphs. Lines are put together here, so that sentences read on; no letter is
changed but the hyphens at line ends.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from corpus.blocks import Block, Loaded, assemble
from corpus.errors import CorpusError

if TYPE_CHECKING:
    from pypdf import PdfReader

_PAGE_NUMBER = re.compile(r"(?:page\s*)?[-–— ]*\d{1,4}[-–— ]*(?:(?:of|/)\s*\d{1,4})?", re.IGNORECASE)
_ITEM = re.compile(r"(?:[•▪◦‣·*–-]|\d{1,3}[.)])\s+\S")
_SENTENCE_END = (".", "?", "!", ":", ".”", "?”", "!”", '."', '?"', '!"', ".’", ".)")


def read_pdf(data: bytes) -> Loaded:
    """Text by page; `places` are "p. 1", "p. 2", .... Raises CorpusError for locked and image-only files."""
    try:
        import pypdf  # noqa: PLC0415  an extra, and only in the child process
        from pypdf.errors import DependencyError  # noqa: PLC0415
    except ImportError:
        raise CorpusError("needs pypdf; install it with: pip install 'pypdf[crypto]'") from None
    reader = pypdf.PdfReader(io.BytesIO(data))
    try:
        # Many files are locked against changes only; those open with an empty password.
        if reader.is_encrypted and not reader.decrypt(""):
            raise CorpusError("is protected by a password; save a copy without one: qpdf --decrypt IN.pdf OUT.pdf")
        outline = _outline(reader)
        pages = [_lines(page.extract_text()) for page in reader.pages]
    except DependencyError:
        raise CorpusError(
            "is encrypted and needs pypdf[crypto]; install it with: pip install 'pypdf[crypto]'"
        ) from None
    if not any(pages):
        raise CorpusError("holds only images, no text; recognise the text first: ocrmypdf IN.pdf OUT.pdf")
    title = reader.metadata.title if reader.metadata else None
    kept = _without_running_heads(pages, {heading for _, heading in outline})
    return assemble(_blocks(kept, outline), title if isinstance(title, str) else "")


def _lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def _without_running_heads(pages: Sequence[Sequence[str]], headings: Collection[str]) -> list[Sequence[str]]:
    """Leave out page numbers, and first and last lines that most pages share and that are no headings."""
    edges = Counter(edge for lines in pages for edge in {*lines[:1], *lines[-1:]})
    often = [edge for edge, n in edges.items() if n >= 3 and n > len(pages) / 2]
    shared = {edge for edge in often if _compared(edge) not in headings}
    kept = []
    for lines in pages:
        for at in (0, -1):
            if lines and (_PAGE_NUMBER.fullmatch(lines[at]) or lines[at] in shared):
                lines = lines[1:] if at == 0 else lines[:-1]
        kept.append(lines)
    return kept


def _outline(reader: PdfReader) -> dict[tuple[int, str], int]:
    """(page from 0, title as compared) -> level, for each entry of the file's outline."""
    found: dict[tuple[int, str], int] = {}
    stack: list[tuple[Sequence[Any], int]] = [(reader.outline, 1)]
    while stack:
        entries, level = stack.pop()
        for entry in entries:
            if isinstance(entry, list):
                stack.append((entry, level + 1))
            elif entry.title and (page := reader.get_destination_page_number(entry)) is not None:
                found[page, _compared(entry.title)] = min(level, 6)
    return found


def _compared(line: str) -> str:
    return re.sub(r"\W+", "", line).lower()


def _blocks(pages: Sequence[Sequence[str]], outline: dict[tuple[int, str], int]) -> Iterator[Block]:
    """Paragraphs and headings; a paragraph that runs over a page's end goes on in one piece on the next."""
    words = Counter(re.findall(r"[\w’'-]+", " ".join(line for lines in pages for line in lines).lower()))
    open_ended = False
    for number, lines in enumerate(pages):
        place = f"p. {number + 1}"
        for text, level in _paragraphs(lines, number, outline, words):
            runs_on = open_ended and not level and text[:1].islower()
            yield Block(text, level, place, before=" " if runs_on else "\n\n")
            open_ended = not level and not text.endswith(_SENTENCE_END)


def _paragraphs(
    lines: Sequence[str], page: int, outline: dict[tuple[int, str], int], words: Counter[str]
) -> Iterator[tuple[str, int]]:
    """(text, level) of each paragraph; a short line that ends a sentence ends its paragraph too."""
    full = median(sorted(map(len, lines))[len(lines) // 2 :]) if lines else 0
    run: list[str] = []
    at = 0
    while at < len(lines):
        taken, level = _heading(lines[at : at + 3], page, outline)
        if run and (taken or _ITEM.match(lines[at])):
            yield _join(run, words), 0
            run = []
        if taken:
            yield " ".join(lines[at : at + taken]), level
        else:
            run.append(lines[at])
            if len(lines[at]) < 0.8 * full and lines[at].endswith(_SENTENCE_END):
                yield _join(run, words), 0
                run = []
        at += taken or 1
    if run:
        yield _join(run, words), 0


def _heading(lines: Sequence[str], page: int, outline: dict[tuple[int, str], int]) -> tuple[int, int]:
    """Return (number of lines, level) of the outline's heading that begins here; (0, 0) for none."""
    for taken in range(len(lines), 0, -1):
        level = outline.get((page, _compared("".join(lines[:taken]))))
        if level:
            return taken, level
    return 0, 0


def _join(lines: Sequence[str], words: Counter[str]) -> str:
    """Lines as one; a hyphen at a line's end goes, unless the text spells the word with it elsewhere."""
    text = lines[0]
    for line in lines[1:]:
        head = re.search(r"([\w’']+)-$", text)
        tail = re.match(r"[\w’']+", line)
        if head and tail and line[0].islower():
            keeps = words[f"{head[1]}-{tail[0]}".lower()] > words[f"{head[1]}{tail[0]}".lower()]
            text = (text if keeps else text[:-1]) + line
        else:
            text = f"{text} {line}"
    return text
