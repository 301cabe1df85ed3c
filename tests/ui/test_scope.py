"""What a visitor ticks in the menu becomes the scope that the engine is told."""

from __future__ import annotations

import json

import pytest

from corpus import Corpus
from rag.datatypes import Scope
from ui.scope import read_scope, render_scope


@pytest.fixture(scope="module")
def built_in() -> Corpus:
    return Corpus.open()


def test_the_menu_offers_sides_sections_and_sources(built_in: Corpus) -> None:
    html = render_scope(built_in)
    assert html.count('type="radio"') == 3
    assert 'value="section:Chapter 4"' in html
    assert html.count('value="source:') == len(built_in.sources) - 1
    small = render_scope(Corpus.from_texts({"<b>": "Chapter 1: <i>Bees</i>\n\nBees like it dry.\n"}))
    assert "<i>" not in small and small.count('type="radio"') == 1


@pytest.mark.parametrize(
    ("chosen", "scope"),
    [
        (["all"], Scope()),
        (["main"], Scope(("article",))),
        (["section:Chapter 2", "section:Chapter 5"], Scope(("article",), ("Chapter 2", "Chapter 5"))),
        ([], Scope()),
    ],
)
def test_a_choice_is_a_scope(built_in: Corpus, chosen: list[str], scope: Scope) -> None:
    assert read_scope(json.dumps(chosen), built_in) == scope


def test_only_opposing_views_are_the_opposing_sources(built_in: Corpus) -> None:
    found = read_scope('["opposing"]', built_in).sources
    assert found and {built_in.source_by_id[source].stance for source in found} == {"opposing"}


def test_sections_and_whole_sources_are_united(built_in: Corpus) -> None:
    other = built_in.sources[1].id
    scope = read_scope(json.dumps(["section:Chapter 2", f"source:{other}"]), built_in)
    assert scope.sources == ("article", other)
    assert scope.sections == ("Chapter 2", *dict.fromkeys(s.label for s in built_in.documents[other].sections))


@pytest.mark.parametrize("sent", ["", "{", "7", "null", '{"a": 1}', "[1, null]", "[" * 100_000])
def test_what_cannot_be_read_means_everything(built_in: Corpus, sent: str) -> None:
    assert read_scope(sent, built_in) == Scope()
