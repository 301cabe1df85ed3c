"""The first gate: whether the sources answer this question at all.

A logistic regression over features that can be named, so that a refusal can say why. Fitted on the questions
set aside for tuning and on questions about anything else (`python -m evals.fit`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from corpus import Corpus
from corpus.people import Person
from rag.asked import asks_who, defined, demanded, names_topic, spoken_of, without_speaker, yes_or_no
from rag.datatypes import DraftSentence, Evidence, Query, Scope
from rag.index import PassageIndex
from rag.quantities import Quantity, find_dates, find_quantities, same_amount
from rag.terms import is_frame, is_stop, term_set, terms
from rag.understand import content_terms

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
# Below this a word of the question is like none of a sentence, token by token.
_ALIKE = 0.45
# In a text of fewer passages many plain words are missing.
_LARGE = 50
# "5 to 20", "5-25": so many characters lie between the ends of a range.
_RANGE = 4
# What a question may call the text, its parts and its people, whatever the text is.
_OF_TEXTS = frozenset(
    terms(
        """article text piece essay document interview episode podcast talk conversation source chapter section part
        page paragraph title author writer editor host guest speaker critic expert quote quotation citation summary
        overview question answer word term name example point detail line list view opinion position argument claim
        criticism story anecdote tale"""
    )
)
# A capitalised word that doesn't begin a sentence or a quotation.
_NAME = re.compile(r"(?<![.?!:“\"'] )(?<!^)(?<![“\"'])\b[A-Z][\w’'-]+")
_UNIT = re.compile(r"\bhow (?:many|much) [\w-]+", re.I)
_PRONOUN = re.compile(r"\b(?:it|its|he|him|his|she|her|they|them|their)\b", re.I)
# Verbs that are put in many ways: "go to" is "join" or "move to".
_LIGHT = frozenset("go get come take give make put keep become turn try start end begin bring use".split())
# Titles that people are asked about, spelt like names.
_OFFICES = ("CEO", "CTO", "CFO", "PhD", "Dr", "I")
_HE = re.compile(r"\b(?:he|she)\b", re.I)
_HIM = re.compile(r"\b(?:he|him|his|she|her)\b", re.I)
_ME = re.compile(r"\b(?:I|[Mm]y|me|[Ww]e|[Oo]ur)\b")
# "Did she invent it?", "was she hired by them?": what is asked to have happened, right after who did it.
_NAMES = r"(?:he|she|they|it|(?:the )?(?-i:[A-Z])[\w’'-]+(?: (?-i:[A-Z])[\w’'-]+)*)"
_DID = re.compile(
    rf"^\W*(?:(?:and|but|so|why|when|how) )*(?:(?:did|(?<=why )does|has|have|had) {_NAMES}"
    r"(?: (?:ever|really|actually|already|also|once))? "
    rf"|(?:was|were) {_NAMES}(?: (?:ever|really|actually))? (?=\w+ed\b))(?P<verb>[a-z]+)\b",
    re.I,
)
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
        return "The sources don't say."
    names = " and ".join(f"“{name}”" for name in dict.fromkeys(verdict.absent[:2]))
    return f"The sources don't say: they nowhere mention {names}."


def missing(corpus: Corpus, query: Query, verdict: Verdict, draft: Sequence[DraftSentence]) -> list[str]:
    """What of an answered question the sources have nothing on, a sentence each: names that stand nowhere, people who
    are to be compared but neither speak nor are named in what is said, and what a question whether something is so
    names that isn't said."""
    gaps = [f"The sources nowhere mention “{name}”." for name in dict.fromkeys(verdict.absent)]
    said = [e for sentence in draft for e in sentence.evidence]
    people = [person for person in corpus.people if person.name in query.people]
    unnamed, what = [], []
    asks = yes_or_no(query.asked) and not query.sections
    if query.intent == "compare" and len(people) > 1:
        unnamed = _unnamed(people, said)
    elif asks:
        others = [person for person in people if person.role not in ("guest", "host")]
        unnamed = _unnamed(others, said) or _not_of_them(corpus, query, said)
        what = _not_said(query.asked, [s.text for s in draft])
    if not what and not unnamed and not query.sections:
        what = (_not_with_them(corpus, people, query, said) if asks else []) or _not_done(query, said)
    what = [word for word in what if word not in verdict.absent]
    gaps += [f"The sources don't say this of {name}." for name in unnamed]
    return gaps + [f"The sources don't say “{word}” of this." for word in what]


def _not_of_them(corpus: Corpus, query: Query, said: Sequence[Evidence]) -> list[str]:
    """The guest or host of whom a question asks if something is so that nothing said can be about: they are neither
    named in it, nor may they be its "he" or "I"."""
    if query.holders or any(e.sentence.kind == "row" for e in said):
        return []
    meant = [person for person in corpus.people if person.name in query.people]
    if not meant and _HE.search(query.asked):
        meant = [person for person in corpus.people if person.role == "guest"]
    if len(meant) != 1 or meant[0].role not in ("guest", "host"):
        return []
    (person,) = meant
    return [] if any(_may_be_about(corpus, person, e) for e in said) else [person.name]


def _may_be_about(corpus: Corpus, person: Person, e: Evidence) -> bool:
    """Whether a sentence names somebody, there or just before it, or may mean the guest or host by "he" or "I"."""
    told, speaks = _led_up_to(corpus, e), e.sentence.voice == person.name
    meant = person.role in ("guest", "host") and (_HIM.search(e.text) or (speaks and _ME.search(e.text)))
    return bool(meant) or any(form in told for form in person.forms)


def _led_up_to(corpus: Corpus, e: Evidence) -> str:
    """A line without the name of who speaks it, after what stands before it in its paragraph: "Born in Malmö."."""
    document = corpus.documents[e.passage.source_id]
    paragraph = document.sentences[max(0, e.position - 2) : e.position + 1]
    start = next(s.start for s in paragraph if s.paragraph == e.sentence.paragraph)
    return without_speaker(document.text[start : e.sentence.end])


def _not_with_them(corpus: Corpus, people: Sequence[Person], query: Query, said: Sequence[Evidence]) -> list[str]:
    """The names in a question that no sentence has; where it is about one person, none about that person."""
    if query.holders:
        return []
    about = [e.text for e in said]
    if len(people) == 1:
        about = [_led_up_to(corpus, e) for e in said if _may_be_about(corpus, people[0], e)]
    own = {term for person in people for form in person.forms for term in terms(form)}
    names = [name for name in _names(query.asked) if not own.intersection(terms(name)) and name not in _OFFICES]
    return [name for name in names if not any(set(terms(name)) & term_set(text) for text in about)]


def _not_done(query: Query, said: Sequence[Evidence]) -> list[str]:
    """The verb of "did she invent it?" if no sentence has it or a word like it."""
    hit = _DID.match(query.asked)
    if (
        hit is None
        or is_frame(hit["verb"])
        or hit["verb"].lower() in _LIGHT
        or query.holders
        or _told(query, hit["verb"], said)
    ):
        return []
    return [hit["verb"]]


def _told(query: Query, word: str, evidence: Sequence[Evidence]) -> bool:
    """Whether one of the sentences has a word of the question or one like it; so, too, where that can't be told."""
    wanted = set(terms(word))
    columns = np.array([bool(wanted.intersection(terms(own))) for own in query.token_words])
    if not columns.any() or any(wanted.intersection(term_set(e.text)) for e in evidence):
        return True
    # What another part of the turn found, or no search at all, was never compared with this question.
    seen = [e for e in evidence if e.passage.row in query.looked_at]
    rows = (query.looked_at[e.passage.row][0][e.position - e.passage.sentences[0]] for e in seen)
    return not seen or any(float(row[columns].mean()) >= _ALIKE for row in rows)


def _unnamed(people: Sequence[Person], said: Sequence[Evidence]) -> list[str]:
    """Those who neither speak nor are named in what is said."""
    return [person.name for person in people if not any(e.speaks_of(person) for e in said)]


def _not_said(question: str, said: Sequence[str]) -> list[str]:
    """The numbers and dates of a question that none of the sentences has, if they have others."""
    dates = find_dates(question)
    told = [when for text in said for when in find_dates(text)]
    strange = [(d.start, d.end) for d in dates if told and not any(d.fits(other) for other in told)]
    found = [find_quantities(text, find_dates(text)) for text in said]
    for claimed in find_quantities(question, dates):
        if any(found) and not claimed.bound and not any(_has(claimed, one) for one in found):
            strange.append((claimed.start, claimed.end))
    return [question[start:end] for start, end in strange]


def _has(claimed: Quantity, found: Sequence[Quantity]) -> bool:
    """Whether one of the numbers is the claimed one, or two of them are the ends of a range around it."""
    if any(same_amount(claimed, other) for other in found):
        return True
    pairs = ((low, high) for low, high in pairwise(found) if high.start - low.end <= _RANGE)
    return any(low.value <= claimed.value <= high.value for low, high in pairs)


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
    absent = [name for name in dict.fromkeys(_names(question)) if _missing(index, name, inside)]
    known = {name.lower() for name in absent}
    if strange := _strange_words(index, query, evidence, _STRANGE):
        logit = min(logit, _LACKING)
    elif yes_or_no(query.asked):
        strange = _strange_words(index, query, evidence, _ALIKE)
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
    than `below`."""
    own = set(content_terms(query.asked)) - _OF_TEXTS
    if not 1 < len(own) <= _FEW or len(index) < _LARGE or not query.token_words:
        return []
    best = np.stack([query.looked_at[e.passage.row][0][e.position - e.passage.sentences[0]] for e in evidence[:5]])
    words = np.array(query.token_words)
    strange = []
    for word in dict.fromkeys(query.token_words):
        if len(word) > 2 and word.isalpha() and own.intersection(terms(word)) and _missing(index, word, None):
            strange += [word] if best[:, words == word].mean(axis=1).max() < below else []
    return strange


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
    if done and not _told(query, done, near):
        return True
    of_whom = _UNIT.sub(" ", query.asked)
    name = _rarest_name(index, of_whom)
    if not name and (of := _who_has_it(index, query, of_whom)):
        near = [e for e in near if of & {*terms(f"{e.passage.section_title} {e.passage.text}")}]
    return not any(not name or _PRONOUN.search(e.text) or name & {*terms(_with_the_one_before(index, e))} for e in near)


def _who_has_it(index: PassageIndex, query: Query, question: str) -> set[str]:
    """The term of the one name in a question that none of the corpus's people bears: a passage that lacks it is about
    another."""
    names = {name for name in _names(question) if not any(name in p.forms for p in index.corpus.people)}
    return set(terms(names.pop())) if len(names) == 1 and not query.people else set()


def _with_the_one_before(index: PassageIndex, e: Evidence) -> str:
    document = index.corpus.documents[e.passage.source_id]
    return document.text[document.sentences[max(0, e.position - 1)].start : e.sentence.end]


def _rarest_name(index: PassageIndex, question: str) -> set[str]:
    """The terms of the name that stands in fewest passages; none where that is what the sources are about."""
    names = {name: max(len(index.passages_with(term)) for term in terms(name)) for name in _names(question)}
    known = [name for name, found in names.items() if 0 < found <= _COMMON * len(index)]
    return set(terms(min(known, key=names.__getitem__))) if known else set()


def features(
    index: PassageIndex, question: str, query: Query, evidence: Sequence[Evidence], scope: Scope
) -> dict[str, float]:
    """What the verdict is made of, by name."""
    inside = index.rows(scope)
    asked, own = query.terms, content_terms(query.asked)
    numbers = [number.replace(",", "") for number in _NUMBER.findall(question)]
    if yes_or_no(question):  # a number that is wrong gets the right one
        asked, own = (tuple(term for term in some if not term[0].isdigit()) for some in (asked, own))
        numbers = []
    # What a turn itself asks about isn't made good by the conversation that it leans on; one word is too little to say.
    absent = max(_absent(index, some, inside) for some in (asked, own if len(own) > 1 else ()))
    return {
        "tokens": max(e.tokens for e in evidence[:5]),
        "absent_terms": absent,
        "absent_names": float(sum(_missing(index, name, inside) for name in _names(question))),
        "absent_numbers": float(sum(_missing(index, number, inside) for number in numbers)),
        "content_words": float(len(query.terms)),
        "reason": float("reason" in query.kinds),
        "summary": float(query.intent == "summary" or (query.intent == "list" and bool(query.sections))),
    }


def _absent(index: PassageIndex, asked: Sequence[str], inside: NDArray[np.bool_] | None) -> float:
    """The share of the terms' weight that no passage of the scope holds."""
    weights = index.term_weights(asked)
    strange = (term for term in weights if term not in _OF_TEXTS and _missing(index, term, inside))
    absent = sum(weights[term] for term in strange)
    return absent / (sum(weights.values()) or 1.0)


def _names(question: str) -> list[str]:
    return [name for name in _NAME.findall(question) if not is_stop(name.lower()) and terms(name)]


def _missing(index: PassageIndex, word: str, inside: NDArray[np.bool_] | None) -> bool:
    """Whether no passage of the scope holds any part of a word."""
    for term in {*terms(word), word}:
        rows = index.passages_with(term)
        if len(rows) and (inside is None or bool(inside[rows].any())):
            return False
    return True
