"""A folder of texts -> Corpus: the sources that can be asked about.

Knows files and their meaning; knows nothing of retrieval.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from corpus.blocks import Loaded
from corpus.document import Document, Layout, parse
from corpus.errors import CorpusError, CorpusUnreadable
from corpus.loaders import load
from corpus.manifest import (
    BUILT_IN,
    MANIFEST,
    Correction,
    Manifest,
    Source,
    line_of,
    manifest_of_files,
    read_manifest,
    text_file,
)
from corpus.pages import fetched_sources
from corpus.people import speakers


@dataclass(frozen=True)
class PlacedCorrection:
    """A correction and the offsets of its anchor in the text of its source."""

    correction: Correction
    start: int
    end: int


class Corpus:
    """The sources that can be asked about. Texts are read when opened and parsed at first use.

    `failures` names each source whose file could not be read, with the reason; the others serve. `loaded` is what
    was read, by source id.
    """

    def __init__(
        self,
        manifest: Manifest,
        loaded: Mapping[str, Loaded],
        *,
        folder: Path | None = None,
        failures: Mapping[str, str] | None = None,
    ) -> None:
        self.title = manifest.title
        self.language = manifest.language
        self.people = (*manifest.people, *speakers(loaded, manifest.people))
        self.sources = tuple(source for source in manifest.sources if source.id in loaded)
        self.folder = folder
        self.failures = dict(failures or {})
        self.manifest = manifest
        self.loaded = loaded

    @classmethod
    def open(cls, path: str | Path | None = None, *, pages: Path | None = None, cache: Path | None = None) -> Self:
        """Read a corpus folder; without a path, the built-in corpus. Raises CorpusError.

        `pages` holds downloaded pages, which stand beside the sources that link to them; `cache` keeps what
        the slow parsers (PDF, DOCX, HTML) found, by the hash of the file.
        """
        folder = Path(path) if path is not None else BUILT_IN
        try:
            if not folder.is_dir():
                raise CorpusUnreadable(f"no corpus folder at {str(folder)!r}; make one with: verse new {folder}")
            manifest_file = folder / MANIFEST
            manifest = read_manifest(manifest_file) if manifest_file.is_file() else manifest_of_files(folder)
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            why = getattr(error, "strerror", None) or str(error)
            raise CorpusUnreadable(f"{str(folder)!r} can't be read: {why}; mend its permissions") from None
        texts: dict[str, Loaded] = {}
        failures: dict[str, str] = {}
        for source in manifest.sources:
            try:
                texts[source.id] = load(text_file(folder, source), cache=cache)
            except CorpusError as error:
                failures[source.id] = str(error)
        if not texts:
            raise CorpusUnreadable("; ".join(failures.values()))
        fetched = list(fetched_sources(manifest.sources, pages)) if pages is not None else []
        if fetched:
            manifest = manifest.model_copy(update={"sources": (*manifest.sources, *(source for source, _ in fetched))})
            texts |= {source.id: loaded for source, loaded in fetched}
        corpus = cls(manifest, texts, folder=folder, failures=failures)
        corpus._check_anchors(manifest_file)
        return corpus

    @classmethod
    def from_texts(cls, texts: Mapping[str, str], titles: Mapping[str, str] | None = None) -> Self:
        """A corpus in memory, for programs and tests: source id -> text. Raises CorpusError."""
        titles = titles or {}
        for source_id in titles:
            if source_id not in texts:
                raise CorpusError(f"titles names {source_id!r}, which is not among the texts")
        for said in (*texts, *texts.values(), *titles.values()):
            _refuse_unwritable(said)
        if not any(text.strip() for text in texts.values()):
            raise CorpusError("the corpus is empty; give at least one text with words in it")
        # Ids of programs are theirs to choose, so they are not held to what a file name allows.
        sources = tuple(
            Source.model_construct(id=source_id, title=titles.get(source_id, source_id), file=None)
            for source_id in texts
        )
        manifest = Manifest.model_construct(title="", language="en", people=(), sources=sources, corrections=())
        return cls(manifest, {source_id: Loaded(text) for source_id, text in texts.items()})

    @cached_property
    def documents(self) -> Mapping[str, Document]:
        """The texts by source id, in the manifest's order; each is parsed when it is first looked at."""
        return _Documents(self)

    @cached_property
    def main(self) -> Source | None:
        """The text that the other sources bear on; None where no source says that it bears on anything."""
        if not any(source.bears_on for source in self.sources):
            return None
        return next((source for source in self.sources if source.stance == "primary"), None)

    @cached_property
    def source_by_id(self) -> dict[str, Source]:
        """Source by its id."""
        return {source.id: source for source in self.sources}

    @cached_property
    def corrections(self) -> dict[str, tuple[PlacedCorrection, ...]]:
        """Corrections by source id, in text order."""
        placed: dict[str, list[PlacedCorrection]] = {}
        for correction in self.manifest.corrections:
            if correction.source in self.loaded:
                start = self.loaded[correction.source].text.index(correction.anchor)
                placed.setdefault(correction.source, []).append(
                    PlacedCorrection(correction, start, start + len(correction.anchor))
                )
        return {source: tuple(sorted(found, key=lambda c: c.start)) for source, found in placed.items()}

    def text(self, source_id: str) -> str:
        """The text of a source, as its document has it."""
        return self.loaded[source_id].text

    @cached_property
    def hash(self) -> str:
        """sha256 over the manifest and every text: two corpora of one hash answer alike."""
        digest = hashlib.sha256(json.dumps(self.manifest.model_dump(mode="json"), sort_keys=True).encode())
        for source_id in self.loaded:
            digest.update(f"\0{source_id}\0{self.source_hash(source_id)}".encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def source_hash(self, source_id: str) -> str:
        """sha256 over the text of a source and over what its loader found in it."""
        loaded = self.loaded[source_id]
        found = f"{loaded.text}\0{loaded.headings}\0{loaded.places}\0{loaded.speakers}"
        return hashlib.sha256(found.encode("utf-8", "surrogatepass")).hexdigest()

    def parse(self, source: Source) -> Document:
        """Read the structure and the voices of one source's text."""
        loaded = self.loaded[source.id]
        entry = source.layout
        layout = Layout(
            entry.headings,
            tuple(entry.remainder.items()),
            entry.table.header if entry.table else "",
            entry.table.verdicts if entry.table else (),
        )
        document = parse(
            source.id,
            source.title,
            loaded.text,
            layout=layout,
            headings=loaded.headings,
            places=loaded.places,
            language=self.language,
        )
        # Compiling the rules takes a tenth of a second, and an ingest that finds nothing new parses nothing.
        from corpus.voices import assign_voices  # noqa: PLC0415

        return assign_voices(document, self.people, source.voice, loaded.speakers)

    def _check_anchors(self, file: Path) -> None:
        """Anchors stand in their texts once, and name sources that exist."""
        ids = {source.id for source in self.manifest.sources}
        for n, correction in enumerate(self.manifest.corrections):
            unknown = [name for name in (correction.source, correction.basis) if name not in ids]
            text = self.loaded[correction.source].text if correction.source in self.loaded else correction.anchor
            found = text.count(correction.anchor)
            if not unknown and found == 1:
                continue
            where = f"{file}, line {line_of(file, 'corrections', n, 'anchor')}"
            if unknown:
                raise CorpusError(f"{where}: no source has the id {unknown[0]!r}")
            raise CorpusError(
                f"{where}: the anchor must stand in {correction.source!r} once, word for word; "
                f"it stands there {found} times: {correction.anchor[:60]!r}"
            )

    def check(self) -> None:
        """Raise CorpusError where a source bears on no section; parses the primary texts, so left to ingest."""
        if self.folder is None or any(s.stance == "primary" and s.id in self.failures for s in self.manifest.sources):
            return  # the sections may be those of a text that can't be read now
        file = self.folder / MANIFEST
        labels = {
            section.label
            for source in self.sources
            if source.stance == "primary"
            for section in self.documents[source.id].sections
        }
        for n, source in enumerate(self.manifest.sources):
            for label in source.bears_on:
                if label not in labels:
                    raise CorpusError(
                        f"{file}, line {line_of(file, 'sources', n, 'bears_on')}: {source.id!r} bears on "
                        f"{label!r}, but no primary source has a section of that name"
                    )


def _refuse_unwritable(said: object) -> None:
    """Raise CorpusError for what is no text, or can't be written as UTF-8."""
    if not isinstance(said, str):
        raise CorpusError(f"{str(said)[:60]!r} is a {type(said).__name__}; ids, titles and texts are strings")
    try:
        said.encode()
    except UnicodeEncodeError as error:
        raise CorpusError(
            f"{said[:60]!r} holds half of a surrogate pair at {error.start}; decode the text anew, or take it out"
        ) from None


class _Documents(Mapping[str, Document]):
    """Parses on first access: an answer over 100,000 texts touches a few of them."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._parsed: dict[str, Document] = {}

    def __getitem__(self, source_id: str) -> Document:
        document = self._parsed.get(source_id)
        if document is None:
            document = self._parsed[source_id] = self._corpus.parse(self._corpus.source_by_id[source_id])
        return document

    def __iter__(self) -> Iterator[str]:
        return iter(self._corpus.source_by_id)

    def __len__(self) -> int:
        return len(self._corpus.sources)
