"""The words of a sentence -> the names among them, and the pronouns that stand for persons.

Goes by capitals and by what opens a sentence; knows no list of names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.tokens import CLITIC, QUANTIFIERS, REPORTING, Word

_NOT_NAMES = frozenset(
    """research evidence data nobody everyone nothing something work history experience theory science practice
    training learning scaling progress investment money software intelligence society industry evolution""".split()
)
# What joins a sentence to the one before.
_LINKS = frozenset(
    """furthermore moreover however meanwhile nevertheless nonetheless therefore otherwise besides instead indeed
    perhaps overall likewise hence thus still contrary later earlier today yesterday tomorrow maybe""".split()
)
TITLES = frozenset("mr mrs ms dr prof professor sir the a an today tomorrow yesterday".split())
OFFICES = frozenset("ceo cto cfo chief scientist president chairman director officer professor dr mr mrs ms".split())
# How words end that may open a sentence without a determiner and aren't names.
_COMMON = re.compile(
    r"(?:s|ly|ing|tion|sion|ment|ness|ity|ism|ence|ance|ship|ology|ure|ed|age|dom|hood|"
    r"ial|ical|ous|ful|able|ible|less)$"
)
# How adverbs end, and no forename does: "Partially agrees".
_ADVERB = re.compile(r"(?:\w{3}al|ent|ant|ous|ive|ful|less|ed|ing)ly$")
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


def find_names(text: str, words: tuple[Word, ...]) -> tuple[Name, ...]:
    """The names among the words of a text, and the pronouns that stand for persons, in order."""
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
        if plain and (not word.stem or CLITIC.sub("", word.lower) in TITLES):
            first += 1
        elif plain and first == last:
            sure = _takes_verb(words, first)
            likely = sure or not (
                word.lower in _NOT_NAMES | _LINKS or word.lower in QUANTIFIERS or _COMMON.search(word.lower)
            )
        elif plain and _VERBAL.search(word.lower) and not words[first + 1].number:
            first += 1
    while first <= last and words[first].lower in OFFICES:
        first += 1
    if first > last:
        return None
    if first == last and len(words[first].text) == 1:
        return None
    if first == last and not (words[first].stem or words[first].text.isupper()):
        # A title's "The" or "If", or a "No" after what isn't taken for an opening.
        return None
    parts = tuple(CLITIC.sub("", word.text).lower() for word in words[first : last + 1])
    acronym = all(len(word.text) > 1 and word.text.isupper() for word in words[first : last + 1])
    return Name(parts, first, last, sure=sure, acronym=acronym, likely=likely)


def _takes_verb(words: tuple[Word, ...], n: int) -> bool:
    """Whether the first word of a sentence is a name by what follows: "X's", "X says"."""
    if words[n].lower in _NOT_NAMES or _ADVERB.search(words[n].lower):
        return False
    following = words[n + 1].lower if n + 1 < len(words) else ""
    return words[n].text.endswith("'s") or following in REPORTING
