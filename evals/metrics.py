"""The figures, one pure function each. A case that can't have a figure has None, not zero.

The definitions are those of the scorer that came with the first questions: section hit and precision over
citations, evidence recall by ordered token overlap, must-include over alternatives.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from evals.questions import Question

_EVEN = str.maketrans(
    {"’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"', "–": "-", "—": "-", "‑": "-", "−": "-", "…": "...",
     "\u00a0": " ", "\u202f": " ", "\u200b": ""}
)  # fmt: skip
FOUND = 0.5


def section_hit(question: Question, sections: Sequence[str]) -> float | None:
    """1 if any citation lies in a gold section."""
    return float(any(s in question.gold_sections for s in sections)) if question.answerable else None


def section_precision(question: Question, sections: Sequence[str]) -> tuple[int, int] | None:
    """(citations in a gold section, citations); summed over questions before dividing."""
    if not question.answerable:
        return None
    return sum(s in question.gold_sections for s in sections), len(sections)


def evidence_recall(question: Question, texts: Iterable[str]) -> float | None:
    """Share of evidence spans found: half of a span's tokens, in order, in a stretch of 1.5 times its length."""
    if not question.answerable:
        return None
    texts = list(texts)
    found = [any(overlap(span, text) >= FOUND for span in spans for text in texts) for spans in question.spans]
    return sum(found) / len(found)


def must_include(question: Question, text: str) -> float | None:
    """Share of the must_include lists of which the answer holds a member."""
    if not question.answerable or not question.must_include:
        return None
    said = answer_text(text)
    return sum(any(holds(said, key) for key in keys) for keys in question.must_include) / len(question.must_include)


def must_not(question: Question, text: str) -> int:
    """How many forbidden strings the answer holds."""
    said = answer_text(text)
    return sum(holds(said, key, whole=True) for key in question.must_not)


def overlap(span: str, text: str) -> float:
    """Greatest share of the span's tokens, in order, in a stretch of the text of 1.5 times its length."""
    a, b = tokens(span), tokens(text)
    if not a or not b:
        return 0.0
    width = -(-len(a) * 3 // 2) + 1
    step = max(1, len(a) // 4)
    best = 0
    for i in range(0, max(1, len(b) - width + step), step):
        piece = b[i : i + width]
        if sum((Counter(a) & Counter(piece)).values()) > best:
            best = max(best, _common_subsequence(a, piece))
    return best / len(a)


def tokens(text: str) -> list[str]:
    """Lower-cased words and numbers; a capital after a small letter begins a new word (flattened tables)."""
    text = re.sub(r"(?<=[a-z)])(?=[A-Z])", " ", even(text))
    return re.findall(r"[a-z0-9]+(?:[.,'][a-z0-9]+)*", text.lower())


def even(text: str) -> str:
    """Quotation marks, dashes, ellipses and white space evened out."""
    return re.sub(r"\s+", " ", text.translate(_EVEN)).strip()


def answer_text(text: str) -> str:
    """An answer without markup and [1] marks; "Chapter 2" goes too, whose number would pass for a figure."""
    text = re.sub(r"[*_`]+", "", even(text))
    text = re.sub(r"\[\^?\d+(?:\s*[,-]\s*\d+)*\]", " ", text)
    text = re.sub(r"\bch(?:apter|\.)?\s*\d+\b", " ", text, flags=re.I)
    return even(text).lower()


def holds(text: str, key: str, *, whole: bool = False) -> bool:
    """Whether key stands in text from a word's start; a key that ends in a digit, or whole, ends there too."""
    key = even(key).lower()
    start = r"(?<![a-z0-9])(?<!\d[.,])" if key[:1].isalnum() else ""
    end = ""
    if key[-1:].isdigit():
        end = r"(?![a-z0-9])(?![.,]\d)"
    elif whole and key[-1:].isalnum():
        end = r"(?![a-z0-9])"
    return re.search(start + re.escape(key) + end, text) is not None


def _common_subsequence(a: Sequence[str], b: Sequence[str]) -> int:
    row = [0] * (len(b) + 1)
    for x in a:
        previous = 0
        for j, y in enumerate(b, 1):
            keep = row[j]
            row[j] = previous + 1 if x == y else max(row[j], row[j - 1])
            previous = keep
    return row[-1]
