"""A corpus as one file, which an index keeps: what was read then still serves when a source can't be read now."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from corpus.blocks import Loaded
from corpus.corpus import Corpus
from corpus.manifest import Manifest
from corpus.pages import targets


def to_bytes(corpus: Corpus) -> bytes:
    """The manifest and every text, with what its loader found in it, and the folder that they come from."""
    loaded = {source_id: asdict(loaded) for source_id, loaded in corpus.loaded.items()}
    manifest = corpus.manifest.model_dump(mode="json")
    return json.dumps({"folder": _name(corpus.folder), "manifest": manifest, "loaded": loaded}).encode()


def from_bytes(data: bytes, folder: Path, failure: str = "") -> Corpus | None:
    """The corpus that was kept; None where it can't be read. With the `failure` why its folder can't be read now,
    also where it is another folder's."""
    try:
        found = json.loads(data)
        if failure and found["folder"] != _name(folder):
            return None
        manifest = Manifest.model_validate(found["manifest"])
        loaded = {source_id: Loaded.from_dict(one) for source_id, one in found["loaded"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return Corpus(manifest, loaded, folder=folder, failures={str(folder): failure} if failure else {})


def completed(corpus: Corpus, kept: Corpus) -> Corpus:
    """A corpus with the texts that were kept where its own files, or the pages downloaded for it, can't be read;
    `failures` names those."""
    linked = {target.page_id: target for target in targets(corpus.manifest.sources)}
    here = {source.id: source for source in corpus.manifest.sources}
    lost = {source.id: source for source in kept.manifest.sources if source.id in linked.keys() - here.keys()}
    own = [source for source in corpus.manifest.sources if source.id not in linked]
    known = here | lost
    manifest = corpus.manifest.model_copy(update={"sources": (*own, *(known[n] for n in linked if n in known))})
    texts = {**kept.loaded, **corpus.loaded}
    loaded = {source.id: texts[source.id] for source in manifest.sources if source.id in texts}
    gone = {
        source_id: f"the page {linked[source_id].url} that was downloaded is gone; get it again with: verse fetch"
        for source_id in lost
    }
    return Corpus(manifest, loaded, folder=corpus.folder, failures={**corpus.failures, **gone})


def _name(folder: Path | None) -> str:
    return str(folder.resolve()) if folder else ""
