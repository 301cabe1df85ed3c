"""A plain word that took another's place: "car safety" where the evidence has "airplane safety".

Looks only at a claim that has all but one word of a sentence's, in the same order around it. Another word for the same
looks alike to the encoder where it stands ("championship", "competition"); a word for something else doesn't. What a
verb does is left alone: there are too many ways to say it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile

from rag.align import MEETS, Alignment, Difference, trust
from rag.opposites import relation_of
from rag.statements import Statement
from rag.tokens import BEFORE_VERBS, REPORTING
from rag.wordvectors import SentenceVectors

# Two words whose vectors in context have a smaller cosine mean two things. Pairs of words for one thing that were
# looked at had .44 to .72, those for two things .14 to .38.
ALIKE = 0.36
# Where all around it is the evidence's own wording, an altered copy is likelier than another word for the same: of
# pairs looked at, those for one thing had .57 and more there. A word that may be a verb, or open the sentence as a
# name does, must differ more.
ALIKE_IN_COPY = 0.5
ALIKE_IF_VERB = 0.15
_COPY = 4
_LEAST = 4
# How much more of what stands around a word is the claim's where the evidence has another one there.
FRAME = 3
_MORE = 6
# These may stand for what has a word of its own elsewhere.
_GENERAL = frozenset(
    """people person persons man men woman women animal animals thing things one ones place places company companies
    firm firms group groups team model models system systems""".split()
)
_ANYBODY = frozenset("somebody someone anybody anyone something anything".split())
_AFTER_VERBS = frozenset(
    "a an the that this these those his her its their our my it him them us me more less how what why whether".split()
)
_VERBAL = ("ed", "ing", "ly")


def compare_plain_words(
    alignment: Alignment, claim: SentenceVectors, evidence: Sequence[SentenceVectors]
) -> Iterable[Difference]:
    """The one word of the claim that the evidence lacks, where another one stands in its place. `evidence` are the
    vectors of the alignment's sentences, in order."""
    if len(alignment.claim.content) < _LEAST:
        return
    lacking = [row for row in range(len(alignment.claim.content)) if not _met(alignment, row)]
    lacking = [row for row in lacking if row not in _attribution(alignment.claim)]
    if len(lacking) != 1:
        return
    n = alignment.claim.content[lacking[0]]
    for s in alignment.view[:2]:
        m = _stand_in(alignment, s, lacking[0])
        if m is None or alignment.sentences[s].words[m].lower in _ANYBODY:
            continue
        least = _least_alike(alignment.claim, n, alignment.sentences[s], m)
        mine, theirs = alignment.claim.words[n], alignment.sentences[s].words[m]
        related = relation_of(mine.lower, theirs.lower) > 0
        if not related and float(claim.words[n] @ evidence[s].words[m]) < least:
            yield Difference("replaced", f"the evidence has “{theirs.text}” where the sentence has “{mine.text}”")
            return


def compare_slots(alignment: Alignment) -> Iterable[Difference]:
    """A word of the evidence that took another's place in the claim: "the mate left" where the evidence has "the owner
    left" and the mate elsewhere."""
    claim = alignment.claim
    for row, n in enumerate(claim.content):
        stood = [(s, int(m)) for s, table in enumerate(alignment.likeness) for m in (table[row] >= MEETS).nonzero()[0]]
        if not stood:
            continue
        least = FRAME + max(sum(_around(claim, n, alignment.sentences[s], m)) for s, m in stood)
        for s in alignment.view[:2]:
            sentence = alignment.sentences[s]
            if alignment.turned(s):
                continue
            for m in sentence.content:
                if alignment.likeness[s][row, m] == 0 and _frame(claim, n, sentence, m) >= max(least, _COPY):
                    # "In Hull, Kent" for "in Kent".
                    told_more = any(place == s and m < own <= m + _MORE for place, own in stood)
                    if told_more or not _comparable(claim, n, sentence, m) or not _holds_rest(alignment, s, row):
                        continue
                    reason = (
                        f"the evidence has “{sentence.words[m].text}” where the sentence has “{claim.words[n].text}”"
                    )
                    yield Difference("swap", reason, max(0.6, trust(alignment, s)))
                    return


def _holds_rest(alignment: Alignment, s: int, row: int) -> bool:
    """Whether a sentence has all else that the claim says in the clause of one of its words."""
    claim, table = alignment.claim, alignment.likeness[s]
    clause = claim.words[claim.content[row]].clause
    rest = [r for r, n in enumerate(claim.content) if r != row and claim.words[n].clause == clause]
    return bool((table[rest].max(axis=1) >= MEETS).all())


def _comparable(claim: Statement, n: int, sentence: Statement, m: int) -> bool:
    """Whether two words exclude each other in one place: two names, or two others neither of which is general,
    counts or tells that somebody says something."""
    mine, theirs = claim.words[n].lower, sentence.words[m].lower
    if relation_of(mine, theirs) > 0 or {mine, theirs} & (REPORTING | _GENERAL):
        return False
    values = any(q.start < sentence.words[m].end and sentence.words[m].start < q.end for q in sentence.quantities)
    return _named(claim, n) == _named(sentence, m) and not values and m not in sentence.amounts


def _frame(claim: Statement, n: int, sentence: Statement, m: int) -> int:
    """How many words before and behind a word are the same on both sides; 0 where it stands there on one side only."""
    before, after = _around(claim, n, sentence, m)
    opens = _ends(claim, n, -1) and _ends(sentence, m, -1)
    closes = _ends(claim, n, 1) and _ends(sentence, m, 1)
    return before + after if (before or opens) and (after or closes) else 0


def _ends(statement: Statement, n: int, step: int) -> bool:
    """Whether a sentence, a clause or what stands before a comma begins or ends with a word."""
    words, other = statement.words, n + step
    if not 0 <= other < len(words):
        return True
    return words[other].clause != words[n].clause or words[max(n, other)].comma


def _named(statement: Statement, n: int) -> bool:
    return any(name.first <= n <= name.last and name.likely for name in statement.names)


def _met(alignment: Alignment, row: int) -> bool:
    return any(table.size and table[row].max() >= MEETS for table in alignment.likeness)


def _stand_in(alignment: Alignment, s: int, row: int) -> int | None:
    """The position of a word of a sentence that the claim lacks, between the same words with content as the claim's
    word of this row; at either end, it has one neighbour."""
    table, columns = alignment.likeness[s], alignment.sentences[s].content
    near = [other for other in (row - 1, row + 1) if 0 <= other < len(table)]
    said = [other for other in range(len(table)) if other != row and other not in _attribution(alignment.claim)]
    if any(table[other].max(initial=0.0) < MEETS for other in said):
        return None
    for place, column in enumerate(columns):
        if table[:, column].max() >= MEETS:
            continue
        theirs = {row - 1: columns[place - 1 : place], row + 1: columns[place + 1 : place + 2]}
        if all(theirs[other] and table[other, theirs[other][0]] >= MEETS for other in near):
            return column
    return None


def _attribution(claim: Statement) -> set[int]:
    """The rows of who says it where a claim opens with that: "Ann Lee says that"."""
    says = next((n for n, word in enumerate(claim.words[:6]) if word.lower in REPORTING), None)
    who = {
        n for name in claim.names if name.sure and says and name.last < says for n in range(name.first, name.last + 1)
    }
    return {row for row, n in enumerate(claim.content) if who and (n == says or n in who)}


def _least_alike(claim: Statement, n: int, sentence: Statement, m: int) -> float:
    """The cosine that two words for one thing have at least, where they stand; -1 where nothing is to be compared."""
    plain = _plain(claim, n) and _plain(sentence, m)
    if not _copied(claim, n, sentence, m):
        return ALIKE if plain else -1.0
    if plain:
        return ALIKE_IN_COPY
    return ALIKE_IF_VERB if _common(claim, n) and _common(sentence, m) else -1.0


def _copied(claim: Statement, n: int, sentence: Statement, m: int) -> bool:
    """Whether the words around are the same on both sides: two at least, or all that the claim has there."""
    before, after = _around(claim, n, sentence, m)
    return before >= min(2, n) and after >= min(2, len(claim.words) - n - 1) and before + after >= _COPY


def _around(claim: Statement, n: int, sentence: Statement, m: int) -> tuple[int, int]:
    """How many words right before a word are the same on both sides, and how many right behind."""

    def pairs(step: int, most: int) -> Iterator[tuple[str, str]]:
        return ((claim.words[n + k * step].lower, sentence.words[m + k * step].lower) for k in range(1, most + 1))

    behind = min(len(claim.words) - n, len(sentence.words) - m) - 1
    return _run(pairs(-1, min(n, m))), _run(pairs(1, behind))


def _run(pairs: Iterable[tuple[str, str]]) -> int:
    """How many pairs at the beginning are of the same word."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _common(statement: Statement, n: int) -> bool:
    """Whether a word names nobody, reports nothing and counts nothing."""
    word = statement.words[n]
    named = any(name.first <= n <= name.last and (name.sure or name.first) for name in statement.names)
    values = [(q.start, q.end) for q in statement.quantities] + [(when.start, when.end) for when in statement.dates]
    valued = any(start < word.end and word.start < end for start, end in values)
    return not (named or valued or n in statement.amounts or n in statement.certainty or word.lower in REPORTING)


def _plain(statement: Statement, n: int) -> bool:
    """Whether a word isn't a number, and neither a name nor a verb as far as its form and its neighbours tell."""
    words = statement.words
    word = words[n]
    named = any(name.first <= n <= name.last and name.likely for name in statement.names)
    before = words[n - 1].lower if n else ""
    after = words[n + 1].lower if n + 1 < len(words) else ""
    return not (
        named
        or n in statement.amounts
        or n in statement.certainty
        or any(q.start < word.end and word.start < q.end for q in statement.quantities)
        or {word.lower, after} & REPORTING
        or word.lower.endswith(_VERBAL)
        or (before in BEFORE_VERBS and not (before == "which" and after in ("to", "is", "are", "was", "were")))
        or after in _AFTER_VERBS
    )
