"""Ranked evidence -> an answer in the sources' own words. Never edits a sentence.

What differs between kinds of question is which sentences are chosen: the best and what comes near it; a
section from end to end; the best for each side. How they are set out is the same: the run of sentences
that answers comes first, each in the order of its text, with what its first words point back to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from corpus import Corpus
from rag.asked import counted, demanded, objected_to, spoken_of, yes_or_no
from rag.datatypes import DraftSentence, Evidence, Query
from rag.intent import asks_for_views
from rag.terms import points_back, term_set, terms

# How far below the best sentence (in logits of the score) another may lie and still be said.
_NEAR = {"paragraph": 4.0, "section": 2.5, "elsewhere": 0.4}
_FACT = {"paragraph": 3.0, "section": 2.0, "elsewhere": 0.6}
_WIDE = {"paragraph": 4.0, "section": 3.0, "elsewhere": 2.0}
_ROW_NEAR, _ROWS_ALIKE, _VOICE_NEAR, _VOICE_FITS = 4.0, 1.5, 5.0, 0.6
_FEWEST, _MOST, _MOST_FACTS, _MOST_WIDE = 3, 7, 6, 7
_ROW_FITS, _SAME_FACT = 0.75, 0.75
# A sentence that is only beside a good one must still be about the question, token by token.
_FITS = 0.8
# Less so if it holds what is demanded: "He left in May".
_HOLDS_IT = 0.7
# For "how many employees?", a sentence with a number and employees may lie so far below one with a number (in logits).
_COUNTS_IT = 5.0
# A weak best sentence makes others look good beside it: from elsewhere, one must be likely by itself (in logits).
_LIKELY = 9.0
# A sentence that can't be said without others must be worth them (in logits below the best).
_WORTH_MORE = 4.0
_NEARLY_AS_GOOD = 0.5
_GOOD_TO_OPEN = 1.0
_MOST_SAID, _MOST_SAID_WIDE = 6, 8

_ONLY_THEM = re.compile(
    r"(?:he|she|his|her)\b|(?!this|that|these|those|it\b|such|but|and|yet|so\b)[^,.;:]{2,40}, (?:he|she)\b",
    re.IGNORECASE,
)
_Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class _Cast:
    """People by their part in an answer: of whom a bare "he" is understood, and who asks the others."""

    understood: frozenset[str]
    hosts: frozenset[str]


def compose(corpus: Corpus, query: Query, evidence: Sequence[Evidence], most: int | None = None) -> list[DraftSentence]:
    """The sentences to be said, about `most` at the most; none where there is no evidence."""
    if not evidence:
        return []
    if query.intent == "check":
        if rows := _checked(evidence):
            return [_say(corpus, row) for row in rows]
        # Rows rank high where something is to be checked, also those of other claims.
        evidence = [e for e in evidence if e.sentence.kind != "row"] or evidence
    evidence = _of_whom(corpus, query, evidence)
    roles = {role: [p.name for p in corpus.people if p.role == role] for role in ("guest", "host")}
    cast = _Cast(frozenset([*query.people, *query.holders, *roles["guest"]]), frozenset(roles["host"]))
    if holding := _that_hold_it(query, evidence):
        chosen = _near_the_best(holding, _FACT, _MOST_FACTS, _HOLDS_IT)
    elif query.intent == "compare" and len(query.people) > 1:
        chosen = _for_each(evidence, query.people, corpus)
    elif query.intent == "views":
        chosen = _by_voice(_of_people(evidence, query, corpus), corpus)
    elif query.intent in ("compare", "list"):
        chosen = _near_the_best(evidence, _WIDE, _MOST_WIDE)
        chosen = _read_on(chosen, evidence, cast) if len(chosen) == 1 else chosen
    elif yes_or_no(query.asked) or (query.kinds and "reason" not in query.kinds):
        chosen = _near_the_best(evidence, _FACT, _MOST_FACTS)
    else:
        chosen = _read_on(_near_the_best(evidence, _NEAR, _MOST), evidence, cast)
    chosen = _lead_with_a_whole(chosen, cast)
    most = most or (_MOST_SAID if query.intent == "answer" else _MOST_SAID_WIDE)
    return _set_out(corpus, chosen, evidence, most, cast)


def _of_whom(corpus: Corpus, query: Query, evidence: Sequence[Evidence]) -> Sequence[Evidence]:
    """What is about the one whose full name is asked for, and what the text says itself where its own objections are
    asked for; all, where that is nothing or far from the best."""
    if query.named:
        evidence = [e for e in evidence if query.named in term_set(e.passage.text)] or evidence
    if corpus.main is None or query.holders != (corpus.main.voice,) or not asks_for_views(query.asked):
        return evidence
    own = [e for e in evidence if e.sentence.voice == corpus.main.voice]
    return own if own and own[0].score >= evidence[0].score - _VOICE_NEAR else evidence


def _that_hold_it(query: Query, evidence: Sequence[Evidence]) -> list[Evidence]:
    """Only the sentences with what the question demands, if near those with the noun that is to be counted, or with the
    word that somebody may have mentioned; none where it asks for no such thing."""
    if held := demanded(query.asked):
        holding, noun = [e for e in evidence if held(e.text)], set(terms(counted(query.asked)))
        counting = [e for e in holding if noun <= term_set(e.text)]
        return counting if counting and counting[0].score >= holding[0].score - _COUNTS_IT else holding
    topic = spoken_of(query.asked)
    wanted = set(terms(topic[0])) if topic and topic[1] else set()
    return [e for e in evidence if wanted and wanted <= term_set(e.text)]


def _near_the_best(
    evidence: Sequence[Evidence], near: dict[str, float], most: int, beside: float = _FITS
) -> list[Evidence]:
    """The best sentence and those that come near it; the nearer in the text, the less near in score."""
    best = evidence[0]
    chosen = [best]
    for other in evidence[1:]:
        if len(chosen) == most:
            break
        distance = _distance(best, other)
        like = beside if distance == "paragraph" else _FITS
        fits = other.tokens >= like * best.tokens and other.score >= best.score - near[distance]
        if distance == "elsewhere" and other.score < _LIKELY:
            continue
        if fits and not _repeats(other, chosen):
            chosen.append(other)
    return chosen


def _lead_with_a_whole(chosen: list[Evidence], cast: _Cast) -> list[Evidence]:
    """The best sentence that can be understood by itself to the front, if one is nearly as good as the best."""
    for e in chosen:
        if e.score < chosen[0].score - _GOOD_TO_OPEN:
            break
        if not _points_back(e, cast.understood):
            return [e, *(other for other in chosen if other is not e)]
    return chosen


def _read_on(chosen: list[Evidence], evidence: Sequence[Evidence], cast: _Cast) -> list[Evidence]:
    """A bare answer with the sentences that follow it in its paragraph, with the quotation that bears it out, or with
    what comments on one: a reader would read on."""
    known = {(e.passage.source_id, e.position): e for e in evidence}
    last = chosen[0]
    while sum(not _stands_before(e, chosen[0]) for e in chosen) < _FEWEST:
        after = known.get((last.passage.source_id, last.position + 1))
        if after is None or not _follows(last, after):
            break
        if last.sentence.paragraph != after.sentence.paragraph and not (
            "quote" in (last.sentence.kind, after.sentence.kind) or _is_answered(last, after, cast)
        ):
            break
        if after not in chosen:
            chosen.append(after)
        last = after
    return chosen


def _stands_before(e: Evidence, best: Evidence) -> bool:
    """Whether a sentence comes before the best in its section, so that it may be left out when they are set out."""
    return _distance(e, best) != "elsewhere" and e.position < best.position


def _distance(one: Evidence, other: Evidence) -> str:
    if (one.passage.source_id, one.passage.section) != (other.passage.source_id, other.passage.section):
        return "elsewhere"
    return "paragraph" if one.sentence.paragraph == other.sentence.paragraph else "section"


def _checked(evidence: Sequence[Evidence]) -> list[Evidence]:
    """Rows of a table of checked claims that are about the question and come near the best sentence."""
    most = max(e.tokens for e in evidence)
    rows = [e for e in evidence if e.sentence.kind == "row" and e.tokens >= _ROW_FITS * most]
    if not rows or rows[0].score < evidence[0].score - _ROW_NEAR:
        return []
    return [row for row in rows[:2] if row.score >= rows[0].score - _ROWS_ALIKE]


def _of_people(evidence: Sequence[Evidence], query: Query, corpus: Corpus) -> Sequence[Evidence]:
    """What the people other than the guest hold whose objections are asked for, or what names them; what others say of
    them, where it is they who are objected to; else all."""
    asked = [p for p in corpus.people if p.name in query.people and p.role != "guest"]
    theirs = [e for e in evidence if any(e.speaks_of(person) for person in asked)]
    if asked and objected_to(query.asked, [form for person in asked for form in person.forms]):
        names = {person.name for person in asked}
        others = {person.name for person in corpus.people} - names
        theirs = [e for e in theirs if e.sentence.voice in others] or [
            e for e in theirs if e.sentence.voice not in names
        ]
    return theirs or evidence


def _for_each(evidence: Sequence[Evidence], people: Sequence[str], corpus: Corpus) -> list[Evidence]:
    """The best two sentences that each of the people holds or that name them."""
    chosen: list[Evidence] = []
    for name in people:
        person = next(person for person in corpus.people if person.name == name)
        theirs = [e for e in evidence if e.speaks_of(person)]
        fresh = [e for e in theirs if e not in chosen and not _repeats(e, chosen)]
        chosen += [e for e in fresh[:2] if e.score >= fresh[0].score - _ROWS_ALIKE]
    # What speaks of all of them says more than what speaks of one.
    named = [person for person in corpus.people if person.name in people]
    chosen.sort(key=lambda e: not all(e.speaks_of(person) for person in named))
    return chosen or _near_the_best(evidence, _WIDE, _MOST_WIDE)


def _by_voice(evidence: Sequence[Evidence], corpus: Corpus) -> list[Evidence]:
    """The best sentence of each voice other than the guest's, then what is near the best."""
    critics = {person.name for person in corpus.people if person.role == "critic"}
    best: dict[str, Evidence] = {}
    most = max(e.tokens for e in evidence)
    for e in evidence:
        named = e.sentence.voice if e.sentence.voice in critics else None
        near = e.score >= evidence[0].score - _VOICE_NEAR and e.tokens >= _VOICE_FITS * most
        if named and named not in best and near:
            best[named] = e
    chosen = list(best.values())[:_MOST_WIDE]
    return chosen or _near_the_best(evidence, _WIDE, _MOST_WIDE)


def _repeats(one: Evidence, chosen: Iterable[Evidence]) -> bool:
    """Whether a sentence says little beyond one that is already chosen."""
    mine = term_set(one.text)
    for other in chosen:
        theirs = term_set(other.text)
        if mine and len(mine & theirs) / min(len(mine), len(theirs) or 1) >= _SAME_FACT:
            return True
    return False


def _set_out(
    corpus: Corpus, chosen: Sequence[Evidence], evidence: Sequence[Evidence], most: int, cast: _Cast
) -> list[DraftSentence]:
    """The chosen sentences with their antecedents, at most about `most`: first the best, then what follows it,
    then the others in runs, best run first."""
    known = {_place(e): e for e in evidence}
    places: set[_Place] = set()
    for e in chosen:
        chain = {_place(e)} | _antecedents(e, known, places, cast)
        costly = len(chain - places) > 1 and e.score < chosen[0].score - _WORTH_MORE
        if places and (costly or len(places | chain) > most):
            continue
        places |= chain
    runs: list[list[Evidence]] = []
    for place in sorted(places):
        e = known[place]
        if runs and _follows(runs[-1][-1], e):
            runs[-1].append(e)
        else:
            runs.append([e])
    order = {_place(e): n for n, e in enumerate(chosen)}
    runs.sort(key=lambda run: min(order.get(_place(e), len(order)) for e in run))
    runs[0] = _from_the_best(runs[0], chosen[0], known, cast)
    return [_say(corpus, e) for run in runs for e in run]


def _from_the_best(run: list[Evidence], best: Evidence, known: dict[_Place, Evidence], cast: _Cast) -> list[Evidence]:
    """The run from the sentence that answers on: what stands before it is said only if that is nearly as good, or
    if the best points back to it."""
    kept = {_place(best)} | _antecedents(best, known, set(), cast)
    start = next(n for n, e in enumerate(run) if _place(e) in kept or e.score >= best.score - _NEARLY_AS_GOOD)
    return run[start:]


def _place(e: Evidence) -> _Place:
    return e.passage.source_id, e.position


def _follows(one: Evidence, other: Evidence) -> bool:
    same = (one.passage.source_id, one.sentence.section) == (other.passage.source_id, other.sentence.section)
    return same and other.position == one.position + 1


def _antecedents(e: Evidence, known: dict[_Place, Evidence], places: set[_Place], cast: _Cast) -> set[_Place]:
    """Places of up to two sentences before one that points back, and of what one announces: a quotation, or the
    answer to a question that the text asks itself."""
    found: set[_Place] = set()
    source, position = e.passage.source_id, e.position
    after = known.get((source, position + 1))
    if after is not None and after.sentence.section == e.sentence.section:
        if e.text.endswith((":", "?")) or _is_answered(e, after, cast):
            found.add((source, position + 1))
    current = e
    for _ in range(2):
        before = known.get((source, position - 1))
        if before is None or before.sentence.section != e.sentence.section or (source, position - 1) in places:
            break
        if not (
            _points_back(current, cast.understood) or (current.sentence.kind == "quote" and before.text.endswith(":"))
        ):
            break
        found.add((source, position - 1))
        current, position = before, position - 1
    return found


def _is_answered(e: Evidence, after: Evidence, cast: _Cast) -> bool:
    """Whether somebody else answers the host's line."""
    return e.sentence.voice in cast.hosts and after.sentence.voice not in ("", e.sentence.voice)


def _points_back(e: Evidence, understood: frozenset[str] = frozenset()) -> bool:
    """Whether a sentence can't be understood by itself. In the view of one of the `understood`, the guest or whom the
    question asks about, "he" is plain."""
    if e.sentence.kind in ("quote", "row"):
        return False
    return points_back(e.text) and not (e.sentence.voice in understood and _ONLY_THEM.match(e.text))


def _say(corpus: Corpus, e: Evidence) -> DraftSentence:
    return DraftSentence(corpus.documents[e.passage.source_id].wording(e.sentence), (e,))
