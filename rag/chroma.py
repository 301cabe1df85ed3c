"""The passages in Chroma: vectors and texts, as llama-index writes them, so that any of its programs can read them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Self

import chromadb
from chromadb.api.client import Client
from chromadb.config import Settings
from chromadb.errors import ChromaError

from rag.datatypes import Scope, Vectors
from rag.errors import IndexMismatch

COLLECTION = "passages"
_BLOCK = 64


@dataclass(frozen=True, slots=True)
class ChromaPassage:
    """A passage as it is stored: its row, its text, where it stands, its unit vector."""

    row: int
    text: str
    metadata: dict[str, str | int]
    vector: Vectors


class DenseIndex:
    """The passages of a build, searched by meaning."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._collection = client.get_collection(COLLECTION, embedding_function=None)
        self._passages = self._collection.count()

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open Chroma's folder. Raises IndexMismatch where it is damaged or can't be written."""
        try:
            return cls(_client(folder))
        except (ChromaError, OSError, ValueError, KeyError, AttributeError) as error:
            # AttributeError: what Chroma raises of itself for a database file of zeros
            cure = "run: verse ingest --rebuild"
            if "readonly" in str(error):
                cure = "Chroma must be able to write there; copy the folder, or choose another with: --index FOLDER"
            reason = (str(error).splitlines() or [type(error).__name__])[0][:160]
            raise IndexMismatch(f"the index at {str(folder)!r} can't be opened ({reason}); {cure}") from None

    def search(self, vector: Vectors, k: int, scope: Scope) -> list[tuple[int, float]]:
        """(row, cosine) of the k passages nearest in meaning, best first."""
        found = self._collection.query(
            query_embeddings=vector[None, :],
            n_results=min(k, self._passages),
            where=_where(scope),
            include=["distances"],
        )
        distances = (found["distances"] or [[]])[0]
        hits = [(int(name), 1.0 - float(distance)) for name, distance in zip(found["ids"][0], distances, strict=True)]
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))

    def close(self) -> None:
        """Let go of the files."""
        self._client.close()


def write_dense(folder: Path, passages: Iterable[ChromaPassage]) -> None:
    """Write passages into a new folder of Chroma's."""
    from llama_index.core.schema import TextNode  # noqa: PLC0415 -- seconds of import, only at ingest
    from llama_index.vector_stores.chroma import ChromaVectorStore  # noqa: PLC0415

    client = _client(folder)
    collection = client.create_collection(
        COLLECTION, embedding_function=None, configuration={"hnsw": {"space": "cosine", "ef_search": 200}}
    )
    store = ChromaVectorStore(chroma_collection=collection)
    waiting = iter(passages)
    while block := list(islice(waiting, _BLOCK)):
        store.add(
            [TextNode(id_=str(p.row), text=p.text, metadata=p.metadata, embedding=p.vector.tolist()) for p in block]
        )
    client.close()


def _client(folder: Path) -> Client:
    client = chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
    assert isinstance(client, Client)
    return client


def _where(scope: Scope) -> chromadb.Where | None:
    clauses = [
        _one_of(key, values) for key, values in (("source_id", scope.sources), ("section", scope.sections)) if values
    ]
    return {"$and": clauses} if len(clauses) > 1 else clauses[0] if clauses else None


def _one_of(key: str, values: Sequence[str]) -> chromadb.Where:
    # Chroma's type for this is a TypedDict keyed by the operator, which mypy can't match with a list of str.
    return {key: {"$in": [*values]}}  # type: ignore[dict-item]
