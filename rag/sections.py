"""Which sections of the main text a question names: by number, by heading, by topic, as the next one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rag.datatypes import Scope, Standalone
from rag.index import PassageIndex
from rag.intent import ORDINALS, asks_for_all_checks, asks_for_outline
from rag.terms import terms, words

# So many texts may have a "section 4" that naming it names none.
_MOST_NAMED = 12
_DIVISION_ON = re.compile(
    r"\b(?:chapter|section|part)\b(?:,? the one)? (?:that (?:is|deals|talks) )?"
    r"(?:on|about|with|covering|called) (?P<topic>.+)",
    re.IGNORECASE,
)
BESIDE = re.compile(
    r"\b(?:(?:next|following|(?P<back>previous|preceding)) (?:one|chapter|section|part|lesson|episode)"
    r"|(?:one|chapter|section|part|lesson|episode) (?:after|(?P<back2>before)) (?:that|it|this))\b",
    re.IGNORECASE,
)
_DIVISION = r"(chapter|part|section|book|act|episode|lesson|appendix)"
_DIVISIONS = frozenset(terms(_DIVISION))
PLACES = _DIVISIONS.union(*(terms(f"{word} {number}") for word, number in ORDINALS.items()), terms("last final next"))
_LABEL = re.compile(rf"^{_DIVISION}\s+(\w+)$", re.IGNORECASE)
_NAMED_DIVISIONS = (
    re.compile(rf"\b(?:{_DIVISION}s?|ch)\.?(?: |(?=\d))(?P<number>(?!last\b)\w+)\b", re.IGNORECASE),
    re.compile(rf"\b(?P<number>\w+) {_DIVISION}\b", re.IGNORECASE),
)


def named_sections(index: PassageIndex, text: str, scope: Scope) -> tuple[tuple[str, str], ...]:
    """(source id, label) of the sections of primary sources that a question names: by number ("chapter four",
    "the last chapter"), or by the words of a label ("the fact check")."""
    said = words(text)
    loose = asks_for_outline(text)
    near = dict.fromkeys(_near_headings(index, text, said, loose))
    found: list[tuple[str, str]] = []
    for source_id in dict.fromkeys(source_id for source_id, _ in near):
        if index.corpus.source_by_id[source_id].stance != "primary" or (
            scope.sources and source_id not in scope.sources
        ):
            continue
        labels = [label for label in index.sections_of(source_id) if (source_id, label) in near]
        labels = [label for label in labels if not scope.sections or label in scope.sections]
        found += [(source_id, label) for label in _numbered(text, labels)]
        found += [(source_id, label) for label in labels if _names(index, said, (source_id, label), loose)]
        if len(found) >= _MOST_NAMED:
            break
    return tuple(dict.fromkeys(found)) or _meant_sections(index, text, scope)


def sections_beside(index: PassageIndex, turn: Standalone, scope: Scope) -> tuple[tuple[str, str], ...]:
    """The section meant by "and the next one?", counted from the last that the conversation named."""
    if not BESIDE.search(turn.asked):
        return ()
    named = named_sections(index, turn.text, scope)
    if not named:
        return ()
    source_id, label = named[-1]
    steps = sum(-1 if hit["back"] or hit["back2"] else 1 for hit in BESIDE.finditer(turn.text))
    labels = index.sections_of(source_id)
    place = labels.index(label) + steps
    return ((source_id, labels[place]),) if 0 <= place < len(labels) else ()


def _meant_sections(index: PassageIndex, text: str, scope: Scope) -> tuple[tuple[str, str], ...]:
    """Sections of the main text that are meant without their names: by topic, or as the table of checks."""
    source = index.corpus.main or index.corpus.sources[0]
    if scope.sources and source.id not in scope.sources:
        return ()
    labels = [label for label in index.sections_of(source.id) if not scope.sections or label in scope.sections]
    found = _on_a_topic(index, text, source.id, labels)
    if not found and asks_for_all_checks(text):
        found = [label for label in labels if label in _with_rows(index, source.id)]
    return tuple((source.id, label) for label in found)


def _near_headings(index: PassageIndex, text: str, said: Sequence[str], loose: bool) -> Iterator[tuple[str, str]]:
    """The headings that a question can name, found without looking at the others: there may be 100,000."""
    for number in {hit["number"].lower() for pattern in _NAMED_DIVISIONS for hit in pattern.finditer(text)}:
        for division in sorted(_DIVISIONS):
            if number == "last":
                yield from index.headings.holding(division)
            for term in dict.fromkeys([*terms(number), number, str(ORDINALS.get(number, ""))]):
                yield from index.headings.holding_both(division, term)
    yield from index.headings.made_of(stem for word in said for stem in terms(word))
    for stem in _telling(said, loose):
        holding = index.headings.holding(stem)
        # Titles are indexed with their passages, so a word of three headings stands in more than one elsewhere.
        if len(holding) < 3:
            yield from holding


def _telling(said: Sequence[str], loose: bool) -> list[str]:
    """Terms that may name a heading by themselves: those after "the", or all where an outline is asked for."""
    return [stem for one, word in pairwise(["", *said]) if loose or one == "the" for stem in terms(word)]


def _numbered(text: str, labels: Sequence[str]) -> list[str]:
    numbered = [(label, match) for label in labels if (match := _LABEL.match(label))]
    found = []
    for hit in (hit for pattern in _NAMED_DIVISIONS for hit in pattern.finditer(text)):
        number = hit["number"].lower()
        for label, match in numbered:
            if number == "last" and match is numbered[-1][1]:
                found.append(label)
            elif number and number in (match[2].lower(), *(w for w, n in ORDINALS.items() if str(n) == match[2])):
                found.append(label)
    return found


def _on_a_topic(index: PassageIndex, text: str, source_id: str, labels: Sequence[str]) -> list[str]:
    """The section meant by "the chapter on power": the one whose headings share most words with the topic."""
    asked = _DIVISION_ON.search(text)
    if asked is None:
        return []
    topic = set(terms(asked["topic"]))
    document = index.corpus.documents[source_id]
    shared: dict[str, int] = {}
    for section in document.sections:
        inner = " ".join(span.name for span in document.subheadings if section.start <= span.start < section.end)
        shared[section.label] = len(topic & set(terms(f"{section.label} {section.title} {inner}")))
    best = max(shared.values(), default=0)
    found = [label for label in labels if best and shared[label] == best]
    return found if len(found) == 1 else []


def _with_rows(index: PassageIndex, source_id: str) -> set[str]:
    """Labels of the sections that hold a table of checked claims."""
    return {s.section for s in index.corpus.documents[source_id].sentences if s.kind == "row"}


def _names(index: PassageIndex, said: Sequence[str], place: tuple[str, str], loose: bool) -> bool:
    """Whether a question names a heading: all its content words side by side, or "the" and a word of it that hardly
    stands anywhere else ("the editorial"); `loose`, where an outline is asked for, needs no "the". A heading of one
    word is named as a section."""
    source_id, label = place
    wanted = list(dict.fromkeys(terms(label)))
    stems = [stem for word in said for stem in terms(word)]
    if len(wanted) == 1:  # "the judgement section": a word alone is too often no heading
        return any({*wanted} == {one, other} - _DIVISIONS and one != other for one, other in pairwise(stems))
    if not wanted or _LABEL.match(label):
        return False
    if any(stems[i : i + len(wanted)] == wanted for i in range(len(stems))):
        return True
    own = {passage.row for passage in index.passages_of(source_id, label)}
    telling = set(_telling(said, loose)) & set(wanted)
    return any(len(set(index.passages_with(stem).tolist()) - own) <= 1 for stem in telling)
