"""The structure of a text: every character in one place, every sentence where it says it is."""

from __future__ import annotations

from itertools import pairwise

from corpus import Corpus
from corpus.document import parse


def test_every_character_of_the_article_has_one_home(corpus: Corpus) -> None:
    document = corpus.documents["article"]
    spans = sorted([(s.start, s.end) for s in document.sections] + [(r.start, r.end) for r in document.remainders])
    assert spans[0][0] == 0
    assert spans[-1][1] == len(document.text)
    assert all(a[1] == b[0] for a, b in pairwise(spans))


def test_the_sections_of_the_article(corpus: Corpus) -> None:
    labels = [section.label for section in corpus.documents["article"].sections]
    assert labels == [
        "Guest Profile", *(f"Chapter {n}" for n in range(1, 9)),
        "Editorial Analysis", "Opposing Views", "Fact Check", "Key Takeaways",
    ]  # fmt: skip
    assert (
        corpus.documents["article"].sections[1].title == "A Puzzling Disconnect – Eval Performance vs. Economic Impact"
    )
    assert [r.name for r in corpus.documents["article"].remainders] == [
        "title",
        "source note",
        "coffee request",
    ]


def test_the_rows_of_the_flattened_table(corpus: Corpus) -> None:
    document = corpus.documents["article"]
    read = [
        tuple(document.text[slice(*part)] if part else "" for part in (row.claim, row.verdict, row.evidence))
        for row in document.rows
    ]
    assert len(read) == 6
    assert read[0] == (
        "SSI raised approximately $3 billion",
        "Accurate",
        "(Crunchbase/Tracxn data consistent: $1B + $2B, $32B valuation)",
    )
    assert read[4][:2] == ("“From Age of Scaling to Age of Research”", "Partially accurate")
    assert read[5][2] == "(5x span), limited informational value"


def test_sentences_survive_quotes_decimals_and_abbreviations() -> None:
    text = (
        "It reached 73.94% on GPQA, e.g. close to o1’s 77.3%. “Data is finite. Then what do you do?” "
        "She paid $1.5 billion… and left. Dr. Lind agreed with the U.S. team."
    )
    document = parse("t", "T", text)
    assert [text[s.start : s.end] for s in document.sentences] == [
        "It reached 73.94% on GPQA, e.g. close to o1’s 77.3%.",
        "“Data is finite. Then what do you do?”",
        "She paid $1.5 billion… and left.",
        "Dr. Lind agreed with the U.S. team.",
    ]


def test_headings_are_found_however_they_are_written() -> None:
    markdown = parse("t", "T", "# One\n\nFirst text here.\n\n## Two\n\nSecond text here.")
    assert [s.label for s in markdown.sections] == ["One", "Two"]
    numbered = parse("t", "T", "Chapter 1: Dawn\n\nThe sun rose.\n\nChapter 2: Dusk\n\nThe sun set.")
    assert [(s.label, s.title) for s in numbered.sections] == [("Chapter 1", "Dawn"), ("Chapter 2", "Dusk")]
    bare = parse("t", "Plain", "Only one paragraph of text, with no heading at all.")
    assert [s.label for s in bare.sections] == ["Plain"]


def test_two_sections_of_one_name_can_be_told_apart() -> None:
    document = parse("t", "T", "# Notes\n\nOne thing.\n\n# Notes\n\nAnother thing.")
    assert [s.label for s in document.sections] == ["Notes", "Notes (2)"]
