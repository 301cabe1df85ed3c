"""What opposing sources say on the sections that an answer rests on, where it bears on the question."""

from __future__ import annotations

from collections.abc import Sequence

from corpus import Corpus
from rag.datatypes import DraftSentence, Evidence, Scope

MOST = 3
# A view bears on the question if it is nearly as like it, token by token, as the answer itself.
_BEARS = 0.8
# ... and if its paragraph holds at least this share of what is asked.
_COVERS = 0.4


def opposing_sources(corpus: Corpus, draft: Sequence[DraftSentence], scope: Scope) -> tuple[str, ...]:
    """Sources of the scope that oppose and bear on a section that the draft cites, in the manifest's order."""
    main = corpus.main
    cited = {e.sentence.section for said in draft for e in said.evidence if main and e.passage.source_id == main.id}
    if not cited:
        return ()
    return tuple(
        source.id
        for source in corpus.sources
        if source.stance == "opposing"
        and cited.intersection(source.bears_on)
        and (not scope.sources or source.id in scope.sources)
    )


def other_views(corpus: Corpus, draft: Sequence[DraftSentence], evidence: Sequence[Evidence]) -> list[Evidence]:
    """The best sentence of each opposing source that a named person holds and the draft doesn't say already."""
    said = {(e.passage.source_id, e.position) for sentence in draft for e in sentence.evidence}
    best = max((e.tokens for sentence in draft for e in sentence.evidence), default=0.0)
    if not best:  # a summary rests on a whole section, so there is nothing to measure a view against
        return []
    people = {person.name for person in corpus.people if person.role not in ("guest", "host")}
    views: dict[str, Evidence] = {}
    for e in evidence:
        fits = e.sentence.voice in people and e.tokens >= _BEARS * best and e.coverage >= _COVERS
        if fits and (e.passage.source_id, e.position) not in said:
            views.setdefault(e.passage.source_id, e)
    return list(views.values())[:MOST]
