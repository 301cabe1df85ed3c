"""One measurement of ours in a process of its own: `python -m evals.bench_ours TASK FOLDER ...` prints JSON."""

from __future__ import annotations

import time

_BEGAN = time.perf_counter()

# ruff: noqa: E402 -- what an import takes is part of what is measured

import json
import sys
from pathlib import Path
from typing import Any

import rag
from rag import Engine

_IMPORTED = time.perf_counter()


def first_answer(folder: Path, question: str) -> dict[str, Any]:
    """Seconds of import, opening and a first answer with citations."""
    with rag.open_engine(index=folder) as engine:
        opened = time.perf_counter()
        engine.ask(question)
        done = time.perf_counter()
    return {"import": _IMPORTED - _BEGAN, "open": opened - _IMPORTED, "first": done - opened, **_memory()}


def warm(folder: Path, rounds: int, texts: Path | None = None) -> dict[str, Any]:
    """Seconds of answers with citations, question by question, and memory after them."""
    from evals.bench_asking import ask_in_turn  # noqa: PLC0415 -- not part of the import that is measured

    with _open(folder, texts) as engine:
        return {"seconds": ask_in_turn(engine.ask, rounds), **_memory()}


def askers(folder: Path, count: int, rounds: int) -> dict[str, Any]:
    """Answers a second with many threads on one engine, and whether they are those given one by one."""
    from evals.bench_asking import QUESTIONS, ask_at_once  # noqa: PLC0415

    def said(question: str) -> str:
        return json.dumps({**engine.ask(question).to_dict(), "timings": {}})

    with rag.open_engine(index=folder) as engine:
        wanted = {question: said(question) for question in QUESTIONS}
        whole, seconds, given = ask_at_once(said, count, rounds)
    return {"whole": whole, "seconds": seconds, "same": all(wanted[q] == answer for q, answer in given), **_memory()}


def ingest(folder: Path, texts: Path, made_up: str = "") -> dict[str, Any]:
    """Seconds from a corpus in memory to its index, the encoder's export not included; size on disk."""
    import llama_index.vector_stores.chroma  # noqa: F401, PLC0415 -- seconds that aren't counted for either stack

    from corpus import Corpus  # noqa: PLC0415
    from evals.bench_asking import size  # noqa: PLC0415
    from rag.build import build_index  # noqa: PLC0415
    from rag.encoder import OnnxEncoder  # noqa: PLC0415
    from rag.export import export_encoder  # noqa: PLC0415
    from rag.layout import Layout  # noqa: PLC0415
    from rag.settings import DEFAULT_MODEL, Settings  # noqa: PLC0415
    from rag.vectors import KnownVectors  # noqa: PLC0415

    files = export_encoder(Settings.read().home)
    encoder = OnnxEncoder.open_exact(files)
    if made_up:
        from evals.bench_fake import MadeUpEncoder  # noqa: PLC0415

        encoder = MadeUpEncoder()
    began = time.perf_counter()
    layout = Layout.of(Corpus.from_texts(json.loads(texts.read_text(encoding="utf-8"))))
    folder.mkdir(parents=True)
    meta = build_index(folder, layout, DEFAULT_MODEL, (encoder, files), KnownVectors.none(), lambda *_: None)
    done = time.perf_counter() - began
    return {"passages": meta.passages, "seconds": done, "bytes": size(folder) - size(files), **_memory()}


def _open(folder: Path, texts: Path | None) -> Engine:
    from corpus import Corpus  # noqa: PLC0415

    corpus = None if texts is None else Corpus.from_texts(json.loads(texts.read_text(encoding="utf-8")))
    return rag.open_engine(corpus, index=folder)


def _memory() -> dict[str, float]:
    from evals.bench_asking import memory  # noqa: PLC0415

    return memory()


if __name__ == "__main__":
    task, folder, *given = sys.argv[1:]
    arguments: list[Any] = [int(x) if x.isdecimal() else Path(x) if "/" in x else x for x in given]
    json.dump(globals()[task](Path(folder), *arguments), sys.stdout)
