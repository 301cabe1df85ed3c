"""The verb `verse eval`."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import click
from rich.console import Console
from rich.table import Table

from evals.questions import BUILT_IN, of_split, read_questions
from evals.run import Case, Figures, run, summarise
from rag.cli import common_options, open_engine, settings_of


@click.command("eval")
@click.option("--questions", type=click.Path(path_type=Path), default=BUILT_IN, help="A question file (JSONL).")
@click.option("--source", "sources", multiple=True, help="Ask of this source only; may be given again.")
@click.option(
    "--split", type=click.Choice(["tune", "never"]), help="Of our own sets, the half that is (never) tuned on."
)
@click.option("--out", type=click.Path(path_type=Path), help="Write figures and every answer to this JSON file.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@common_options
def evaluate(
    questions: Path,
    sources: tuple[str, ...],
    split: Literal["tune", "never"] | None,
    out: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Ask a set of questions and say how good and how grounded the answers are."""
    asked = read_questions(questions)
    if split is not None:
        asked = of_split(asked, split)
    # The built-in questions are about the article alone.
    scope = sources or (("article",) if questions == BUILT_IN else ())
    with open_engine(settings_of(**given)) as engine:
        console = Console(stderr=True)
        with console.status("Asking") as status:
            cases = run(engine, asked, scope, lambda done: status.update(f"Asking {done}/{len(asked)}"))
    figures = summarise(cases)
    if out is not None:
        out.write_text(json.dumps(_record(figures, cases), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json:
        click.echo(json.dumps(figures, indent=2))
    else:
        _print_table(figures)


def _record(figures: dict[str, Figures], cases: list[Case]) -> dict[str, Any]:
    return {
        "command": " ".join(["verse", *sys.argv[1:]]),
        "version": version("chapter-and-verse"),
        "figures": figures,
        "cases": [case.to_dict() for case in cases],
    }


def _print_table(figures: dict[str, Figures]) -> None:
    table = Table(box=None, pad_edge=False)
    names = list(figures["overall"])
    table.add_column("kind")
    for name in names:
        table.add_column(name.replace("_", "\n"), justify="right")
    for kind, row in figures.items():
        table.add_row(kind, *(_cell(row[name]) for name in names))
    Console(width=150).print(table)


def _cell(value: float | int | None) -> str:
    return "–" if value is None else str(value) if isinstance(value, int) else f"{value:.3f}"
