"""Where a claim and its evidence differ in what words do: deny, turn round, hedge, count, give a cause."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from rag.align import MEETS, Alignment, Difference, Mention, misplaced, say, trust
from rag.denial import compare_denials
from rag.opposites import relation_of
from rag.roles import compare_roles, shared
from rag.statements import INTENDING, Statement
from rag.tokens import BE

# Positions of the words that tell the cause, and of those that tell the effect.
Parts = tuple[set[int], set[int]]

_CAUSAL = frozenset(
    """because since due so therefore thus hence cause causes caused result results resulted lead leads led reason
    reasons why as make makes made for drive drives drove driven force forces forced explains owing thanks""".split()
)
_DETERMINERS = frozenset("a an the his her its their our my this that these those poor bad".split())
_ALONE = frozenset("only sole".split())
_UNIVERSAL = frozenset("all every each everyone everybody".split())
_PARTLY = frozenset("half most some many few several".split())
_CONCEDING = frozenset("although though despite".split())
# These leave open what the evidence leaves open.
_OPEN = frozenset("whether if unknown unclear uncertain open question questions ask asks asked doubt doubts".split())
# A claim that a question has more than this share of says what is asked.
ASKED = 0.6
_COUNTED = frozenset("more less fewer".split())
# A clause that these open is what a hedge before them is about.
_REACHED = frozenset("that because".split())
# These leave room as a hedge does.
# What is planned may be told as what will be.
_AHEAD = INTENDING | frozenset("will would shall going".split())
_LOOSE = frozenset("about around near nearly close approaching approaches some roughly can if whether".split())


def compare_wording(alignment: Alignment) -> list[Difference]:
    """What differs in denial, direction, certainty, quantity and cause."""
    if not alignment.view:
        return []
    compared = (
        compare_denials, _directions, compare_roles, _hedges, _left_open, _quantifiers, _all_of_some, _one_of_many,
        _causes, _conceded,
    )  # fmt: skip
    return [difference for compare in compared for difference in compare(alignment)]


def _directions(alignment: Alignment) -> Iterable[Difference]:
    both = {word.lower for word in alignment.claim.words}
    for n, word in enumerate(alignment.claim.words):
        same, others = [], []
        for s in alignment.view:
            for m, other in enumerate(alignment.sentences[s].words):
                relation = relation_of(word.lower, other.lower)
                if relation > 0 or relation * word.sign * other.sign > 0:
                    same.append(Mention(s, m, m))
                elif relation < 0 and other.lower not in both:
                    others.append(Mention(s, m, m))
        opposite = misplaced(alignment, Mention(-1, n, n), same, others, 1.25, 0.2)
        if opposite is not None:
            reason = f"the sentence has “{word.text}”, the evidence “{say(alignment, opposite)}”"
            yield Difference("direction", reason, trust(alignment, opposite.sentence, n))


def _hedges(alignment: Alignment) -> Iterable[Difference]:
    claim = alignment.claim
    hedged_claim = any(level == 0 for level in claim.certainty.values()) or any(w.lower in _LOOSE for w in claim.words)
    mine = {w.lower for w in claim.words}
    open_claim = not mine.isdisjoint(_AHEAD)
    for row, link in enumerate(alignment.links):
        if link is None:
            continue
        sentence = alignment.sentences[link[0]]
        hedge = _over(sentence, link[1], 0)
        if hedge is not None and sentence.words[hedge].lower in INTENDING and open_claim:
            continue
        if hedge is not None and sentence.words[hedge].lower == "mostly" and "most" in mine:
            continue
        if hedge is not None and not hedged_claim and not _flat_elsewhere(alignment, row):
            reason = f"the evidence says “{sentence.words[hedge].text}”, the sentence doesn't"
            yield Difference("hedge", reason, max(0.3, trust(alignment, link[0])))
            return
    for position, level in claim.certainty.items():
        if level != 2:
            continue
        word = claim.words[position].lower
        if not any(w.lower == word for s in alignment.view for w in alignment.sentences[s].words):
            hedged = any(level == 0 for level in alignment.sentences[alignment.view[0]].certainty.values())
            weight = max(0.6 if hedged else 0.3, trust(alignment, alignment.view[0]))
            yield Difference("hedge", f"the evidence doesn't say “{word}”", weight)


def _left_open(alignment: Alignment) -> Iterable[Difference]:
    """What the claim asserts and the evidence only asks: "whether it lasts is unknown"."""
    claim = alignment.claim
    if any(word.lower in _OPEN for word in claim.words) or 0 in claim.certainty.values() or claim.denials:
        return
    named = [any(name.first <= n <= name.last for name in claim.names) for n in claim.content]
    weights = np.where(named, 0.0, alignment.weights)
    for s in alignment.view:
        words, table = alignment.sentences[s].words, alignment.likeness[s]
        for n, word in enumerate(words):
            if word.lower != "whether" or any(other.lower == "or" for other in words[n : n + 10]):
                continue
            asked = [m for m in range(n + 1, len(words)) if words[m].clause == word.clause]
            held = table[:, asked].max(axis=1, initial=0.0) >= MEETS
            if float(held @ weights) > ASKED * float(weights.sum()) and not _told(alignment, s, held):
                yield Difference("hedge", "the evidence leaves open whether it is so", max(0.6, trust(alignment, s)))
                return


def _told(alignment: Alignment, besides: int, held: NDArray[np.bool_]) -> bool:
    """Whether another sentence has most of these rows' words, too."""
    rest = [table for s, table in enumerate(alignment.likeness) if s != besides and table.size]
    return any(2 * int((table[held].max(axis=1) >= MEETS).sum()) > int(held.sum()) for table in rest)


def _over(statement: Statement, n: int, level: int) -> int | None:
    """The position of the word of this certainty that reaches word n: before it, with at most two content
    words of the same clause between, or of one that follows at once: "it may be because ..."."""
    between = 0
    for position in range(n - 1, -1, -1):
        if statement.words[position].clause != statement.words[position + 1].clause:
            if statement.words[position + 1].lower not in _REACHED:
                return None
            between += 1
        if statement.certainty.get(position) == level:
            return position
        if statement.words[position].comma:
            return None
        between += bool(statement.words[position].stem) and not statement.words[position].lower.endswith("ly")
        if between > 1:
            return None
    return None


def _flat_elsewhere(alignment: Alignment, row: int) -> bool:
    for s in alignment.view:
        for column in (alignment.likeness[s][row] >= 0.95).nonzero()[0]:
            if _over(alignment.sentences[s], int(column), 0) is None and alignment.coverage[s] > 0.6:
                return True
    return False


def _quantifiers(alignment: Alignment) -> Iterable[Difference]:
    claim = alignment.claim
    rows = {n: row for row, n in enumerate(claim.content)}
    for position, level in claim.amounts.items():
        if (
            claim.words[position].lower == "no"
            and claim.words[min(position + 1, len(claim.words) - 1)].lower in _COUNTED
        ):
            continue
        head = next((n for n in range(position + 1, min(position + 6, len(claim.words))) if n in rows), None)
        if head is None or (link := alignment.links[rows[head]]) is None:
            continue
        sentence = alignment.sentences[link[0]]
        theirs = next(
            (sentence.amounts[p] for p in range(link[1] - 1, max(link[1] - 5, -1), -1) if p in sentence.amounts), None
        )
        if any(_counted(alignment, s, rows[head], claim.words[position].lower) for s in alignment.view):
            continue
        if theirs is None:
            if level in (0, 5) and claim.words[position].lower in ("all", "every", "everyone", "none"):
                weight = 0.8 * trust(alignment, link[0])
                yield Difference("quantifier", f"the evidence doesn't say “{claim.words[position].text}”", weight)
        elif _apart(level, theirs):
            weight = trust(alignment, link[0])
            yield Difference("quantifier", f"“{claim.words[position].text}” isn't what the evidence says", weight)


def _all_of_some(alignment: Alignment) -> Iterable[Difference]:
    """All of them in the claim where the evidence has half, or most, and nowhere all."""
    claim, best = alignment.claim, alignment.sentences[alignment.view[0]]
    universal = [n for n in claim.amounts if claim.words[n].lower in _UNIVERSAL]
    if not universal or any(5 in alignment.sentences[s].amounts.values() for s in alignment.view):
        return
    part = next((n for n in best.amounts if best.words[n].lower in _PARTLY), None)
    if part is not None:
        reason = f"the evidence has “{best.words[part].text}” where the sentence has “{claim.words[universal[0]].text}”"
        yield Difference("quantifier", reason, trust(alignment, alignment.view[0]))


def _one_of_many(alignment: Alignment) -> Iterable[Difference]:
    """One of several where the evidence has the only one."""
    words = [word.lower for word in alignment.claim.words]
    several = any(words[n : n + 2] == ["one", "of"] for n in range(len(words)))
    best = [word.lower for word in alignment.sentences[alignment.view[0]].words]
    for n, word in enumerate(best):
        if (
            several
            and word in _ALONE
            and best[n - 1 : n] in (["the"], ["its"], ["his"], ["her"], ["their"])
            and word not in words
        ):
            reason = f"the evidence says “{word}”, the sentence “one of”"
            yield Difference("quantifier", reason, trust(alignment, alignment.view[0]))
            return


def _counted(alignment: Alignment, s: int, row: int, quantifier: str) -> bool:
    """Whether a sentence has the same quantifier shortly before a word that answers to the claim's."""
    words = alignment.sentences[s].words
    return any(
        words[p].lower == quantifier
        for column in (alignment.likeness[s][row] >= MEETS).nonzero()[0]
        for p in range(max(0, int(column) - 3), int(column))
    )


def _apart(one: int, other: int) -> bool:
    return abs(one - other) >= 2 or {one, other} == {4, 5} or {one, other} == {0, 1}


def _causes(alignment: Alignment) -> Iterable[Difference]:
    parts = _cause_and_effect(alignment.claim)
    if parts is None:
        return
    told = any(word.lower in _CAUSAL for s in alignment.view for word in alignment.sentences[s].words)
    for s in alignment.view:
        theirs = _cause_and_effect(alignment.sentences[s])
        if theirs is None:
            continue
        straight = shared(alignment, s, parts[0], theirs[0]) + shared(alignment, s, parts[1], theirs[1])
        crossed = shared(alignment, s, parts[0], theirs[1]) + shared(alignment, s, parts[1], theirs[0])
        if crossed > straight + 1:
            yield Difference("cause", "cause and effect change places")
        elif _other_cause(alignment, s, parts, theirs):
            yield Difference("cause", "the evidence gives another cause", max(0.6, trust(alignment, s)))
        return
    if not told:
        yield Difference("cause", "the evidence gives no such cause", 0.4 * trust(alignment, alignment.view[0]))


def _other_cause(alignment: Alignment, s: int, mine: Parts, theirs: Parts) -> bool:
    """Whether a sentence has the claim's effect for a cause that shares no word with the claim's, which the evidence
    speaks of elsewhere."""
    rows = {n: row for row, n in enumerate(alignment.claim.content)}
    effect = {n for n in mine[1] if n in rows and not any(m.first <= n <= m.last for m in alignment.claim.names)}
    if not effect or shared(alignment, s, effect, theirs[1]) < len(effect) or shared(alignment, s, mine[0], theirs[0]):
        return False
    return any(
        table.size and table[rows[n]].max() >= MEETS
        for other, table in enumerate(alignment.likeness)
        for n in mine[0]
        if n in rows and other != s
    )


def _conceded(alignment: Alignment) -> Iterable[Difference]:
    """A cause in the claim that the evidence concedes: "although it rained" for "because it rained"."""
    parts = _cause_and_effect(alignment.claim)
    if parts is None:
        return
    for s in alignment.view:
        statement = alignment.sentences[s]
        for n, word in enumerate(statement.words):
            if word.lower in _CONCEDING:
                clause = {m for m, other in enumerate(statement.words) if other.clause == word.clause and m > n}
                rest = set(range(len(statement.words))) - clause
                if shared(alignment, s, parts[0], clause) and shared(alignment, s, parts[1], rest):
                    yield Difference("cause", f"the evidence says it with “{word.text}”", max(0.6, trust(alignment, s)))
                    return


def _due_to_do(statement: Statement, n: int) -> bool:
    """Whether "due to" tells what is to come: "is due to vote", unlike "is due to the rain"."""
    words = [word.lower for word in statement.words[max(0, n - 1) : n + 3]]
    return words[0] in BE and words[1:3] == ["due", "to"] and _DETERMINERS.isdisjoint(words[3:])


def _cause_and_effect(statement: Statement) -> Parts | None:
    """Positions of the words that tell the cause and of those that tell the effect."""
    for n, word in enumerate(statement.words):
        if word.lower in ("because", "since", "due"):
            if (n and statement.words[n - 1].lower == "not") or _due_to_do(statement, n):
                continue
            if n > 1:
                return set(range(n + 1, len(statement.words))), set(range(n))
            comma = statement.text.find(",", word.end)
            middle = next((m for m, w in enumerate(statement.words) if w.start > comma), len(statement.words))
            return set(range(n + 1, middle)), set(range(middle, len(statement.words)))
    return None
