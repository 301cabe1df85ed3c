"""Whether the evidence supports the sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.datatypes import Support, SupportLabel
from rag.terms import terms, words

SUPPORTED = 0.75
WEAK = 0.45
WRONG_CITATION = "wrong citation"
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NEGATIONS = frozenset("not no never none neither nor without cannot nothing nobody".split())


def check_support(sentence: str, passages: Sequence[str]) -> Support:
    """How far the passages bear the sentence out: the share of its content terms that the best of them (or
    all together) hold, cut where a number or a negation differs. A first, lexical version: it does not
    understand paraphrase.
    """
    claimed = set(terms(sentence))
    if not claimed or not any(passage.strip() for passage in passages):
        return Support("unsupported", 0.0, "nothing to compare")
    if any(_even(sentence) in _even(passage) for passage in passages):
        return Support("supported", 1.0, "word for word")
    best = max(passages, key=lambda passage: len(claimed & set(terms(passage))))
    together = set().union(*(set(terms(passage)) for passage in passages))
    score = 0.8 * len(claimed & set(terms(best))) / len(claimed) + 0.2 * len(claimed & together) / len(claimed)
    reason = ""
    missing = set(_numbers(sentence)) - set(_numbers(" ".join(passages)))
    if missing:
        score, reason = score * 0.4, f"the number {sorted(missing)[0]} isn't in the evidence"
    elif _negated(sentence) != _negated(best):
        score, reason = score * 0.6, "one denies what the other says"
    label: SupportLabel = "supported" if score >= SUPPORTED else "weak" if score >= WEAK else "unsupported"
    return Support(label, round(score, 4), reason)


def check_cited(sentence: str, cited: Sequence[str], evidence: Sequence[str]) -> Support:
    """How far the cited sentences bear a sentence out, and where they don't, whether other evidence does.

    What only the other evidence supports is at best "weak", and its reason begins with WRONG_CITATION;
    what neither supports keeps the verdict over all of it.
    """
    by_citation = check_support(sentence, cited)
    if by_citation.label == "supported":
        return by_citation
    by_all = check_support(sentence, [*cited, *evidence])
    if by_all.label == "supported":
        return Support("weak", min(by_all.score, SUPPORTED), f"{WRONG_CITATION}: other evidence says it")
    return by_citation if by_citation.score >= by_all.score else by_all


def _even(text: str) -> str:
    return " ".join(words(text))


def _numbers(text: str) -> list[str]:
    return [match.replace(",", "") for match in _NUMBER.findall(text)]


def _negated(text: str) -> bool:
    return any(word in _NEGATIONS or word.endswith("n't") for word in words(text))
