"""What of an answered question its answer leaves open, in words: names that stand nowhere, people and deeds that
nothing said is about, numbers that are others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from corpus import Corpus
from corpus.people import Person
from rag.asked import OFFICES, names_asked, without_speaker, yes_or_no
from rag.datatypes import DraftSentence, Evidence, Query
from rag.quantities import Quantity, find_dates, find_quantities, same_amount
from rag.terms import is_frame, term_set, terms

# Below this a word of the question is like none of a sentence, token by token.
ALIKE = 0.45
# "5 to 20", "5-25": so many characters lie between the ends of a range.
_RANGE = 4
# Verbs that are put in many ways: "go to" is "join" or "move to".
_LIGHT = frozenset("go get come take give make put keep become turn try start end begin bring use".split())
_HE = re.compile(r"\b(?:he|she)\b", re.I)
_HIM = re.compile(r"\b(?:he|him|his|she|her)\b", re.I)
_ME = re.compile(r"\b(?:I|[Mm]y|me|[Ww]e|[Oo]ur)\b")
# "Did she invent it?", "was she hired by them?": what is asked to have happened, right after who did it.
_NAMES = r"(?:he|she|they|it|(?:the )?(?-i:[A-Z])[\w’'-]+(?: (?-i:[A-Z])[\w’'-]+)*)"
_DID = re.compile(
    rf"^\W*(?:(?:and|but|so|why|when|how) )*(?:(?:did|(?<=why )does|has|have|had) {_NAMES}"
    r"(?: (?:ever|really|actually|already|also|once))? "
    rf"|(?:was|were) {_NAMES}(?: (?:ever|really|actually))? (?=\w+ed\b)"
    rf"|is it (?:true|correct|right|so) that {_NAMES} (?:was|were|has been|had been) (?=\w+ed\b))(?P<verb>[a-z]+)\b",
    re.I,
)


def missing(corpus: Corpus, query: Query, absent: Sequence[str], draft: Sequence[DraftSentence]) -> list[str]:
    """What of an answered question the sources have nothing on, a sentence each: names that are `absent` from
    them, people who are to be compared but neither speak nor are named in what is said, and what a question whether
    something is so names that isn't said."""
    gaps = [f"The sources nowhere mention “{name}”." for name in dict.fromkeys(absent)]
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
    unnamed = unnamed or _not_their_view(corpus, query, said)
    if not what and not unnamed and not query.sections:
        what = (_not_with_them(corpus, people, query, said) if asks else []) or _not_done(query, said)
    what = [word for word in what if word not in absent]
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


def _not_their_view(corpus: Corpus, query: Query, said: Sequence[Evidence]) -> list[str]:
    """The one person whose view is asked for, if nothing said is theirs, names them, or stands in a text of theirs."""
    meant = [person for person in corpus.people if (person.name,) == query.holders]
    if not meant or query.sections or not said:
        return []
    (person,) = meant
    main = corpus.main.id if corpus.main else None
    near = any(
        e.speaks_of(person) or e.passage.source_id == main or any(form in e.passage.text for form in person.forms)
        for e in said
    )
    return [] if near else [person.name]


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
    names = [name for name in names_asked(query.asked) if not own.intersection(terms(name)) and name not in OFFICES]
    return [name for name in names if not any(set(terms(name)) & term_set(text) for text in about)]


def _not_done(query: Query, said: Sequence[Evidence]) -> list[str]:
    """The verb of "did she invent it?" if no sentence has it or a word like it."""
    hit = _DID.match(query.asked)
    if (
        hit is None
        or is_frame(hit["verb"])
        or hit["verb"].lower() in _LIGHT
        or query.holders
        or told(query, hit["verb"], said)
    ):
        return []
    return [hit["verb"]]


def told(query: Query, word: str, evidence: Sequence[Evidence]) -> bool:
    """Whether one of the sentences has a word of the question or one like it; so, too, where that can't be told."""
    wanted = set(terms(word))
    columns = np.array([bool(wanted.intersection(terms(own))) for own in query.token_words])
    if not columns.any() or any(wanted.intersection(term_set(e.text)) for e in evidence):
        return True
    # What another part of the turn found, or no search at all, was never compared with this question.
    seen = [e for e in evidence if e.passage.row in query.looked_at]
    rows = (query.looked_at[e.passage.row][0][e.position - e.passage.sentences[0]] for e in seen)
    return not seen or any(float(row[columns].mean()) >= ALIKE for row in rows)


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
