"""The eval flow, top to bottom: questions -> gold checked -> answers -> figures -> record -> what is missed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from evals import record
from evals.check import misfits
from evals.compare import Comparison, compare, missed
from evals.questions import Question, built_in_questions, in_scope, read_questions
from evals.record import ANSWERS, REPORT, RUN, Run
from evals.run import Judge, hash_of, read_cases, run
from evals.scores import Figures, Scores
from evals.thresholds import Threshold, unmet
from rag import Engine, QuestionError

_LOCK = ".lock"


@dataclass(frozen=True)
class Options:
    """What a run was asked for."""

    questions: Path | None = None
    sources: tuple[str, ...] = ()
    part: str | None = None
    baseline: Path | None = None
    thresholds: tuple[Threshold, ...] = ()
    out: Path | None = None
    record: Path | None = None


@dataclass(frozen=True)
class Outcome:
    """What a run found. `missed` are the thresholds and the baseline's figures that don't hold, in words;
    `misfits` the questions whose gold the corpus hasn't, each with one reason."""

    folder: Path
    settings: Mapping[str, Any]
    scores: Scores
    figures: Figures
    timing: Mapping[str, float]
    misfits: Mapping[str, str]
    comparison: Comparison | None
    missed: tuple[str, ...]


def chosen_questions(options: Options) -> list[Question]:
    """The questions that the options name. Raises QuestionFileError and QuestionError."""
    asked = built_in_questions() if options.questions is None else read_questions(options.questions)
    if options.part is not None:
        asked = [question for question in asked if question.part == options.part]
        if not asked:
            raise QuestionError(f"no question is of the part {options.part!r}; leave out --split")
    return in_scope(asked, options.sources)


def find_misfits(questions: Sequence[Question], engine: Engine) -> dict[str, str]:
    """Question id -> the first thing that its gold names and the corpus hasn't."""
    return {
        question.id: reason
        for question in questions
        if (reason := next(misfits(question, engine.corpus, nearest=False), None)) is not None
    }


def evaluate(
    engine: Engine,
    questions: Sequence[Question],
    options: Options,
    *,
    judge: Judge | None = None,
    surfaces: Judge | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Outcome:
    """Ask the questions, and write run.json and report.html. Raises QuestionError where a folder can't be
    written or the baseline can't be read."""
    from evals.report import write_report  # noqa: PLC0415 -- matplotlib, which `verse --help` can do without

    baseline = None if options.baseline is None else record.read_run(options.baseline)
    files = [str(options.questions)] if options.questions else ["built-in"]
    settings = record.describe(engine, hash_of(questions), files, judge.name if judge else None)
    key = record.run_key(settings)
    folder, lock = _claim(options.out, engine.settings.home / "reports", key)
    with lock:
        answers = folder / ANSWERS
        scores = run(engine, questions, answers, key, judges=[j for j in (judge, surfaces) if j], progress=progress)
        outcome = _outcome(folder, settings, scores, find_misfits(questions, engine), options.thresholds, baseline)
        head = _head(outcome, judged=judge is not None)
        record.write_run(folder / RUN, head, read_cases(answers))
        if options.record is not None:
            command = f"verse eval --record {options.record.name}"
            record.write_run(options.record, head | {"command": command}, record.baseline_cases(read_cases(answers)))
        write_report(folder / REPORT, outcome, engine.corpus, read_cases(answers))
        answers.unlink()
    return outcome


def _outcome(
    folder: Path,
    settings: Mapping[str, Any],
    scores: Scores,
    wrong: Mapping[str, str],
    thresholds: Sequence[Threshold],
    baseline: Run | None,
) -> Outcome:
    figures, timing = scores.figures(), record.timing(scores)
    failures = list(unmet(thresholds, figures, timing))
    comparison = None
    if baseline is not None:
        now = Run(folder / RUN, settings, wrong, list(record.baseline_cases(read_cases(folder / ANSWERS))), scores)
        comparison = compare(baseline, now)
        failures += [f"baseline: {text}" for text in missed(comparison, baseline, now)]
    return Outcome(folder, settings, scores, figures, timing, wrong, comparison, tuple(failures))


def _head(outcome: Outcome, *, judged: bool) -> dict[str, Any]:
    """What run.json says beside its cases."""
    return {
        "command": " ".join(["verse", *sys.argv[1:]]),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": outcome.settings,
        "counts": outcome.scores.counts(),
        "figures": record.figures_as_json(outcome.figures, judged=judged),
        "milliseconds": outcome.timing,
        "milliseconds_by_kind": record.timing_by_kind(outcome.scores),
        "memory_mb": round(psutil.Process().memory_info().rss / 2**20),
        "missed": outcome.missed,
        "misfits": outcome.misfits,
        "failed": outcome.scores.failed,
        "unwritten": outcome.scores.unwritten,
        "unjudged": outcome.scores.unjudged,
    }


def _claim(named: Path | None, reports: Path, key: str) -> tuple[Path, AbstractContextManager[object]]:
    """A folder that nobody else writes to, with its lock: the named one, else one of this very run that was
    interrupted, else a new one."""
    unfinished = [answers.parent for answers in reports.glob(f"*-{key}-*/{ANSWERS}")]
    fresh = reports / f"{datetime.now():%Y-%m-%dT%H-%M-%S}-{key}-{os.getpid()}"
    for folder in [named] if named is not None else [*sorted(unfinished, reverse=True), fresh]:
        record.writable_folder(folder)
        try:
            return folder, FileLock(folder / _LOCK).acquire(timeout=0)
        except Timeout:
            continue
    raise QuestionError(f"another eval is writing to {named}; wait for it, or name another folder with --out")
