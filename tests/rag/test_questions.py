"""Questions that nobody would wish for: each gives an answer or one clear line."""

from __future__ import annotations

from pathlib import Path

import pytest

import rag
from corpus import Corpus
from rag.datatypes import Scope
from rag.sections import named_sections


@pytest.mark.parametrize("question", ["", "   ", "\n\t", "\x00\x01", "\ud800"])
def test_an_empty_question_is_refused_with_an_example(engine: rag.Engine, question: str) -> None:
    with pytest.raises(rag.QuestionError, match=r"empty.*verse ask"):
        engine.ask(question)


def test_a_question_of_100_000_characters_is_refused_with_the_limit(engine: rag.Engine) -> None:
    with pytest.raises(rag.QuestionError, match=r"100,000 characters, the limit is 4,000"):
        engine.ask("x" * 100_000)


@pytest.mark.parametrize(
    "question",
    [
        "What is \x07research\x1b[31m taste?",
        "What is research taste? \udcff\ud83d",
        "מה זה טעם במחקר?",
        "ما هو الذوق البحثي؟",
        "🤖🧠❓",
        "¿?",
        "' OR 1=1; --",
        "<script>alert(1)</script>",
        "a" * 3_900,
        "?" * 100,
    ],
)
def test_odd_text_gets_an_answer(engine: rag.Engine, question: str) -> None:
    answer = engine.ask(question)
    assert answer.text
    assert answer.question == question


def test_a_scope_that_names_nothing_is_refused_with_what_there_is(engine: rag.Engine) -> None:
    with pytest.raises(rag.QuestionError, match=r"no source has the id 'artikel'.*article"):
        engine.ask("Why?", sources=["artikel"])
    with pytest.raises(rag.QuestionError, match=r"no section is called 'Chapter 9'.*Chapter 1"):
        engine.ask("Why?", sections=["Chapter 9"])
    with pytest.raises(rag.QuestionError, match=r"at least 1"):
        engine.retrieve("Why?", k=0)


def test_an_unanswerable_question_is_no_dead_end(engine: rag.Engine) -> None:
    answer = engine.ask("What will the weather be in London tomorrow?")
    assert answer.status == "not_in_sources"
    assert answer.abstained
    assert not answer.citations
    assert answer.nearest


@pytest.mark.parametrize("turn", ["Why?", {"role": "user"}, {"content": "Why?"}, {"role": "user", "content": ["Why?"]}])
def test_a_history_of_another_shape_is_refused_with_the_right_one(engine: rag.Engine, turn: object) -> None:
    with pytest.raises(rag.QuestionError, match=r"a turn of the history.*content"):
        engine.ask("And then?", history=[turn])  # type: ignore[list-item]


def test_a_word_that_begins_like_chapter_names_none_and_many_texts_with_one_number_name_few(
    encoder_files: Path,
) -> None:
    texts = {
        f"text-{n}": f"# Section 1\n\nIt rains in town {n}.\n\n# Section 2\n\nThe sun sets there." for n in range(30)
    }
    with rag.open_engine(Corpus.from_texts(texts)) as engine:
        assert named_sections(engine.index, "Which choice was the best part 1st of all?", Scope(())) == ()
        named = named_sections(engine.index, "What does section 2 say?", Scope(()))
        assert 0 < len(named) < 30
        assert {label for _, label in named} == {"Section 2"}


HARBOURS = {
    f"harbour{n}": f"# Harbour {n}\n\nDaniel Moss opened harbour {n}. The lab of harbour {n} tests water with "
    f"machines. Quick thinking about tides helped harbour {n}."
    for n in range(1, 61)
} | {"office": "# The office\n\nThe harbours have a president. Daniel Levin has been president since May.\n"}


def test_a_name_made_of_common_words_that_stands_nowhere_is_said_to_be_missing(encoder_files: Path) -> None:
    with rag.open_engine(Corpus.from_texts(HARBOURS)) as engine:
        answer = engine.ask("Which water does Thinking Machines Lab test?")
        assert answer.abstained
        assert "“Thinking Machines Lab”" in answer.text
        assert not engine.ask("Who opened harbour 12?").abstained


def test_who_asks_for_one_daniel_is_not_answered_with_another(encoder_files: Path) -> None:
    with rag.open_engine(Corpus.from_texts(HARBOURS)) as engine:
        answer = engine.ask("What did Daniel Levin become?")
        assert answer.citations[0].source_id == "office"
        assert "Moss" not in engine.ask("Which harbour did Daniel Levin open?").text
