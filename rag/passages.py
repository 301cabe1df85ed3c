"""Document -> Passages: some 100 to 180 words each, made of whole sentences, never crossing a section."""

from __future__ import annotations

from collections.abc import Iterator

from corpus import Document

TARGET_WORDS = 140


def split_document(document: Document) -> Iterator[tuple[int, int]]:
    """(first, last + 1) positions in `document.sentences` of each passage, in order.

    A section is cut into even parts of about TARGET_WORDS words; a cut prefers the end of a paragraph when
    one lies near.
    """
    sentences = document.sentences
    first = 0
    while first < len(sentences):
        last = first
        while last < len(sentences) and sentences[last].section == sentences[first].section:
            last += 1
        yield from _split_section(document, first, last)
        first = last


def _split_section(document: Document, first: int, last: int) -> Iterator[tuple[int, int]]:
    sentences = document.sentences
    counts = [len(document.text[s.start : s.end].split()) for s in sentences[first:last]]
    parts = max(1, round(sum(counts) / TARGET_WORDS))
    share = sum(counts) / parts
    start, words, done = first, 0, 0
    for i in range(first, last - 1):
        words += counts[i - first]
        if done + 1 == parts:
            break
        paragraph_ends = sentences[i].paragraph != sentences[i + 1].paragraph
        # Within a fifth of the even mark a paragraph's end is worth taking early; past the mark any end is.
        mark = share * (done + 1)
        if words >= mark or (paragraph_ends and words >= mark - share / 5):
            yield start, i + 1
            start, done = i + 1, done + 1
    if start < last:
        yield start, last
