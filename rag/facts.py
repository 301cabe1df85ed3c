"""Where a claim and its evidence differ in numbers and dates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from itertools import permutations as pairs_of

from rag.align import (
    Alignment,
    Difference,
    DifferenceKind,
    Mention,
    crossed,
    exchanged,
    misplaced,
    say,
    trust,
)
from rag.names import Name
from rag.opposites import UNITS
from rag.quantities import Quantity, When, same_amount
from rag.statements import Statement

# A sentence that has this share of what another has of the claim says as much.
NEARLY = 0.9
# How many words a value and whose it is have between them at most.
_CLOSE = 6
# How far it counts that a number of the evidence is only within the claim's bound.
BEYOND = 0.4
# How far it counts that a small number isn't the one that stands between the same two words in the evidence.
COUNTED = 0.8
# Spans of time, in minutes and in months.
_SPANS = {
    "minutes": {"minute": 1, "hour": 60, "day": 1_440, "week": 10_080, "fortnight": 20_160},
    "months": {"month": 1, "year": 12, "decade": 120, "century": 1_200},
}
# With these a number below zero is told without its sign, with the latter a change in percent or money.
_BELOW = frozenset("below negative deficit debt".split())
_FALLING = frozenset(
    """fall falls fell fallen falling drop drops dropped dropping decline declines declined declining decrease decreases
    decreased lower lowered lose loses lost loss losses shrink shrinks shrank shrunk cut cuts less down""".split()
)
_GAP = re.compile(r"(?:percentage |per ?cent )?points?\b|more\b|fewer\b|less\b|apart\b|higher\b|lower\b")


def compare_values(alignment: Alignment) -> list[Difference]:
    """What differs in numbers and dates."""
    return [*_numbers(alignment), *_dates(alignment), *_then(alignment)] if alignment.view else []


def _numbers(alignment: Alignment) -> Iterable[Difference]:
    claim = alignment.claim
    stated = [(s, q) for s, statement in enumerate(alignment.sentences) for q in statement.quantities]
    alike = {own: [(s, q) for s, q in stated if same_amount(own, q)] for own in claim.quantities}
    places = {own: [_mention(alignment, s, q) for s, q in found] for own, found in alike.items()}
    for claimed, same in places.items():
        text = claim.text[claimed.start : claimed.end].strip()
        others = [
            _mention(alignment, s, q)
            for s, q in stated
            if (q.kind == claimed.kind or {q.kind, claimed.kind} <= {"plain", "money"})
            and _of_a_size(claimed, q)
            and not any(same_amount(own, q) for own in claim.quantities)
        ]
        where = _place(claim, claimed)
        if same:
            yield from _bounds(claimed, text, alike[claimed])
            yield from _units(alignment, claimed, text, alike[claimed])
            yield from _signs(alignment, claimed, text, alike[claimed])
            here = set(same)
            rest = [(_place(claim, own), there) for own, there in places.items() if here.isdisjoint(there)]
            yield from _moved(alignment, "number_slot", text, where, same, others, rest)
        elif not (_worked_out(claimed, alignment) or _said_in_words(claimed, alignment) or _denied(claim, claimed)):
            small = (claimed.spelt and (claimed.value <= 3 or claimed.kind == "percent")) or claimed.kind == "ordinal"
            rival = misplaced(alignment, where, (), others) if small else None
            weight = 1.0 if not small else max(0.2, trust(alignment, rival.sentence) if rival else 0.0)
            if any(_alike(alignment, where, one) for one in others):
                weight = max(weight, COUNTED)
            if _written(alignment, text):
                continue
            if _beyond(claimed, [q for s, q in stated if s in alignment.view]):
                weight = min(weight, BEYOND)
            if _lasts_otherwise(alignment, claimed):
                weight = 1.0
            yield Difference("number", f"the number {text} isn't in the evidence", weight)


def _written(alignment: Alignment, text: str) -> bool:
    """Whether the evidence has a number's digits somewhere, spaced otherwise or in a name: "FGF21" for "factor 21"."""
    digits = re.sub(r"\s", "", text)
    if not digits.isdigit() or len(digits) < 2:
        return False
    return any(re.search(rf"(?<![\d.,]){digits}(?![\d.,]*\d)", one.text) for one in alignment.sentences)


def _beyond(claimed: Quantity, stated: Sequence[Quantity]) -> bool:
    """Whether the evidence has an exact number where the claim says that one lies: "181" for "more than 100"."""
    alike = [q for q in stated if q.kind == claimed.kind]
    return any((q.value - claimed.value) * claimed.bound > 0 for q in alike) and not any(q.bound for q in alike)


def _denied(claim: Statement, value: Quantity | When) -> bool:
    """Whether the claim says that it isn't this number: one that the evidence lacks is no difference then."""
    first, last = claim.at(value.start, value.end)
    return any(word.sign < 0 for word in claim.words[first : last + 1])


def _bounds(claimed: Quantity, text: str, same: Sequence[tuple[int, Quantity]]) -> Iterable[Difference]:
    """A lower bound made an upper one, or the other way round; "nearly" is below, too."""

    def bound(quantity: Quantity) -> int:
        return quantity.bound or -int(quantity.nearly)

    mine = bound(claimed)
    if mine and {bound(q) for _, q in same} == {-mine}:
        sides = {1: "at least", -1: "at most"}
        yield Difference("number", f"the sentence has {sides[mine]} {text}, the evidence {sides[-mine]}")


def _units(
    alignment: Alignment, claimed: Quantity, text: str, same: Sequence[tuple[int, Quantity]]
) -> Iterable[Difference]:
    """The same number of something else: "two weeks" for "two months"."""
    mine = _unit(alignment.claim, claimed)
    theirs = {_unit(alignment.sentences[s], q) for s, q in same}
    if mine and "" not in theirs and UNITS[mine] not in {UNITS[unit] for unit in theirs}:
        yield Difference("number", f"the sentence has {text} {mine}, the evidence {text} {min(theirs)}")


def _signs(
    alignment: Alignment, claimed: Quantity, text: str, same: Sequence[tuple[int, Quantity]]
) -> Iterable[Difference]:
    """A number below zero told as one above, or the other way round; "fell by 12 %" stands for "-12 %"."""
    both = [alignment.claim, *(alignment.sentences[s] for s, _ in same)]
    signs = {q.minus for _, q in same}
    told = _BELOW if claimed.kind == "plain" else _BELOW | _FALLING
    if signs == {not claimed.minus} and not any(word.lower in told for one in both for word in one.words):
        yield Difference("number", f"the evidence has {text} with the other sign")


def _unit(statement: Statement, quantity: Quantity) -> str:
    """The unit of time, weight or length right behind a number, or nothing."""
    following = next((word.lower for word in statement.words if word.start >= quantity.end), "")
    return following if following in UNITS else ""


def _moved(
    alignment: Alignment,
    kind: DifferenceKind,
    text: str,
    where: Mention,
    same: Sequence[Mention],
    others: Sequence[Mention],
    rest: Sequence[tuple[Mention, Sequence[Mention]]],
) -> Iterable[Difference]:
    """A value that the evidence has elsewhere: another stands in its place, or one of the claim's has changed
    places with it."""
    told = max((alignment.standing[one.sentence] for one in same), default=0.0)
    others = [one for one in others if alignment.standing[one.sentence] >= NEARLY * told]
    rivals = [*others, *(place for _, places in rest for place in places)]
    if any(_alike(alignment, where, one) for one in same) and not any(_alike(alignment, where, one) for one in rivals):
        return
    found = misplaced(alignment, where, same, others)
    for place, places in rest:
        for changed in (exchanged, crossed, _turned):
            found = found or changed(alignment, where, place, same, places)
    if found is None and (owner := _owner(alignment, where, same, others)) is not None:
        yield Difference(kind, f"the evidence gives {text} for {say(alignment, owner)}", 1.0)
    if found is not None:
        reason = f"the evidence has {say(alignment, found)} where the sentence has {text}"
        yield Difference(kind, reason, trust(alignment, found.sentence))


def _turned(
    alignment: Alignment, one: Mention, other: Mention, ones: Sequence[Mention], others: Sequence[Mention]
) -> Mention | None:
    """Where the small words before two values of the claim have changed places in the evidence ("from 78 to 55" for
    "from 55 to 78"), the place of the second."""

    def before(statement: Statement, value: Mention) -> str:
        word = statement.words[value.first - 1] if value.first else None
        return word.lower if word and not word.stem else ""

    mine = before(alignment.claim, one), before(alignment.claim, other)
    for mention in others if all(mine) and mine[0] != mine[1] else ():
        sentence = alignment.sentences[mention.sentence]
        if any(
            (before(sentence, mention), before(sentence, twin)) == mine
            for twin in ones
            if twin.sentence == mention.sentence
        ):
            return mention
    return None


def _of_a_size(claimed: Quantity, other: Quantity) -> bool:
    """Whether a number may be mistaken for another: a bare one for an amount of money only where it's a large one."""
    return claimed.kind == other.kind or min(claimed.value, other.value) >= 1_000


def _alike(alignment: Alignment, where: Mention, found: Mention) -> bool:
    """Whether a value stands between the same two words in the claim and in the evidence."""

    def around(statement: Statement, mention: Mention) -> list[str]:
        return [word.lower for word in statement.words[max(0, mention.first - 1) : mention.last + 2]]

    mine, theirs = around(alignment.claim, where), around(alignment.sentences[found.sentence], found)
    return len(mine) > 2 < len(theirs) and (mine[0], mine[-1]) == (theirs[0], theirs[-1])


def _owner(alignment: Alignment, where: Mention, same: Sequence[Mention], others: Sequence[Mention]) -> Mention | None:
    """Whose a value is in the evidence, when the claim gives it to somebody who has another there: "Amazon at 125
    billion, Alphabet at 91" for "Alphabet at 125 billion"."""
    near = [(_apart(alignment.claim, where, n), n) for n in alignment.claim.names if not n.pronoun]
    distance, mine = min(near, key=lambda pair: pair[0], default=(9, None))
    if mine is None or distance > _CLOSE or any(place.sentence not in alignment.view for place in same):
        return None
    owners = []
    for place in same:
        statement = alignment.sentences[place.sentence]
        names = [name for name in statement.names if name.sure and not name.pronoun]
        own = [name for name in names if set(name.parts) & set(mine.parts)]
        owner = min(names, key=lambda name: _apart(statement, place, name), default=None)
        rivals = [other for other in others if other.sentence == place.sentence]
        if not own or owner is None or owner in own or _apart(statement, place, owner) > _CLOSE:
            return None
        if any(set(n.parts) & set(owner.parts) and apart <= _CLOSE for apart, n in near):
            return None
        if not any(_apart(statement, r, n) < _apart(statement, place, n) for r in rivals for n in own):
            return None
        owners.append(Mention(place.sentence, owner.first, owner.last))
    return owners[0] if owners else None


def _apart(statement: Statement, value: Mention, name: Name) -> int:
    """How many words lie between a value and a name; a comma or a clause between counts for four."""
    first, last = sorted(((value.first, value.last), (name.first, name.last)))
    between = statement.words[first[1] + 1 : last[0] + 1]
    breaks = sum(word.comma or word.clause != statement.words[first[1]].clause for word in between)
    return last[0] - first[1] + 4 * min(1, breaks)


def _place(claim: Statement, value: Quantity | When) -> Mention:
    return Mention(-1, *claim.at(value.start, value.end))


def _mention(alignment: Alignment, s: int, value: Quantity | When) -> Mention:
    return Mention(s, *alignment.sentences[s].at(value.start, value.end))


def _worked_out(claimed: Quantity, alignment: Alignment) -> bool:
    """Whether a number follows from two that the evidence has: a span of years or days, a gap in points, a ratio."""
    unit = alignment.claim.text[claimed.end : claimed.end + 24].lower().lstrip(" -")
    if (lasts := _lasting(alignment.claim, claimed)) and any(
        lasts in _spans(alignment.sentences[s]) for s in alignment.view
    ):
        return True
    dates = [when for statement in alignment.sentences for when in statement.dates]
    if unit.startswith(("year", "decade")):
        years = {when.year for when in dates if when.year}
        worth = claimed.value * (10 if unit.startswith("decade") else 1)
        return any(
            abs(abs(a - b) - worth) <= (2 if worth >= 10 and worth % 10 == 0 else 0) for a, b in pairs_of(years, 2)
        )
    if unit.startswith(("day", "night")):
        return any(
            a.month == b.month and abs(a.day - b.day) == claimed.value for a, b in pairs_of(dates, 2) if a.day and b.day
        )
    view = [q for s in alignment.view for q in alignment.sentences[s].quantities if q.kind not in ("vague", "ordinal")]
    alike = [
        (abs(a.value), abs(b.value)) for a, b in pairs_of(view, 2) if (a.kind == b.kind or "plain" in (a.kind, b.kind))
    ]
    if claimed.kind == "times" or (claimed.kind == "percent" and claimed.spelt):
        share = claimed.value / 100 if claimed.kind == "percent" else claimed.value
        return any(b and abs(a / b - share) <= 0.08 * share for a, b in alike)
    if _GAP.match(unit):
        gaps = [abs(a - b) for a, b in alike]
        # "Within four points" holds for a gap of three and a third.
        least = 0.5 * claimed.value if claimed.bound < 0 else claimed.value - max(0.05 * claimed.value, 0.7)
        return any(least <= gap <= claimed.value + max(0.05 * claimed.value, 0.7) for gap in gaps)
    return False


def _lasting(statement: Statement, quantity: Quantity) -> tuple[str, float] | None:
    """A span of time in minutes or months: "half an hour" is 30 minutes."""
    words = [word.lower for word in statement.words if word.start >= quantity.end][:2]
    of_one = quantity.kind == "percent" and quantity.spelt and words[:1] in (["a"], ["an"])
    if not words or (quantity.kind != "plain" and not of_one):
        return None
    value, unit = (quantity.value / 100, words[-1]) if of_one else (quantity.value, words[0])
    for base, worth in _SPANS.items():
        if unit.removesuffix("s") in worth:
            return base, round(value * worth[unit.removesuffix("s")], 2)
    return None


def _spans(statement: Statement) -> list[tuple[str, float] | None]:
    """All spans of time in a sentence, "a week" and "one year" too."""
    of_one = [pair[1].lower for pair in pairwise(statement.words) if pair[0].lower in ("a", "an", "one")]
    ones = [(base, float(worth[unit])) for unit in of_one for base, worth in _SPANS.items() if unit in worth]
    return [*ones, *(_lasting(statement, quantity) for quantity in statement.quantities)]


def _lasts_otherwise(alignment: Alignment, claimed: Quantity) -> bool:
    """Whether a number is a span of time, and the sentences in view have only one, of another length: "three hours"
    for "96 minutes"."""
    mine = _lasting(alignment.claim, claimed)
    theirs = {_lasting(alignment.sentences[s], q) for s in alignment.view for q in alignment.sentences[s].quantities}
    spans = [span for span in theirs if span is not None]
    if mine is None or len(spans) != 1 or spans[0][0] != mine[0]:
        return False
    return abs(spans[0][1] - mine[1]) > 0.15 * max(spans[0][1], mine[1])


def _said_in_words(claimed: Quantity, alignment: Alignment) -> bool:
    """Whether a bare 1 or 0 is a word of the evidence, or a number only counts the claim's place in a list."""
    if (
        not alignment.claim.text[: claimed.start].strip()
        and alignment.claim.text[claimed.end : claimed.end + 1] in ".)"
    ):
        return True
    words = {1.0: {"one", "single", "a", "an"}, 0.0: {"no", "none", "nothing"}}.get(claimed.value, set())
    return any(word.lower in words for s in alignment.view for word in alignment.sentences[s].words)


def _dates(alignment: Alignment) -> Iterable[Difference]:
    claim = alignment.claim
    stated = [(s, when) for s, statement in enumerate(alignment.sentences) for when in statement.dates]
    places = {own: [_mention(alignment, s, when) for s, when in stated if own.fits(when)] for own in claim.dates}
    for claimed, same in places.items():
        text = claim.text[claimed.start : claimed.end]
        disputing = [(s, when) for s, when in stated if claimed.disputes(when)]
        if not same:
            # "November 2022" of an evidence that only says "November" goes beyond it, but isn't at odds with it.
            vague = any(when.fits(claimed) for _, when in stated) and not any(_half(claimed, w) for _, w in disputing)
            weight = 0.3 if vague else 1.0 if disputing else 0.6 if not stated else 0.7
            if _denied(claim, claimed):
                continue
            yield Difference("date", f"the date {text} isn't in the evidence", weight)
            continue
        others = [_mention(alignment, s, w) for s, w in disputing if not any(own.fits(w) for own in claim.dates)]
        rest = [(_place(claim, own), found) for own, found in places.items() if not set(found) & set(same)]
        yield from _moved(alignment, "date_slot", text, _place(claim, claimed), same, others, rest)


def _then(alignment: Alignment) -> Iterable[Difference]:
    """A number beside a date at which the evidence has another: "380 in May" for "344 in May, 380 in June"."""
    claim, sentences = alignment.claim, alignment.sentences
    for claimed in claim.quantities if claim.dates else ():
        when = _date_beside(claim, claimed)
        now = [s for s, one in enumerate(sentences) if when and any(when.fits(other) for other in one.dates)]
        same = {s for s, one in enumerate(sentences) if any(same_amount(claimed, q) for q in one.quantities)}
        if when is None or not same or not same.isdisjoint(now):
            continue
        for s in now:
            there = [_mention(alignment, s, other) for other in sentences[s].dates if when.fits(other)]
            for q in sentences[s].quantities:
                rival = _mention(alignment, s, q)
                taken = q.kind != claimed.kind or any(same_amount(own, q) for own in claim.quantities)
                if not taken and min(_between(rival, place) for place in there) <= _CLOSE:
                    reason = f"the evidence has {say(alignment, rival)} for {claim.text[when.start : when.end]}"
                    yield Difference("number_slot", reason, trust(alignment, s))


def _date_beside(claim: Statement, value: Quantity) -> When | None:
    """The date close to a number, rather the one behind it than the one before."""
    where = _place(claim, value)
    near = [
        (_between(where, place), place.first < where.first, n)
        for n, place in enumerate(_place(claim, when) for when in claim.dates)
    ]
    distance, _, nearest = min(near)
    return claim.dates[nearest] if distance <= _CLOSE else None


def _between(one: Mention, other: Mention) -> int:
    """How far apart two mentions of one sentence are, in words."""
    return max(one.first - other.last, other.first - one.last)


def _half(one: When, other: When) -> bool:
    """Whether two dates share the month or the day and differ in the rest."""
    return bool((one.month and one.month == other.month) or (one.day and one.day == other.day))
