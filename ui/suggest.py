"""Questions and scopes that a corpus itself suggests; nothing here knows a particular text."""

from __future__ import annotations

from corpus import Corpus, Source
from rag.datatypes import Scope

FIRST_QUESTIONS = 4
LISTED = 60


def first_questions(corpus: Corpus, count: int = FIRST_QUESTIONS) -> list[str]:
    """Questions for an empty chat: from titled sections spread over the main source, and one about dissent."""
    main = main_source(corpus)
    sections = corpus.documents[main.id].sections
    titled = [section for section in sections if section.title not in ("", section.label)]
    dissent = ["Who disagrees, and why?"] if any(s.stance == "opposing" for s in corpus.sources) else []
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


def scopes(corpus: Corpus) -> dict[str, Scope]:
    """Where one may look: its name -> the scope."""
    main = main_source(corpus)
    found = {"Everything": Scope()}
    if len(corpus.sources) > 1:
        found[f"Only: {main.title}"] = Scope(sources=(main.id,))
        opposing = tuple(source.id for source in corpus.sources if source.stance == "opposing")
        if opposing:
            found["Only opposing views"] = Scope(sources=opposing)
    for section in corpus.documents[main.id].sections[:LISTED]:
        name = section.label if section.title == section.label else f"{section.label}: {section.title}"
        found.setdefault(name, Scope(sources=(main.id,), sections=(section.label,)))
    for source in corpus.sources[:LISTED]:
        found.setdefault(f"Source: {source.title}", Scope(sources=(source.id,)))
    return found
