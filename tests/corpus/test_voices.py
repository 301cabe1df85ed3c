"""Who holds a sentence, in other people's kitchens and forums, and how well it goes on the labelled article."""

from __future__ import annotations

import json
import time
from dataclasses import asdict

from corpus import Corpus
from corpus.document import Span, parse
from corpus.people import Person
from corpus.voices import assign_voices
from evals import voices as evaluation

ANA = Person(name="Ana Souza", aliases=("Ana",), role="guest")
MIGUEL = Person(name="Miguel Reyes", aliases=("Miguel",), role="host")
PIERRE = Person(name="Pierre Laval", role="critic")
MINA = Person(name="Mina Okafor", role="researcher")
KITCHEN = (ANA, MIGUEL, PIERRE, MINA)


def held(text: str, people: tuple[Person, ...] = KITCHEN, speakers: tuple[Span, ...] = ()) -> list[tuple[str, str]]:
    """(the first word of the voice, the first two words of the sentence) of each sentence."""
    document = assign_voices(parse("talk", "A talk", text), people, "narrator", speakers)
    return [(s.voice.split()[0], " ".join(document.text[s.start : s.end].split()[:2])) for s in document.sentences]


def test_a_cooking_podcast_retold() -> None:
    text = """## Chapter 1

Ana Souza opened Casa Lume in 2011 and closed it in 2020.

Ana told Miguel that she learnt from her grandmother. Measuring, in her view, is a way of not tasting.

Nobody in that house owned a scale. They tasted instead.

“Salt is the only ingredient you can hear.”

Miguel wanted to know whether that applies to desserts. She laughed and said that sugar is another religion.

This argument rests on one kitchen. Nobody has tried it twice.

## Chapter 2

Ana divides cooks into two kinds. The first kind measures.

“Which kind are you?” Miguel asks.

“I take things away.”
"""
    assert held(text) == [
        ("narrator", "Ana Souza"),  # a fact of her life, in the past tense
        ("Ana", "Ana told"),
        ("Ana", "Measuring, in"),
        ("Ana", "Nobody in"),  # a guest's report carries into the next paragraph
        ("Ana", "They tasted"),
        ("Ana", "“Salt is"),
        ("Miguel", "Miguel wanted"),
        ("Ana", "She laughed"),  # the host asked; the pronoun is the guest's
        ("narrator", "This argument"),
        ("narrator", "Nobody has"),  # and so does the narrator's judgement
        ("Ana", "Ana divides"),  # the present tense retells
        ("Ana", "The first"),
        ("Miguel", "“Which kind"),
        ("Miguel", "Miguel asks."),
        ("Ana", "“I take"),
    ]


def test_a_host_introduces_his_own_question() -> None:
    text = "Ana is here.\n\nMiguel puts an odd question:\n\n“What is salt?”\n\n“A sound.”"
    assert [voice for voice, _ in held(text)] == ["narrator", "Miguel", "Miguel", "Ana"]


def test_a_list_of_critics() -> None:
    text = """## Objections

- **Pierre Laval** (chef): Four ingredients are marketing. Stock is not optional.
- Mina Okafor, food chemist: salt hides bitterness.
- Price: a bowl costs nine euros.
"""
    assert [voice for voice, _ in held(text)] == ["Pierre", "Pierre", "Mina", "narrator"]


def test_a_critic_carries_to_the_end_of_the_paragraph_only() -> None:
    text = (
        "Pierre Laval thinks that stock is the soup. Water is only its carriage.\n\n"
        "The market opens at six. According to chemist Mina Okafor, salt hides bitterness."
    )
    assert [voice for voice, _ in held(text)] == ["Pierre", "Pierre", "narrator", "Mina"]


def test_a_heading_that_announces_a_view_owns_its_section() -> None:
    text = "## What Laval argues\n\nStock comes first.\n\nWater follows.\n\n## How it was made\n\nWe read his book."
    assert [voice for voice, _ in held(text)] == ["Pierre", "Pierre", "narrator"]


def test_a_name_in_a_subordinate_clause_says_nothing() -> None:
    text = "The soup that Pierre Laval praises is cold. Because Ana says so, the kitchen closes early."
    assert [voice for voice, _ in held(text)] == ["narrator", "narrator"]


def test_sections_that_judge_carry_nothing() -> None:
    text = (
        "# Talk\n\n## Soup\n\nAna says salt is a sound. It rings.\n\n"
        "## Editorial Analysis\n\nAna argues from one kitchen. It is a small one. "
        "Ana calls it proof, but in practice it is a story."
    )
    assert [voice for voice, _ in held(text)] == ["Ana", "Ana", "Ana", "narrator", "narrator"]


def test_an_essay_by_somebody_who_says_i() -> None:
    text = "I have always liked soup. Laval believed in stock. A soup without it was tea.\n\nI think he was half right."
    assert [voice for voice, _ in held(text)] == ["narrator", "Pierre", "Pierre", "narrator"]


def test_a_transcript_with_speakers() -> None:
    text = "Welcome back. What is salt?\n\nPierre Laval says it is money. I disagree.\n\nThe end."
    cut, end = text.index("Pierre"), text.index("The end")
    speakers = (Span("Zoe", cut, end), Span("MIGUEL REYES", 0, cut))
    assert [voice for voice, _ in held(text, speakers=speakers)] == ["Miguel", "Miguel", "Zoe", "Zoe", "narrator"]


def test_a_transcript_with_labels_only() -> None:
    text = "[00:00:12] Miguel: Welcome back. What is salt?\n\nANA SOUZA: A sound. Miguel says it is money."
    assert [voice for voice, _ in held(text)] == ["Miguel", "Miguel", "Ana", "Ana"]


def test_without_people_everything_is_the_texts_own() -> None:
    assert {voice for voice, _ in held("Ana says salt is a sound. “It rings.”", people=())} == {"narrator"}


def test_a_sentence_as_long_as_a_book_takes_no_longer_than_its_length() -> None:
    document = parse("long", "Long", "Ana, Miguel, " * 5_000 + "of AAAA " * 5_000 + "Ana of " + "A" * 5_000)
    began = time.process_time()
    assign_voices(document, KITCHEN, "narrator")
    assert time.process_time() - began < 5  # 0.3 s; minutes if a pattern went over it once a name


def test_the_labels_reach_their_accuracy_and_it_is_the_recorded_one() -> None:
    corpus, labels = Corpus.open(), evaluation.read_labels()
    scores = evaluation.evaluate(corpus, labels)
    assert scores["article"].labels == len(corpus.documents["article"].sentences) == 279
    assert scores["article"].labels + scores["summaries"].labels == len(labels)
    assert scores["held_out"].accuracy >= 0.93
    assert scores["summaries"].accuracy >= 0.93
    recorded = json.loads(evaluation.RESULTS.read_text(encoding="utf-8"))
    assert recorded == {name: asdict(score) for name, score in scores.items()}


def test_a_second_reading_counts_as_right_but_not_strictly() -> None:
    # Three labels: one met, one met in its second reading, one missed: 2/3 right, 1/3 strictly.
    def judged(voice: str, found: str, *alt: str) -> evaluation.Judged:
        return evaluation.Judged(evaluation.Label("t", 0, 1, "x", voice, "own", "rules", alt), found)

    score = evaluation.score([judged("a", "a"), judged("a", "b", "b"), judged("b", "a")])
    assert (score.labels, score.accuracy, score.strict) == (3, 0.6667, 0.3333)
    assert score.macro == 0.5  # the mean of a's 2/2 and b's 0/1
    assert score.confusion == {"b": {"a": 1}}
