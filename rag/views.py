"""What opposing sources say on the sections that an answer rests on, where it bears on what was said or asked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from corpus import Corpus
from rag.datatypes import DraftSentence, Evidence, Passage, Query, Scope
from rag.index import PassageIndex

MOST = 3
# A view bears on a claim if the cosine of their sentences, each as it stands in its passage, is at least this. Chosen
# by reading the views of forty questions: above it nearly all bear on the claim, below it few do.
_SAME_MATTER = 0.58
# One that is less near must be near to the question as well, by the sum of both cosines, and hold this share of it; so
# must every view where a plain fact is asked for: what is like "SSI raised 3 billion" is about SSI, and not against it.
_NEAR_BOTH, _COVERS = 0.9, 0.5


def opposing_sources(corpus: Corpus, draft: Sequence[DraftSentence], scope: Scope) -> tuple[str, ...]:
    """Sources of the scope that oppose and bear on a section that the draft rests on, in the manifest's order: one of
    the main source's that it cites, or that another primary source which it cites bears on."""
    main = corpus.main
    if main is None:
        return ()
    rests_on: set[str] = set()
    for e in (e for said in draft for e in said.evidence):
        source = corpus.source_by_id[e.passage.source_id]
        if source.id == main.id:
            rests_on.add(e.sentence.section)
        elif source.stance == "primary":
            rests_on.update(source.bears_on)
    return tuple(
        source.id
        for source in corpus.sources
        if source.stance == "opposing"
        and rests_on.intersection(source.bears_on)
        and (not scope.sources or source.id in scope.sources)
    )


def other_views(
    index: PassageIndex,
    query: Query,
    draft: Sequence[DraftSentence],
    passages: Sequence[Passage],
    coverage: NDArray[np.float32],
) -> list[Evidence]:
    """The sentence of each source of some passages that bears most on what the draft says, if any does that a named
    person holds and the draft doesn't say already; the nearest first. `coverage` is the share of the question's term
    weight in the paragraph of each of the passages' sentences, shape (sentences,)."""
    rests_on = [e for sentence in draft for e in sentence.evidence]
    said = {(e.passage.source_id, e.position) for e in rests_on}
    people = {person.name for person in index.corpus.people if person.role not in ("guest", "host")}
    sentences = [e for passage in passages for e in index.sentences_in(passage)]
    places = [
        n
        for n, e in enumerate(sentences)
        if e.sentence.voice in people and (e.passage.source_id, e.position) not in said
    ]
    # One critic's view isn't against another's.
    claims = [e for e in rests_on if e.sentence.voice not in people]
    if not places or not claims:
        return []
    vectors = np.concatenate([index.sentence_vectors(passage) for passage in passages])[places]
    to_claim = (vectors @ index.evidence_vectors(claims).T).max(axis=1)
    near = to_claim + vectors @ query.vector
    covers = coverage[places] >= _COVERS
    same_matter = (to_claim >= _SAME_MATTER) & (not query.kinds - {"reason"})
    bears = same_matter | ((near >= _NEAR_BOTH) & covers)
    views: dict[str, Evidence] = {}
    for n in np.argsort(-near, kind="stable"):
        if bears[n]:
            view = sentences[places[n]]
            views.setdefault(view.passage.source_id, view)
    return list(views.values())[:MOST]
