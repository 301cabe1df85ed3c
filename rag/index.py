"""The only room that knows Chroma and BM25: build, open, search.

An index folder holds complete builds and a file `current` that names the one that serves:

    current                  the name of a build; replaced by rename, so it is the old or the new, never half
    builds/<name>/meta.json  format, model, corpus hash, counts, the size of every file
    builds/<name>/chroma/    passage vectors and texts, written through llama-index's vector store
    builds/<name>/bm25/      the lexical index, memory-mapped
    builds/<name>/*.npy      the table of passages; vectors of passages and sentences; their keys
    builds/<name>/tokens.bin sketches of every token, one byte a dimension
    builds/<name>/encoder/   the query encoder that goes with these vectors
"""

from __future__ import annotations

import json
import math
import os
import shutil
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import overload

import bm25s
import chromadb
import numpy as np
from chromadb.api.client import Client
from chromadb.config import Settings
from chromadb.errors import ChromaError
from numpy.typing import NDArray

from corpus import Corpus
from rag.datatypes import Encoder, Passage, Query, Scope, Vectors
from rag.errors import IndexMismatch, IndexMissing
from rag.passages import split_document
from rag.terms import terms
from rag.vectors import QUANTA, KnownVectors, PassageText, Progress, Sketches, VectorStore, write_vectors

FORMAT = 3
COLLECTION = "passages"
CURRENT = "current"
BUILDS = "builds"
ENCODER = "encoder"
_BLOCK = 64
_PASSAGE = np.dtype(
    [
        *((name, "u4") for name in ("source", "section", "start", "end", "first", "last")),
    ]
)


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
    files: dict[str, int]


def read_meta(folder: Path) -> tuple[Path, Meta]:
    """The serving build of an index folder and its meta. Raises IndexMissing or IndexMismatch."""
    if not (folder / CURRENT).is_file():
        raise IndexMissing(f"no complete index at {str(folder)!r}; run: verse ingest")
    try:
        name = (folder / CURRENT).read_text(encoding="utf-8").strip()
        raw = json.loads((folder / BUILDS / name / "meta.json").read_text(encoding="utf-8"))
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


class Headings:
    """(source id, label) of every section in the order of the corpus, found by the terms of the label."""

    def __init__(self, all_headings: Sequence[tuple[str, str]]) -> None:
        self._all = all_headings
        holding: dict[str, list[int]] = {}
        self._sizes = np.zeros(len(all_headings), dtype=np.int64)
        for n, (_, label) in enumerate(all_headings):
            held = set(terms(label))
            self._sizes[n] = len(held)
            for term in held:
                holding.setdefault(term, []).append(n)
        self._holding = {term: np.array(found, dtype=np.int64) for term, found in holding.items()}

    def holding(self, term: str) -> list[tuple[str, str]]:
        """The headings that hold a term."""
        return [self._all[int(n)] for n in self._holding.get(term, ())]

    def made_of(self, words: Iterable[str]) -> list[tuple[str, str]]:
        """The headings all of whose terms are among those given."""
        found = [self._holding[term] for term in set(words) if term in self._holding]
        if not found:
            return []
        held = np.bincount(np.concatenate(found), minlength=len(self._all))
        return [self._all[int(n)] for n in np.flatnonzero((held == self._sizes) & (held > 0))]


class PassageIndex:
    """The passages of a corpus, searchable by meaning and by words. Safe to use from many threads."""

    def __init__(
        self, corpus: Corpus, meta: Meta, parts: tuple[Client, bm25s.BM25, NDArray[np.void], VectorStore]
    ) -> None:
        self.corpus = corpus
        self.meta = meta
        self._client, self._bm25, self._table, self._store = parts
        self._collection = self._client.get_collection(COLLECTION, embedding_function=None)
        self._source_numbers = {source: n for n, source in enumerate(meta.sources)}
        scores = self._bm25.scores
        self._postings: tuple[NDArray[np.int64], NDArray[np.int64]] = (scores["indices"], scores["indptr"])
        self._vocabulary: dict[str, int] = self._bm25.vocab_dict

    @classmethod
    def open(cls, folder: Path, corpus: Corpus, model: str) -> PassageIndex:
        """Open the serving build. Raises IndexMissing, or IndexMismatch naming what differs."""
        build, meta = read_meta(folder)
        if meta.model != model:
            raise IndexMismatch(
                f"the index at {str(folder)!r} was built with the model {meta.model!r}, settings ask for "
                f"{model!r}; run: verse ingest --model {model}"
            )
        if meta.corpus != corpus.hash:
            raise IndexMismatch(
                f"the index at {str(folder)!r} was built from another corpus, or from this one before it was "
                "changed; run: verse ingest"
            )
        for name, size in meta.files.items():
            found = (build / name).stat().st_size if (build / name).is_file() else None
            if found != size:
                state = "is missing" if found is None else f"has {found} bytes, expected {size}"
                raise IndexMismatch(f"the index file {build / name} {state}; run: verse ingest --rebuild")
        try:
            parts = (
                _chroma(build / "chroma"),
                bm25s.BM25.load(str(build / "bm25"), mmap=True),
                np.load(build / "passages.npy", mmap_mode="r"),
                VectorStore.open(build),
            )
            return cls(corpus, meta, parts)
        except (ChromaError, OSError, ValueError, KeyError, AttributeError) as error:
            # AttributeError: what Chroma raises of itself for a database file of zeros
            cure = "run: verse ingest --rebuild"
            if "readonly" in str(error):
                cure = "Chroma must be able to write there; copy the folder, or choose another with: --index FOLDER"
            raise IndexMismatch(
                f"the index at {str(folder)!r} can't be opened ({_first_line(error)}); {cure}"
            ) from None

    def rows(self, scope: Scope) -> NDArray[np.bool_] | None:
        """Which passages lie in a scope; None means all of them."""
        if not scope.sources and not scope.sections:
            return None
        inside = np.ones(len(self._table), dtype=np.bool_)
        if scope.sources:
            numbers = [self._source_numbers[s] for s in scope.sources if s in self._source_numbers]
            inside &= np.isin(self._table["source"], numbers)
        if scope.sections:
            labels = [n for n, (label, _) in enumerate(self.meta.sections) if label in scope.sections]
            inside &= np.isin(self._table["section"], labels)
        return inside

    def search_dense(self, vector: Vectors, k: int, scope: Scope) -> list[tuple[int, float]]:
        """(row, cosine) of the k passages nearest in meaning, best first."""
        found = self._collection.query(
            query_embeddings=vector[None, :],
            n_results=min(k, len(self._table)),
            where=_where(scope),
            include=["distances"],
        )
        distances = (found["distances"] or [[]])[0]
        hits = [(int(name), 1.0 - float(distance)) for name, distance in zip(found["ids"][0], distances, strict=True)]
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))

    def score_lexical(self, query: Sequence[str]) -> NDArray[np.float32]:
        """BM25 of every passage for the terms of a query, shape (passages,)."""
        known = [term for term in query if term in self._vocabulary]
        if not known:
            return np.zeros(len(self._table), dtype=np.float32)
        scores: NDArray[np.float32] = self._bm25.get_scores(known)
        return scores

    def weigh_terms(self, query: Sequence[str]) -> float:
        """The BM25 that a passage would have which held every term without end; no passage has more."""
        n = len(self)
        found = (len(self.passages_with(term)) for term in query)
        return sum(math.log1p((n - df + 0.5) / (df + 0.5)) for df in found)

    def passages_with(self, term: str) -> NDArray[np.int64]:
        """Rows of the passages that hold a term; its length is the document frequency."""
        token = self._vocabulary.get(term)
        indices, starts = self._postings
        return indices[:0] if token is None else indices[starts[token] : starts[token + 1]]

    def passages_of(self, source_id: str, label: str) -> list[Passage]:
        """The passages of one section, in order."""
        first, last = self._rows_of(source_id)
        sections = self._table["section"][first:last].tolist()
        return [self.passage(first + n) for n, place in enumerate(sections) if self.meta.sections[place][0] == label]

    def sections_of(self, source_id: str) -> list[str]:
        """Labels of the sections of a source, in its order."""
        first, last = self._rows_of(source_id)
        return [self.meta.sections[n][0] for n in dict.fromkeys(self._table["section"][first:last].tolist())]

    def _rows_of(self, source_id: str) -> tuple[int, int]:
        """First row and last row + 1 of a source; the table is in the order of the sources."""
        number = self._source_numbers[source_id]
        first, last = np.searchsorted(self._table["source"], [number, number + 1])
        return int(first), int(last)

    @cached_property
    def headings(self) -> Headings:
        """The headings of all sections, by their terms; made when they are first looked at."""
        pairs = dict.fromkeys(zip(self._table["source"].tolist(), self._table["section"].tolist(), strict=True))
        return Headings([(self.meta.sources[source], self.meta.sections[place][0]) for source, place in pairs])

    def term_weights(self, query: Sequence[str]) -> dict[str, float]:
        """Inverse document frequency of each term over the whole index: log(1 + passages / df)."""
        n = len(self)
        return {term: float(np.log1p(n / max(1, len(self.passages_with(term))))) for term in query}

    def passage(self, row: int) -> Passage:
        """The passage in a row of the table."""
        entry = self._table[row]
        source_id = self.meta.sources[int(entry["source"])]
        label, title = self.meta.sections[int(entry["section"])]
        start, end = int(entry["start"]), int(entry["end"])
        return Passage(
            f"{source_id}:{start}-{end}",
            source_id,
            label,
            title,
            start,
            end,
            self.corpus.text(source_id)[start:end],
            int(row),
            (int(entry["first"]), int(entry["last"])),
        )

    def passage_vectors(self, rows: NDArray[np.int64]) -> Vectors:
        """Unit vectors of passages with their titles, shape (rows, dimension)."""
        return np.asarray(self._store.passages[rows])

    def likeness(self, rows: NDArray[np.int64], query: Query) -> NDArray[np.float32]:
        """How like a question passages are token by token, shape (rows,): the mean over the question's tokens
        of the best cosine with any of the passage's (MaxSim; ColBERT, Khattab and Zaharia 2020). With a model
        that doesn't show its tokens, the cosine of the best sentence."""
        first = self._store.first_sentences
        if not len(query.tokens):
            sentences = [self._store.sentences_of(int(row)) @ query.vector for row in rows]
            return np.array([cosines.max() for cosines in sentences], dtype=np.float32)
        begins, ends = self._store.first_tokens[first[rows]], self._store.first_tokens[first[rows + 1]]
        found = np.flatnonzero(ends > begins)
        best = np.zeros((len(rows), len(query.tokens)), dtype=np.float32)
        if len(found):
            sketches = [self._store.tokens[begins[n] : ends[n]] for n in found]
            pairs = np.concatenate(sketches).astype(np.float32) @ query.tokens.T
            starts = np.cumsum([0, *(len(sketch) for sketch in sketches[:-1])])
            best[found] = np.maximum.reduceat(pairs, starts, axis=0) / QUANTA
        return np.asarray(best @ query.token_weights / (query.token_weights.sum() or 1.0), dtype=np.float32)

    def same_section(self, rows: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether passages lie in one section of one source, position by position."""
        a, b = self._table[rows], self._table[others]
        same: NDArray[np.bool_] = (a["source"] == b["source"]) & (a["section"] == b["section"])
        return same

    def sentence_vectors(self, passage: Passage) -> Vectors:
        """Unit vectors of a passage's sentences, shape (sentences, dimension)."""
        return self._store.sentences_of(passage.row)

    def token_sketches(self, passage: Passage) -> tuple[Sketches, NDArray[np.int64]]:
        """Sketches of a passage's tokens, QUANTA times unit vectors, shape (tokens, SKETCH); and where each
        sentence begins in them, with the end last, shape (sentences + 1,)."""
        return self._store.sketches_of(passage.row)

    def __len__(self) -> int:
        return len(self._table)

    def close(self) -> None:
        """Let go of the files."""
        self._client.close()


def build_index(
    folder: Path, corpus: Corpus, model: str, encoder: tuple[Encoder, Path | None], progress: Progress, *, reuse: bool
) -> Meta:
    """Build beside what serves, then swap by rename; with `reuse`, vectors of unchanged passages are taken over.

    `encoder` comes with the folder of its files, if it has any; `progress` is told (done, total) in passages.
    Raises IndexMismatch when the folder can't be written.
    """
    name = uuid.uuid4().hex[:12]
    build = folder / BUILDS / name
    try:
        build.mkdir(parents=True)
        meta = _write_build(
            build, corpus, model, encoder[0], _known(folder, model) if reuse else KnownVectors.none(), progress
        )
        if encoder[1] is not None:
            _link_files(encoder[1], build / ENCODER)
        meta = Meta(**{**asdict(meta), "files": _sizes(build)})
        (build / "meta.json").write_text(json.dumps(asdict(meta)), encoding="utf-8")
        beside = folder / f".{CURRENT}-{name}"
        beside.write_text(name, encoding="utf-8")
        os.replace(beside, folder / CURRENT)
    except OSError as error:
        shutil.rmtree(build, ignore_errors=True)
        raise IndexMismatch(
            f"the index can't be written to {str(folder)!r} ({error.strerror}); free space there, or choose a "
            "writable folder with: --index FOLDER"
        ) from None
    except BaseException:
        shutil.rmtree(build, ignore_errors=True)
        raise
    remove_leftovers(folder, keep=name)
    return meta


def remove_leftovers(folder: Path, keep: str) -> None:
    """Delete builds that don't serve; an open reader keeps the files it has open."""
    for build in (folder / BUILDS).iterdir():
        if build.name != keep:
            shutil.rmtree(build, ignore_errors=True)


def _known(folder: Path, model: str) -> KnownVectors:
    """What the build that serves has embedded with the same model; nothing where it can't be read."""
    try:
        build, meta = read_meta(folder)
        return KnownVectors.open(build) if meta.model == model else KnownVectors.none()
    except (IndexMissing, IndexMismatch, OSError, ValueError):
        return KnownVectors.none()


def _write_build(
    build: Path, corpus: Corpus, model: str, encoder: Encoder, known: KnownVectors, progress: Progress
) -> Meta:
    sources = tuple(source.id for source in corpus.sources)
    sections: dict[tuple[str, str], int] = {}
    rows: list[tuple[int, ...]] = []
    sentences = 0
    for number, source in enumerate(sources):
        document = corpus.documents[source]
        for first, last in split_document(document):
            section = document.section_by_label[document.sentences[first].section]
            place = sections.setdefault((section.label, section.title), len(sections))
            start, end = document.sentences[first].start, document.sentences[last - 1].end
            rows.append((number, place, start, end, first, last))
            sentences += last - first
    if not rows:
        raise IndexMissing("the corpus holds no sentences to index; add a text with words in it")
    table = np.array(rows, dtype=_PASSAGE)
    np.save(build / "passages.npy", table)
    names = _Names(corpus, sources, tuple(sections))
    vectors, embedded = write_vectors(build, _Texts(names, table), encoder, known, progress)
    _write_chroma(build / "chroma", names, table, vectors)
    _write_bm25(build / "bm25", names, table)
    return Meta(
        format=FORMAT,
        model=model,
        dimension=vectors.shape[1],
        corpus=corpus.hash,
        passages=len(rows),
        sentences=sentences,
        embedded=embedded,
        sources=sources,
        hashes=tuple(corpus.source_hash(source) for source in sources),
        sections=tuple(sections),
        files={},
    )


@dataclass(frozen=True)
class _Names:
    """The texts behind the numbers of the table."""

    corpus: Corpus
    sources: tuple[str, ...]
    sections: tuple[tuple[str, str], ...]

    def text(self, row: np.void) -> str:
        return self.corpus.text(self.sources[row["source"]])[row["start"] : row["end"]]

    def title(self, row: np.void) -> str:
        """What is put before a passage where it is embedded and BM25-indexed: titles of source and section."""
        source = self.corpus.source_by_id[self.sources[row["source"]]].title
        label, title = self.sections[row["section"]]
        heading = title if title == label else f"{label}: {title}"
        return "\n".join([*dict.fromkeys((source, heading)), ""])

    def spans(self, row: np.void) -> list[tuple[int, int]]:
        """Where the sentences of a passage stand in it."""
        sentences = self.corpus.documents[self.sources[row["source"]]].sentences[row["first"] : row["last"]]
        start = int(row["start"])
        return [(s.start - start, s.end - start) for s in sentences]


class _Texts(Sequence[PassageText]):
    """The passages as the encoder sees them, made when they are looked at."""

    def __init__(self, names: _Names, table: NDArray[np.void]) -> None:
        self._names = names
        self._table = table

    def __len__(self) -> int:
        return len(self._table)

    @overload
    def __getitem__(self, n: int) -> PassageText: ...
    @overload
    def __getitem__(self, n: slice) -> Sequence[PassageText]: ...
    def __getitem__(self, n: int | slice) -> PassageText | Sequence[PassageText]:
        if isinstance(n, slice):
            return _Texts(self._names, self._table[n])
        row = self._table[n]
        return PassageText(self._names.title(row), self._names.text(row), tuple(self._names.spans(row)))


def _chroma(folder: Path) -> Client:
    client = chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
    assert isinstance(client, Client)
    return client


def _write_chroma(folder: Path, names: _Names, table: NDArray[np.void], vectors: Vectors) -> None:
    """Nodes as llama-index writes them, so that any llama-index program can open the collection."""
    from llama_index.core.schema import TextNode  # noqa: PLC0415 -- seconds of import, only at ingest
    from llama_index.vector_stores.chroma import ChromaVectorStore  # noqa: PLC0415

    client = _chroma(folder)
    collection = client.create_collection(
        COLLECTION, embedding_function=None, configuration={"hnsw": {"space": "cosine", "ef_search": 200}}
    )
    store = ChromaVectorStore(chroma_collection=collection)
    for begin in range(0, len(table), _BLOCK):
        nodes = []
        for n in range(begin, min(begin + _BLOCK, len(table))):
            row = table[n]
            label, title = names.sections[row["section"]]
            metadata = {"source_id": names.sources[row["source"]], "section": label, "section_title": title}
            metadata |= {"start": int(row["start"]), "end": int(row["end"])}
            nodes.append(TextNode(id_=str(n), text=names.text(row), metadata=metadata, embedding=vectors[n].tolist()))
        store.add(list(nodes))
    client.close()


def _write_bm25(folder: Path, names: _Names, table: NDArray[np.void]) -> None:
    # A passage without any term (only stop words) still needs a row of its own, so it gets an empty term.
    tokens = [terms(names.title(row) + names.text(row)) or [""] for row in table]
    retriever = bm25s.BM25(k1=1.2, b=0.75)
    retriever.index(tokens, show_progress=False)
    retriever.save(str(folder))


def _where(scope: Scope) -> chromadb.Where | None:
    clauses = [
        _one_of(key, values) for key, values in (("source_id", scope.sources), ("section", scope.sections)) if values
    ]
    return {"$and": clauses} if len(clauses) > 1 else clauses[0] if clauses else None


def _one_of(key: str, values: Sequence[str]) -> chromadb.Where:
    # Chroma's type for this is a TypedDict keyed by the operator, which mypy can't match with a list of str.
    return {key: {"$in": [*values]}}  # type: ignore[dict-item]


def _link_files(source: Path, target: Path) -> None:
    """The same files under another name where the file system can, copies where it can't."""
    target.mkdir()
    for file in source.iterdir():
        try:
            os.link(file, target / file.name)
        except OSError:
            shutil.copyfile(file, target / file.name)


def _sizes(build: Path) -> dict[str, int]:
    """Sizes of the files that never change; Chroma's own database may write to itself when opened."""
    return {
        file.relative_to(build).as_posix(): file.stat().st_size
        for file in sorted(build.rglob("*"))
        if file.is_file() and "chroma" not in file.relative_to(build).parts
    }


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]
