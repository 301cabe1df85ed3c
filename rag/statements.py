"""A sentence -> what it states, as far as words show it: its words with their polarity, the numbers, dates and
names in it, how sure it is and of how many it speaks.

Rules over closed classes of English words; knows nothing of evidence, and of no text's subject.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from rag.names import Name, find_names
from rag.quantities import Quantity, When, find_dates, find_quantities
from rag.tokens import BE, CLAUSES, QUANTIFIERS, Word, even_out, split_words

_MARKS = re.compile(r"\[\d+(?:[,;–-] ?\d+)*\]")
_CONTRACTED = re.compile(r"n['’]t$", re.IGNORECASE)
# What denies the words after it, to the end of the clause.
_NEGATORS = frozenset(
    """no not never none neither nor without cannot hardly barely scarcely rarely seldom nobody nothing nowhere zero
    lack lacks lacked lacking deny denies denied unable""".split()
)
_PAIRED = {
    ("rather", "than"), ("instead", "of"), ("no", "longer"), ("far", "from"), ("short", "of"), ("free", "of"),
}  # fmt: skip
_EMPTY = frozenset("only just merely simply".split())
# Verbs that count as small words, and yet are what is denied.
SMALL_VERBS = frozenset("like need".split())
_BEFORE_TO = frozenset("fail fails failed failing".split())
# These deny a clause that they open, and else no more than the thing that they stand before.
_OF_THINGS = frozenset("no none nobody nothing nowhere zero without lack lacks lacked lacking".split())
_WHOLE = frozenset("none nobody nothing nowhere".split())
_OBJECTS = frozenset("no none nobody nothing zero".split())
_BREAKS = frozenset("and or but he she it they you we i to in on of for".split())
# What is denied of these is denied of what is thought: "doesn't think that it works".
_RAISING = frozenset(
    """think thinks thought believe believes believed expect expects expected seem seems seemed appear appears appeared
    convinced sure want wants wanted suppose imagine say says said mean means meant find finds found show shows showed
    shown claim claims claimed conclude concludes concluded suggest suggests suggested argue argues argued prove proves
    proved report reports reported state states stated""".split()
)
_LIFTING = frozenset("without fail fails failed failing deny denies denied unable lack lacks lacking".split())
_ALONE = frozenset("only just merely simply solely exclusively".split())
_DETERMINERS = frozenset("the a an his her its their our my".split())
_BOUNDS = frozenset("more less fewer later earlier".split())
# These stand for what was spoken of.
PRONOUNS = frozenset("one it them that this these those any either him her".split())
REACH = 3

# How sure: 0 hedged, 2 said to be beyond doubt; 1, the plain statement, has no word for it.
_HEDGES = frozenset(
    """may might could perhaps maybe possibly probably likely seem seems seemed seemingly frequently occasionally
    commonly apparently presumably suggest suggests suggested arguably potentially tend tends tended often sometimes
    usually generally typically mostly largely partially partly almost nearly virtually suspects guess guesses
    suspect unlikely probable possible conceivably supposedly allegedly reportedly estimated should doubtful unclear
    uncertain necessarily""".split()
)
# What one does before "to", and may yet not do.
INTENDING = frozenset("plan plans planned planning intend intends intended hope hopes hoped aim aims aimed".split())
_SURE = frozenset(
    """definitely certainly surely undoubtedly always inevitably proves proved proven clearly fully entirely
    completely totally exactly precisely absolutely invariably guaranteed certain sure undeniably unquestionably
    wholly perfectly forever deliberately indeed doubtless already universally indisputably unanimously""".split()
)
_TURNS_OUT = frozenset("to almost nearly too as so very more less quite rather much far".split())
# The same in two words, others between or none: "beyond any doubt", "has been shown".
_SURE_PHRASES = {
    "doubt": frozenset("beyond without".split()),
    "fact": frozenset("established settled proven".split()),
    "shown": frozenset({"been"}),
    "demonstrated": frozenset({"been"}),
    "established": frozenset({"been"}),
}


@dataclass(frozen=True)
class Statement:
    """What a sentence states, as far as words show it."""

    text: str
    words: tuple[Word, ...]
    quantities: tuple[Quantity, ...]
    dates: tuple[When, ...]
    names: tuple[Name, ...]
    # Position of each word that hedges, makes sure or counts -> its level.
    certainty: dict[int, int] = field(default_factory=dict)
    amounts: dict[int, int] = field(default_factory=dict)
    content: tuple[int, ...] = ()
    # For each word that denies, the positions of those that it denies.
    denials: tuple[tuple[int, ...], ...] = ()

    def at(self, start: int, end: int) -> tuple[int, int]:
        """Positions (first, last) of the words within these characters."""
        inside = [n for n, word in enumerate(self.words) if word.end > start and word.start < end]
        return (inside[0], inside[-1]) if inside else (0, 0)


@lru_cache(maxsize=8_192)
def read(sentence: str) -> Statement:
    """What a sentence states. The same text gives the same object."""
    text = _MARKS.sub(lambda mark: " " * len(mark.group()), even_out(sentence))
    plain = split_words(text)
    denials = _denials(plain)
    words = _signed(plain, denials)
    dates = find_dates(text)
    return Statement(
        text,
        words,
        find_quantities(text, dates),
        dates,
        tuple(name for name in find_names(text, words) if not _in_date(words[name.first], dates)),
        _levels(words, dates),
        # "Not any" is none.
        {
            n: 0 if word.lower == "any" and word.sign < 0 else QUANTIFIERS[word.lower]
            for n, word in enumerate(words)
            if word.lower in QUANTIFIERS
        },
        tuple(n for n, word in enumerate(words) if word.stem),
        denials,
    )


def _in_date(word: Word, dates: Sequence[When]) -> bool:
    return any(when.start <= word.start < when.end for when in dates)


def deny(statement: Statement) -> Statement:
    """The same statement with all that it states denied."""
    denials = (*statement.denials, statement.content) if statement.content else statement.denials
    return replace(statement, words=_signed(statement.words, denials), denials=denials)


def _denials(words: Sequence[Word]) -> tuple[tuple[int, ...], ...]:
    """For each negator, the positions of the words that it denies, those with content first of all: up to REACH of
    them, to the end of its clause; of a thing ("no reward") the verb before it and up to two words after it."""
    found: list[tuple[int, ...]] = []
    last = -1
    for n, word in enumerate(words):
        following = words[n + 1].lower if n + 1 < len(words) else ""
        if not _denies(words, n):
            continue
        opens = n == 0 or words[n - 1].clause != word.clause
        longer = (word.lower, following) == ("no", "longer")
        thing = not longer and ((word.lower in _OF_THINGS and not opens) or (word.lower, following) in _PAIRED)
        reach = _reach(words, n + longer, 2 if thing else REACH, thing)
        if word.lower in _OBJECTS and thing and words[n - 1].stem and not word.comma:
            # "needs no reward" denies the need as "doesn't need a reward" does.
            reach = [*reach, n - 1]
        # "not without", "never failed to": the second denial lifts the first.
        if found and n in found[-1] and _lifts(words, last, n):
            found.pop()
        elif reach:
            found.append(tuple(reach))
        last = n
    return tuple(found)


def _denies(words: Sequence[Word], n: int) -> bool:
    lower = words[n].lower
    following = words[n + 1].lower if n + 1 < len(words) else ""
    previous = words[n - 1].lower if n else ""
    if (previous, lower) in _PAIRED or (lower in ("not", "no") and following in _EMPTY):
        return False
    if lower == "no" and n + 1 < len(words) and words[n + 1].comma:
        return False
    if n + 2 < len(words) and words[n + 2].lower == "than" and following in _BOUNDS:
        return False
    if (lower, following) in _PAIRED:
        return True
    if lower in _BEFORE_TO:
        return following == "to"
    return lower in _NEGATORS or bool(_CONTRACTED.search(lower))


def _reach(words: Sequence[Word], n: int, most: int, thing: bool) -> list[int]:
    reach: list[int] = []
    content = 0
    clause = words[n].clause
    start = _past_aside(words, n + 1)
    for m in range(start, len(words)):
        word = words[m]
        if m == start and _ends_at_once(words, n, m):
            break
        if (word.comma and (content or (thing and m > start))) or (content and thing and word.lower in _BREAKS):
            break
        alone = word.lower in _ALONE and words[m - 1].lower not in _DETERMINERS
        if alone and content <= 1 and word.clause == words[n].clause:
            # "doesn't come only from X": it does come from X.
            return []
        if word.clause != clause:
            # "not because", "don't think that": the denial reaches into the clause that follows at once.
            if not (m == start and (word.lower in CLAUSES or start > n + 1)) and not (
                word.lower == "that" and words[m - 1].lower in _RAISING
            ):
                break
            clause = word.clause
        reach.append(m)
        content += bool(word.stem) and word.lower not in _RAISING
        if content == most:
            break
    if words[n].lower == "without" and any(words[m].lower in PRONOUNS for m in reach[:1]):
        return reach
    if not content and not any(words[m].lower in SMALL_VERBS for m in reach[:1]):
        # "It is not over", "they can't do this": what is denied stands before.
        before = [m for m in range(n - 1, -1, -1) if words[m].stem and words[m].clause == words[n].clause]
        reach = (before[:1] or _asked_before(words, n)) + reach
    return reach


def _past_aside(words: Sequence[Word], n: int) -> int:
    """Where it goes on after "as": "not, as the papers had it, on a whim"; else where it stands."""
    if n < len(words) and words[n].comma and words[n].lower == "as":
        return next((m for m in range(n + 1, len(words)) if words[m].comma), n)
    return n


def _ends_at_once(words: Sequence[Word], n: int, following: int) -> bool:
    """Whether what denies has nothing behind it that it denies: "it paid nothing and rose", "it is not, because"."""
    if words[n].lower in _WHOLE and (words[following].comma or words[following].lower in ("and", "or")):
        return True
    return words[n].lower == "not" and words[following].comma and following == n + 1


def _asked_before(words: Sequence[Word], n: int) -> list[int]:
    """What an answer without a verb of its own denies: "asked whether it was paid, she said that it had not"."""
    asked = next((m for m in range(n - 1, -1, -1) if words[m].lower == "whether"), n)
    return [m for m in range(asked + 1, n) if words[m].stem and words[m].clause == words[asked].clause]


def _lifts(words: Sequence[Word], denial: int, n: int) -> bool:
    """Whether two denials stand side by side: "not without", "can't really do without"."""
    between = [word for word in words[denial + 1 : n] if word.stem and not word.lower.endswith("ly")]
    return words[n].lower in _LIFTING and not between


def _signed(words: Sequence[Word], denials: Sequence[Sequence[int]]) -> tuple[Word, ...]:
    denied = {n for reach in denials for n in reach}
    return tuple(replace(word, sign=-1) if n in denied else word for n, word in enumerate(words))


def _is_unable(word: str, following: str) -> bool:
    """Whether it is "could not", which leaves nothing open."""
    return word == "couldn't" or (word, following) == ("could", "not")


def _of_another_sense(words: Sequence[Word], n: int) -> bool:
    """Whether "certain" is "some", and "proved" is "turned out"."""
    before = words[n - 1].lower if n else ""
    following = words[n + 1].lower if n + 1 < len(words) else ""
    if words[n].lower == "certain":
        return bool(following and words[n + 1].stem and not words[n + 1].comma and before not in BE | {"a"})
    return words[n].lower in ("proves", "proved") and following in _TURNS_OUT


def _levels(words: Sequence[Word], dates: Sequence[When]) -> dict[int, int]:
    levels = {}
    for n, word in enumerate(words):
        if _in_date(word, dates):
            continue
        if n + 1 < len(words) and words[n + 1].lower in ("say", "see", "imagine", "call"):
            continue
        following = words[n + 1].lower if n + 1 < len(words) else ""
        if (
            (_CONTRACTED.sub("", word.lower) in _HEDGES and not _is_unable(word.lower, following))
            or (word.lower in INTENDING and following == "to")
            or (word.lower == "so" and n + 1 < len(words) and words[n + 1].lower == "far")
        ):
            levels[n] = 0
        elif word.lower in _SURE and not _of_another_sense(words, n):
            levels[n] = 2
        elif not _SURE_PHRASES.get(word.lower, frozenset()).isdisjoint(w.lower for w in words[max(0, n - 2) : n]):
            levels[n] = 2
    return levels
