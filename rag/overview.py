"""Questions about the whole that name no topic: who somebody is, what somebody holds, what the critics say, what is
known to be wrong in a text, what a section says.

Ranking by likeness has nothing to go by there, so the corpus's own order answers: its people, stances, sections
and corrections. General English only; whatever else a question asks goes the usual way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from corpus import Sentence
from rag.asked import demanded, objected_to, yes_or_no
from rag.datatypes import DraftSentence, Evidence, Query, Scope
from rag.imprint import imprint
from rag.index import PassageIndex
from rag.intent import asks_for_views
from rag.summarise import summarise, worth
from rag.terms import content_terms, names_one, points_back, spoken, term_set, terms

_MOST, _MOST_INTRODUCTIONS, _MOST_CORRECTIONS, _MOST_CRITICS = 6, 3, 10, 8

# What a question about the whole may hold beside names: how views are spoken of, and what they are views of.
_TALK = frozenset(
    stem
    for stem in terms(
        """view views opinion position stance take perspective argument case objection criticism critic critique agree
        disagree disagreement push back oppose opposing opponent sceptic skeptic counter counterargument counterpoint
        dissent strongest main key biggest best most important general overall own personal response reaction right
        exactly actually wrong correct true convinced convincing attitude idea point against raise made given
        host interviewer guest interviewee author writer editor article text piece essay interview episode podcast
        document write-up source claim statement quote quotation people person expert others anyone someone everything
        list name error errors mistake mistakes correction corrections corrected errata misquote misquoted inaccurate
        wrongly falsely incorrectly misattributed attributed weak weakness weaknesses flaw shortcoming hole mistaken
        contradiction contradictions contradict inconsistency complain complaint doubt warn warning criticise criticize
        fiercest harshest sharpest toughest loudest vocal prominent find
        judge judgement judgment assess assessment evaluate evaluation conclude conclusion
        inaccuracy inaccuracies imprecise false untrue verbatim known verified check checked fact factual problem found
        accurate accuracy rating rated verdict
        editorial summary section chapter part line sentence word everyone everybody"""
    )
)
_WRONG = re.compile(
    r"\b(?:mistakes?|errors?|corrections?|corrected|errata|erratum|misquot\w+|misreport\w*|misattribut\w+|"
    r"misrepresent\w*|inaccura\w+|imprecis\w+|not (?:quite )?verbatim|(?:wrongly|falsely|incorrectly) \w+|"
    r"(?:gets?|got|gotten|is|are|was|were)\b(?: \w+){0,4} (?:wrong|false|untrue|incorrect)|"
    r"quot\w+\b.*\b(?:accurate|correct|exact|verbatim|genuine|real))\b",
    re.IGNORECASE,
)
_IN_A_TEXT = re.compile(
    r"\b(?:articles?|texts?|interview|write-?ups?|piece|essay|document|episode|podcast|author|quot\w+|claims?|statements?|"
    r"sources?|facts?|corrections?|errata|misquot\w+)\b",
    re.IGNORECASE,
)
_WHO = re.compile(
    r"^\W*(?:and |so )?(?:(?:who|what)(?: exactly)?(?:'s|’s| is| was| are| were)|(?:please )?tell me (?:more )?about)\b"
    r"(?P<name>[^,;:?]+)\W*$|^\W*who (?:interview|host)(?:s|ed)(?: (?:him|her|them|"
    r"(?:the|this) (?:guest|podcast|interview|episode|show|talk|conversation)|(?-i:[A-Z])[\w’'-]+(?: [\w’'-]+)?))?\W*$",
    re.IGNORECASE,
)
_STANDS_FOR = re.compile(
    r"^\W*what (?:does|do|is|are) (?:the (?:abbreviation|acronym|letters?|name) )?(?P<name>[^,;:?]+?) "
    r"(?:stand|short|mean|an abbreviation|an acronym)(?: for)?\W*$",
    re.IGNORECASE,
)
_OFFICE = (
    r"(?:host|guest|(?:co-)?founder|author|analyst|researcher|critic|scientist|chief|head|CEO|president|professor|"
    r"economist|historian|journalist|writer|engineer|doctor|director)"
)
_CAST = re.compile(
    r"^\W*(?:who (?:else )?(?:is|are|was|were) (?:all )?(?:the )?"
    r"(?:people|persons|experts|speakers|names|mentioned|named|quoted|speaking)|"
    r"(?:which|what) (?:people|persons|experts|speakers|names)|"
    r"(?:list|name) (?:me )?(?:all )?(?:the )?(?:people|persons|experts|speakers))\b",
    re.IGNORECASE,
)
_HE = re.compile(r"^(?:he|she)$", re.IGNORECASE)
# How people are spoken of who stand in a text.
_NAMED = frozenset(terms("mentioned mention named names appear appears speak speaking featured involved"))
_MOST_PEOPLE = 20
# What somebody may be called beside a name, and what makes a phrase with a name about something else: "X's view".
_CALLED = frozenset(
    terms(
        "host interviewer guest interviewee moderator speaker author writer editor critic sceptic skeptic expert "
        "article text piece essay interview episode podcast conversation"
    )
)
_OF_THEM = re.compile(r"\w[’']s?\b(?= )|\b(?:of|to|against|with|on|about|for|from|between)\b", re.IGNORECASE)
_ROLE = re.compile(r"\b(?:host|guest|interviewer|interviewee|moderator|speaker)\b", re.IGNORECASE)
_CHECKED = re.compile(r"\b(?:checked|verified|confirmed|fact.?checks?|hold up|claims?)\b", re.IGNORECASE)


def overview(index: PassageIndex, query: Query, scope: Scope) -> list[DraftSentence]:
    """The sentences that answer a question about the whole; none where it is about something in particular."""
    if found := imprint(index, query, scope) or _introductions(index, query, scope):
        return found
    topic = _topic(index, query, query.terms)
    if _CAST.search(query.asked) and not topic - _NAMED and not query.people and query.intent != "views":
        return _cast(index, scope)
    if _WRONG.search(query.asked) and _IN_A_TEXT.search(query.asked):
        own = _topic(index, query, content_terms(query.asked))
        of = own.union(*(terms(name) for name in _others(index, query)))
        if found := _corrections(index, of, scope):
            return found
    there = index.rows_in(query.sections) if not yes_or_no(query.asked) else set()
    if there and len(topic) <= 1 and not any(there.intersection(index.passages_with(t).tolist()) for t in topic):
        return summarise(index, query, scope)  # "chapter 4 as for a child"
    if topic or demanded(query.asked):
        return []
    if query.intent == "check" and _CHECKED.search(query.asked):
        checks = {(e.passage.source_id, e.passage.section) for e in _sentences(index, scope, lambda s: s.kind == "row")}
        return summarise(index, replace(query, sections=tuple(sorted(checks))), scope) if checks else []
    asks_others = query.intent == "views" or (query.intent == "list" and asks_for_views(query.asked))
    if asks_others and not query.sections and not _others(index, query):
        return _critics(index, query, scope)
    named = [form for person in index.corpus.people if person.name in query.people for form in person.forms]
    if len(query.holders) != 1 or (query.intent == "views" and objected_to(query.asked, named)):
        return []
    return _view(index, query, scope)


def _cast(index: PassageIndex, scope: Scope) -> list[DraftSentence]:
    """The first sentence that names each of the corpus's people in full, in the order of the text."""
    people = [person.forms[0] for person in index.corpus.people[:_MOST_PEOPLE]]
    rows = _rows_naming(index, people)
    sentences = list(_sentences(index, scope, lambda s: s.kind != "row", rows))
    first: dict[tuple[int, int], Evidence] = {}
    for name in people:
        naming = [e for e in sentences if name in e.text]
        if named := next((e for e in naming if not e.text.endswith(":")), next(iter(naming), None)):
            first.setdefault((named.passage.row, named.position), named)
    return _said([first[place] for place in sorted(first)])


def _topic(index: PassageIndex, query: Query, asked: Iterable[str]) -> set[str]:
    """Those of a question's terms that are neither talk of views nor the names of its people and sections."""
    names = {
        stem for person in index.corpus.people if person.name in query.people for f in person.forms for stem in terms(f)
    }
    return set(asked) - _TALK - names - query.place_terms


def _others(index: PassageIndex, query: Query) -> list[str]:
    """The people of a question who aren't the guest: "critics of X" is about X."""
    return [p.name for p in index.corpus.people if p.name in query.people and p.role != "guest"]


def _introductions(index: PassageIndex, query: Query, scope: Scope) -> list[DraftSentence]:
    """The sentences that say who or what somebody or something is: "NAME, founder of ...", "NAME is ...", "host NAME",
    "of NAME (the long form)"."""
    asked = _WHO.match(query.asked) or _STANDS_FOR.match(query.asked)
    forms = _forms(index, query, asked["name"].strip()) if asked and asked["name"] else []
    if asked and not asked["name"]:  # who interviews somebody is somebody else
        forms = next((list(p.forms) for p in index.corpus.people if p.name in query.people and p.role == "host"), [])
    if not forms:
        return []
    either = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
    tells = re.compile(
        rf"(?:^|[“\"(])(?:{either})(?:,| \(| is | was )(?! (?:he|she|they|and|but|in|on|at|by|for)\b)"
        rf"|\b{_OFFICE}(?: \w+)? (?:{either})\b"
        rf"|(?<=of )(?:{either}) \([A-Z]"
        rf"|\b(?:{either}), (?:the|an?|one of|who|formerly|long-time|{_OFFICE})\b"
        rf"|\b(?:{either})(?: is| was| has been) (?:widely |also |still )?(?:regarded|known|an?|the) "
    )
    naming = list(_sentences(index, scope, lambda s: s.kind != "row", _rows_naming(index, forms)))
    found = [e for e in naming if tells.search(e.text) and not points_back(e.text) and not e.text.endswith((":", "?"))]
    main = index.corpus.main
    found.sort(key=lambda e: (main is None or e.passage.source_id != main.id, not e.text.startswith(forms[0])))
    if not found and (short := _STANDS_FOR.match(query.asked)):
        found = _spelt_out(index, scope, short["name"].strip())
    if found and not query.people:  # of a thing, what is said of it tells more than what it is called
        begins = re.compile(rf"(?:{either})(?:’s|'s)?\b")
        more = [] if _STANDS_FOR.match(query.asked) else [e for e in naming if begins.match(e.text)]
        found = [*found[:1], *_central(index, query, more)]
    if not found and (introduced := _first_words(index, query, forms, naming)):
        return introduced
    return _said(_fresh(found)[:_MOST_INTRODUCTIONS])


def _spelt_out(index: PassageIndex, scope: Scope, letters: str) -> list[Evidence]:
    """Sentences with a run of words that begin with the letters of an abbreviation."""
    if not (letters.isupper() and letters.isalpha()):
        return []
    words = re.compile(r"\b" + r"[\s-]".join(rf"{letter}[\w’]+" for letter in letters))
    return [e for e in _sentences(index, scope, lambda s: s.kind != "row") if words.search(e.text)]


def _first_words(
    index: PassageIndex, query: Query, forms: Sequence[str], naming: Sequence[Evidence]
) -> list[DraftSentence]:
    """Who the host or the guest is whom nobody introduces, resting on the first words of that person's or on them."""
    people = [p for p in index.corpus.people if [*p.forms] == [*forms]]
    person = next((p for p in people if p.role in ("host", "guest") or _ROLE.search(query.asked)), None)
    if person is None:
        return []
    first = next((e for e in naming if e.sentence.voice == person.name), next(iter(naming), None))
    return [DraftSentence(f"The {person.role} is {person.name}.", (first,), about=True)] if first else []


def _rows_naming(index: PassageIndex, forms: Sequence[str]) -> set[int]:
    """Rows of the passages that hold all the terms of one of the forms."""
    held = [[set(index.passages_with(term).tolist()) for term in terms(form)] for form in forms]
    return set().union(*(set.intersection(*rows) for rows in held if rows))


def _forms(index: PassageIndex, query: Query, name: str) -> list[str]:
    """The forms of the one person that is asked about, the fullest first: from the corpus's people, or as the
    question has it, where that is a name that the sources know."""
    people = [person for person in index.corpus.people if person.name in query.people]
    if _HE.match(name):  # nobody was named before: who else but the guest
        guests = [person for person in index.corpus.people if person.role == "guest"]
        return list(guests[0].forms) if len(guests) == 1 and not people else []
    if people:
        if len(people) > 1 or (_OF_THEM.search(name) and names_one(spoken(name), people[0].forms)):
            return []
        known = {stem for form in people[0].forms for stem in terms(form)}
        return list(people[0].forms) if set(terms(name)) <= known | _CALLED else []
    parts = name.split()
    named = parts and all(part[0].isupper() for part in parts)
    return [name] if named and all(len(index.passages_with(stem)) for stem in terms(name)) else []


def _corrections(index: PassageIndex, topic: set[str], scope: Scope) -> list[DraftSentence]:
    """What is known to be wrong, place by place in the words of the corpus's corrections; of a topic, if one is
    named, those that have most of its words."""
    found: dict[int, list[DraftSentence]] = {}
    for source, placed in index.corpus.corrections.items():
        if scope.sources and source not in scope.sources:
            continue
        sentences = list(_sentences(index, Scope((source,), scope.sections), lambda s: True))
        for one in placed:
            note, anchor = one.correction.note, one.correction.anchor
            shared = len(topic & set(terms(f"{note} {anchor}")))
            holding = [e for e in sentences if e.sentence.start < one.end and one.start < e.sentence.end]
            if holding and (shared or not topic):
                text = f"On {_quoted(anchor)}: {note}"
                found.setdefault(shared, []).append(DraftSentence(text, tuple(holding[:1]), "item", about=True))
    return found[max(found)][:_MOST_CORRECTIONS] if found else []


def _quoted(text: str) -> str:
    """A text in quotation marks; those within it become single."""
    bare = text[1:-1] if text.startswith("“") and text.endswith("”") and text.count("“") == 1 else text
    return f"“{bare.replace('“', '‘').replace('”', '’')}”"


def _critics(index: PassageIndex, query: Query, scope: Scope) -> list[DraftSentence]:
    """The sentence of each opposing source that stands best for what a critic of its holds."""
    critics = {person.name for person in index.corpus.people if person.role == "critic"}
    said = []
    for source in index.corpus.sources:
        if source.stance != "opposing" or (scope.sources and source.id not in scope.sources):
            continue
        within = Scope((source.id,), scope.sections)
        theirs = [e for e in _sentences(index, within, lambda s: s.voice in critics)]
        said += _central(index, query, theirs)[:1]
    return _said(said[:_MOST_CRITICS])


def _view(index: PassageIndex, query: Query, scope: Scope) -> list[DraftSentence]:
    """What somebody holds: from the sources that are theirs, or else from wherever they speak. Of the text's own
    voice, from the section that is most its own."""
    (holder,) = query.holders
    main = index.corpus.main
    theirs = list(_sentences(index, scope, lambda s: s.voice == holder and s.kind != "row"))
    own = {source.id for source in index.corpus.sources if holder in source.author}
    if main is not None and holder == main.voice:
        by_section: dict[str, list[Evidence]] = {}
        for e in theirs:
            if e.passage.source_id == main.id:
                by_section.setdefault(e.passage.section, []).append(e)
        theirs = max(by_section.values(), key=len, default=[])
    elif any(e.passage.source_id in own for e in theirs):
        theirs = [e for e in theirs if e.passage.source_id in own]
    best = _central(index, query, theirs)[:_MOST]
    return _said(sorted(best, key=lambda e: (e.passage.row, e.position)))


def _central(index: PassageIndex, query: Query, sentences: Sequence[Evidence]) -> list[Evidence]:
    """Sentences by how well they stand for all of them, the best of each paragraph."""
    if not sentences:
        return []
    values = worth(sentences, index.evidence_vectors(sentences), query)
    ranked = [sentences[int(n)] for n in np.argsort(-values, kind="stable")]
    best = {(e.passage.source_id, e.sentence.paragraph): e for e in reversed(ranked)}
    return _fresh([e for e in ranked if best[(e.passage.source_id, e.sentence.paragraph)] is e])


def _fresh(sentences: Sequence[Evidence]) -> list[Evidence]:
    """Without those that say again what one before them says."""
    kept: list[Evidence] = []
    for e in sentences:
        mine = term_set(e.text)
        if mine and all(len(mine & term_set(other.text)) < 0.6 * len(mine) for other in kept):
            kept.append(e)
    return kept


def _sentences(
    index: PassageIndex, scope: Scope, wanted: Callable[[Sentence], bool], rows: set[int] | None = None
) -> Iterator[Evidence]:
    """The sentences of a scope that are wanted, unscored, in the order of the corpus; of `rows` only, if given."""
    for source in index.corpus.sources:
        if scope.sources and source.id not in scope.sources:
            continue
        for label in index.sections_of(source.id):
            if scope.sections and label not in scope.sections:
                continue
            for passage in index.passages_of(source.id, label):
                if rows is not None and passage.row not in rows:
                    continue  # its text isn't parsed for nothing
                yield from (e for e in index.sentences_in(passage) if wanted(e.sentence))


def _said(sentences: Sequence[Evidence]) -> list[DraftSentence]:
    return [DraftSentence(e.text, (e,)) for e in sentences]
