"""Where a corpus and its index lie, and how both are opened for asking; what only an ingest needs isn't imported."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from corpus import BUILT_IN, Corpus, CorpusUnreadable, kept
from corpus.pages import CACHE
from rag.errors import IndexMismatch, IndexMissing
from rag.folder import TEXTS, read_meta, serving_meta
from rag.index import PassageIndex
from rag.settings import Settings


def open_index(corpus: Corpus, settings: Settings) -> PassageIndex:
    """Open the index of a corpus in its folder or on its server; what a server has and this machine hasn't is
    fetched first. Sources that can't be read now serve with the texts that the index keeps; its `corpus` has them.
    Raises IndexMissing where there is none, or IndexMismatch naming what differs."""
    folder = index_folder(corpus, settings)
    corpus = _with_kept(corpus, folder)
    if settings.server is None:
        return PassageIndex.open(folder, corpus, settings.model)
    from rag.share import open_shared  # noqa: PLC0415 -- Chroma's client, half a second

    dense = open_shared(folder, corpus, settings)
    try:
        return PassageIndex.open(folder, corpus, settings.model, dense)
    except BaseException:
        dense.close()
        raise


def open_corpus(settings: Settings) -> Corpus:
    """The corpus of the settings, with the pages that were fetched for it. Raises CorpusError."""
    return Corpus.open(settings.corpus, pages=pages_folder(settings), cache=settings.home / CACHE)


def open_served_corpus(settings: Settings) -> Corpus:
    """The same for asking: of a folder that can't be read now, what its index keeps. Raises CorpusError."""
    try:
        return open_corpus(settings)
    except CorpusUnreadable as error:
        folder = settings.corpus or BUILT_IN
        gone = f"the folder {str(folder)!r} is gone; put it back, or take away its index"
        before = _kept(_index_folder(folder, settings), folder, str(error) if os.path.lexists(folder) else gone)
        if before is None:
            raise
        return before


def _kept(index: Path, folder: Path, failure: str = "") -> Corpus | None:
    """What an index keeps of a corpus folder; None where it keeps nothing."""
    try:
        build, _ = read_meta(index)
        return kept.from_bytes((build / TEXTS).read_bytes(), folder, failure)
    except (IndexMissing, IndexMismatch, OSError):
        return None


def _with_kept(corpus: Corpus, index: Path) -> Corpus:
    """The corpus that an index was made from, where it differs only in sources and pages that can't be read now."""
    old = serving_meta(index)
    if corpus.folder is None or old is None or old.corpus == corpus.hash:
        return corpus
    before = _kept(index, corpus.folder)
    whole = kept.completed(corpus, before) if before else corpus
    return whole if whole.hash == old.corpus else corpus


def pages_folder(settings: Settings) -> Path:
    """Where the pages fetched for a corpus lie, under the settings' home."""
    return settings.home / "pages" / _folder_name(settings.corpus or BUILT_IN)


def index_folder(corpus: Corpus, settings: Settings) -> Path:
    """Where the index of a corpus lies: as set, or one folder a corpus under the settings' home. Of an index on a
    server it holds what isn't in Chroma."""
    return _index_folder(corpus.folder or f"memory-{corpus.hash[:16]}", settings)


def _index_folder(of: Path | str, settings: Settings) -> Path:
    """The same by the folder of a corpus, or by a name that stands for it."""
    if isinstance(settings.index, Path):
        return settings.index
    parent = settings.home / "indexes"
    if settings.server is not None:
        parent /= re.sub(r"\W+", "-", settings.server)
    return parent / (_folder_name(of) if isinstance(of, Path) else of)


def _folder_name(folder: Path) -> str:
    """A name for a folder that no other folder has."""
    place = folder.resolve()
    return f"{place.name}-{hashlib.sha256(str(place).encode()).hexdigest()[:10]}"
