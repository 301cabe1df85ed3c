"""Answers by a language model: what it is given, what of its text is shown, and what happens when it fails."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest

import rag
from corpus import Sentence
from rag.condense import fitting
from rag.datatypes import AnswerSentence, DraftSentence, Evidence, Passage, Support, Turn
from rag.generate import SYSTEM
from rag.llama import open_llm
from rag.marks import Marked, read_marked
from rag.vet import LABEL, Vetting
from tests.rag.scripted import Broken, Raw, Reply, Silent, evidence_of, prompt_of, scripted

QUESTION = "How much money has SSI raised?"
TRUE = "SSI raised $1 billion in September 2024"


def quoting(prompt: str, body: dict[str, Any]) -> Iterable[str]:
    """A model that keeps to the rules: it repeats two sentences of evidence, each with its key."""
    for key, line in list(evidence_of(prompt).items())[:2]:
        yield from (f"{line.partition(': ')[2].rstrip('.')}", f" [{key}", "]. ")


def saying(*pieces: str | Raw | float | Exception) -> Callable[[str, dict[str, Any]], Iterable[Any]]:
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


def test_known_corrections_are_not_put_to_a_model(engine: rag.Engine) -> None:
    with scripted(quoting) as server:
        answer = engine.with_llm(server.name).ask("What does the article get wrong?")
        assert not server.asked
    assert answer.mode == "extractive"
    assert "corrections" in answer.notice
    assert answer.sentences[0].text.startswith("On “")


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
    assert any(line.startswith("the article (Guest Profile, primary source): ") for line in keys.values())


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
        pytest.param(saying("SSI raised ", Raw('data: {"choices": [{"del\n\n')), "broke off", id="half-json"),
        pytest.param(saying(Raw("data: 42\n\n"), Raw('data: {"choices": null}\n\n')), "broke off", id="wrong-json"),
        pytest.param(saying("x" * 20_000), "a sentence of more than", id="one-long-word"),
        pytest.param(saying(*[" \n"] * 20_000), "a sentence of more than", id="white-space-for-ever"),
        pytest.param(lambda p, b: Reply(302, headers={"Location": "/v2"}), "elsewhere (302)", id="moved"),
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


def test_without_the_check_no_model_is_asked(engine: rag.Engine) -> None:
    with scripted(quoting) as server:
        settings = engine.settings.model_copy(update={"nli": "/no/such/model"})
        unchecked = rag.Engine(engine.corpus, engine.index, engine.encoder, settings, open_llm(server.name))
        answer = unchecked.ask(QUESTION)
    assert answer.mode == "extractive"
    assert "its sentences can't be checked" in answer.notice
    assert server.asked == []


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_is_busy_once_is_asked_again(engine: rag.Engine, status: int) -> None:
    replies = iter([Reply(status)])
    with scripted(lambda prompt, body: next(replies, None) or quoting(prompt, body)) as server:
        answer = engine.with_llm(server.name).ask(QUESTION)
    assert answer.mode == server.name
    assert len(server.asked) == 2


def test_of_two_who_ask_at_once_one_who_stops_stops_only_their_own(engine: rag.Engine) -> None:
    both_asked = threading.Barrier(2)

    def slowly(prompt: str, body: dict[str, Any]) -> Iterable[str | float]:
        both_asked.wait(10)
        yield from quoting(prompt, body)
        for _ in range(40):
            yield from (0.02, "and ")

    with scripted(slowly) as server:
        asked = engine.with_llm(server.name)
        stopped, kept = asked.stream(QUESTION), asked.stream("Why is scaling over?")
        with ThreadPoolExecutor(1) as pool:
            rest = pool.submit(lambda: list(kept))
            next(stopped)
            stopped.close()
            *_, answer = rest.result()
        assert list(stopped) == []
        assert server.hung_up == 1
    assert isinstance(answer, rag.Answer)
    assert answer.mode == server.name
    assert "scaling" in answer.text


def _vetted(text: str, *evidence: tuple[str, str], keys: tuple[str, ...] = ("k1",)) -> DraftSentence | AnswerSentence:
    """What becomes of a sentence, given evidence as (voice, text) under the keys k1, k2, ..."""
    passage = Passage("p", "s", "1", "One", 0, 1, "")
    given = {
        f"k{n}": Evidence(passage, Sentence(n, n + 1, "1", voice), n, said, 0.0, 0.0, 0.0)
        for n, (voice, said) in enumerate(evidence, start=1)
    }
    return Vetting(given, rag.check_support, SYSTEM, "sk-canary-1234567890").vet(Marked(text, keys))


def test_a_wrong_citation_is_mended_by_the_evidence_that_says_it() -> None:
    vetted = _vetted("The yard burned in 1911.", ("Ann", "The owner was Ann Lee."), ("Ann", "The yard burned in 1911."))
    assert isinstance(vetted, DraftSentence)
    assert [e.text for e in vetted.evidence] == ["The yard burned in 1911."]


def test_a_label_that_a_model_puts_before_a_sentence_says_nothing_of_its_speaker() -> None:
    vetted = _vetted("Ann: Bob: The yard burned in 1911.", ("Bob", "The yard burned in 1911."), ("Ann", "No."))
    assert isinstance(vetted, DraftSentence)
    assert vetted.text == "The yard burned in 1911."
    assert vetted.evidence[0].sentence.voice == "Bob"


@pytest.mark.parametrize("text", ["Bob (Chapter One, primary source):", "The answer to this question is:", "Dates:"])
def test_a_line_that_only_announces_something_is_no_claim(text: str) -> None:
    vetted = _vetted(text, ("Bob", "The yard is a primary source."))
    assert isinstance(vetted, AnswerSentence)
    assert vetted.support is not None
    assert vetted.support.reason == LABEL


@pytest.mark.parametrize(
    "text",
    [
        "Ann (Chapter One, opposing source): The yard burned in 1911.",
        "The yard burned in 1911 (Chapter One, primary source).",
        "The evidence is that the yard burned in 1911.",
        "The answer: Bob: The yard burned in 1911.",
        "The yard burned in 1911 (Lee et al., 2024).",
    ],
)
def test_what_a_model_puts_around_a_sentence_is_taken_off(text: str) -> None:
    vetted = _vetted(text, ("Bob", "The yard burned in 1911."))
    assert isinstance(vetted, DraftSentence)
    assert vetted.text == "The yard burned in 1911."


@pytest.mark.parametrize(
    ("cited", "other", "shown"),
    [
        (rag.Support("supported", 0.7), rag.Support("supported", 0.9), "A yard."),
        (rag.Support("supported", 0.7), rag.Support("supported", 0.75), "The yard."),
        (rag.Support("weak", 0.5), rag.Support("weak", 0.4), "The yard."),
        (rag.Support("weak", 0.5), rag.Support("weak", 0.6), ""),
    ],
)
def test_what_other_evidence_says_more_nearly_is_not_shown_with_a_wrong_citation(
    cited: rag.Support, other: rag.Support, shown: str
) -> None:
    passage = Passage("p", "s", "1", "One", 0, 1, "")
    given = {
        f"k{n}": Evidence(passage, Sentence(0, 1, "1", ""), n, text, 0.0, 0.0, 0.0)
        for n, text in enumerate(("The yard.", "A yard."), start=1)
    }
    vetting = Vetting(given, lambda sentence, passages: cited if passages == ["The yard."] else other)
    vetted = vetting.vet(Marked("The yard burned in 1911.", ("k1",)))
    assert (vetted.evidence[0].text if isinstance(vetted, DraftSentence) else "") == shown


def test_a_weak_sentence_that_shares_no_word_with_what_it_cites_is_withheld() -> None:
    passage = Passage("p", "s", "1", "One", 0, 1, "")
    given = {"k1": Evidence(passage, Sentence(0, 1, "1", ""), 0, "The yard burned in 1911.", 0.0, 0.0, 0.0)}
    vetting = Vetting(given, lambda sentence, passages: rag.Support("weak", 0.5))
    assert isinstance(vetting.vet(Marked("Quoted material.", ("k1",))), AnswerSentence)
    assert isinstance(vetting.vet(Marked("The old yard is gone.", ("k1",))), DraftSentence)


def test_of_two_cited_sentences_only_the_one_that_says_it_is_cited() -> None:
    vetted = _vetted(
        "The yard burned in 1911.",
        ("Ann", "The yard burned in 1911."),
        ("Ann", "The yard by the river was large."),
        keys=("k1", "k2"),
    )
    assert isinstance(vetted, DraftSentence)
    assert [e.text for e in vetted.evidence] == ["The yard burned in 1911."]


def test_what_tells_of_a_text_says_nothing_that_is_in_it() -> None:
    vetted = _vetted("The article concludes with the fire of the yard in 1911.", ("the article", "The yard burned."))
    assert isinstance(vetted, AnswerSentence)


def test_names_and_figures_of_the_evidence_are_not_taken_for_another_language(engine: rag.Engine) -> None:
    with scripted(saying("Crunchbase, Tracxn, SSI, Sutskever: $32B valuation, billion dollars, 2024.")) as server:
        answer = engine.with_llm(server.name).ask(QUESTION)
    assert "English" not in answer.notice


def test_a_sentence_that_repeats_itself_is_withheld() -> None:
    twice = "The yard burned in 1911, and the yard burned in 1911."
    assert isinstance(_vetted(twice, ("Bob", "The yard burned in 1911.")), AnswerSentence)
    stutters = "The report's line that the report's line that the yard burned in 1911 is known."
    assert isinstance(_vetted(stutters, ("Bob", "The yard burned in 1911.")), AnswerSentence)


def test_a_model_that_goes_on_with_its_prompt_has_answered(engine: rag.Engine) -> None:
    def going_on(prompt: str, body: dict[str, Any]) -> Iterable[str]:
        yield "The evidence is:\n"
        yield from quoting(prompt, body)
        yield f"\n\nQuestion: {QUESTION}\nAnswer: It raised 99 dollars. It is broke. It owes me. It sold all.\n"

    with scripted(going_on) as server:
        answer = engine.with_llm(server.name).ask(QUESTION)
    assert answer.mode == server.name
    assert len(answer.sentences) == 2
    assert [sentence.text for sentence in answer.withheld] == ["The evidence is:"]


def test_a_question_is_no_answer_unless_the_evidence_asks_it() -> None:
    asked = "Why did the yard burn in 1911?"
    assert isinstance(_vetted(f"Question: {asked}", ("Bob", "The yard did burn in 1911.")), AnswerSentence)
    assert isinstance(_vetted(asked, ("Bob", asked)), DraftSentence)


def test_only_words_that_stand_in_the_evidence_keep_their_quotation_marks() -> None:
    evidence = ("Bob", "The yard burned in 1911, which was a dry year.")
    kept = _vetted("The yard burned in 1911, which was “a dry year”.", evidence)
    assert isinstance(kept, DraftSentence)
    assert kept.text == "The yard burned in 1911, which was “a dry year”."
    altered = _vetted("The yard burned in 1911, “a dry year which was”.", evidence)
    assert "“" not in altered.text


@pytest.mark.parametrize("marks", ["“”", '""', "‘’", "''", "«»", "„“", '“"', "“", "”"])
def test_whatever_the_marks_altered_words_lose_them(marks: str) -> None:
    evidence = ("Bob", "The yard burned in 1911, which the owner's son calls a dry year for boats.")
    first, last = marks[0], marks[1:]
    altered = _vetted(f"The yard burned in 1911, which the owner's son calls {first}a wet year{last}.", evidence)
    assert altered.text == "The yard burned in 1911, which the owner's son calls a wet year."
    kept = _vetted(f"The yard burned in 1911, which the owner's son calls {first}a dry year{last}.", evidence)
    assert kept.text.replace("“", "").replace("”", "") == altered.text.replace("wet", "dry")
    assert ("“a dry year”" in kept.text) == bool(last)


@pytest.mark.parametrize("added", ["They died.", "They are gone.", "She was wrong.", "He resigned."])
@pytest.mark.parametrize("marks", ["“{} {}”", "{} {}"])
def test_a_false_sentence_is_not_hidden_behind_a_true_one(added: str, marks: str) -> None:
    said = "The council spent about 40 million crowns on the harbour between 2001 and 2009, most of it on two quays."
    assert isinstance(_vetted(said, ("", said)), DraftSentence)
    assert isinstance(_vetted(marks.format(said, added), ("", said)), AnswerSentence)


def test_a_quotation_that_never_ends_hides_no_false_sentence(engine: rag.Engine) -> None:
    def opened(prompt: str, body: dict[str, Any]) -> Iterable[str]:
        (one, first), (two, second), *_ = [item for item in evidence_of(prompt).items() if item[1].endswith(".")]
        yield f"{first.partition(': ')[2]} [{one}] “{second.partition(': ')[2]} They are gone. [{two}]"

    with scripted(opened) as server:
        answer = engine.with_llm(server.name).ask(QUESTION)
    assert answer.mode == server.name
    assert "gone" not in answer.text
    assert any(sentence.text == "They are gone." for sentence in answer.withheld)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("The yard is safe.", "It is wrong that the yard is safe."),
        ("The yard burned in 1911.", "Nobody has shown that the yard burned in 1911."),
        ("The yard will burn.", "He asks whether the yard will burn."),
    ],
)
def test_words_torn_out_of_a_sentence_that_denies_them_are_withheld(text: str, said: str) -> None:
    assert isinstance(_vetted(text, ("Bob", said)), AnswerSentence)


@pytest.mark.parametrize(
    "text",
    [
        "Read https://yard.example now.",
        "The yard [burned](yard.example/fire).",
        "The key is sk-canary-1234567890.",
        "Write one to five short sentences in plain English.",
        "The code is QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo9.",
    ],
)
def test_what_could_do_harm_is_not_repeated_among_the_withheld(text: str) -> None:
    vetted = _vetted(text, ("Bob", text))
    assert isinstance(vetted, AnswerSentence)
    assert vetted.text.startswith("(not shown: it ")


@pytest.mark.parametrize(
    "text", ["See evil(Lee, 2024).com/x.", "Write one to five short(Lee, 2024) sentences in plain."]
)
def test_what_only_becomes_harmful_when_it_is_mended_is_not_repeated(text: str) -> None:
    assert _vetted(text, ("Bob", "The yard burned.")).text.startswith("(not shown: it ")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            "Dr. Lee left. It cost $3.5 billion [k7q2]. [k3x4] ",
            [("Dr. Lee left.", ()), ("It cost $3.5 billion.", "k7q2 k3x4")],
        ),
        ("[k7q2] It burned. [k3x4] It was rebuilt.", [("It burned.", "k7q2"), ("It was rebuilt.", "k3x4")]),
        ("- One [k7q2, k3x4]\n- **Two** (k3x4)\n", [("One", "k7q2 k3x4"), ("Two", "k3x4")]),
        (
            "He said “no. Never” [k7q2]. Then [1] he left [zz99].",
            [("He said “no. Never”.", "k7q2"), ("Then he left.", ())],
        ),
        ("<think>Hm. Well.</think>It burned 【k7q2】.", [("It burned.", "k7q2")]),
        ("It burned [k7q2", [("It burned", "k7q2")]),
        ("]] [] It ] burned [[ zz9 ].", [("It burned.", ())]),
        ("“It burned [k7q2]. They died. [k3x4]", [("“It burned.", "k7q2"), ("They died.", "k3x4")]),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 1_000])
def test_marks_are_read_however_the_text_is_cut(written: str, expected: list[tuple[str, str]], size: int) -> None:
    pieces = (written[n : n + size] for n in range(0, len(written), size))
    read = [(marked.text, marked.keys) for marked in read_marked(pieces, {"k7q2", "k3x4"})]
    assert read == [(text, tuple(keys.split()) if isinstance(keys, str) else keys) for text, keys in expected]


def test_a_long_history_loses_its_oldest_turns_and_never_the_question(engine: rag.Engine) -> None:
    history: list[Turn] = []
    for n in range(40):
        history += [
            {"role": "user", "content": f"What of topic number {n}? " + "And so on. " * 20},
            {"role": "assistant", "content": f"Topic {n} is discussed. " * 10},
        ]
    with scripted(quoting, context=2_000) as server:
        engine.with_llm(server.name).ask(QUESTION, history)
    final = next(body for body in reversed(server.asked))
    prompt = prompt_of(final)
    assert QUESTION in prompt
    assert "topic number 39" in prompt
    assert "topic number 3?" not in prompt
    assert len(prompt) / 3 < 2_000
    roles = [message["role"] for message in final["messages"]]
    assert roles[0] == "system"
    assert all(one != other for one, other in pairwise(roles))


@pytest.mark.parametrize(
    ("written", "stands"),
    [
        ("When was SSI founded?", True),
        ("", False),
        ("When was Apple founded?", False),
        ("What is SSI?", False),
        ("SSI was founded in June 2024 and " + "so on " * 100, False),
    ],
)
def test_a_condensed_question_is_held_to_the_conversation(written: str, stands: bool) -> None:
    history: list[Turn] = [{"role": "user", "content": "What is SSI?"}, {"role": "assistant", "content": "A lab."}]
    assert (fitting(written, "When was it founded?", history) == written) == stands


@pytest.mark.parametrize(
    ("turn", "written", "stands"),
    [
        ("And why?", "Why does Hinton think that scaling goes on?", True),
        ("And why?", "Is Hinton wrong?", False),
        ("Why is that?", "Who is Hinton?", False),
        ("Why is that?", "Why did it burn?", False),
        ("Is that not wrong?", "Is Hinton's view of scaling wrong?", False),
        ("Isn't that wrong?", "Is it not wrong to think that scaling goes on?", True),
        ("Why does he say so?", "When does Hinton say so of scaling?", False),
        ("Why does he say so?", "Hinton says why scaling goes on.", False),
        ("What about Marcus?", "Does Marcus think that scaling goes on?", True),
    ],
)
def test_a_condensed_question_asks_what_the_turn_asks(turn: str, written: str, stands: bool) -> None:
    history: list[Turn] = [
        {"role": "user", "content": "What does Hinton think of scaling?"},
        {"role": "assistant", "content": "It goes on. Some say he is wrong."},
    ]
    assert (fitting(written, turn, history) == written) == stands


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        (
            "The bridge is a great example of how the owner of the yard sold all its boats in the dry summer.",
            "The owner of the yard sold all its boats in the dry summer.",
        ),
        ("The owner of the yard sold all his boats and asks for more.", "The owner of the yard sold all his boats."),
        (
            "The plans of Ash, Birch and Cole together cost about 344 crowns in the dry summer.",
            "The plans of Ash, Birch, Cole and Dale together cost about 344 crowns in the dry summer.",
        ),
        ("The owner of the yard sold all its boats.", "The owner of the yard sold all his boats."),
        ("The yards are very robust.", "The claim that the yards are very robust overlooks the fire of 1911."),
        ("The owner of the yard sold his boats and the.", "The owner of the yard sold his boats and the house."),
        (
            "In the dry summer the mate of the old ferry sued the mate for the loss of his boat.",
            "In the dry summer the mate of the old ferry sued the owner for the loss of his boat.",
        ),
        (
            "Ann and Ann Lee disagree mostly about the price of the boats.",
            "Tom and Ann Lee disagree mostly about the price of the boats.",
        ),
    ],
    ids=[
        "put before",
        "put after",
        "one of those summed up",
        "another person",
        "only a claim",
        "breaks off",
        "a word in another's place",
        "a name in another's place",
    ],
)
def test_words_of_the_evidence_that_were_altered_are_withheld(text: str, evidence: str) -> None:
    assert isinstance(_vetted(text, ("Bob", evidence)), AnswerSentence)


def test_what_introduces_the_words_of_the_evidence_is_no_alteration() -> None:
    said = "The owner of the yard sold all his boats in the dry summer."
    vetted = _vetted(f"In short, Bob says that {said[0].lower()}{said[1:]}", ("Bob", said))
    assert isinstance(vetted, DraftSentence)
    named = _vetted(
        "The owner sold all his boats, and the owner then left.",
        ("Bob", "The owner sold all his boats, and he then left."),
    )
    assert isinstance(named, DraftSentence)


def test_whole_sentences_of_a_longer_quotation_are_not_torn_out_of_it() -> None:
    said = "“The yard by the river burned. Nobody could save it. That was in the spring.”"
    assert isinstance(_vetted("The yard by the river burned.", ("Bob", said)), DraftSentence)
    taken_back = _vetted("The yard is quite safe.", ("Bob", "“The yard is quite safe. That is false.”"))
    assert isinstance(taken_back, AnswerSentence)


def test_a_row_of_a_table_reaches_the_model_with_its_columns_parted(engine: rag.Engine) -> None:
    with scripted(quoting) as server:
        engine.with_llm(server.name).ask("Was the claim that SSI raised 3 billion dollars found accurate?")
    assert any("3 billion: Accurate" in line for line in evidence_of(prompt_of(server.asked[-1])).values())


def test_true_sentences_that_do_not_answer_leave_the_plain_answer(engine: rag.Engine) -> None:
    def beside(prompt: str, body: dict[str, Any]) -> Iterable[str]:
        key, line = list(evidence_of(prompt).items())[-1]
        yield f"{line.partition(': ')[2]} [{key}]"

    with scripted(beside) as server:
        answer = engine.with_llm(server.name).ask(QUESTION)
    assert answer.mode == "extractive"
    assert "bear on the question" in answer.notice


def test_a_model_that_reads_little_is_given_little_and_shown_how(engine: rag.Engine) -> None:
    with scripted(quoting, context=1_536) as server:
        answer = engine.with_llm(server.name).ask(QUESTION)
    assert answer.mode == server.name
    messages = server.asked[-1]["messages"]
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert 3 <= len(evidence_of(messages[-1]["content"])) <= 4


def test_a_model_that_only_repeats_a_question_has_not_answered(engine: rag.Engine) -> None:
    def asking(prompt: str, body: dict[str, Any]) -> Iterable[str]:
        for key, line in evidence_of(prompt).items():
            if line.endswith("?"):
                yield f"{line.partition(': ')[2]} [{key}] "

    with scripted(asking) as server:
        answer = engine.with_llm(server.name).ask("Would 100 times more compute change everything, in his opinion?")
    assert answer.mode == "extractive"


def test_a_weak_sentence_that_other_evidence_denies_is_withheld() -> None:
    founded = ("", "The Ham works was founded in 1826 by a widow named Marta.")
    employed = ("", "The Ham works employed Marta, a widow, until 1954.")
    false = _vetted("The Ham works was founded in 1954 by a widow named Marta.", employed, founded)
    assert isinstance(false, AnswerSentence)
    assert false.support is not None
    assert "1826" in false.support.reason


def test_the_title_of_a_text_before_a_sentence_is_no_part_of_it() -> None:
    passage = Passage("p", "s", "1", "One", 0, 1, "")
    said = "The Ham works was founded in 1826 by a widow named Marta."
    given = {"k1": Evidence(passage, Sentence(1, 2, "1", ""), 1, said, 0.0, 0.0, 0.0)}
    vetting = Vetting(given, rag.check_support, labels=frozenset(["ham"]))
    assert vetting.vet(Marked(f"The Ham: {said}", ("k1",))) == vetting.vet(Marked(said, ("k1",)))
    true = vetting.vet(Marked(f"Ham: {said}", ("k1",)))
    assert isinstance(true, DraftSentence)
    assert true.text == said


def test_who_says_it_bears_out_nothing_that_is_not_said_of_him() -> None:
    heard: list[list[str]] = []

    def check(sentence: str, passages: Sequence[str]) -> Support:
        heard.append(list(passages))
        return Support("supported" if passages[0].startswith("Ann") else "weak", 0.6, "")

    passage = Passage("p", "s", "1", "One", 0, 1, "")
    given = {
        "k1": Evidence(passage, Sentence(1, 2, "1", "Ann Lee"), 1, "Many mills will work deep clay.", 0.0, 0.0, 0.0)
    }
    unnamed = Vetting(given, check).vet(Marked("Many mills will soon work deep clay.", ("k1",)))
    assert isinstance(unnamed, DraftSentence)
    assert unnamed.support is not None
    assert unnamed.support.label == "weak"
    assert heard[-1] == ["Many mills will work deep clay."]
    named = Vetting(given, check).vet(Marked("Ann Lee says that mills will work deep clay.", ("k1",)))
    assert isinstance(named, DraftSentence)
    assert named.support is not None
    assert named.support.label == "supported"
