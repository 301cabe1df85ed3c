"""The figures, one pure function each. A case that can't have a figure has None, not zero.

Each function gives a Share: part of whole, of one question. The figure over many questions is the sum of the
parts by the sum of the wholes; where every whole is 1, that is the mean. So a question with more citations weighs
more in section precision, as in the scorer that came with the first questions, whose definitions section hit and
precision, evidence recall, must-include and must-not are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import ir_measures
from ir_measures import RR, Measure, Qrel, R, ScoredDoc, Success, nDCG

from corpus import Corpus
from evals.questions import Question
from rag import AnswerSentence, Citation, Support

_EVEN = str.maketrans(
    {"’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"', "–": "-", "—": "-", "‑": "-", "−": "-", "…": "...",
     "\u00a0": " ", "\u202f": " ", "\u200b": ""}
)  # fmt: skip
FOUND = 0.5
DEPTH = 10
MEASURES: Mapping[str, Measure] = {
    "recall@5": R @ 5,
    "recall@10": R @ 10,
    "hit@10": Success @ 10,
    "ndcg@10": nDCG @ 10,
    "mrr@10": RR @ 10,
}

Supports = Callable[[str, Sequence[str]], Support]


class Share(NamedTuple):
    """Part of whole; the parts and the wholes are summed over questions before dividing."""

    part: float
    whole: float = 1.0


def retrieval(relevant: Sequence[str], ranked: Sequence[str]) -> dict[str, Share]:
    """recall@5, recall@10, hit@10, nDCG@10 and reciprocal rank at 10 of a ranked list of passage ids, by ir-measures.

    Recall@k: share of the relevant passages among the first k; hit@k: whether any is (hit rate). nDCG: Järvelin
    and Kekäläinen 2002, with gain 1 for a relevant passage. MRR: Voorhees 1999. Empty where no passage is relevant.
    """
    if not relevant:
        return {}
    judged = [Qrel("q", passage, 1) for passage in relevant]
    found = [ScoredDoc("q", passage, -float(rank)) for rank, passage in enumerate(ranked[:DEPTH])]
    values = {metric.measure: metric.value for metric in ir_measures.iter_calc(MEASURES.values(), judged, found)}
    return {name: Share(round(float(values.get(measure, 0.0)), 6)) for name, measure in MEASURES.items()}


def section_hit(question: Question, sections: Sequence[str]) -> Share | None:
    """Whether any citation lies in a gold section."""
    if not question.answerable or not question.gold_sections:
        return None
    return Share(float(any(section in question.gold_sections for section in sections)))


def section_precision(question: Question, sections: Sequence[str]) -> Share | None:
    """Citations that lie in a gold section, of all citations."""
    if not question.answerable or not question.gold_sections:
        return None
    return Share(sum(section in question.gold_sections for section in sections), len(sections))


def evidence_recall(question: Question, texts: Iterable[str]) -> Share | None:
    """Share of evidence spans found: half of a span's tokens, in order, in a stretch of 1.5 times its length."""
    if not question.answerable or not question.evidence:
        return None
    texts = list(texts)
    return Share(sum(any(holds_span(text, spans) for text in texts) for spans in question.spans) / len(question.spans))


def must_include(question: Question, text: str) -> Share | None:
    """Share of the must_include lists of which the answer holds a member."""
    if not question.answerable or not question.must_include:
        return None
    said = answer_text(text)
    met = sum(any(holds(said, key) for key in keys) for keys in question.must_include)
    return Share(met / len(question.must_include))


def must_not(question: Question, text: str) -> Share | None:
    """Whether the answer holds a forbidden string; fewer is better."""
    if not question.must_not:
        return None
    said = answer_text(text)
    return Share(float(any(holds(said, key, whole=True) for key in question.must_not)))


def quote_validity(citations: Sequence[Citation], corpus: Corpus) -> Share:
    """Quotes that stand word for word at their place, and whose place lies in the section named, of all quotes."""
    return Share(sum(valid_quote(citation, corpus) for citation in citations), len(citations))


def valid_quote(citation: Citation, corpus: Corpus) -> bool:
    """Whether the quote stands at its place, and its place in its section."""
    document = corpus.documents.get(citation.source_id)
    section = document.section_by_label.get(citation.section) if document else None
    return (
        document is not None
        and section is not None
        and document.text[citation.start : citation.end] == citation.quote
        and section.start <= citation.start
        and citation.end <= section.end
    )


def support(sentences: Sequence[AnswerSentence], quotes: Mapping[int, str], supports: Supports) -> dict[str, Share]:
    """Support, citation recall and citation precision over the sentences of an answer that cite anything.

    Support is the mean score that `supports` gives a sentence and its cited quotes. The other two are those of
    ALCE (Gao et al. 2023, section 3): a sentence is recalled when its cited quotes together support it; a
    citation is precise when its sentence is recalled and the citation is needed: it supports the sentence alone,
    or the others don't without it. Quotes stand for ALCE's passages, and `supports` for its NLI model.
    """
    score = recalled = precise = cited = 0.0
    claims = [sentence for sentence in sentences if sentence.citations]
    for sentence in claims:
        own = [quotes[number] for number in sentence.citations if number in quotes]
        together = supports(sentence.text, own)
        score += together.score
        cited += len(own)
        if together.label == "supported":
            recalled += 1
            precise += sum(_needed(sentence.text, own, n, supports) for n in range(len(own)))
    return {
        "support": Share(round(score, 6), len(claims)),
        "citation_recall": Share(recalled, len(claims)),
        "citation_precision": Share(precise, cited),
    }


def _needed(sentence: str, quotes: Sequence[str], n: int, supports: Supports) -> bool:
    if len(quotes) == 1 or supports(sentence, [quotes[n]]).label == "supported":
        return True
    return supports(sentence, [*quotes[:n], *quotes[n + 1 :]]).label != "supported"


def abstention(question: Question, abstained: bool) -> dict[str, Share]:
    """Precision, recall and F1 of abstaining, with the unanswerable questions as the positive class, and the
    share of answerable questions that were refused (fewer is better). F1 is 2 TP / (2 TP + FP + FN), a ratio of
    sums like the others (van Rijsbergen 1979)."""
    right = float(abstained and not question.answerable)
    figures = {
        "abstention_precision": Share(right, float(abstained)),
        "abstention_f1": Share(2 * right, float(abstained) + float(not question.answerable)),
    }
    if question.answerable:
        figures["refused"] = Share(float(abstained))
    else:
        figures["abstention_recall"] = Share(right)
    return figures


def voice(question: Question, citations: Sequence[Citation]) -> Share | None:
    """Whether a citation that holds gold evidence has the expected voice. None where no voice is expected, or
    where the evidence was not cited: that is a miss of evidence recall, and not of the voice."""
    if question.voice is None:
        return None
    voices = [c.voice for c in citations if any(holds_span(c.quote, spans) for spans in question.spans)]
    return Share(float(question.voice in voices)) if voices else None


def holds_span(text: str, spans: Iterable[str]) -> bool:
    """Whether the text holds one of the spans, by FOUND."""
    return any(overlap(span, text) >= FOUND for span in spans)


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
