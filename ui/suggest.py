"""Questions that a corpus, or an answer, itself suggests; nothing here knows a particular text."""

from __future__ import annotations

from collections.abc import Sequence

from corpus import Corpus, Source
from rag.datatypes import Answer

FIRST_QUESTIONS = 4
FOLLOW_UPS = 3
DISSENT = "Who disagrees, and why?"


def first_questions(corpus: Corpus, count: int = FIRST_QUESTIONS) -> list[str]:
    """Questions for an empty chat: from titled sections spread over the main source, and one about dissent."""
    main = main_source(corpus)
    sections = corpus.documents[main.id].sections
    titled = [section for section in sections if section.title not in ("", section.label)]
    dissent = [DISSENT] if any(s.stance == "opposing" for s in corpus.sources) else []
    wanted = count - len(dissent)
    step = max(1, len(titled) // wanted) if titled else 1
    questions = [f"What does {s.label} say about “{_short(s.title)}”?" for s in titled[::step][:wanted]]
    if not titled:
        questions = [f"What does it say about “{_short(s.label)}”?" for s in sections[1 : wanted + 1]]
    return [*questions, *dissent] or [f"What is “{_short(main.title)}” about?"]


def main_source(corpus: Corpus) -> Source:
    """The first primary source, or the first of all; what the reader opens with."""
    return next((source for source in corpus.sources if source.stance == "primary"), corpus.sources[0])


def _short(title: str) -> str:
    """A title without its second half and its own quotation marks."""
    for dash in (" – ", " — ", ": "):
        title = title.split(dash)[0]
    return title.strip("“”\"' ")


def follow_ups(corpus: Corpus, answer: Answer, known: Sequence[str]) -> list[str]:
    """What one may ask next, questions already put left out: how critics of the cited sections see it, and
    what else stands there. Where nothing answered, the questions that an empty chat offers."""
    if answer.status == "not_in_sources":
        questions = first_questions(corpus)
    else:
        questions = [f"What does {voice} say about this?" for voice in _critics(corpus, answer)[:2]]
        questions += [f"What does {label} say about “{_short(title)}”?" for label, title in _titled(corpus, answer)[:1]]
        questions += [DISSENT] if any(source.stance == "opposing" for source in corpus.sources) else []
    asked = {question.casefold().strip() for question in known}
    return [question for question in dict.fromkeys(questions) if question.casefold() not in asked][:FOLLOW_UPS]


def _critics(corpus: Corpus, answer: Answer) -> list[str]:
    """Who holds the other views beside the answer, then the people whose texts bear on most of what it cites."""
    cited = {c.section for c in answer.citations if c.stance == "primary"}
    people = {person.name for person in corpus.people}
    opposing = [s for s in corpus.sources if s.stance == "opposing" and s.author in people and cited & set(s.bears_on)]
    names = [view.voice for view in answer.other_views if view.voice in people]
    names += [source.author for source in sorted(opposing, key=lambda source: -len(cited & set(source.bears_on)))]
    heard = {citation.voice for citation in answer.citations}
    return [name for name in dict.fromkeys(names) if name not in heard]


def _titled(corpus: Corpus, answer: Answer) -> list[tuple[str, str]]:
    """(label, title) of the sections of the main source that are cited, or that the cited sources bear on."""
    main = main_source(corpus)
    labels = [c.section for c in answer.citations if c.source_id == main.id]
    for citation in answer.citations:
        source = corpus.source_by_id.get(citation.source_id)
        labels += source.bears_on if source else ()
    sections = corpus.documents[main.id].section_by_label
    found = [sections[label] for label in dict.fromkeys(labels) if label in sections]
    return [(section.label, section.title) for section in found if section.title not in ("", section.label)]
