"""Where a claim and its evidence differ in numbers, dates, names and speakers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rag.align import (
    Alignment,
    Difference,
    DifferenceKind,
    Mention,
    exchanged,
    misplaced,
    same_word,
    say,
    trust,
)
from rag.quantities import Quantity, When, same_amount
from rag.statements import REPORTING, Name, Statement
from rag.terms import terms

Forms = Sequence[frozenset[str]]
# Names in the evidence: where, as written, and whom it means.
Named = Sequence[tuple[Mention, Name, frozenset[str]]]
# A sentence that covers this share of what the best one covers says as much.
NEARLY = 0.9


def compare_facts(alignment: Alignment, forms: Forms = ()) -> list[Difference]:
    """What differs in fact. `forms` are sets of lower-cased words, each of which names one person."""
    return [*_numbers(alignment), *_dates(alignment), *_names(alignment, forms)] if alignment.view else []


def _numbers(alignment: Alignment) -> Iterable[Difference]:
    claim = alignment.claim
    stated = [(s, q) for s, statement in enumerate(alignment.sentences) for q in statement.quantities]
    places = {own: [_mention(alignment, s, q) for s, q in stated if same_amount(own, q)] for own in claim.quantities}
    for claimed, same in places.items():
        text = claim.text[claimed.start : claimed.end].strip()
        others = [
            _mention(alignment, s, q)
            for s, q in stated
            if (q.kind == claimed.kind or {q.kind, claimed.kind} <= {"plain", "money"})
            and not any(same_amount(own, q) for own in claim.quantities)
        ]
        where = _place(claim, claimed)
        if same:
            rest = [(_place(claim, own), found) for own, found in places.items() if not set(found) & set(same)]
            yield from _moved(alignment, "number_slot", text, where, same, others, rest)
        elif not _worked_out(claimed, alignment):
            small = (claimed.spelt and (claimed.value <= 3 or claimed.kind == "percent")) or claimed.kind == "ordinal"
            rival = misplaced(alignment, where, (), others) if small else None
            weight = 1.0 if not small else max(0.4, trust(alignment, rival.sentence) if rival else 0.0)
            yield Difference("number", f"the number {text} isn't in the evidence", weight)


def _moved(
    alignment: Alignment,
    kind: DifferenceKind,
    text: str,
    where: Mention,
    same: Sequence[Mention],
    others: Sequence[Mention],
    rest: Sequence[tuple[Mention, Sequence[Mention]]],
) -> Iterable[Difference]:
    """A value that the evidence has elsewhere: another stands in its place, or one of the claim's has changed
    places with it."""
    found = misplaced(alignment, where, same, others)
    for place, places in rest:
        found = found or exchanged(alignment, where, place, same, places)
    if found is not None:
        reason = f"the evidence has {say(alignment, found)} where the sentence has {text}"
        yield Difference(kind, reason, trust(alignment, found.sentence))


def _place(claim: Statement, value: Quantity | When) -> Mention:
    return Mention(-1, *claim.at(value.start, value.end))


def _mention(alignment: Alignment, s: int, value: Quantity | When) -> Mention:
    return Mention(s, *alignment.sentences[s].at(value.start, value.end))


def _worked_out(claimed: Quantity, alignment: Alignment) -> bool:
    """Whether a number is the distance of two years that the evidence states."""
    years = {when.year for statement in alignment.sentences for when in statement.dates if when.year}
    return claimed.kind == "plain" and any(abs(a - b) == claimed.value for a in years for b in years if a != b)


def _dates(alignment: Alignment) -> Iterable[Difference]:
    claim = alignment.claim
    stated = [(s, when) for s, statement in enumerate(alignment.sentences) for when in statement.dates]
    places = {own: [_mention(alignment, s, when) for s, when in stated if own.fits(when)] for own in claim.dates}
    for claimed, same in places.items():
        text = claim.text[claimed.start : claimed.end]
        disputing = [(s, when) for s, when in stated if claimed.disputes(when)]
        if not same:
            # "November 2022" of an evidence that only says "November" goes beyond it, but isn't at odds with it.
            vague = any(when.fits(claimed) for _, when in stated)
            weight = 0.3 if vague else 1.0 if disputing or not stated else 0.7
            yield Difference("date", f"the date {text} isn't in the evidence", weight)
            continue
        others = [_mention(alignment, s, w) for s, w in disputing if not any(own.fits(w) for own in claim.dates)]
        rest = [(_place(claim, own), found) for own, found in places.items() if not set(found) & set(same)]
        yield from _moved(alignment, "date_slot", text, _place(claim, claimed), same, others, rest)


def _names(alignment: Alignment, forms: Forms) -> Iterable[Difference]:
    claim = alignment.claim
    vocabulary = {word.lower.removesuffix("'s") for statement in alignment.sentences for word in statement.words}
    stems = {word.stem for statement in alignment.sentences for word in statement.words if word.stem}
    mentions = _named(alignment)
    # The evidence says "he" of somebody it doesn't name.
    nobody = all(
        any(name.pronoun for name in alignment.sentences[s].names) and alignment.before[s] is None
        for s in alignment.view[:1]
    )
    for name in claim.names:
        if name.pronoun:
            continue
        known = _known(name, forms)
        text = claim.text[claim.words[name.first].start : claim.words[name.last].end].removesuffix("'s")
        if not _stands(name, known, vocabulary, stems, alignment):
            if name.sure:
                kind: DifferenceKind = "speaker" if _speaks(claim, name) else "name"
                weight = 0.4 if nobody and name.first == 0 else max(0.4, trust(alignment, alignment.view[0]))
                yield Difference(kind, f"{text} isn't named in the evidence", weight)
            continue
        if name.sure or any(_meet(known, parts) and found.first for _, found, parts in mentions):
            yield from _elsewhere(alignment, name, known, mentions, forms)


def _elsewhere(
    alignment: Alignment,
    name: Name,
    known: frozenset[str],
    mentions: Named,
    forms: Forms,
) -> Iterable[Difference]:
    """Another name that stands in the evidence where the claim has this one."""
    where = Mention(-1, name.first, name.last)
    same = [mention for mention, _, parts in mentions if _meet(known, parts)]
    mine = {mention.sentence for mention in same}
    person = any(form & set(name.parts) for form in forms)
    # Where the evidence says it, is the name there? Beside it, only another person is a rival.
    said = {s for s in alignment.view if alignment.coverage[s] >= NEARLY * alignment.coverage[alignment.view[0]]}
    aside = not mine & said
    claimed = {part for other in alignment.claim.names for part in other.parts}
    rivals, beside = [], []
    for mention, found, parts in mentions:
        if parts and not _meet(known, parts) and found.sure and _alike(name, found, parts, forms):
            if mention.sentence not in mine and (person or (aside and not parts & claimed)):
                rivals.append(mention)
            elif mention.sentence in mine and person and not _by(alignment, mention.sentence):
                beside.append(mention)
    other = (
        misplaced(alignment, where, same, rivals)
        or misplaced(alignment, where, same, beside, 2.0, 0.6)
        or _swapped(alignment, name, same, mentions)
    )
    if same and other is not None:
        text = alignment.claim.text[alignment.claim.words[name.first].start : alignment.claim.words[name.last].end]
        kind: DifferenceKind = "speaker" if _speaks(alignment.claim, name) else "name_slot"
        reason = f"the evidence has {say(alignment, other)} where the sentence has {text}"
        yield Difference(kind, reason, trust(alignment, other.sentence))


def _swapped(alignment: Alignment, name: Name, same: Sequence[Mention], mentions: Named) -> Mention | None:
    """The mention of another name of the claim with which this one has changed places in one sentence."""
    here = [mention for mention in same if not _by(alignment, mention.sentence)]
    for other in alignment.claim.names:
        if other.pronoun or set(other.parts) & set(name.parts):
            continue
        there = [
            mention
            for mention, found, parts in mentions
            if not found.pronoun and parts & set(other.parts) and not parts & set(name.parts)
        ]
        where = Mention(-1, name.first, name.last), Mention(-1, other.first, other.last)
        if (place := exchanged(alignment, *where, here, there)) is not None:
            return place
    return None


def _by(alignment: Alignment, sentence: int) -> bool:
    """Whether one of the two texts puts the doer behind the deed: "produced by"."""
    words = (*alignment.claim.words, *alignment.sentences[sentence].words)
    return any(word.lower == "by" for word in words)


def _known(name: Name, forms: Forms) -> frozenset[str]:
    """All lower-cased words that may stand for a name."""
    own = frozenset(name.parts)
    return own.union(*(form for form in forms if own & form))


def _alike(one: Name, other: Name, meant: frozenset[str], forms: Forms) -> bool:
    """Whether two names may stand for the same sort of thing: two known persons, two acronyms, two plain names."""
    persons = [any(form & set(parts) for form in forms) for parts in (one.parts, meant)]
    if persons[0] or persons[1]:
        return persons[0] and (persons[1] or other.pronoun)
    return not other.pronoun and one.acronym == other.acronym


def _meet(known: frozenset[str], parts: frozenset[str]) -> bool:
    return bool(known & parts)


def _stands(name: Name, known: frozenset[str], vocabulary: set[str], stems: set[str], alignment: Alignment) -> bool:
    """Whether the evidence has a name: its last word, its first, another form of it, its initials, a kindred word."""
    if name.parts[-1] in vocabulary or (known - set(name.parts) and known & vocabulary):
        return True
    if len(name.parts) > 1 and name.parts[0] in vocabulary:
        return not any(
            found.parts[0] == name.parts[0] and len(found.parts) > 1
            for statement in alignment.sentences
            for found in statement.names
        )
    own = [stem for part in name.parts for stem in terms(part)] or list(name.parts)
    if all(any(same_word(stem, other) for other in stems) for stem in own):
        return True
    return _initials(name, alignment)


def _initials(name: Name, alignment: Alignment) -> bool:
    """Whether initials stand for words, as "AGI" for "Artificial General Intelligence", either way round."""
    short = "".join(name.parts)
    for statement in alignment.sentences:
        letters = "".join(word.lower[0] for word in statement.words)
        if len(name.parts) == 1 and 2 <= len(short) <= 5 and short in letters:
            return True
        if len(name.parts) > 1 and any(word.lower == "".join(p[0] for p in name.parts) for word in statement.words):
            return True
    return False


def _named(alignment: Alignment) -> list[tuple[Mention, Name, frozenset[str]]]:
    """Every name in the evidence and whom it means; a pronoun means whom the sentence before is about."""
    found = []
    for s, statement in enumerate(alignment.sentences):
        last = alignment.before[s]
        for name in statement.names:
            if not name.pronoun:
                last = name
            found.append((Mention(s, name.first, name.last), name, frozenset(last.parts if last else ())))
    return found


def _speaks(claim: Statement, name: Name) -> bool:
    """Whether a name is who says it: a verb of saying follows, or "according to" stands before."""
    after = [word.lower for word in claim.words[name.last + 1 : name.last + 4]]
    prior = [word.lower for word in claim.words[max(0, name.first - 2) : name.first]]
    return bool(REPORTING.intersection(after)) or prior == ["according", "to"]
