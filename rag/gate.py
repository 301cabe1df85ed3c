"""The first gate: whether the sources answer this question at all.

A logistic regression over features that can be named, so that a refusal can say why. Fitted on the questions
set aside for tuning and on questions about anything else (`python -m evals.fit`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.asked import asks_who, defined, demanded, full_names_asked, names_asked, names_topic, spoken_of, yes_or_no
from rag.datatypes import REFUSAL, Evidence, Query, Scope
from rag.gaps import ALIKE, told
from rag.index import PassageIndex
from rag.intent import without_summary
from rag.terms import OF_TEXTS, content_terms, term_set, terms, words

THRESHOLD = 0.57
INTERCEPT = -2.06
WEIGHTS: dict[str, float] = {
    "tokens": 3.54,
    "absent_terms": -1.85,
    "absent_names": -0.96,
    "absent_numbers": -1.59,
    "content_words": 0.42,
    "reason": 0.82,
    "summary": 2.11,
}

# Not fitted: few questions name a section and a topic of it.
_STANDS_THERE = 0.5
# Nor these: how far below the best (in logits) a sentence may lie that holds what is demanded, and the logit without.
_NEAR, _NEAR_WHO, _LACKING = 1.0, 2.0, -0.5
# A name that stands in more of the passages is often left out where it is spoken of.
_COMMON = 0.15
# Words of a topic that may stand in one sentence by chance are at least so many more.
_SHORT = 3
# In a question of so few words, one counts that is less like any word of the best evidence, token by token.
_FEW, _STRANGE = 4, 0.3
# The best evidence.
_BEST = 5
# A name is looked for in so many of the passages that hold one of its words.
_LOOKED_AT = 100
# In a text of fewer passages many plain words are missing.
_LARGE = 50
_UNIT = re.compile(r"\bhow (?:many|much) [\w-]+", re.I)
_PRONOUN = re.compile(r"\b(?:it|its|he|him|his|she|her|they|them|their)\b", re.I)
# "GPT-5", "ARC-AGI"; but not "Meta-SSI".
_HYPHENED = re.compile(r"(?<![\w-])(?:[A-Z][A-Za-z]+-\d[\d.]*\w?|[A-Z]{2,}-[A-Z]{2,})(?![\w-])")
_PERSONS = frozenset("he she".split())
_THINGS = frozenset("it this that they them these those one so".split())
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether to answer: a probability in [0, 1], and the words of the question that the scope lacks."""

    confidence: float
    absent: tuple[str, ...]

    @property
    def answerable(self) -> bool:
        """Whether the sources are thought to answer."""
        return self.confidence >= THRESHOLD


def refusal(verdict: Verdict) -> str:
    """One plain sentence, saying why where it is known."""
    if not verdict.absent:
        return f"{REFUSAL}."
    names = " and ".join(f"“{name}”" for name in dict.fromkeys(verdict.absent[:2]))
    return f"{REFUSAL}: they nowhere mention {names}."


def judge(index: PassageIndex, question: str, query: Query, evidence: Sequence[Evidence], scope: Scope) -> Verdict:
    """The verdict on a question as it was asked; `query` is its standalone form. What lies outside the scope
    counts as absent."""
    if not evidence:
        return Verdict(0.0, ())
    values = features(index, question, query, evidence, scope)
    named = bool(query.sections) and not values["absent_terms"]
    if query.intent == "summary" and (named or not query.terms):  # "summarise", "chapter 2 in short": it is there
        return Verdict(1.0, ())
    logit = INTERCEPT + sum(WEIGHTS[name] * value for name, value in values.items())
    if _stands_there(index, query):
        logit = max(logit, _STANDS_THERE)
    if _lacks_what_is_demanded(index, query, evidence):
        logit = min(logit, _LACKING)
    inside = index.rows(scope)
    absent = [name for name in dict.fromkeys(names_asked(question)) if _missing(index, name, inside)]
    if not absent and _is_of_another(query, evidence, unknown := _unknown(index, question, inside)):
        logit, absent = min(logit, _LACKING), unknown
    known = {name.lower() for name in absent}
    if strange := _strange_words(index, query, evidence, _STRANGE):
        logit = min(logit, _LACKING)
    elif yes_or_no(query.asked):
        strange = _strange_words(index, query, evidence, ALIKE)
    absent += [word for word in strange if word not in known]
    topic, by_word = spoken_of(query.asked) or ("", False)
    if by_word and topic.isalpha() and _missing(index, topic, inside):
        logit, absent = min(logit, _LACKING), [*absent, topic]
    elif not absent and _is_looked_for(topic, defined(query.asked), evidence):
        logit = max(logit, _STANDS_THERE)
    # A question may be nothing but hundreds of absent names.
    return Verdict(1 / (1 + math.exp(-max(logit, -500.0))), tuple(dict.fromkeys(absent)))


def _stands_there(index: PassageIndex, query: Query) -> bool:
    """Whether all that is asked about stands in the sections named: "what does chapter 8 say about beauty?"."""
    rows = index.rows_in(query.sections)
    topic = [term for term in query.terms if term not in query.place_terms]
    return bool(rows and topic) and all(rows.intersection(index.passages_with(term).tolist()) for term in topic)


def _strange_words(index: PassageIndex, query: Query, evidence: Sequence[Evidence], below: float) -> list[str]:
    """The words of a short question that stand nowhere in the sources and are less like anything in the best evidence
    than `below`. In a small text many are missing, and so is a single one: there, and of one word alone, they count
    where a yes-or-no question about somebody leans on the conversation and has no other: "is he married?"."""
    own = set(content_terms(without_summary(query.asked))) - OF_TEXTS
    leans = query.text != query.asked and yes_or_no(query.asked) and _is_of_somebody(query.asked)
    if not own or len(own) > _FEW or not query.token_words or (not leans and (len(own) < 2 or len(index) < _LARGE)):
        return []
    best = np.stack([query.looked_at[e.passage.row][0][e.position - e.passage.sentences[0]] for e in evidence[:_BEST]])
    words = np.array(query.token_words)
    strange = []
    for word in dict.fromkeys(query.token_words):
        if len(word) > 2 and word.isalpha() and own.intersection(terms(word)) and _missing(index, word, None):
            strange += [word] if best[:, words == word].mean(axis=1).max() < below else []
    return strange if len(index) >= _LARGE or own.issubset(terms(" ".join(strange))) else []


def _is_of_somebody(question: str) -> bool:
    """Whether a question has "he" or "she", and nothing else that points back."""
    return not _PERSONS.isdisjoint(words(question)) and _THINGS.isdisjoint(words(question))


def _is_looked_for(topic: str, term: str | None, evidence: Sequence[Evidence]) -> bool:
    """Whether a sentence names all of a topic that may be spoken of, if that is short, or a term to be defined."""
    if term and any(names_topic(term, e.text) for e in evidence):
        return True
    wanted = set(content_terms(topic))
    return 0 < len(wanted) <= _SHORT and any(wanted <= term_set(e.text) for e in evidence)


def _lacks_what_is_demanded(index: PassageIndex, query: Query, evidence: Sequence[Evidence]) -> bool:
    """Whether a question such as "how many" finds no number in what is nearest to it, or none that is said of the
    name in question."""
    held = demanded(query.asked)
    if held is None:
        return False
    done = asks_who(query.asked)
    reach = _NEAR_WHO if done else _NEAR
    near = [e for e in evidence if e.score >= evidence[0].score - reach and held(e.text)]
    if done and not told(query, done, near):
        return True
    of_whom = _UNIT.sub(" ", query.asked)
    name = _rarest_name(index, of_whom)
    if not name and (of := _who_has_it(index, query, of_whom)):
        near = [e for e in near if of & {*terms(f"{e.passage.section_title} {e.passage.text}")}]
    return not any(not name or _PRONOUN.search(e.text) or name & {*terms(_with_the_one_before(index, e))} for e in near)


def _who_has_it(index: PassageIndex, query: Query, question: str) -> set[str]:
    """The term of the one name in a question that none of the corpus's people bears: a passage that lacks it is about
    another."""
    names = {name for name in names_asked(question) if not any(name in p.forms for p in index.corpus.people)}
    return set(terms(names.pop())) if len(names) == 1 and not query.people else set()


def _with_the_one_before(index: PassageIndex, e: Evidence) -> str:
    document = index.corpus.documents[e.passage.source_id]
    return document.text[document.sentences[max(0, e.position - 1)].start : e.sentence.end]


def _rarest_name(index: PassageIndex, question: str) -> set[str]:
    """The terms of the name that stands in fewest passages; none where that is what the sources are about."""
    names = {name: max(len(index.passages_with(term)) for term in terms(name)) for name in names_asked(question)}
    known = [name for name, found in names.items() if 0 < found <= _COMMON * len(index)]
    return set(terms(min(known, key=names.__getitem__))) if known else set()


def features(
    index: PassageIndex, question: str, query: Query, evidence: Sequence[Evidence], scope: Scope
) -> dict[str, float]:
    """What the verdict is made of, by name."""
    inside = index.rows(scope)
    asked, own = query.terms, content_terms(without_summary(query.asked))
    numbers = [number.replace(",", "") for number in _NUMBER.findall(question)]
    if yes_or_no(question):  # a number that is wrong gets the right one
        asked, own = (tuple(term for term in some if not term[0].isdigit()) for some in (asked, own))
        numbers = []
    # What a turn itself asks about isn't made good by the conversation that it leans on; one word is too little to say.
    absent = max(_absent(index, some, inside) for some in (asked, own if len(own) > 1 else ()))
    return {
        "tokens": max(e.tokens for e in evidence[:_BEST]),
        "absent_terms": absent,
        "absent_names": float(sum(_missing(index, name, inside) for name in names_asked(question))),
        "absent_numbers": float(sum(_missing(index, number, inside) for number in numbers)),
        "content_words": float(len(query.terms)),
        "reason": float("reason" in query.kinds),
        "summary": float(query.intent == "summary" or (query.intent == "list" and bool(query.sections))),
    }


def _absent(index: PassageIndex, asked: Sequence[str], inside: NDArray[np.bool_] | None) -> float:
    """The share of the terms' weight that no passage of the scope holds."""
    weights = index.term_weights(asked)
    strange = (term for term in weights if term not in OF_TEXTS and _missing(index, term, inside))
    absent = sum(weights[term] for term in strange)
    return absent / (sum(weights.values()) or 1.0)


def _unknown(index: PassageIndex, question: str, inside: NDArray[np.bool_] | None) -> list[str]:
    """The names of several words, or with a hyphen, in a question that the scope has nowhere."""
    unknown = [name for name in full_names_asked(question) if _is_nobody(index, name, inside)]
    return [*unknown, *(name for name in _HYPHENED.findall(question) if _is_no_version(index, name, inside))]


def _is_no_version(index: PassageIndex, name: str, inside: NDArray[np.bool_] | None) -> bool:
    """Whether no passage of the scope has a name with a hyphen, though some have its first half."""
    first, second = name.split("-")
    written = re.compile(rf"\b{re.escape(first)}[-\s]?{re.escape(second)}\b", re.IGNORECASE)
    rows = [row for term in terms(first) for row in index.passages_with(term).tolist()]
    return not any(written.search(index.passage(row).text) for row in rows if inside is None or inside[row])


def _is_of_another(query: Query, evidence: Sequence[Evidence], unknown: Sequence[str]) -> bool:
    """Whether a name of several words is unknown, or the best evidence doesn't have it."""
    return bool(unknown or (query.named and not any(query.named in term_set(e.text) for e in evidence[:_BEST])))


def _is_nobody(index: PassageIndex, name: str, inside: NDArray[np.bool_] | None) -> bool:
    """Whether no passage of the scope has a name of several words, though some have each of them, and one of them is
    nowhere a name: "thinking" and "machines" don't make a "Thinking Machines Lab"."""
    held = [index.passages_with(terms(word)[-1]).tolist() for word in name.split()]
    passages = [index.passage(row) for rows in held for row in rows[:_LOOKED_AT] if inside is None or inside[row]]
    texts = [f"{p.section}. {p.section_title}. {p.text}" for p in dict.fromkeys(passages)]
    if any(name.lower() in " ".join(text.lower().split()) for text in texts):
        return False
    return any(not re.search(rf"(?<=[\w,’'] ){re.escape(word)}\b", " ".join(texts)) for word in name.split())


def _missing(index: PassageIndex, word: str, inside: NDArray[np.bool_] | None) -> bool:
    """Whether no passage of the scope holds any part of a word."""
    for term in {*terms(word), word}:
        rows = index.passages_with(term)
        if len(rows) and (inside is None or bool(inside[rows].any())):
            return False
    return True
