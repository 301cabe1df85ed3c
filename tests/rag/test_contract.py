"""The names and fields that programs outside depend on."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest

import rag
from corpus import Corpus

QUESTIONS = [
    "Why does Ilya think scaling is over?",
    "how much has SSI raised?",
    "Who disagrees with him about scaling?",
    "What is research taste?",
    "why did Daniel Gross leave",
    "what happened to the patient who lost his emotions",
    "is continual learning necessary",
    "What did Hinton say about data?",
]


def test_an_answer_has_the_fields_of_the_contract(engine: rag.Engine) -> None:
    answer = engine.ask(QUESTIONS[0])
    assert {f.name for f in fields(answer)} >= {
        "status", "confidence", "sentences", "citations", "other_views", "nearest", "withheld",
        "question", "standalone_question", "mode", "timings",
    }  # fmt: skip
    assert answer.status == "answered"
    assert answer.abstained is False
    assert answer.mode == "extractive"
    assert 0 <= answer.confidence <= 1
    assert [c.number for c in answer.citations] == list(range(1, len(answer.citations) + 1))
    used = [number for sentence in answer.sentences for number in sentence.citations]
    assert sorted(set(used)) == [c.number for c in answer.citations]
    assert all(f"[{n}]" in answer.text for n in used)


def test_a_citation_has_the_fields_of_the_contract(engine: rag.Engine) -> None:
    citation = engine.ask(QUESTIONS[1], sources=["article"]).citations[0]
    assert {f.name for f in fields(citation)} >= {
        "number", "source_id", "source_title", "author", "url", "stance", "section", "section_title",
        "locator", "quote", "start", "end", "voice", "notes",
    }  # fmt: skip
    assert citation.source_id == "article"
    assert citation.stance == "primary"


def test_every_quote_stands_at_its_place(engine: rag.Engine, corpus: Corpus) -> None:
    for question in QUESTIONS:
        answer = engine.ask(question)
        for citation in (*answer.citations, *answer.other_views, *answer.nearest):
            document = corpus.documents[citation.source_id]
            assert document.text[citation.start : citation.end] == citation.quote
            section = document.section_by_label[citation.section]
            assert section.start <= citation.start < citation.end <= section.end


def test_the_answer_is_json_and_the_same_on_every_run(engine: rag.Engine) -> None:
    for question in QUESTIONS:
        first, second = engine.ask(question).to_dict(), engine.ask(question).to_dict()
        assert json.loads(json.dumps(first))["text"] == first["text"]
        del first["timings"], second["timings"]
        assert json.dumps(first) == json.dumps(second)


def test_a_stream_ends_with_the_answer_that_ask_gives(engine: rag.Engine) -> None:
    *sentences, answer = engine.stream(QUESTIONS[0])
    assert isinstance(answer, rag.Answer)
    assert tuple(sentences) == answer.sentences
    assert answer.text == engine.ask(QUESTIONS[0]).text


def test_retrieve_gives_passages_that_never_cross_a_section(engine: rag.Engine, corpus: Corpus) -> None:
    found = engine.retrieve("What is research taste?", k=7)
    assert len(found) == 7
    assert [f.score for f in found] == sorted((f.score for f in found), reverse=True)
    for passage in (f.passage for f in found):
        document = corpus.documents[passage.source_id]
        assert document.text[passage.start : passage.end] == passage.text
        section = document.section_by_label[passage.section]
        assert section.start <= passage.start < passage.end <= section.end


def test_what_lies_outside_the_scope_does_not_exist(engine: rag.Engine) -> None:
    answer = engine.ask("Why does Ilya think scaling is over?", sources=["article"], sections=["Chapter 2"])
    assert {(c.source_id, c.section) for c in answer.citations} == {("article", "Chapter 2")}
    passages = engine.retrieve("scaling", k=50, sections=["Chapter 8"])
    assert {f.passage.section for f in passages} == {"Chapter 8"}


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ({"sources": ["hinton-scaling-not-over"]}, {"hinton-scaling-not-over"}),
        ({"sources": ["article"], "sections": ["Chapter 6"]}, {"Chapter 6"}),
        ({"sections": ["Chapter 2"]}, {"Chapter 2"}),
    ],
)
def test_a_summary_keeps_to_its_scope_too(engine: rag.Engine, scope: dict[str, list[str]], expected: set[str]) -> None:
    answer = engine.ask(
        "Summarise the main points", sources=scope.get("sources", []), sections=scope.get("sections", [])
    )
    assert answer.status == "answered"
    cited = {c.section if "sections" in scope else c.source_id for c in answer.citations}
    assert cited == expected


def test_llama_index_speaks_with_the_engine(engine: rag.Engine) -> None:
    nodes = engine.as_retriever(k=4).retrieve("What is research taste?")
    assert [n.score for n in nodes] == [f.score for f in engine.retrieve("What is research taste?", k=4)]
    response = engine.as_query_engine().query("What is research taste?")
    assert str(response) == engine.ask("What is research taste?").text
    assert response.source_nodes[0].node.metadata["section"] == "Chapter 8"


def test_check_support_tells_a_quote_from_an_invention() -> None:
    passages = ["SSI raised 3 billion dollars at a valuation of 32 billion dollars in 2025."]
    assert rag.check_support("SSI raised 3 billion dollars.", passages).label == "supported"
    changed = rag.check_support("SSI raised 7 billion dollars.", passages)
    assert changed.label == "unsupported"
    assert 0 <= changed.score <= 1
    assert rag.check_support("His favourite food is borscht.", passages).label == "unsupported"
