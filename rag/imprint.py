"""Questions about a text itself: who wrote it, when it was published. The manifest says so, not the text."""

from __future__ import annotations

import re

from corpus import Source
from rag.datatypes import DraftSentence, Evidence, Query, Scope
from rag.index import PassageIndex
from rag.terms import content_terms, terms

_TEXT = r"(?:article|text|document|piece|essay|write-?up|page|post|paper|report|summary)"
_ASKS = (
    (
        "author",
        re.compile(
            r"^\W*(?:and |so )?(?:who (?:has |had )?(?:wrote|written|authored|published|is behind)|"
            r"(?:who (?:is|are|was|were)|what is|name) (?:the )?(?:authors?|writers?)(?: of)?|authors? of|by whom is)\b"
            r"(?P<what>[^,;:?]+)\W*$",
            re.I,
        ),
    ),
    (
        "date",
        re.compile(
            r"^\W*(?:and |so )?(?:when|(?:in|on) (?:what|which) (?:date|day|month|year)|what (?:date|day|month|year)) "
            r"(?:was|is|did)\b(?P<what>[^,;:?]+?)(?: come)? (?:written|published|posted|out|from|dated|released)\W*$",
            re.I,
        ),
    ),
)
_THE_TEXT = re.compile(rf"^\W*(?:the|this|that)\s+(?:original |whole |main )?{_TEXT}\W*$|^\W*(?:this|it)\W*$", re.I)
_KINDS_OF_TEXT = frozenset(
    terms("article text document piece essay write-up page post paper report summary study book")
)


def imprint(index: PassageIndex, query: Query, scope: Scope) -> list[DraftSentence]:
    """What the manifest knows of the author or the date of the text in question; none where no such thing is asked, or
    nothing is known."""
    for asked, pattern in _ASKS:
        if (hit := pattern.match(query.asked)) and (source := _source_meant(index, hit["what"], scope)):
            known = source.author if asked == "author" else source.published
            said = f"“{source.title}” is {'by' if asked == 'author' else 'dated'} {known}." if known else ""
            first = _first_sentence(index, source.id)
            return [DraftSentence(text, (first,), about=True) for text in (said, source.note) if text]
    return []


def _source_meant(index: PassageIndex, what: str, scope: Scope) -> Source | None:
    """The text that the others bear on, where "the article" is asked about; else the one text whose title has all the
    words."""
    sources = [source for source in index.corpus.sources if not scope.sources or source.id in scope.sources]
    if _THE_TEXT.match(what):
        main = index.corpus.main or (sources[0] if len(sources) == 1 else None)
        return main if main in sources else None
    wanted = set(content_terms(what)) - _KINDS_OF_TEXT
    titled = [source for source in sources if wanted and wanted <= set(terms(source.title))]
    return titled[0] if len(titled) == 1 else None


def _first_sentence(index: PassageIndex, source_id: str) -> Evidence:
    return next(index.sentences_in(index.passages_of(source_id, index.sections_of(source_id)[0])[0]))
