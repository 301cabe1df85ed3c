"""What both stacks are asked, and how: one by one, or by many at once."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TypeVar

import psutil

from evals.questions import GIVEN, read_questions

Answer = TypeVar("Answer")

QUESTIONS = tuple(islice((q.question for q in read_questions(GIVEN) if not q.history), 20))


def ask_in_turn(ask: Callable[[str], object], rounds: int) -> list[float]:
    """Seconds of each answer, all questions in each round; a round before them isn't counted."""
    for question in QUESTIONS[:5]:
        ask(question)
    return [seconds for _ in range(rounds) for _, seconds in _timed(ask, QUESTIONS)]


def ask_at_once(
    ask: Callable[[str], str], askers: int, rounds: int
) -> tuple[float, list[float], list[tuple[str, str]]]:
    """Seconds in all, seconds of each answer as its asker waits for it, and (question, answer)."""
    questions = [question for _ in range(rounds) for question in QUESTIONS]
    for question in QUESTIONS[:5]:
        ask(question)
    began = time.perf_counter()
    with ThreadPoolExecutor(askers) as pool:
        done = list(pool.map(lambda question: next(_timed(ask, [question])), questions))
    whole = time.perf_counter() - began
    return (
        whole,
        [seconds for _, seconds in done],
        [(question, answer) for question, (answer, _) in zip(questions, done, strict=True)],
    )


def _timed(ask: Callable[[str], Answer], questions: Iterable[str]) -> Iterator[tuple[Answer, float]]:
    for question in questions:
        began = time.perf_counter()
        answer = ask(question)
        yield answer, time.perf_counter() - began


def memory() -> dict[str, float]:
    """Megabytes that this process holds now, with and without what it shares or could drop (mapped files)."""
    gc.collect()
    held = psutil.Process().memory_full_info()
    return {"rss": held.rss / 1e6, "uss": held.uss / 1e6}


def size(folder: Path) -> int:
    """Bytes of all files under a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
