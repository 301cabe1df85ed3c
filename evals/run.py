"""Questions -> answers -> scores, one line of a file at a time: an interrupted run goes on where it stopped, and
100,000 answers need no memory."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from corpus import Corpus, VerseError
from evals import metrics
from evals.gold import relevant_passages
from evals.questions import Question
from evals.scores import Scores
from rag import Answer, Engine, check_support

Case = dict[str, Any]


class Judge(Protocol):
    """Someone else who scores an answer; see evals.judge and evals.surfaces."""

    name: str

    def score(self, question: Question, answer: Answer) -> tuple[dict[str, metrics.Share], str | None]:
        """Shares by metric, and what went wrong if something did."""
        ...


def run(
    engine: Engine,
    questions: Sequence[Question],
    file: Path,
    key: str,
    *,
    judges: Sequence[Judge] = (),
    progress: Callable[[int], None] = lambda done: None,
) -> Scores:
    """Ask every question and append its case to `file`; cases that a run with this key left there are kept."""
    scores = Scores()
    known = _begin(file, key)
    for case in read_cases(file):
        scores.add(case)
        progress(len(scores))
    with file.open("a", encoding="utf-8") as out:
        for question in questions:
            if question.id not in known:
                case = ask(engine, question, judges)
                out.write(json.dumps(case) + "\n")
                out.flush()
                scores.add(case)
                progress(len(scores))
    return scores


def ask(engine: Engine, question: Question, judges: Sequence[Judge] = ()) -> Case:
    """One question, its answer, and its own figures. A question that the engine refuses has no figures."""
    case: Case = {
        "id": question.id,
        "kind": question.kind,
        "part": question.part,
        "answerable": question.answerable,
        "confidence": None,
        "asked": question.model_dump(mode="json", exclude_defaults=True),
        "asked_hash": hash_of([question]),
        "figures": {},
        "error": None,
    }
    started = time.perf_counter()
    try:
        answer = engine.ask(question.question, question.history, sources=question.sources)
    except VerseError as error:
        return case | {"error": str(error), "seconds": round(time.perf_counter() - started, 6)}
    seconds = time.perf_counter() - started
    relevant = relevant_passages(question, engine) if question.answerable else []
    ranked = _retrieved(engine, question) if relevant else []
    shares = metrics.retrieval(relevant, ranked) | score(question, answer, engine.corpus)
    faults = []
    for judge in judges:
        judged, fault = judge.score(question, answer)
        shares |= judged
        faults += [fault] if fault else []
    return case | {
        "confidence": answer.confidence,
        "seconds": round(seconds, 6),
        "answer": answer.to_dict(),
        "relevant": relevant,
        "retrieved": ranked,
        "missed": missed(question, answer),
        "figures": {name: list(share) for name, share in shares.items()},
        "judge_error": "; ".join(faults) or None,
        "notice": answer.notice,
    }


def hash_of(questions: Iterable[Question]) -> str:
    """By which the same questions are known again."""
    digest = hashlib.sha256()
    for question in questions:
        digest.update(question.model_dump_json(exclude_defaults=True).encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()[:12]


def _retrieved(engine: Engine, question: Question) -> list[str]:
    found = engine.retrieve(question.question, question.history, metrics.DEPTH, sources=question.sources)
    return [scored.passage.id for scored in found]


def score(question: Question, answer: Answer, corpus: Corpus) -> dict[str, metrics.Share]:
    """The figures of one answer that need no index and no judge; absent where there can be none."""
    sections = [f"{c.source_id}#{c.section}" if question.names_sources else c.section for c in answer.citations]
    shown = (*answer.citations, *answer.other_views, *answer.nearest)
    quotes = {citation.number: citation.quote for citation in answer.citations}
    figures = {
        "section_hit": metrics.section_hit(question, sections),
        "section_precision": metrics.section_precision(question, sections),
        "evidence_recall": metrics.evidence_recall(question, texts(answer)),
        "must_include": metrics.must_include(question, answer.text),
        "must_not": metrics.must_not(question, answer.text),
        "voice": metrics.voice(question, answer.citations),
        "quote_validity": metrics.quote_validity(shown, corpus),
        **metrics.support(answer.sentences, quotes, check_support),
        **metrics.abstention(question, answer.abstained),
    }
    return {name: share for name, share in figures.items() if share is not None}


def texts(answer: Answer) -> list[str]:
    """Where evidence is looked for: each cited quote, and the answer itself."""
    return [*(citation.quote for citation in answer.citations), answer.text]


def missed(question: Question, answer: Answer) -> dict[str, list[Any]]:
    """What a good answer holds and this one lacks, and the forbidden strings that it says."""
    said = metrics.answer_text(answer.text)
    if not question.answerable:
        return {"must_not": [key for key in question.must_not if metrics.holds(said, key, whole=True)]}
    return {
        "evidence": [s[0] for s in question.spans if not any(metrics.holds_span(t, s) for t in texts(answer))],
        "must_include": [list(keys) for keys in question.must_include if not any(metrics.holds(said, k) for k in keys)],
        "must_not": [key for key in question.must_not if metrics.holds(said, key, whole=True)],
    }


def _begin(file: Path, key: str) -> set[str]:
    """The ids that are done. A file of another key starts anew; half a line that a kill left is dropped."""
    try:
        with file.open("r+b") as lines:
            if lines.readline() != _header(key):
                raise FileNotFoundError
            kept, known = lines.tell(), set()
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                known.add(json.loads(line)["id"])
                kept += len(line)
            lines.truncate(kept)
            return known
    except FileNotFoundError:
        file.write_bytes(_header(key))
        return set()


def _header(key: str) -> bytes:
    return json.dumps({"run": key}).encode() + b"\n"


def read_cases(file: Path) -> Iterator[Case]:
    """The cases of a run's file of answers, one at a time."""
    with file.open(encoding="utf-8") as lines:
        next(lines, None)
        for line in lines:
            yield json.loads(line)
