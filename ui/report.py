"""The evals' side of the page: the figures of a run, compared with another, its whole report, and a new run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from corpus import BUILT_IN, VerseError
from evals.compare import Row, compare
from evals.draft import FEEDBACK, draft_questions, read_feedback, write_draft
from evals.evaluation import Options, chosen_questions, evaluate
from evals.record import REPORT, RUN, read_run
from evals.scores import ALL, FEWER_IS_BETTER, OVERALL
from rag.engine import Engine as RagEngine
from ui.access import is_admin
from ui.catalog import render_work
from ui.jobs import Jobs, Outcome, Step, Work
from ui.library import Library
from ui.render import escape

BASELINE = Path(__file__).parents[1] / "evals" / "results" / "baseline.json"
SHIPPED, NOTHING = "The baseline that came with this version", "Nothing"
QUESTIONS = {"built-in": "The built-in questions, on the article", "own": "Questions drafted from this corpus"}
METRIC_WORDS = {"ndcg@10": "nDCG@10", "mrr@10": "MRR@10", "abstention_f1": "abstention F1"}
REPORTS = "reports"  # under home: what `verse eval` writes

Update = dict[Any, Any]


class EvalsPage:
    """The components and the handlers of their events; holds nothing of any visitor."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.jobs = Jobs()

    def lay_out(self) -> None:
        """What to ask and to compare with, then the figures, then the report."""
        self.began = gr.State(False)  # whether this visitor's last click began any work
        asks = [(name, value) for value, name in QUESTIONS.items()]
        with gr.Column(elem_id="evals-page", elem_classes="page"):
            self.head = gr.HTML(_HEAD, elem_id="evals-head", apply_default_css=False, js_on_load=None)
            with gr.Row(elem_id="evals-form"):
                self.questions = gr.Dropdown(asks, value="built-in", label="Ask")
                self.baseline = gr.Dropdown([SHIPPED, NOTHING], value=SHIPPED, label="Compare with")
                self.run = gr.Button("Run the evals", elem_id="run-evals", size="sm")
                self.stop = gr.Button("Stop", elem_id="stop-evals", size="sm")
            self.work = gr.HTML("", elem_id="evals-work", apply_default_css=False, js_on_load=None)
            self.report = gr.HTML("", elem_id="report", apply_default_css=False, js_on_load=None)

    def wire(self, reader: gr.HTML) -> None:
        """Say which handler answers which event."""
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        whole = [self.report, self.questions, self.baseline, self.run]
        opened = reader.collapse(self.opened, self.baseline, [*whole, self.work, self.began], **quiet)
        self.baseline.input(self.compared, self.baseline, self.report, **quiet)
        self.stop.click(self.stopped, None, None, **quiet)
        begun = self.run.click(self.begin, [self.questions, self.baseline], [self.work, self.began], **quiet)
        for event in (opened, begun):
            over = event.then(self.watch, self.began, self.work, concurrency_limit=None, **quiet)
            over.then(self.renewed, [self.began, self.baseline], whole, **quiet)

    def opened(self, baseline: str, request: gr.Request) -> Update:
        """The page when it is first looked at: with the run that is going on, or was made last."""
        work = self.jobs.work
        return self.show(baseline, request) | {self.work: render_work(work), self.began: not work.over}

    def renewed(self, began: bool, baseline: str, request: gr.Request) -> Update:
        """The page after a run; where there was none it stays as it is."""
        return self.show(baseline, request) if began else {self.report: gr.skip()}

    def show(self, baseline: str, request: gr.Request) -> Update:
        """The last run, and what it can be compared with."""
        names = [SHIPPED, *(folder.name for folder in self._runs()[1:]), NOTHING]
        baseline = baseline if baseline in names else SHIPPED
        return {
            self.report: self.compared(baseline),
            self.questions: gr.Dropdown(value="built-in" if self.library.corpus.folder == BUILT_IN else "own"),
            self.baseline: gr.Dropdown(names, value=baseline),
            self.run: gr.Button(interactive=is_admin(request)),
        }

    def compared(self, baseline: str) -> str:
        """The last run's figures beside the chosen other one's, and its report."""
        runs = self._runs()
        try:
            return render_run(runs[0], self._baseline(baseline)) if runs else render_shipped()
        except VerseError as error:
            return f'<p class="meta">{escape(str(error))}</p>'

    def begin(self, questions: str, baseline: str, request: gr.Request) -> Update:
        """Begin a run over the corpus that is open."""
        if not is_admin(request):
            return self._refused("Only an admin runs the evals; log in as one.")
        if questions != "own" and self.library.corpus.folder != BUILT_IN:
            return self._refused("The built-in questions are about the built-in corpus; take those of this corpus.")
        try:
            self.jobs.begin("Evals", lambda: self._evaluate(questions, self._baseline(baseline)))
        except VerseError as error:
            return self._refused(str(error))
        return {self.work: render_work(self.jobs.work), self.began: True}

    def watch(self, began: bool) -> Iterator[str | Update]:
        """The run as it goes on, until it is over."""
        yield from map(render_work, self.jobs.watch()) if began else [gr.skip()]  # nothing would empty it

    def stopped(self, request: gr.Request) -> None:
        """Stop the run; the same one goes on later from where it was."""
        if is_admin(request):
            self.jobs.stop()

    def _refused(self, why: str) -> Update:
        return {self.work: render_work(Work("Not now", outcomes=(Outcome("", why, ok=False),))), self.began: False}

    def _evaluate(self, questions: str, baseline: Path | None) -> None:
        with self.library.leased() as engine:
            if not isinstance(engine, RagEngine):
                raise VerseError("this engine can't be evaluated; start the page with: verse ui")
            options = Options(questions=self._drafted(engine) if questions == "own" else None, baseline=baseline)
            asked = chosen_questions(options)
            outcome = evaluate(
                engine, asked, options, progress=lambda done: self.jobs.show(Step("Asking", done, len(asked)))
            )
        for missed in outcome.missed:
            self.jobs.tell(Outcome("Missed", missed, ok=False))
        self.jobs.tell(Outcome("Report", str(outcome.folder / REPORT)))

    def _drafted(self, engine: RagEngine) -> Path:
        """Questions made from the corpus and the readers' ratings; a file that is there may have been edited."""
        home = engine.settings.home
        file = home / f"questions-{engine.corpus.hash[:12]}.jsonl"
        if not file.is_file():
            write_draft(file, draft_questions(engine.corpus, read_feedback(home / FEEDBACK)))
        self.jobs.tell(Outcome("Questions", f"{file} (edit them there)"))
        return file

    def _runs(self) -> list[Path]:
        """The folders of finished runs, newest first; their names begin with the time."""
        found = (self.library.settings.home / REPORTS).glob(f"*/{RUN}")
        return sorted((file.parent for file in found), reverse=True)

    def _baseline(self, name: str) -> Path | None:
        named = {folder.name: folder for folder in self._runs()} | {SHIPPED: BASELINE}
        return named.get(name)


_HEAD = (
    "<header><h2>How good are the answers?</h2><p class='meta'>Questions whose answers are known, asked of the engine "
    "that serves this page. Nothing is sent anywhere, and no model judges. In a terminal: <code>verse eval</code></p>"
    "</header>"
)


def render_shipped() -> str:
    """The figures that came with this version, where nobody has made any here yet. Raises VerseError."""
    return (
        '<p class="meta">No run yet on this machine. One takes some seconds to minutes; '
        f"below are the figures that came with this version, on the built-in corpus.</p>{_table(BASELINE, None)}"
    )


def render_run(folder: Path, baseline: Path | None) -> str:
    """The figures of a run as a table, and its report in a frame that may run nothing. Raises VerseError."""
    try:
        page = (folder / REPORT).read_text(encoding="utf-8")
    except (OSError, ValueError):
        raise _unreadable(folder) from None
    return (
        f'{_table(folder / RUN, baseline)}<h3>The whole report</h3><iframe class="whole" sandbox="" '
        f'title="The whole report" srcdoc="{escape(page)}"></iframe>'
    )


def _unreadable(run: Path) -> VerseError:
    return VerseError(f"the run in {run} can't be read; make another with: verse eval")


def _table(run: Path, baseline: Path | None) -> str:
    """The figures of one run, beside those of another where there is one."""
    try:
        head = json.loads(run.read_text(encoding="utf-8"))
        figures = head["figures"][ALL][OVERALL]
        written, count = str(head["written"]), int(head["counts"][ALL][OVERALL])
    except (OSError, ValueError, KeyError, TypeError):
        raise _unreadable(run.parent) from None
    rows = list(compare(read_run(baseline), read_run(run.parent)).of(ALL, OVERALL)) if baseline else []
    beside = {row.metric: row for row in rows}
    body = "".join(_row(metric, figure, beside.get(metric)) for metric, figure in figures.items() if figure)
    head_cells = f"<th>Figure</th><th>{'This version' if run == BASELINE else 'This run'}</th>"
    head_cells += "<th>Other run</th><th>Difference</th>" if baseline else ""
    return (
        f'<p class="meta">{count} questions, {escape(written.replace("T", " ")[:16])}. '
        f"With 95 % intervals over questions.</p>"
        f'<table class="figures"><thead><tr>{head_cells}</tr></thead><tbody>{body}</tbody>'
        "</table>"
    )


def _row(metric: str, figure: dict[str, Any], row: Row | None) -> str:
    fewer = " (fewer is better)" if metric in FEWER_IS_BETTER else ""
    low, high = figure.get("low"), figure.get("high")
    interval = f" <small>{low:.2f} to {high:.2f}</small>" if low is not None and high is not None else ""
    other = ""
    if row is not None:
        seen = row.better is not None and abs(row.difference.value) >= 0.0005  # of three digits
        word = ("better" if row.better else "worse") if seen else "the same"
        change = f"{row.difference.value:+.3f} {word}" if seen else word
        noise = ", within noise" if seen and row.difference.p >= 0.05 else ""
        other = f'<td>{row.difference.before:.3f}</td><td class="{word}">{change}{noise}</td>'
    name = escape(METRIC_WORDS.get(metric, metric.replace("_", " ")))
    return f'<tr><th scope="row">{name}{fewer}</th><td>{figure["value"]:.3f}{interval}</td>{other}</tr>'
