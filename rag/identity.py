"""Whom the names of a claim and of its evidence mean, and whether two mean the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from rag.align import Alignment, Mention, same_word
from rag.evidence import label_of
from rag.names import OFFICES, TITLES, Name
from rag.statements import Statement
from rag.terms import terms
from rag.tokens import BE, REPORTING

_BE = BE | {"'s"}
_FIRST = frozenset("i me my".split())
_PLACES = frozenset("in on at by near".split())
# Countries and their people whose words don't begin alike for long enough to meet.
_PEOPLES = [
    frozenset(pair.split())
    for pair in """denmark danish|norway norwegian|france french|spain spanish|switzerland swiss|netherlands dutch|
    britain british|greece greek|wales welsh|ireland irish|scotland scottish|poland polish|finland finnish|
    sweden swedish|turkey turkish|china chinese|america american|england english""".split("|")
]

Forms = Sequence[frozenset[str]]
Parts = tuple[str, ...]
# Names in the evidence: where, as written, and whom it means.
Named = Sequence[tuple[Mention, Name, Parts]]


def known_person(name: Name, forms: Forms) -> Name:
    """A known person's name without the one that ran into it: "At the DealBook Summit Sam Altman was ..."."""
    if any(name.parts[0] in form for form in forms):
        return name
    for n in range(1, len(name.parts)):
        if any(set(name.parts[n:]) <= form for form in forms):
            return replace(name, parts=name.parts[n:], first=name.first + n)
    return name


def same_name(one: Parts, other: Parts, forms: Forms) -> bool:
    """Whether two names may mean the same: a part of the other's words, or two forms of one person's name."""
    if not one or not other:
        return False
    if any(one[-1] in form and other[-1] in form for form in forms):
        return True
    shared = {part for part in one if any(same_word(part, theirs) for theirs in other)}
    if len(one) == 1 or len(other) == 1:
        short, long = sorted((one, other), key=len)
        initials = "".join(part[0] for part in long)
        if len(long) == 1 and _stripped(one[0]) == _stripped(other[0]) and short[0].isalpha() != long[0].isalpha():
            # "CO2", written "CO 2".
            return True
        return bool(shared) or initials == short[0].replace(".", "") or same_word(one[0], other[0]) > 0
    if len(shared) > 1:
        # "New York Post" isn't "New York Times".
        return len(one) != len(other) or len(shared) == len(set(one))
    # "Dr Roth", "I. Roth" and "Ines Roth"; "Tim Roth" and "Timothy Roth".
    brief, full = sorted((one[0], other[0]), key=len)
    return one[-1] == other[-1] and (bool({brief, full} & (TITLES | OFFICES)) or full.startswith(brief))


def _stripped(part: str) -> str:
    return part.rstrip("0123456789")


def alike(one: Name, other: Name, meant: Parts, forms: Forms) -> bool:
    """Whether two names may stand for the same sort of thing: two known persons, two acronyms, two plain names."""
    persons = [any(form & set(parts) for form in forms) for parts in (one.parts, meant)]
    if persons[0] or persons[1]:
        return persons[0] and (persons[1] or other.pronoun)
    return not other.pronoun and one.acronym == other.acronym


def stands(name: Name, vocabulary: set[str], stems: set[str], alignment: Alignment) -> bool:
    """Whether the evidence has a name in other guise: in lower case, as initials, as kindred words."""
    own = [stem for part in name.parts for stem in terms(part)] or list(name.parts)
    kindred = all(any(same_word(stem, other) for other in stems) for stem in own)
    if kindred and not name.parts[-1].isdigit():
        return True
    if len(name.parts) > 1 and (name.parts[-1].isdigit() or not vocabulary.isdisjoint(name.parts)):
        # "Mill Street" isn't there where only "Marsh Street" is, nor "GPT-4" where only "GPT-3" is.
        if any(found.parts[-1] == name.parts[-1] or found.parts[0] == name.parts[0] for found in _all(alignment)):
            return False
        if vocabulary.issuperset(name.parts):
            return True
    if name.parts[-1] in vocabulary:
        return True
    return kindred or _initials(name, alignment) or _spaced(name, alignment) or _of_its_people(name, vocabulary)


def _of_its_people(name: Name, vocabulary: set[str]) -> bool:
    """Whether the evidence has "Danish" for "Denmark", or the other way round."""
    return len(name.parts) == 1 and any(name.parts[0] in pair and vocabulary & pair for pair in _PEOPLES)


def _spaced(name: Name, alignment: Alignment) -> bool:
    """Whether the evidence writes a name with other spaces, hyphens or accents: "CO 2", "El Niño"."""
    letters = [ch for ch in _bare("".join(name.parts)) if ch.isalnum()]
    if len(letters) < 3:
        return False
    pattern = re.compile(r"\b" + r"[\W_]?".join(letters) + r"\b")
    return any(pattern.search(_bare(statement.text)) for statement in alignment.sentences)


@lru_cache(maxsize=8_192)
def _bare(text: str) -> str:
    """Lower case without accents."""
    return "".join(ch for ch in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(ch))


def _all(alignment: Alignment) -> list[Name]:
    return [name for statement in alignment.sentences for name in statement.names if len(name.parts) > 1]


def explained(name: Name, claim: Statement) -> bool:
    """Whether an acronym stands behind the claim's own words for it: "adverse drug events (ADEs)"."""
    letters = "".join(word.lower[0] for word in claim.words[: name.first])
    return name.acronym_like and "".join(name.parts).rstrip("s") in letters


def _initials(name: Name, alignment: Alignment) -> bool:
    """Whether initials stand for words, as "AGI" for "Artificial General Intelligence", either way round."""
    short = "".join(name.parts)
    for statement in alignment.sentences:
        letters = "".join(word.lower[0] for word in statement.words)
        if len(name.parts) == 1 and 2 <= len(short) <= 5 and short in letters:
            return True
        if len(name.parts) > 1 and any(word.lower == "".join(p[0] for p in name.parts) for word in statement.words):
            return True
    return False


def find_named(alignment: Alignment, forms: Forms) -> list[tuple[Mention, Name, Parts]]:
    """Every name in the evidence and whom it means; a pronoun means whom the sentence before is about, and in a
    quotation anybody."""
    found = []
    for s, statement in enumerate(alignment.sentences):
        last = alignment.before[s]
        for name in statement.names:
            if not name.pronoun:
                # "He" is no acronym, where there was somebody else.
                last = name if last is None or not name.acronym else last
            elif name.parts[0] in _FIRST and (opening := alignment.labels[s]) is not None:
                last = label_of(alignment.sentences[opening])
            elif last is not None and (_quoted(statement, name) or _reporter(statement, last, name)):
                last = None
            known = not name.sure and any(name.parts[-1] in form for form in forms)
            meant = name.parts if not name.pronoun else last.parts if last else ()
            found.append((Mention(s, name.first, name.last), replace(name, sure=True) if known else name, meant))
    return found


def _reporter(statement: Statement, last: Name, pronoun: Name) -> bool:
    """Whether a pronoun may mean somebody else than who says it: "Ann's car stood there, but Bob says that she ..."."""
    others = [name for name in statement.names if name.first < last.first and name.sure and not name.pronoun]
    said = {word.lower for word in statement.words[last.last + 1 : pronoun.first]}
    return bool(others and last in statement.names and said & REPORTING)


def _quoted(statement: Statement, name: Name) -> bool:
    before = statement.text[: statement.words[name.first].start]
    return ":" in before or before.count("“") > before.count("”") or before.count('"') % 2 == 1


def passive(statement: Statement, n: int) -> bool:
    """Whether a verb tells what was done to the one before it, or has no one before it: "is said", "found in"."""
    before = {word.lower for word in statement.words[max(0, n - 2) : n]}
    after = statement.words[n + 1].lower if n + 1 < len(statement.words) else ""
    return bool(before & _BE) or (statement.words[n].lower.endswith(("d", "en", "n")) and after in _PLACES)


def speaks(claim: Statement, name: Name) -> bool:
    """Whether a name is who says it: a verb of saying follows, "according to" stands before, or "said" in inversion."""
    prior = [word.lower for word in claim.words[max(0, name.first - 2) : name.first]]
    if prior[-1:] == ["than"]:
        return False
    for n in range(name.last + 1, min(name.last + 4, len(claim.words))):
        if claim.words[n].lower in REPORTING:
            return not passive(claim, n)
        if claim.words[n].text[0].isupper():
            break
    return prior == ["according", "to"] or bool(prior and prior[-1] in ("said", "says", "adds", "added", "argues"))
