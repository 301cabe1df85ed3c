"""Questions that name no topic are answered from the corpus's own order: people, stances, sections, corrections."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import rag
from corpus import Corpus
from rag.datatypes import Turn

MANIFEST = """
title = "Bees in the city"

[[people]]
name = "Ada Brandt"
aliases = ["Brandt"]
role = "guest"

[[people]]
name = "Tom Weld"
aliases = ["Weld"]
role = "host"

[[people]]
name = "Ines Kohl"
aliases = ["Kohl"]
role = "critic"

[[sources]]
id = "talk"
title = "Bees in the city"
author = "The Hive"
voice = "the write-up"
file = "talk.md"

[[sources]]
id = "kohl"
title = "Too many hives"
author = "Ines Kohl"
stance = "opposing"
bears_on = ["Hives"]
file = "kohl.md"

[[corrections]]
source = "talk"
anchor = "Brandt keeps ninety hives on the roofs of the town."
note = "She said nineteen."
status = "confirmed"
basis = "kohl"
"""
TALK = """# Bees in the city

## Hives

Ada Brandt, founder of the roof hive club, spoke for an hour about honey. Brandt keeps ninety hives on the roofs of the
town. Brandt says that roofs are warm and full of flowers. “City honey is cleaner than country honey.” Tom Weld doubts
that anybody can taste the difference.

## Judgement

The talk rests on one summer only. A warm year makes every keeper look wise. Nobody weighed the honey of a second year.
"""
KOHL = """# Too many hives

## What Kohl argues

Ines Kohl argues that city hives starve wild bees of pollen. Kohl counted fewer wild bees wherever a hive stood. Kohl
would allow one hive in each park.
"""


@pytest.fixture(scope="module")
def bees(tmp_path_factory: pytest.TempPathFactory, encoder_files: Path) -> Iterator[rag.Engine]:
    folder = tmp_path_factory.mktemp("bees")
    (folder / "texts").mkdir()
    (folder / "manifest.toml").write_text(MANIFEST, encoding="utf-8")
    (folder / "texts" / "talk.md").write_text(TALK, encoding="utf-8")
    (folder / "texts" / "kohl.md").write_text(KOHL, encoding="utf-8")
    with rag.open_engine(folder, index=folder / "index") as engine:
        yield engine


def test_who_somebody_is_is_told_by_the_sentence_that_introduces_them(bees: rag.Engine) -> None:
    for question in ("Who is Ada Brandt?", "Who is the guest?"):
        assert bees.ask(question).text.startswith("Ada Brandt, founder of the roof hive club")


def test_who_interviews_whom_is_known_from_their_parts(bees: rag.Engine) -> None:
    assert bees.ask("Who is being interviewed?").text.startswith("Ada Brandt, founder")
    for question in ("Who interviews her?", "Who interviewed Ada Brandt?", "Who hosts the show?"):
        answer = bees.ask(question)
        assert [answer.status, "Tom Weld" in answer.text] == ["answered", True]


def test_somebody_that_no_manifest_names_is_introduced_by_the_text(encoder_files: Path) -> None:
    text = """Maria Keller: My guest today is the baker Paul Andersson, who runs a shop in Malmö.

Paul Andersson: Thank you. Bread got worse in 1961. The mixers became too fast.
"""
    with rag.open_engine(Corpus.from_texts({"talk": text})) as engine:
        assert engine.ask("Who is Paul Andersson?").text.startswith("Maria Keller: My guest today is the baker")


def test_somebody_whom_nobody_introduces_is_known_by_the_first_words(tmp_path: Path, encoder_files: Path) -> None:
    text = """Maria Keller: Welcome back. My guest is the baker Paul Andersson.

Paul Andersson: Thank you. Bread got worse in 1961. The mixers became too fast.

Maria Keller: But it made bread affordable. Isn't that a good thing?

Paul Andersson: It was. What we lost was time, and time is where flavour comes from.

Maria Keller: What should a listener do tomorrow?

Paul Andersson: Mix rye flour with water, and wait.
"""
    (tmp_path / "talks").mkdir()
    (tmp_path / "talks" / "talk.txt").write_text(text, encoding="utf-8")
    with rag.open_engine(tmp_path / "talks", index=tmp_path / "index") as engine:
        answer = engine.ask("Who is the host?")
        assert answer.text.startswith("The host is Maria Keller.")
        assert answer.citations[0].quote == "Maria Keller: Welcome back."
        assert engine.ask("Who is Maria Keller?").text.startswith("The host is Maria Keller.")


def test_who_wrote_a_text_is_known_from_the_manifest(bees: rag.Engine) -> None:
    assert bees.ask("Who wrote the article?").text.startswith("“Bees in the city” is by The Hive.")
    assert bees.ask("Who is the author of Too many hives?").text.startswith("“Too many hives” is by Ines Kohl.")
    assert not bees.ask("Who wrote the Bible?").text.startswith("“")


def test_what_letters_stand_for(engine: rag.Engine) -> None:
    answer = engine.ask("What does SSI stand for?")
    assert [s.text for s in answer.sentences] == [
        "Ilya Sutskever, founder and CEO of SSI (Safe Superintelligence Inc.)."
    ]


def test_letters_that_stand_nowhere_beside_their_words_are_spelt_out(engine: rag.Engine) -> None:
    for question in ("What does AGI stand for?", "What does AGI mean?"):
        assert "“Artificial General Intelligence”" in engine.ask(question).sentences[0].text


def test_whether_somebody_is_right_is_asked_of_the_critics(bees: rag.Engine) -> None:
    for question in ("Is she right?", "What are the weaknesses of her argument?"):
        assert {citation.voice for citation in bees.ask(question).citations} == {"Ines Kohl"}


def test_corrections_about_somebody_are_no_introduction(engine: rag.Engine) -> None:
    answer = engine.ask("What corrections are there about Bouchard?")
    assert all(sentence.text.startswith("On “") for sentence in answer.sentences)


def test_what_is_known_to_be_wrong_is_listed_with_the_place(bees: rag.Engine) -> None:
    answer = bees.ask("What does the article get wrong?")
    assert answer.sentences[0].text == "On “Brandt keeps ninety hives on the roofs of the town.”: She said nineteen."
    assert not answer.sentences[0].voice, "Brandt doesn't correct herself"
    assert "ninety hives" in answer.citations[0].quote.replace("\n", " ")
    assert bees.ask("What does the article get wrong about Kohl?").text != answer.text


def test_the_critics_speak_where_no_topic_is_named(bees: rag.Engine) -> None:
    for question in ("What are the main arguments against her?", "List the people who disagree with Ada Brandt."):
        answer = bees.ask(question)
        assert answer.status == "answered"
        assert {citation.voice for citation in answer.citations} == {"Ines Kohl"}


def test_somebodys_view_is_what_they_say(bees: rag.Engine) -> None:
    assert {c.voice for c in bees.ask("What does the host disagree with?").citations} == {"Tom Weld"}
    assert {c.source_id for c in bees.ask("What is Kohl's position?").citations} == {"kohl"}


@pytest.mark.parametrize(
    "question",
    [
        "What is the strongest argument against Brandt?",
        "What are the weaknesses of Brandt's argument?",
        "Who is the sharpest critic of Brandt?",
        "What is the best objection to Ada Brandt?",
    ],
)
def test_what_is_held_against_somebody_is_no_introduction(bees: rag.Engine, question: str) -> None:
    assert {c.voice for c in bees.ask(question).citations} == {"Ines Kohl"}


def test_somebodys_position_is_not_who_they_are(bees: rag.Engine) -> None:
    assert "founder" not in bees.ask("What is Brandt's position?").text


def test_the_texts_own_view_is_its_own_section(bees: rag.Engine) -> None:
    for question in (
        "Does the article agree with her?",
        "How does the article judge her?",
        "What is its author's verdict?",
    ):
        assert {c.section for c in bees.ask(question).citations} == {"Judgement"}


def test_a_section_that_is_named_is_told(bees: rag.Engine) -> None:
    assert {c.section for c in bees.ask("What does the judgement section say?").citations} == {"Judgement"}


def test_a_topic_of_a_section_that_is_named_is_looked_for_there(engine: rag.Engine) -> None:
    answer = engine.ask("What does the last chapter say about beauty?")
    assert answer.citations[0].section == "Chapter 8"
    assert "Beauty" in answer.citations[0].quote
    assert {c.section for c in engine.ask("Explain chapter 4 to me like I'm five").citations} == {"Chapter 4"}
    assert engine.ask("In chapter 3, what does he say about quantum computers?").abstained


def test_a_topic_goes_the_usual_way(bees: rag.Engine) -> None:
    assert bees.ask("What does Kohl say about quantum computers?").abstained
    assert "pollen" in bees.ask("What does Kohl argue that wild bees lose?").text


def test_a_conversation_is_not_cut_short(bees: rag.Engine) -> None:
    before: list[Turn] = [
        {"role": "user", "content": "How many hives does Brandt keep?"},
        {"role": "assistant", "content": "Brandt keeps ninety hives on the roofs of the town."},
    ]
    assert bees.ask("And what does Kohl think?", history=before).standalone_question != "And what does Kohl think?"


@pytest.mark.parametrize(
    ("question", "section"),
    [("What does the fact check say?", "Fact Check"), ("What is the author's own view?", "Editorial Analysis")],
)
def test_the_built_in_article(engine: rag.Engine, question: str, section: str) -> None:
    assert {c.section for c in engine.ask(question).citations} == {section}


def test_the_built_in_guest(engine: rag.Engine) -> None:
    assert "founder and CEO of SSI" in engine.ask("Who is Ilya?").sentences[0].text


def test_a_conversation_may_turn_to_somebody_and_to_something_else(engine: rag.Engine) -> None:
    history: list[Turn] = []
    for question in ("What is this article about?", "Who disagrees with him?", "What does LeCun say?", "And Hinton?"):
        answer = engine.ask(question, history=history)
        history += [{"role": "user", "content": question}, {"role": "assistant", "content": answer.text}]
        if question.startswith("Who"):
            assert len({citation.voice for citation in answer.citations}) > 4
    assert {citation.voice for citation in answer.citations} == {"Geoffrey Hinton"}
    wrong = engine.ask("What does the article get wrong about Hinton?", history=history)
    assert all("Hinton" in sentence.text for sentence in wrong.sentences)
    turned = engine.ask("How many hours of practice does a teenager need to drive on the road?", history=history)
    assert "10 hours" in turned.text


def test_who_disagrees_is_asked_of_what_was_talked_of(engine: rag.Engine) -> None:
    before = engine.ask("Why does he think scaling is over?")
    history: list[Turn] = [
        {"role": "user", "content": before.question},
        {"role": "assistant", "content": before.text},
    ]
    voices = {citation.voice for citation in engine.ask("Who disagrees?", history=history).citations}
    assert {"Geoffrey Hinton", "Demis Hassabis", "Dario Amodei"} <= voices
    assert engine.ask("What do critics say about his haircut?").abstained


def test_what_something_is(engine: rag.Engine) -> None:
    answer = engine.ask("What is SSI?")
    assert "(Safe Superintelligence Inc.)" in answer.sentences[0].text
    assert all("SSI" in sentence.text for sentence in answer.sentences)


def test_somebodys_objections_are_their_own(engine: rag.Engine) -> None:
    answer = engine.ask("Did Dwarkesh push back on sentient life?")
    assert answer.citations[0].voice == "Dwarkesh Patel"


def test_what_speaks_of_both_comes_first(engine: rag.Engine) -> None:
    first = engine.ask("Does Hinton agree with Ilya?").sentences[0].text
    assert "Hinton" in first
    assert "Sutskever" in first


def test_somebody_of_whom_nothing_is_said_is_named(engine: rag.Engine) -> None:
    answer = engine.ask("Did Amodei win a Nobel Prize?")
    assert answer.sentences[-1].text == "The sources don't say this of Dario Amodei."


def test_how_many_critics_is_no_list_of_them(engine: rag.Engine) -> None:
    assert engine.ask("How many critics are named?").abstained


def test_where_something_stands_is_a_place_in_the_text_itself(bees: rag.Engine) -> None:
    answer = bees.ask("Where does the talk mention wild bees and hives?")
    assert "Too many hives" not in answer.sentences[0].text
    assert "Too many hives" in bees.ask("Which source mentions wild bees?").sentences[0].text


def test_a_topic_in_so_many_sentences_is_no_summary_of_the_whole(engine: rag.Engine) -> None:
    answer = engine.ask("Explain the value function in one sentence", sources=["article"])
    assert [len(answer.sentences), answer.citations[0].section] == [1, "Chapter 4"]
    assert {c.section for c in engine.ask("Summarise the article in three sentences").citations} == {"Key Takeaways"}


def test_the_critics_in_so_many_sentences(engine: rag.Engine) -> None:
    assert len(engine.ask("Sum up what the critics say in two sentences").sentences) == 2
    assert len(engine.ask("List everyone who disagrees, each in one line").sentences) > 2


def test_a_talk_is_summed_up_by_its_guest(tmp_path: Path, encoder_files: Path) -> None:
    (tmp_path / "talk.txt").write_text(
        """Maria Keller: Welcome back to the show. Today we speak about bread.

Paul Andersson: Thank you. I like to be here.

Maria Keller: You say that bread got worse. Did the new process make bread worse?

Paul Andersson: The fast process left bread without flavour. Slow bread needs time.

Maria Keller: And what should bread bakers do?

Paul Andersson: Bakers should let the dough of their bread rest for a day.
""",
        encoding="utf-8",
    )
    with rag.open_engine(tmp_path, index=tmp_path / "index") as engine:
        answer = engine.ask("Summarise the talk in two sentences")
        assert {c.voice for c in answer.citations} == {"Paul Andersson"}
        assert "Thank you" not in answer.text


def test_the_minutes_are_a_text_and_no_topic(encoder_files: Path) -> None:
    minutes = """# Water

The pump failed on Monday. The society decided to buy a new pump.

# Bees

Jill Park asked for two hives. The decision was put off by ten minutes.
"""
    with rag.open_engine(Corpus.from_texts({"minutes": minutes})) as engine:
        answer = engine.ask("Summarise the minutes in two sentences")
        assert {c.section for c in answer.citations} == {"Water", "Bees"}


def test_whether_a_quotation_is_exact_is_told_by_the_corrections_of_it(engine: rag.Engine) -> None:
    answer = engine.ask("Is the reward hacking quote verbatim?", sources=["article"])
    assert "Dwarkesh Patel says this line" in answer.sentences[0].text
    assert all("hack" in sentence.text for sentence in answer.sentences)


def test_who_is_mentioned_is_everybody_by_name(bees: rag.Engine) -> None:
    answer = bees.ask("Who are the people mentioned?")
    assert all(name in answer.text for name in ("Ada Brandt", "Tom Weld", "Ines Kohl"))
    assert answer.sentences[0].text.startswith("Ada Brandt, founder")


def test_the_texts_own_objections_are_its_own_sentences(engine: rag.Engine) -> None:
    answer = engine.ask("What is the author's criticism of the student analogy?", sources=["article"])
    assert {c.voice for c in answer.citations} == {"the article"}
