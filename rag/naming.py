"""Where a claim and its evidence differ in names and speakers.

A name that the evidence lacks, one that stands where the evidence has another, and a saying put into another's mouth.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from rag.align import MEETS, Alignment, Difference, DifferenceKind, Mention, misplaced, say, trust
from rag.evidence import label_of
from rag.identity import (
    Forms,
    Named,
    Parts,
    alike,
    explained,
    find_named,
    known_person,
    passive,
    same_name,
    speaks,
    stands,
)
from rag.names import POSSESSIVES, Name
from rag.statements import Statement
from rag.tokens import REPORTING

# A name beside a word of the evidence: where, whom it means, how much stands between, how far off it is.
Holder = tuple[Mention, Parts, int, int]
_THINGS = frozenset("it they them this these those which who its their".split())
# A sentence that covers this share of what the best one covers says as much.
NEARLY = 0.9
# A name and the word that it goes with have no more than this many words between them.
_GAP = 3
_IS = frozenset("is was are were".split())
_JOINS = frozenset("and or".split())
# Whom these have behind them doesn't speak.
_OF_SOMEBODY = frozenset("call calls called tell tells told describe describes described".split())
# What these tell of is done rather than said.
_ACTS = frozenset("accepts accepted offers offered refuses gives gave".split())
_ASKING = frozenset("ask asks asked".split())
# How names of peoples and languages end.
_DEMONYMS = ("ian", "ean", "can", "man", "ish", "ese", "nch", "tch", "eek", "iss", "aeli")
_PART = re.compile(r"[;:] |\. ")


def compare_names(alignment: Alignment, forms: Forms = ()) -> Iterable[Difference]:
    """What differs in names. `forms` are sets of lower-cased words, each of which names one person."""
    if not alignment.view:
        return
    mentions = find_named(alignment, forms)
    vocabulary = {word.lower.removesuffix("'s") for statement in alignment.sentences for word in statement.words}
    stems = {word.stem for statement in alignment.sentences for word in statement.words if word.stem}
    for whole in alignment.claim.names:
        name = known_person(whole, forms)
        if name.pronoun:
            continue
        same = [mention for mention, _, parts in mentions if same_name(name.parts, parts, forms)]
        there = any(found.sure or mention.first for mention, found, _ in mentions if mention in same)
        sure = name.sure or any(name.parts[-1] in form for form in forms)
        if not same and not stands(name, vocabulary, stems, alignment):
            instead = _instead(alignment, name, mentions, forms) if name.likely else None
            if instead or (sure and not explained(name, alignment.claim)):
                kind: DifferenceKind = "speaker" if speaks(alignment.claim, name) else "name"
                weight = 1.0 if instead else _weight_of_absent(alignment, name, mentions, forms)
                yield Difference(kind, f"{_text(alignment, name)} isn't named in the evidence", weight)
        elif sure or (name.likely and there):
            yield from _elsewhere(alignment, name, same, mentions, forms)
    yield from _misattributed(alignment, mentions, forms)


def _misattributed(alignment: Alignment, mentions: Named, forms: Forms) -> Iterable[Difference]:
    """A saying that the evidence puts into another's mouth."""
    speakers = [name for name in alignment.claim.names if name.sure and speaks(alignment.claim, name)]
    speakers = [name for name in speakers if not name.pronoun]
    if not speakers:
        return
    best = alignment.view[0]
    said = [s for s in alignment.view if alignment.coverage[s] >= NEARLY * alignment.coverage[best]]
    # Who asks says nothing.
    theirs = [_speakers(alignment, s, mentions) for s in said if not alignment.sentences[s].text.rstrip().endswith("?")]
    name = speakers[0]
    by_author = not any(theirs) and any(_by_author(alignment, s) for s in said)
    if any(word.lower in _ACTS for word in alignment.claim.words[name.last + 1 : name.last + 4]) and not any(
        word.lower in _ACTS for s in said for word in alignment.sentences[s].words
    ):
        return
    if by_author and _of_others(alignment, name, said, mentions, forms):
        reason = f"the evidence says it in its own name where the sentence has {_text(alignment, name)}"
        yield Difference("speaker", reason, max(0.6, trust(alignment, best)))
    if not theirs or not all(theirs):
        return
    heard = [parts for told in theirs for _, parts in told]
    if not any(same_name(name.parts, parts, forms) for parts in heard):
        reason = f"the evidence has {say(alignment, theirs[0][0][0])} where the sentence has {_text(alignment, name)}"
        yield Difference("speaker", reason, trust(alignment, best))


def _by_author(alignment: Alignment, s: int) -> bool:
    """Whether a sentence says in the first person what its authors hold: "we find that"."""
    words = alignment.sentences[s].words
    said = any(one.lower == "we" and other.lower in REPORTING for one, other in pairwise(words))
    return said and alignment.labels[s] is None


def _of_others(alignment: Alignment, name: Name, said: Sequence[int], mentions: Named, forms: Forms) -> bool:
    """Whether the evidence speaks of whoever this is in other sentences than these."""
    return any(
        same_name(name.parts, parts, forms) and not found.pronoun and mention.sentence not in said
        for mention, found, parts in mentions
    )


def _speakers(alignment: Alignment, s: int, mentions: Named) -> list[tuple[Mention, Parts]]:
    """Who says something in a sentence of the evidence, as far as it tells: the first named before each verb of
    saying, in the same part of the sentence, and whoever the label of its line names. Who asks doesn't say so."""
    statement = alignment.sentences[s]
    here = [
        (mention, parts)
        for mention, found, parts in mentions
        if mention.sentence == s and parts and found.parts[0] not in POSSESSIVES
    ]
    found = []
    first, last = _nearest_part(alignment, s)
    asks = any(word.lower in _ASKING for word in alignment.claim.words)
    for n, word in enumerate(statement.words):
        if word.lower in _ASKING and not asks:
            continue
        if word.lower in REPORTING and not passive(statement, n) and first <= word.start < last:
            start = max((m.end() for m in _PART.finditer(statement.text[: word.start])), default=0)
            before = [one for one in here if start <= statement.words[one[0].first].start < word.start]
            behind = [one for one in here if one[0].first - n in (1, 2) and word.lower not in _OF_SOMEBODY]
            behind = [one for one in behind if statement.words[one[0].first].clause == word.clause][:1]
            # "It burned, says Ann": what stands before may open the sentence, and not be a name at all.
            found += [*before, *(behind if not before or word.comma else ())]
        elif word.lower == "according":
            found += [one for one in here if 1 < one[0].first - n <= 4][:1]
    opening = alignment.labels[s]
    if opening is not None and (label := label_of(alignment.sentences[opening])) is not None:
        found.append((Mention(opening, label.first, label.last), label.parts))
    return found


def _nearest_part(alignment: Alignment, s: int) -> tuple[int, int]:
    """The characters of that half of a sentence with a semicolon that holds what the claim has besides names; of
    another, all."""
    statement, content = alignment.sentences[s], alignment.claim.content
    names = alignment.claim.names
    rows = [row for row, n in enumerate(content) if not any(name.first <= n <= name.last for name in names)]
    table, weights = alignment.likeness[s][rows], alignment.weights[rows]
    cuts = [0, *(m.end() for m in re.finditer(r"; ", statement.text)), len(statement.text)]

    def held(part: tuple[int, int]) -> float:
        inside = [n for n, word in enumerate(statement.words) if part[0] <= word.start < part[1]]
        return float((table[:, inside].max(axis=1, initial=0.0) >= MEETS) @ weights)

    parts = sorted(pairwise(cuts), key=held, reverse=True)
    return parts[0] if held(parts[0]) > 2 * sum(map(held, parts[1:])) else (0, len(statement.text))


def _text(alignment: Alignment, name: Name) -> str:
    words = alignment.claim.words
    return alignment.claim.text[words[name.first].start : words[name.last].end].removesuffix("'s")


def _weight_of_absent(alignment: Alignment, name: Name, mentions: Named, forms: Forms) -> float:
    """How far it counts that the evidence doesn't name somebody: fully where it has another name for the claim's to
    have replaced; less where it may speak of the same one as "he" or "the company", or doesn't say who speaks."""
    rivals = [
        mention
        for mention, found, parts in mentions
        if mention.sentence in alignment.view and not found.pronoun
        if found.sure or (found.likely and _before_comma(alignment, mention))
        if not any(same_name(other.parts, parts, forms) for other in alignment.claim.names)
    ]
    if name.first <= 1 or speaks(alignment.claim, name):
        opening = [mention for mention in rivals if mention.first <= 2 and mention.sentence == alignment.view[0]]
        if not opening and _of_another(alignment, name, forms):
            return max(0.4, trust(alignment, alignment.view[0]))
        return max(0.4, trust(alignment, opening[0].sentence)) if opening else 0.4
    return max(0.6, trust(alignment, alignment.view[0])) if rivals else 0.4


def _before_comma(alignment: Alignment, mention: Mention) -> bool:
    following = alignment.sentences[mention.sentence].words[mention.last + 1 : mention.last + 2]
    return bool(following and following[0].comma)


def _of_another(alignment: Alignment, name: Name, forms: Forms) -> bool:
    """Whether the best sentence of the evidence names nobody, or says "he", of somebody else named before."""
    best = alignment.view[0]
    before = alignment.before[best]
    names = alignment.sentences[best].names
    silent = not any(found.sure and not found.pronoun for found in names) or bool(names and names[0].pronoun)
    return silent and before is not None and not same_name(name.parts, before.parts, forms)


def _elsewhere(
    alignment: Alignment, name: Name, same: Sequence[Mention], mentions: Named, forms: Forms
) -> Iterable[Difference]:
    """Another name that stands in the evidence where the claim has this one."""
    where = Mention(-1, name.first, name.last)
    mine = {mention.sentence for mention in same}
    person = any(form & set(name.parts) for form in forms)
    # Where the evidence says it, is the name there? Beside it, only another person is a rival.
    said = {s for s in alignment.view if alignment.coverage[s] >= NEARLY * alignment.coverage[alignment.view[0]]}
    aside = not mine & said
    rivals, beside = [], []
    for mention, found, parts in mentions:
        if parts and not same_name(name.parts, parts, forms) and found.sure and alike(name, found, parts, forms):
            claimed = any(same_name(other.parts, parts, forms) for other in alignment.claim.names)
            if mention.sentence not in mine and (person or (aside and not claimed)):
                rivals.append(mention)
            elif mention.sentence in mine and person and not alignment.turned(mention.sentence):
                beside.append(mention)
    places = [
        (trust(alignment, other.sentence), other)
        for other in (
            misplaced(alignment, where, same, rivals),
            misplaced(alignment, where, same, beside, 2.0, 0.6),
        )
        if other is not None
    ]
    if (other := _instead(alignment, name, mentions, forms)) is not None:
        places.append((max(trust(alignment, other.sentence), 0.6), other))
    if places:
        weight, other = max(places, key=lambda pair: pair[0])
        kind: DifferenceKind = "speaker" if speaks(alignment.claim, name) else "name_slot"
        reason = f"the evidence has {say(alignment, other)} where the sentence has {_text(alignment, name)}"
        yield Difference(kind, reason, weight)


def _instead(alignment: Alignment, name: Name, mentions: Named, forms: Forms) -> Mention | None:
    """The name that stands in the evidence right beside the word that this one stands beside in the claim, or that
    does what this one does there."""
    rows = {n: row for row, n in enumerate(alignment.claim.content)}
    for step, edge in ((1, name.last), (-1, name.first)):
        anchor = _next(alignment.claim, edge, step)
        if anchor is None or anchor not in rows:
            continue
        tight = abs(anchor - edge) == 1
        # "X is the head" may answer to "X, the head".
        apart = int(any(word.lower in _IS for word in alignment.claim.words[edge + 1 : anchor]))
        beside = [
            other.parts
            for other in alignment.claim.names
            if (other.first > anchor) == (step < 0)
            and (
                alignment.claim.words[other.first].clause == alignment.claim.words[anchor].clause
                or 0 < name.first - other.last <= 2
            )
            and other != name
        ]
        holders = []
        # The name itself is no sign that a sentence says it; a number is.
        valued = bool(alignment.claim.quantities or alignment.claim.dates)
        own = (
            0.0
            if valued
            else sum(float(alignment.weights[rows[n]]) for n in range(name.first, name.last + 1) if n in rows)
        )
        own /= float(alignment.weights.sum())
        told = [alignment.standing[m.sentence] - own for m, _, parts in mentions if same_name(name.parts, parts, forms)]
        for s in alignment.view:
            if max(told, default=0.0) > alignment.standing[s]:
                continue
            agent = _agent(alignment.sentences[s])
            if (agent is None) != (_agent(alignment.claim) is None):
                if step > 0 and agent is not None:
                    holders += _behind_by(alignment, s, rows[anchor], agent, mentions)
                continue
            for column in (alignment.likeness[s][rows[anchor]] >= MEETS).nonzero()[0]:
                holders += [
                    held if (abs(held[3]) == 1) == tight else (*held[:2], max(held[2], 8), held[3])
                    for held in _holders(alignment, s, int(column), -step, mentions)
                ]
        near = [
            held
            for held in holders
            if held[2] <= apart
            and not any(same_name(held[1], parts, forms) for parts in beside)
            and (_describes(alignment.claim, name) or not _describes(alignment.sentences[held[0].sentence], held[0]))
            and not _listed(alignment, held[0], name, mentions, forms)
        ]
        joined = [parts for _, parts, between, _ in holders if between < 9 or not apart]
        if near and not any(not parts or same_name(name.parts, parts, forms) for parts in joined):
            return near[0][0]
    return None


def _describes(statement: Statement, name: Mention | Name) -> bool:
    """Whether a name tells where another thing comes from, rather than stands for itself: "the Swedish painter"."""
    words = statement.words
    following = words[name.last + 1 : name.last + 2]
    return bool(
        words[name.last].lower.endswith(_DEMONYMS)
        and following
        and following[0].stem
        and not following[0].comma
        and following[0].lower not in REPORTING
    )


def _listed(alignment: Alignment, mention: Mention, name: Name, mentions: Named, forms: Forms) -> bool:
    """Whether a name stands in a list with the one of the claim: "by Ann Lee, Bob Ray and Cleo Day"."""
    words = alignment.sentences[mention.sentence].words
    for other, _, parts in mentions:
        if other.sentence == mention.sentence and same_name(name.parts, parts, forms):
            first, last = sorted((mention, other), key=lambda one: one.first)
            between = words[first.last + 1 : last.first]
            joined = any(word.comma or word.lower in _JOINS for word in (*between, words[last.first]))
            if joined and all(word.text[0].isupper() or word.lower in _JOINS for word in between):
                return True
    return False


def _agent(statement: Statement) -> int | None:
    """The position of a "by" that a name follows: who did it stands behind."""
    firsts = {name.first for name in statement.names if not name.pronoun}
    return next((n for n, w in enumerate(statement.words) if w.lower == "by" and firsts & {n + 1, n + 2}), None)


def _behind_by(alignment: Alignment, s: int, row: int, by: int, mentions: Named) -> list[Holder]:
    """The name behind a "by", where the word before it that is done answers to the claim's."""
    words = alignment.sentences[s].words
    done = [
        int(column)
        for column in (alignment.likeness[s][row] >= MEETS).nonzero()[0]
        if column < by and not any(word.stem for word in words[int(column) + 1 : by])
    ]
    behind = [one for one in mentions if one[0].sentence == s and one[0].first in (by + 1, by + 2)]
    return [(mention, parts, 0, 1) for mention, _, parts in behind[:1] if done and parts]


def _next(statement: Statement, n: int, step: int) -> int | None:
    """The nearest word with content beside position n, in the same clause, unless a name or a comma comes first."""
    named = {m for name in statement.names if not name.pronoun for m in range(name.first, name.last + 1)}
    for m in range(n + step, n + step * (_GAP + 2), step):
        if not 0 <= m < len(statement.words) or statement.words[m].clause != statement.words[n].clause:
            return None
        if statement.words[max(m, m - step)].comma or m in named:
            return None
        if statement.words[m].stem:
            return m
    return None


def _holders(alignment: Alignment, s: int, column: int, step: int, mentions: Named) -> list[Holder]:
    """The names on one side of a word of the evidence in its clause; an "it" there may be anything."""
    statement = alignment.sentences[s]
    words = statement.words
    here = {
        (mention.last if step < 0 else mention.first): (mention, found, parts)
        for mention, found, parts in mentions
        if mention.sentence == s and parts and found.likely and found.parts[0] not in POSSESSIVES
    }
    inside = {m for one in statement.names if not one.pronoun for m in range(one.first, one.last + 1)}
    found: list[Holder] = []
    between = 0
    m = column + step
    while 0 <= m < len(words) and words[m].clause == words[column].clause:
        between += words[max(m, m - step)].comma
        if m in here:
            mention, _, parts = here[m]
            found.append((mention, parts, max(between, 0 if abs(m - column) <= _GAP + 1 else 8), m - column))
        elif words[m].lower in _THINGS and not found and not between and abs(m - column) <= _GAP:
            found.append((Mention(s, m, m), (), 0, m - column))
        between += 9 * (bool(words[m].stem) and m not in inside)
        m += step
    return found
