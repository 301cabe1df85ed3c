"""Numbers and dates as values, however they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.quantities import find_dates, find_quantities, same_amount
from rag.statements import read


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("$3 billion", "three billion dollars"),
        ("$3B", "3 billion"),
        ("10,000 hours", "ten thousand hours"),
        ("73.94%", "about 74 percent"),
        ("50%", "half"),
        ("90%", "nine in ten"),
        ("80%", "four fifths"),
        ("100x", "a hundredfold"),
        ("twice", "two times"),
        ("a dozen", "twelve"),
        ("half a dozen", "six"),
        ("half a trillion dollars", "$500 billion"),
        ("$3 billionAccurate", "three billion dollars"),
        ("the 2nd", "the second"),
        ("4,000", "thousands"),
        ("several hundred million", "hundreds of millions"),
        ("400 million", "hundreds of millions"),
        ("one hundred and twenty", "120"),
        ("two thousand five hundred", "2,500"),
        ("twenty-first", "the 21st"),
        ("20 million US dollars", "$20m"),
        ("300 €", "€300"),
    ],
)
def test_one_amount_in_two_ways(one: str, other: str) -> None:
    (a,), (b,) = find_quantities(one), find_quantities(other)
    assert same_amount(b, a)


@pytest.mark.parametrize(
    ("claimed", "found"),
    [
        ("3 billion", "3 million"),
        ("5%", "5"),
        ("12", "11"),
        ("second", "two"),
        ("73.9%", "77.3%"),
        ("64", "62"),
        ("€3bn", "$3bn"),
        ("300 €", "300 £"),
        ("9" * 400, "14"),
    ],
)
def test_other_amounts(claimed: str, found: str) -> None:
    assert not same_amount(find_quantities(claimed)[0], find_quantities(found)[0])


def test_what_stands_before_a_spelt_number_is_of_all_of_it() -> None:
    (one,) = find_quantities("nearly one hundred and twenty euros")
    assert (one.value, one.kind, one.nearly, one.about, one.currency) == (120, "money", True, True, "€")


def test_the_scale_of_a_range_is_said_once() -> None:
    assert [q.value for q in find_quantities("91 to 93 billion")] == [91e9, 93e9]


def test_digits_in_names_and_years_are_no_quantities() -> None:
    text = "GPT-4.1 and o3 came out in 2025, v2.5 on 3 May."
    assert find_quantities(text, find_dates(text)) == ()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("on 25 November 2025", [(2025, 11, 25)]),
        ("November 25, 2025", [(2025, 11, 25)]),
        ("from 19 June to 3 July 2025", [(2025, 6, 19), (2025, 7, 3)]),
        ("2012-2020", [(2012, 0, 0), (2020, 0, 0)]),
        ("2026–27", [(2026, 0, 0), (2027, 0, 0)]),
        ("in May", [(0, 5, 0)]),
        ("it may march on", []),
        ("2,025 people and $2000", []),
    ],
)
def test_dates(text: str, parts: list[tuple[int, int, int]]) -> None:
    assert [(when.year, when.month, when.day) for when in find_dates(text)] == parts


@given(st.text(max_size=200))
def test_any_text_is_read_and_its_words_stand_where_they_say(text: str) -> None:
    statement = read(text)
    assert all(statement.text[word.start : word.end] == word.text for word in statement.words)
    assert len(statement.text) == len(text)
