"""Answers as HTML. Pure functions; every text that comes from outside is data and is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape as html_escape
from itertools import groupby
from urllib.parse import urlsplit

from rag.datatypes import Answer, AnswerSentence, Citation, Note
from ui.chat import Exchange

STATUS_WORDS = {
    "answered": "Answered from the sources",
    "partial": "Partly answered: the sources cover only some of this",
    "not_in_sources": "Not in the sources",
}
STANCE_WORDS = {
    "primary": "Primary source",
    "opposing": "Opposing view",
    "supporting": "Supporting view",
    "evidence": "Evidence",
}
LONGEST_TIED = 24  # a mark stays on the line of the word before it, unless that word is very long
RATING_WORDS = {"up": "Helpful", "down": "Not helpful"}
SUPPORT_WORDS = {"weak": "weakly supported", "unsupported": "not supported"}

# A browser drops or changes these when it reads HTML, and with them the offsets; each stays one character.
_UNSHOWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def escape(text: str) -> str:
    """Text as HTML, for elements and quoted attributes, one character shown for each one given."""
    return html_escape(_UNSHOWABLE.sub("\ufffd", text)).replace("\r", "&#13;")


def model_name(mode: str) -> str:
    """A model's name without the address of its server, which is nobody's business but the operator's."""
    return mode.partition("@")[0]


def web_address(url: str | None) -> str | None:
    """The address if a browser may be sent there, else None."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.netloc else None


def render_exchange(exchange: Exchange, position: int) -> str:
    """A question and everything that came back."""
    answer = exchange.answer
    state = "running" if exchange.running else "done"
    return (
        f'<article class="exchange" data-position="{position}" data-state="{state}">'
        f"{_question(exchange, position)}"
        f'<div class="answer" aria-busy="{str(exchange.running).lower()}">'
        f"{_status(exchange)}{_notice(answer)}"
        f"{_prose(answer.sentences if answer else exchange.sentences, answer, position)}"
        f"{_below(exchange, answer, position) if answer else ''}"
        "</div></article>"
    )


def _question(exchange: Exchange, position: int) -> str:
    tools = ""
    if not exchange.running:
        tools = (
            '<div class="tools">'
            f'<button type="button" data-act="edit" data-position="{position}">Edit</button>'
            f'<button type="button" data-act="retry" data-position="{position}">Ask again</button>'
            "</div>"
        )
    return (
        '<div class="question"><h2><span class="sr">You asked: </span>'
        f'<span class="asked" dir="auto">{escape(exchange.question)}</span></h2>{tools}</div>'
    )


def _status(exchange: Exchange) -> str:
    """What became of the question, in words."""
    if exchange.message:
        return f'<p class="status failed" role="alert" dir="auto">{escape(exchange.message)}</p>'
    if exchange.answer:
        status = exchange.answer.status
        return (
            f'<p class="status {status}">{STATUS_WORDS[status]}'
            f'<span class="likely" title="How likely it is that the sources answer this question">'
            f"{_percent(exchange.answer.confidence)} likely covered</span></p>"
        )
    if exchange.stopped:
        return '<p class="status stopped">Stopped before the end</p>'
    return '<p class="status running">Reading the sources…</p>'


def _notice(answer: Answer | None) -> str:
    """What one must know of how the answer came about, such as a model that failed."""
    return f'<p class="notice" role="status" dir="auto">{escape(answer.notice)}</p>' if answer and answer.notice else ""


def _percent(probability: float) -> str:
    """A probability in words; neither end is ever certain."""
    percent = round(100 * probability)
    return "over 99 %" if percent > 99 else "under 1 %" if percent < 1 else f"{percent} %"


def _prose(sentences: Sequence[AnswerSentence], answer: Answer | None, position: int) -> str:
    """The sentences, a paragraph or list for each stretch held by one voice."""
    cited = {citation.number: citation for citation in answer.citations} if answer else {}
    html = ""
    for (voice, form), run in groupby(sentences, key=lambda s: (s.voice, s.form)):
        label = f'<p class="voice">{escape(voice)}</p>' if voice else ""
        if form == "item":
            items = "".join(f'<li dir="auto">{_sentence(s, cited, position)}</li>' for s in run)
            html += f'<section class="run">{label}<ul>{items}</ul></section>'
        else:
            text = " ".join(_sentence(s, cited, position) for s in run)
            html += f'<section class="run">{label}<p dir="auto">{text}</p></section>'
    return f'<div class="prose">{html}</div>' if html else ""


def _sentence(sentence: AnswerSentence, cited: Mapping[int, Citation], position: int) -> str:
    marks = "".join(_mark(number, cited.get(number), position) for number in sentence.citations)
    support = sentence.support
    tag = ""
    if support and support.label in SUPPORT_WORDS:
        why = support.reason or f"support {support.score:.2f} of 1"
        tag = f' <span class="support" title="{escape(why)}">{SUPPORT_WORDS[support.label]}</span>'
    head, space, last = sentence.text.rpartition(" ")
    if len(last) > LONGEST_TIED:
        return f'<span class="sentence">{escape(sentence.text)}{marks}</span>{tag}'
    tied = f'<span class="tied">{escape(last)}{marks}</span>'
    return f'<span class="sentence">{escape(head + space)}{tied}</span>{tag}'


def _mark(number: int, citation: Citation | None, position: int) -> str:
    """A citation's number; a button once the place is known."""
    if citation is None:
        return f'<sup class="mark pending">[{number}]</sup>'
    label = f"Citation {number}: {citation.section}, {citation.voice or citation.source_title}"
    return (
        f'<sup><button type="button" class="mark" {_place(citation)} data-cite="{position}-{number}" '
        f'aria-label="{escape(label)}">[{number}]</button></sup>'
    )


def _place(citation: Citation) -> str:
    """Where the reader is to go, as attributes."""
    return (
        f'data-act="go" data-source="{escape(citation.source_id)}" '
        f'data-start="{citation.start}" data-end="{citation.end}"'
    )


def _below(exchange: Exchange, answer: Answer, position: int) -> str:
    return (
        _grounds(exchange, answer)
        + _cards("Citations", answer.citations, f"{position}", numbered=True)
        + _cards("Other views", answer.other_views, f"{position}-other")
        + _cards("Nearest passages", answer.nearest, f"{position}-near")
        + _withheld(answer.withheld)
        + _actions(exchange, answer, position)
    )


def _grounds(exchange: Exchange, answer: Answer) -> str:
    """Validity and support, apart: where the quotes stand, and how many sentences they bear out."""
    judged = [sentence.support for sentence in answer.sentences if sentence.support]
    if not answer.citations or not judged:
        return ""
    quotes = len(answer.citations)
    borne = sum(support.label == "supported" for support in judged)
    return (
        f'<p class="grounds"><span><b>Quotes</b> {quotes - exchange.lost} of {quotes} word for word in their '
        f"sources</span><span><b>Support</b> {borne} of {len(judged)} sentences borne out by their quotes</span></p>"
    )


def _cards(title: str, citations: Sequence[Citation], prefix: str, *, numbered: bool = False) -> str:
    if not citations:
        return ""
    cards = "".join(
        _card(citation, f"{prefix}-{citation.number if numbered else n}", numbered=numbered)
        for n, citation in enumerate(citations)
    )
    kind = title.lower().replace(" ", "-")
    return f'<section class="cards {kind}"><h3>{title}</h3><ol>{cards}</ol></section>'


def _card(citation: Citation, key: str, *, numbered: bool) -> str:
    number = f'<span class="number">[{citation.number}]</span> ' if numbered else ""
    where = escape(citation.section)
    if citation.section_title and citation.section_title != citation.section:
        where += f" · {escape(citation.section_title)}"
    if citation.locator:
        where += f" · {escape(citation.locator)}"
    source = escape(citation.source_title)
    if (url := web_address(citation.url)) is not None:
        source = f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">{source}</a>'
    quote = "quote quoted" if citation.quote.startswith(("“", '"', "«", "„")) else "quote"
    voice = f'<span class="who">{escape(citation.voice)}</span>' if citation.voice else ""
    return (
        f'<li class="card {citation.stance}" data-card="{escape(key)}">'
        f'<button type="button" class="go" {_place(citation)} data-cite="{escape(key)}-card">'
        f'<span class="where" dir="auto">{number}{where}</span>'
        f'<span class="{quote}" dir="auto">{escape(citation.quote)}</span></button>'
        f'<p class="meta">{voice}<span class="stance">{STANCE_WORDS[citation.stance]}</span>'
        f'<cite dir="auto">{source}</cite></p>{_notes(citation.notes)}</li>'
    )


def _notes(notes: Iterable[Note]) -> str:
    return "".join(
        f'<p class="note" dir="auto"><strong>Correction ({note.status}):</strong> {escape(note.text)} '
        f"<cite>{escape(note.source_title)}</cite></p>"
        for note in notes
    )


def _withheld(sentences: Sequence[AnswerSentence]) -> str:
    if not sentences:
        return ""
    items = "".join(
        f'<li dir="auto">{escape(s.text)}'
        f'<span class="why">{escape(s.support.reason if s.support and s.support.reason else "not supported")}</span>'
        "</li>"
        for s in sentences
    )
    return (
        f'<details class="withheld"><summary>Withheld: {len(sentences)} written, but not borne out by the '
        f"sources</summary><ul>{items}</ul></details>"
    )


def _actions(exchange: Exchange, answer: Answer, position: int) -> str:
    """Copying, rating, and questions that follow from the answer."""
    copy = f'<button type="button" data-act="copy" data-position="{position}">Copy</button>' if answer.sentences else ""
    rates = "".join(
        f'<button type="button" data-act="rate" data-position="{position}" data-rating="{rating}" '
        f'aria-pressed="{str(exchange.rating == rating).lower()}">{name}</button>'
        for rating, name in RATING_WORDS.items()
    )
    thanks = '<span class="thanks" role="status">Thank you. Kept on this machine.</span>' if exchange.rating else ""
    mode = (
        "in the sources’ own words" if answer.mode == "extractive" else f"written by {escape(model_name(answer.mode))}"
    )
    asks = "".join(f"<li>{_suggestion(question)}</li>" for question in exchange.follow_ups)
    follow = f'<section class="follow"><h3>Ask next</h3><ul>{asks}</ul></section>' if asks else ""
    return f'<div class="actions">{copy}{rates}{thanks}<span class="mode">{mode}</span></div>{follow}'


def _suggestion(question: str) -> str:
    return f'<button type="button" class="suggestion" data-act="ask" dir="auto">{escape(question)}</button>'


def render_welcome(title: str, suggestions: Sequence[str]) -> str:
    """What an empty chat shows."""
    asks = "".join(f"<li>{_suggestion(question)}</li>" for question in suggestions)
    about = f"<p>Ask about <cite>{escape(title)}</cite> and the sources around it.</p>" if title else ""
    return (
        '<section class="welcome"><h2>Every sentence with its chapter and verse</h2>'
        f"{about}<p>Each sentence of an answer names the place that it rests on. Choose a number to read the very "
        f"words there. Where the sources don’t say, neither does the answer.</p><ul>{asks}</ul></section>"
    )
