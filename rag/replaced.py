"""A plain word that took another's place: "car safety" where the evidence has "airplane safety".

Looks only at a claim that has all but one word of a sentence's, in the same order around it. Another word for the same
looks alike to the encoder where it stands ("championship", "competition"); a word for something else doesn't. What a
verb does is left alone: there are too many ways to say it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rag.align import MEETS, Alignment, Difference
from rag.opposites import relation_of
from rag.statements import Statement
from rag.tokens import REPORTING
from rag.wordvectors import SentenceVectors

# Two words whose vectors in context have a smaller cosine mean two things. Pairs of words for one thing that were
# looked at had .44 to .72, those for two things .14 to .38.
ALIKE = 0.36
_LEAST = 4
_BEFORE_VERBS = frozenset(
    """he she it they we i you who which that to not never will would can could may might should must do does did also
    still often""".split()
)
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
    if len(lacking) != 1:
        return
    n = alignment.claim.content[lacking[0]]
    for s in alignment.view[:2]:
        m = _stand_in(alignment, s, lacking[0])
        if m is None or not (_plain(alignment.claim, n) and _plain(alignment.sentences[s], m)):
            continue
        mine, theirs = alignment.claim.words[n], alignment.sentences[s].words[m]
        related = relation_of(mine.lower, theirs.lower) > 0
        if not related and float(claim.words[n] @ evidence[s].words[m]) < ALIKE:
            yield Difference("replaced", f"the evidence has “{theirs.text}” where the sentence has “{mine.text}”")
            return


def _met(alignment: Alignment, row: int) -> bool:
    return any(table.size and table[row].max() >= MEETS for table in alignment.likeness)


def _stand_in(alignment: Alignment, s: int, row: int) -> int | None:
    """The position of a word of a sentence that the claim lacks, between the same words with content as the claim's
    word of this row; at either end, it has one neighbour."""
    table, columns = alignment.likeness[s], alignment.sentences[s].content
    near = [other for other in (row - 1, row + 1) if 0 <= other < len(table)]
    if any(table[other].max(initial=0.0) < MEETS for other in range(len(table)) if other != row):
        return None
    for place, column in enumerate(columns):
        if table[:, column].max() >= MEETS:
            continue
        theirs = {row - 1: columns[place - 1 : place], row + 1: columns[place + 1 : place + 2]}
        if all(theirs[other] and table[other, theirs[other][0]] >= MEETS for other in near):
            return column
    return None


def _plain(statement: Statement, n: int) -> bool:
    """Whether a word isn't a number, and neither a name nor a verb as far as its form and its neighbours tell."""
    words = statement.words
    word = words[n]
    named = any(name.first <= n <= name.last for name in statement.names)
    before = words[n - 1].lower if n else ""
    after = words[n + 1].lower if n + 1 < len(words) else ""
    return not (
        named
        or n in statement.amounts
        or n in statement.certainty
        or any(q.start < word.end and word.start < q.end for q in statement.quantities)
        or {word.lower, after} & REPORTING
        or word.lower.endswith(_VERBAL)
        or before in _BEFORE_VERBS
        or after in _AFTER_VERBS
    )
