"""A file becomes text with what its format knows of structure: headings, places, speakers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from corpus.document import Heading, Span
from corpus.errors import CorpusError


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a loader found. `headings` is None where the format marks none, and the text is searched.

    `places`: pages or times, as citations name them ("p. 3", "00:12:31"); `speakers`: who speaks where.
    """

    text: str
    headings: tuple[Heading, ...] | None = None
    places: tuple[Span, ...] = ()
    speakers: tuple[Span, ...] = ()


def load(file: Path) -> Loaded:
    """Read a file. Raises CorpusError, naming the file and the cure."""
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise CorpusError(f"{file} is missing; put the text there or take its source out of the manifest") from None
    except OSError as error:
        raise CorpusError(f"{file} can't be read: {error.strerror}") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CorpusError(f"{file} is not UTF-8 (byte {error.start}); save it as UTF-8") from None
    if "\0" in text:
        raise CorpusError(f"{file} is not a text file (it holds NUL bytes)")
    if not text.strip():
        raise CorpusError(f"{file} is empty; put the text there or take its source out of the manifest")
    return Loaded(text.replace("\r\n", "\n"))
