"""A stopped answer is ended at once, and each visitor's by itself."""

from __future__ import annotations

from dataclasses import dataclass

from ui.running import Running


@dataclass
class Answering:
    closed: int = 0

    def close(self) -> None:
        self.closed += 1


def test_each_visitor_ends_only_their_own() -> None:
    running, one, two = Running(), Answering(), Answering()
    running.begin("one", one)
    running.begin("two", two)
    running.end("one")
    running.end("one")
    running.end("nobody")
    assert (one.closed, two.closed) == (1, 0)


def test_a_second_question_ends_the_first() -> None:
    running, first, second = Running(), Answering(), Answering()
    running.begin("one", first)
    running.begin("one", second)
    assert (first.closed, second.closed) == (1, 0)
