"""The ingest flow for a server: each machine embeds what no other has, then takes the whole for itself.

What asking needs besides Chroma (sentence vectors, token sketches, BM25, the query encoder) lies in a folder of
this machine, the companion: an index folder like any other, without Chroma in it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from corpus import Corpus
from rag.build import build_index
from rag.datatypes import Encoder
from rag.errors import IndexMismatch, IndexMissing
from rag.export import ingest_encoder
from rag.folder import Meta, serving_meta
from rag.layout import Layout
from rag.server import Server, SharedDense, SharedIndex, SharedPassage
from rag.settings import Settings
from rag.vectors import (
    KEY_BYTES,
    Known,
    KnownVectors,
    PassageText,
    PassageVectors,
    Progress,
    embed_passages,
    pack,
    unpack,
)

_BLOCK = 64


def connect(settings: Settings) -> Server:
    """The Chroma server of the settings. Raises IndexMismatch."""
    token = settings.index_token
    return Server.connect(settings.server or "", token.get_secret_value() if token else None)


def serves(corpus: Corpus, settings: Settings) -> bool:
    """Whether the server holds the whole index of this state of the corpus. Raises IndexMismatch."""
    server = connect(settings)
    try:
        return bool(server.find(corpus.hash, settings.model))
    except IndexMissing:
        return False
    finally:
        server.close()


def open_shared(folder: Path, corpus: Corpus, settings: Settings) -> SharedDense:
    """The passages on the server of the settings, once all else lies in the folder. Raises IndexMissing where the
    server has no complete index, or IndexMismatch."""
    server = connect(settings)
    try:
        old = serving_meta(folder)
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
        return SharedDense(server, shared)
    except BaseException:
        server.close()
        raise


def _fetch(folder: Path, corpus: Corpus, settings: Settings, shared: SharedIndex) -> None:
    """Build this machine's part of an index that another machine has put on a server."""
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "ingest.lock"):
        old = serving_meta(folder)  # another process may have fetched it meanwhile
        if old is None or (old.corpus, old.model) != (corpus.hash, settings.model):
            encoder = ingest_encoder(settings)
            build_companion(folder, Layout.of(corpus), settings.model, encoder, shared, lambda *_: None)


def contribute(index: SharedIndex, layout: Layout, encoder: Encoder, known: KnownVectors, progress: Progress) -> int:
    """Write to a server what isn't there yet; gives how many passages were embedded for it.

    Each machine begins somewhere else, so that several share the work. Raises IndexMismatch when the server fails
    for good; what was written stays, and the next ingest goes on from there.
    """
    embedded = 0
    begins = range(0, len(layout), _BLOCK)
    start = secrets.randbelow(len(begins))
    for done, begin in enumerate([*begins[start:], *begins[:start]]):
        progress(done * _BLOCK // 2, len(layout))  # the other half of the way is fetching all of it
        rows = index.missing(range(begin, min(begin + _BLOCK, len(layout))))
        texts = [layout.texts[row] for row in rows]
        found = known.find(begin, texts)
        fresh = [n for n in range(len(texts)) if n not in found]
        found |= dict(zip(fresh, embed_passages(encoder, [texts[n] for n in fresh]), strict=True))
        embedded += len(fresh)
        if rows:
            index.write(
                [
                    SharedPassage(layout.passage(row, found[n].passage), texts[n].key, pack(found[n]))
                    for n, row in enumerate(rows)
                ]
            )
    return embedded


def build_companion(
    folder: Path,
    layout: Layout,
    model: str,
    encoder: tuple[Encoder, Path | None],
    index: SharedIndex,
    progress: Progress,
) -> Meta:
    """Build this machine's part of an index on a server from what the server holds. Raises IndexMismatch."""
    dimension = encoder[0].encode_document(["dimension"]).shape[1]
    return build_index(
        folder,
        layout,
        model,
        encoder,
        _OnServer(index, dimension),
        lambda done, total: progress((total + done) // 2, total),
        dense=False,
    )


class _OnServer(Known):
    """The vectors that a server holds, all of them."""

    def __init__(self, index: SharedIndex, dimension: int) -> None:
        self._index = index
        self._dimension = dimension

    def find(self, first: int, texts: Sequence[PassageText]) -> dict[int, PassageVectors]:
        """Raises IndexMismatch where the server lacks one, or has it for another text."""
        held = self._index.read(range(first, first + len(texts)), KEY_BYTES)
        found: dict[int, PassageVectors] = {}
        for n, text in enumerate(texts):
            key, packed = held.get(first + n, (b"", b""))
            try:
                vectors = unpack(packed, self._dimension)
            except ValueError:
                vectors = None
            if vectors is None or key != text.key or len(vectors.sentences) != len(text.spans):
                raise IndexMismatch(
                    f"passage {first + n} of the index {self._index.name} on {self._index.address} is missing or "
                    "damaged; run: verse ingest --rebuild"
                )
            found[n] = vectors
        return found
