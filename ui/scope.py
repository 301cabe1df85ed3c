"""Where to look, and who writes: the menus under the question, and what a visitor has chosen there."""

from __future__ import annotations

import json
from collections.abc import Sequence

from corpus import Corpus, Source
from rag.datatypes import Scope
from ui.render import STANCE_WORDS, escape, model_name
from ui.suggest import main_source

LISTED = 200  # a menu of more is of no use to anybody


def render_scope(corpus: Corpus) -> str:
    """The menu: everything, one side, or chosen sections and sources; its summary names the choice."""
    main = main_source(corpus)
    others = [source for source in corpus.sources if source.id != main.id][:LISTED]
    wholes = [("all", "Everything")]
    if others:
        wholes.append(("main", f"Only: {main.title}"))
        if any(source.stance == "opposing" for source in corpus.sources):
            wholes.append(("opposing", "Only opposing views"))
    radios = "".join(
        f'<label><input type="radio" name="whole" value="{value}"{" checked" if value == "all" else ""}>'
        f'<span dir="auto">{escape(name)}</span></label>'
        for value, name in wholes
    )
    return (
        '<details class="menu scope"><summary><span class="lead">Look in</span> '
        '<span class="chosen" dir="auto">Everything</span></summary><form class="panel">'
        f"<fieldset><legend>Look in</legend>{radios}</fieldset>"
        f"<fieldset><legend>or in chosen sections</legend>{_sections(corpus, main)}</fieldset>"
        f"{_sources(others)}</form></details>"
    )


def _sections(corpus: Corpus, main: Source) -> str:
    boxes = ""
    for section in corpus.documents[main.id].sections[:LISTED]:
        title = f" {escape(section.title)}" if section.title not in ("", section.label) else ""
        boxes += _box(f"section:{section.label}", section.label, title)
    return boxes


def _sources(others: Sequence[Source]) -> str:
    if not others:
        return ""
    boxes = "".join(_box(f"source:{s.id}", s.title, f" · {STANCE_WORDS[s.stance]}") for s in others)
    return f"<fieldset><legend>or in chosen sources</legend>{boxes}</fieldset>"


def _box(value: str, name: str, more: str) -> str:
    return (
        f'<label><input type="checkbox" name="part" value="{escape(value)}" data-name="{escape(name)}">'
        f'<span dir="auto"><b>{escape(name)}</b>{more}</span></label>'
    )


def render_mode(llm: str | None) -> str:
    """Who writes the answers: a choice where a language model is configured, else a line that says so."""
    if llm is None:
        return (
            '<p class="mode-line" title="Start with verse ui --llm NAME to have a language model write instead">'
            "Answers without a language model</p>"
        )
    return (
        '<label class="mode-line">Answers <select class="mode" autocomplete="off">'
        f'<option value="llm" selected>written by {escape(model_name(llm))}</option>'
        '<option value="plain">in the sources’ own words</option></select></label>'
    )


def wants_plain(chosen: str) -> bool:
    """Whether a visitor chose answers without the language model; `chosen` is what the page's script sends."""
    return "plain" in _values(chosen)


def _values(chosen: str) -> list[str]:
    try:
        return [value for value in json.loads(chosen) if isinstance(value, str)]
    except (ValueError, TypeError, RecursionError):
        return []


def read_scope(chosen: str, corpus: Corpus) -> Scope:
    """What the page's script sends of the menu, a JSON list of values; what can't be read means everything."""
    values = _values(chosen)
    main = main_source(corpus)
    if "opposing" in values:
        return Scope(sources=tuple(source.id for source in corpus.sources if source.stance == "opposing"))
    if "main" in values:
        return Scope(sources=(main.id,))
    sections = tuple(value.removeprefix("section:") for value in values if value.startswith("section:"))
    sources = tuple(value.removeprefix("source:") for value in values if value.startswith("source:"))
    return _united(corpus, main, sections, sources)


def _united(corpus: Corpus, main: Source, sections: tuple[str, ...], sources: tuple[str, ...]) -> Scope:
    """Sections of the main source and whole other sources: a scope holds a source only by its sections then."""
    if not sections:
        return Scope(sources=sources)
    inner = (s.label for source in sources if source in corpus.source_by_id for s in corpus.documents[source].sections)
    return Scope(sources=(main.id, *sources), sections=tuple(dict.fromkeys((*sections, *inner))))
