"""manifest.toml -> Manifest: every source, who its people are, and the corrections that concern it.

A folder without a manifest is a corpus too: each text in it is a source with its file's name as title.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from corpus.errors import CorpusError, CorpusUnreadable
from corpus.people import Person

BUILT_IN = Path(__file__).parent
MANIFEST = "manifest.toml"
TEXTS = "texts"

Stance = Literal["primary", "opposing", "supporting", "evidence"]
_ID = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
_DATE = Annotated[str, StringConstraints(pattern=r"^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$")]


class _Strict(BaseModel):
    """Unknown keys are refused: a misspelt key that is silently ignored is a wrong answer later."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _TableLayout(_Strict):
    header: str
    verdicts: tuple[str, ...]


class _LayoutEntry(_Strict):
    headings: tuple[str, ...] = ()
    remainder: dict[str, str] = {}
    table: _TableLayout | None = None


class Source(_Strict):
    """One text of the corpus and what is known about it."""

    id: _ID
    title: str
    author: str = ""
    stance: Stance = "primary"
    url: str | None = None
    url_status: Literal["seen", "cited"] | None = None
    links: tuple[str, ...] = ()
    published: _DATE | None = None
    file: str | None = None
    confidence: Literal["verified", "secondary", "article-only", "mixed"] = "verified"
    provenance: str = ""
    note: str = ""
    voice: str = ""
    bears_on: tuple[str, ...] = ()
    layout: _LayoutEntry = _LayoutEntry()


class Correction(_Strict):
    """What is known to be wrong at one place of a text; `anchor` is that place, word for word."""

    source: str
    anchor: str = Field(min_length=8)
    note: str
    status: Literal["confirmed", "inferred"]
    basis: str


class Manifest(_Strict):
    """What a manifest.toml says."""

    title: str
    language: str = "en"
    people: tuple[Person, ...] = ()
    sources: tuple[Source, ...]
    corrections: tuple[Correction, ...] = ()


def built_in_people() -> tuple[Person, ...]:
    """The people of the built-in corpus, without reading its texts."""
    return read_manifest(BUILT_IN / MANIFEST).people


def read_manifest(file: Path) -> Manifest:
    """The manifest in a file. Raises CorpusError naming the line that is wrong."""
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise CorpusError(f"{file} is not UTF-8 (byte {error.start}); save it as UTF-8") from None
    except (ValueError, RecursionError) as error:  # besides its own: a number of 5,000 digits, 5,000 brackets
        raise CorpusError(f"{file}: {error}; mend that line") from None
    except OSError as error:
        raise CorpusUnreadable(f"{file} can't be read: {error.strerror}; mend its permissions") from None
    try:
        manifest = Manifest.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        raise CorpusError(f"{file}, line {line_of(file, *first['loc'])}: {_why(first)}") from None
    seen: set[str] = set()
    for n, source in enumerate(manifest.sources):
        if source.id in seen:
            raise CorpusError(f"{file}, line {line_of(file, 'sources', n, 'id')}: the id {source.id!r} is used twice")
        seen.add(source.id)
    if not manifest.sources:
        raise CorpusError(f"{file} lists no sources; add one with: verse --corpus {file.parent} add FILE")
    return manifest


_CURES = {
    "missing": "it is missing; write it there",
    "extra_forbidden": "there is no such key; mend its spelling, or take it out",
    "tuple_type": "give a list in [brackets]",
    "string_type": "give a text in quotation marks",
}


def _why(error: ErrorDetails) -> str:
    keys = ".".join(str(part) for part in error["loc"] if not isinstance(part, int))
    return f"{keys}: {_CURES.get(error['type']) or error['msg'][:1].lower() + error['msg'][1:]}"


def line_of(file: Path, *loc: int | str) -> int:
    """The line of a key in a TOML file: the n-th [[table]] of that name, then the key under it."""
    lines = file.read_text(encoding="utf-8").splitlines()
    at = 0
    table, index = (str(loc[0]), loc[1]) if len(loc) > 1 and isinstance(loc[1], int) else ("", -1)
    if table:
        heads = [i for i, line in enumerate(lines) if re.match(rf"\s*\[\[\s*{re.escape(table)}\s*\]\]", line)]
        at = heads[int(index)] if 0 <= int(index) < len(heads) else 0
    for part in loc[2:] if table else loc:
        for i in range(at, len(lines)):
            if i > at and lines[i].lstrip().startswith("[["):
                break
            if re.match(rf"\s*(?:\[.*\b)?{re.escape(str(part))}\b", lines[i]):
                at = i
                break
    return at + 1


def manifest_of_files(folder: Path) -> Manifest:
    """A folder of texts and no manifest: each file is a source."""
    texts = folder / TEXTS if (folder / TEXTS).is_dir() else folder
    files = sorted(f for f in texts.iterdir() if f.is_file() and not f.name.startswith("."))
    if not files:
        raise CorpusError(f"{str(folder)!r} holds no texts; add one with: verse --corpus {folder} add FILE")
    sources = []
    seen: set[str] = set()
    for file in files:
        source_id = re.sub(r"[^A-Za-z0-9._-]+", "-", file.stem).strip("-._")[:90] or "text"
        while source_id in seen:
            source_id += "-2"
        seen.add(source_id)
        title = re.sub(r"[_-]+", " ", file.stem).strip() or file.name
        sources.append(Source(id=source_id, title=title, file=str(file.relative_to(texts))))
    return Manifest(title=folder.resolve().name, sources=tuple(sources))


def text_file(folder: Path, source: Source) -> Path:
    """Where a source's text lies; a file name can't lead out of the folder, by dots or by symlink."""
    texts = folder / TEXTS if (folder / TEXTS).is_dir() else folder
    file = texts / (source.file or f"{source.id}.md")
    if "\0" in str(file) or not file.resolve().is_relative_to(texts.resolve()):
        raise CorpusError(f"{source.id}: {source.file!r} leads out of {str(texts)!r}; copy the file into it")
    return file
