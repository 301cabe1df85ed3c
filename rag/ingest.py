"""The ingest flow, top to bottom: corpus -> passages -> vectors + BM25 -> a new index -> swap."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from corpus import BUILT_IN, Corpus
from rag.encoder import OnnxEncoder, export_encoder, load_sentence_transformer
from rag.errors import IndexMismatch, IndexMissing
from rag.index import Meta, build_index, read_meta
from rag.settings import DEFAULT_MODEL, Settings
from rag.vectors import Progress


@dataclass(frozen=True)
class Ingested:
    """What an ingest did. `changed` is False when the index already matched the corpus."""

    folder: Path
    meta: Meta
    changed: bool


def ingest(corpus: Corpus, settings: Settings, *, rebuild: bool = False, progress: Progress | None = None) -> Ingested:
    """Bring the index up to the corpus; nothing is embedded twice, and what serves is kept until the swap.

    Raises IndexMismatch when the folder can't be written or another ingest is at work there.
    """
    folder = index_folder(corpus, settings)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "ingest.lock", timeout=0):
            current = None if rebuild else _matching(folder, corpus, settings.model)
            if current is not None:
                return Ingested(folder, current, changed=False)
            corpus.check()
            if rebuild:
                (folder / "current").unlink(missing_ok=True)
            return Ingested(folder, _build(folder, corpus, settings, progress or _silent), changed=True)
    except Timeout:
        raise IndexMismatch(f"another ingest is at work in {str(folder)!r}; wait for it to end") from None
    except OSError as error:
        raise IndexMismatch(
            f"the index can't be written to {str(folder)!r} ({error.strerror}); choose a writable folder with: "
            "--index FOLDER"
        ) from None


def open_corpus(settings: Settings) -> Corpus:
    """The corpus of the settings, with the pages that were fetched for it. Raises CorpusError."""
    return Corpus.open(settings.corpus, pages=pages_folder(settings), cache=settings.home / "parsed")


def pages_folder(settings: Settings) -> Path:
    """Where the pages fetched for a corpus lie, under the settings' home."""
    return settings.home / "pages" / _folder_name(settings.corpus or BUILT_IN)


def index_folder(corpus: Corpus, settings: Settings) -> Path:
    """Where the index of a corpus lies: as set, or one folder a corpus under the settings' home."""
    if settings.index is not None:
        return settings.index
    if corpus.folder is None:
        return settings.home / "indexes" / f"memory-{corpus.hash[:16]}"
    return settings.home / "indexes" / _folder_name(corpus.folder)


def _folder_name(folder: Path) -> str:
    """A name for a folder that no other folder has."""
    place = folder.resolve()
    return f"{place.name}-{hashlib.sha256(str(place).encode()).hexdigest()[:10]}"


def _matching(folder: Path, corpus: Corpus, model: str) -> Meta | None:
    try:
        _, meta = read_meta(folder)
    except (IndexMissing, IndexMismatch):
        return None
    return meta if meta.corpus == corpus.hash and meta.model == model else None


def _build(folder: Path, corpus: Corpus, settings: Settings, progress: Progress) -> Meta:
    if settings.model != DEFAULT_MODEL:
        encoder = load_sentence_transformer(settings.model)
        return build_index(folder, corpus, settings.model, encoder, None, progress)
    files = export_encoder(settings.home)
    return build_index(folder, corpus, settings.model, OnnxEncoder.open(files, settings.threads), files, progress)


def _silent(done: int, total: int) -> None:
    """Nobody is watching."""
