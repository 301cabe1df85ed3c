"""An index on a Chroma server, by its HTTP API: written by several machines together, asked by many.

One collection holds the passages of one state of a corpus. Its name is made from the hash of that state and the
model, so what is being read never changes, and an ingest doesn't touch what serves. It serves once its metadata
says that it is complete. A passage carries its vector and text as in a folder, and as `parts` what belongs to its
sentences and tokens, so that no machine embeds what another has.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import chromadb
import httpx
from chromadb.api.client import Client
from chromadb.config import Settings
from chromadb.errors import ChromaError, NotFoundError
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from corpus import VerseError
from rag.chroma import HNSW, ChromaPassage, DenseIndex, as_nodes
from rag.datatypes import Scope, Vectors
from rag.errors import DenseUnavailable, IndexMismatch, IndexMissing
from rag.folder import FORMAT

API_VERSION = "1."
TOKEN_VARIABLE = "VERSE_INDEX_TOKEN"
_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
_RESTART_SECONDS = 60.0
_COMPLETE, _REPLACES, _PARTS = "complete", "replaces", "parts"

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class SharedPassage:
    """A passage as the server stores it: with the key and the packed vectors of its sentences and tokens."""

    passage: ChromaPassage
    key: bytes
    parts: bytes


class Server:
    """A Chroma server that answers and lets us in."""

    def __init__(self, address: str, client: Client) -> None:
        self.address = address
        self._client = client
        # Chroma's client waits for ever and leaves its connections open; there is no setting for either.
        parts: list[Any] = [client._server, client._admin_client._server]  # type: ignore[attr-defined]
        self._sessions: list[httpx.Client] = [part._session for part in parts]
        for session in self._sessions:
            session.timeout = _TIMEOUT

    @classmethod
    def connect(cls, address: str, token: str | None) -> Self:
        """Raises IndexMismatch when the server can't be reached, refuses the token or speaks another version.

        The token goes with each request as `Authorization: Bearer` and as `X-Chroma-Token`: a Chroma server of
        version 1 checks neither by itself, so the first is for the proxy before it, the second for hosted ones.
        """
        headers = {"Authorization": f"Bearer {token}", "X-Chroma-Token": token} if token else {}
        _greet(address, headers)
        url = httpx.URL(address)
        with _translated(address):
            client = chromadb.HttpClient(
                url.host,
                url.port or (443 if url.scheme == "https" else 80),
                url.scheme == "https",
                headers,
                Settings(anonymized_telemetry=False),
            )
        assert isinstance(client, Client)
        return cls(address, client)

    def find(self, corpus: str, model: str) -> SharedIndex:
        """The complete index of a state of a corpus. Raises IndexMissing where there is none."""
        for collection in reversed(self._generations(corpus, model)):
            if (collection.metadata or {}).get(_COMPLETE):
                return SharedIndex(self.address, collection)
        raise IndexMissing(f"no complete index of this corpus on {self.address}; run: verse ingest")

    def join(self, corpus: str, model: str, *, rebuild: bool) -> SharedIndex:
        """The index of a state of a corpus, to be written: the complete one, or one that was begun, here or by
        another machine, or a new one. With `rebuild` never the complete one."""
        found = self._generations(corpus, model)
        if found and not (rebuild and (found[-1].metadata or {}).get(_COMPLETE)):
            return SharedIndex(self.address, found[-1])
        name = f"{_stem(corpus, model)}{len(found) and int(found[-1].name.rpartition('-')[2]) + 1}"
        with _translated(self.address):
            try:
                made = self._client.create_collection(
                    name, embedding_function=None, metadata={_COMPLETE: False}, configuration={"hnsw": HNSW}
                )
            except ChromaError:  # another machine was first
                made = self._client.get_collection(name, embedding_function=None)
        return SharedIndex(self.address, made)

    def finish(self, index: SharedIndex, corpus: str, model: str, replaced: str | None) -> None:
        """Let an index serve. What it replaces stays one time more, for those who read it."""
        old = [c.name for c in self._generations(corpus, model) if c.name != index.name]
        before = self._generations(replaced, model) if replaced not in (None, corpus) else []
        index.complete(before[-1].name if before else "")
        last = str((before[-1].metadata or {}).get(_REPLACES, "")) if before else ""
        with _translated(self.address):
            for name in [*old, *filter(None, [last])]:
                try:
                    self._client.delete_collection(name)
                except NotFoundError:
                    pass

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()
        for session in self._sessions:
            session.close()

    def _generations(self, corpus: str | None, model: str) -> list[chromadb.Collection]:
        """The collections of a state of a corpus, in the order in which they were made."""
        stem = _stem(corpus or "", model)
        with _translated(self.address):
            names = [found.name for found in self._client.list_collections() if found.name.startswith(stem)]
            names.sort(key=lambda name: int(name.rpartition("-")[2]))
            return [self._client.get_collection(name, embedding_function=None) for name in names]


class SharedIndex:
    """The passages of one state of a corpus on a server."""

    def __init__(self, address: str, collection: chromadb.Collection) -> None:
        self.address = address
        self.name = collection.name
        self._collection = collection

    def __len__(self) -> int:
        return self._again(self._collection.count)

    def missing(self, rows: Iterable[int]) -> list[int]:
        """Those of the rows that nobody has written yet."""
        rows = list(rows)
        there = self._again(lambda: self._collection.get(ids=[*map(str, rows)], include=[]))["ids"]
        found = {int(name) for name in there}
        return [row for row in rows if row not in found]

    def write(self, passages: Sequence[SharedPassage]) -> None:
        """Write passages, whole or not at all; one that is there already is written again."""
        from llama_index.core.vector_stores.utils import node_to_metadata_dict  # noqa: PLC0415 -- seconds of import

        # As llama-index's own vector store writes nodes, which can't be told to write one that is there again.
        nodes = as_nodes(shared.passage for shared in passages)
        metadatas = [node_to_metadata_dict(node, remove_text=True, flat_metadata=True) for node in nodes]
        for shared, metadata in zip(passages, metadatas, strict=True):
            metadata |= {_PARTS: base64.b64encode(shared.key + shared.parts).decode()}
            metadata |= {name: "" for name, value in metadata.items() if value is None}
        self._again(
            lambda: self._collection.upsert(
                ids=[node.node_id for node in nodes],
                embeddings=[shared.passage.vector.tolist() for shared in passages],
                metadatas=[*metadatas],
                documents=[shared.passage.text for shared in passages],
            )
        )

    def read(self, rows: Iterable[int], key_size: int) -> dict[int, tuple[bytes, bytes]]:
        """Key and packed vectors of those rows that are there."""
        ids = [*map(str, rows)]
        found = self._again(lambda: self._collection.get(ids=ids, include=["metadatas"]))
        packed = {
            int(name): base64.b64decode(str((metadata or {}).get(_PARTS, "")))
            for name, metadata in zip(found["ids"], found["metadatas"] or [], strict=True)
        }
        return {row: (data[:key_size], data[key_size:]) for row, data in packed.items()}

    def complete(self, replaces: str) -> None:
        """Say in the metadata that nothing is missing."""
        self._again(lambda: self._collection.modify(metadata={_COMPLETE: True, _REPLACES: replaces}))

    def _again(self, request: Callable[[], Result]) -> Result:
        """Ask, and ask again for a minute while the server is being restarted. Raises IndexMismatch."""
        retrying = Retrying(
            retry=retry_if_exception_type(httpx.TransportError),
            stop=stop_after_delay(_RESTART_SECONDS),
            wait=wait_exponential(0.1, max=3),
            reraise=True,
        )
        with _translated(self.address):
            return retrying(request)


class SharedDense(DenseIndex):
    """The passages on a server, searched by meaning."""

    def __init__(self, server: Server, index: SharedIndex) -> None:
        self._server = server
        super().__init__(server._client, index._collection)

    def search(self, vector: Vectors, k: int, scope: Scope) -> list[tuple[int, float]]:
        """(row, cosine) of the k passages nearest in meaning, best first. Raises DenseUnavailable."""
        try:
            return super().search(vector, k, scope)
        except httpx.RemoteProtocolError:  # a kept connection that the server's restart has ended
            return self._once_more(vector, k, scope)
        except Exception as error:  # noqa: BLE001 -- Chroma's client raises bare Exception for what it can't name
            raise DenseUnavailable(str(error)[:160]) from None

    def close(self) -> None:
        """Let go of the connections."""
        self._server.close()

    def _once_more(self, vector: Vectors, k: int, scope: Scope) -> list[tuple[int, float]]:
        try:
            return super().search(vector, k, scope)
        except httpx.TransportError as error:
            raise DenseUnavailable(str(error)[:160]) from None


def _stem(corpus: str, model: str) -> str:
    """How the names of a corpus's collections begin; a number follows."""
    made_by = hashlib.sha256(f"{FORMAT} {model}".encode()).hexdigest()[:8]
    return f"verse-{corpus[:32]}-{made_by}-"


def _greet(address: str, headers: dict[str, str]) -> None:
    """That a Chroma server of a version that we speak is there and lets us in. Raises IndexMismatch."""
    api = f"{address}/api/v2"
    try:
        with httpx.Client(headers=headers, timeout=_TIMEOUT) as client:
            said = client.get(f"{api}/version")
            counted = client.get(f"{api}/tenants/default_tenant/databases/default_database/collections_count")
    except httpx.HTTPError as error:
        raise _unreachable(address, error) from None
    if {said.status_code, counted.status_code} & {401, 403}:
        raise IndexMismatch(f"the server at {address} refuses the token; set the right one in {TOKEN_VARIABLE}")
    version = said.text.strip().strip('"')[:20]
    if said.status_code != 200 or not version.startswith(API_VERSION):
        found = f"version {version!r}" if said.status_code == 200 else f"HTTP {said.status_code}"
        raise IndexMismatch(
            f"what answers at {address} is no Chroma server of version 1 ({found}); start one with: "
            "chroma run --path FOLDER"
        )
    if counted.status_code != 200:
        raise IndexMismatch(
            f"the Chroma server at {address} answers with HTTP {counted.status_code}; look into its log, then ask again"
        )


def _unreachable(address: str, error: Exception) -> IndexMismatch:
    return IndexMismatch(
        f"the Chroma server at {address} can't be reached ({_first_line(error)}); start it with: "
        "chroma run --path FOLDER, then run the same again: what was written stays"
    )


@contextmanager
def _translated(address: str) -> Iterator[None]:
    """What goes wrong between us and the server as an IndexMismatch with its cure."""
    try:
        yield
    except VerseError:
        raise
    except httpx.HTTPError as error:
        raise _unreachable(address, error) from None
    except Exception as error:  # noqa: BLE001 -- Chroma's client raises bare Exception for what it can't name
        raise IndexMismatch(
            f"the Chroma server at {address} refused a request ({_first_line(error)}); look into its log, then run "
            "the same again: what was written stays"
        ) from None


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]
