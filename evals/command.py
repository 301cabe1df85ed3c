"""The verb `verse eval`."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress

from corpus import VerseError
from evals import evaluation
from evals.check import check_file
from evals.compare import compare
from evals.draft import FEEDBACK, draft_questions, read_feedback, reword, write_draft
from evals.evaluation import Options, Outcome, chosen_questions
from evals.prompted import Prompted
from evals.questions import PARTS, Question
from evals.record import REPORT, RUN, figures_as_json, read_run
from evals.tables import show_comparison, show_figures
from evals.thresholds import parse_threshold
from rag import Engine, QuestionError
from rag.cli import common_options, open_corpus, open_engine, run_ingest, settings_of
from rag.errors import IndexMismatch
from rag.settings import Settings
from rag.terminal import in_one_line

if TYPE_CHECKING:
    from evals.judge import LlamaJudge
    from evals.surfaces import Surfaces

_MISSED, _WRONG, _STOPPED = 1, 2, 130
_SHOWN = 3
_DRAFT = Path("questions.jsonl")
_FILE = click.Path(path_type=Path)


@click.command("eval")
@click.option("--questions", type=_FILE, help="A question file (JSONL); default: the built-in questions.")
@click.option("--source", "sources", multiple=True, help="Ask of this source only; may be given again.")
@click.option("--split", type=click.Choice(PARTS), help="Only the questions of this part.")
@click.option("--judge", metavar="NAME", help="A language model that judges the answers too.")
@click.option("--judge-itself", is_flag=True, help="Allow --judge to be the model that answers.")
@click.option("--surfaces", is_flag=True, help="Also ask a sample by the command, the page's API and MCP.")
@click.option("--baseline", type=_FILE, metavar="RUN", help="Exit 1 if worse than this run, beyond noise.")
@click.option("--fail-under", multiple=True, metavar="METRIC=VALUE", help="Exit 1 if missed; may be given again.")
@click.option("--out", type=_FILE, metavar="DIR", help="Where run.json and report.html go; default: under VERSE_HOME.")
@click.option("--record", type=_FILE, metavar="FILE", help="Also write a baseline: every figure, no texts.")
@click.option("--compare", "pair", type=_FILE, nargs=2, metavar="A B", help="Compare two runs; asks nothing.")
@click.option("--check", "checked", type=_FILE, metavar="FILE", help="Check a question file against the corpus.")
@click.option("--draft", is_flag=True, help="Write a first question file to edit (--questions names it); asks nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@common_options
def evaluate(
    questions: Path | None,
    sources: tuple[str, ...],
    split: str | None,
    judge: str | None,
    judge_itself: bool,
    surfaces: bool,
    baseline: Path | None,
    fail_under: tuple[str, ...],
    out: Path | None,
    record: Path | None,
    pair: tuple[Path, Path] | None,
    checked: Path | None,
    draft: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Ask a set of questions; say how good and how grounded the answers are.

    Exit code 0: all holds; 1: a threshold or the baseline is missed; 2: a file or an argument is wrong.
    """
    try:
        if pair is not None:
            sys.exit(_compare(*pair, as_json=as_json))
        settings = settings_of(**given)
        if checked is not None:
            sys.exit(_check(checked, settings))
        if draft:
            sys.exit(_draft(questions or _DRAFT, settings))
        thresholds = tuple(parse_threshold(text) for text in fail_under)
        options = Options(questions, sources, split, baseline, thresholds, out, record)
        opened = _open_judge(judge, settings, itself=judge_itself)
        sys.exit(_run(options, settings, opened, surfaces=surfaces, as_json=as_json))
    except VerseError as error:
        click.echo(f"verse: {in_one_line(str(error))}", err=True)
        sys.exit(_WRONG)


def _check(file: Path, settings: Settings) -> int:
    count, faults = check_file(file, open_corpus(settings))
    for fault in faults:
        click.echo(in_one_line(str(fault)))
    click.echo(f"{count} questions, " + (f"{len(faults)} faults" if faults else "no fault"), err=True)
    return _WRONG if faults else 0


def _draft(file: Path, settings: Settings) -> int:
    questions = draft_questions(open_corpus(settings), read_feedback(settings.home / FEEDBACK))
    if settings.llm is not None:
        questions, fault = reword(questions, Prompted.open(settings.llm, settings.llm_seconds, settings.llm_context))
        if fault:
            click.echo(
                f"verse: {settings.llm} failed ({in_one_line(fault)}); the other questions keep our words", err=True
            )
    write_draft(file, questions)
    kinds = Counter(question.kind for question in questions)
    click.echo(f"{file}: {len(questions)} questions ({', '.join(f'{n} {kind}' for kind, n in kinds.most_common())})")
    folder = f" --corpus {settings.corpus}" if settings.corpus else ""
    click.echo(f"Put them into your own words, then: verse eval{folder} --check {file}")
    return 0


def _compare(before: Path, after: Path, *, as_json: bool) -> int:
    comparison = compare(read_run(before), read_run(after))
    if as_json:
        click.echo(json.dumps(comparison.to_dict(), indent=1))
    else:
        show_comparison(comparison)
    return 0


def _open_judge(name: str | None, settings: Settings, *, itself: bool) -> LlamaJudge | None:
    """The judge, before anything is asked. Raises ModelUnavailable and QuestionError."""
    if name is None:
        return None
    if name == settings.llm and not itself:
        raise QuestionError(f"{name} would judge its own answers; name another --judge, or say --judge-itself")
    from evals.judge import LlamaJudge  # noqa: PLC0415 -- llama-index takes seconds to import

    return LlamaJudge(Prompted.open(name, settings.llm_seconds, settings.llm_context))


def _run(options: Options, settings: Settings, judge: LlamaJudge | None, *, surfaces: bool, as_json: bool) -> int:
    questions = chosen_questions(options)
    with ExitStack() as stack:
        engine = stack.enter_context(_open(settings))
        others = stack.enter_context(_surfaces(engine, questions)) if surfaces else None
        advance = stack.enter_context(_bar(len(questions)))
        try:
            outcome = evaluation.evaluate(engine, questions, options, judge=judge, surfaces=others, progress=advance)
        except KeyboardInterrupt:
            click.echo("verse: stopped; the answers so far are kept, the same command goes on from there", err=True)
            return _STOPPED
    if as_json:
        click.echo(json.dumps(_as_json(outcome), indent=2))
    else:
        show_figures(outcome.figures, outcome.scores.counts())
        if outcome.comparison is not None:
            show_comparison(outcome.comparison)
    _say(outcome, others.differences if others is not None else [])
    return _MISSED if outcome.missed or outcome.scores.failed else _WRONG if outcome.misfits else 0


def _surfaces(engine: Engine, questions: Sequence[Question]) -> AbstractContextManager[Surfaces]:
    from evals.surfaces import open_surfaces  # noqa: PLC0415 -- gradio's client takes seconds to import

    return open_surfaces(engine, questions)


def _open(settings: Settings) -> Engine:
    """The engine; an index that the corpus has left behind is brought up to it first."""
    try:
        return open_engine(settings)
    except IndexMismatch:
        run_ingest(open_corpus(settings), settings, patient=True)
        return open_engine(settings)


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr."""
    with Progress(*Progress.get_default_columns(), MofNCompleteColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task("Asking", total=total)
        yield lambda done: bar.update(task, completed=done)


def _as_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "settings": outcome.settings,
        "figures": figures_as_json(outcome.figures, judged=outcome.settings["judge"] is not None),
        "milliseconds": outcome.timing,
        "missed": outcome.missed,
        "run": str(outcome.folder / RUN),
    }


def _say(outcome: Outcome, differences: Sequence[str]) -> None:
    """What a reader of the figures must know, on stderr: gaps, gold that doesn't fit, what is missed, where it lies."""
    lines = ["milliseconds an answer: " + ", ".join(f"{name} {value:g}" for name, value in outcome.timing.items())]
    if outcome.scores.failed:
        lines.append(f"no answer to {_list(outcome.scores.failed)}; their figures are left out")
    if outcome.scores.unwritten:
        lines.append(f"the language model failed on {_list(outcome.scores.unwritten)}; answered without it")
    if outcome.scores.unjudged:
        lines.append(f"the judge failed on {_list(outcome.scores.unjudged)}; the other figures stand")
    if outcome.misfits:
        lines.append(
            f"the gold of {_list(list(outcome.misfits))} doesn't fit this corpus; verse eval --check says how:"
        )
        lines += [f"  {name}: {reason}" for name, reason in list(outcome.misfits.items())[:_SHOWN]]
    lines += differences
    lines += [f"MISSED: {text}" for text in outcome.missed]
    lines.append(f"report: {outcome.folder / REPORT}")
    for line in lines:
        click.echo(in_one_line(line), err=True)


def _list(ids: Sequence[str]) -> str:
    shown = ", ".join(ids[:_SHOWN]) + (" …" if len(ids) > _SHOWN else "")
    return f"{len(ids)} question{'s' if len(ids) > 1 else ''} ({shown})"
