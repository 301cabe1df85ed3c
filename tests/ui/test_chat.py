"""Chats are values: asked anew from a position, stopped, put on a shelf, kept by a browser and read back."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Generator
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from corpus import Corpus, VerseError
from rag.datatypes import Answer, AnswerSentence, Citation, Scope
from tests.ui.fakes import FakeEngine
from ui.chat import Chat, Exchange, Shelf, ask, compared, restore, save
from ui.export import from_json, to_json, to_markdown


@pytest.fixture
def engine(corpus: Corpus) -> FakeEngine:
    return FakeEngine(corpus, picks=(1, 3))


def asked(engine: FakeEngine, *questions: str) -> Chat:
    chat = Chat()
    for question in questions:
        *_, chat = ask(engine.stream, engine.corpus, question, chat)
    return chat


def test_an_exchange_grows_sentence_by_sentence(engine: FakeEngine) -> None:
    grown = [chat.exchanges[0] for chat in ask(engine.stream, engine.corpus, "Why?", Chat())]
    # The question alone, three sentences one by one (two picks, one of the second source), the answer.
    assert [len(exchange.sentences) for exchange in grown] == [0, 1, 2, 3, 3]
    assert [exchange.running for exchange in grown] == [True, True, True, True, False]


def test_the_engine_is_told_what_was_answered_before(engine: FakeEngine) -> None:
    asked(engine, "First?", "broken", "Second?")
    assert [turn["content"] for turn in engine.asked[2].history][::2] == ["First?"]
    assert [turn["role"] for turn in engine.asked[2].history] == ["user", "assistant"]


def test_an_earlier_question_asked_anew_drops_the_later_ones(engine: FakeEngine) -> None:
    *_, chat = ask(engine.stream, engine.corpus, "Edited?", asked(engine, "One?", "Two?", "Three?"), at=1)
    assert [exchange.question for exchange in chat.exchanges] == ["One?", "Edited?"]
    assert len(engine.asked[-1].history) == 2


def test_a_known_error_is_the_message_of_the_exchange(engine: FakeEngine) -> None:
    exchange = asked(engine, "broken").exchanges[0]
    assert exchange.message == "the index is missing; build it with: verse ingest"
    assert not exchange.running


def test_the_scope_goes_to_the_engine(engine: FakeEngine) -> None:
    list(ask(engine.stream, engine.corpus, "Why?", Chat(), scope=Scope(("article",), ("Chapter 1",))))
    assert (engine.asked[0].sources, engine.asked[0].sections) == (("article",), ("Chapter 1",))


def test_closing_the_chat_closes_the_engines_stream(engine: FakeEngine) -> None:
    running = ask(engine.stream, engine.corpus, "Why?", Chat())
    assert isinstance(running, Generator)
    next(running), next(running)
    running.close()
    assert (engine.closed, engine.finished) == (1, 0)


def test_a_saved_shelf_comes_back_with_its_citations(engine: FakeEngine) -> None:
    shelf = Shelf((asked(engine, "Why?", "unknown"), asked(engine, "Other \ud800?")), open=1)
    assert restore(save(shelf)) == shelf


def test_what_was_running_comes_back_as_stopped() -> None:
    assert restore(save(Shelf((Chat((Exchange("Why?"),)),)))).chat.exchanges[0].stopped


@pytest.mark.parametrize("kept", ["", "{", "[]", '{"chats": 3}', '{"chats": [], "open": 0}', '{"open": 9}', None, 7])
def test_what_cannot_be_read_back_is_an_empty_shelf(kept: object) -> None:
    assert restore(kept) == Shelf()


def test_the_oldest_chats_go_when_a_browser_could_not_keep_them_all() -> None:
    # Each chat is 900,000 characters long, and at most 2,000,000 are kept: two of three stay.
    chats = tuple(Chat((Exchange(letter * 900_000, stopped=True),)) for letter in "abc")
    kept = restore(save(Shelf(chats, open=1)))
    assert [chat.exchanges[0].question[0] for chat in kept.chats] == ["a", "b"]
    assert kept.open == 1


def kept_chat(name: str) -> Chat:
    return Chat((Exchange(name, stopped=True),))


def test_a_shelf_is_never_empty() -> None:
    one, two = kept_chat("one"), kept_chat("two")
    shelf = Shelf((one, two), open=1)
    assert (shelf.without(one.id).chats, shelf.without(one.id).open) == ((two,), 0)
    assert shelf.without(two.id).chats == (one,)
    assert shelf.without(one.id).without(two.id).chats == (Chat(),)
    assert shelf.with_new().with_new() == Shelf((Chat(), one, two))
    assert shelf.showing("another") == shelf.without("another") == shelf


def test_pages_of_one_browser_lose_nothing_to_each_other() -> None:
    one, two = kept_chat("one"), kept_chat("two")
    here, there = Shelf((one,)), Shelf((two, one), open=0)
    there = there.showing(one.id)
    there = there.with_chat(there.chat.having(*there.chat.exchanges, Exchange("and?", stopped=True)))
    joined = here.joined(restore(save(there)))
    assert [chat.title for chat in joined.chats] == ["two", "one"]  # the newest first
    assert [exchange.question for exchange in joined.chat.exchanges] == ["one", "and?"]  # still open, and the later one
    assert there.joined(restore(save(here))).chats == there.chats
    assert [chat.title for chat in joined.without(two.id).joined(there).chats] == ["one"]  # deleted is deleted
    assert there.joined(here.without(one.id)).chat == there.chat  # but for who is reading it


def test_a_page_that_the_server_has_forgotten_gets_its_chats_from_the_browser() -> None:
    kept = Shelf((kept_chat("one"), kept_chat("two")), open=1)
    assert Shelf(known=False).joined(kept) == kept
    assert [chat.title for chat in Shelf().joined(kept).chats] == ["New chat", "two", "one"]


def test_a_chat_may_be_given_a_title() -> None:
    chat = kept_chat("Why, and what of it?")
    assert Shelf((chat,)).renamed(chat.id, "  Of\nhives ").chat.title == "Of hives"
    assert Shelf((chat,)).renamed(chat.id, "Of hives").renamed(chat.id, " ").chat.title == "Why, and what of it?"


def test_json_export_is_the_apis_own_object(engine: FakeEngine) -> None:
    chat = asked(engine, "Why?")
    answer = chat.exchanges[0].answer
    assert answer
    exported = json.loads(to_json(chat))["exchanges"][0]["answer"]
    assert exported == json.loads(json.dumps(answer.to_dict()))


def test_an_exported_chat_comes_back_as_it_was(engine: FakeEngine) -> None:
    chat = asked(engine, "Why?", "unknown", "broken")
    assert [replace(e, sentences=(), follow_ups=()) for e in chat.exchanges] == list(from_json(to_json(chat)).exchanges)
    assert from_json(to_json(chat)).title == "Why?"
    assert from_json(to_json(replace(chat, name="Of hives"))).title == "Of hives"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"exchanges": 3}', '{"exchanges": []}', '{"exchanges": [{}]}', "[" * 99_999]
)
def test_a_file_that_is_no_exported_chat_is_refused(text: str) -> None:
    with pytest.raises(VerseError, match="choose"):
        from_json(text)


@pytest.mark.parametrize("share", ["NaN", "1e999", "-3", "1e308"])
def test_a_file_with_a_probability_that_is_none_is_refused(engine: FakeEngine, share: str) -> None:
    text = to_json(asked(engine, "Why?")).replace('"confidence": 0.93', f'"confidence": {share}')
    with pytest.raises(VerseError, match="choose"):
        from_json(text)


def test_an_answer_that_the_sources_no_longer_bear_out_is_found(engine: FakeEngine) -> None:
    shelf = Shelf((asked(engine, "Why?"),))
    assert compared(shelf, engine.corpus).chat.exchanges[0].lost == 0
    edited = Corpus.from_texts({"article": "A preface. " + engine.corpus.text("article")})
    assert compared(shelf, edited).chat.exchanges[0].lost == 3  # two moved, one of a source that is gone


def test_markdown_export_has_questions_marks_and_quotes(engine: FakeEngine) -> None:
    text = to_markdown(asked(engine, "Why?", "broken"))
    assert text.startswith("# Why?\n\n## Why?\n\n*Answered from the sources*\n\n")
    where = r"[1] **Chapter 1: On keeping bees** (primary source; Bees \& \<i\>Honey\</i\>)"
    assert f"{where}\n\n> A damp hive kills" in text
    assert text.endswith("## broken\n\nthe index is missing; build it with: verse ingest\n")


def test_an_exported_chat_shows_what_documents_and_visitors_wrote_and_loads_nothing() -> None:
    hostile = 'a *b* <img src=x onerror="alert(1)"> ![](https://evil.example/x.png) [c](javascript:d) &lt; `e` [1]: f'
    citation = Citation(1, "s", hostile, hostile, None, "primary", hostile, hostile, None, hostile, 0, 1, hostile)
    answer = Answer(hostile, hostile, "answered", 1.0, (AnswerSentence(hostile, (1,)),), (citation,))
    written = to_markdown(Chat((Exchange(hostile, answer=answer),)))
    shown = MarkdownIt("commonmark", {"html": True}).render(written)
    assert not re.search(r"<(?:img|script|code|a)\b", shown)
    assert html.unescape(shown).count(hostile) >= 5
