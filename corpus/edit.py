"""Anyone's own corpus: make a folder, add a source, take one out.

A text is read before anything is changed; text and manifest are each swapped in by a rename, the text first,
so that a manifest never names a file that isn't there. Comments in the manifest stay.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import tomlkit
from filelock import FileLock, Timeout
from pydantic import ValidationError
from tomlkit.items import AoT, Array

from corpus.atomic import remove_unfinished, write_atomically
from corpus.blocks import one_line
from corpus.corpus import Corpus
from corpus.errors import CorpusError
from corpus.fetch import fetch_page, read_page
from corpus.loaders import SUFFIXES, Loaded, kind_of, load
from corpus.manifest import (
    BUILT_IN,
    MANIFEST,
    TEXTS,
    Source,
    Stance,
    manifest_of_files,
    read_manifest,
    text_file,
)

_LOCK = ".lock"
_WAIT = 10.0  # seconds for another edit to end


def new_corpus(folder: Path, title: str = "") -> None:
    """Make an empty corpus folder. Raises CorpusError where something is there already."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CorpusError(
            f"{folder} is there already; name a new folder, or add to it: verse --corpus {folder} add FILE"
        )
    document = tomlkit.document()
    document["title"] = title.strip() or folder.resolve().name
    document["language"] = "en"
    document["sources"] = tomlkit.array()
    try:
        (folder / TEXTS).mkdir(parents=True)
    except OSError as error:
        raise CorpusError(f"{folder} can't be made: {error.strerror}; name another folder") from None
    try:
        write_atomically(folder / MANIFEST, tomlkit.dumps(document).encode())
    except CorpusError:
        shutil.rmtree(folder / TEXTS)  # or the next try finds something there
        raise


def add_source(
    folder: Path,
    file_or_url: str | Path,
    *,
    title: str | None = None,
    author: str = "",
    stance: Stance = "primary",
    published: str | None = None,
    voice: str = "",
    bears_on: Sequence[str] = (),
    allow_private: bool = False,
    allow_built_in: bool = False,
) -> Source:
    """Copy a file, or download a page, into the corpus and its manifest.

    Raises CorpusError, nothing changed then. The file's name in the corpus is made from its title and its
    kind, never taken over. `allow_private` is fetch_page's.
    """
    with _editing(folder, allow_built_in):
        texts = _texts_folder(folder)
        sources = _sources(folder)
        body, suffix, loaded, url = _read(file_or_url, allow_private)
        _refuse_known(folder, sources, body, url)
        if bears_on:
            _check_labels(folder, bears_on)
        title = one_line(title or "") or loaded.title or one_line(_stem(file_or_url))
        taken = {source.id.lower() for source in sources} | {path.stem.lower() for path in texts.iterdir()}
        source_id = _free_id(title, taken)
        entry = {
            "id": source_id,
            "title": title,
            "author": one_line(author),
            "stance": stance,
            "url": url,
            "published": published,
            "file": f"{source_id}{suffix}",
            "voice": voice,
            "bears_on": list(bears_on),
        }
        entry = {key: value for key, value in entry.items() if value}
        try:
            source = Source.model_validate(entry)
        except ValidationError as error:
            first = error.errors()[0]
            raise CorpusError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}; give another value") from None
        manifest = _with_entry(folder, entry)
        text_file = texts / f"{source_id}{suffix}"
        write_atomically(text_file, body)
        try:
            write_atomically(folder / MANIFEST, manifest)
        except CorpusError:
            text_file.unlink(missing_ok=True)
            raise
        return source


def remove_source(folder: Path, source_id: str, *, allow_built_in: bool = False) -> Source:
    """Take a source out of the manifest, and its file out of the folder.

    Raises CorpusError, nothing changed then.
    """
    with _editing(folder, allow_built_in):
        sources = _sources(folder)
        source = next((source for source in sources if source.id == source_id), None)
        if source is None:
            known = ", ".join(source.id for source in sources) or "none"
            raise CorpusError(f"{folder} has no source {source_id!r}; it has {known}")
        _refuse_needed(folder, source, sources)
        document = _document(folder)
        file = text_file(folder, source)
        shared = any(text_file(folder, other) == file for other in sources if other is not source)
        _drop_entry(document, source_id)
        write_atomically(folder / MANIFEST, tomlkit.dumps(document).encode())
        if not shared:
            file.unlink(missing_ok=True)
        return source


@contextmanager
def _editing(folder: Path, allow_built_in: bool) -> Iterator[None]:
    """One edit at a time; the lock is the system's, so a crash leaves none behind."""
    if folder.resolve() == BUILT_IN.resolve() and not allow_built_in:
        raise CorpusError("the built-in corpus isn't edited; make one of your own: verse new talks/")
    if not folder.is_dir():
        raise CorpusError(f"no corpus folder at {str(folder)!r}; make one with: verse new {folder}")
    try:
        with FileLock(folder / _LOCK, timeout=_WAIT):
            for place in (folder, folder / TEXTS):
                remove_unfinished(place)
            yield
    except Timeout:
        raise CorpusError(f"{folder} is being edited by another program; try again when it has ended") from None
    except OSError as error:
        raise CorpusError(f"{folder} can't be edited: {error.strerror}; mend its permissions") from None


def _texts_folder(folder: Path) -> Path:
    texts = folder / TEXTS if (folder / TEXTS).is_dir() else folder
    if not texts.resolve().is_relative_to(folder.resolve()):
        raise CorpusError(f"{texts} is a link that leads out of the corpus; put a folder in its place")
    return texts


def _document(folder: Path) -> tomlkit.TOMLDocument:
    """Read the manifest for editing; for a folder of files without one, make it up, yet unwritten."""
    file = folder / MANIFEST
    if file.is_file():
        return tomlkit.parse(file.read_text(encoding="utf-8"))
    document = tomlkit.document()
    document["title"] = folder.resolve().name
    document["language"] = "en"
    entries = tomlkit.aot()
    for source in _sources(folder):
        entries.append(tomlkit.item({"id": source.id, "title": source.title, "file": source.file}))
    document["sources"] = entries
    return document


def _sources(folder: Path) -> Sequence[Source]:
    file = folder / MANIFEST
    if file.is_file():
        try:
            empty = not tomlkit.parse(file.read_text(encoding="utf-8")).get("sources")
        except (UnicodeDecodeError, tomlkit.exceptions.TOMLKitError):
            empty = False
        return () if empty else read_manifest(file).sources
    texts = _texts_folder(folder)
    files = any(path.is_file() and not path.name.startswith(".") for path in texts.iterdir())
    return manifest_of_files(folder).sources if files else ()


def _read(file_or_url: str | Path, allow_private: bool) -> tuple[bytes, str, Loaded, str | None]:
    """(content, its suffix by kind, text, address) of what is added."""
    if isinstance(file_or_url, str) and re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", file_or_url):
        page = fetch_page(file_or_url, allow_private=allow_private)
        assert page is not None, "None answers an ETag only, and none was sent"
        return page.body, page.suffix, read_page(page), page.final_url
    file = Path(file_or_url)
    if not file.exists():
        raise CorpusError(f"{file} isn't there; name a file, or an address that begins with https://")
    loaded = load(file)
    body = file.read_bytes()
    kind = kind_of(file.name, body)
    return body, next(suffix for suffix, known in SUFFIXES.items() if known == kind), loaded, None


def _stem(file_or_url: str | Path) -> str:
    path = urlsplit(file_or_url).path if isinstance(file_or_url, str) and "://" in file_or_url else file_or_url
    return re.sub(r"[_-]+", " ", Path(path).stem) or "untitled"


def _free_id(title: str, taken: set[str]) -> str:
    """Make a name for id and file alike: lower-case letters, digits and hyphens, fit for any file system."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain)[:60].strip("-") or "source"
    if re.fullmatch(r"con|prn|aux|nul|(?:com|lpt)\d|manifest", slug):
        slug += "-text"
    candidate, n = slug, 1
    while candidate in taken:
        n += 1
        candidate = f"{slug}-{n}"
    return candidate


def _refuse_known(folder: Path, sources: Sequence[Source], body: bytes, url: str | None) -> None:
    digest = hashlib.sha256(body).digest()
    for source in sources:
        try:
            same = hashlib.sha256(text_file(folder, source).read_bytes()).digest() == digest
        except (OSError, CorpusError):
            same = False
        if same or (url and source.url == url):
            raise CorpusError(
                f"this text is here already, as {source.id!r} ({source.title}); "
                f"to replace it: verse --corpus {folder} remove {source.id}"
            )


def _labels(folder: Path, *, without: str = "") -> list[str]:
    """The sections of the primary sources, but for one that is left out."""
    corpus = Corpus.open(folder)
    primary = [source.id for source in corpus.sources if source.stance == "primary" and source.id != without]
    return [section.label for source_id in primary for section in corpus.documents[source_id].sections]


def _check_labels(folder: Path, bears_on: Sequence[str]) -> None:
    labels = _labels(folder)
    for label in bears_on:
        if label not in labels:
            raise CorpusError(f"no primary source has a section {label!r}; the sections are {', '.join(labels)}")


def _refuse_needed(folder: Path, source: Source, sources: Sequence[Source]) -> None:
    """Keep a source while corrections or other sources' `bears_on` would point at nothing without it."""
    if not (folder / MANIFEST).is_file():
        return
    corrections = [c for c in read_manifest(folder / MANIFEST).corrections if source.id in (c.source, c.basis)]
    if corrections:
        raise CorpusError(
            f"{len(corrections)} corrections in {folder / MANIFEST} name {source.id!r}; take those out first"
        )
    others = [other for other in sources if other.id != source.id and other.bears_on]
    if source.stance == "primary" and others:
        left = set(_labels(folder, without=source.id))
        others = [other for other in others if not left.issuperset(other.bears_on)]
    if source.stance == "primary" and others:
        names = ", ".join(other.id for other in others)
        raise CorpusError(f"{names} in {folder / MANIFEST} bear on its sections; take their bears_on out first")


def _with_entry(folder: Path, entry: Mapping[str, object]) -> bytes:
    document = _document(folder)
    if not isinstance(document.get("sources"), AoT):
        document.pop("sources", None)
        document.append("sources", tomlkit.aot())
    entries = document["sources"]
    assert isinstance(entries, AoT)
    entries.append(tomlkit.item(dict(entry)))
    return tomlkit.dumps(document).encode()


def _drop_entry(document: tomlkit.TOMLDocument, source_id: str) -> None:
    entries = document["sources"]
    assert isinstance(entries, AoT | Array)
    del entries[next(n for n, entry in enumerate(entries) if entry["id"] == source_id)]
    if not entries:
        document["sources"] = tomlkit.array()
