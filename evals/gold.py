"""Where the gold evidence of a question stands in a corpus, and which passages hold it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from corpus import Corpus
from evals.questions import Question
from rag import Engine


@dataclass(frozen=True, slots=True)
class Place:
    """A verbatim occurrence: offsets into the text of a source; `section` is None between sections."""

    source_id: str
    section: str | None
    start: int
    end: int


def searched_sources(question: Question, corpus: Corpus) -> Sequence[str]:
    """The sources that the question may be answered from: its own scope, those its gold sections name, or all."""
    if question.sources:
        return [source for source in question.sources if source in corpus.source_by_id]
    if question.names_sources:
        named = dict.fromkeys(section.partition("#")[0] for section in question.gold_sections)
        return [source for source in named if source in corpus.source_by_id]
    return list(corpus.source_by_id)


def places(span: str, corpus: Corpus, sources: Sequence[str]) -> Iterator[Place]:
    """Every place in these sources where the span stands, word for word; white space may differ, since loaders
    join lines that a file breaks."""
    words = re.compile(r"\s+".join(map(re.escape, span.split())))
    for source_id in sources if words.pattern else ():
        for match in words.finditer(corpus.text(source_id)):
            sections = corpus.documents[source_id].sections
            section = next((s.label for s in sections if s.start <= match.start() < s.end), None)
            yield Place(source_id, section, match.start(), match.end())


def relevant_passages(question: Question, engine: Engine) -> list[str]:
    """Ids of the passages that hold gold evidence or an equal of it: at least half of a span's characters."""
    sources = searched_sources(question, engine.corpus)
    found: dict[str, None] = {}
    for place in (p for spans in question.spans for span in spans for p in places(span, engine.corpus, sources)):
        for passage in engine.index.passages_of(place.source_id, place.section or ""):
            shared = min(passage.end, place.end) - max(passage.start, place.start)
            if 2 * shared >= place.end - place.start:
                found[passage.id] = None
    return list(found)
