"""A sentence that a language model wrote -> one that may be said, with the evidence it rests on, or one withheld.

Nothing is said without evidence. What a sentence cites is compared first; where that doesn't bear it out, it may
rest on other evidence that was given, if that supports it by itself. What could do harm wherever it is shown (a
link, a key, the prompt) isn't repeated among the withheld either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from rag.datatypes import AnswerSentence, DraftSentence, Evidence, Support
from rag.marks import Marked
from rag.terms import spoken, words

Check = Callable[[str, Sequence[str]], Support]

_QUOTATION = re.compile(r"“([^“”]+)”|\"([^\"]+)\"")
_LINK = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,11}://|\bwww\.|\b(?:mailto|javascript|data|tel):\S|\]\(|</?[a-z!]|\S@\w+\.\w|"
    r"\b[\w-]+\.(?:[a-z]{2,6}/|(?:com|org|net|io|ai|dev|app|edu|gov|info|biz|xyz|co|me|ru|cn|uk|de|example|test)\b)",
    re.IGNORECASE,
)
_CODE = re.compile(r"(?=\S*\d)[\w+/=.-]{24,}|[\w+/=]{40,}")
_TURNS = frozenset(
    """not no never nor none nobody nothing neither hardly without if unless whether may might could
    would wrong wrongly false falsely deny denies denied
    doubt doubts doubted dispute disputes disputed refute refutes refuted reject rejects rejected unlikely
    myth""".split()
)
_CLOSING = " \"”’')"
_LABELS = frozenset(("answer", "the answer", "evidence", "the evidence", "key", "the key", "source"))
# Looking through all evidence for what a sentence didn't cite finds likenesses by chance, so more is asked of them.
_UNCITED = 0.78
# What shares little more than its subject with the evidence may be anything, and a model that obeys a stranger says it.
_WEAKEST = 0.33
_SCRAP = 4
_SAME_AS_PROMPT = 6
_SECRET_PART = 8


@dataclass(frozen=True)
class Vetting:
    """What sentences are compared with: the evidence by key, the check, and what must never be shown."""

    given: Mapping[str, Evidence]
    check: Check
    prompt: str = ""
    secret: str = ""

    def vet(self, marked: Marked) -> DraftSentence | AnswerSentence:
        """A sentence that may be said, or one that is withheld with the reason in its support."""
        voices = {e.sentence.voice.lower() for e in self.given.values()}
        marked = replace(marked, text=_without_labels(marked.text, voices))
        if harm := self._harm(marked.text):
            return _withheld(f"(not shown: {harm})", harm)
        if not marked.whole:
            return _withheld(marked.text, "it breaks off")
        if " · " in marked.text and not any(" · " in e.text for e in self.given.values()):
            return _withheld(marked.text, "it is a label of the evidence")
        if marked.text.rstrip(_CLOSING).endswith("?") and not any(
            _holds(e.text, marked.text) for e in self.given.values()
        ):
            return _withheld(marked.text, "it asks instead of answering")
        if any(_torn(marked.text, e.text) for e in self.given.values()):
            return _withheld(marked.text, "it is torn out of a sentence that says something else")
        text, quoted = self._quotations(marked)
        cited = list(dict.fromkeys([*(self.given[key] for key in marked.keys), *quoted]))
        support, bearing = self._cited(text, cited)
        if support.label == "supported":
            return DraftSentence(text, bearing, marked.form, support)
        for e in self.given.values():
            by_other = support if e in cited else self.check(text, [said(e)])
            if e not in cited and by_other.label == "supported" and by_other.score >= _UNCITED:
                return DraftSentence(text, (e,), marked.form, by_other)
        if support.label == "weak" and support.score >= _WEAKEST:
            return DraftSentence(text, bearing, marked.form, support)
        return _withheld(text, support.reason or "the evidence doesn't bear it out")

    def _cited(self, text: str, cited: Sequence[Evidence]) -> tuple[Support, tuple[Evidence, ...]]:
        """How far the cited evidence bears a sentence out, and which of it does."""
        if not cited:
            return Support("unsupported", 0.0, "it cites nothing, and no evidence says it"), ()
        alone = {e: self.check(text, [said(e)]) for e in cited}
        best = max(alone.values(), key=lambda support: support.score)
        if best.label == "supported" or len(cited) == 1:
            return best, tuple(e for e in cited if alone[e].label != "unsupported") or tuple(cited)
        return self.check(text, [said(e) for e in cited]), tuple(cited)

    def _quotations(self, marked: Marked) -> tuple[str, list[Evidence]]:
        """The sentence with quotation marks only around what stands word for word in the evidence, and where
        a quotation stands that none of the cited evidence holds."""
        cited = [self.given[key] for key in marked.keys]
        found: list[Evidence] = []

        def check(quotation: re.Match[str]) -> str:
            quote = quotation[1] or quotation[2]
            holders = [e for e in (*cited, *self.given.values()) if _holds(e.text, quote)]
            if not holders:
                return quote
            if holders[0] not in cited:
                found.append(holders[0])
            return f"“{quote}”"

        return _QUOTATION.sub(check, marked.text), found

    def _harm(self, text: str) -> str:
        if _LINK.search(text):
            return "it holds a link"
        bare = "".join(text.split())
        parts = {self.secret[n : n + _SECRET_PART] for n in range(max(0, len(self.secret) - _SECRET_PART + 1))}
        if any(part in bare for part in parts):
            return "it holds a key"
        if _CODE.search(text):
            return "it holds a long code"
        run = words(text)
        ours = spoken(self.prompt)
        if any(f" {' '.join(run[n : n + _SAME_AS_PROMPT])} " in ours for n in range(len(run) - _SAME_AS_PROMPT + 1)):
            return "it repeats its instructions"
        return ""


def said(e: Evidence) -> str:
    """Evidence as the check reads it: who says it, and what is said."""
    return f"{e.sentence.voice}: {e.text}" if e.sentence.voice else e.text


def _without_labels(text: str, voices: Collection[str]) -> str:
    """A sentence without the names and places that stand before evidence in a prompt: who says it is told by the
    evidence it rests on, not by a label that a model put there."""
    head, colon, rest = text.partition(": ")
    label = head.lower()
    while colon and rest and (label in voices or label in _LABELS or " · " in head):
        text = rest
        head, colon, rest = text.partition(": ")
        label = head.lower()
    return text


def _torn(text: str, sentence: str) -> bool:
    """Whether a text repeats a part of a sentence and leaves out what denies or doubts it, or is a mere scrap."""
    part, whole = words(text), words(sentence)
    for n in range(len(whole) - len(part) + 1):
        if len(part) < len(whole) and whole[n : n + len(part)] == part:
            left_out = {*whole[:n], *whole[n + len(part) :]}
            return len(part) < _SCRAP or bool(left_out & _TURNS) or any(word.endswith("n't") for word in left_out)
    return False


def _holds(text: str, quote: str) -> bool:
    return spoken(quote) in spoken(text)


def _withheld(text: str, reason: str) -> AnswerSentence:
    return AnswerSentence(text, support=Support("unsupported", 0.0, reason))
