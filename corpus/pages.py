"""Downloaded pages on the reader's own disk, and how they join a corpus. The network is fetch.py's.

A page is two files in one folder: its body under the page's id, and `<id>.json` with where and when it came
from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from corpus.atomic import write_atomically
from corpus.blocks import Loaded
from corpus.errors import CorpusError
from corpus.loaders import load

if TYPE_CHECKING:
    from corpus.manifest import Source

CACHE = "parsed"


@dataclass(frozen=True, slots=True)
class Target:
    """One page to download, and the source beside which it will stand."""

    page_id: str
    source_id: str
    url: str


@dataclass(frozen=True, slots=True)
class PageRecord:
    """What is remembered of a stored page; `file` is its body's name, `fetched` a date."""

    url: str
    final_url: str
    title: str
    etag: str
    last_modified: str
    fetched: str
    file: str
    sha256: str


def targets(sources: Iterable[Source]) -> list[Target]:
    """List the pages that sources link to, each address once.

    A primary source's own address is left out: its text is here, and a second copy would answer twice.
    """
    found: dict[str, Target] = {}
    for source in sources:
        if source.url and source.url_status and source.stance != "primary":
            found.setdefault(source.url, Target(f"{source.id[:80]}--page", source.id, source.url))
        for link in source.links:
            page_id = f"{source.id[:80]}--{hashlib.sha256(link.encode()).hexdigest()[:8]}"
            found.setdefault(link, Target(page_id, source.id, link))
    return list(found.values())


def read_record(folder: Path, target: Target) -> PageRecord | None:
    """Read the record of a stored page; None where there is none, or where its body isn't what was stored."""
    try:
        record = PageRecord(**json.loads((folder / f"{target.page_id}.json").read_bytes()))
        if Path(record.file).name != record.file or record.url != target.url:
            return None
        body = (folder / record.file).read_bytes()
    except (OSError, ValueError, TypeError):
        return None
    return record if hashlib.sha256(body).hexdigest() == record.sha256 else None


def store(folder: Path, target: Target, record: PageRecord, body: bytes) -> None:
    """Keep a page; the record is written last, so that it never speaks of a body that isn't there."""
    write_atomically(folder / record.file, body)
    write_atomically(folder / f"{target.page_id}.json", json.dumps(asdict(record), indent=1).encode())
    for stale in folder.glob(f"{target.page_id}.*"):
        if stale.name not in (record.file, f"{target.page_id}.json"):
            stale.unlink(missing_ok=True)


def load_page(folder: Path, record: PageRecord) -> Loaded:
    """Read the text of a stored page; parsed once, then taken from the cache. Raises CorpusError."""
    return load(folder / record.file, cache=folder / CACHE)


def fetched_sources(sources: Iterable[Source], folder: Path) -> Iterator[tuple[Source, Loaded]]:
    """Yield each stored page as a source of its own, under its own title and link.

    It stands beside our text of the same source and takes over its stance, voice and sections. Pages that
    can't be read any more are left out; `verse fetch` names them.
    """
    sources = list(sources)
    by_id = {source.id: source for source in sources}
    for target in targets(sources):
        record = read_record(folder, target)
        if record is None or target.page_id in by_id:
            continue
        try:
            loaded = load_page(folder, record)
        except CorpusError:
            continue
        source = by_id[target.source_id]
        update = {
            "id": target.page_id,
            "title": record.title or source.title,
            "url": record.final_url,
            "url_status": "seen",
            "links": (),
            "file": None,
            "confidence": "verified",
            "provenance": f"downloaded from {record.final_url} on {record.fetched}",
            "note": "",
            "layout": type(source.layout)(),
        }
        yield source.model_copy(update=update), loaded
