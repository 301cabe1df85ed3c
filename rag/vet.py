"""A sentence that a language model wrote -> one that may be said, with the evidence it rests on, or one withheld.

Nothing is said without evidence. What a sentence cites is compared first; where that doesn't bear it out, it may
rest on other evidence that was given, if that supports it by itself. What could do harm wherever it is shown (a
link, a key, the prompt) isn't repeated among the withheld either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sentencex import get_sentence_boundaries

from corpus.document import split_sentences
from rag.copied import alteration, breaks_off
from rag.datatypes import AnswerSentence, DraftSentence, Evidence, Support
from rag.marks import Marked
from rag.terms import spoken, term_set, terms, words

Check = Callable[[str, Sequence[str]], Support]

_DOUBLE = '“”„‟«»"'
_QUOTATION = re.compile(
    rf"[{_DOUBLE}](?P<double>[^{_DOUBLE}]+)[{_DOUBLE}]"
    r"|(?<!\w)[‘‚']{1,2}(?=\S)(?P<single>[^\n]+?)(?<=\S)[’‘']{1,2}(?!\w)"
)
_QUOTATION_MARK = re.compile(f"[{_DOUBLE}]")
_OPENED, _CLOSED = "\x02", "\x03"  # around what is quoted, until the other marks are gone
_WORSE = {"unsupported": 0, "weak": 1, "supported": 2}
_LINK = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,11}://|\bwww\.|\b(?:mailto|javascript|data|tel):\S|\]\(|</?[a-z!]|\S@\w+\.\w|"
    r"\b[\w-]+\.(?:[a-z]{2,6}/|(?:com|org|net|io|ai|dev|app|edu|gov|info|biz|xyz|co|me|ru|cn|uk|de|example|test)\b)",
    re.IGNORECASE,
)
_CODE = re.compile(r"(?=\S*\d)[\w+/=.-]{24,}|[\w+/=]{40,}")
_ANYBODY = frozenset("he she him his her they them their i we my our".split())
_TAKES_BACK = frozenset(
    """wrong wrongly false falsely untrue deny denies denied doubt doubts doubted dispute disputes disputed refute
    refutes refuted reject rejects rejected unlikely myth nonsense joke joking lie pretend""".split()
)
_TURNS = _TAKES_BACK | frozenset(
    "not no never nor none nobody nothing neither hardly without if unless whether may might could would".split()
)
_CLOSING = " \"”’')"
# What models put before what they say: where a line of evidence is from, and that an answer comes.
_PLACE = re.compile(r"^(?:[^():]{0,60} )?\((?:[^()]|\([^()]*\))*\bsource(?:\)(?::|$)|:)\s*", re.IGNORECASE)
_PLACE_WITHIN = re.compile(r"\s*\([^()]*, \w+ source\)", re.IGNORECASE)
# "(Lee et al., 2024)", which models make up out of habit; evidence is cited by keys.
_REFERENCE = re.compile(r"\s*\(([A-Z][^()\d]{0,60}(?:,| et al\.?) (?:19|20)\d\d[a-z]?)\)")
_LEAD = re.compile(
    r"^(?:(?:the |this |my )?(?:best |short )?(?:answer|evidence|key|source|response)(?: source)?"
    r"(?: (?:to|for|in|that answers) (?:the |this |that |your )?(?:question|answer|evidence|brackets))?"
    r"(?: is| are)?\s*(?::|$)"
    r"|the (?:answer|evidence)(?: to (?:the|this|your) question)? (?:is|says|shows|states) that\b)\s*",
    re.IGNORECASE,
)
# What tells of a text instead of saying what it says, such as "The article concludes with a quote".
_OF_TEXT = re.compile(
    r"^(?:the|this) (article|evidence|text|passage|document|author)s?\b(?! (?:also |further |only )?(?:says?|said|"
    r"states?|notes?|reports?|argues?|calls?|holds?|finds?|puts?|adds?|points?|gives?|counts?)\b)",
    re.IGNORECASE,
)
LABEL, ASKS, BREAKS_OFF = "it is a label of the evidence", "it asks instead of answering", "it breaks off"
NO_CLAIM = frozenset((LABEL, ASKS, BREAKS_OFF))
# Looking through all evidence for what a sentence didn't cite finds likenesses by chance, so more is asked of them.
_UNCITED = 0.85
# What shares little more than its subject with the evidence, or nothing, may be anything, and a model that obeys a
# stranger says it.
_WEAKEST = 0.33
_BETTER = 0.05  # by as much more together, what else says it is cited too
_SCRAP = 4
_SAME_AS_PROMPT = 6
_SAME_TWICE = 5
# So many words and more, said twice in a row, are a slip: "the phrase that the phrase that".
_STUTTER = 3
_SECRET_PART = 8


@dataclass(frozen=True)
class Vetting:
    """What sentences are compared with: the evidence by key, the check, the question, and what must never be shown;
    `labels` stand before evidence in the prompt, in small letters."""

    given: Mapping[str, Evidence]
    check: Check
    prompt: str = ""
    secret: str = ""
    question: str = ""
    labels: frozenset[str] = frozenset()

    def vet(self, marked: Marked) -> DraftSentence | AnswerSentence:
        """A sentence that may be said, or one that is withheld with the reason in its support."""
        if harm := self._harm(marked.text):
            return _not_shown(harm)
        vetted = self._vetted(marked)
        # What is taken out of a sentence may leave a link behind: "evil(Lee, 2024).com".
        harm = self._harm(vetted.text)
        return _not_shown(harm) if harm else vetted

    def _vetted(self, marked: Marked) -> DraftSentence | AnswerSentence:
        bare = _without_labels(marked.text, self.voices)
        if reason := self._no_answer(bare, marked):
            return _withheld(bare or marked.text, reason)
        text, quoted = self._quotations(self._without_references(bare), marked.keys)
        cited = list(dict.fromkeys([*(self.given[key] for key in marked.keys), *quoted]))
        support, bearing = self._borne_out(text, cited)
        if bearing and (altered := self._altered(text, bearing)):
            return _withheld(text, altered)
        if support.label == "supported" or (
            support.label == "weak" and support.score >= _WEAKEST and _shares_a_word(text, bearing)
        ):
            return DraftSentence(text, bearing, marked.form, support)
        return _withheld(text, support.reason or "the evidence doesn't bear it out")

    @cached_property
    def voices(self) -> frozenset[str]:
        """Who is heard in the evidence, or what text, in small letters."""
        return self.labels.union(e.sentence.voice.lower() for e in self.given.values())

    def _no_answer(self, bare: str, marked: Marked) -> str:
        """Why a text without its labels can't be said whatever the evidence is, or an empty string."""
        if not words(bare) or bare.lower() in self.voices or (marked.form == "prose" and bare.endswith(":")):
            return LABEL
        if not marked.whole or breaks_off(bare):
            return BREAKS_OFF
        texts = [e.text for e in self.given.values()]
        if bare.rstrip(_CLOSING).endswith("?") and not any(_holds(text, bare) for text in texts):
            return ASKS
        if any(_torn(bare, text) for text in texts) and not any(_whole_part(bare, text) for text in texts):
            return "it is torn out of a sentence that says something else"
        if (of := _OF_TEXT.match(bare)) and not any(_holds(text, of[1]) or _begins_as(bare, text) for text in texts):
            return "it tells of a text instead of saying what it says"
        if _repeats_itself(bare) and not any(_holds(text, bare) for text in texts):
            return "it repeats itself"
        return ""

    def _altered(self, text: str, bearing: Sequence[Evidence]) -> str:
        """What a sentence does wrong with the words of each of its evidence, or an empty string."""
        known = " ".join(
            [self.question, *(f"{said(e)} {e.passage.section} {e.passage.section_title}" for e in bearing)]
        )
        found = [alteration(text, e.text, known) for e in bearing]
        return found[0] if all(found) else ""

    def _borne_out(self, text: str, cited: Sequence[Evidence]) -> tuple[Support, tuple[Evidence, ...]]:
        """How far the evidence bears a sentence out, what it cites before the rest, and which of it does."""
        support, bearing = self._cited(text, cited)
        if support.label == "supported" and support.score >= _UNCITED:
            return support, bearing
        others = [(self._checked(text, [e]), e) for e in self.given.values() if e not in cited]
        if not others:
            return support, bearing
        by_other, other = max(others, key=lambda pair: pair[0].score)
        if by_other.label == "supported" and by_other.score >= max(_UNCITED, support.score):
            return by_other, (other,)
        if support.label == "supported" and "row" not in {e.sentence.kind for e in (*bearing, other)}:
            together = self._checked(text, (*bearing, other))
            if together.label == "supported" and together.score > support.score + _BETTER:
                return together, (*bearing, other)
        if support.label == "supported":
            return support, bearing
        if support.label == "weak" and by_other.score > support.score:
            return Support("unsupported", support.score, support.reason or "what it cites is not what says it"), ()
        if support.label == "weak":
            # "Founded in 1954" of a works that employed 200 in 1954, where something else tells when it was founded.
            by_all = self._checked(text, tuple(self.given.values()))
            support = by_all if by_all.label == "unsupported" else support
        return support, bearing

    def _cited(self, text: str, cited: Sequence[Evidence]) -> tuple[Support, tuple[Evidence, ...]]:
        """How far the cited evidence bears a sentence out, and which of it does."""
        if not cited:
            return Support("unsupported", 0.0, "it cites nothing, and no evidence says it"), ()
        alone = {e: self._checked(text, [e]) for e in cited}
        best = max(alone.values(), key=lambda support: support.score)
        if best.label == "supported" or len(cited) == 1 or any(e.sentence.kind == "row" for e in cited):
            # Each row of a table speaks for itself: the claim of one and the verdict of another make a third.
            return best, tuple(e for e in cited if alone[e].label == best.label)
        return self._checked(text, cited), tuple(cited)

    def _checked(self, text: str, evidence: Sequence[Evidence]) -> Support:
        """How far evidence bears out a text, and of several sentences that were taken for one the worst: among the
        words of a long true one, "They are gone." would hardly count. Nor may it hang on who says it, if the text
        doesn't speak of him."""
        told = [[said(e) for e in evidence]]
        if not _speaks_of(text, [e.sentence.voice for e in evidence]):
            told.append([e.text for e in evidence])
        parts = [text[a:b] for a, b in split_sentences(text, 0, len(text))]
        claims = [text, *(parts if len(parts) > 1 else ())]
        found = [self.check(claim, texts) for texts in told for claim in claims]
        return min(found, key=lambda support: (_WORSE[support.label], support.score))

    def _quotations(self, text: str, keys: Sequence[str]) -> tuple[str, list[Evidence]]:
        """The sentence with quotation marks only around what stands word for word in the evidence, and where
        a quotation stands that none of the cited evidence holds."""
        cited = [self.given[key] for key in keys]
        found: list[Evidence] = []

        def check(quotation: re.Match[str]) -> str:
            quote = quotation["double"] or quotation["single"]
            holders = [e for e in (*cited, *self.given.values()) if _holds(e.text, quote)]
            if not holders:
                return quote
            if holders[0] not in cited:
                found.append(holders[0])
            return f"{_OPENED}{quote}{_CLOSED}"

        kept = _QUOTATION_MARK.sub("", _QUOTATION.sub(check, text))
        return kept.replace(_OPENED, "“").replace(_CLOSED, "”"), found

    def _without_references(self, text: str) -> str:
        texts = [e.text for e in self.given.values()]
        return _REFERENCE.sub(lambda found: found[0] if any(_holds(t, found[1]) for t in texts) else "", text)

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


def _shares_a_word(text: str, evidence: Sequence[Evidence]) -> bool:
    """Whether a text has a word with content from what bears it out."""
    own = set(terms(text))
    return any(own & term_set(said(e)) for e in evidence)


def said(e: Evidence) -> str:
    """Evidence as the check reads it: who says it, and what is said."""
    return f"{e.sentence.voice}: {e.text}" if e.sentence.voice else e.text


def _speaks_of(text: str, voices: Sequence[str]) -> bool:
    """Whether a text names one of those who are heard, or says "he"."""
    return not (_ANYBODY.isdisjoint(words(text)) and term_set(" ".join(voices)).isdisjoint(terms(text)))


def _without_labels(text: str, voices: Collection[str]) -> str:
    """A sentence without what stands before evidence in a prompt and without words that only announce an answer: who
    says it and where is told by the evidence it rests on, not by a label that a model put there."""
    bare, before = text, ""
    while bare != before:
        before = bare
        bare = _LEAD.sub("", _PLACE.sub("", bare))
        head, colon, rest = bare.partition(": ")
        if colon and (head.lower() in voices or head.lower().removeprefix("the ") in voices):
            bare = rest
    bare = _PLACE_WITHIN.sub("", bare)
    return bare[:1].upper() + bare[1:] if bare != text else text


def _torn(text: str, sentence: str) -> bool:
    """Whether a text repeats a part of a sentence and leaves out what denies or doubts it, or is a mere scrap."""
    part, whole = words(text), words(sentence)
    for n in range(len(whole) - len(part) + 1):
        if len(part) < len(whole) and whole[n : n + len(part)] == part:
            left_out = {*whole[:n], *whole[n + len(part) :]}
            return len(part) < _SCRAP or bool(left_out & _TURNS) or any(word.endswith("n't") for word in left_out)
    return False


def _whole_part(text: str, evidence: str) -> bool:
    """Whether a text is whole sentences of a longer quotation that doesn't take back what it says."""
    if len(words(text)) < _SCRAP or _TAKES_BACK & set(words(evidence)) - set(words(text)):
        return False
    evidence = evidence.strip('“”"')  # within quotation marks no sentence is told from the next
    ends = [b["end_index"] for b in get_sentence_boundaries("en", evidence)]
    starts = [0, *ends]
    return any(words(evidence[a:b]) == words(text) for n, a in enumerate(starts[:-1]) for b in ends[n:])


def _begins_as(text: str, evidence: str) -> bool:
    return words(text)[:_SCRAP] == words(evidence)[:_SCRAP]


def _repeats_itself(text: str) -> bool:
    said = words(text)
    runs = [tuple(said[n : n + _SAME_TWICE]) for n in range(len(said) - _SAME_TWICE + 1)]
    stutters = any(
        said[n : n + size] == said[n + size : n + 2 * size]
        for size in range(_STUTTER, _SAME_TWICE)
        for n in range(len(said) - 2 * size + 1)
    )
    return stutters or len(set(runs)) < len(runs)


def _holds(text: str, quote: str) -> bool:
    return spoken(quote) in spoken(text)


def _not_shown(harm: str) -> AnswerSentence:
    return _withheld(f"(not shown: {harm})", harm)


def _withheld(text: str, reason: str) -> AnswerSentence:
    return AnswerSentence(text, support=Support("unsupported", 0.0, reason))
