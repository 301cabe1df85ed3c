"""Whether the evidence supports the sentence.

Three steps: the claim's words are aligned with the evidence (`rag.align`); what differs is told, in numbers and dates
(`rag.facts`), names and speakers (`rag.naming`), denials (`rag.denial`) and what else words do (`rag.wording`); and a
logistic regression weighs what they share, by words and, with an encoder, by vectors. Every feature speaks for
support. A plain difference makes a sentence unsupported, however many words agree. Weights are fitted by
`python -m evals.support`; docs/support.md has the figures.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from corpus.manifest import built_in_people
from rag.align import Alignment, Difference, align
from rag.datatypes import Support, SupportLabel
from rag.encoder import OnnxEncoder, load_entailment
from rag.evidence import read_passage
from rag.export import find_export
from rag.facts import compare_values
from rag.naming import compare_names
from rag.replaced import compare_plain_words, compare_slots
from rag.settings import Settings
from rag.statements import Statement, read
from rag.terms import words
from rag.wording import compare_wording
from rag.wordvectors import Closeness, WordVectors, closeness

SUPPORTED = 0.616
# Below it, a sentence is unsupported. Words alone can't tell other words for the same from something else; vectors can.
WEAK = 0.279
WEAK_WITH_VECTORS = 0.159
# A difference of at least this weight is plain: the sentence is unsupported. Its score falls by this much in log odds,
# and to no more than this.
PLAIN = 0.5
FALL = 3.0
AT_MOST = 0.5
# Evidence holds many of these that only look it: the less of the claim the sentences in view answer to together, the
# less they count, from nothing at the first share to fully at the second.
_BY_COVER = {"negation": (0.6, 0.9), "name_slot": (0.8, 1.0)}
_LONGEST = 4_000
# Who says it, before what is said: "Ann Lee: The yard burned."
_SPEAKER = re.compile(r"^(?:[Tt]he article|[A-Z][\w.'’-]*(?: [A-Z][\w.'’-]*){0,3}): ")

# Each bias is .15 above the fitted one, and the thresholds with it, so that a sentence a word away from its evidence
# keeps the score that it had with earlier weights.
LEXICAL: dict[str, float] = {
    "cover": 1.57, "together": 0.28, "anywhere": 0.0, "adjacent": 0.0, "answered": 1.12,
    "absent": 1.2, "name": 0.36, "elsewhere": 0.0, "negation": 1.65, "direction": 1.68, "hedge": 0.04,
    "quantifier": 0.79, "cause": 0.11, "bias": -1.11,
}  # fmt: skip
WITH_VECTORS: dict[str, float] = {
    "whole": 2.02, "words": 2.31, "three": 0.33, "worst": 0.32, "adjacent": 0.13,
    "absent": 1.28, "name": 0.1, "elsewhere": 0.03, "negation": 1.54, "direction": 1.81, "hedge": 0.15,
    "quantifier": 0.74, "cause": 0.24, "bias": -2.83,
}  # fmt: skip

_DIFFERENCES = {
    "absent": ("number", "date"),
    "name": ("name",),
    "elsewhere": ("number_slot", "date_slot", "name_slot", "speaker"),
    "negation": ("negation",),
    "direction": ("direction", "swap", "replaced"),
    "hedge": ("hedge",),
    "quantifier": ("quantifier",),
    "cause": ("cause",),
}

# (premise, hypothesis) -> the probability that the one entails the other.
Entails = Callable[[str, str], float]


class SupportChecker:
    """Checks sentences against evidence. Safe to share between threads.

    `people` are the names of each person: full name and short forms. With an encoder, words needn't be the same to
    meet; with `entails`, its verdict counts as much as ours, save that it can't lift a plain difference.
    """

    def __init__(
        self,
        encoder: OnnxEncoder | None = None,
        people: Iterable[Sequence[str]] = (),
        entails: Entails | None = None,
    ) -> None:
        self._forms = tuple(frozenset(word for form in forms for word in words(form)) for forms in people)
        self._vectors = WordVectors(encoder) if encoder else None
        self._entails = entails

    def check(self, sentence: str, passages: Sequence[str]) -> Support:
        """How far the passages, taken together, bear the sentence out.

        "supported": they say it; "weak": they say part of it, or say it in words too different to be sure;
        "unsupported": they don't say it, or something differs, which the reason names.
        """
        texts = [passage for passage in passages if passage.strip()]
        claim = read(sentence[:_LONGEST])
        if not texts or not (claim.content or claim.quantities or claim.dates):
            return Support("unsupported", 0.0, "nothing to compare")
        if {_even(one.text) for one in read_passage(sentence).statements} <= {
            _even(_SPEAKER.sub("", one.text)) for text in texts for one in read_passage(text).statements
        }:
            return Support("supported", 1.0, "word for word")
        alignment, differences, values = self.look(claim, texts)
        score = _sigmoid(logit(values))
        if self._entails is not None:
            score = (score + self._entails("\n".join(texts), sentence)) / 2
        worst = max(differences, key=lambda difference: difference.weight, default=None)
        least = WEAK if self._vectors is None else WEAK_WITH_VECTORS
        label: SupportLabel = "supported" if score >= SUPPORTED else "weak" if score >= least else "unsupported"
        if (fall := find_fall(alignment, differences)) is not None:
            label, score = "unsupported", lower(score, fall)
        return Support(label, round(score, 4), _reason(alignment, worst, label))

    def look(
        self, claim: Statement, texts: Sequence[str]
    ) -> tuple[Alignment, tuple[Difference, ...], dict[str, float]]:
        """The claim aligned with the evidence, what differs, and the features that are weighed, by name: each in
        [-1, 1], more of it speaking for support."""
        passages = [read_passage(text) for text in texts]
        alignment = align(claim, passages)
        differences = [
            *compare_values(alignment),
            *compare_names(alignment, self._forms),
            *compare_wording(alignment),
            *compare_slots(alignment),
        ]
        close: Closeness | None = None
        if self._vectors is not None:
            evidence = [vector for passage in passages for vector in self._vectors.passage(passage)]
            mine = self._vectors.sentence(claim.text, claim)
            close = closeness(mine, claim.content, alignment.weights, evidence)
            differences += compare_plain_words(alignment, mine, evidence)
        values = {
            "cover": float(alignment.coverage.max(initial=0.0)),
            "together": alignment.cover(alignment.view),
            "anywhere": alignment.cover(range(len(alignment.sentences))),
            "adjacent": alignment.adjacent(),
            "answered": max((alignment.answered(s) for s in alignment.view[:1]), default=0.0),
        }
        for name, kinds in _DIFFERENCES.items():
            values[name] = -max((d.weight for d in differences if d.kind in kinds), default=0.0)
        if close is not None:
            values |= {"whole": close.whole, "words": close.words, "three": close.three, "worst": close.worst}
        return alignment, tuple(differences), values


def check_support(sentence: str, passages: Sequence[str]) -> Support:
    """How far the passages bear the sentence out; see `SupportChecker.check`.

    Compares vectors too where the built-in encoder has been exported under the settings' home (which building an
    index does); before that, words only. Knows the names of the built-in corpus's people.
    """
    settings = _settings()
    return _checker(find_export(settings.home), settings.nli).check(sentence, passages)


def open_checker(encoder: object, people: Iterable[Sequence[str]], nli: str | None) -> SupportChecker:
    """A checker for one corpus. Only the built-in encoder is used: the weights are fitted to it.

    Raises ModelUnavailable when the entailment model `nli` can't be had."""
    ours = encoder if isinstance(encoder, OnnxEncoder) else None
    return SupportChecker(ours, people, load_entailment(nli) if nli else None)


def logit(values: dict[str, float]) -> float:
    """The weighted sum of the features, by the weights for those that are there."""
    weights = WITH_VECTORS if "whole" in values else LEXICAL
    return weights["bias"] + sum(weights.get(name, 0.0) * value for name, value in values.items())


def find_fall(alignment: Alignment, differences: Sequence[Difference]) -> float | None:
    """By how much plain differences lower the score, in log odds; None where there is none."""
    cover = alignment.cover(alignment.view)

    def sure(kind: str) -> float:
        low, high = _BY_COVER.get(kind, (-1.0, 0.0))
        return min(max((cover - low) / (high - low), 0.0), 1.0)

    return max((FALL * sure(d.kind) for d in differences if d.weight >= PLAIN), default=None)


def lower(score: float, fall: float) -> float:
    """A score with its log odds lowered by `fall`, and never above AT_MOST."""
    odds = score / max(1 - score, 1e-6) * math.exp(-fall)
    return min(odds / (1 + odds), AT_MOST)


@lru_cache(maxsize=1)
def _settings() -> Settings:
    return Settings.read()


@lru_cache(maxsize=2)
def _checker(export: Path | None, nli: str | None) -> SupportChecker:
    encoder = OnnxEncoder.open(export) if export else None
    return open_checker(encoder, (person.forms for person in built_in_people()), nli)


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def _reason(alignment: Alignment, worst: Difference | None, label: SupportLabel) -> str:
    if worst is not None and (worst.weight >= PLAIN or label != "supported"):
        return worst.reason
    if label == "supported":
        return ""
    missing = alignment.missing()
    return f"the evidence doesn't speak of “{missing[0]}”" if missing else "the evidence says it in other words"


def _even(text: str) -> str:
    # Without spaces: the cells of a table's row run into each other in some sources.
    return "".join(words(text))
