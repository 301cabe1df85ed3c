"""Where a claim denies what its evidence doesn't, or the other way round.

Goes from each word that denies ("not", "no", "never", "lacks") to the words that it denies, and looks for these on the
other side: there, too, something must deny them, or say their opposite.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rag.align import MEETS, Alignment, Difference, Mention, surroundings, trust
from rag.opposites import negative_prefix, relation_of
from rag.statements import Statement
from rag.tokens import REPORTING

# A sentence that covers this share of what another covers says as much.
NEARLY = 0.9
# A sentence of which the claim has this share is told by it.
ANSWERED = 0.75
# These come near a denial; where one stands by, it is left open whether something is denied.
_NEAR_DENIAL = frozenset(
    """prevent prevents prevented preventing avoid avoids avoided avoiding few rarely doubt doubts doubted reject
    rejects rejected refuse refuses refused refusing skeptical sceptical limited absence absent unlikely impossible stop
    stops stopped cease ceased beyond only except oppose opposes opposed dismiss dismisses dismissed
    against ignore ignores omit omits unclear missing exclude excludes excluded forbid forbids forbade forbidden ban
    bans banned wrong false falsely disagree disagrees""".split()
)


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
        if _opposed(alignment, reach) or (mine and _denied_outside(alignment, mine[0])):
            continue
        if not places:
            if _plain(alignment):
                yield Difference("negation", "the evidence doesn't deny it", 0.8 * trust(alignment, alignment.view[0]))
            continue
        s = max((s for s, _ in places), key=lambda s: alignment.coverage[s])
        first = next(found for row in mine if (found := _places(alignment, row)))
        soft = any(_near_denial(alignment.sentences[s], column, alignment.claim) for s, column in first)
        word = alignment.claim.words[alignment.claim.content[mine[0]]].text
        weight = _weight(alignment, s, len({row for row in mine if _places(alignment, row)}), len(mine))
        weight = max(weight, 0.6 * _plain(alignment))
        yield Difference("negation", f"the evidence doesn't deny “{word}”", 0.3 if soft else weight)


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
    for s in alignment.view:
        sentence = alignment.sentences[s]
        for reach in sentence.denials:
            columns = [column for column in reach if sentence.words[column].stem]
            hits = [(row, column) for column in columns for row in _rows(alignment, s, column)]
            contrasted = any(word.lower == "but" for word in sentence.words[reach[-1] + 1 : reach[-1] + 6])
            if not hits or not (hits[0][1] == columns[0] or (len(hits) > 1 and not contrasted)):
                continue
            if any(claim.words[claim.content[row]].sign < 0 for row, _ in hits):
                continue
            if all(_said_elsewhere(alignment, row, s) for row, _ in hits) or _answers(alignment, s, reach):
                continue
            soft = any(_near_denial(claim, claim.content[row], sentence) for row, _ in hits)
            weight = _weight(alignment, s, len({column for _, column in hits}), len(columns))
            word = sentence.words[hits[0][1]].text
            yield Difference("negation", f"the evidence denies “{word}”", 0.3 if soft else weight)


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


def _said_elsewhere(alignment: Alignment, row: int, besides: int) -> bool:
    """Whether the evidence says undenied, in a sentence as close to the claim, what it denies here."""
    least = NEARLY * alignment.coverage[besides], NEARLY * alignment.answered(besides)
    return any(
        alignment.sentences[s].words[column].sign > 0
        for s, column in _places(alignment, row)
        if alignment.coverage[s] >= least[0] and alignment.answered(s) >= least[1]
    )


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
    around = statement.words[max(0, n - 4) : n + 4]
    shared = {word.stem for word in besides.words}
    clause = statement.words[n].clause
    return any(w.clause == clause and w.lower in _NEAR_DENIAL and w.stem not in shared for w in around)
