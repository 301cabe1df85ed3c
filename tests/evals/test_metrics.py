"""Each figure on a case small enough for a sum by hand."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2
from typing import Any

import pytest

from corpus import Corpus
from evals import metrics
from evals.metrics import Share
from evals.questions import Question
from rag import AnswerSentence, Citation, Support


def question(**given: Any) -> Question:
    given = {"answerable": True, **given}
    return Question(id="q", kind="factoid", question="Why?", **given)


def citation(quote: str, voice: str = "Ann", number: int = 1, start: int = 0, section: str = "A") -> Citation:
    end = start + len(quote)
    return Citation(number, "d", "D", "", None, "primary", section, section, None, quote, start, end, voice)


def test_retrieval_is_what_the_definitions_give() -> None:
    # Relevant: a, b. Found: a at rank 2. recall = 1/2; MRR = 1/2; DCG = 1/log2(3), ideal = 1 + 1/log2(3).
    found = metrics.retrieval(["a", "b"], ["x", "a", "y", "z", "u", "v"])
    assert found["recall@5"] == (0.5, 1)
    assert found["mrr@10"] == (0.5, 1)
    assert found["hit@10"] == (1, 1)
    assert found["ndcg@10"].part == pytest.approx((1 / log2(3)) / (1 + 1 / log2(3)), abs=1e-6)


def test_retrieval_looks_no_deeper_than_it_says() -> None:
    found = metrics.retrieval(["k"], list("abcdefghijk"))
    assert not any(share.part for share in found.values())
    assert metrics.retrieval(["f"], list("abcdef"))["recall@5"].part == 0
    assert metrics.retrieval(["f"], list("abcdef"))["recall@10"].part == 1


def test_without_a_relevant_passage_retrieval_has_no_figure() -> None:
    assert metrics.retrieval([], ["a"]) == {}


def test_sections() -> None:
    asked = question(gold_sections=("A", "B"))
    assert metrics.section_hit(asked, ["C", "B"]) == (1, 1)
    assert metrics.section_hit(asked, []) == (0, 1)
    assert metrics.section_precision(asked, ["A", "B", "C"]) == (2, 3)
    assert metrics.section_precision(asked, []) == (0, 0), "no citation has no precision"
    assert metrics.section_hit(question(answerable=False), ["A"]) is None


def test_evidence_is_found_in_other_words_of_the_source_and_each_span_counts_once() -> None:
    asked = question(
        evidence=("the repair costs twelve thousand euros", "it begins in August"),
        evidence_alt=(("the bill is twelve thousand",), ()),
    )
    assert metrics.evidence_recall(asked, ["She says the bill is twelve thousand in all."]) == (0.5, 1)
    assert metrics.evidence_recall(asked, []) == (0, 1)
    assert metrics.evidence_recall(question(), ["x"]) is None


def test_must_include_counts_lists_and_must_not_whole_words() -> None:
    asked = question(must_include=(("12,000", "twelve thousand"), ("August",)), must_not=("May",))
    assert metrics.must_include(asked, "It costs 12,000 [1].") == (0.5, 1)
    assert metrics.must_not(asked, "Maybe.") == (0, 1)
    assert metrics.must_not(asked, "In **May**.") == (1, 1)
    assert metrics.must_not(question(), "In May.") is None


def test_a_quote_is_valid_at_its_place_and_in_its_section_only() -> None:
    text = "# A\n\nOne two three.\n\n# B\n\nFour five six.\n"
    corpus = Corpus.from_texts({"d": text})
    at = text.index("Four")
    right = citation("Four five six.", start=at, section="B")
    moved = citation("Four five six.", start=at + 1, section="B")
    elsewhere = citation("Four five six.", start=at, section="A")
    assert metrics.quote_validity([right, moved, elsewhere], corpus) == (1, 3)


class Words:
    """Supports what the passages together hold, word by word; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []

    def __call__(self, sentence: str, passages: Sequence[str]) -> Support:
        self.asked.append((sentence, list(passages)))
        words, held = sentence.split(), " ".join(passages).split()
        score = sum(word in held for word in words) / len(words)
        return Support("supported" if score == 1 else "unsupported", score)


def test_citation_recall_and_precision_are_those_of_alce() -> None:
    quotes = {1: "red", 2: "blue", 3: "green grass", 4: "hay"}
    sentences = [
        AnswerSentence("red blue", (1, 2)),  # supported together, each is needed
        AnswerSentence("green grass", (3, 4)),  # supported, 4 is not needed
        AnswerSentence("red sky", (1,)),  # not supported: its citation isn't precise
        AnswerSentence("By the way"),  # cites nothing and claims nothing
    ]
    found = metrics.support(sentences, quotes, Words())
    assert found["citation_recall"] == (2, 3)
    assert found["citation_precision"] == (3, 5)
    assert found["support"] == (1 + 1 + 0.5, 3)


def test_abstention_counts_true_and_false_refusals() -> None:
    cases = [(False, True), (False, False), (True, True), (True, False)]  # (answerable, abstained)
    found = [metrics.abstention(question(answerable=answerable), abstained) for answerable, abstained in cases]

    def over_all(name: str) -> float:
        shares = [figures[name] for figures in found if name in figures]
        return sum(share.part for share in shares) / sum(share.whole for share in shares)

    assert over_all("abstention_precision") == 1 / 2
    assert over_all("abstention_recall") == 1 / 2
    assert over_all("abstention_f1") == 2 * 1 / (2 * 1 + 1 + 1)
    assert over_all("refused") == 1 / 2


def test_the_voice_is_that_of_the_evidence_and_not_of_a_bystander() -> None:
    asked = question(voice="Ann", evidence=("bees made the difference to the apples",))
    ann = citation("I think bees made the difference to the apples.", "Ann")
    tom = citation("I think bees made the difference to the apples.", "Tom")
    aside = citation("The press runs in September.", "Ann", 2)
    assert metrics.voice(asked, [ann, aside]) == (1, 1)
    assert metrics.voice(asked, [tom, aside]) == (0, 1)
    assert metrics.voice(asked, [aside]) is None, "evidence that isn't cited has no voice"
    assert metrics.voice(question(), [ann]) is None


def test_a_share_without_a_whole_adds_nothing() -> None:
    assert Share(0, 0).whole == 0
