"""Which words of the evidence a claim's words answer to.

Words meet by their stem or by a long common beginning. Knows nothing of what the words do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Literal

import numpy as np

from rag.datatypes import Vectors
from rag.evidence import Passage
from rag.names import Name
from rag.quantities import same_amount
from rag.statements import Statement

MEETS = 0.75
# A sentence is in view when it covers at least this share of what the best one covers.
IN_VIEW = 0.6
VIEW = 3
VALUE = 0.15
MARGIN, SLACK = 1.5, 0.3
# How much better two values must stand in each other's places to have changed them.
EXCHANGE = 0.4
NEARNESS = 0.2

DifferenceKind = Literal[
    "number", "number_slot", "date", "date_slot", "name", "name_slot", "speaker", "negation", "direction", "swap",
    "replaced", "hedge", "quantifier", "cause",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which a claim departs from its evidence, in plain words. `weight` in [0, 1] is how far it
    counts; a `_slot` is a value that the evidence has, but elsewhere."""

    kind: DifferenceKind
    reason: str
    weight: float = 1.0


@dataclass(frozen=True)
class Alignment:
    """A claim beside the sentences of its evidence.

    `likeness[s]` has the shape (content words of the claim, words of sentence s), in [0, 1]; `coverage[s]` is
    the weighted share of the claim that sentence s answers to, `standing[s]` that with a little more for each number
    and date that it has; `view` are the sentences worth comparing facts with,
    best first; `links[n]` is where the n-th content word is answered best: (sentence, word), or None.
    """

    claim: Statement
    sentences: tuple[Statement, ...]
    before: tuple[Name | None, ...]
    labels: tuple[int | None, ...]
    likeness: tuple[Vectors, ...]
    weights: Vectors
    coverage: Vectors
    standing: Vectors
    view: tuple[int, ...]
    links: tuple[tuple[int, int] | None, ...]

    def cover(self, sentences: Sequence[int]) -> float:
        """The weighted share of the claim that some sentences answer to together."""
        total = float(self.weights.sum())
        tables = [self.likeness[s] for s in sentences if self.likeness[s].size]
        if not tables or not total:
            return 0.0
        return float(np.max([table.max(axis=1) for table in tables], axis=0) @ self.weights) / total

    def adjacent(self) -> float:
        """The share of the claim's neighbouring content words that stand close, in the same order, in the evidence."""
        pairs = list(pairwise(self.links))
        close = sum(bool(one and other and one[0] == other[0] and 0 < other[1] - one[1] <= 3) for one, other in pairs)
        return close / max(1, len(pairs))

    def answered(self, sentence: int) -> float:
        """The share of a sentence's own content words that the claim has."""
        content = list(self.sentences[sentence].content)
        if not content or not self.claim.content:
            return 0.0
        return float((self.likeness[sentence][:, content].max(axis=0) >= MEETS).mean())

    def turned(self, sentence: int) -> bool:
        """Whether only one of the claim and a sentence puts the doer behind the deed: "built by the owner"."""
        by = [any(word.lower == "by" for word in one.words) for one in (self.claim, self.sentences[sentence])]
        return by[0] != by[1]

    def missing(self) -> list[str]:
        """The claim's content words that the evidence, in view or not, has nothing like, weightiest first."""
        met = [any(table[row].max(initial=0.0) >= MEETS for table in self.likeness) for row in range(len(self.links))]
        rows = sorted((row for row, there in enumerate(met) if not there), key=lambda row: -self.weights[row])
        return [self.claim.words[self.claim.content[n]].text for n in rows]


def align(claim: Statement, passages: Sequence[Passage]) -> Alignment:
    """The claim beside every sentence of the passages."""
    sentences = tuple(statement for passage in passages for statement in passage.statements)
    before = tuple(name for passage in passages for name in passage.before)
    starts = accumulate((len(passage.statements) for passage in passages), initial=0)
    labels = tuple(
        None if n is None else start + n
        for start, passage in zip(starts, passages, strict=False)
        for n in passage.labels
    )
    weights = _weights(claim)
    likeness = tuple(_likeness(claim, sentence) for sentence in sentences)
    best = np.array([table.max(axis=1, initial=0.0) for table in likeness]).reshape(len(sentences), len(claim.content))
    coverage = np.asarray(best @ weights / (weights.sum() or 1.0), dtype=np.float32)
    standing = coverage + np.array([_same_values(claim, sentence) for sentence in sentences], dtype=np.float32)
    order = sorted(range(len(sentences)), key=lambda s: (-standing[s], s))
    view = tuple(s for s in order[:VIEW] if coverage[s] >= IN_VIEW * coverage[order[0]] and coverage[s] > 0)
    links = tuple(_link(n, likeness, view) for n in range(len(claim.content)))
    return Alignment(claim, sentences, before, labels, likeness, weights, coverage, standing, view, links)


def _same_values(claim: Statement, sentence: Statement) -> float:
    """What a sentence gains when it's chosen for comparison, for each number and date of the claim that it has."""
    amounts = sum(any(same_amount(own, q) for q in sentence.quantities) for own in claim.quantities)
    return VALUE * (amounts + sum(any(own.fits(when) for when in sentence.dates) for own in claim.dates))


def _weights(claim: Statement) -> Vectors:
    """Longer words say more; names and capitalised words most."""
    return np.array(
        [
            1.3 if claim.words[n].text[0].isupper() and n else min(1.0, 0.4 + 0.1 * len(claim.words[n].stem))
            for n in claim.content
        ],
        dtype=np.float32,
    )


def _likeness(claim: Statement, sentence: Statement) -> Vectors:
    table = np.zeros((len(claim.content), len(sentence.words)), dtype=np.float32)
    for row, n in enumerate(claim.content):
        for column, word in enumerate(sentence.words):
            if word.stem:
                table[row, column] = same_word(claim.words[n].stem, word.stem)
    return table


@lru_cache(maxsize=262_144)
def same_word(one: str, other: str) -> float:
    """1 for the same stem, less for stems that begin alike for most of their length, else 0."""
    if one == other:
        return 1.0
    shorter, longer = sorted((len(one), len(other)))
    if shorter < 4 or one[:4] != other[:4]:
        return 0.0
    common = next((n for n in range(shorter) if one[n] != other[n]), shorter)
    return 0.85 if (common >= 5 and common / longer >= 0.6) or (common == shorter and longer - shorter <= 2) else 0.0


def _link(row: int, likeness: Sequence[Vectors], view: Sequence[int]) -> tuple[int, int] | None:
    found, height = None, MEETS
    for rank, s in enumerate(view):
        if not likeness[s].size:
            continue
        column = int(likeness[s][row].argmax())
        value = float(likeness[s][row, column]) - 0.05 * rank
        if value >= height:
            found, height = (s, column), value + 1e-6
    return found


@dataclass(frozen=True, slots=True)
class Mention:
    """Words (first, last) of a sentence of the evidence, or of the claim (sentence -1), that name a value."""

    sentence: int
    first: int
    last: int


def near_to(statement: Statement, position: int, mention: Mention) -> float:
    """How close a word stands to a mention: 1 beside it, less with distance, half in another clause."""
    gap = max(mention.first - position, position - mention.last, 0)
    clause = statement.words[position].clause == statement.words[mention.first].clause
    return (1.0 if clause else 0.4) / (1 + NEARNESS * max(gap - 1, 0))


def surroundings(alignment: Alignment, claimed: Mention, found: Mention, besides: Mention | None = None) -> float:
    """How far the words around a mention in the claim stand around a mention in the evidence; what
    the claim has at `besides` doesn't count."""
    table, sentence = alignment.likeness[found.sentence], alignment.sentences[found.sentence]
    total = 0.0
    for row, n in enumerate(alignment.claim.content):
        if claimed.first <= n <= claimed.last or (besides and besides.first <= n <= besides.last):
            continue
        near = near_to(alignment.claim, n, claimed)
        side = n < claimed.first
        value = 0.0
        for column in range(len(sentence.words)):
            like = float(table[row, column])
            if like < 0.5 or found.first <= column <= found.last:
                continue
            same_side = (column < found.first) == side
            value = max(value, like * near_to(sentence, column, found) * (1.0 if same_side else 0.8))
        named = 2.0 if alignment.claim.words[n].text[0].isupper() and n else 1.0
        total += named * float(alignment.weights[row]) * near * value
    return total + _values_around(alignment, claimed, found)


def _values_around(alignment: Alignment, claimed: Mention, found: Mention) -> float:
    """What the numbers and years near by add, where the same stand near the mention in the evidence."""
    sentence = alignment.sentences[found.sentence]
    total = 0.0
    if not any(word.number for word in alignment.claim.words[claimed.first : claimed.last + 1]):
        return total
    for n, word in enumerate(alignment.claim.words):
        if word.number and not claimed.first <= n <= claimed.last:
            theirs = [
                near_to(sentence, m, found)
                for m, other in enumerate(sentence.words)
                if other.text == word.text and not found.first <= m <= found.last
            ]
            total += near_to(alignment.claim, n, claimed) * max(theirs, default=0.0)
    return total


def misplaced(
    alignment: Alignment,
    claimed: Mention,
    same: Iterable[Mention],
    others: Iterable[Mention],
    margin: float = MARGIN,
    slack: float = SLACK,
) -> Mention | None:
    """The mention of another value that stands where the claim puts this one, if it does so far better."""
    here = max((surroundings(alignment, claimed, found) for found in same), default=0.0)
    ranked = [(surroundings(alignment, claimed, found), found) for found in others]
    there, other = max(ranked, key=lambda pair: pair[0], default=(0.0, None))
    return other if there > margin * here + slack else None


def exchanged(
    alignment: Alignment, one: Mention, other: Mention, ones: Sequence[Mention], others: Sequence[Mention]
) -> Mention | None:
    """Where two values of the claim have changed places in the evidence, the place of the second: each has the
    surroundings that the claim gives to the other. `ones` and `others` are where the evidence mentions the two."""

    def best(claimed: Mention, places: Sequence[Mention], besides: Mention) -> tuple[float, Mention]:
        return max(((surroundings(alignment, claimed, place, besides), place) for place in places), key=lambda p: p[0])

    if not ones or not others:
        return None
    crossed, place = best(one, others, other)
    straight = best(one, ones, other)[0] + best(other, others, one)[0]
    return place if crossed + best(other, ones, one)[0] > straight + EXCHANGE else None


def crossed(
    alignment: Alignment, one: Mention, other: Mention, ones: Sequence[Mention], others: Sequence[Mention]
) -> Mention | None:
    """Where the words that stand nearest to two values of the claim stand nearer to each other's in one sentence of
    the evidence, the place of the second. Looks at the nearest names, too."""
    for named in (False, True):
        anchors = _anchor(alignment, one, named), _anchor(alignment, other, named)
        if anchors[0] is None or anchors[1] is None or anchors[0] == anchors[1]:
            continue
        for mine in ones:
            for theirs in others:
                if mine.sentence == theirs.sentence and all(
                    _nearer(alignment, row, far, near)
                    for row, far, near in ((anchors[0], mine, theirs), (anchors[1], theirs, mine))
                ):
                    return theirs
    return None


def _anchor(alignment: Alignment, value: Mention, named: bool) -> int | None:
    """The row of the word with content that stands nearest to a value of the claim, in its clause and close by."""
    words = alignment.claim.words
    rows = [
        (max(value.first - n, n - value.last), row)
        for row, n in enumerate(alignment.claim.content)
        if not value.first <= n <= value.last
        and words[n].clause == words[value.first].clause
        and (words[n].text[0].isupper() or any(ch.isdigit() for ch in words[n].text)) >= named
    ]
    distance, row = min(rows, default=(9, 0))
    return row if distance <= (5 if named else 3) else None


def _nearer(alignment: Alignment, row: int, far: Mention, near: Mention) -> bool:
    """Whether what answers to a word of the claim stands nearer to one mention of a sentence than to another."""
    columns = (alignment.likeness[near.sentence][row] >= MEETS).nonzero()[0]

    def distance(mention: Mention) -> int:
        return min(max(mention.first - int(c), int(c) - mention.last) for c in columns)

    return bool(len(columns)) and distance(near) < distance(far) and distance(near) <= 5


def say(alignment: Alignment, mention: Mention) -> str:
    """The words of the evidence that a mention stands for."""
    words = alignment.sentences[mention.sentence].words
    return alignment.sentences[mention.sentence].text[words[mention.first].start : words[mention.last].end]


def trust(alignment: Alignment, sentence: int, besides: int | None = None) -> float:
    """How far a difference of detail counts: fully where the sentence holds most of the claim's words. The word of the
    claim at position `besides`, whose place another has taken there, isn't missed."""
    covered, total = float(alignment.coverage[sentence]), float(alignment.weights.sum())
    if besides in alignment.claim.content and total:
        row = alignment.claim.content.index(besides)
        if alignment.likeness[sentence][row].max(initial=0.0) < MEETS:
            covered += float(alignment.weights[row]) / total
    return min(max((covered - 0.35) / 0.3, 0.0), 1.0)
