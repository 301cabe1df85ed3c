"""A cross-encoder of the user's own has a say in the order of the evidence; one that isn't there is named."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import rag
from corpus import Corpus
from rag.datatypes import Scope, Standalone, Vectors
from rag.encoder import load_entailment, load_reranker, load_sentence_transformer
from rag.export import checked_weights
from rag.rerank import rank_evidence, rerank
from rag.retrieve import find_candidates
from rag.settings import Settings
from rag.understand import understand


def test_what_the_cross_encoder_likes_comes_to_the_front(engine: rag.Engine) -> None:
    query = understand(engine.index, engine.encoder, Standalone("Who left SSI?", "Who left SSI?"), Scope())
    ranked = rank_evidence(engine.index, query, find_candidates(engine.index, query, Scope()))

    def likes_socks(question: str, texts: Sequence[str]) -> Vectors:
        assert question == query.text
        return np.array([float(text == ranked[5].text) for text in texts], dtype=np.float32)

    judged = rerank(query, ranked, likes_socks)
    assert judged[0].text == ranked[5].text
    assert {e.text for e in judged} == {e.text for e in ranked}


def test_a_cross_encoder_that_is_not_here_is_refused_with_the_cure(tmp_path: Path) -> None:
    settings = Settings.read(home=tmp_path, reranker="nobody/no-such-model")
    with pytest.raises(rag.ModelUnavailable, match=r"nobody/no-such-model.*VERSE_RERANKER"):
        rag.Engine.open(Corpus.from_texts({"one": "The bridge was built in 1911. It is long."}), settings)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_real_cross_encoder_from_a_folder_rates_every_sentence(tmp_path: Path) -> None:
    _save_tiny_cross_encoder(tmp_path / "tiny")
    rate = load_reranker(str(tmp_path / "tiny"))
    scores = rate("Who built it?", ["Anna built it.", "It rains.", "The bridge is long."])
    assert scores.shape == (3,)
    assert np.isfinite(scores).all()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_weights_in_a_pickle_are_refused(tmp_path: Path) -> None:
    import torch  # noqa: PLC0415 -- seconds of import
    from safetensors.torch import load_file  # noqa: PLC0415

    _save_tiny_cross_encoder(tmp_path / "pickled")
    safe = tmp_path / "pickled" / "model.safetensors"
    torch.save(load_file(safe), tmp_path / "pickled" / "pytorch_model.bin")
    safe.unlink()
    for load in (load_reranker, load_entailment, load_sentence_transformer):
        with pytest.raises(rag.ModelUnavailable, match="safetensors"):
            load(str(tmp_path / "pickled"))


def _save_tiny_cross_encoder(folder: Path) -> None:
    """A network of one layer with weights drawn at random: real files, no meaning."""
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer  # noqa: PLC0415

    source = checked_weights()
    AutoTokenizer.from_pretrained(source).save_pretrained(folder)
    config = AutoConfig.from_pretrained(source, num_hidden_layers=1, num_labels=1)
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)  # type: ignore[no-untyped-call]
