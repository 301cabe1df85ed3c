"""A sentence -> what it states, as far as words show it: its words with their polarity, the numbers, dates and
names in it, how sure it is and of how many it speaks.

Rules over closed classes of English words; knows nothing of evidence, and of no text's subject.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from rag.quantities import Quantity, When, find_dates, find_quantities
from rag.terms import terms

_TOKEN = re.compile(r"[$€£¥]?\d[\d,]*(?:\.\d+)?%?|[^\W_]+(?:[’'][^\W_]+)*|[^\w\s]")
_MARKS = re.compile(r"\[\d+(?:[,;–-] ?\d+)*\]")
_CONTRACTED = re.compile(r"n['’]t$", re.IGNORECASE)
_CLITIC = re.compile(r"['’](?:s|re|ve|ll|d|m)?$", re.IGNORECASE)
_STOPS = frozenset(".;:()[]–—?!")
_CLAUSE = frozenset(
    """but while whereas because although though unless if when which who whom whose since so yet and or that
    before after until than""".split()
)
# What denies the words after it, to the end of the clause.
_NEGATORS = frozenset(
    """no not never none neither nor without cannot hardly barely scarcely rarely seldom nobody nothing nowhere zero
    lack lacks lacked lacking deny denies denied unable""".split()
)
_PAIRED = {("rather", "than"), ("instead", "of"), ("no", "longer"), ("far", "from"), ("short", "of")}
_EMPTY = frozenset("only just merely simply".split())
_BEFORE_TO = frozenset("fail fails failed failing".split())
# These deny a clause that they open, and else no more than the thing that they stand before.
_OF_THINGS = frozenset("no none nobody nothing nowhere zero without lack lacks lacked lacking".split())
_OBJECTS = frozenset("no none nobody nothing zero".split())
_BREAKS = frozenset("and or but he she it they you we i to in on of for".split())
# What is denied of these is denied of what is thought: "doesn't think that it works".
_RAISING = frozenset(
    """think thinks thought believe believes believed expect expects expected seem seems seemed appear appears appeared
    convinced sure want wants wanted suppose imagine say says said mean means meant""".split()
)
_LIFTING = frozenset("without fail fails failed failing deny denies denied unable lack lacks lacking".split())
_ALONE = frozenset("only just merely simply solely exclusively".split())
_DETERMINERS = frozenset("the a an his her its their our my".split())
_BOUNDS = frozenset("more less fewer later earlier".split())
REACH = 3

# How sure: 0 hedged, 2 said to be beyond doubt; 1, the plain statement, has no word for it.
_HEDGES = frozenset(
    """may might could perhaps maybe possibly probably likely seem seems seemed seemingly 
 apparently presumably suggest suggests suggested arguably potentially tend tends tended often sometimes usually
 generally typically mostly largely partially partly almost nearly virtually suspects guess
 guesses suspect unlikely probable possible conceivably supposedly allegedly reportedly 
 estimated should doubtful unclear uncertain
 necessarily """.split()
)
_SURE = frozenset(
    """definitely certainly surely undoubtedly always inevitably proves proved proven clearly fully entirely
    completely totally exactly precisely absolutely invariably guaranteed certain sure undeniably unquestionably
    wholly perfectly forever deliberately indeed doubtless already""".split()
)

# Of how many: none, few, some, many, most, all.
_QUANTIFIERS = {
    **dict.fromkeys("no none nobody nothing neither nowhere never zero".split(), 0),
    **dict.fromkeys("few little rarely hardly seldom scarcely".split(), 1),
    **dict.fromkeys("some several certain any sometimes various another someone something".split(), 2),
    **dict.fromkeys("many numerous often plenty much countless".split(), 3),
    **dict.fromkeys("most mostly mainly largely majority usually generally almost nearly".split(), 4),
    **dict.fromkeys("all every each everyone everybody everything entire whole always both".split(), 5),
}

REPORTING = frozenset(
    """says said say argues argued argue believes believed thinks thought notes noted claims claimed states stated
    adds added suggests suggested warns warned concludes concluded reports reported finds found writes wrote holds
    held maintains maintained insists insisted admits admitted concedes conceded accepts accepted acknowledges
    acknowledged observes observed points pointed remarks remarked calls called predicts predicted expects expected
    asks asked answers answered objects objected proposes proposed explains explained describes described
    thinks doubts doubted sees saw credits credited judges judged told tells considers considered cites cited
    stresses stressed counters countered favours favors favoured prefers preferred gives gave offers offered refuses
    rejects rejected agrees agreed disagrees hears heard wants wanted announced replied replies puts""".split()
)
_NOT_NAMES = frozenset(
    """research evidence data nobody everyone nothing something work history experience theory science practice
    training learning scaling progress investment money software intelligence society industry evolution""".split()
)
TITLES = frozenset("mr mrs ms dr prof professor sir the a an today tomorrow yesterday".split())
OFFICES = frozenset("ceo cto cfo chief scientist president chairman director officer professor dr mr mrs ms".split())
# How words end that may open a sentence without a determiner and aren't names.
_COMMON = re.compile(r"(?:s|ly|ing|tion|sion|ment|ness|ity|ism|ence|ance|ship|ology|ure|ed|age|dom|hood)$")
_OPENS = re.compile(r"(?:^|[.?!:•(]|[.?!:,][”\"]?\s*[“\"])\s*$|^\s*[“\"]$")
_VERBAL = re.compile(r"\w{4}(?:ed|ing|ly)$")
_WITHIN = (" ", "-", "–", "&", " & ", ". ")
_MONTHS = frozenset(
    """january february march april may june july august september october november december monday tuesday
    wednesday thursday friday saturday sunday""".split()
)
POSSESSIVES = frozenset("his her my him me".split())
_PRONOUNS = frozenset("he she his her him himself herself i my me".split())


@dataclass(frozen=True, slots=True)
class Word:
    """One word. `stem` is empty when it carries no content; `sign` is -1 where the sentence denies it;
    `clause` counts the clauses of the sentence."""

    text: str
    lower: str
    stem: str
    start: int
    end: int
    clause: int
    sign: int = 1
    number: bool = False
    # Whether a comma stands before it.
    comma: bool = False


@dataclass(frozen=True, slots=True)
class Name:
    """A run of capitalised words, or a pronoun that stands for a person (`pronoun`)."""

    parts: tuple[str, ...]
    first: int
    last: int
    pronoun: bool = False
    sure: bool = True
    acronym: bool = False
    # Whether it looks like a name where it may only open a sentence.
    likely: bool = True

    @property
    def acronym_like(self) -> bool:
        """Whether it may be an acronym, in the plural too."""
        return len(self.parts) == 1 and 2 <= len(self.parts[0]) <= 6


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
    text = _MARKS.sub(lambda mark: " " * len(mark.group()), sentence.replace("’", "'").replace("‘", "'"))
    plain = _words(text)
    denials = _denials(plain)
    words = _signed(plain, denials)
    dates = find_dates(text)
    return Statement(
        text,
        words,
        find_quantities(text, dates),
        dates,
        _names(text, words),
        _levels(words),
        {n: _QUANTIFIERS[word.lower] for n, word in enumerate(words) if word.lower in _QUANTIFIERS},
        tuple(n for n, word in enumerate(words) if word.stem),
        denials,
    )


def _words(text: str) -> tuple[Word, ...]:
    found: list[Word] = []
    clause, comma = 0, False
    for match in _TOKEN.finditer(text):
        token = match.group()
        if not any(ch.isalnum() for ch in token):
            clause += token in _STOPS
            comma = comma or token == ","
            continue
        lower = token.lower()
        if lower in _CLAUSE and found and not (lower in ("and", "or") and not _opens_clause(text, match.end())):
            clause += 1
        stems = () if token[0].isdigit() else terms(_CLITIC.sub("", token))
        found.append(
            Word(
                token, lower, stems[0] if stems else "", match.start(), match.end(), clause,
                number=token[0].isdigit(), comma=comma,
            )
        )  # fmt: skip
        comma = False
    return tuple(found)


def _opens_clause(text: str, end: int) -> bool:
    """Whether "and" joins clauses rather than words: a subject follows."""
    return bool(re.match(r"\s+(?:[A-Z]\w+|he|she|it|they|we|you|this|that|these|there)\b", text[end : end + 24]))


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
        thing = (word.lower in _OF_THINGS and following != "longer" and not opens) or (word.lower, following) in _PAIRED
        reach = _reach(words, n, 2 if thing else REACH, thing)
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
    for m in range(n + 1, len(words)):
        word = words[m]
        alone = word.lower in _ALONE and words[m - 1].lower not in _DETERMINERS
        if alone and content <= 1 and word.clause == words[n].clause:
            # "doesn't come only from X": it does come from X.
            return []
        if word.clause != clause:
            # "not because", "don't think that": the denial reaches into the clause that follows at once.
            if not (m == n + 1 and word.lower in _CLAUSE) and not (
                word.lower == "that" and words[m - 1].lower in _RAISING
            ):
                break
            clause = word.clause
        if content and (word.comma or (thing and word.lower in _BREAKS)):
            break
        reach.append(m)
        content += bool(word.stem) and word.lower not in _RAISING
        if content == most:
            break
    if not content:
        # "It is not over", "they can't do this": what is denied stands before.
        reach = [*(m for m in range(n - 1, -1, -1) if words[m].stem and words[m].clause == words[n].clause)][:1] + reach
    return reach


def _lifts(words: Sequence[Word], denial: int, n: int) -> bool:
    """Whether two denials stand side by side: "not without", "can't really do without"."""
    between = [word for word in words[denial + 1 : n] if word.stem and not word.lower.endswith("ly")]
    return words[n].lower in _LIFTING and not between


def _signed(words: Sequence[Word], denials: Sequence[Sequence[int]]) -> tuple[Word, ...]:
    denied = {n for reach in denials for n in reach}
    return tuple(replace(word, sign=-1) if n in denied else word for n, word in enumerate(words))


def _levels(words: Sequence[Word]) -> dict[int, int]:
    levels = {}
    for n, word in enumerate(words):
        if word.text == "May" and n + 1 < len(words) and words[n + 1].number:
            continue
        if n + 1 < len(words) and words[n + 1].lower in ("say", "see", "imagine", "call"):
            continue
        if word.lower in _HEDGES or (word.lower == "so" and n + 1 < len(words) and words[n + 1].lower == "far"):
            levels[n] = 0
        elif word.lower in _SURE:
            levels[n] = 2
    return levels


def _names(text: str, words: tuple[Word, ...]) -> tuple[Name, ...]:
    found: list[Name] = []
    n = 0
    while n < len(words):
        if words[n].lower in _PRONOUNS:
            found.append(Name((words[n].lower,), n, n, pronoun=True))
        elif _capital(words[n]):
            last = n
            while last + 1 < len(words) and _joined(text, words, last):
                last += 1
            name = _trim(text, words, n, last)
            if name:
                found.append(name)
            n = last
        n += 1
    return tuple(found)


def _capital(word: Word) -> bool:
    return (
        not word.number
        and any(ch.isupper() for ch in word.text)
        and word.lower not in _MONTHS
        and word.lower not in _PRONOUNS
    )


def _joined(text: str, words: tuple[Word, ...], last: int) -> bool:
    """Whether the name goes on after `last`: with a capital, and no more than a space or a hyphen between."""
    gap = text[words[last].end : words[last + 1].start]
    if words[last + 1].number:
        return gap in ("-", "–") and words[last + 1].text.isdigit()
    if words[last].text.endswith("'s") or words[last].text.endswith("'"):
        return False
    return _capital(words[last + 1]) and gap in _WITHIN and not (gap == ". " and len(words[last].text) > 3)


def _trim(text: str, words: tuple[Word, ...], first: int, last: int) -> Name | None:
    """The name in these words, without what is capitalised only because it opens a sentence."""
    opens = _OPENS.search(text[: words[first].start]) is not None
    sure = likely = True
    if opens:
        word = words[first]
        plain = (word.text[0].isupper() and word.text[1:].islower()) or len(word.text) == 1
        if plain and (not word.stem or _CLITIC.sub("", word.lower) in TITLES):
            first += 1
        elif plain and first == last:
            sure = _takes_verb(words, first)
            likely = sure or not (word.lower in _NOT_NAMES or word.lower in _QUANTIFIERS or _COMMON.search(word.lower))
        elif plain and _VERBAL.search(word.lower) and not words[first + 1].number:
            first += 1
    while first <= last and words[first].lower in OFFICES:
        first += 1
    if first > last:
        return None
    if first == last and len(words[first].text) == 1:
        return None
    parts = tuple(_CLITIC.sub("", word.text).lower() for word in words[first : last + 1])
    acronym = all(len(word.text) > 1 and word.text.isupper() for word in words[first : last + 1])
    return Name(parts, first, last, sure=sure, acronym=acronym, likely=likely)


def _takes_verb(words: tuple[Word, ...], n: int) -> bool:
    """Whether the first word of a sentence is a name by what follows: "X's", "X says"."""
    if words[n].lower in _NOT_NAMES:
        return False
    following = words[n + 1].lower if n + 1 < len(words) else ""
    return words[n].text.endswith("'s") or following in REPORTING
