"""What a passage's sentences are by themselves is read once, and rightly."""

from __future__ import annotations

from corpus import Corpus
from rag.datatypes import Passage
from rag.lines import FEATURES, read_lines
from rag.passages import split_document

_TEXT = """# The mill

The wheel was mended in May. It has turned since then without a halt!

Will it last the coming winter, when ice lies on the pond?

"No wheel of mine ever broke before its tenth year," said the miller.
"""


def test_paragraphs_begin_where_they_do_and_have_their_terms() -> None:
    document = Corpus.from_texts({"mill": _TEXT}).documents["mill"]
    (span,) = split_document(document)
    lines = read_lines(document, Passage("p", "mill", "", "", 0, len(_TEXT), _TEXT, 0, span))
    assert [text.split()[0] for text in lines.texts] == ["The", "It", "Will", '"No']
    assert lines.paragraphs.tolist() == [0, 2, 3]
    assert {"wheel", "mend", "turn"} <= lines.terms[0]
    assert "miller" in lines.terms[2]
    assert "miller" not in lines.terms[0]


def test_questions_and_short_sentences_are_known() -> None:
    document = Corpus.from_texts({"mill": _TEXT}).documents["mill"]
    (span,) = split_document(document)
    lines = read_lines(document, Passage("p", "mill", "", "", 0, len(_TEXT), _TEXT, 0, span))
    features = dict(zip(FEATURES, lines.features.tolist(), strict=True))
    assert features["question"] == [0, 0, 1, 0]
    assert features["short"] == [0, 0, 0, 0]
