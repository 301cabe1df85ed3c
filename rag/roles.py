"""Where the words of a claim stand in each other's places: who does what to whom, what is more than what, what is said
of which.

Goes by order and by small words between; knows nothing of grammar beyond them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rag.align import MEETS, Alignment, Difference, trust
from rag.opposites import relation_of
from rag.statements import Statement
from rag.tokens import BE, BEFORE_VERBS

_COMPARING = frozenset(
    """than compared versus exceed exceeds exceeded outperform outperforms outperformed surpass surpasses
    surpassed""".split()
)
# How many words before "than" may tell what is compared.
_COMPARED = 12
_AUXILIARY = BE | frozenset("will would can could may might must should has have had".split())
_SMALL = BE | frozenset("the a an his her its their our my has have had did does do".split())
# What these say of one and another, they say of the other and the one.
_MUTUAL = frozenset(
    """meet meets met marry marries married resemble resembles resembled equal equals match matches matched face faces
    faced border borders bordered join joins joined""".split()
)

# Of the claim, the sentences in view hold at least this share where words are said to have changed places.
_HELD = 0.85
# A compound has no more words than this beside its first.
_COMPOUND = 3
_ACROSS = {"from": "to", "to": "from", "with": "without", "without": "with"}

# A marker is a word of the claim that stands only once there; each with its neighbours among them, before and behind.
Neighbours = tuple[int | None, int | None]


def compare_roles(alignment: Alignment) -> Iterable[Difference]:
    """What stands in another's place although the evidence has both."""
    yield from _swaps(alignment)
    yield from _roles(alignment)
    if alignment.cover(alignment.view) >= _HELD:
        yield from _exchanges(alignment)
        yield from _across(alignment)
        yield from _subjects(alignment)


def _exchanges(alignment: Alignment) -> Iterable[Difference]:
    """Two words of the claim each of which has the other's neighbours in the evidence: "execution is cheap, ideas are
    everything" for "ideas are cheap, execution is everything"."""
    claim = alignment.claim
    if alignment.turned(alignment.view[0]):
        return
    markers = _markers(claim)
    theirs: dict[int, list[Neighbours]] = {}
    for s in alignment.view:
        found = list(_found(alignment, s, markers))
        for place, n in enumerate(found):
            around = (found[place - 1] if place else None, found[place + 1] if place + 1 < len(found) else None)
            theirs.setdefault(n, []).append(around)
    order = [n for n in markers if n in theirs]
    mine = {n: (order[k - 1] if k else None, order[k + 1] if k + 1 < len(order) else None) for k, n in enumerate(order)}
    for k, one in enumerate(order):
        for other in order[k + 1 :]:
            if _sort(claim, one) != _sort(claim, other) or _listed(claim, one, other):
                continue
            opposed = relation_of(claim.words[one].lower, claim.words[other].lower) < 0
            if not opposed and (_verbal(claim, one) or _verbal(claim, other)):
                continue
            if _beside(alignment, one, other) or _kept(mine[one], theirs[one]) or _kept(mine[other], theirs[other]):
                continue
            crossed = _kept(mine[one], theirs[other]) - {other}, _kept(mine[other], theirs[one]) - {one}
            if crossed[0] and crossed[1] and len(crossed[0] | crossed[1]) > 1:
                words = claim.words[one].text, claim.words[other].text
                reason = f"“{words[0]}” and “{words[1]}” have changed places"
                yield Difference("swap", reason, trust(alignment, alignment.view[0]))
                return


def _markers(claim: Statement) -> list[int]:
    keys = [
        word.stem or (word.lower if word.number or n in claim.amounts else "") for n, word in enumerate(claim.words)
    ]
    return [n for n, key in enumerate(keys) if key and keys.count(key) == 1]


def _found(alignment: Alignment, s: int, markers: Sequence[int]) -> Iterator[int]:
    """The claim's markers in the order in which a sentence of the evidence has them."""
    rows = {row: n for row, n in enumerate(alignment.claim.content) if n in markers}
    bare = {alignment.claim.words[n].lower: n for n in markers if not alignment.claim.words[n].stem}
    table = alignment.likeness[s]
    for column, word in enumerate(alignment.sentences[s].words):
        if word.stem:
            yield from [n for row, n in rows.items() if table[row, column] >= MEETS][:1]
        elif word.lower in bare:
            yield bare[word.lower]


def _kept(mine: Neighbours, theirs: Sequence[Neighbours]) -> set[int]:
    """The neighbours of a word in the claim that stand on the same side of one in the evidence."""
    return {
        n
        for n, other in ((m, o) for around in theirs for m, o in zip(mine, around, strict=True))
        if n == other and n is not None
    }


def _sort(claim: Statement, n: int) -> tuple[bool, bool]:
    """What may change places with what: numbers with numbers, names with names, other words with others."""
    return claim.words[n].number, any(name.first <= n <= name.last and name.likely for name in claim.names)


def _verbal(claim: Statement, n: int) -> bool:
    """Whether a word looks like a verb: there are too many ways to say what it does."""
    before = claim.words[n - 1].lower if n else ""
    return claim.words[n].lower.endswith(("ed", "ing", "ly")) or before in BEFORE_VERBS


def _beside(alignment: Alignment, one: int, other: int) -> bool:
    """Whether the evidence has two words of the claim side by side or in one compound: "baby seal" for "a seal, which
    is a baby", "resource allocation method" for "a method of allocating resources"."""
    rows = [alignment.claim.content.index(n) for n in (one, other) if n in alignment.claim.content]
    for s in alignment.view if len(rows) == 2 else ():
        words, columns = alignment.sentences[s].words, list(alignment.sentences[s].content)
        table = alignment.likeness[s][rows][:, columns] >= MEETS
        if (table[0, :-1] & table[1, 1:]).any() or (table[1, :-1] & table[0, 1:]).any():
            return True
        places = [(alignment.likeness[s][row] >= MEETS).nonzero()[0] for row in rows]
        for a, b in (sorted((int(m), int(k))) for m in places[0] for k in places[1]):
            if b - a <= _COMPOUND and all(w.stem and not w.comma for w in words[a + 1 : b + 1]):
                return True
    return False


def _listed(claim: Statement, one: int, other: int) -> bool:
    """Whether two words stand side by side in a list, where their order tells nothing."""
    between = claim.words[one + 1 : other]
    return all(word.lower in ("and", "or", "as", "well", "both") for word in between) or all(
        word.comma or not word.stem for word in (*between, claim.words[other])
    )


def _across(alignment: Alignment) -> Iterable[Difference]:
    """The claim goes from where the evidence goes to."""
    rows = {n: row for row, n in enumerate(alignment.claim.content)}
    for n, row in rows.items():
        mine = _small_before(alignment.claim, n)
        if mine not in _ACROSS:
            continue
        theirs = {
            _small_before(alignment.sentences[s], int(column))
            for s in alignment.view
            for column in (alignment.likeness[s][row] >= MEETS).nonzero()[0]
        }
        if theirs == {_ACROSS[mine]}:
            word = alignment.claim.words[n].text
            reason = f"the sentence has “{mine} {word}”, the evidence “{_ACROSS[mine]} {word}”"
            yield Difference("direction", reason, trust(alignment, alignment.view[0]))


def _small_before(statement: Statement, n: int) -> str:
    """The word before another one and its article."""
    before = [word.lower for word in statement.words[max(0, n - 2) : n]]
    if before and before[-1] in ("a", "an", "the"):
        before.pop()
    return before[-1] if before else ""


def _subjects(alignment: Alignment) -> Iterable[Difference]:
    """What the evidence says of another thing that the same sentence speaks of."""
    claim = alignment.claim
    verb = next((n for n, word in enumerate(claim.words) if word.lower in _AUXILIARY), None)
    if verb is None or claim.words[verb].clause != claim.words[0].clause:
        return
    rows = {n: row for row, n in enumerate(claim.content)}
    subject, said = [rows[n] for n in rows if n < verb], [rows[n] for n in rows if n > verb]
    if not subject or len(said) < 2:
        return
    for s in alignment.view:
        words, table = alignment.sentences[s].words, alignment.likeness[s]
        for column, word in enumerate(words):
            # A comma before it ends what was put in behind the subject.
            if word.lower != claim.words[verb].lower or word.comma:
                continue
            same = [m for m, other in enumerate(words) if other.clause == word.clause]
            before, after = [m for m in same if m < column and words[m].stem], [m for m in same if m > column]
            if not before or not after or not (table[said][:, after].max(axis=1) >= MEETS).all():
                continue
            outside = [m for m in range(len(words)) if m not in same]
            short = all(words[m].text.isupper() for m in before)
            if short or not outside or (table[subject][:, before] >= MEETS).any():
                continue
            if (table[subject][:, outside].max(axis=1) >= MEETS).all():
                reason = f"the evidence says it of “{words[before[-1]].text}”"
                yield Difference("swap", reason, max(0.6, trust(alignment, s)))
                return


def _swaps(alignment: Alignment) -> Iterable[Difference]:
    """What is compared has changed places around "than" or a verb that compares."""
    mine = _compared(alignment.claim)
    if mine is None:
        return
    for s in alignment.view:
        theirs = _compared(alignment.sentences[s])
        if theirs is None or theirs[2] != mine[2]:
            continue
        straight = shared(alignment, s, mine[1], theirs[1])
        crossed = shared(alignment, s, mine[0], theirs[1]), shared(alignment, s, mine[1], theirs[0])
        if not straight and all(crossed):
            yield Difference("swap", f"what stands around “{mine[2]}” has changed places", trust(alignment, s))
        return


def _compared(statement: Statement) -> tuple[set[int], set[int], str] | None:
    """Positions of the words before what compares and of the first with content behind it, and the word."""
    for n, word in enumerate(statement.words):
        if word.lower in _COMPARING and n:
            first = max(0, n - _COMPARED)
            both = {other.stem for other in statement.words[first:n]}
            after = [m for m in range(n + 1, len(statement.words)) if statement.words[m].stem not in {"", *both}]
            return set(range(first, n)), set(after[:1]), word.lower
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
    passive = any(words[m].lower in BE for m in before)
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


def shared(alignment: Alignment, s: int, mine: set[int], theirs: set[int]) -> int:
    """How many of the claim's words at `mine` are answered at `theirs` in a sentence of the evidence."""
    return sum(
        bool((alignment.likeness[s][row, sorted(theirs)] >= MEETS).any())
        for row, n in enumerate(alignment.claim.content)
        if n in mine and theirs
    )
