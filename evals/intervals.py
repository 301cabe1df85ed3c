"""Figures over many questions, with intervals and paired tests; every resampling is seeded.

Knows shares and nothing of questions: the columns of a metric are the parts and the wholes of each question.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]

SEED = 20_251_125
LEVEL = 0.95
SIGNIFICANT = 0.05
_RESAMPLES = 2_000
_PERMUTATIONS = 4_000
# Resampling is cut down for very many questions, whose intervals are narrow anyway, and done in slices.
_DRAWS, _FEWEST, _SLICE = 20_000_000, 200, 2_000_000


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its 95 % bootstrap interval over `n` questions; the interval is None for one question."""

    value: float
    n: int
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """After less before, over the same `n` questions. `p` is that of a paired permutation test, two-sided."""

    before: float
    after: float
    n: int
    low: float
    high: float
    p: float

    @property
    def value(self) -> float:
        """After less before."""
        return round(self.after - self.before, 6)

    @property
    def significant(self) -> bool:
        """Whether chance is an unlikely reason for it: the interval leaves out 0, and p is small."""
        return self.p < SIGNIFICANT and (self.low > 0 or self.high < 0)


def figure(parts: Column, wholes: Column) -> Figure | None:
    """Sum of the parts by sum of the wholes, with the percentile interval of a bootstrap over questions (Efron
    and Tibshirani 1993, chapter 13). NaN marks a question without the figure; None if there is no whole."""
    known = wholes > 0
    parts, wholes = parts[known], wholes[known]
    n = len(parts)
    if n == 0:
        return None
    value = round(float(parts.sum() / wholes.sum()), 6)
    if n == 1:
        return Figure(value, n)
    if np.ptp(parts / wholes) == 0:
        return Figure(value, n, value, value)
    low, high = _bootstrap((parts, wholes), _ratio)
    return Figure(value, n, low, high)


def difference(before: tuple[Column, Column], after: tuple[Column, Column]) -> Difference | None:
    """The paired difference over the questions that can have the figure in both runs: bootstrap interval and
    permutation test, in which each question's two results change sides (Smucker, Allan and Carterette 2007). A
    question with a whole of 0 in one run only counts, as in the figure itself; None if a run has no whole at all."""
    known = ~np.isnan(before[1]) & ~np.isnan(after[1])
    known &= (before[1] > 0) | (after[1] > 0)
    columns = tuple(column[known] for column in (*before, *after))
    n = int(known.sum())
    if n == 0 or not columns[1].any() or not columns[3].any():
        return None
    old, new = (round(float(columns[i].sum() / columns[i + 1].sum()), 6) for i in (0, 2))
    same = np.array_equal(columns[0], columns[2]) and np.array_equal(columns[1], columns[3])
    if same:
        return Difference(old, new, n, 0.0, 0.0, 1.0)
    if n == 1:
        return Difference(old, new, n, -1.0, 1.0, 1.0)
    low, high = _bootstrap(columns, lambda a, b, c, d, axis: _ratio(c, d, axis) - _ratio(a, b, axis))
    return Difference(old, new, n, low, high, _permutation_p(columns))


def _ratio(parts: Column, wholes: Column, axis: int = -1) -> Column:
    return _divide(parts.sum(axis=axis), wholes.sum(axis=axis))


def _divide(part: Column, whole: Column) -> Column:
    """Part by whole, 0 where a sample happens to have no whole."""
    return np.divide(part, whole, out=np.zeros(np.shape(part)), where=whole > 0)


def _bootstrap(columns: tuple[Column, ...], statistic: Any) -> tuple[float, float]:  # noqa: ANN401 -- scipy's own
    from scipy import stats  # noqa: PLC0415 -- takes a second to import

    n = len(columns[0])
    found = stats.bootstrap(
        columns,
        statistic,
        paired=True,
        vectorized=True,
        method="percentile",
        confidence_level=LEVEL,
        n_resamples=_resamples(_RESAMPLES, n),
        batch=max(1, _SLICE // n),
        rng=np.random.default_rng(SEED),
    ).confidence_interval
    return round(float(found.low), 6), round(float(found.high), 6)


def _permutation_p(columns: tuple[Column, ...]) -> float:
    """Two-sided p of a paired permutation test by scipy, which permutes what it is given between two samples: the
    numbers of the questions, so that part and whole move together. Questions that didn't change only add up."""
    from scipy import stats  # noqa: PLC0415 -- takes a second to import

    changed = (columns[0] != columns[2]) | (columns[1] != columns[3])
    kept_part, kept_whole = columns[0][~changed].sum(), columns[1][~changed].sum()
    parts = np.concatenate([columns[0][changed], columns[2][changed]])
    wholes = np.concatenate([columns[1][changed], columns[3][changed]])
    n = int(changed.sum())
    if n == 1:
        return 1.0

    def ratio(rows: NDArray[np.int64], axis: int) -> Column:
        return _divide(kept_part + parts[rows].sum(axis=axis), kept_whole + wholes[rows].sum(axis=axis))

    found = stats.permutation_test(
        (np.arange(n), np.arange(n, 2 * n)),
        lambda before, after, axis: ratio(after, axis) - ratio(before, axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=_resamples(_PERMUTATIONS, n),
        batch=max(1, _SLICE // n),
        rng=np.random.default_rng(SEED),
    )
    return round(float(found.pvalue), 6)


def _resamples(wanted: int, n: int) -> int:
    return max(_FEWEST, min(wanted, _DRAWS // n))
