"""Intervals and paired tests against what can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from evals.intervals import Column, difference, figure

NAN = float("nan")


def columns(*shares: tuple[float, float]) -> tuple[Column, Column]:
    return np.array([part for part, _ in shares]), np.array([whole for _, whole in shares])


def test_a_figure_is_a_ratio_of_sums_and_leaves_out_who_has_none() -> None:
    found = figure(*columns((2, 3), (0, 1), (NAN, NAN), (0, 0)))
    assert found is not None
    assert found.value == 0.5  # (2 + 0) / (3 + 1), and not the mean of 2/3 and 0
    assert found.n == 2


def test_no_case_no_figure_one_case_no_interval() -> None:
    assert figure(*columns((NAN, NAN), (0, 0))) is None
    single = figure(*columns((1, 2)))
    assert single is not None
    assert (single.value, single.low, single.high) == (0.5, None, None)


def test_the_interval_is_near_the_normal_one_and_the_same_on_every_run() -> None:
    parts = np.array([1.0] * 140 + [0.0] * 60)
    found, again = figure(parts, np.ones(200)), figure(parts, np.ones(200))
    assert found == again
    assert found is not None
    # p = 0.7: 0.7 ± 1.96 * sqrt(0.7 * 0.3 / 200) = 0.636 .. 0.764
    assert found.low == pytest.approx(0.636, abs=0.012)
    assert found.high == pytest.approx(0.764, abs=0.012)


def test_equal_runs_do_not_differ() -> None:
    same = columns((1, 1), (0, 1), (2, 3))
    found = difference(same, same)
    assert found is not None
    assert (found.value, found.low, found.high, found.p) == (0, 0, 0, 1)
    assert not found.significant


def test_six_questions_that_all_got_worse_are_no_chance() -> None:
    before = columns(*[(1, 1)] * 40)
    after = columns(*[(0, 1)] * 6, *[(1, 1)] * 34)
    found = difference(before, after)
    assert found is not None
    assert found.value == pytest.approx(-0.15)
    assert found.p == pytest.approx(2 / 2**6)  # both tails of six coins that fell alike
    assert found.significant


def test_three_for_and_three_against_are_chance() -> None:
    before = columns(*[(1, 1)] * 3, *[(0, 1)] * 3, *[(1, 1)] * 34)
    after = columns(*[(0, 1)] * 3, *[(1, 1)] * 3, *[(1, 1)] * 34)
    found = difference(before, after)
    assert found is not None
    assert found.value == 0
    assert not found.significant


def test_a_difference_is_over_questions_that_both_runs_can_score() -> None:
    found = difference(columns((1, 1), (NAN, NAN), (1, 1)), columns((0, 1), (1, 1), (1, 1)))
    assert found is not None
    assert (found.before, found.after, found.n) == (1, 0.5, 2)


def test_a_question_that_adds_to_one_run_only_counts_for_a_ratio_of_sums() -> None:
    # Precision of abstaining. Before: two refusals, both right. After: these and one that is wrong.
    before = columns((1, 1), (1, 1), (0, 0), (0, 0))
    after = columns((1, 1), (1, 1), (0, 1), (0, 0))
    found = difference(before, after)
    assert found is not None
    assert (found.before, round(found.after, 4), found.n) == (1, 0.6667, 3)
    assert not np.isnan(found.low)
    assert difference(before, columns((0, 0), (0, 0), (0, 0), (0, 0))) is None, "who never refuses has no precision"


def test_a_hundred_thousand_questions_take_little_memory_and_time() -> None:
    rng = np.random.default_rng(1)
    found = figure(rng.integers(0, 2, 100_000).astype(float), np.ones(100_000))
    assert found is not None
    assert found.low is not None and found.high is not None
    assert found.high - found.low < 0.01
