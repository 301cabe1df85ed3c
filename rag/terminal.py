"""An answer as a terminal shows it."""

from __future__ import annotations

import contextlib
import unicodedata

import click

from rag.call import Stoppable
from rag.datatypes import Answer, AnswerSentence, Citation, text_of

_WIDTH = 100
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_STATUS = {"partial": "The sources answer this in part."}


def tell(events: Stoppable[AnswerSentence | Answer]) -> Answer:
    """Print an answer as it comes, and what belongs to it at its end. The text is printed anew where a model failed
    in mid-answer."""
    said: list[AnswerSentence] = []
    shown = ""
    with contextlib.closing(events):
        for event in events:
            if isinstance(event, Answer):
                break
            said.append(event)
            text = text_of(said)
            click.echo(printable(text[len(shown) :]), nl=False)
            shown = text
    assert isinstance(event, Answer)
    if shown != event.text:
        click.echo(f"\n\n{printable(event.text)}", nl=False)
    click.echo("\n" + show_rest(event))
    return event


def show_rest(answer: Answer) -> str:
    """What stands below the text: how far it answers, each citation with its place, voice and quote, other views."""
    parts = [_STATUS[answer.status]] if answer.status in _STATUS else []
    parts += [f"({in_one_line(answer.notice)})"] if answer.notice else []
    parts += ["", *(_show_citation(citation) for citation in answer.citations)]
    for heading, citations in (("Other views", answer.other_views), ("The nearest passages", answer.nearest)):
        if citations:
            parts += ["", f"{heading}:", *(_show_citation(citation) for citation in citations)]
    if answer.withheld:
        left_out = (f"- {w.text} ({w.support.reason})" if w.support else f"- {w.text}" for w in answer.withheld)
        parts += [
            "",
            "Not shown as part of the answer, since the sources don't bear it out:",
            *map(in_one_line, left_out),
        ]
    return "\n".join(parts).rstrip()


def _show_citation(citation: Citation) -> str:
    titled = citation.section_title != citation.section
    place = f"{citation.section}: {citation.section_title}" if titled else citation.section
    head = in_one_line(" · ".join(filter(None, (citation.source_title, place, citation.locator, citation.voice))))
    lines = [f"[{citation.number}] {head}"]
    lines += click.wrap_text(
        citation.quote,
        width=_WIDTH,
        initial_indent="    | ",
        subsequent_indent="    | ",
        preserve_paragraphs=True,
    ).splitlines()
    lines += [in_one_line(f"    ! {note.text} ({note.status}; {note.source_title})") for note in citation.notes]
    return printable("\n".join(lines))


def printable(text: str) -> str:
    """Text from documents and questions without what a terminal would obey: escape sequences, and marks that turn
    the direction of all that follows."""
    return "".join(
        ch if ch == "\n" or (unicodedata.category(ch) not in ("Cc", "Cs") and ch not in _TURNS) else "�" for ch in text
    )


def in_one_line(text: str) -> str:
    """The same for names, titles and messages, which can't then pass for lines of ours."""
    return printable(" ".join(text.splitlines()))
