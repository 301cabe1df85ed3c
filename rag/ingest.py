"""The ingest flow, top to bottom: corpus -> passages -> vectors + BM25 -> a new index -> swap."""

from __future__ import annotations

import hashlib
import os
import platform
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from corpus import BUILT_IN, Corpus, CorpusUnreadable, kept
from corpus.atomic import remove_unfinished
from corpus.pages import CACHE
from corpus.sandbox import forget_unused
from rag.build import build_index, known_vectors
from rag.datatypes import Encoder
from rag.encoder import OnnxEncoder, load_sentence_transformer
from rag.errors import IndexMismatch, IndexMissing
from rag.export import export_encoder
from rag.folder import TEXTS, Meta, read_meta, remove_leftovers
from rag.index import PassageIndex
from rag.integrity import find_damage
from rag.layout import Layout
from rag.server import Server, SharedDense, SharedIndex
from rag.settings import DEFAULT_MODEL, Settings
from rag.share import build_companion, contribute
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
            old = _old(folder)
            if not rebuild and old is not None and (old.corpus, old.model) == (corpus.hash, settings.model):
                if _is_sound(folder) and (settings.server is None or _serves(corpus, settings)):
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


def open_index(corpus: Corpus, settings: Settings) -> PassageIndex:
    """Open the index of a corpus in its folder or on its server; what a server has and this machine hasn't is
    fetched first. Sources that can't be read now serve with the texts that the index keeps; its `corpus` has them.
    Raises IndexMissing where there is none, or IndexMismatch naming what differs."""
    folder = index_folder(corpus, settings)
    corpus = _with_kept(corpus, folder)
    if settings.server is None:
        return PassageIndex.open(folder, corpus, settings.model)
    server = _connect(settings)
    try:
        old = _old(folder)
        try:
            shared = server.find(corpus.hash, settings.model)
        except IndexMissing:
            if old is not None and old.corpus != corpus.hash:
                raise IndexMismatch(
                    f"the index on {settings.server} was built from this corpus before it was changed; "
                    "run: verse ingest"
                ) from None
            raise
        if old is None or (old.corpus, old.model) != (corpus.hash, settings.model):
            _fetch(folder, corpus, settings, shared)
        return PassageIndex.open(folder, corpus, settings.model, SharedDense(server, shared))
    except BaseException:
        server.close()
        raise


def _fetch(folder: Path, corpus: Corpus, settings: Settings, shared: SharedIndex) -> None:
    """Build this machine's part of an index that another machine has put on a server."""
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "ingest.lock"):
        old = _old(folder)  # another process may have fetched it meanwhile
        if old is None or (old.corpus, old.model) != (corpus.hash, settings.model):
            build_companion(folder, Layout.of(corpus), settings.model, _encoder(settings), shared, _silent)


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
    old = _old(index)
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


def _old(folder: Path) -> Meta | None:
    """What serves now, if anything that this version can read."""
    try:
        return read_meta(folder)[1]
    except (IndexMissing, IndexMismatch):
        return None


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
    encoder, layout = _encoder(settings), Layout.of(corpus)
    known = known_vectors(folder, settings.model) if reuse else KnownVectors.none()
    if settings.server is None:
        return build_index(folder, layout, settings.model, encoder, known, progress)
    server = _connect(settings)
    try:
        old = _old(folder)
        shared = server.join(corpus.hash, settings.model, rebuild=not reuse)
        embedded = contribute(shared, layout, encoder[0], known, progress)
        server.finish(shared, corpus.hash, settings.model, old.corpus if old else None)
        meta = build_companion(folder, layout, settings.model, encoder, shared, progress)
        return replace(meta, embedded=embedded)
    finally:
        server.close()


def _encoder(settings: Settings) -> tuple[Encoder, Path | None]:
    """The encoder of the settings, and the folder of its files if it has one."""
    if settings.model != DEFAULT_MODEL:
        return load_sentence_transformer(settings.model), None
    files = export_encoder(settings.home)
    return OnnxEncoder.open(files, settings.threads, many=True), files


def _connect(settings: Settings) -> Server:
    token = settings.index_token
    return Server.connect(settings.server or "", token.get_secret_value() if token else None)


def _serves(corpus: Corpus, settings: Settings) -> bool:
    """Whether the server holds the whole index of this state of the corpus."""
    server = _connect(settings)
    try:
        return bool(server.find(corpus.hash, settings.model))
    except IndexMissing:
        return False
    finally:
        server.close()


def _silent(done: int, total: int) -> None:
    """Nobody is watching."""
