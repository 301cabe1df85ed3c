"""What comes from outside is data on every surface, and each status, mark and note is said in words."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from corpus import Corpus
from rag.datatypes import Answer, AnswerSentence, Citation, Note, Support
from ui.chat import Chat, Exchange, Shelf
from ui.frame import render_chats, render_header
from ui.reader import render_reader, render_source
from ui.render import escape, render_exchange, render_welcome, web_address
from ui.suggest import first_questions, follow_ups

SCRIPT = "<script>alert('x')</script>"


@pytest.fixture(scope="module")
def built_in() -> Corpus:
    return Corpus.open()


def citation(**changed: object) -> Citation:
    plain = Citation(
        1,
        "article",
        "The bees",
        "A. Petrov",
        None,
        "primary",
        "Chapter 1",
        "On hives",
        None,
        "Dry.",
        3,
        7,
        "Ana",
    )
    return replace(plain, **changed)  # type: ignore[arg-type]


def answered(**changed: object) -> Exchange:
    answer = Answer("Why?", "Why?", "answered", 0.9, (AnswerSentence("Dry.", (1,), "Ana"),), citations=(citation(),))
    return Exchange("Why?", answer=replace(answer, **changed))  # type: ignore[arg-type]


def test_markup_in_any_field_is_shown_and_not_obeyed() -> None:
    hostile = citation(
        source_id=SCRIPT,
        source_title=SCRIPT,
        author=SCRIPT,
        section=SCRIPT,
        section_title=SCRIPT + "2",
        locator=SCRIPT,
        quote=SCRIPT,
        voice=SCRIPT,
        notes=(Note(SCRIPT, "confirmed", SCRIPT, SCRIPT),),
    )
    sentence = AnswerSentence(SCRIPT, (1,), SCRIPT, Support("weak", 0.2, SCRIPT))
    exchange = answered(
        sentences=(sentence, replace(sentence, form="item")),
        citations=(hostile,),
        other_views=(hostile,),
        nearest=(hostile,),
        withheld=(sentence,),
        mode=SCRIPT,
    )
    html = render_exchange(replace(exchange, question=SCRIPT, follow_ups=(SCRIPT,)), 0)
    html += render_exchange(Exchange(SCRIPT, message=SCRIPT), 1)
    html += render_chats(Shelf((Chat((Exchange(SCRIPT),)),))) + render_header(SCRIPT) + render_welcome(SCRIPT, [SCRIPT])
    assert "<script" not in html
    assert html.count("&lt;script&gt;") > 20


def test_a_document_with_markup_is_shown_as_text() -> None:
    corpus = Corpus.from_texts({SCRIPT: f"# {SCRIPT}\n\nA hive {SCRIPT} is dry.\n"}, titles={SCRIPT: SCRIPT})
    pages = render_source(corpus, SCRIPT)
    assert pages
    assert "<script" not in render_reader(corpus) + pages["text"] + pages["contents"]


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "//evil", "http://", "http://[", "", None]
)
def test_only_web_addresses_become_links(address: str | None) -> None:
    assert web_address(address) is None
    assert "href" not in render_exchange(answered(citations=(citation(url=address),)), 0)


def test_a_link_opens_elsewhere_and_tells_nothing_of_this_page() -> None:
    html = render_exchange(answered(citations=(citation(url="https://example.org/?a=1&b=2"),)), 0)
    assert 'href="https://example.org/?a=1&amp;b=2" target="_blank" rel="noopener noreferrer"' in html


def test_what_a_browser_would_drop_keeps_its_place() -> None:
    # Eight characters in, eight shown: the offsets of what follows stay right.
    assert escape("a\x00b\ud800c\r\nd") == "a\ufffdb\ufffdc&#13;\nd"


def test_a_mark_knows_the_place_and_is_plain_until_the_place_is_known() -> None:
    done = render_exchange(answered(), 3)
    assert 'data-source="article" data-start="3" data-end="7" data-cite="3-1"' in done
    assert 'aria-label="Citation 1: Chapter 1, Ana">[1]</button>' in done
    running = render_exchange(Exchange("Why?", sentences=(AnswerSentence("Dry.", (1,), "Ana"),)), 3)
    assert '<sup class="mark pending">[1]</sup>' in running
    assert "data-start" not in running


@pytest.mark.parametrize(
    ("exchange", "words"),
    [
        (answered(), "Answered from the sources"),
        (answered(status="partial"), "Partly answered: the sources cover only some of this"),
        (answered(status="not_in_sources"), "Not in the sources"),
        (Exchange("Why?"), "Reading the sources…"),
        (Exchange("Why?", stopped=True), "Stopped before the end"),
        (Exchange("Why?", message="no index; run: verse ingest"), "no index; run: verse ingest"),
    ],
)
def test_every_state_is_said_in_words(exchange: Exchange, words: str) -> None:
    assert words in render_exchange(exchange, 0)


def test_voice_and_stance_stand_beside_and_a_run_of_one_voice_names_it_once() -> None:
    sentences = tuple(AnswerSentence(text, (1,), voice) for text, voice in (("A.", "Ana"), ("B.", "Ana"), ("C.", "Bo")))
    html = render_exchange(answered(sentences=sentences, citations=(citation(stance="opposing"),)), 0)
    assert re.findall(r'<p class="voice">(\w+)</p>', html) == ["Ana", "Bo"]
    assert "Opposing view" in html


def test_corrections_other_views_nearest_and_withheld_are_shown() -> None:
    noted = citation(notes=(Note("It was May.", "inferred", "log", "The log"),))
    unborne = AnswerSentence("It flies to the moon.", support=Support("unsupported", 0.01, "no passage says so"))
    html = render_exchange(answered(citations=(noted,), other_views=(citation(),), withheld=(unborne,)), 0)
    assert "<strong>Correction (inferred):</strong> It was May. <cite>The log</cite>" in html
    assert "<h3>Other views</h3>" in html
    assert "It flies to the moon." in html and "no passage says so" in html
    assert "Nearest passages" not in html
    assert "<h3>Nearest passages</h3>" in render_exchange(answered(nearest=(citation(),)), 0)


def test_support_is_told_apart_and_never_called_verified() -> None:
    weak = AnswerSentence("Dry.", (1,), "Ana", Support("weak", 0.3))
    html = render_exchange(answered(sentences=(weak,)), 0)
    assert "weakly supported" in html
    assert "verified" not in (html + render_header("")).lower()


def test_every_character_of_a_section_stands_in_one_span(corpus: Corpus) -> None:
    for source_id, document in corpus.documents.items():
        pages = render_source(corpus, source_id)
        assert pages
        places = [(int(a), int(b)) for a, b in re.findall(r'data-start="(\d+)" data-end="(\d+)"', pages["text"])]
        covered = [n for a, b in places for n in range(a, b)]
        assert covered == [n for section in document.sections for n in range(section.start, section.end)]
        starts = {a for a, _ in places}
        assert all(sentence.start in starts for sentence in document.sentences)


def test_an_unknown_source_gives_nothing(corpus: Corpus) -> None:
    assert render_source(corpus, "no such") is None


def test_first_questions_come_from_the_corpus_itself(corpus: Corpus) -> None:
    assert first_questions(corpus)[0] == "What does Chapter 1 say about “On keeping bees”?"
    untitled = Corpus.from_texts({"a": "Bees like a dry hive, and they like it warm."}, titles={"a": "Bees"})
    assert first_questions(untitled) == ["What is “Bees” about?"]


def test_follow_ups_come_from_who_bears_on_the_cited_sections(built_in: Corpus) -> None:
    cited = replace(citation(), section="Chapter 2", voice="Ilya Sutskever")
    found = Answer("Why?", "Why?", "answered", 0.9, (AnswerSentence("A.", (1,)),), citations=(cited,))
    asked = follow_ups(built_in, found, ["Why?"])
    assert asked[0].startswith("What does ") and asked[0].endswith(" say about this?")
    assert asked[2].startswith("What does Chapter 2 say about “")
    assert asked[0] not in follow_ups(built_in, found, ["Why?", asked[0].upper()])
    lost = replace(found, status="not_in_sources", citations=())
    assert follow_ups(built_in, lost, []) == first_questions(built_in)[:3]
