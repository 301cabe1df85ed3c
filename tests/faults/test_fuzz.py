"""Whatever is read or asked: a value, or an error that we raise on purpose. `make soak` gives more of each."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import multiprocessing
import os
import random
import signal
import unicodedata
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rag
from corpus import Corpus, CorpusError
from corpus.loaders import Kind, parse_here
from corpus.manifest import read_manifest
from evals.questions import QuestionFileError, read_questions
from rag.datatypes import Turn
from rag.terminal import printable, show_rest
from tests.corpus.test_loaders import PAGE, make_docx, make_pdf, sound
from tests.faults.conftest import LONG

DOCUMENTS = 20_000 if LONG else 5_000
SECONDS = 20
in_one_folder = settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


# --- PDF, Word, HTML: in child processes, as in the product, but thousands in each


def damaged(whole: bytes, chance: random.Random) -> bytes:
    """Some bytes overwritten, lost or doubled."""
    for _ in range(chance.randint(1, 8)):
        place, length = chance.randrange(len(whole)), chance.randint(1, 30)
        piece = chance.choice([chance.randbytes(length), b"", whole[place : place + length] * 2, b"9" * length])
        whole = whole[:place] + piece + whole[place + (0 if chance.random() < 0.3 else length) :]
    return whole


def damaged_docx(whole: bytes, chance: random.Random) -> bytes:
    """The same to what is in the archive, so that damage reaches the reader behind it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(packed, "w") as new:
        names = old.namelist()
        hit = chance.sample(names, 2) if chance.random() < 0.3 else ["word/document.xml"]
        for name in names:
            content = old.read(name)
            new.writestr(name, damaged(content, chance) if name in hit and content else content)
    return damaged(packed.getvalue(), chance) if chance.random() < 0.1 else packed.getvalue()


def shuffled_page(whole: bytes, chance: random.Random) -> bytes:
    """The elements of a page out of order, and now and then the same done to them."""
    pieces = [*whole.replace(b"><", b">\0<").split(b"\0"), *ODD]
    page = b"".join(chance.choices(pieces, k=chance.randint(1, 20)))
    return damaged(page, chance) if len(page) > 60 and chance.random() < 0.3 else page


ODD = (
    b"<",
    b">",
    b"&#0;",
    b"&#x110000;",
    b"<!--",
    b"]]>",
    b"<p",
    b"</p>",
    b"<svg>",
    b"<table><td>",
    "\u202e\x85".encode(),
    b"\xff",
)
CHANGES: dict[Kind, Callable[[bytes, random.Random], bytes]] = {
    "pdf": damaged,
    "docx": damaged_docx,
    "html": shuffled_page,
}


class Told(Protocol):
    """A number that processes share."""

    value: int


def read_damaged(kind: Kind, whole: bytes, seeds: range, told: Told) -> None:
    """Read as many damaged documents as there are seeds; tell each seed before, and at the end how many were read."""
    logging.disable()
    warnings.simplefilter("ignore")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    read = 0
    for seed in seeds:
        told.value = seed
        content = CHANGES[kind](whole, random.Random(seed))
        signal.alarm(SECONDS)
        try:
            loaded = parse_here(kind, content)
        except Exception:  # noqa: BLE001 -- a parser may raise what it likes: the sandbox makes it a CorpusError
            continue
        finally:
            signal.alarm(0)
        sound(loaded)
        read += 1
    told.value = -read


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.parametrize(
    ("kind", "whole"), [("pdf", make_pdf(outline=True)), ("docx", make_docx()), ("html", PAGE.encode())]
)
def test_thousands_of_damaged_documents(kind: Kind, whole: bytes) -> None:
    context, at_once = multiprocessing.get_context("forkserver"), os.cpu_count() or 1
    told = [context.Value("q", 0, lock=False) for _ in range(at_once)]
    readers = [
        context.Process(target=read_damaged, args=(kind, whole, range(n + 1, DOCUMENTS + 1, at_once), told[n]))
        for n in range(at_once)
    ]
    for reader in readers:
        reader.start()
    for reader, last in zip(readers, told, strict=True):
        reader.join()
        assert reader.exitcode == 0 and last.value < 0, f"seed {last.value} ended the reader with {reader.exitcode}"
    assert -sum(last.value for last in told) > DOCUMENTS / 20, "too few could be read for the test to say anything"


# --- manifests and question files

WORDS = st.sampled_from(
    ['title = "x"\n', "[[sources]]\n", 'id = "a"\n', 'id = "../a"\n', 'file = "../../etc/passwd"\n', "sources = 3\n",
     'file = "a\\u0000b"\n', 'bears_on = ["X"]\n', "[[corrections]]\n", 'anchor = "The ferry leaves"\n', "[people]\n",
     'stance = "primary"\n', "[sources.layout]\n", 'remainder = {a = ""}\n', '"\x1b[31m" = 1\n',
     "[[people]]\nname = ''\n",
     'source = "a"\nnote = "n"\nstatus = "confirmed"\nbasis = "a"\n', "published = 2025-01-01\n", "=", "[", '"""', "\\",
     "a = " + "[" * 5_000, "b = " + "9" * 5_000]
)  # fmt: skip
SOUP = st.lists(WORDS | st.text(max_size=10), max_size=25).map("".join)


@in_one_folder
@given(text=SOUP, start=st.sampled_from(["", 'title = "x"\n[[sources]]\nid = "a"\ntitle = "A"\n']))
def test_any_manifest_is_read_or_refused(tmp_path: Path, text: str, start: str) -> None:
    (tmp_path / "a.md").write_text("# Ferry\n\nThe ferry leaves at three.", encoding="utf-8")
    file = tmp_path / "manifest.toml"
    file.write_bytes((start + text).encode("utf-8", "surrogatepass"))
    with contextlib.suppress(CorpusError):
        read_manifest(file)
        corpus = Corpus.open(tmp_path)
        for source in corpus.sources:
            assert "root:" not in corpus.text(source.id)
            assert corpus.documents[source.id].sentences is not None


FIELDS = st.sampled_from(["id", "question", "kind", "history", "answerable", "sections", "sources", "must_include"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS | st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)


BOMBS = st.sampled_from(["[" * 5_000, "9" * 5_000])


@in_one_folder
@given(lines=st.lists(JSON.map(json.dumps) | st.text(max_size=30) | BOMBS, max_size=5))
def test_any_question_file_is_read_or_refused(tmp_path: Path, lines: list[str]) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
    with contextlib.suppress(QuestionFileError):
        read_questions(file)


# --- questions

TURNS = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": st.text(max_size=60)}), max_size=4
)
ASKED = st.text(max_size=80) | st.lists(
    st.sampled_from(
        ["Ilya", "chapter", "the last", "who", "why", "summarise", "in", "99999999999999999999", "sentences", "“",
        "\x1b[2J",
         "compare", "and", "<script>", "\u202e", "disagrees", "how many", "is it true that", "’s", "zero", "ten", "0"]
    ), max_size=8,
).map(" ".join)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(question=ASKED, history=TURNS)
def test_any_question_is_answered_from_the_sources_or_refused(
    engine: rag.Engine, question: str, history: list[Turn]
) -> None:
    try:
        answer = engine.ask(question, history)
    except rag.QuestionError:
        return
    for citation in (*answer.citations, *answer.other_views, *answer.nearest):
        text = engine.corpus.documents[citation.source_id].text
        assert text[citation.start : citation.end] == citation.quote
    json.dumps(answer.to_dict(), allow_nan=False)
    shown = printable(answer.text) + show_rest(answer)
    assert not [ch for ch in shown if ch != "\n" and unicodedata.category(ch) in ("Cc", "Cs")]
