"""What lies in an index folder: complete builds, and a file `current` that names the one that serves.

current                  the name of a build; replaced by rename, so it is the old or the new, never half
builds/<name>/meta.json  format, model, corpus hash, counts, size and checksum of every file
builds/<name>/chroma/    passage vectors and texts, written through llama-index's vector store
builds/<name>/bm25/      the lexical index, memory-mapped
builds/<name>/*.npy      the table of passages; vectors of passages and sentences; their keys
builds/<name>/tokens.bin sketches of every token, one byte a dimension
builds/<name>/encoder/   the query encoder that goes with these vectors
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from typing_extensions import TypedDict

from rag.errors import IndexMismatch, IndexMissing

FORMAT = 4
CURRENT = "current"
BUILDS = "builds"
META = "meta.json"
CHROMA = "chroma"
BM25 = "bm25"
ENCODER = "encoder"
TABLE = "passages.npy"

# One row a passage: numbers of its source and section, its characters, and its sentences as (first, last + 1).
PASSAGE = np.dtype([(name, "u4") for name in ("source", "section", "start", "end", "first", "last")])


class FileMark(TypedDict):
    """By which a file is known again."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Meta:
    """What an index was built from; compared with what is asked for when it is opened."""

    format: int
    model: str
    dimension: int
    corpus: str
    passages: int
    sentences: int
    embedded: int
    sources: tuple[str, ...]
    hashes: tuple[str, ...]
    sections: tuple[tuple[str, str], ...]
    files: Mapping[str, FileMark]


def read_meta(folder: Path) -> tuple[Path, Meta]:
    """The serving build of an index folder and its meta. Raises IndexMissing or IndexMismatch."""
    if not (folder / CURRENT).is_file():
        raise IndexMissing(f"no complete index at {str(folder)!r}; run: verse ingest")
    try:
        name = (folder / CURRENT).read_text(encoding="utf-8").strip()
        raw = json.loads((folder / BUILDS / name / META).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise IndexMismatch(f"the index at {str(folder)!r} is damaged ({error}); run: verse ingest --rebuild") from None
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        found = raw.get("format") if isinstance(raw, dict) else None
        raise IndexMismatch(
            f"the index at {str(folder)!r} has format {found}, this version reads {FORMAT}; run: verse ingest --rebuild"
        )
    try:
        meta = Meta(
            **{
                **raw,
                "sources": tuple(raw["sources"]),
                "hashes": tuple(raw["hashes"]),
                "sections": tuple(map(tuple, raw["sections"])),
            }
        )
    except (TypeError, KeyError) as error:
        raise IndexMismatch(f"the index at {str(folder)!r} is damaged ({error}); run: verse ingest --rebuild") from None
    return folder / BUILDS / name, meta


def check_sizes(build: Path, meta: Meta) -> None:
    """That every file of a build is there in full. Raises IndexMismatch naming the first that isn't."""
    for name, mark in meta.files.items():
        file = build / name
        found = file.stat().st_size if file.is_file() else None
        if found != mark["bytes"]:
            state = "is missing" if found is None else f"has {found} bytes, expected {mark['bytes']}"
            raise IndexMismatch(f"the index file {file} {state}; run: verse ingest --rebuild")


def mark_files(build: Path) -> dict[str, FileMark]:
    """Marks of the files that never change; Chroma's own database may write to itself when opened."""
    marks: dict[str, FileMark] = {}
    for file in sorted(build.rglob("*")):
        name = file.relative_to(build)
        if file.is_file() and name.parts[0] != CHROMA:
            with file.open("rb") as data:
                marks[name.as_posix()] = {
                    "bytes": file.stat().st_size,
                    "sha256": hashlib.file_digest(data, "sha256").hexdigest(),
                }
    return marks


def publish(folder: Path, build: Path, meta: Meta) -> None:
    """Let a complete build serve, by one rename, and delete those before it."""
    (build / META).write_text(json.dumps(asdict(meta)), encoding="utf-8")
    beside = folder / f".{CURRENT}-{build.name}"
    beside.write_text(build.name, encoding="utf-8")
    os.replace(beside, folder / CURRENT)
    remove_leftovers(folder, keep=build.name)


def remove_leftovers(folder: Path, keep: str) -> None:
    """Delete builds that don't serve; an open reader keeps the files it has open."""
    for build in (folder / BUILDS).iterdir():
        if build.name != keep:
            shutil.rmtree(build, ignore_errors=True)
