"""A run as one HTML file that needs nothing else: figures, charts, and for each question what was asked, answered,
found and missed. Every text of documents, models and users is escaped by the template."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from corpus import Corpus
from evals import charts
from evals.gold import places, searched_sources
from evals.metrics import holds_span
from evals.questions import Question
from evals.record import cannot_write, timing_by_kind
from evals.run import Case
from evals.scores import FEWER_IS_BETTER, JUDGED, METRICS, OVERALL

if TYPE_CHECKING:
    from evals.evaluation import Outcome

_AROUND = 220
# A page of more than this is no page; run.json has every question.
_MOST = 500


@dataclass(frozen=True)
class Evidence:
    """A gold span in the text that it stands in; `place` is empty where the corpus hasn't got it."""

    found: bool
    place: str
    before: str
    span: str
    after: str


@dataclass
class Shelf:
    """Questions of one sort; `more` are those beyond what a page holds."""

    title: str
    cases: list[dict[str, Any]] = field(default_factory=list)
    more: int = 0

    def add(self, case: dict[str, Any]) -> None:
        """One more question, in detail if there is room."""
        if len(self.cases) < _MOST:
            self.cases.append(case)
        else:
            self.more += 1


def write_report(file: Path, outcome: Outcome, corpus: Corpus, cases: Iterable[Case]) -> None:
    """Write the report. Raises QuestionError where the file can't be written."""
    judged = outcome.settings["judge"] is not None
    page = (
        _environment()
        .get_template("report.html.j2")
        .stream(
            outcome=outcome,
            counts=outcome.scores.counts(),
            metrics=(*METRICS, *(JUDGED if judged else ())),
            judged=JUDGED,
            fewer=FEWER_IS_BETTER,
            overall=OVERALL,
            times=timing_by_kind(outcome.scores),
            charts=_charts(outcome),
            shelves=_shelves(corpus, cases),
        )
    )
    try:
        with file.open("w", encoding="utf-8", errors="replace") as out:
            out.writelines(page)
    except OSError as error:
        raise cannot_write(file, error) from None


def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader("evals", "."),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["figure"] = lambda value: "–" if value is None else f"{value:.3f}"
    return found


def _charts(outcome: Outcome) -> dict[str, Markup]:
    """Title -> SVG; ours, made of numbers and fixed names, so not escaped."""
    drawn = {
        "By kind (bars), with 95 % intervals (lines)": charts.by_kind(outcome.figures),
        "Abstention by threshold": charts.abstention(outcome.scores),
        "Latency": charts.latency(outcome.scores),
    }
    return {title: Markup(svg) for title, svg in drawn.items() if svg is not None}


def _shelves(corpus: Corpus, cases: Iterable[Case]) -> list[Shelf]:
    missed, fine = Shelf("Missed something"), Shelf("Found everything")
    never = Shelf("Never tuned on: leave this closed if you are the one who tunes")
    for case in cases:
        shelf = never if case["part"] == "never" else missed if _fell_short(case) else fine
        shelf.add(_view(corpus, case) if len(shelf.cases) < _MOST else {})
    return [shelf for shelf in (missed, fine, never) if shelf.cases]


def _fell_short(case: Case) -> bool:
    if case["error"] or any(case["missed"].values()):
        return True
    return bool(case["answer"]["abstained"] == case["answerable"])


def _view(corpus: Corpus, case: Case) -> dict[str, Any]:
    """A case as the page shows it."""
    question = Question.model_validate(case["asked"])
    answer: Mapping[str, Any] = case.get("answer") or {}
    citations = answer.get("citations", [])
    texts = [*(citation["quote"] for citation in citations), answer.get("text", "")]
    return {
        "case": case,
        "question": question,
        "short": _fell_short(case),
        "answer": answer,
        "citations": [
            citation
            | {
                "in_gold": (f"{citation['source_id']}#{citation['section']}" in question.gold_sections)
                or (citation["section"] in question.gold_sections)
            }
            for citation in citations
        ],
        "evidence": list(_evidence(question, corpus, texts)),
        "figures": {
            name: share[0] / share[1]
            for name, share in case["figures"].items()
            if share[1] and name not in ("abstention_f1", "abstention_precision")
        },
    }


def _evidence(question: Question, corpus: Corpus, texts: list[str]) -> Iterator[Evidence]:
    """Each span in its surroundings; of equal spans the one that was found, else the first."""
    sources = searched_sources(question, corpus)
    for spans in question.spans:
        found = next((span for span in spans if any(holds_span(text, [span]) for text in texts)), None)
        span = found or spans[0]
        place = next(places(span, corpus, sources), None)
        if place is None:
            yield Evidence(found is not None, "", "", span, "")
            continue
        text = corpus.text(place.source_id)
        before, after = text[max(0, place.start - _AROUND) : place.start], text[place.end : place.end + _AROUND]
        where = f"{place.source_id}, {place.section or 'between sections'}"
        yield Evidence(found is not None, where, before, text[place.start : place.end], after)
