"""The ingest flow, top to bottom: corpus -> passages -> vectors + BM25 -> a new index -> swap."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from corpus import Corpus
from corpus.atomic import remove_unfinished
from corpus.pages import CACHE
from corpus.sandbox import forget_unused
from rag.build import build_index, known_vectors
from rag.errors import IndexMismatch
from rag.export import ingest_encoder
from rag.folder import Meta, read_meta, remove_leftovers, serving_meta
from rag.integrity import find_damage
from rag.layout import Layout
from rag.opening import index_folder, pages_folder
from rag.settings import Settings
from rag.share import build_companion, connect, contribute, serves
from rag.vectors import KnownVectors, Progress

PATIENCE = 600.0  # seconds that who asks waits for the index that another process is building


@dataclass(frozen=True)
class Ingested:
    """What an ingest did, in source ids; a renamed source is one whose text was there under another id.
    `changed` is False when the index already matched the corpus."""

    folder: Path
    meta: Meta
    changed: bool
    added: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    renamed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()

    def __str__(self) -> str:
        counts = {
            name: len(getattr(self, name)) for name in ("added", "edited", "renamed", "unchanged", "removed", "failed")
        }
        done = ", ".join(f"{count} {name}" for name, count in counts.items() if count or name in ("added", "edited"))
        embedded = self.meta.embedded if self.changed else 0
        return f"{done}; {embedded} of {self.meta.passages} passages embedded"


def ingest(
    corpus: Corpus,
    settings: Settings,
    *,
    rebuild: bool = False,
    progress: Progress | None = None,
    waiting: Callable[[str], object] | None = None,
) -> Ingested:
    """Bring the index up to the corpus; nothing is embedded twice, and what serves is kept until the swap.

    Raises IndexMismatch when the folder can't be written or another ingest is at work there. Who gives `waiting` is
    told of that in a line and waits for it, ten minutes at most.
    """
    folder = index_folder(corpus, settings)
    for place in (settings.home / CACHE, pages_folder(settings), pages_folder(settings) / CACHE):
        remove_unfinished(place)
    for cache in (settings.home / CACHE, pages_folder(settings) / CACHE):
        forget_unused(cache)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder, waiting):
            old = serving_meta(folder)
            if not rebuild and old is not None and (old.corpus, old.model) == (corpus.hash, settings.model):
                if _is_sound(folder) and (settings.server is None or serves(corpus, settings)):
                    return _compared(Ingested(folder, old, changed=False), old, corpus)
            corpus.check()
            meta = _build(folder, corpus, settings, progress or _silent, reuse=not rebuild)
            return _compared(Ingested(folder, meta, changed=True), old, corpus)
    except OSError as error:
        raise IndexMismatch(
            f"the index can't be written to {str(folder)!r} ({error.strerror}); choose a writable folder with: "
            "--index FOLDER"
        ) from None


@contextmanager
def _alone(folder: Path, waiting: Callable[[str], object] | None) -> Iterator[None]:
    """One ingest at a time in a folder. The lock is the system's, so a crash leaves none behind; who holds it
    stands in a file beside it. Raises IndexMismatch naming the holder."""
    holder = folder / "ingest.holder"
    with _locked(folder, holder, waiting):
        with suppress(OSError):  # a full disk says so where it matters
            began = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
            holder.write_text(f"process {os.getpid()} on {platform.node()}, since {began}", encoding="utf-8")
        try:
            yield
        finally:
            holder.unlink(missing_ok=True)


def _locked(folder: Path, holder: Path, waiting: Callable[[str], object] | None) -> AbstractContextManager[object]:
    """The lock of a folder, taken; at once, or with patience where somebody is to be told of it."""
    lock = FileLock(folder / "ingest.lock")
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        at_work = f"another ingest is at work in {str(folder)!r} ({_who(holder)})"
    try:
        if waiting is not None:
            waiting(f"{at_work}; waiting for it to end, {PATIENCE / 60:.0f} minutes at most")
            return lock.acquire(timeout=PATIENCE)
    except Timeout:
        pass
    raise IndexMismatch(f"{at_work}; wait for it to end") from None


def _who(holder: Path) -> str:
    try:
        return holder.read_text(encoding="utf-8")[:200] or "just begun"
    except (OSError, ValueError):
        return "just begun"


def _is_sound(folder: Path) -> bool:
    """Whether the build that serves is undamaged; leftovers of interrupted ingests are deleted."""
    build, meta = read_meta(folder)
    remove_leftovers(folder, keep=build.name)
    return not find_damage(build, meta.files, whole=True)


def _compared(done: Ingested, old: Meta | None, corpus: Corpus) -> Ingested:
    """The result with the sources sorted by what became of them."""
    before = dict(zip(old.sources, old.hashes, strict=True)) if old else {}
    now = dict(zip(done.meta.sources, done.meta.hashes, strict=True))
    gone = {before[source] for source in before.keys() - now.keys()}
    new = [source for source in now if source not in before]
    return replace(
        done,
        added=tuple(source for source in new if now[source] not in gone),
        renamed=tuple(source for source in new if now[source] in gone),
        edited=tuple(source for source in now if source in before and before[source] != now[source]),
        unchanged=tuple(source for source in now if before.get(source) == now[source]),
        removed=tuple(source for source in before if source not in now and before[source] not in now.values()),
        failed=tuple(corpus.failures),
    )


def _build(folder: Path, corpus: Corpus, settings: Settings, progress: Progress, *, reuse: bool) -> Meta:
    encoder, layout = ingest_encoder(settings), Layout.of(corpus)
    known = known_vectors(folder, settings.model) if reuse else KnownVectors.none()
    if settings.server is None:
        return build_index(folder, layout, settings.model, encoder, known, progress)
    server = connect(settings)
    try:
        old = serving_meta(folder)
        shared = server.join(corpus.hash, settings.model, rebuild=not reuse)
        embedded = contribute(shared, layout, encoder[0], known, progress)
        server.finish(shared, corpus.hash, settings.model, old.corpus if old else None)
        meta = build_companion(folder, layout, settings.model, encoder, shared, progress)
        return replace(meta, embedded=embedded)
    finally:
        server.close()


def _silent(done: int, total: int) -> None:
    """Nobody is watching."""
