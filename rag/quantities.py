"""Text -> the numbers and dates that it states, as values: "$3B", "three billion" and "3 billion" are one.

Knows how English writes them; knows nothing of claims or evidence.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["plain", "money", "percent", "times", "ordinal", "vague"]

_UNITS = dict(
    zip(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split(),
        range(20),
        strict=True,
    )
)
_TENS = dict(zip("twenty thirty forty fifty sixty seventy eighty ninety".split(), range(20, 100, 10), strict=True))
_SCALES = {
    "hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "quadrillion": 1e15,
    "k": 1e3, "m": 1e6, "mn": 1e6, "b": 1e9, "bn": 1e9, "tn": 1e12,
}  # fmt: skip
_ORDINALS = dict(
    zip("first second third fourth fifth sixth seventh eighth ninth tenth".split(), range(1, 11), strict=True)
)
_SHARES = {"half": 50.0, "halves": 50.0, "quarter": 25.0, "third": 100 / 3, "fifth": 20.0, "tenth": 10.0}
_MULTIPLES = {"twice": 2.0, "double": 2.0, "doubled": 2.0, "triple": 3.0, "tripled": 3.0, "thrice": 3.0}
_COUNTS = {"dozen": 12.0, "pair": 2.0, "couple": 2.0}
_MONTHS = {
    name: n
    for n, names in enumerate(
        "january jan|february feb|march|april apr|may|june jun|july jul|august aug|september sept sep|"
        "october oct|november nov|december dec".split("|"),
        start=1,
    )
    for name in names.split()
}
_SIGNS = ("$", "€", "£", "¥")
_WORD = "|".join(sorted([*_UNITS, *_TENS], key=len, reverse=True))
_SCALE = "hundred|thousand|million|billion|trillion|quadrillion"
_SPELT = rf"(?:(?:{_WORD})(?:[- ](?:{_WORD}))?|(?<![\w-])(?:half )?an?(?= (?:{_SCALE})\b))"
_DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_NUMBER = re.compile(
    # A digit that belongs to a name ("GPT-4", "o1", "v2.5") is no number.
    rf"(?<![\w.$€£¥])(?<![A-Za-z][-–])(?P<minus>(?<![\d%)\]] )(?<![\d%)\]])[-−](?=[$€£¥]?\d)|\bminus )?"
    rf"(?P<currency>[$€£¥]\s?)?"
    rf"(?:(?P<digits>{_DIGITS})|(?P<spelt>\b{_SPELT}\b)(?!-(?:{'|'.join(_ORDINALS)})\b))"
    rf"(?:(?P<ordinal>st|nd|rd|th)\b)?(?P<more> and a half\b)?"
    # A cell of a table may follow at once: "$3 billionAccurate".
    rf"(?P<scales>(?:[\s-]?(?:{_SCALE})(?:\b|(?-i:(?=[A-Z])))|(?:bn|tn|mn|[kKmMbB])\b)*)"
    r"(?P<unit>\s?%|[\s-]per ?cent(?:age)?\b|x\b|[\s-]?fold\b| times\b| (?:US )?(?:dollars|euros|pounds|yen)\b|"
    r"\s?[$€£¥](?!\s?\d))?",
    re.IGNORECASE,
)
_RANGE_GAP = re.compile(r"\s?(?:[-–—]|to|or|and)\s?[$€£¥]?\s?", re.IGNORECASE)
_IN = re.compile(rf"\b(?P<a>{_WORD}|\d+)(?: out of| in|-in-) (?P<b>{_WORD}|\d+)\b(?! \w+ly\b)", re.IGNORECASE)
_PARTS = re.compile(
    rf"\b(?:(?P<n>{_WORD}|\d+)[ -](?P<parts>thirds|quarters|fifths|tenths)|(?:a|one)[ -](?P<part>third|quarter|fifth|"
    r"tenth)|(?<!and a )(?<!first )(?<!second )(?P<half>half|halves|halved?|halving)"
    rf"(?! an? (?:{_SCALE}|dozen)))\b",
    re.IGNORECASE,
)
_OTHER = re.compile(
    rf"\b(?:(?P<many>tens|hundreds|thousands) of (?P<of>{_SCALE})s|"
    rf"(?:few|several|many) (?P<some>(?:{_SCALE})(?: (?:{_SCALE}))?)|"
    rf"(?:(?P<tens>{'|'.join(_TENS)})-)?(?P<ordinal>{'|'.join(_ORDINALS)})|(?P<multiple>{'|'.join(_MULTIPLES)})|"
    rf"(?P<count>(?:half a )?(?:{'|'.join(_COUNTS)}))|"
    rf"(?P<longer>an?)(?= (?:minute|hour|day|week|month|year|decade|century) and a half)|"
    rf"(?P<fold>{_WORD}|{_SCALE})fold|(?P<vague>{_SCALE}|ten|dozen)s)\b",
    re.IGNORECASE,
)
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_YEAR = r"(?:1[5-9]|20)\d\d"
_DATE = re.compile(
    rf"\b(?:(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<m1>{_MONTH})\b\.?,?(?: {{1,2}}(?P<y1>{_YEAR})\b)?"
    rf"|(?P<m2>{_MONTH})\b\.?(?: {{1,2}}(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\b)?(?:,? {{1,2}}(?P<y2>{_YEAR})\b)?"
    rf"|(?P<y3>{_YEAR})-(?P<m3>\d\d)-(?P<d3>\d\d)\b"
    rf"|(?<![$€£¥,.])(?P<y4>{_YEAR})(?![,.]?\d|[\s-]?(?:%|hours?|people|employees|dollars|times|GPUs?)))",
    re.IGNORECASE,
)
_SHORT_RANGE = re.compile(rf"\b(?P<a>{_YEAR})[-–](?P<b>\d\d)\b(?![-–]\d)")
_ABOUT = re.compile(
    r"\b(?:about|around|roughly|approximately|some|nearly|almost|close to|near|circa|or so|more than|over|above|"
    r"at least|up to|under|less than|below|just|no more than|or more|upwards of)[ $€£¥]*$",
    re.IGNORECASE,
)
# So many characters before a number hold any of these.
_LEAD = 20
_NEARLY = re.compile(r"\b(?:nearly|almost) [$€£¥]?$", re.IGNORECASE)
# "Cut it over three months" and "for over three months" look alike.
_OVER_A_TIME = re.compile(r"over [\w.,]+ (?:second|minute|hour|day|night|week|month|year|decade)s\b", re.IGNORECASE)
_AT_MOST = re.compile(
    r"(?:\b(?:(?:no|not) more than|at most|up to|under|(?<!no )(?:less|fewer) than|below|within) |"
    r"[<≤] ?)[$€£¥]?$",
    re.IGNORECASE,
)
_AT_LEAST = re.compile(
    r"(?:\b(?:(?<!no )(?<!not )more than|over|above|at least|upwards of|no (?:less|fewer) than) |[>≥] ?)[$€£¥]?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as it is meant, and the characters that say it. A percentage of 50 is "half"; "vague" is a
    bare scale such as "thousands". `grain` is the worth of its last written digit; `about` whether the text
    gives it as a rough or bounding figure."""

    value: float
    kind: Kind
    start: int
    end: int
    grain: float = 0.0
    about: bool = False
    spelt: bool = False
    # 1 for "at least", -1 for "at most".
    bound: int = 0
    # Whether the text has "nearly" before it.
    nearly: bool = False
    # "$", "€", "£" or "¥", where the text says which.
    currency: str = ""
    minus: bool = False


@dataclass(frozen=True, slots=True)
class When:
    """A date as far as it is given; 0 stands for what isn't."""

    year: int
    month: int
    day: int
    start: int
    end: int
    # Whether it is all ten years from `year` on: "the 1990s".
    decade: bool = False

    def fits(self, other: When) -> bool:
        """Whether all that this one states is what the other states."""
        return all(
            mine == 0 or mine == theirs
            for mine, theirs in ((self.year, self._year_of(other)), (self.month, other.month), (self.day, other.day))
        )

    def disputes(self, other: When) -> bool:
        """Whether both state a part of the date and state it differently."""
        return any(
            mine and theirs and mine != theirs
            for mine, theirs in ((self.year, self._year_of(other)), (self.month, other.month), (self.day, other.day))
        )

    def _year_of(self, other: When) -> int:
        return other.year // 10 * 10 if self.decade and not other.decade else other.year


def find_dates(text: str) -> tuple[When, ...]:
    """Dates in order; a year alone and a month alone are dates too."""
    found = []
    for match in _DATE.finditer(text):
        part = {key[0]: value for key, value in match.groupdict().items() if value}
        word = part.get("m", "")
        # "may" and "march" are months where they are written so and a day or year stands by, or "in" before.
        if word.lower() in ("may", "march", "mar", "dec", "jan", "sep") and not (
            word[0].isupper()
            and ({"d", "y"} & part.keys() or re.search(r"\b(?:in|of|by|since|last) $", text[: match.start()]))
        ):
            continue
        if word and not word.isdigit() and word[0].islower():
            continue
        month = int(word) if word.isdigit() else _MONTHS.get(word.lower(), 0)
        decade = bool(part.keys() == {"y"} and part["y"].endswith("0") and re.match(r"'?s\b", text[match.end() :]))
        found.append(When(int(part.get("y", 0)), month, int(part.get("d", 0)), match.start(), match.end(), decade))
    for match in _SHORT_RANGE.finditer(text):
        found.append(When(int(match["a"][:2] + match["b"]), 0, 0, match.start("b"), match.end()))
    return _with_shared_years(sorted(found, key=lambda when: when.start))


def _with_shared_years(dates: list[When]) -> tuple[When, ...]:
    """In "from 19 June to 3 July 2025" the year is said once, of both."""
    for n in range(len(dates) - 2, -1, -1):
        one, following = dates[n], dates[n + 1]
        if not one.year and following.year and following.month and following.start - one.end < 8:
            dates[n] = When(following.year, one.month, one.day, one.start, one.end)
    return tuple(dates)


def find_quantities(text: str, dates: tuple[When, ...] = ()) -> tuple[Quantity, ...]:
    """Numbers in order, without those that belong to `dates` and without a bare "one"."""
    taken = [(when.start, when.end) for when in dates]
    found: list[Quantity] = []
    for quantity in (*_shares(text), *_joined(_plain(text), text), *_others(text)):
        if all(quantity.end <= a or quantity.start >= b for a, b in taken):
            taken.append((quantity.start, quantity.end))
            found.append(quantity)
    return tuple(sorted(found, key=lambda quantity: quantity.start))


def _plain(text: str) -> Iterator[Quantity]:
    matches = list(_NUMBER.finditer(text))
    for n, match in enumerate(matches):
        value, grain = _value(match)
        value += 0.5 * bool(match["more"])
        scales = re.findall(r"[a-z]+", match["scales"].lower())
        for scale in scales:
            value, grain = value * _SCALES[scale], grain * _SCALES[scale]
        kind = _kind(match)
        if not scales and n + 1 < len(matches) and _RANGE_GAP.fullmatch(text[match.end() : matches[n + 1].start()]):
            # "91 to 93 billion", "from 55 to 78 percent": the scale and the unit are said once.
            if kind == "plain" and _kind(matches[n + 1]) == "percent":
                kind = "percent"
            for scale in re.findall(r"[a-z]+", matches[n + 1]["scales"].lower()):
                value, grain = value * _SCALES[scale], grain * _SCALES[scale]
        if match["spelt"] and match["spelt"].lower() in ("one", "zero") and not (scales or match["unit"]):
            if match["spelt"].lower() == "one":
                continue
        about, bound, nearly = _led_by(text, match.start())
        if bound > 0 and _OVER_A_TIME.match(text, match.start() - len("over "), match.end() + _LEAD):
            bound = 0
        yield Quantity(
            value, kind, match.start(), match.end(), grain, about, bool(match["spelt"]), bound, nearly,
            _currency(match), bool(match["minus"]),
        )  # fmt: skip


def _joined(quantities: Iterable[Quantity], text: str) -> Iterator[Quantity]:
    """Quantities with what is spelt in two parts made one: "two thousand and five hundred", "one hundred twenty"."""
    last: Quantity | None = None
    for one in quantities:
        if (
            last is not None
            and last.spelt
            and one.spelt
            and last.kind == "plain"
            and one.value < _least_scale(text[last.start : last.end])
            and text[last.end : one.start] in (" ", " and ")
        ):
            value, kind, grain = last.value + one.value, one.kind, one.grain
            last = replace(last, value=value, kind=kind, end=one.end, grain=grain, currency=one.currency)
            continue
        if last is not None:
            yield last
        last = one
    if last is not None:
        yield last


def _least_scale(spelt: str) -> float:
    """The worth of the last scale of a spelt number, which what follows must be less than; 0 where it has none."""
    return _SCALES.get(spelt.lower().rpartition(" ")[2], 0.0)


def _currency(match: re.Match[str]) -> str:
    unit = (match["unit"] or "").split()[-1:]
    named = {"dollars": "$", "euros": "€", "pounds": "£", "yen": "¥"}
    behind = unit[0].lower() if unit else ""
    return (match["currency"] or "").strip() or named.get(behind, behind if behind in _SIGNS else "")


def _led_by(text: str, start: int) -> tuple[bool, int, bool]:
    """What the words before a number make of it: `about`, `bound` and `nearly` of a Quantity."""
    before = text[max(0, start - _LEAD) : start]
    bound = -1 if _AT_MOST.search(before) else int(bool(_AT_LEAST.search(before)))
    return bool(_ABOUT.search(before)), bound, bool(_NEARLY.search(before))


def _value(match: re.Match[str]) -> tuple[float, float]:
    """The number before its scale, and the worth of its last digit that isn't a round zero."""
    if match["digits"]:
        bare = match["digits"].replace(",", "")
        if "." in bare:
            return float(bare), 10.0 ** -len(bare.split(".")[1])
        zeros = len(bare) - len(bare.rstrip("0")) if float(bare) else 0
        return float(bare), 10.0 ** min(zeros, 1)
    words = re.split(r"[- ]", match["spelt"].lower())
    if words[0] == "half":
        return 0.5, 0.1
    return float(sum(_UNITS.get(word, _TENS.get(word, 1)) for word in words)), 1.0


def _kind(match: re.Match[str]) -> Kind:
    unit = (match["unit"] or "").strip(" -").lower()
    if match["currency"] or unit.endswith(("dollars", "euros", "pounds", "yen", *_SIGNS)):
        return "money"
    if unit in ("x", "fold", "times"):
        return "times"
    if match["ordinal"]:
        return "ordinal"
    return "percent" if unit else "plain"


def _shares(text: str) -> Iterator[Quantity]:
    """Shares in words ("nine in ten", "four fifths", "half"), as percentages."""
    for match in _IN.finditer(text):
        a, b = _small(match["a"]), _small(match["b"])
        if 0 < a <= b and b in (2, 3, 4, 5, 10, 20, 100):
            yield Quantity(100 * a / b, "percent", match.start(), match.end(), 1.0, True, True)
    for match in _PARTS.finditer(text):
        about, bound, nearly = _led_by(text, match.start())
        if match["half"]:
            yield Quantity(50.0, "percent", match.start(), match.end(), 0.0, about, True, bound, nearly)
        else:
            n = match["n"]
            count = 1.0 if n is None else _small(n)
            part = _SHARES[(match["part"] or match["parts"][:-1]).lower()]
            yield Quantity(count * part, "percent", match.start(), match.end(), 4.0, about, True)


def _small(word: str) -> float:
    """The value of digits or of one spelt word."""
    return float(word) if word.isdigit() else float(_UNITS.get(word.lower(), _TENS.get(word.lower(), 0)))


def _others(text: str) -> Iterator[Quantity]:
    """Ordinals, multiples, "a dozen", "tenfold", "thousands", "a few thousand", "hundreds of millions"."""
    for match in _OTHER.finditer(text):
        name = match.lastgroup or ""
        word = match[name].lower()
        kind: Kind = "plain"
        if name == "ordinal":
            value, kind = float(_ORDINALS[word] + _TENS.get((match["tens"] or "").lower(), 0)), "ordinal"
        elif name == "longer":
            value = 1.5
        elif name == "multiple":
            value, kind = _MULTIPLES[word], "times"
        elif name == "fold":
            value, kind = float(_UNITS.get(word, _TENS.get(word, 0)) or _SCALES[word]), "times"
        elif name == "of":
            tens = {"tens": 10.0, "hundreds": 1e2, "thousands": 1e3}[match["many"].lower()]
            value, kind = tens * _SCALES[word], "vague"
        elif name == "some":
            value, kind = math.prod(_SCALES[scale] for scale in word.split()), "vague"
        elif name == "vague":
            value, kind = _SCALES.get(word, _COUNTS.get(word, 10.0)), "vague"
        else:
            value = _COUNTS[word.removeprefix("half a ")] * (0.5 if word.startswith("half") else 1.0)
        yield Quantity(value, kind, match.start(), match.end(), 0.0, False, True)


def same_amount(claimed: Quantity, found: Quantity) -> bool:
    """Whether a claim may give `found` as `claimed`: equal, or equal when rounded as the claim rounds."""
    if not _comparable(claimed, found) or (claimed.currency and found.currency and claimed.currency != found.currency):
        return False
    if math.isinf(claimed.value) or math.isinf(found.value):
        return claimed.value == found.value
    if "vague" in (claimed.kind, found.kind):
        small, large = sorted((claimed.value, found.value))
        return (claimed.kind == found.kind and small == large) or (
            found.kind != "vague" and small * 900 > large >= small
        )
    gap = abs(claimed.value - found.value)
    largest = max(abs(claimed.value), abs(found.value), 1e-9)
    if gap <= 1e-9 * largest:
        return True
    if claimed.about or found.about:
        return gap <= 0.05 * largest
    if claimed.bound and not found.bound and (found.value - claimed.value) * claimed.bound > 0:
        return gap <= 0.1 * largest
    return claimed.grain > found.grain and gap < claimed.grain / 2 and (claimed.grain <= 1 or gap <= 0.025 * largest)


def _comparable(claimed: Quantity, found: Quantity) -> bool:
    kinds = {claimed.kind, found.kind}
    if len(kinds) == 1:
        return True
    return kinds in ({"plain", "money"}, {"plain", "times"}) or (
        "vague" in kinds and not kinds & {"percent", "ordinal"}
    )
