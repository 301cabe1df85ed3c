"""How far a turn leans on the conversation, and what it takes from there."""

from __future__ import annotations

import pytest

import rag
from corpus import Corpus
from rag.chatter import chatter
from rag.datatypes import Turn
from rag.followup import lean, standalone_question

BRIDGE = "Who built the old bridge over the Aare?"


def _said(*contents: str) -> list[Turn]:
    """A conversation, oldest turn first; the user begins."""
    return [Turn(role="assistant" if n % 2 else "user", content=text) for n, text in enumerate(contents)]


def test_without_a_history_a_question_is_what_it_is() -> None:
    turn = standalone_question("And why?", [])
    assert (turn.text, turn.asked, turn.context, turn.leaning) == ("And why?", "And why?", "", 0.0)


def test_a_turn_that_points_back_gets_the_question_before_it() -> None:
    turn = standalone_question("When did he die?", _said(BRIDGE, "Hans Felder built it in 1571."))
    assert turn.text == f"{BRIDGE} When did he die?"
    assert turn.asked == "When did he die?"
    assert turn.context == f"{BRIDGE} Hans Felder built it in 1571."


def test_he_is_the_last_that_was_asked_about() -> None:
    people = [("Daniel Gross", "Gross"), ("Geoffrey Hinton", "Hinton")]
    history = _said("What does Hinton say?", "Little.", "Who is Gross?", "A founder.")
    assert standalone_question("Why did he leave?", history, people).asked == "Why did Daniel Gross leave?"
    assert standalone_question("Why did Hinton say he left?", history, people).asked == "Why did Hinton say he left?"
    assert standalone_question("What are his reasons?", history, people).asked == "What are Daniel Gross's reasons?"
    agrees = _said("Who is Hinton?", "A physicist.")
    assert (
        standalone_question("Does he agree with Gross?", agrees, people).asked
        == "Does Geoffrey Hinton agree with Gross?"
    )
    both = _said("Did Hinton and Gross meet?", "No.")
    assert standalone_question("When did he leave?", both, people).asked == "When did he leave?"


def test_the_weight_is_a_product_of_what_can_be_seen() -> None:
    # One term of its own ("die") weighs 0.7; "he" points back, times 1.8.
    assert lean("When did he die?", BRIDGE) == pytest.approx(0.7 * 1.8)
    # Three terms ("floods", "damage", "mill") weigh 0.3, and nothing points back.
    assert lean("Which floods damage a mill?", BRIDGE) == pytest.approx(0.3)
    # Two terms ("old", "bridge") weigh 0.5; both were in the last question, times 0.4.
    assert lean("Where is the old bridge?", BRIDGE) == pytest.approx(0.5 * 0.4)


def test_a_turn_without_a_word_of_its_own_leans_most() -> None:
    assert lean("Why?", BRIDGE) > lean("Why so expensive?", BRIDGE) > lean("Why are stone bridges so expensive?", "")


def test_a_full_question_keeps_its_text_and_only_a_little_of_its_context() -> None:
    question = "How many stone mills stood along the northern river bank before the great fire?"
    turn = standalone_question(question, _said(BRIDGE, "Hans Felder."))
    assert turn.text == question
    assert 0 < turn.leaning <= 0.15


def test_a_change_of_subject_leaves_everything_behind() -> None:
    turn = standalone_question("On another topic: what is it made of?", _said(BRIDGE, "Hans Felder."))
    assert turn.leaning == 0.0
    assert turn.context == ""


def test_there_is_no_pronoun_in_are_there_any() -> None:
    assert lean("Are there any tolls?", BRIDGE) == lean("Any tolls?", BRIDGE)


def test_a_chain_of_follow_ups_goes_back_to_the_question_that_stands_alone() -> None:
    history = _said("What is made in the paper mill of Serrieres?", "Paper.", BRIDGE, "Felder.", "Was he paid?", "Yes.")
    assert standalone_question("How much?", history).text == f"{BRIDGE} Was he paid? How much?"


def test_only_the_last_turns_are_looked_at() -> None:
    old = _said(*(f"Question {n}? " + "word " * 500 for n in range(2_000)))
    recent = _said(BRIDGE, "Felder. " + "More of it. " * 500)
    turn = standalone_question("Why?", [*old, *recent])
    assert turn == standalone_question("Why?", [*old[-4:], *recent])
    assert len(turn.context) <= 400 + 1 + 200


def test_a_history_that_ends_with_a_question_has_no_answer_to_lean_on() -> None:
    turn = standalone_question("Why?", [Turn(role="user", content=BRIDGE)])
    assert turn.context == BRIDGE
    assert standalone_question("Why?", [Turn(role="assistant", content="Hello.")]).leaning == 0.0


def test_the_next_chapter_is_counted_from_the_one_talked_of(engine: rag.Engine) -> None:
    told: list[Turn] = []
    for turn, chapter in (
        ("What is chapter 5 about?", "Chapter 5"),
        ("and the next one?", "Chapter 6"),
        ("the chapter after that?", "Chapter 7"),
    ):
        answer = engine.ask(turn, told)
        assert {citation.section for citation in answer.citations} == {chapter}
        told += [{"role": "user", "content": turn}, {"role": "assistant", "content": answer.text}]


def test_a_follow_up_is_not_told_the_same_again(engine: rag.Engine) -> None:
    first = engine.ask("What does Ilya say about emotions?", sources=["article"])
    told: list[Turn] = [
        {"role": "user", "content": first.question},
        {"role": "assistant", "content": first.text},
    ]
    second = engine.ask("who disputes it?", told, sources=["article"])
    assert not {sentence.text for sentence in first.sentences} & {sentence.text for sentence in second.sentences}


def test_what_a_table_said_is_not_said_again(engine: rag.Engine) -> None:
    first = engine.ask("How much money has SSI raised?")
    history = _said(first.question, first.text)
    assert "50 employees" in engine.ask("How many people work there?", history=history).sentences[0].text


def test_nobody_named_is_the_guest(engine: rag.Engine) -> None:
    assert "founder and CEO of SSI" in engine.ask("Who is he?", history=_said("What is this?", "A talk.")).text


def test_a_turn_that_stands_alone_gets_the_same_answer_again(engine: rag.Engine) -> None:
    question = "How many GPUs did the Transformer paper use?"
    first = engine.ask(question, sources=["article"])
    told: list[Turn] = [{"role": "user", "content": question}, {"role": "assistant", "content": first.text}]
    assert engine.ask(question, told, sources=["article"]).sentences[0].text == first.sentences[0].text


@pytest.mark.parametrize(
    ("before", "turn", "meant"),
    [
        ("What does LeCun say exactly?", "And Hinton?", "What does Hinton say exactly?"),
        ("What does Yann LeCun say exactly?", "what about Demis Hassabis", "What does Demis Hassabis say exactly?"),
        ("Who is Ilya?", "and the host?", "Who is the host?"),
        ("How high are rents in Berlin?", "And in Paris?", "How high are rents in Paris?"),
        ("How high are rents in Berlin?", "And for Anna?", "And for Anna?"),
        ("Why is that so?", "And Hinton?", "And Hinton?"),
        ("What does LeCun say?", "And why does Hinton disagree?", "And why does Hinton disagree?"),
    ],
)
def test_a_bare_name_takes_the_place_of_the_one_before(before: str, turn: str, meant: str) -> None:
    history: list[Turn] = [{"role": "user", "content": before}, {"role": "assistant", "content": "Something."}]
    assert standalone_question(turn, history).asked == meant


def test_bare_names_follow_each_other() -> None:
    history: list[Turn] = []
    for said in ("What does LeCun say?", "And Hinton?"):
        history += [{"role": "user", "content": said}, {"role": "assistant", "content": "Something."}]
    assert standalone_question("And Amodei?", history).asked == "What does Amodei say?"


@pytest.mark.parametrize("turn", ["What is his favourite food?", "And which football club does he support?"])
def test_what_the_turn_itself_asks_must_be_there(engine: rag.Engine, turn: str) -> None:
    history = _said("Why does he think scaling is over?", "He believes that the age of research is back.")
    assert engine.ask(turn, history=history).abstained


def test_summarise_that_asks_the_question_before_again_in_short() -> None:
    history: list[Turn] = [
        {"role": "user", "content": "What does Brandt say about honey?"},
        {"role": "assistant", "content": "Brandt says that city honey is clean. [1]"},
    ]
    for turn in ("Summarise that in two sentences", "shorter, please", "Can you sum that up in one sentence?"):
        assert standalone_question(turn, history).asked == f"What does Brandt say about honey? {turn}"
        longer: list[Turn] = [*history, {"role": "user", "content": turn}, {"role": "assistant", "content": "Clean."}]
        assert standalone_question("And Kohl?", longer, [("Ada Brandt", "Brandt"), ("Ines Kohl", "Kohl")]).text == (
            "What does Kohl say about honey?"
        )
    assert "honey" not in standalone_question("Summarise the article", history).asked


def test_another_name_takes_the_place_of_the_name_not_of_the_word_that_asks() -> None:
    history: list[Turn] = [
        {"role": "user", "content": "Does Brandt agree with the council?"},
        {"role": "assistant", "content": "Brandt agrees with the council. [1]"},
    ]
    assert standalone_question("And Kohl?", history).text == "Does Kohl agree with the council?"


@pytest.mark.parametrize(
    ("turn", "leans"),
    [
        ("What does he say about honey?", False),
        ("How does she see the queen of the hive?", False),
        ("What does he say about it?", True),
        ("What does he propose?", True),
        ("What did he think of the bridge?", True),
    ],
)
def test_he_on_a_subject_of_its_own_is_the_guest(turn: str, leans: bool) -> None:
    history = _said("How old is the bridge over the Aare?", "It is of 1571.")
    assert ("bridge" in standalone_question(turn, history, guest=True).text.removesuffix(turn)) is leans
    assert "bridge" in standalone_question(turn, history).text


def test_he_after_who_is_whom_the_answer_named() -> None:
    history = _said("Who built the bridge?", "Hans Felder did.")
    assert standalone_question("What does he say about honey?", history, guest=True).text.startswith("Who built")


def test_a_new_subject_with_he_is_not_pulled_back_to_the_last(engine: rag.Engine) -> None:
    first = engine.ask("Does SSI use Google's TPUs?")
    history = _said(first.question, first.text)
    answer = engine.ask("What does he say about emotions?", history)
    assert answer.status == "answered"
    assert answer.text.lower().count("emotion") > answer.text.count("SSI")


def test_what_was_not_answered_is_not_leant_on() -> None:
    history = _said("How old is the bridge?", "It is of 1571.", "Is it painted?", "The sources don't say.")
    assert standalone_question("Who built it?", history).text == "How old is the bridge? Who built it?"
    assert standalone_question("And why?", history).text == "How old is the bridge? Is it painted? And why?"


def test_small_talk_is_not_leant_on(engine: rag.Engine) -> None:
    history = _said("How many people work at SSI?", "About 50.", "Thanks!", "Hello!")
    assert (
        engine.ask("And in Tel Aviv?", history).standalone_question == "How many people work at SSI? And in Tel Aviv?"
    )


@pytest.mark.parametrize(
    "turn", ["Tell me more", "explain more", "And more?", "go on", "Can you elaborate on that, please?"]
)
def test_more_of_the_same_is_the_question_before_without_what_was_said(turn: str) -> None:
    more = standalone_question(turn, _said(BRIDGE, "Hans Felder."))
    assert (more.text, more.asked, more.said) == (BRIDGE, BRIDGE, "Hans Felder.")


def test_more_brings_other_sentences(engine: rag.Engine) -> None:
    first = engine.ask("What does Ilya say about emotions?")
    more = engine.ask("Tell me more", _said(first.question, first.text))
    assert more.status == "answered"
    assert not {s.text for s in more.sentences} & {s.text for s in first.sentences}
    again = engine.ask("Go on", _said(first.question, first.text, "Tell me more", more.text))
    assert not {s.text for s in again.sentences} & {s.text for s in (*first.sentences, *more.sentences)}


def test_the_guest_is_known_by_his_part(engine: rag.Engine) -> None:
    history = _said("Who is the guest?", "Ilya Sutskever.")
    assert engine.ask("Where did he work before?", history).standalone_question.endswith("Ilya Sutskever work before?")


def test_they_are_those_whose_views_were_asked_for(engine: rag.Engine) -> None:
    first = engine.ask("Who disagrees with Ilya on scaling?")
    answer = engine.ask("What do they argue?", _said(first.question, first.text))
    assert {citation.stance for citation in answer.citations} == {"opposing"}


def test_she_is_not_whom_the_turns_before_called_he() -> None:
    people = [("Tomas Lind", "Lind", "the guest")]
    history = _said("Who is the guest?", "Tomas Lind.", "Who disagrees with him?", "Greta Holm.")
    assert standalone_question("What does he say?", history, people).asked == "What does Tomas Lind say?"
    assert standalone_question("What does she say?", history, people).asked == "What does she say?"


def test_a_conversation_does_not_answer_what_no_source_speaks_of() -> None:
    text = (
        "Amsel: I leave the bees 15 kilos of honey. My losses fell from 30 percent to 12. A study found no difference."
    )
    with rag.open_engine(corpus=Corpus.from_texts({"bees": text})) as engine:
        history = _said(
            "How much honey does he leave the bees?", "15 kilos.", "What did the study find?", "No difference."
        )
        answer = engine.ask("Is he married?", history)
        assert (answer.status, "married" in answer.text) == ("not_in_sources", True)
        assert engine.ask("Did it help?", history).status != "not_in_sources"


def test_a_question_that_begins_as_small_talk_is_a_question() -> None:
    assert chatter("ok great, thanks") == "greeting"
    assert chatter("how are you?") == "greeting"
    assert chatter("ok and the old bridge?") is None
