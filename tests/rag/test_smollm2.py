"""Answers by the real small model behind its real server, also when that is killed."""

from __future__ import annotations

import threading
import time

import pytest

import rag
from rag.llama import open_llm
from tests.rag.served import Served

QUESTION = "How much money has SSI raised?"

pytestmark = pytest.mark.slow


def test_the_small_model_answers_or_the_plain_answer_says_why(engine: rag.Engine, small_model: Served) -> None:
    *said, answer = engine.with_llm(small_model.name).stream(QUESTION)
    assert isinstance(answer, rag.Answer)
    assert answer.mode == small_model.name or answer.notice
    assert all(sentence.citations for sentence in answer.sentences)
    assert answer.notice or tuple(said) == answer.sentences


def test_a_server_killed_in_mid_answer_leaves_the_plain_answer(engine: rag.Engine, small_model: Served) -> None:
    threading.Timer(0.7, small_model.process.kill).start()
    began = time.monotonic()
    answer = engine.with_llm(small_model.name).ask(QUESTION)
    assert answer.mode == "extractive"
    assert "broke off" in answer.notice or "can't be reached" in answer.notice
    assert answer.text == engine.ask(QUESTION).text
    assert time.monotonic() - began < 20
    again = engine.with_llm(small_model.name).ask(QUESTION)
    assert "can't be reached" in again.notice


def test_a_model_that_takes_too_long_is_cut_at_its_deadline(engine: rag.Engine, small_model: Served) -> None:
    settings = engine.settings.model_copy(update={"llm_seconds": 0.2})
    hurried = rag.Engine(engine.corpus, engine.index, engine.encoder, settings, open_llm(small_model.name))
    began = time.monotonic()
    answer = hurried.ask(QUESTION)
    assert time.monotonic() - began < 5
    assert "longer than 0.2 seconds" in answer.notice
    assert answer.text == engine.ask(QUESTION).text


def test_the_model_without_a_server_of_its_own_is_served_in_this_process(engine: rag.Engine) -> None:
    with engine.with_llm("smollm2") as fluent:
        stream = fluent.stream(QUESTION)
        first = next(stream)
        stream.close()
    assert isinstance(first, rag.AnswerSentence)
    assert first.citations
    assert engine.ask(QUESTION).status == "answered", "the index is still open"
