"""What a reader would notice: the answer first, nothing dangling, and a plain word where a part is missing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import rag
from corpus import Corpus
from rag.datatypes import Turn
from rag.followup import parts, without_opening
from rag.terms import points_back

HARBOUR = """# The harbour

## The bridge

The mayor opened the new bridge on 4 May 2019 after six years of work. It cost 31 million euros, twice what had been
planned. The engineer Ruth Amsel designed it as a single arch of steel. She had built nothing larger than a footbridge
before.

## The ferries

Ferries cross the harbour every twenty minutes between six and midnight. The company keeps four boats, and two of them
run on batteries. The captains complain that the batteries freeze in January. The company says that it will heat them.
"""


@pytest.fixture(scope="module")
def harbour() -> Iterator[rag.Engine]:
    with rag.open_engine(corpus=Corpus.from_texts({"harbour": HARBOUR}, titles={"harbour": "The harbour"})) as engine:
        yield engine


def test_the_sentence_that_answers_comes_first(harbour: rag.Engine) -> None:
    answer = harbour.ask("Who designed the new bridge?")
    assert answer.status == "answered"
    assert answer.sentences[0].text.startswith("The engineer Ruth Amsel")


def test_two_questions_in_one_turn_are_both_answered(harbour: rag.Engine) -> None:
    answer = harbour.ask("Who designed the new bridge, and how often do the ferries cross the harbour?")
    assert answer.status == "answered"
    assert {citation.section for citation in answer.citations} >= {"The bridge", "The ferries"}


def test_a_part_that_the_sources_lack_is_named(harbour: rag.Engine) -> None:
    answer = harbour.ask("Who designed the new bridge, and which opera did the tenor sing in Vienna?")
    assert answer.status == "partial"
    assert not answer.abstained
    assert "Ruth Amsel" in answer.text
    assert answer.sentences[-1].text == "On “which opera did the tenor sing in Vienna?” the sources don't say."
    assert not answer.sentences[-1].citations


def test_no_answer_begins_with_a_word_that_points_nowhere(engine: rag.Engine) -> None:
    for question in ("What is the value function for?", "Summarise chapter 4", "Why are emotions robust?"):
        opening = engine.ask(question, sources=["article"]).sentences[0].text
        assert not points_back(opening), f"{question}: {opening}"


def test_a_text_without_sections_is_summed_up_from_end_to_end(harbour: rag.Engine) -> None:
    plain = HARBOUR.replace("#", "")
    with rag.open_engine(corpus=Corpus.from_texts({"plain": plain})) as engine:
        for question in ("What is this about?", "summarise"):
            answer = engine.ask(question)
            assert answer.status == "answered"
            assert len(answer.sentences) >= 2


def test_a_bare_request_for_a_summary_is_answered_in_any_scope(engine: rag.Engine) -> None:
    assert engine.ask("summarise", sources=["article"]).status == "answered"
    assert engine.ask("tl;dr", sections=["Chapter 2"]).status == "answered"


@pytest.mark.parametrize(
    ("turn", "asked"),
    [
        ("how many people work there and where?", ["how many people work there and where?"]),
        ("What is AGI? Why was the term coined?", ["What is AGI?", "Why was the term coined?"]),
        ("Who disagrees about scaling, and why?", ["Who disagrees about scaling, and why?"]),
        ("Is it what he says and what he means?", ["Is it what he says and what he means?"]),
    ],
)
def test_a_turn_falls_into_what_it_asks(turn: str, asked: list[str]) -> None:
    assert parts(turn) == asked


@pytest.mark.parametrize(
    ("turn", "rest"),
    [
        ("OK, different topic. Who is Gross?", "Who is Gross?"),
        ("thanks! and who pays?", "and who pays?"),
        ("Right or wrong?", "Right or wrong?"),
        ("Thanks!", "Thanks!"),
        ("hey so um i was wondering like what does he want lol", "what does he want"),
        ("could you please tell me who pays?", "who pays?"),
        ("So what?", "So what?"),
    ],
)
def test_what_only_opens_a_turn_is_not_searched_for(turn: str, rest: str) -> None:
    assert without_opening(turn) == rest


def test_what_is_checked_is_not_answered_by_another_claim(engine: rag.Engine) -> None:
    answer = engine.ask("Is it true that SSI has 500 employees?")
    assert "50 employees" in answer.sentences[0].text
    assert not any("Crunchbase" in sentence.text for sentence in answer.sentences)


def test_how_a_text_was_read_is_told_to_those_who_ask(engine: rag.Engine) -> None:
    assert "not seen" not in engine.ask("What does LeCun say about LLMs?").text
    assert "not seen" in engine.ask("Was Hinton's original report seen?").text


@pytest.mark.parametrize("question", ["How big is the SSI team?", "How many people work at SSI?"])
def test_a_team_is_counted_in_employees(engine: rag.Engine, question: str) -> None:
    assert "50 employees" in engine.ask(question).sentences[0].text


def test_a_date_that_is_said_of_him_is_told_with_the_others(engine: rag.Engine) -> None:
    assert "May 2024" in engine.ask("When did Ilya leave OpenAI?").text


def test_of_whom_nothing_is_said_is_named(engine: rag.Engine) -> None:
    for question, of in (
        ("Did Ilya win the Nobel Prize?", "this of Ilya Sutskever"),
        ("Did he invent the transformer?", "“invent” of this"),
    ):
        answer = engine.ask(question, sources=["article"])
        assert answer.status == "partial"
        assert answer.sentences[-1].text == f"The sources don't say {of}."
    assert "this of" not in engine.ask("Did Ilya write the AlexNet paper alone?").text
    assert engine.ask("Did Ilya found SSI?", sources=["article"]).status == "answered"


def test_a_number_of_somebody_else_answers_nothing(engine: rag.Engine) -> None:
    assert "2 GPUs" in engine.ask("How many GPUs did AlexNet use?").text
    assert engine.ask("How many GPUs does SSI have?").abstained


def test_who_criticised_somebody_is_not_answered_by_them(engine: rag.Engine) -> None:
    answer = engine.ask("Who criticises Damasio?")
    assert answer.citations[0].voice == "Barnaby Dunn"
    assert all(citation.voice != "Antonio Damasio" for citation in answer.citations)


def test_what_something_is_comes_from_a_sentence_about_it(engine: rag.Engine) -> None:
    assert engine.ask("What is a somatic marker?").sentences[0].text.startswith("A somatic marker, Damasio argues,")
    assert "jagged" in engine.ask("What is jaggedness?").sentences[0].text


def test_a_bare_answer_is_read_on_to_what_bears_it_out(engine: rag.Engine) -> None:
    said = engine.ask("Why can't models learn like a young researcher?", sources=["article"]).sentences
    assert said[-1].text == "Models can’t do this."


def test_names_that_are_not_said_of_somebody_are_told(engine: rag.Engine) -> None:
    for question, name in (("Did Ilya cofound Google?", "Google"), ("Is LeCun the CEO of OpenAI?", "OpenAI")):
        assert engine.ask(question).sentences[-1].text == f"The sources don't say “{name}” of this."
    assert "this of Dwarkesh Patel" in engine.ask("Is Dwarkesh a researcher at Anthropic?").text
    for question in ("Is Hassabis the CEO of DeepMind?", "Did Gross go to Meta?", "Did Ilya leave OpenAI?"):
        assert engine.ask(question).status == "answered", question


def test_a_view_that_nothing_said_is_near_to_is_told_to_be_lacking(engine: rag.Engine) -> None:
    answer = engine.ask("What does Dwarkesh think about the Iowa gambling task?")
    assert answer.status == "partial"
    assert answer.text.endswith("The sources don't say this of Dwarkesh Patel.")
    assert engine.ask("What does Hinton think about scaling?").status == "answered"


def test_what_is_to_be_listed_is_read_on_from_what_announces_it(engine: rag.Engine) -> None:
    for question in ("What are the two eras?", "Which two eras are there?"):
        text = engine.ask(question).text
        assert "Age of Research" in text, question
        assert "Age of Scaling" in text, question


def test_what_is_counted_is_what_was_asked_to_be_counted(engine: rag.Engine) -> None:
    history: list[Turn] = []
    for question in ("What is SSI?", "Who founded it?", "How many employees does it have?"):
        answer = engine.ask(question, history)
        history += [{"role": "user", "content": question}, {"role": "assistant", "content": answer.text}]
    assert "50 employees" in answer.text


def test_another_version_of_a_thing_is_not_the_thing(engine: rag.Engine) -> None:
    assert engine.ask("What role did GPT-3 play?").status == "answered"
    assert engine.ask("What was said about GPT 3?").status == "answered"
    refused = engine.ask("What role did GPT-5 play?")
    assert refused.status == "not_in_sources"
    assert "GPT-5" in refused.text
    assert engine.ask("How good is The-5?").status == "not_in_sources"


def test_a_firm_called_after_a_thing_is_not_the_thing(engine: rag.Engine) -> None:
    assert "Superintelligence Labs" not in engine.ask("When does Ilya expect superintelligence?").text
    assert "Superintelligence Labs" in engine.ask("Who joined Meta’s Superintelligence Labs?").text


def test_what_a_text_calls_itself_points_nowhere() -> None:
    assert not points_back("This nearly two-hour conversation covers the role of emotions.")
    assert points_back("This judgment is far from consensus.")


def test_whether_something_is_convincing_is_asked_of_the_critics(engine: rag.Engine) -> None:
    asked = "Why does he think AI should care for sentient life?"
    before = [{"role": "user", "content": asked}, {"role": "assistant", "content": engine.ask(asked).text}]
    answer = engine.ask("Is it a convincing argument?", before)  # type: ignore[arg-type]
    assert "Simon Lermen" in {citation.voice for citation in answer.citations}
