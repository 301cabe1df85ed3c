"""Whether the evidence supports the sentence.

Three steps: the claim's words are aligned with the evidence (`rag.align`); what differs is told, in numbers and dates
(`rag.facts`), names and speakers (`rag.naming`), denials (`rag.denial`) and what else words do (`rag.wording`); the
built-in model, where it is, reads both together and tells whether the one entails the other (`rag.entailment`); and a
logistic regression weighs all of it. Every feature speaks for support. Weights are fitted by `python -m evals.support`;
docs/support.md has the figures.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from corpus.manifest import built_in_people
from rag.align import Alignment, Difference, align
from rag.datatypes import Support, SupportLabel
from rag.encoder import OnnxEncoder, load_entailment
from rag.entailment import EntailmentModel, Verdict
from rag.errors import ModelUnavailable
from rag.evidence import UNTRUE, Passage, read_passage, stretches
from rag.export import export_encoder
from rag.facts import compare_values
from rag.naming import compare_names
from rag.replaced import compare_plain_words, compare_slots
from rag.settings import Settings
from rag.statements import Statement, read
from rag.terms import words
from rag.tokens import even_out
from rag.wording import compare_wording
from rag.wordvectors import WordVectors, closeness

_log = logging.getLogger(__name__)

SUPPORTED = 0.616
# Below it, a sentence is unsupported. Scores of words alone and of words read together are on different scales.
WEAK = 0.279
WEAK_IF_READ = 0.34
# A difference of at least this weight is plain. A sentence with one that is this sure is unsupported, and its score the
# last at most. By words alone, one with a less sure one is unsupported, too, unless it is supported in spite of it.
PLAIN = 0.5
SURE = 0.5
AT_MOST = 0.5
# Where all that is plain is of kinds that the rules misread oftener than the model does, a sentence that would score
# this much without it is weak.
BORNE_OUT = 0.8
_MISREAD = frozenset("negation speaker name name_slot quantifier".split())
# Evidence holds many of these that only look it: the less of the claim the sentences in view answer to together, the
# less they count, from nothing at the first share to fully at the second.
_BY_COVER = {"negation": (0.6, 0.9), "name_slot": (0.8, 1.0)}
_LONGEST = 4_000
# Who says it, before what is said: "Ann Lee: The yard burned."
_SPEAKER = re.compile(r"^(?:[Tt]he article|[A-Z][\w.'’-]*(?: [A-Z][\w.'’-]*){0,3}): ")
# Marks that say nothing by themselves, and where a cell of a table runs into the next.
_SETTING = re.compile(r"[“”\"()*_`]|[.,;:…]+(?=[\s”\"’')]|$)|(?<=\s)[–—-](?=\s)|^[•*–—-](?=\s)")
_RUN_IN = re.compile(r"(?<=[a-z])(?=[A-Z])")

# How many stretches of evidence of which no sentence shares words with the claim are read beside it.
_MOST_READ = 6
# Log odds by which what a reading says is brought into [-1, 1].
_SCALE = 4.0

LEXICAL: dict[str, float] = {
    "cover": 1.57, "together": 0.28, "anywhere": 0.0, "adjacent": 0.0, "answered": 1.12,
    "absent": 1.2, "name": 0.36, "elsewhere": 0.0, "negation": 1.65, "direction": 1.68, "hedge": 0.04,
    "quantifier": 0.79, "cause": 0.11, "plain": 3.0, "bias": -1.11,
}  # fmt: skip
READ: dict[str, float] = {
    "answered": 0.53, "elsewhere": 0.41, "negation": 0.05, "direction": 0.43, "hedge": 0.53, "cause": 0.05,
    "plain": 0.61, "whole": 0.73, "words": 0.63, "near": 0.6, "around": 1.09, "joined": 0.36,
    "uncontradicted": 0.59, "bias": -0.78,
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

# Features by name, each in [-1, 1], more of it speaking for support.
Values = dict[str, float]
# (premise, hypothesis) -> the probability that the one entails the other.
Entails = Callable[[str, str], float]


class BuiltIn(NamedTuple):
    """What is exported of the built-in model: the encoder, and the same taught to read two texts together."""

    encoder: OnnxEncoder
    entailment: EntailmentModel


class SupportChecker:
    """Checks sentences against evidence. Safe to share between threads.

    `people` are the names of each person: full name and short forms. With the built-in model, words needn't be the same
    to meet; with `entails`, its verdict counts as much as ours, save that it can't lift a plain difference.
    """

    def __init__(
        self,
        model: BuiltIn | None = None,
        people: Iterable[Sequence[str]] = (),
        entails: Entails | None = None,
    ) -> None:
        self._forms = tuple(frozenset(word for form in forms for word in words(form)) for forms in people)
        self._model = (WordVectors(model.encoder), model.entailment) if model else None
        self._entails = entails

    def check(self, sentence: str, passages: Sequence[str]) -> Support:
        """How far the passages, taken together, bear the sentence out.

        "supported": they say it; "weak": they say part of it, or say it in words too different to be sure;
        "unsupported": they don't say it, or something differs, which the reason names.
        """
        sentence = _readable(sentence)
        passages = [_readable(passage) for passage in ([passages] if isinstance(passages, str) else passages)]
        if len(sentence) > _LONGEST:
            return Support("unsupported", 0.0, f"more than {_LONGEST:,} characters aren't read as one sentence")
        texts = [passage for passage in passages if passage.strip()]
        claim = read(sentence)
        if not texts or not (claim.content or claim.quantities or claim.dates):
            return Support("unsupported", 0.0, "nothing to compare")
        if any(_holds(text, sentence) for text in texts):
            return Support("supported", 1.0, "word for word")
        alignment, differences, values = self.look(claim, texts)
        score = _sigmoid(logit(values))
        if self._entails is not None:
            score = (score + self._entails("\n".join(texts), sentence)) / 2
        worst = max(differences, key=lambda difference: difference.weight, default=None)
        least = WEAK_IF_READ if self._model is not None else SUPPORTED if values["plain"] < 0 else WEAK
        label: SupportLabel = "supported" if score >= SUPPORTED else "weak" if score >= least else "unsupported"
        if values["plain"] <= -SURE:
            misread = self._model is not None and _MISREAD.issuperset(d.kind for d in differences if d.weight >= PLAIN)
            borne_out = misread and _sigmoid(logit(values | {"plain": 0.0})) >= BORNE_OUT
            label = "weak" if borne_out else "unsupported"
            score = min(score, AT_MOST)
        return Support(label, round(score, 4), _reason(alignment, worst, label))

    def look(self, claim: Statement, texts: Sequence[str]) -> tuple[Alignment, tuple[Difference, ...], Values]:
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
        by_model: Values = {}
        if self._model is not None:
            vectors, entailment = self._model
            evidence = [vector for passage in passages for vector in vectors.passage(passage)]
            mine = vectors.sentence(claim.text, claim)
            close = closeness(mine, claim.content, alignment.weights, evidence)
            differences += compare_plain_words(alignment, mine, evidence)
            by_model = {"whole": close.whole, "words": close.words, "three": close.three, "worst": close.worst}
            by_model |= _read_together(entailment, alignment, passages)
        values = {
            "cover": float(alignment.coverage.max(initial=0.0)),
            "together": alignment.cover(alignment.view),
            "anywhere": alignment.cover(range(len(alignment.sentences))),
            "adjacent": alignment.adjacent(),
            "answered": max((alignment.answered(s) for s in alignment.view[:1]), default=0.0),
        }
        for name, kinds in _DIFFERENCES.items():
            values[name] = -max((d.weight for d in differences if d.kind in kinds), default=0.0)
        values["plain"] = -_plainness(alignment, differences)
        return alignment, tuple(differences), values | by_model


def check_support(sentence: str, passages: Sequence[str]) -> Support:
    """How far the passages bear the sentence out; see `SupportChecker.check`.

    The first call on a machine exports the built-in model to the settings' home, as building an index does: some
    twenty seconds. Where it can't be written, words alone decide. Knows the names of the built-in corpus's people.
    """
    settings = _settings()
    return _checker(settings.home, settings.nli).check(sentence, passages)


def open_checker(encoder: object, files: Path, people: Iterable[Sequence[str]], nli: str | None) -> SupportChecker:
    """A checker for one corpus. Only the built-in encoder is used, and what was taught to it, which lies among its
    `files`: the weights are fitted to both.

    Raises ModelUnavailable when the entailment model `nli` can't be had, and IndexMismatch when a file is damaged."""
    ours = BuiltIn(encoder, EntailmentModel.open(files)) if isinstance(encoder, OnnxEncoder) else None
    return SupportChecker(ours, people, load_entailment(nli) if nli else None)


def logit(values: Values) -> float:
    """The weighted sum of the features, by the weights for those that are there."""
    weights = READ if "whole" in values else LEXICAL
    return weights["bias"] + sum(weights.get(name, 0.0) * value for name, value in values.items())


def _plainness(alignment: Alignment, differences: Sequence[Difference]) -> float:
    """How sure the surest plain difference is, in [0, 1]; 0 where there is none."""
    cover = alignment.cover(alignment.view)

    def sure(kind: str) -> float:
        low, high = _BY_COVER.get(kind, (-1.0, 0.0))
        return min(max((cover - low) / (high - low), 0.0), 1.0)

    return max((sure(d.kind) for d in differences if d.weight >= PLAIN), default=0.0)


def _read_together(model: EntailmentModel, alignment: Alignment, passages: Sequence[Passage]) -> Values:
    """What the model makes of the claim beside the evidence: beside each sentence in view alone (`near`), beside each
    stretch around one (`around`), and beside all sentences in view in their order (`joined`); the best counts.
    `uncontradicted` is how little the one that entails it most contradicts it."""
    places = [(passage, n) for passage in passages for n in range(len(passage.statements))]
    around = [(passage, a, b) for passage in passages for a, b in stretches(passage)]
    near, joined = list[str](), list[str]()
    if view := sorted(alignment.view):
        seen = [places[s] for s in view]
        around = [one for one in around if any(one[0] is p and one[1] <= n < one[2] for p, n in seen)]
        near = [passage.told(n, n + 1) for passage, n in seen]
        joined = [" ".join(near)]
    read = [passage.told(a, b) for passage, a, b in around[:_MOST_READ]]
    if not view:
        near = joined = read
    groups = {"near": near, "around": read, "joined": joined}
    values: Values = {}
    contradicts = -math.inf
    for name, texts in groups.items():
        best = max(model.judge(texts, alignment.claim.text), default=Verdict(-_SCALE, -_SCALE))
        values[name] = math.tanh(best.entails / _SCALE)
        contradicts = max(contradicts, -best.contradicts)
    return values | {"uncontradicted": math.tanh(contradicts / _SCALE)}


@lru_cache(maxsize=1)
def _settings() -> Settings:
    return Settings.read()


@lru_cache(maxsize=2)
def _checker(home: Path, nli: str | None) -> SupportChecker:
    people = [person.forms for person in built_in_people()]
    try:
        files = export_encoder(home)
    except ModelUnavailable as error:
        _log.warning("sentences are compared by their words alone: %s", error)
        return SupportChecker(None, people, load_entailment(nli) if nli else None)
    return open_checker(OnnxEncoder.open(files), files, people, nli)


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def _reason(alignment: Alignment, worst: Difference | None, label: SupportLabel) -> str:
    if label == "supported":
        return ""
    if worst is not None:
        return worst.reason
    if missing := alignment.missing():
        return f"the evidence doesn't speak of “{missing[0]}”"
    return (
        "the evidence says it in other words" if label == "weak" else "the evidence has its words, but doesn't say it"
    )


def _readable(text: str) -> str:
    """A text without halves of characters, which no encoder takes."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _holds(text: str, sentence: str) -> bool:
    """Whether a text has these sentences, word for word and one after the other, whoever says them."""
    told = [_even(_SPEAKER.sub("", one.text)) for one in read_passage(text).statements if not UNTRUE.match(one.text)]
    wanted = [_even(one.text) for one in read_passage(sentence).statements]
    return any(told[n : n + len(wanted)] == wanted for n in range(len(told) - len(wanted) + 1))


def _even(text: str) -> str:
    """A text with its words and signs, without what only sets it: quotation marks, the ends of sentences and parts.
    The cells of a table's row run into each other in some sources."""
    parted = _RUN_IN.sub(" ", even_out(text))
    return " ".join(_SETTING.sub(" ", parted).replace("'", "").casefold().split())
