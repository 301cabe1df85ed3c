"""Questions -> answers -> figures, by kind and overall."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from corpus import Corpus
from evals import metrics
from evals.questions import KINDS, Question
from rag import Answer, Citation, Engine

Figures = dict[str, float | int | None]


@dataclass(frozen=True)
class Case:
    """One question, its answer, and its own figures."""

    question: Question
    answer: Answer
    seconds: float
    figures: Figures

    def to_dict(self) -> dict[str, Any]:
        """The case as JSON types."""
        return {
            "id": self.question.id,
            "kind": self.question.kind,
            "question": self.question.question,
            "figures": self.figures,
            "seconds": round(self.seconds, 6),
            "answer": self.answer.to_dict(),
        }


def run(
    engine: Engine,
    questions: Sequence[Question],
    sources: Sequence[str],
    progress: Callable[[int], None] = lambda done: None,
) -> list[Case]:
    """Ask every question; a question's own `sources` count before those given."""
    cases = []
    for done, question in enumerate(questions, start=1):
        started = time.perf_counter()
        answer = engine.ask(question.question, question.history, sources=question.sources or sources)
        seconds = time.perf_counter() - started
        cases.append(Case(question, answer, seconds, score(question, answer, engine.corpus)))
        progress(done)
    return cases


def score(question: Question, answer: Answer, corpus: Corpus) -> Figures:
    """The figures of one answer."""
    whole = any("#" in section for section in question.gold_sections)
    sections = [f"{c.source_id}#{c.section}" if whole else c.section for c in answer.citations]
    texts = [*(citation.quote for citation in answer.citations), answer.text]
    precision = metrics.section_precision(question, sections)
    return {
        "section_hit": metrics.section_hit(question, sections),
        "citations_in_gold": precision[0] if precision else None,
        "citations": len(answer.citations),
        "evidence_recall": metrics.evidence_recall(question, texts),
        "must_include": metrics.must_include(question, answer.text),
        "must_not": metrics.must_not(question, answer.text),
        "abstained": int(answer.abstained),
        "voice_right": _voice_right(question, answer),
        "quotes_valid": sum(valid_quote(citation, corpus) for citation in answer.citations),
    }


def _voice_right(question: Question, answer: Answer) -> float | None:
    """Whether a citation has the expected voice; None where no voice is expected or nothing is cited."""
    if question.voice is None or not answer.citations:
        return None
    return float(any(citation.voice == question.voice for citation in answer.citations))


def valid_quote(citation: Citation, corpus: Corpus) -> bool:
    """Whether the quote stands at its place, and its place in its section."""
    document = corpus.documents[citation.source_id]
    section = document.section_by_label.get(citation.section)
    return (
        document.text[citation.start : citation.end] == citation.quote
        and section is not None
        and section.start <= citation.start
        and citation.end <= section.end
    )


def summarise(cases: Sequence[Case]) -> dict[str, Figures]:
    """Figures by kind, and overall last."""
    kinds = {kind: [c for c in cases if c.question.kind == kind] for kind in KINDS}
    return {**{kind: _summary(found) for kind, found in kinds.items() if found}, "overall": _summary(cases)}


def _summary(cases: Sequence[Case]) -> Figures:
    answerable = [c for c in cases if c.question.answerable]
    abstained = [c for c in cases if c.answer.abstained]
    right = sum(not c.question.answerable for c in abstained)
    unanswerable = len(cases) - len(answerable)
    return {
        "n": len(cases),
        "section_hit": _mean(c.figures["section_hit"] for c in cases),
        "section_precision": _ratio(
            sum(c.figures["citations_in_gold"] or 0 for c in answerable),
            sum(c.figures["citations"] or 0 for c in answerable),
        ),
        "evidence_recall": _mean(c.figures["evidence_recall"] for c in cases),
        "must_include": _mean(c.figures["must_include"] for c in cases),
        "must_not": sum(bool(c.figures["must_not"]) for c in cases),
        "voice": _mean(c.figures["voice_right"] for c in cases),
        "abstention_precision": _ratio(right, len(abstained)),
        "abstention_recall": _ratio(right, unanswerable),
        "refused": _ratio(len(abstained) - right, len(answerable)),
        "quote_validity": _ratio(
            sum(c.figures["quotes_valid"] or 0 for c in cases),
            sum(c.figures["citations"] or 0 for c in cases),
        ),
        "milliseconds": round(1000 * (_mean(c.seconds for c in cases) or 0), 2),
    }


def _mean(values: Iterable[float | int | None]) -> float | None:
    known = [value for value in values if value is not None]
    return _ratio(sum(known), len(known))


def _ratio(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None
