"""Input made to stall: its cost grows with its length and no faster."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path

import pytest

import rag
from corpus import Corpus, CorpusError
from corpus.document import parse, split_sentences
from corpus.loaders import load, parse_here
from corpus.people import Person
from corpus.voices import assign_voices
from rag.terminal import printable
from rag.terms import points_back, terms

PEOPLE = (Person(name="Ilya Sutskever", aliases=("Ilya",), role="guest"), Person(name="Ann Lee", role="critic"))
SEEDS = (
    "a ",
    "“",
    "”, said the ",
    "`",
    "![",
    "漢字。",
    "Ilya (",
    "Ilya, and Ann Lee",
    "Ilya said “x” and ",
    "he also also ",
    "A Title\n\n",
    "# a\n\nb c.\n\n",
    "Chapter 1: A\n\ntext.\n\n",
    "Ann: hi\n",
    "- a\n",
    " ",
    "1,",
    "a-",
)
LENGTH = 200_000
SECONDS = 6.0  # of the processor, on a busy machine; the square of the length took minutes


@pytest.mark.parametrize("seed", SEEDS)
def test_structure_voices_and_terms_of_a_long_monotony(seed: str) -> None:
    text = (seed * LENGTH)[:LENGTH]
    began = time.process_time()
    assign_voices(parse("a", "a", text), PEOPLE, "the text")
    parse_here("text", text.encode())
    terms(text)
    points_back(text)
    assert time.process_time() - began < SECONDS


def test_a_sentence_without_an_end_is_cut_between_words() -> None:
    text = "word and " * 20_000
    pieces = [text[a:b] for a, b in split_sentences(text, 0, len(text))]
    assert len(pieces) > 10 and max(map(len, pieces)) <= 4_000
    assert " ".join(pieces) == text.strip()


def test_sentences_of_a_long_paragraph_are_those_of_a_short_one() -> None:
    few = "Dr. Lind counts the ships. “They come at noon,” she says. He waits! "
    text = few * 500
    apart = [few[a:b] for a, b in split_sentences(few, 0, len(few))]
    assert [text[a:b] for a, b in split_sentences(text, 0, len(text))] == apart * 500


@pytest.mark.parametrize("seed", ["how many x ", "which a b ", "list the two ", "“", "( ", "a-", "Ann Lee "])
def test_a_question_made_to_stall(engine: rag.Engine, seed: str) -> None:
    question = (seed * 4_000)[:3_999]
    began = time.process_time()
    engine.ask(question, [{"role": "user", "content": question}, {"role": "assistant", "content": question}])
    assert time.process_time() - began < SECONDS


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("deep.html", b"<div>" * 100_000 + b"text"),
        ("wide.html", b"<p>a</p>" * 200_000),
        ("quotes.md", b"> " * 50_000 + b"text"),
        ("lists.md", b"".join(b" " * n + b"- a\n" for n in range(400))),
        ("links.md", b"[a](" * 60_000),
        ("emphasis.md", b"*a **b " * 40_000),
        ("cues.vtt", b"WEBVTT\n\n" + b"00:01.000 --> 00:02.000\n<v A>" * 2_000),
    ],
)
def test_a_file_made_to_stall_is_read_or_refused_in_time(tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    began = time.monotonic()
    try:
        load(file, time_limit=5)
    except CorpusError as error:
        assert name in str(error)
    assert time.monotonic() - began < 15


def test_a_document_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", b"\0" * 150_000_000)
    (tmp_path / "bomb.docx").write_bytes(packed.getvalue())
    with pytest.raises(CorpusError, match="unpacks to 150 MB"):
        load(tmp_path / "bomb.docx")


def test_half_a_surrogate_pair_is_refused_by_name() -> None:
    for texts, titles in (({"a": "x \ud800"}, {}), ({"\ud800": "x"}, {}), ({"a": "x"}, {"a": "\udfff"})):
        with pytest.raises(CorpusError, match="surrogate"):
            Corpus.from_texts(texts, titles)
    with pytest.raises(CorpusError, match="is a int"):
        Corpus.from_texts({"a": 5})  # type: ignore[dict-item]


def test_a_terminal_is_not_turned_around() -> None:
    assert printable("a\u202egnp.exe\u2066\x9b31m") == "a�gnp.exe��31m"
    assert printable("שלום 👩‍👧 é") == "שלום 👩‍👧 é"


def test_a_long_plain_text_whose_structure_takes_too_long_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "long.txt"
    file.write_text("x.\n" * 1_500_000, encoding="utf-8")  # a sentence in every three characters: some 20 s
    began = time.monotonic()
    with pytest.raises(CorpusError, match=r"long\.txt took longer than 2 s to read; split it"):
        load(file, time_limit=2)
    assert time.monotonic() - began < 8
    honest = "The ferry leaves at nine. Ann looks after the lamp of the harbour.\n\n" * 20_000
    file.write_text(honest, encoding="utf-8")
    assert load(file).text == honest
