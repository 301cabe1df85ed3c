"""Misspelt words are read as what the sources have; other words are left alone."""

from __future__ import annotations

import pytest

import rag
from rag.spelling import respell


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("what does sutskver think of emotoins", "what does Sutskever think of emotions"),
        ("who is Dwarkesh Pattel?", "who is Dwarkesh Patel?"),
        ("how much mony did they rais", "how much money did they raise"),
        ("why do models generalise badly?", "why do models generalize badly?"),
        ("what is superinteligence", "what is superintelligence"),
        ("how mutch is it, becuase I care", "how much is it, because I care"),
    ],
)
def test_slips_are_put_right(engine: rag.Engine, written: str, read: str) -> None:
    assert respell(engine.index, engine.encoder, written)[0] == read


@pytest.mark.parametrize(
    "question",
    [
        "What did Andrej Karpathy say?",
        "why do cats purr",
        "How do I bake bread?",
        "Does DeepSeek's R1 cost less?",
        "What energy does it consume, and who poached whom?",
        "¿Qué piensa?",
        "NVDA GPUs",
    ],
)
def test_other_words_are_left_alone(engine: rag.Engine, question: str) -> None:
    assert respell(engine.index, engine.encoder, question) == (question, {})


def test_the_answer_says_what_was_read(engine: rag.Engine) -> None:
    answer = engine.ask("how much mony did SSI rais?", sources=["article"])
    assert answer.status == "answered"
    assert "$3 billion" in answer.text
    assert answer.sentences[-1].text == "Read as: “how much money did SSI raise?”"
    assert not answer.sentences[-1].citations
