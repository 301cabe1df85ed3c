"""Answers by a language model: what it is given, what of its text is shown, and what happens when it fails."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest

import rag
from tests.rag.scripted import Broken, Reply, Silent, evidence_of, prompt_of, scripted

QUESTION = "How much money has SSI raised?"
TRUE = "SSI raised $1 billion in September 2024"


def quoting(prompt: str, body: dict[str, Any]) -> Iterable[str]:
    """A model that keeps to the rules: it repeats two sentences of evidence, each with its key."""
    for key, line in list(evidence_of(prompt).items())[:2]:
        yield from (f"{line.partition(': ')[2].rstrip('.')}", f" [{key}", "]. ")


def saying(*pieces: str | float | Exception) -> Callable[[str, dict[str, Any]], Iterable[str | float | Exception]]:
    """A model that says just this."""
    return lambda prompt, body: pieces


def test_a_model_that_keeps_to_the_rules_is_shown_with_its_citations(engine: rag.Engine) -> None:
    with scripted(quoting) as server:
        *sentences, answer = engine.with_llm(server.name).stream(QUESTION)
    assert isinstance(answer, rag.Answer)
    assert answer.mode == server.name
    assert answer.status == "answered"
    assert answer.notice == ""
    assert len(answer.sentences) == 2
    assert tuple(sentences) == answer.sentences
    assert all(sentence.citations for sentence in answer.sentences)
    for citation in answer.citations:
        document = engine.corpus.documents[citation.source_id]
        assert document.text[citation.start : citation.end] == citation.quote
    assert json.loads(json.dumps(answer.to_dict()))["mode"] == server.name


def test_the_model_is_given_keys_voices_places_and_the_question(engine: rag.Engine) -> None:
    with scripted(quoting) as server:
        engine.with_llm(server.name).ask(QUESTION)
        engine.with_llm(server.name).ask(QUESTION)
    first, second = (prompt_of(body) for body in server.asked)
    assert first == second, "keys are made of what they stand for"
    assert QUESTION in first
    assert "primary source" in first
    keys = evidence_of(first)
    assert 3 <= len(keys) <= 14
    assert all(not key.isdigit() and not key.isalpha() for key in keys)
    assert any(line.startswith("the article: ") for line in keys.values())


def test_a_question_that_the_sources_do_not_answer_asks_no_model(engine: rag.Engine) -> None:
    with scripted(quoting) as server:
        answer = engine.with_llm(server.name).ask("What is the best recipe for borscht in Murmansk?")
    assert answer.status == "not_in_sources"
    assert server.asked == []


def test_what_the_evidence_does_not_say_is_withheld_and_listed(engine: rag.Engine) -> None:
    def half_true(prompt: str, body: dict[str, Any]) -> Iterable[str]:
        yield from quoting(prompt, body)
        key = next(iter(evidence_of(prompt)))
        yield f"His favourite food is borscht [{key}]. "

    with scripted(half_true) as server:
        answer = engine.with_llm(server.name).ask(QUESTION)
    assert answer.mode == server.name
    assert "borscht" not in answer.text
    assert [sentence.text for sentence in answer.withheld] == ["His favourite food is borscht."]


def test_a_stream_shows_a_sentence_before_the_model_has_finished(engine: rag.Engine) -> None:
    go_on = threading.Event()

    def waiting(prompt: str, body: dict[str, Any]) -> Iterable[str]:
        yield from quoting(prompt, body)
        go_on.wait(10)

    with scripted(waiting) as server:
        stream = engine.with_llm(server.name).stream(QUESTION)
        first = next(stream)
        assert isinstance(first, rag.AnswerSentence)
        assert first.citations == (1,)
        go_on.set()
        *_, answer = stream
    assert isinstance(answer, rag.Answer)
    assert answer.sentences[0] == first


def test_stop_closes_the_connection_at_once(engine: rag.Engine) -> None:
    def endless(prompt: str, body: dict[str, Any]) -> Iterable[str | float]:
        yield from quoting(prompt, body)
        while True:
            yield from (0.02, "and ")

    with scripted(endless) as server:
        stream = engine.with_llm(server.name).stream(QUESTION)
        next(stream)
        stream.close()
        assert server.gone.wait(2), "the model goes on for nobody"
        assert list(stream) == []


def test_stop_from_another_thread_wakes_who_waits_for_the_model(engine: rag.Engine) -> None:
    with scripted(saying(30.0)) as server:
        stream = engine.with_llm(server.name).stream(QUESTION)
        threading.Timer(1.0, stream.close).start()
        began = time.monotonic()
        assert list(stream) == []
        assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("script", "why"),
    [
        pytest.param(lambda p, b: Reply(401), "refused the key", id="key"),
        pytest.param(lambda p, b: Reply(404), "doesn't know it", id="name"),
        pytest.param(lambda p, b: Reply(429, headers={"Retry-After": "59"}), "no room", id="busy"),
        pytest.param(lambda p, b: Reply(503), "failed (503)", id="server"),
        pytest.param(lambda p, b: Reply(200, "<html>nonsense"), "nothing", id="nonsense"),
        pytest.param(saying(), "wrote nothing", id="empty"),
        pytest.param(saying("SSI raised ", "three ", Broken()), "broke off", id="broken"),
        pytest.param(saying("SSI raised ", "three ", Silent()), "broke off", id="unfinished"),
        pytest.param(saying(*["na "] * 4_000), "a sentence of more than", id="endless"),
        pytest.param(saying(*["I do not know that. "] * 500), "borne out", id="loop"),
        pytest.param(
            saying("Die Firma hat drei Milliarden Dollar eingesammelt. Das ist sehr viel Geld. Niemand weiß warum."),
            "didn't write English",
            id="language",
        ),
        pytest.param(saying("[[[ ]]] [zz9] 【】 ]["), "wrote nothing", id="marks"),
    ],
)
def test_when_the_model_fails_the_plain_answer_comes_with_one_line_of_why(
    engine: rag.Engine, script: Callable[..., Any], why: str
) -> None:
    with scripted(script) as server:
        began = time.monotonic()
        answer = engine.with_llm(server.name).ask(QUESTION)
        assert time.monotonic() - began < 15
    plain = engine.ask(QUESTION)
    assert answer.mode == "extractive"
    assert answer.text == plain.text
    assert why in answer.notice
    assert answer.notice.count("\n") == 0
    assert plain.notice == ""
