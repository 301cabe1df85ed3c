"""Corpora of one's own: in memory, in a folder, one long text or many short ones."""

from __future__ import annotations

from pathlib import Path

import pytest

import rag
from corpus import Corpus

GARDEN = {
    "beans": "# Beans\n\nRunner beans climb poles of two metres. They need water every evening in July. "
    "Pick the pods before the seeds swell.\n\n## Frost\n\nBeans die at the first frost. Sow them after 15 May.",
    "roses": "# Roses\n\nCut roses back in March. Ms. Lind says that pruning hard brings more flowers.",
}


def test_a_corpus_in_memory_answers_from_its_own_texts(encoder_files: Path) -> None:
    with rag.open_engine(Corpus.from_texts(GARDEN, titles={"beans": "Growing beans"})) as engine:
        answer = engine.ask("When should I sow beans?")
        assert "Sow them after 15 May." in [c.quote for c in answer.citations]
        assert answer.citations[0].section == "Frost"
        assert answer.citations[0].source_title == "Growing beans"


def test_a_sentence_that_occurs_twice_has_two_places(encoder_files: Path) -> None:
    text = "\n\n".join(f"# Part {n}\n\nThe bell rang. Nobody came in hour {n}. The bell rang." for n in (1, 2, 3))
    corpus = Corpus.from_texts({"bell": text})
    document = corpus.documents["bell"]
    starts = [s.start for s in document.sentences]
    assert starts == sorted(set(starts))
    assert [document.text[s.start : s.end] for s in document.sentences].count("The bell rang.") == 6
    with rag.open_engine(corpus) as engine:
        places = {(f.passage.start, f.passage.end) for f in engine.retrieve("bell", k=10)}
        assert len(places) == 3
        for found in engine.retrieve("bell", k=10):
            assert text[found.passage.start : found.passage.end] == found.passage.text


def test_many_short_texts(encoder_files: Path) -> None:
    texts = {
        f"note-{n}": f"Locker {n} holds the {('red', 'blue', 'green')[n % 3]} coat number {n}." for n in range(300)
    }
    with rag.open_engine(Corpus.from_texts(texts)) as engine:
        assert engine.retrieve("What is in locker 217?", k=3)[0].passage.source_id == "note-217"
        scoped = engine.retrieve("coat", sources=["note-5", "note-6"], k=10)
        assert {f.passage.source_id for f in scoped} == {"note-5", "note-6"}


def test_a_folder_without_a_manifest_is_a_corpus(tmp_path: Path, encoder_files: Path) -> None:
    for name, text in GARDEN.items():
        (tmp_path / f"{name}.md").write_text(text, encoding="utf-8")
    with rag.open_engine(tmp_path, index=tmp_path / "index") as engine:
        assert engine.ask("How should I prune roses?").citations[0].source_id == "roses"


def test_a_temporary_index_goes_with_its_engine(encoder_files: Path) -> None:
    engine = rag.open_engine(Corpus.from_texts(GARDEN))
    folder = engine.settings.index
    assert isinstance(folder, Path)
    assert folder is not None and folder.is_dir()
    engine.close()
    assert not folder.exists()


@pytest.mark.parametrize(
    ("texts", "words"),
    [({}, "empty"), ({"a": "  \n "}, "empty")],
)
def test_a_corpus_without_words_is_refused(texts: dict[str, str], words: str) -> None:
    with pytest.raises(rag.CorpusError, match=words):
        Corpus.from_texts(texts)
