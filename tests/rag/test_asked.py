"""What a question demands is told from its words, and so is whether a sentence holds it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import rag
from corpus import Corpus
from rag.asked import asks_where, defined, demanded, full_names_asked, objected_to, spoken_of, yes_or_no

MILL = """# The mill

## The wheel

The miller Ansgar Holt rebuilt the wheel in March 1921 and lost his barn in the flood. The wheel has forty paddles of
oak. Holt paid 900 crowns for the timber. He sold flour to three villages. The new wheel turns slowly. It creaks.

## The pond

Reeds grow around the pond. The pond freezes late, since a spring feeds it. Herons from Ostby fish there.
"""


@pytest.fixture(scope="module")
def mill() -> Iterator[rag.Engine]:
    with rag.open_engine(corpus=Corpus.from_texts({"mill": MILL}, titles={"mill": "The mill"})) as engine:
        yield engine


@pytest.mark.parametrize(
    ("question", "holds", "lacks"),
    [
        ("When was it built?", "It was built in 1921.", "It may have been built by twelve men."),
        ("In which month did he leave?", "He left in May 2024.", "He may leave."),
        ("How many people work there?", "About 50 employees.", "Founded in 2015, it made GPT-3 and o1 (2015-2024)."),
        ("How many paddles has it?", "It has forty paddles.", "It took forty years, and 10 hours a day."),
        ("How many years did it take?", "It took 12 years.", "It took 12 men."),
        ("How long did he wait?", "He waited for hours.", "He waited for her."),
        ("How long until it is built?", "In two to five years.", "It is slow."),
        ("How much did he pay?", "He paid $3 billion.", "He paid in 2021, at three meetings."),
        ("And how old is she?", "She was 39 years old.", "She spoke of a 15-year-old for two hours."),
        ("How old is the girl?", "A 15-year-old girl.", "She left in July 2025, after two hours."),
        ("What share of them voted?", "Two thirds of 90 voted.", "Many voted."),
    ],
)
def test_what_is_demanded(question: str, holds: str, lacks: str) -> None:
    held = demanded(question)
    assert held is not None
    assert held(holds)
    assert not held(lacks)


@pytest.mark.parametrize(
    "question",
    ["When do models fail?", "How much do emotions matter?", "How do many of them work?", "Why did he leave in 2024?"],
)
def test_nothing_is_demanded(question: str) -> None:
    assert demanded(question) is None


def test_what_may_be_spoken_of() -> None:
    assert spoken_of("Does he mention the herons?") == ("herons", True)
    assert spoken_of("What does she say about robots?") == ("robots", False)
    assert spoken_of("Who mentions herons?") is None
    assert yes_or_no("And did he?")
    assert not yes_or_no("Who did?")
    assert not yes_or_no("Can you explain what he did?")


def test_an_owner_and_what_is_owned_are_two_names() -> None:
    assert full_names_asked("Do the villages use Holt's Flour?") == []
    assert full_names_asked("Who saw Ansgar Holt's Old Wheel turn?") == ["Ansgar Holt", "Old Wheel"]
    assert full_names_asked("Who hired Conan O'Brien first?") == ["Conan O'Brien"]


def test_an_answer_without_what_is_demanded_is_refused(mill: rag.Engine) -> None:
    assert mill.ask("When did Ansgar Holt rebuild the wheel?").text.startswith("The miller Ansgar Holt rebuilt")
    assert mill.ask("How many paddles has the wheel?").sentences[0].text.startswith("The wheel has forty")
    assert mill.ask("How many herons from Ostby fish in the pond?").abstained
    assert mill.ask("When did the herons from Ostby come to the pond?").abstained


def test_whether_something_is_mentioned(mill: rag.Engine) -> None:
    said = mill.ask("Does the text mention herons?")
    assert [sentence.text for sentence in said.sentences] == ["Herons from Ostby fish there."]
    assert "nowhere mention “swans”" in mill.ask("Does the text mention swans?").text


def test_a_question_of_yes_or_no_gets_no_more_than_what_bears_on_it(mill: rag.Engine) -> None:
    answer = mill.ask("Does a spring feed the pond?")
    assert [s.text for s in answer.sentences] == ["The pond freezes late, since a spring feeds it."]


def test_a_number_that_is_not_theirs_is_named(mill: rag.Engine) -> None:
    denied = mill.ask("Did Holt pay 400 crowns for the timber?")
    assert denied.status == "partial"
    assert "900 crowns" in denied.sentences[0].text
    assert denied.sentences[-1].text == "The sources don't say “400” of this."
    assert mill.ask("Did Holt pay 900 crowns for the timber?").status == "answered"
    assert "“1930”" in mill.ask("Was the wheel rebuilt in 1930?").sentences[-1].text


def test_who_did_something_is_answered_with_a_name_that_the_question_lacks() -> None:
    held = demanded("Who founded the mill with Ansgar Holt?")
    assert held is not None
    assert held("The mill was founded by Ansgar Holt and Brita Lund.")
    assert not held("Ansgar Holt founded the mill in May 1919.")
    built = demanded("Who built it?")
    assert built is not None
    assert not built("Tom Weld: It was built in England.")
    assert demanded("Who said that it creaks?") is None


def test_what_something_is_thought_to_be_worth_is_no_sum_that_was_paid() -> None:
    offered, valued = demanded("How much did they offer?"), demanded("How much is it worth?")
    assert offered is not None
    assert valued is not None
    assert not offered("They made an offer at a $32 billion valuation.")
    assert not offered("They made an offer when it was valued at about 5 million euros.")
    assert offered("They offered 2 million at a valuation of 5 million.")
    assert valued("It had a $32 billion valuation.")


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("What is a paddle wheel?", "paddle wheel"),
        ("what's continual learning", "continual learning"),
        ("What does “creaking” mean?", "creaking"),
        ("Define value function.", "value function"),
        ("What is wrong with it?", None),
        ("What is his view on robots?", None),
        ("What is the difference between a mill and a pond?", None),
    ],
)
def test_what_is_to_be_defined(question: str, topic: str | None) -> None:
    assert defined(question) == topic


def test_whom_objections_are_raised_to() -> None:
    assert objected_to("Who criticised Ansgar Holt?", ["Ansgar Holt", "Holt"])
    assert objected_to("And who disagrees with him?", [])
    assert not objected_to("What does Holt object to?", ["Ansgar Holt", "Holt"])


def test_where_something_stands_is_said_in_words(mill: rag.Engine) -> None:
    assert mill.ask("Which section talks about herons?").sentences[0].text == "That is in “The mill”, under “The pond”."
    assert not asks_where("Where do the herons come from?")


def test_what_nobody_is_said_to_have_done_is_named(mill: rag.Engine) -> None:
    assert mill.ask("Did Ansgar Holt invent the wheel?").sentences[-1].text == "The sources don't say “invent” of this."
    assert mill.ask("Did Ansgar Holt rebuild the wheel?").status == "answered"


def test_who_did_what_nobody_is_said_to_have_done_is_refused(engine: rag.Engine) -> None:
    assert engine.ask("Who invented the transformer?").abstained
    assert "Greenoaks" in engine.ask("Who led the funding round of April 2025?").sentences[0].text


def test_a_part_of_a_turn_is_looked_into_beside_what_the_other_found(engine: rag.Engine) -> None:
    answer = engine.ask("Did Ilya invent AlexNet? How many people work at SSI?")
    assert not answer.abstained
    assert "50 employees" in answer.text
    assert not engine.ask("Did Dwarkesh push back?").abstained
