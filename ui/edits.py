"""Edits of a corpus, step by step, so that a visitor sees how far each is and what became of each source.

Each gives Steps and Outcomes as it goes, and returns the folder whose index is to follow, or None where nothing
changed. Closing one in the middle leaves a corpus that is whole.
"""

from __future__ import annotations

import shutil
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corpus import BUILT_IN, Corpus, VerseError
from corpus.edit import add_source, new_corpus, remove_source
from corpus.fetch import fetch_corpus
from corpus.manifest import MANIFEST, TEXTS
from corpus.pages import targets
from ui.jobs import Outcome, Step
from ui.render import web_address

CORPORA = "corpora"  # under home: what is made here
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Adding:
    """What a visitor wants to add, and what is known about it; `known` are arguments of `add_source`, whose title
    counts where one thing is added. `into` is "" for the open corpus, "copy" for a copy of it, else a new title."""

    items: Sequence[Path | str]
    known: dict[str, Any] = field(default_factory=dict)
    into: str = ""


Edit = Generator[Step | Outcome, None, Path | None]


def why_read_only(corpus: Corpus) -> str:
    """Why a corpus isn't edited; "" where it is."""
    if corpus.folder is None:
        return "This corpus lies in memory; a program made it, and only that can change it."
    if corpus.folder.resolve() == BUILT_IN.resolve():
        return "The built-in corpus isn’t edited. Add to a copy of it, or begin a corpus of your own."
    return ""


def corpora(home: Path, corpus: Corpus) -> list[Path]:
    """The corpus folders that can be opened: the built-in one, those made here, and the open one."""
    made = (file.parent for file in sorted((home / CORPORA).glob(f"*/{MANIFEST}")))
    folders = [BUILT_IN, *made, *([corpus.folder] if corpus.folder else [])]
    return list({folder.resolve(): folder for folder in folders}.values())


def add(corpus: Corpus, home: Path, adding: Adding, *, allow_private: bool = False) -> Edit:
    """Add files and links; what can't be added is an outcome, and the rest is added. Raises VerseError."""
    folder, made = _folder(corpus, home, adding.into)
    total = len(adding.items)
    known = adding.known if total == 1 else adding.known | {"title": None}
    added = 0
    try:
        for n, item in enumerate(adding.items):
            name = item.name if isinstance(item, Path) else item
            yield Step(f"Reading {name}", n, total)
            try:
                if isinstance(item, str) and web_address(item) is None:  # never a path: those are this machine's files
                    raise VerseError("this is no web address; give one that begins with https:// or http://")
                source = add_source(folder, item, allow_private=allow_private, **known)
                added += 1
                yield Outcome(name, f"added as “{source.title}”")
            except VerseError as error:
                yield Outcome(name, _about(name, str(error).replace(str(item), name)), ok=False)
    finally:
        if made and not added:
            shutil.rmtree(folder, ignore_errors=True)
    return folder if added else None


def remove(corpus: Corpus, source_id: str) -> Edit:
    """Take a source out. Raises VerseError."""
    folder = _editable(corpus)
    if [source.id for source in corpus.sources if source.file] == [source_id]:
        raise VerseError("this is the last source, and nothing can be asked of an empty corpus; add another first")
    yield Step("Removing")
    source = remove_source(folder, source_id)
    yield Outcome(source.title, "removed")
    return folder


def fetch(corpus: Corpus, pages: Path, *, allow_private: bool = False) -> Edit:
    """Download the pages that the sources link to. Raises VerseError where there are none."""
    total = len(targets(corpus.sources))
    if not total or corpus.folder is None:
        raise VerseError("no source here links to a page that could be fetched")
    yield Step("Downloading", 0, total)
    news = 0
    for n, page in enumerate(fetch_corpus(corpus, pages, allow_private=allow_private), start=1):
        news += page.status in ("new", "changed")
        failed = page.status == "failed"
        name = page.title or page.target.url
        yield Outcome(name, _about(name, page.message) if failed else page.status, not failed)
        yield Step("Downloading", n, total)
    return corpus.folder if news else None


def _about(name: str, message: str) -> str:
    """What is said of a thing that is named beside it: without the name once more."""
    rest = message.removeprefix(name).lstrip(": ")
    return rest or message


def _editable(corpus: Corpus) -> Path:
    if corpus.folder is None or why_read_only(corpus):
        raise VerseError(why_read_only(corpus))
    return corpus.folder


def _folder(corpus: Corpus, home: Path, into: str) -> tuple[Path, bool]:
    """The folder that is added to, and whether it was made for that."""
    if not into:
        return _editable(corpus), False
    if into != "copy":
        folder = _free(home / CORPORA, into)
        new_corpus(folder, into)
        return folder, True
    if corpus.folder is None:
        raise VerseError(why_read_only(corpus))
    folder = _free(home / CORPORA, f"copy of {corpus.title or corpus.folder.name}")
    try:
        _copy(corpus.folder, folder)
    except OSError as error:
        raise VerseError(f"{folder} can't be written ({error.strerror}); mend its permissions") from None
    return folder, True


def _copy(folder: Path, to: Path) -> None:
    """Copy what a corpus is made of, and no more: the built-in one lies among the modules that read it."""
    if not (folder / MANIFEST).is_file():
        shutil.copytree(folder, to)
        return
    to.mkdir(parents=True)
    shutil.copy2(folder / MANIFEST, to / MANIFEST)
    if (folder / TEXTS).is_dir():
        shutil.copytree(folder / TEXTS, to / TEXTS)
    else:
        for file in folder.iterdir():
            if file.is_file() and file.name != MANIFEST:
                shutil.copy2(file, to / file.name)


def _free(parent: Path, title: str) -> Path:
    """A folder that isn't there yet, named after a title."""
    letters = "".join(ch if ch.isalnum() else " " for ch in title.lower())
    name = "-".join(letters.split())[:_LONGEST_NAME] or "corpus"
    candidate, n = parent / name, 1
    while candidate.exists():
        n += 1
        candidate = parent / f"{name}-{n}"
    return candidate
