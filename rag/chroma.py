"""The passages in Chroma: vectors and texts, as llama-index writes them, so that any of its programs can read them."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Self

import chromadb
from chromadb.api.client import Client
from chromadb.api.collection_configuration import CreateHNSWConfiguration
from chromadb.config import Settings
from chromadb.errors import ChromaError

from rag.datatypes import Scope, Vectors
from rag.errors import DenseUnavailable
from rag.integrity import Ranges

if TYPE_CHECKING:
    from llama_index.core.schema import TextNode

COLLECTION = "passages"
HNSW: CreateHNSWConfiguration = {"space": "cosine", "ef_search": 200}
_BLOCK = 1000
_BATCH = 100
DATABASE = "chroma.sqlite3"
_PERSISTED = "index_metadata.pickle"


@dataclass(frozen=True, slots=True)
class ChromaPassage:
    """A passage as it is stored: its row, its text, where it stands, its unit vector."""

    row: int
    text: str
    metadata: dict[str, str | int]
    vector: Vectors


class DenseIndex:
    """The passages of a build, searched by meaning."""

    def __init__(self, client: Client, collection: chromadb.Collection) -> None:
        self._client = client
        self._collection = collection
        self._passages = collection.count()

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open Chroma's folder. Raises DenseUnavailable where it is damaged, or can't be written: Chroma takes a
        write lock to read."""
        try:
            client = _client(folder)
            return cls(client, client.get_collection(COLLECTION, embedding_function=None))
        except (ChromaError, OSError, ValueError, KeyError, AttributeError) as error:
            # AttributeError: what Chroma raises of itself for a database file of zeros
            raise DenseUnavailable(_first_line(error)) from None

    def search(self, vector: Vectors, k: int, scope: Scope) -> list[tuple[int, float]]:
        """(row, cosine) of the k passages nearest in meaning, best first. Raises DenseUnavailable."""
        try:
            found = self._collection.query(
                query_embeddings=vector[None, :],
                n_results=min(k, self._passages),
                where=_where(scope),
                include=["distances"],
            )
        except ChromaError as error:
            raise DenseUnavailable(_first_line(error)) from None
        distances = (found["distances"] or [[]])[0]
        hits = [(int(name), 1.0 - float(distance)) for name, distance in zip(found["ids"][0], distances, strict=True)]
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))

    def close(self) -> None:
        """Let go of the files."""
        self._client.close()


def write_dense(folder: Path, passages: Iterable[ChromaPassage], count: int) -> None:
    """Write `count` passages into a new folder of Chroma's. Raises OSError where it can't be written."""
    from llama_index.vector_stores.chroma import ChromaVectorStore  # noqa: PLC0415 -- seconds, only at ingest

    # Vectors wait in the database until so many are there; then they go to files that change no more. Each write
    # goes through all that wait, so blocks are small; and they are even, so that the last leaves nothing waiting.
    blocks = max(1, count // _BLOCK)
    least = max(2, count // blocks)
    hnsw: CreateHNSWConfiguration = {**HNSW, "sync_threshold": least, "batch_size": min(least, _BATCH)}
    try:
        client = _client(folder)
        collection = client.create_collection(COLLECTION, embedding_function=None, configuration={"hnsw": hnsw})
        store = ChromaVectorStore(chroma_collection=collection)
        waiting = iter(passages)
        for n in range(blocks):
            store.add([*as_nodes(islice(waiting, count // blocks + (n < count % blocks)))])
        client.close()
        with contextlib.closing(sqlite3.connect(folder / DATABASE)) as database:
            database.execute("VACUUM")  # the room of the vectors that waited there
    except (ChromaError, sqlite3.Error) as error:
        raise OSError(None, f"Chroma: {_first_line(error)}") from None


def bytes_in_motion(folder: Path) -> dict[str, Ranges]:
    """Which bytes of Chroma's files it goes on writing to when they are only read, by path.

    It takes its database's write lock by adding a row to a table that it never reads: that table's first page
    changes, and counters in the file's header (https://www.sqlite.org/fileformat.html, 1.3); further pages are
    put at the end. A single vector isn't moved out of the database, and the files made for it hold nothing.
    """
    with contextlib.closing(sqlite3.connect(folder / DATABASE)) as database:
        size = int(database.execute("PRAGMA page_size").fetchone()[0])
        root = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'acquire_write'").fetchone()
    found: dict[str, Ranges] = {DATABASE: [(24, 32), (92, 100)]}
    if root:
        found[DATABASE] = [*found[DATABASE], (size * (int(root[0]) - 1), size * int(root[0]))]
    for segment in (path for path in folder.iterdir() if path.is_dir() and not (path / _PERSISTED).is_file()):
        found |= {file.relative_to(folder).as_posix(): [(0, file.stat().st_size)] for file in segment.iterdir()}
    return found


def as_nodes(passages: Iterable[ChromaPassage]) -> list[TextNode]:
    """Passages as llama-index's nodes."""
    from llama_index.core.schema import TextNode  # noqa: PLC0415 -- seconds of import, only at ingest

    return [TextNode(id_=str(p.row), text=p.text, metadata=p.metadata, embedding=p.vector.tolist()) for p in passages]


def _client(folder: Path) -> Client:
    client = chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
    assert isinstance(client, Client)
    return client


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]


def _where(scope: Scope) -> chromadb.Where | None:
    clauses = [
        _one_of(key, values) for key, values in (("source_id", scope.sources), ("section", scope.sections)) if values
    ]
    return {"$and": clauses} if len(clauses) > 1 else clauses[0] if clauses else None


def _one_of(key: str, values: Sequence[str]) -> chromadb.Where:
    # Chroma's type for this is a TypedDict keyed by the operator, which mypy can't match with a list of str.
    return {key: {"$in": [*values]}}  # type: ignore[dict-item]
