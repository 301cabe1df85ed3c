"""The index is complete or it isn't there, and a mismatch is refused by name."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import chromadb
import pytest
from chromadb.config import Settings as ChromaSettings
from llama_index.core import VectorStoreIndex
from llama_index.core.embeddings import MockEmbedding
from llama_index.vector_stores.chroma import ChromaVectorStore

import rag
from corpus import Corpus
from rag.chroma import COLLECTION, DenseIndex
from rag.datatypes import Scope, Standalone
from rag.folder import BUILDS, CHROMA, CURRENT
from rag.index import PassageIndex
from rag.ingest import ingest
from rag.retrieve import find_candidates
from rag.settings import Settings
from rag.understand import understand

TEXTS = {
    "tide": "# Tides\n\nThe tide turns at noon. The ferry leaves at three.\n\n# Winds\n\nThe wind blows from the west."
}


@pytest.fixture
def folder(tmp_path: Path, encoder_files: Path) -> Path:
    """A corpus folder with one text."""
    corpus = tmp_path / "harbour"
    corpus.mkdir()
    (corpus / "tide.md").write_text(TEXTS["tide"], encoding="utf-8")
    return corpus


def _index(folder: Path) -> Path:
    index = folder.parent / "index"
    ingest(Corpus.open(folder), Settings.read(index=index))
    return index


def test_a_second_ingest_embeds_nothing(folder: Path) -> None:
    index = _index(folder)
    again = ingest(Corpus.open(folder), Settings.read(index=index))
    assert again.changed is False


def test_an_edit_embeds_only_what_changed(folder: Path) -> None:
    index = _index(folder)
    (folder / "tide.md").write_text(TEXTS["tide"].replace("west", "east"), encoding="utf-8")
    with pytest.raises(rag.IndexMismatch, match=r"verse ingest"):
        rag.open_engine(folder, index=index)
    done = ingest(Corpus.open(folder), Settings.read(index=index))
    # There is one passage a section, and one section changed.
    assert done.meta.embedded == 1
    assert [b.name for b in (index / BUILDS).iterdir()] == [(index / CURRENT).read_text()]
    with rag.open_engine(folder, index=index) as engine:
        assert "east" in engine.ask("Where does the wind blow from?").text


def test_another_corpus_model_or_format_is_refused_by_name(folder: Path, tmp_path: Path) -> None:
    index = _index(folder)
    with pytest.raises(rag.IndexMismatch, match=r"another corpus"):
        rag.open_engine(Corpus.from_texts({"other": "Another text."}), index=index)
    with pytest.raises(rag.IndexMismatch, match=r"all-MiniLM-L6-v2.*some-model"):
        rag.open_engine(folder, index=index, model="some-model")
    meta = index / BUILDS / (index / CURRENT).read_text() / "meta.json"
    meta.write_text(json.dumps({**json.loads(meta.read_text()), "format": 99}))
    with pytest.raises(rag.IndexMismatch, match=r"format 99.*verse ingest"):
        rag.open_engine(folder, index=index)


def test_an_index_that_cannot_be_written_names_the_cure(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(rag.IndexMismatch, match=r"can't be written.*--index"):
        rag.open_engine(folder, index=tmp_path / "file" / "index")


def test_a_failed_build_leaves_the_old_index_serving(folder: Path) -> None:
    index = _index(folder)
    serving = (index / CURRENT).read_text()

    def fail(done: int, total: int) -> None:
        raise KeyboardInterrupt

    (folder / "new.md").write_text("A new text about gulls.", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        ingest(Corpus.open(folder), Settings.read(index=index), progress=fail)
    assert (index / CURRENT).read_text() == serving
    assert [b.name for b in (index / BUILDS).iterdir()] == [serving]


def test_any_llama_index_program_can_open_the_collection(folder: Path) -> None:
    index = _index(folder)
    build = index / BUILDS / (index / CURRENT).read_text()
    client = chromadb.PersistentClient(str(build / "chroma"), settings=ChromaSettings(anonymized_telemetry=False))
    store = ChromaVectorStore(chroma_collection=client.get_collection(COLLECTION, embedding_function=None))
    retriever = VectorStoreIndex.from_vector_store(store, embed_model=MockEmbedding(384)).as_retriever(
        similarity_top_k=5
    )
    found = {node.node.metadata["section"] for node in retriever.retrieve("anything")}
    assert found == {"Tides", "Winds"}


def test_an_ingest_says_what_became_of_each_source(folder: Path) -> None:
    index = _index(folder)
    (folder / "gulls.md").write_text("# Gulls\n\nGulls follow the ferry.", encoding="utf-8")
    (folder / "tide.md").rename(folder / "ebb.md")
    done = ingest(Corpus.open(folder), Settings.read(index=index))
    assert (done.added, done.renamed, done.edited, done.removed) == (("gulls",), ("ebb",), (), ())
    (folder / "gulls.md").unlink()
    (folder / "ebb.md").write_text(TEXTS["tide"] + " It rains.", encoding="utf-8")
    (folder / "scan.txt").write_bytes(b"\x00\x01\x02" * 50)
    done = ingest(Corpus.open(folder), Settings.read(index=index))
    assert (done.edited, done.removed, done.failed) == (("ebb",), ("gulls",), ("scan",))
    assert str(done) == "0 added, 1 edited, 1 removed, 1 failed; 1 of 2 passages embedded"


def test_a_narrow_scope_is_searched_as_chroma_would(folder: Path) -> None:
    index = _index(folder)
    with rag.open_engine(folder, index=index) as engine:
        vector = engine.encoder.encode_query(["the wind from the west"])[0]
        scope = Scope(sections=("Winds", "Tides"))
        narrow = engine.index.search_dense(vector, 5, scope)
        (build,) = (index / BUILDS).iterdir()
        dense = DenseIndex.open(build / CHROMA)
        by_chroma = dense.search(vector, 5, scope)
        dense.close()
    assert [row for row, _ in narrow] == [row for row, _ in by_chroma]
    assert [cosine for _, cosine in narrow] == pytest.approx([cosine for _, cosine in by_chroma], abs=1e-5)


def test_a_large_corpus_finds_by_chromas_graph_what_a_small_one_finds_one_by_one(
    engine: rag.Engine, corpus: Corpus
) -> None:
    folder = engine.index.build.parent.parent
    dense = DenseIndex.open(engine.index.build / CHROMA)
    with closing(PassageIndex.open(folder, corpus, engine.settings.model, dense)) as by_graph:
        for question in ("How much has SSI raised?", "Why is scaling over?", "Who disagrees with him?"):
            query = understand(engine.index, engine.encoder, Standalone(question, question), Scope())
            wanted = [found.passage.id for found in find_candidates(engine.index, query, Scope())]
            assert [found.passage.id for found in find_candidates(by_graph, query, Scope())] == wanted


def test_many_askers_at_once_get_the_answers_of_one(engine: rag.Engine) -> None:
    questions = ("How much has SSI raised?", "Why is scaling over?", "Who disagrees with him?", "Who won the cup?") * 4
    wanted = [engine.ask(question).text for question in questions]
    with ThreadPoolExecutor(8) as askers:
        assert list(askers.map(lambda question: engine.ask(question).text, questions)) == wanted
