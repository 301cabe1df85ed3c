"""A layout -> a build of the index, written beside the one that serves."""

from __future__ import annotations

import os
import shutil
import uuid
from dataclasses import replace
from pathlib import Path

import numpy as np

from corpus import kept
from rag.chroma import bytes_in_motion, write_dense
from rag.datatypes import Encoder
from rag.errors import IndexMismatch, IndexMissing
from rag.folder import BM25, BUILDS, CHROMA, ENCODER, FORMAT, TABLE, TEXTS, Meta, check_build, publish, read_meta
from rag.integrity import mark_files
from rag.layout import Layout
from rag.lexical import write_lexical
from rag.vectors import Known, KnownVectors, Progress, write_vectors


def build_index(
    folder: Path,
    layout: Layout,
    model: str,
    encoder: tuple[Encoder, Path | None],
    known: Known,
    progress: Progress,
    *,
    dense: bool = True,
) -> Meta:
    """Build beside what serves, then swap by rename; vectors that are known are taken over.

    `encoder` comes with the folder of its files, if it has any; `progress` is told (done, total) in passages;
    without `dense` nothing is put into Chroma, since a server has it. Raises IndexMismatch when the folder can't
    be written.
    """
    build = folder / BUILDS / uuid.uuid4().hex[:12]
    try:
        build.mkdir(parents=True)
        meta = _write_build(build, layout, model, encoder[0], known, progress, dense=dense)
        if encoder[1] is not None:
            _link_files(encoder[1], build / ENCODER)
        moving = bytes_in_motion(build / CHROMA) if dense else {}
        loose = {f"{CHROMA}/{name}": ranges for name, ranges in moving.items()}
        meta = replace(meta, files=mark_files(build, loose))
        publish(folder, build, meta)
    except OSError as error:
        shutil.rmtree(build, ignore_errors=True)
        raise IndexMismatch(
            f"the index can't be written to {str(folder)!r} ({error.strerror}); free space there, or choose a "
            "writable folder with: --index FOLDER"
        ) from None
    except BaseException:
        shutil.rmtree(build, ignore_errors=True)
        raise
    return meta


def known_vectors(folder: Path, model: str) -> KnownVectors:
    """What the build that serves has embedded with the same model; nothing where it can't be read or is damaged."""
    try:
        build, meta = read_meta(folder)
        if meta.model != model:
            return KnownVectors.none()
        check_build(build, meta, whole=True)
        return KnownVectors.open(build)
    except (IndexMissing, IndexMismatch, OSError, ValueError):
        return KnownVectors.none()


def _write_build(
    build: Path, layout: Layout, model: str, encoder: Encoder, known: Known, progress: Progress, *, dense: bool
) -> Meta:
    np.save(build / TABLE, layout.table)
    if layout.corpus.folder is not None:
        (build / TEXTS).write_bytes(kept.to_bytes(layout.corpus))
    vectors, embedded = write_vectors(build, layout.texts, encoder, known, progress)
    if dense:
        write_dense(build / CHROMA, (layout.passage(n, vectors[n]) for n in range(len(layout))), len(layout))
    write_lexical(build / BM25, (layout.title(row) + layout.text(row) for row in layout.table))
    return Meta(
        format=FORMAT,
        model=model,
        dimension=vectors.shape[1],
        corpus=layout.corpus.hash,
        passages=len(layout),
        sentences=layout.sentences,
        embedded=embedded,
        sources=layout.sources,
        hashes=tuple(layout.corpus.source_hash(source) for source in layout.sources),
        sections=layout.sections,
        files={},
    )


def _link_files(source: Path, target: Path) -> None:
    """The same files under another name where the file system can, copies where it can't."""
    target.mkdir()
    for file in source.iterdir():
        try:
            os.link(file, target / file.name)
        except OSError:
            shutil.copyfile(file, target / file.name)
