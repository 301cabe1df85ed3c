"""The product broken on purpose: the evals must say so, and must hold their peace about the sound one."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import rag
from corpus import BUILT_IN, Corpus
from corpus.edit import remove_source
from evals.evaluation import Options, Outcome, evaluate
from evals.questions import Question, built_in_questions
from rag import Answer, Engine, ScoredPassage
from rag.ingest import ingest
from rag.settings import Settings

pytestmark = pytest.mark.slow


class Sound:
    """An engine that remembers its answers, so that a fault can be put into them without asking again."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.corpus, self.index, self.settings = engine.corpus, engine.index, engine.settings
        self._answers: dict[str, Answer] = {}
        self._found: dict[str, list[ScoredPassage]] = {}

    def ask(self, question: str, history: Sequence[Any] = (), **scope: Any) -> Answer:
        key = f"{question} {history} {scope}"
        if key not in self._answers:
            self._answers[key] = self.engine.ask(question, history, **scope)
        return self._answers[key]

    def retrieve(self, question: str, history: Sequence[Any] = (), k: int = 10, **scope: Any) -> list[ScoredPassage]:
        key = f"{question} {history} {k} {scope}"
        if key not in self._found:
            self._found[key] = self.engine.retrieve(question, history, k, **scope)
        return self._found[key]


class Broken:
    """An engine whose answers go through a fault first."""

    def __init__(self, sound: Sound) -> None:
        self.sound = sound
        self.corpus, self.index, self.settings, self.retrieve = (
            sound.corpus,
            sound.index,
            sound.settings,
            sound.retrieve,
        )

    def ask(self, question: str, history: Sequence[Any] = (), **scope: Any) -> Answer:
        return self.spoil(self.sound.ask(question, history, **scope))

    def spoil(self, answer: Answer) -> Answer:
        raise NotImplementedError


class TooLax(Broken):
    """Answers whatever the gate would refuse, from the passages that come nearest."""

    def spoil(self, answer: Answer) -> Answer:
        return replace(answer, status="answered", citations=answer.citations or answer.nearest)


class OffByOne(Broken):
    """Cites each quote one character further on, now and then."""

    def spoil(self, answer: Answer) -> Answer:
        first, rest = answer.citations[:1], answer.citations[1:]
        moved = tuple(replace(c, start=c.start + 1, end=c.end + 1) for c in first if "2" in c.quote)
        return replace(answer, citations=(moved or first) + rest)


class OneVoice(Broken):
    """Takes everything for the guest's own words."""

    def spoil(self, answer: Answer) -> Answer:
        return replace(answer, citations=tuple(replace(c, voice="Ilya Sutskever") for c in answer.citations))


@pytest.fixture(scope="module")
def questions() -> list[Question]:
    return [question for question in built_in_questions() if question.part == "tune"]


@pytest.fixture(scope="module")
def sound(engine: Engine) -> Sound:
    return Sound(engine)


@pytest.fixture(scope="module")
def baseline(sound: Sound, questions: list[Question], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    outcome = evaluate(sound, questions, Options(out=folder))  # type: ignore[arg-type]
    assert not outcome.misfits
    return folder


@pytest.fixture
def corpus_copy(tmp_path: Path) -> Path:
    shutil.copytree(BUILT_IN, tmp_path / "corpus", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return tmp_path / "corpus"


def against(baseline: Path, engine: Engine | Sound | Broken, questions: list[Question], out: Path) -> Outcome:
    return evaluate(engine, questions, Options(baseline=baseline, out=out))  # type: ignore[arg-type]


@pytest.fixture
def open_changed(engine: Engine, corpus_copy: Path, tmp_path: Path) -> Iterator[Callable[[], Engine]]:
    """Opens the changed corpus over a copy of the sound index, so that only what changed is embedded."""
    with ExitStack() as stack:

        def call() -> Engine:
            assert isinstance(engine.settings.index, Path)
            index = Path(shutil.copytree(engine.settings.index, tmp_path / "index"))
            changed = Corpus.open(corpus_copy)
            ingest(changed, Settings.read(index=index))
            return stack.enter_context(rag.open_engine(changed, index=index))

        yield call


def test_the_sound_product_holds(baseline: Path, sound: Sound, questions: list[Question], tmp_path: Path) -> None:
    outcome = against(baseline, sound, questions, tmp_path / "out")
    assert outcome.missed == ()
    assert outcome.comparison is not None
    assert [row for row in outcome.comparison.rows if row.better is not None] == []


def test_a_gate_made_too_lax(baseline: Path, sound: Sound, questions: list[Question], tmp_path: Path) -> None:
    outcome = against(baseline, TooLax(sound), questions, tmp_path / "out")
    assert any(text.startswith("baseline: abstention_recall fell") for text in outcome.missed), outcome.missed


def test_a_quote_that_slipped(baseline: Path, sound: Sound, questions: list[Question], tmp_path: Path) -> None:
    outcome = against(baseline, OffByOne(sound), questions, tmp_path / "out")
    assert any(text.startswith("baseline: quote_validity fell from 1.000") for text in outcome.missed)


def test_all_voices_taken_for_one(baseline: Path, sound: Sound, questions: list[Question], tmp_path: Path) -> None:
    outcome = against(baseline, OneVoice(sound), questions, tmp_path / "out")
    assert any(text.startswith("baseline: voice fell") for text in outcome.missed), outcome.missed


def test_shuffled_chapters(
    baseline: Path, corpus_copy: Path, open_changed: Callable[[], Engine], questions: list[Question], tmp_path: Path
) -> None:
    article = corpus_copy / "texts" / "article.txt"
    heading = re.compile(r"^Chapter \d:.*$", re.MULTILINE)
    text = article.read_text(encoding="utf-8")
    headings = heading.findall(text)
    assert len(headings) == 8
    moved = iter(headings[3:] + headings[:3])
    article.write_text(heading.sub(lambda _: next(moved), text), encoding="utf-8")
    outcome = against(baseline, open_changed(), [q for q in questions if q.sources][:40], tmp_path / "out")
    said = " ".join(outcome.missed)
    assert "section_hit fell" in said
    assert "section_precision fell" in said
    assert "the corpus lost the evidence of" in said
    assert outcome.comparison is not None
    assert "corpus: the source article has another text" in outcome.comparison.changed


def test_a_dropped_source(
    baseline: Path, corpus_copy: Path, open_changed: Callable[[], Engine], questions: list[Question], tmp_path: Path
) -> None:
    remove_source(corpus_copy, "lermen-shortform")
    outcome = against(baseline, open_changed(), [q for q in questions if not q.sources], tmp_path / "out")
    assert "the corpus lost the evidence of" in " ".join(outcome.missed)
    assert "there is no section 'lermen-shortform#" in " ".join(outcome.missed)
    assert outcome.comparison is not None
    assert "corpus: the source lermen-shortform was dropped" in outcome.comparison.changed
