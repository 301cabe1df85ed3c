"""Ranked evidence -> an answer in the sources' own words. Never edits a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from rag.datatypes import DraftSentence, Evidence

MOST_SENTENCES = 5
_WORTH_SAYING = 0.72


def compose(evidence: Sequence[Evidence], most: int = MOST_SENTENCES) -> list[DraftSentence]:
    """The best sentence, then those that come near to it, the best first."""
    if not evidence:
        return []
    floor = _WORTH_SAYING * evidence[0].score
    return [DraftSentence(e.text, (e,)) for e in evidence[:most] if e.score >= floor]
