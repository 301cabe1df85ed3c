"""What a sentence does to the words of the evidence that it copies.

A small model repeats a sentence with something of its own before or after it, and nearly all words agree: what it put
there must stand somewhere too. Knows nothing of meaning; that is the support check's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import Match, SequenceMatcher

from rag.terms import is_frame, terms, words
from rag.tokens import REPORTING

# So many words in runs, and this share of a sentence, are copied, not met by chance.
_RUN, _COPIED = 6, 0.4
# One word may introduce what follows ("in short"); two say something.
_MOST_PUT_TO = 1
_ONE_PERSON = (frozenset("he his him himself".split()), frozenset("she her hers herself".split()))
_NO_PERSON = frozenset("it its itself".split())
_ONLY_A_CLAIM = re.compile(
    r"\b(claim|notion|assumption|suggestion|allegation|accusation|rumou?r|myth)s? that "
    r"((?:[“\"]?[\w’'-]+[”\",]* ?){3,6})",
    re.IGNORECASE,
)
_HALF_A_CLAIM = 0.5
# What no English sentence ends with.
_GOES_ON = frozenset("a an the and or but nor of than because its their my your our whose every".split())


def alteration(text: str, evidence: str, known: str) -> str:
    """What is wrong with how a text uses the words of its evidence, or an empty string. `known` is what its own words
    may come from besides: who speaks, where, and what was asked."""
    mine, theirs = words(text), words(evidence)
    if word := _said_again(mine, theirs):
        return f"“{word}” stands more often than in the evidence"
    blocks = [b for b in SequenceMatcher(None, mine, theirs, autojunk=False).get_matching_blocks() if b.size > 1]
    if sum(b.size for b in blocks) >= max(_RUN, _COPIED * len(mine)):
        before, after = mine[: blocks[0].a], mine[blocks[-1].a + blocks[-1].size :]
        new = _new([*before, *after], f"{evidence} {known}")
        if len(new) > _MOST_PUT_TO or (after[:1] in (["and"], ["but"]) and not set(after) <= set(theirs)):
            return f"“{' '.join(new or after)}” is put to the words of the evidence"
        if name := _left_out(blocks, theirs, evidence):
            return f"it leaves “{name}” out of what it repeats"
        if word := _another_word(mine, theirs):
            return word
    for claim in _ONLY_A_CLAIM.finditer(evidence):
        said = set(terms(claim[2]))
        if terms(claim[1])[0] not in terms(text) and len(said & set(terms(text))) >= _HALF_A_CLAIM * len(said):
            return f"the evidence speaks of a {claim[1].lower()}, and doesn't say that it is so"
    return ""


def breaks_off(text: str) -> bool:
    """Whether a text ends with a word that something must follow."""
    return bool(said := words(text)) and said[-1] in _GOES_ON


def _new(put: Sequence[str], known: str) -> list[str]:
    there = set(terms(known))
    told = [word for word in put if word not in REPORTING and not is_frame(word)]
    return list(dict.fromkeys(word for word in told if terms(word) and not set(terms(word)) <= there))


def _said_again(mine: Sequence[str], theirs: Sequence[str]) -> str:
    """A word that a copy has more often than its evidence, in the place of another or besides: "the mate sued the
    mate"."""
    changes = SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes()
    if sum(b - a for kind, a, b, _, _ in changes if kind == "equal") < max(_RUN, _COPIED * len(mine)):
        return ""
    for kind, a, b, c, d in changes:
        # A pronoun may give way to what it means, and who says it may stand before it.
        if kind == "equal" or (c < d and not terms(" ".join(theirs[c:d]))) or (c == d and a == 0):
            continue
        for word in mine[a:b]:
            if terms(word) and 0 < theirs.count(word) < mine.count(word):
                return word
    return ""


def _left_out(blocks: Sequence[Match], theirs: Sequence[str], evidence: str) -> str:
    """A name within what is copied that the copy lacks, such as one of those whose spending is summed up."""
    kept = {n for block in blocks for n in range(block.b, block.b + block.size)}
    copied = {theirs[n] for n in kept}
    for n in range(blocks[0].b, blocks[-1].b + blocks[-1].size):
        word = theirs[n]
        listed = n and (theirs[n - 1] == "and" or theirs[n - 1] in copied)
        if n not in kept and word not in copied and listed and re.search(rf"(?:,|\band) {word.title()}\b", evidence):
            return word.title()
    return ""


def _another_word(mine: Sequence[str], theirs: Sequence[str]) -> str:
    """Where a copy has "its" for "his", or "she" for "he"."""
    for kind, a, b, c, d in SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes():
        if kind == "replace" and b - a == d - c == 1:
            groups = [group for group in (*_ONE_PERSON, _NO_PERSON) if mine[a] in group or theirs[c] in group]
            if len(groups) > 1:
                return f"“{mine[a]}” stands where the evidence has “{theirs[c]}”"
    return ""
