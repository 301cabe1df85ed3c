"""Where a claim denies what its evidence doesn't, or the other way round.

Goes from each word that denies ("not", "no", "never", "lacks") to the words that it denies, and looks for these on the
other side: there, too, something must deny them, or say their opposite.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from rag.align import MEETS, Alignment, Difference, Mention, surroundings, trust
from rag.opposites import negative_prefix, relation_of
from rag.statements import PRONOUNS, SMALL_VERBS, Statement
from rag.tokens import REPORTING

# A sentence that covers this share of what another covers says as much.
NEARLY = 0.9
# A sentence of which the claim has this share is told by it.
ANSWERED = 0.75
# Evidence that holds less of a claim that denies something says it in other words, and may deny it in others; more of
# it must be there where the word that is denied isn't.
SPOKEN_OF = 0.5
SPOKEN_OF_ALL_BUT = 0.55
# These come near a denial; where one stands by, it is left open whether something is denied.
_NEAR_DENIAL = frozenset(
    """prevent prevents prevented preventing avoid avoids avoided avoiding few rarely doubt doubts doubted reject
    rejects rejected refuse refuses refused refusing skeptical sceptical limited absence absent unlikely impossible stop
    stops stopped cease ceased beyond only except oppose opposes opposed dismiss dismisses dismissed
    against ignore ignores omit omits unclear missing exclude excludes excluded forbid forbids forbade forbidden ban
    bans banned wrong false falsely disagree disagrees""".split()
)
_RELATIVE = frozenset("who whom whose which".split())

# What is done to an idea that one no longer holds.
_GIVES_UP = frozenset("drop drops dropped abandon abandons abandoned discard discards discarded".split()) | _NEAR_DENIAL


def compare_denials(alignment: Alignment) -> Iterable[Difference]:
    """Denials of either side that the other doesn't answer."""
    claim = {word.lower for word in alignment.claim.words}
    theirs = {word.lower for s in alignment.view for word in alignment.sentences[s].words}
    if ("else" in claim and "only" in theirs) or ("only" in claim and "else" in theirs):
        return
    if "without" in claim and theirs & {"otherwise", "unless"}:
        return
    yield from _by_claim(alignment)
    yield from _by_evidence(alignment)
    yield from _out_of_view(alignment)


def _by_claim(alignment: Alignment) -> Iterable[Difference]:
    rows = {n: row for row, n in enumerate(alignment.claim.content)}
    for reach in alignment.claim.denials:
        mine = [rows[n] for n in reach if n in rows]
        places = [(s, column) for row in mine for s, column in _places(alignment, row)]
        denied = [
            any(_denied(alignment.sentences[s], column) for s, column in _places(alignment, row))
            for row in mine
            if _places(alignment, row)
        ]
        if denied and (denied[0] or 2 * sum(denied) >= len(denied)):
            continue
        if (alignment.claim.words[reach[0] - 1].lower == "without" and _without_it(alignment)) or _cut_short(
            alignment, reach
        ):
            continue
        if (
            _of_nothing(alignment, reach)
            or _opposed(alignment, reach)
            or (mine and _denied_outside(alignment, mine[0]))
        ):
            continue
        named = bool(mine and _places(alignment, mine[0]))
        most = 1.0 if alignment.cover(alignment.view) >= (SPOKEN_OF if named else SPOKEN_OF_ALL_BUT) else 0.4
        if not places:
            if _plain(alignment):
                weight = min(most, 0.8 * trust(alignment, alignment.view[0]))
                yield Difference("negation", "the evidence doesn't deny it", weight)
            continue
        s = max((s for s, _ in places), key=lambda s: alignment.coverage[s])
        first = next(found for row in mine if (found := _places(alignment, row)))
        soft = any(_near_denial(alignment.sentences[s], column, alignment.claim) for s, column in first)
        word = alignment.claim.words[alignment.claim.content[mine[0]]].text
        weight = _weight(alignment, s, len({row for row in mine if _places(alignment, row)}), len(mine))
        weight = min(most, max(weight, 0.6 * _plain(alignment)))
        yield Difference("negation", f"the evidence doesn't deny “{word}”", 0.3 if soft else weight)


def _of_nothing(alignment: Alignment, reach: Sequence[int]) -> bool:
    """Whether "nothing" denies it, and the best sentence denies anything: "pays nothing" for "at no cost"."""
    before = {word.lower for word in alignment.claim.words[max(0, min(reach) - 2) : max(reach) + 3]}
    return "nothing" in before and bool(alignment.sentences[alignment.view[0]].denials)


def _without_it(alignment: Alignment) -> bool:
    """Whether the evidence has "without" and a pronoun, which may stand for anything."""
    sentences = (alignment.sentences[s] for s in alignment.view)
    return any(
        one.lower == "without" and other.lower in PRONOUNS
        for sentence in sentences
        for one, other in pairwise(sentence.words)
    )


def _cut_short(alignment: Alignment, reach: Sequence[int]) -> bool:
    """Whether the evidence denies, without saying it again, what the claim denies of the same: "reads are possible,
    writes are not" for "writes are not possible"."""
    subject = _of_what(alignment.claim, reach)
    if subject is None:
        return False
    places = _places(alignment, alignment.claim.content.index(subject))
    return any(
        _is_all(alignment.sentences[s], reach, column)
        for s, column in places
        for reach in alignment.sentences[s].denials
    )


def _is_all(statement: Statement, reach: Sequence[int], n: int) -> bool:
    """Whether a denial reaches no word with content but this one."""
    return reach[0] == n and not any(statement.words[m].stem for m in reach[1:])


def _of_what(claim: Statement, reach: Sequence[int]) -> int | None:
    """The position of the word before a denial that it is said of."""
    words = claim.words
    subject = next((n for n in range(reach[0] - 1, -1, -1) if words[n].stem), None)
    return None if subject is None or words[subject].clause != words[reach[0]].clause else subject


def _denied(statement: Statement, n: int) -> bool:
    """Whether a word is denied, or stands in a list that is: "needn't lift, carry or push"."""
    clause = statement.words[n].clause
    listed = any(
        reach[-1] < n
        and statement.words[reach[-1]].clause == clause
        and not any(word.lower in ("and", "but") for word in statement.words[reach[-1] : n])
        for reach in statement.denials
    )
    follows = statement.words[n].comma or (n > 0 and statement.words[n - 1].lower in ("or", "nor"))
    return statement.words[n].sign < 0 or (listed and follows)


def _denied_outside(alignment: Alignment, row: int) -> bool:
    """Whether a short sentence out of view denies a word of the claim, of what the claim speaks of too: a claim of two
    sentences may have the one as its second half."""
    for s, sentence in enumerate(alignment.sentences):
        if s in alignment.view or alignment.answered(s) < ANSWERED:
            continue
        columns = (alignment.likeness[s][row] >= MEETS).nonzero()[0]
        if any(_denied(sentence, int(column)) for column in columns):
            return True
    return False


def _by_evidence(alignment: Alignment) -> Iterable[Difference]:
    claim = alignment.claim
    denied = [n for reach in claim.denials for n in reach]
    subjects = {_of_what(claim, reach) for reach in claim.denials}
    for s in alignment.view:
        sentence = alignment.sentences[s]
        for reach in sentence.denials:
            columns = [column for column in reach if sentence.words[column].stem]
            hits = [(row, column) for column in columns for row in _rows(alignment, s, column)]
            contrasted = any(word.lower == "but" for word in sentence.words[reach[-1] + 1 : reach[-1] + 6])
            first = bool(hits) and hits[0][1] == columns[0]
            if not first and (len(hits) < 2 or contrasted):
                continue
            if any(claim.words[claim.content[row]].sign < 0 for row, _ in hits):
                continue
            told_of = _told_of(sentence, reach)
            if (told_of or not first) and len(_beyond(alignment, s, reach)) > len(hits) - told_of:
                continue
            if _is_all(sentence, reach, hits[0][1]) and {claim.content[row] for row, _ in hits} & subjects:
                continue
            if any(claim.words[m].sign < 0 and claim.words[m].lower in _bare(sentence, reach) for m in denied):
                continue
            if all(_said_elsewhere(alignment, row, s, column) for row, column in hits) or _answers(alignment, s, reach):
                continue
            soft = any(_near_denial(claim, claim.content[row], sentence) for row, _ in hits)
            weight = _weight(alignment, s, len({column for _, column in hits}), len(columns))
            word = sentence.words[hits[0][1]].text
            yield Difference("negation", f"the evidence denies “{word}”", 0.3 if soft else weight)


def _told_of(sentence: Statement, reach: Sequence[int]) -> bool:
    """Whether a clause tells of what is denied: "not the miners, who had been paid"."""
    following = sentence.words[reach[-1] + 1 : reach[-1] + 2]
    return bool(following and following[0].comma and following[0].lower in _RELATIVE)


def _bare(sentence: Statement, reach: Sequence[int]) -> frozenset[str]:
    """The verbs without content that are denied: "like" in "might not like the results"."""
    return SMALL_VERBS.intersection(sentence.words[m].lower for m in reach)


def _beyond(alignment: Alignment, s: int, reach: Sequence[int]) -> set[int]:
    """The claim's rows that a sentence answers to behind a comma that follows what it denies."""
    words = alignment.sentences[s].words
    comma = next((m for m in range(reach[-1] + 1, len(words)) if words[m].comma), len(words))
    return {row for m in range(comma, len(words)) if words[m].stem for row in _rows(alignment, s, m)}


def _out_of_view(alignment: Alignment) -> Iterable[Difference]:
    """What the evidence denies in a sentence that holds little of the claim, where the claim has all of that, side by
    side, and the evidence says it nowhere: a claim of two sentences may have it as its second half."""
    content = alignment.claim.content
    for s, sentence in enumerate(alignment.sentences):
        for reach in sentence.denials if s not in alignment.view else ():
            columns = [column for column in reach if sentence.words[column].stem]
            rows = [row for column in columns for row in _rows(alignment, s, column)[:1]]
            if len(columns) < 2 or rows != list(range(rows[0] if rows else 0, len(columns) + (rows[0] if rows else 0))):
                continue
            denied = any(alignment.claim.words[content[row]].sign < 0 for row in rows)
            told = any(
                other.words[int(column)].sign > 0
                for other, table in zip(alignment.sentences, alignment.likeness, strict=True)
                for row in rows
                for column in (table[row] >= MEETS).nonzero()[0]
            )
            if not (denied or told or _answers(alignment, s, reach)):
                yield Difference("negation", f"the evidence denies “{sentence.words[columns[0]].text}”", 0.6)


def _weight(alignment: Alignment, s: int, met: int, of: int) -> float:
    """How far an unanswered denial counts: where most of what it denies is there, fully."""
    return trust(alignment, s) if met < of else max(trust(alignment, s), 0.6)


def _places(alignment: Alignment, row: int) -> list[tuple[int, int]]:
    return [(s, int(column)) for s in alignment.view for column in (alignment.likeness[s][row] >= MEETS).nonzero()[0]]


def _rows(alignment: Alignment, s: int, column: int) -> list[int]:
    return [
        int(row)
        for row in (alignment.likeness[s][:, column] >= MEETS).nonzero()[0]
        if alignment.claim.words[alignment.claim.content[int(row)]].lower not in REPORTING
    ]


def _said_elsewhere(alignment: Alignment, row: int, besides: int, denied: int) -> bool:
    """Whether the evidence says undenied, in a sentence as close to the claim, or a clause of the same, what it
    denies here at the word `denied`."""
    least = NEARLY * alignment.coverage[besides], NEARLY * alignment.answered(besides)
    return any(
        alignment.sentences[s].words[column].sign > 0 and (s != besides or _fuller(alignment, s, column, denied))
        for s, column in _places(alignment, row)
        if alignment.coverage[s] >= least[0] and alignment.answered(s) >= least[1]
    )


def _fuller(alignment: Alignment, s: int, one: int, other: int) -> bool:
    """Whether the clause of one word of a sentence holds as much of the claim as that of another."""
    words = alignment.sentences[s].words

    def held(n: int) -> int:
        clause = [m for m, word in enumerate(words) if word.clause == words[n].clause]
        return int((alignment.likeness[s][:, clause].max(axis=1) >= MEETS).sum())

    return held(one) >= held(other)


def _opposed(alignment: Alignment, reach: Sequence[int]) -> bool:
    """Whether the evidence has the opposite of the first word that the claim denies, and rather where it has the words
    around than where it has the word itself: "Ann refused; Bob accepted"."""
    n = next((n for n in reach if alignment.claim.words[n].stem), None)
    if n is None:
        return False
    mine, row = Mention(-1, n, n), alignment.claim.content.index(n)
    places = [(s, m) for s in alignment.view for m, w in enumerate(alignment.sentences[s].words) if w.sign > 0]
    said = [Mention(s, m, m) for s, m in places if alignment.likeness[s][row, m] >= MEETS]
    word = alignment.claim.words[n].lower
    opposite = [Mention(s, m, m) for s, m in places if relation_of(word, alignment.sentences[s].words[m].lower) < 0]
    if not opposite or not said:
        return bool(opposite)
    around = [max(surroundings(alignment, mine, place) for place in found) for found in (opposite, said)]
    return around[0] >= around[1]


def _answers(alignment: Alignment, s: int, reach: Sequence[int]) -> bool:
    """Whether the claim has the opposite of a word that the evidence denies."""
    theirs = [alignment.sentences[s].words[column].lower for column in reach]
    mine = [word.lower for word in alignment.claim.words if word.sign > 0]
    return any(relation_of(one, other) < 0 for one in mine for other in theirs)


def _plain(alignment: Alignment) -> bool:
    """Whether no sentence in view denies anything, or comes near it."""
    words = [word for s in alignment.view for word in alignment.sentences[s].words]
    return all(word.sign > 0 and not negative_prefix(word.lower) and word.lower not in _NEAR_DENIAL for word in words)


def _near_denial(statement: Statement, n: int, besides: Statement) -> bool:
    """Whether something close to a denial stands by a word, other than what both sides say."""
    words, clause = statement.words, statement.words[n].clause
    shared = {word.stem for word in besides.words}
    around = words[max(0, n - 4) : n + 4]
    if any(w.clause == clause and w.lower in _NEAR_DENIAL and w.stem not in shared for w in around):
        return True
    # "Dropped the idea that it works".
    that = next((m for m in range(n) if words[m].lower == "that" and words[m].clause == clause), 0)
    return any(w.lower in _GIVES_UP and w.stem not in shared for w in words[max(0, that - 4) : that])
