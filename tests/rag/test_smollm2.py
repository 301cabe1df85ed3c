"""The real small model behind its real server, as a process of its own that can be killed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

import rag
from rag.llama import open_llm

QUESTION = "How much money has SSI raised?"
SERVE = "import sys; from rag.smollm2 import start; s = start(); print(s.url, s.key, flush=True); sys.stdin.read()"

pytestmark = pytest.mark.slow


@dataclass
class Running:
    """A server and the name of its model."""

    process: subprocess.Popen[str]
    name: str


@pytest.fixture
def running() -> Iterator[Running]:
    """A server that ends with the test."""
    process = subprocess.Popen([sys.executable, "-c", SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdin is not None
    url, _, key = process.stdout.readline().strip().partition(" ")
    os.environ["OPENAI_LIKE_API_KEY"] = key
    yield Running(process, f"openai-like/smollm2@{url}")
    del os.environ["OPENAI_LIKE_API_KEY"]
    process.kill()
    process.wait()
    process.stdout.close()
    process.stdin.close()


def test_the_small_model_answers_or_the_plain_answer_says_why(engine: rag.Engine, running: Running) -> None:
    *said, answer = engine.with_llm(running.name).stream(QUESTION)
    assert isinstance(answer, rag.Answer)
    assert answer.mode == running.name or answer.notice
    assert all(sentence.citations for sentence in answer.sentences)
    assert answer.notice or tuple(said) == answer.sentences


def test_a_server_killed_in_mid_answer_leaves_the_plain_answer(engine: rag.Engine, running: Running) -> None:
    threading.Timer(0.7, running.process.kill).start()
    began = time.monotonic()
    answer = engine.with_llm(running.name).ask(QUESTION)
    assert answer.mode == "extractive"
    assert "broke off" in answer.notice or "can't be reached" in answer.notice
    assert answer.text == engine.ask(QUESTION).text
    assert time.monotonic() - began < 20
    again = engine.with_llm(running.name).ask(QUESTION)
    assert "can't be reached" in again.notice


def test_a_model_that_takes_too_long_is_cut_at_its_deadline(engine: rag.Engine, running: Running) -> None:
    settings = engine.settings.model_copy(update={"llm_seconds": 0.2})
    hurried = rag.Engine(engine.corpus, engine.index, engine.encoder, settings, open_llm(running.name))
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
