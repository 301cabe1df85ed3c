"""Where a claim and its evidence differ in what words do: deny, turn round, hedge, count, give a cause."""

from __future__ import annotations

from collections.abc import Iterable

from rag.align import MEETS, Alignment, Difference, Mention, misplaced, say, trust
from rag.denial import compare_denials
from rag.opposites import relation_of
from rag.statements import Statement

_CAUSAL = frozenset(
    """because since due so therefore thus hence cause causes caused result results resulted lead leads led reason
    reasons why as make makes made for drive drives drove driven force forces forced explains owing thanks""".split()
)
_COMPARING = frozenset(
    "than exceed exceeds exceeded outperform outperforms outperformed surpass surpasses surpassed".split()
)
_BE = frozenset("is are was were be been being".split())
_SMALL = _BE | frozenset("the a an his her its their our my has have had did does do".split())
# What these say of one and another, they say of the other and the one.
_MUTUAL = frozenset(
    """meet meets met marry marries married resemble resembles resembled equal equals match matches matched face faces
    faced border borders bordered join joins joined""".split()
)
_COUNTED = frozenset("more less fewer".split())
# These leave room as a hedge does.
_LOOSE = frozenset("about around near nearly close approaching approaches some roughly can if whether".split())


def compare_wording(alignment: Alignment) -> list[Difference]:
    """What differs in denial, direction, certainty, quantity and cause."""
    if not alignment.view:
        return []
    compared = (compare_denials, _directions, _swaps, _hedges, _quantifiers, _causes, _roles)
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
            yield Difference("direction", reason, trust(alignment, opposite.sentence))


def _swaps(alignment: Alignment) -> Iterable[Difference]:
    """What is compared has changed places around "than" or a verb that compares."""
    mine = _compared(alignment.claim)
    if mine is None:
        return
    for s in alignment.view:
        theirs = _compared(alignment.sentences[s])
        if theirs is None or theirs[2] != mine[2]:
            continue
        straight = _shared(alignment, s, mine[1], theirs[1])
        crossed = _shared(alignment, s, mine[0], theirs[1]), _shared(alignment, s, mine[1], theirs[0])
        if not straight and all(crossed):
            yield Difference("swap", f"what stands around “{mine[2]}” has changed places", trust(alignment, s))
        return


def _compared(statement: Statement) -> tuple[set[int], set[int], str] | None:
    """Positions of the words before what compares and of the first with content behind it, and the word."""
    for n, word in enumerate(statement.words):
        if word.lower in _COMPARING and n:
            both = {other.stem for other in statement.words[:n]}
            after = [m for m in range(n + 1, len(statement.words)) if statement.words[m].stem not in {"", *both}]
            return set(range(n)), set(after[:1]), word.lower
    return None


def _roles(alignment: Alignment) -> Iterable[Difference]:
    """Who does it and to whom it is done have changed places: "the pupils taught the teachers"."""
    claim = alignment.claim
    rows = {n: row for row, n in enumerate(claim.content)}
    for n, row in rows.items():
        mine = _doer_and_done(claim, n)
        if mine is None or claim.words[n].lower in _MUTUAL:
            continue
        for s in alignment.view:
            table = alignment.likeness[s]
            for column in (table[row] >= MEETS).nonzero()[0]:
                theirs = _doer_and_done(alignment.sentences[s], int(column))
                if theirs is None:
                    continue
                doer, done = rows[mine[0]], rows[mine[1]]
                straight = table[doer, theirs[0]] + table[done, theirs[1]]
                if table[doer, theirs[1]] >= MEETS and table[done, theirs[0]] >= MEETS and not straight:
                    reason = f"who does it and to whom it is done have changed places around “{claim.words[n].text}”"
                    yield Difference("swap", reason, max(0.6, trust(alignment, s)))
                    return


def _doer_and_done(statement: Statement, n: int) -> tuple[int, int] | None:
    """Positions of the words for who does what the verb at n says and to whom, the passive turned round; None where
    it isn't plain that a verb stands there between the two."""
    words = statement.words
    before = [m for m in range(max(0, n - 3), n) if words[m].clause == words[n].clause]
    passive = any(words[m].lower in _BE for m in before)
    by = n + 1 < len(words) and words[n + 1].lower == "by"
    start = n + 2 if by else n + 1
    first = next((m for m in reversed(before) if words[m].stem and not words[m].lower.endswith("ly")), None)
    last = next((m for m in range(start, min(start + 3, len(words))) if words[m].stem), None)
    if first is None or last is None or passive != by or any(word.comma for word in words[first + 1 : last + 1]):
        return None
    between = [word.lower for word in (*words[first + 1 : n], *words[start:last]) if not word.lower.endswith("ly")]
    if any(word not in _SMALL for word in between) or words[last].clause != words[n].clause:
        return None
    # The last word of what is a compound stands for it: "the paper mill".
    while last + 1 < len(words) and words[last + 1].stem and not words[last + 1].comma and last - start < 3:
        last += 1
    return (last, first) if by else (first, last)


def _hedges(alignment: Alignment) -> Iterable[Difference]:
    claim = alignment.claim
    hedged_claim = any(level == 0 for level in claim.certainty.values()) or any(w.lower in _LOOSE for w in claim.words)
    for row, link in enumerate(alignment.links):
        if link is None:
            continue
        sentence = alignment.sentences[link[0]]
        hedge = _over(sentence, link[1], 0)
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


def _over(statement: Statement, n: int, level: int) -> int | None:
    """The position of the word of this certainty that reaches word n: before it, with at most two content
    words of the same clause between."""
    between = 0
    for position in range(n - 1, -1, -1):
        if statement.words[position].clause != statement.words[position + 1].clause:
            if statement.words[position + 1].lower != "that":
                return None
            between += 1
        if statement.certainty.get(position) == level:
            return position
        if statement.words[position].comma:
            return None
        between += bool(statement.words[position].stem)
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
        straight = _shared(alignment, s, parts[0], theirs[0]) + _shared(alignment, s, parts[1], theirs[1])
        crossed = _shared(alignment, s, parts[0], theirs[1]) + _shared(alignment, s, parts[1], theirs[0])
        if crossed > straight + 1:
            yield Difference("cause", "cause and effect change places")
        return
    if not told:
        yield Difference("cause", "the evidence gives no such cause", 0.4 * trust(alignment, alignment.view[0]))


def _cause_and_effect(statement: Statement) -> tuple[set[int], set[int]] | None:
    """Positions of the words that tell the cause and of those that tell the effect."""
    for n, word in enumerate(statement.words):
        if word.lower in ("because", "since", "due"):
            if n and statement.words[n - 1].lower == "not":
                continue
            if n > 1:
                return set(range(n + 1, len(statement.words))), set(range(n))
            comma = statement.text.find(",", word.end)
            middle = next((m for m, w in enumerate(statement.words) if w.start > comma), len(statement.words))
            return set(range(n + 1, middle)), set(range(middle, len(statement.words)))
    return None


def _shared(alignment: Alignment, s: int, mine: set[int], theirs: set[int]) -> int:
    return sum(
        bool((alignment.likeness[s][row, sorted(theirs)] >= MEETS).any())
        for row, n in enumerate(alignment.claim.content)
        if n in mine and theirs
    )
