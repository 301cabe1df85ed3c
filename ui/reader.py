"""Documents as HTML for the reader: each sentence in a span that carries its offsets.

Every character of a section stands in exactly one span with `data-start` and `data-end` (characters of
`Document.text`), so that the page's script can mark any range without knowing the text's structure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import TypedDict

from corpus import Corpus, Document, Section, Source
from ui.render import STANCE_WORDS, escape, web_address

LISTED_SOURCES = 300  # a menu of more is of no use to anybody; those that an answer cites still open

_MARKUP = re.compile(r"\s*(?:#{1,6}\s+|>\s+)")


class Pages(TypedDict):
    """One source, ready for the reader."""

    title: str
    contents: str
    text: str


def render_reader(corpus: Corpus) -> str:
    """The reader's frame: menu of sources, contents, and the place for the text."""
    return (
        '<div class="reader" role="region" aria-label="Reader">'
        '<div class="bar"><label><span class="sr">Source in the reader</span>'
        f'<select class="sources" autocomplete="off">{render_options(corpus)}</select></label>'
        '<details class="menu contents"><summary>Contents</summary><nav aria-label="Contents"></nav></details>'
        '<button type="button" class="back" data-act="back" hidden>Back to the answer</button>'
        '<button type="button" class="close" data-act="close" aria-label="Close the reader">×</button></div>'
        '<p class="problem" role="alert" hidden></p>'
        '<div class="sheet" tabindex="0" role="region" aria-label="Text of the source"></div>'
        '<p class="sr" role="status" aria-live="polite"></p></div>'
    )


def render_options(corpus: Corpus) -> str:
    """The menu of sources, by stance."""
    listed = sorted(corpus.sources[:LISTED_SOURCES], key=lambda source: list(STANCE_WORDS).index(source.stance))
    html = ""
    for stance, group in groupby(listed, key=lambda source: source.stance):
        options = "".join(f'<option value="{escape(s.id)}">{escape(s.title)}</option>' for s in group)
        html += f'<optgroup label="{STANCE_WORDS[stance]}">{options}</optgroup>'
    return html


def render_source(corpus: Corpus, source_id: str) -> Pages | None:
    """A source's text by section, or None where there is no such source."""
    source = corpus.source_by_id.get(source_id)
    if source is None:
        return None
    document = corpus.documents[source_id]
    entries = "".join(
        f'<li><button type="button" data-act="section" data-section="{n}" dir="auto">{_name(section)}</button></li>'
        for n, section in enumerate(document.sections)
    )
    notes = [(placed.end, _correction(corpus, placed.correction)) for placed in corpus.corrections.get(source_id, ())]
    body = "".join(_section(document, section, n, notes) for n, section in enumerate(document.sections))
    return Pages(title=source.title, contents=f"<ol>{entries}</ol>", text=_head(source) + body)


def _correction(corpus: Corpus, correction: object) -> str:
    status, note, basis = (getattr(correction, name) for name in ("status", "note", "basis"))
    title = corpus.source_by_id[basis].title if basis in corpus.source_by_id else basis
    return (
        f'<aside class="note" dir="auto"><strong>Correction ({escape(status)}):</strong> {escape(note)} '
        f"<cite>{escape(title)}</cite></aside>"
    )


def _name(section: Section) -> str:
    label = escape(section.label)
    return label if section.title in ("", section.label) else f"<b>{label}</b> {escape(section.title)}"


def _head(source: Source) -> str:
    facts = [escape(part) for part in (source.author, STANCE_WORDS[source.stance], source.published or "") if part]
    if (url := web_address(source.url)) is not None:
        facts.append(f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">Where it was published</a>')
    note = f'<p class="about" dir="auto">{escape(source.note)}</p>' if source.note else ""
    return f'<header><h2 dir="auto">{escape(source.title)}</h2><p class="meta">{" · ".join(facts)}</p>{note}</header>'


def _section(document: Document, section: Section, n: int, notes: Sequence[tuple[int, str]]) -> str:
    html = ""
    headings = {section.start: "h3"} | {span.start: "h4" for span in document.subheadings}
    for start, end in _blocks(document, section):
        html += _block(document, start, end, headings)
        html += "".join(note for place, note in notes if start < place <= end)
    return f'<section data-section="{n}" aria-label="{escape(section.label)}">{html}</section>'


def _blocks(document: Document, section: Section) -> Iterator[tuple[int, int]]:
    """(start, end) of lines, where a line break inside a sentence or between two of a paragraph is none."""
    inner = [s for s in document.sentences if section.start <= s.start < section.end]
    joined = [(g[0].start, g[-1].end) for _, g in ((k, list(v)) for k, v in groupby(inner, lambda s: s.paragraph))]
    start, at = section.start, 0
    for match in re.finditer(r"\n", document.text[section.start : section.end]):
        cut = section.start + match.end()
        while at < len(joined) and joined[at][1] < cut:
            at += 1
        if at < len(joined) and joined[at][0] < cut <= joined[at][1]:
            continue
        yield start, cut
        start = cut
    if start < section.end:
        yield start, section.end


def _block(document: Document, start: int, end: int, headings: dict[int, str]) -> str:
    text = document.text
    line = text[start:end]
    if not line.strip():
        return _span(text, start, end, "gap")
    first = start + len(line) - len(line.lstrip())
    markup = _MARKUP.match(line)
    level = markup.group().count("#") if markup else 0
    tag = ("h3" if level <= 2 else "h4") if level else headings.get(first, "p")
    cuts = {start, end}
    if markup:
        cuts.add(start + markup.end())
    kind = "prose"
    for sentence in document.sentences:
        if start <= sentence.start < end:
            kind = sentence.kind
            cuts |= {sentence.start, sentence.end}
    for row in document.rows:
        if start <= row.claim[0] < end:
            cuts |= {*row.claim, *row.verdict, *(row.evidence or ())}
    places = sorted(cuts)
    syntax = start + markup.end() if markup else start
    spans = "".join(_span(text, a, b, _part(text[a:b], kind, b <= syntax)) for a, b in pairwise(places))
    return f'<{tag} class="block {kind}" dir="auto">{spans}</{tag}>'


def _part(words: str, kind: str, syntax: bool) -> str:
    """What a span isn't shown for: markup, and the blanks between the cells of a row, which get a mark of their own."""
    return "syntax" if syntax else "gap" if kind == "row" and not words.strip() else ""


def _span(text: str, start: int, end: int, kind: str) -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<span{named} data-start="{start}" data-end="{end}">{escape(text[start:end])}</span>'
