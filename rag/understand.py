"""Question -> Query: what is asked for, about whom, and where.

Reads the question's form (English function words) and the corpus's own names and headings; knows nothing
of any one document.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from rag.asked import full_names_asked, kinds_asked
from rag.datatypes import Encoder, Intent, Query, Scope, Standalone, Vectors
from rag.encoder import SKETCH, OnnxEncoder, unit
from rag.index import PassageIndex
from rag.terms import is_frame, names_one, spoken, terms, words

# How much a function word counts beside a content word when tokens are compared one by one.
_FUNCTION_WORD = 0.15
# How much less a word counts that stands in every passage.
_COMMON = 0.7

_WHOLE = (
    r"(?:the |this )?(?:whole |entire |last |first )?"
    r"(?:article|text|document|piece|chapter|section|part|interview|talk|episode)"
)
_SUMMARY = re.compile(
    r"\b(?:summar\w+|recap|overview|gist|tl;?dr|synopsis|outline|all about|boils? down|sum up|"
    r"(?:main|key|central|core|big|chief) (?:points?|ideas?|arguments?|messages?|themes?|claims?|lessons?|takeaways?)|"
    r"in (?:a|one|two|three|four|five|\d+) (?:sentences?|lines?|words?|nutshell|bullets?|bullet points?)|"
    rf"what(?: is| was|'s) (?:(?:this|it|that)|{_WHOLE})(?: \w+)? (?:all )?about\W*$|"
    rf"what (?:does|did) {_WHOLE}(?: \w+)? (?:say|cover|argue)\W*$)",
    re.IGNORECASE,
)
_CHECK = re.compile(
    r"\b(?:is it (?:true|correct|right|accurate|a fact)|(?:true|correct|right|accurate) (?:that|about)|"
    r"fact.?check\w*|verif\w+|accura\w+|verdict|rating|rated|hold up|holds up|confirmed|check(?:ed|ing|s)?|debunk\w*|"
    r"true or false|really true)\b|"
    r"^\W*(?:(?:and|but|so) )?(?:is|are|was|were) .*\b(?:true|correct|accurate|real)\W*$",
    re.IGNORECASE,
)
_COMPARE = re.compile(
    r"\b(?:vs?\.?|versus|compar\w+|contrast\w*|differ\w*|unlike|both|each|respectively|agree|common|side by side|"
    r"(?:more|less) \w+ than)\b",
    re.IGNORECASE,
)
_VIEWS = re.compile(
    r"\b(?:disagree\w*|critic\w*|oppos\w+|opponents?|object(?:s|ed|ions?|ors?)?(?= to\b| about\b|\W*$)|"
    r"push(?:es)? back|"
    r"sceptic\w*|skeptic\w*|counter(?:s|ed|-?arguments?|-?points?)|other (?:side|views?|voices?|opinions?)|dissent\w*|"
    r"contradict\w*|(?:argue|speak|say|said|evidence|argument|case|point)s? against|"
    r"(?:weak(?:ness(?:es)?| points?)|flaws?|shortcomings?|holes?) (?:of|in) "
    r"(?:his|her|their|the|(?:(?-i:[A-Z])\w+ )?(?-i:[A-Z])\w+[’']s?) "
    r"(?:argument|reasoning|view|case|claim|position|theory|thesis)\w*|"
    r"(?:is|was) (?:he|she|(?-i:[A-Z])\w+(?: (?-i:[A-Z])\w+)?) (?:right|wrong|mistaken|correct)|"
    r"(?:is|was) (?:that|this|it) (?:really )?(?:an? )?(?:convincing|realistic|plausible))\b",
    re.IGNORECASE,
)
_NUMBER_WORD = r"(?:two|three|four|five|six|seven|eight|nine|ten|\d+|several|all|both)"
_ENUMERATE = re.compile(
    r"^\W*(?:list|name|enumerate)\b|\b(?:go|run|walk) (?:me )?through (?:all|each|every|the)\b", re.I
)
_LIST = re.compile(
    rf"\b(?:what|which) (?:are|were) (?:the|his|her|their|some)\b|"
    rf"\b(?:what|which|name|list|give|the) (?:\w+ ){{0,2}}{_NUMBER_WORD} (?:\w+ ){{0,3}}\w+s\b|"
    r"\b(?:which|what) (?:\w+ )?(?!does|is|was|has|goes|makes|keeps)\w{3,}[^s\W]s\b(?= (?:do|did|are|were|in|of|"
    r"on|from|for|to|have|has|that|come|came|show|point|argue|say)\b)",
    re.IGNORECASE,
)
_ASKS_FOR_A_VIEW = re.compile(
    r"\b(?:think|believe|sa(?:y|id)|argue|claim|mean|see|view|feel|want|propose|predict|expect|explain|describe|"
    r"suggest|admit|regard|consider|define|hold|worry|fear|hope|compare|use|according to|opinion|position|stance|"
    r"judge|judge?ment|assess|assessment|evaluate|verdict|conclude|conclusion|would|should)s?\b|"
    r"^\W*(?:is|was) (?-i:[A-Z])[\w’'-]+(?: (?-i:[A-Z])[\w’'-]+)? (?:really |actually )?"
    r"(?:against|in favou?r of|opposed to)\b",
    re.IGNORECASE,
)
_AGREES = re.compile(r"\b(?:agree|endorse|convinced|on (?:his|her|their) side|side with)s?\b", re.IGNORECASE)
_ROLES = re.compile(
    r"\b(?:the|his|her|its) (?:(?P<host>host|interviewer|moderator)|(?P<guest>guest|interviewee))\b", re.IGNORECASE
)
_THE_TEXT = re.compile(r"\b(?:article|author|writer|editorial|text|piece|essay|editor)s?\b", re.IGNORECASE)
_HE = re.compile(r"\b(?:he|his|him|she|her|they|their)\b", re.IGNORECASE)
_NUMBERS = """one first|two second|three third|four fourth|five fifth|six sixth|seven seventh|eight eighth|nine ninth|
ten tenth|eleven eleventh|twelve twelfth"""
_ORDINALS = {word: n for n, names in enumerate(_NUMBERS.split("|"), start=1) for word in names.split()}
# So many texts may have a "section 4" that naming it names none.
_MOST_NAMED = 12
_DIVISION_ON = re.compile(
    r"\b(?:chapter|section|part)\b(?:,? the one)? (?:that (?:is|deals|talks) )?"
    r"(?:on|about|with|covering|called) (?P<topic>.+)",
    re.IGNORECASE,
)
_HOW_MANY = re.compile(
    r"\b(?:in|within|using) (a|an|one|two|three|four|five|six|seven|eight|nine|ten|\d{1,2}) (?:short )?"
    r"(?:sentences?|lines?|bullets?|bullet points?|points?)\b|"
    r"\b(one|two|three|four|five|six|seven|eight|nine|ten|\d{1,2}) (?:\w+ )?"
    r"(?:sentences?|bullets?|bullet points?|lines?)\b",
    re.IGNORECASE,
)
# Texts count employees or staff where people ask how large a team is, or how many work there.
_HOW_LARGE = re.compile(
    r"\bhow (?:big|large|small) (?:is|was|are)\b.*\b(?:team|staff|workforce|crew|company|firm|start-?up)\b|"
    r"\bhow many (?:people|persons|employees|staff|workers|folks)\b.*\b(?:works?|employs?|employed|have|has|there)\b|"
    r"\bhead-?count\b",
    re.IGNORECASE,
)
_STAFF = "employees, staff"
_BESIDE = re.compile(
    r"\b(?:(?:next|following|(?P<back>previous|preceding)) (?:one|chapter|section|part|lesson|episode)"
    r"|(?:one|chapter|section|part|lesson|episode) (?:after|(?P<back2>before)) (?:that|it|this))\b",
    re.IGNORECASE,
)
_DIVISION = r"(chapter|part|section|book|act|episode|lesson|appendix)"
_DIVISIONS = frozenset(terms(_DIVISION))
_PLACES = _DIVISIONS.union(*(terms(f"{word} {number}") for word, number in _ORDINALS.items()), terms("last final next"))
_LABEL = re.compile(rf"^{_DIVISION}\s+(\w+)$", re.IGNORECASE)
_NAMED_DIVISIONS = (
    re.compile(rf"\b(?:{_DIVISION}s?|ch)\.?(?: |(?=\d))(?P<number>(?!last\b)\w+)\b", re.IGNORECASE),
    re.compile(rf"\b(?P<number>\w+) {_DIVISION}\b", re.IGNORECASE),
)


def understand(index: PassageIndex, encoder: Encoder, turn: Standalone, scope: Scope) -> Query:
    """What the stages need to know of a turn and of what it leans on."""
    parts = [(turn.asked, 1.0), (turn.context, turn.leaning)] if turn.leaning else [(turn.asked, 1.0)]
    parts = [(f"{part} ({_STAFF})" if _HOW_LARGE.search(part) else part, share) for part, share in parts]
    total = sum(share for _, share in parts)
    parts = [(part, share / total) for part, share in parts]
    people = named_people(index, turn.asked)
    if not people or _COMPARE.search(turn.asked):
        people = named_people(index, turn.text)
    intent = _intent(turn.asked, people)
    sections = named_sections(index, turn.asked, scope)
    holders = _holders(index, turn.asked, people, intent, within=bool(sections))
    guests = {person.name for person in index.corpus.people if person.role == "guest"}
    # Where people are set side by side, their names are looked for by themselves, and the topic should count; so it
    # should where a guest's view is asked for, who holds half of all sentences.
    forms = [form for person in index.corpus.people if person.name in people for form in person.forms]
    names = frozenset(stem for form in forms for stem in terms(form))
    aside = names if len(people) > 1 or (holders and guests.issuperset(people)) else frozenset()
    vector, tokens, weights, token_words = _encode(index, encoder, parts, aside)
    if not sections and (beside := _sections_beside(index, turn, scope)):
        sections, intent = beside, intent if content_terms(_BESIDE.sub(" ", turn.asked)) else "summary"
    elif not sections and intent == "summary" and not content_terms(_SUMMARY.sub(" ", turn.asked)):
        sections = named_sections(index, turn.text, scope)  # "in one sentence, please", of what was asked before
    if intent == "views" and index.corpus.main is not None and index.corpus.main.voice in holders:
        intent = "list"  # what the text itself objects to, not what others do
    return Query(
        text=turn.text,
        asked=turn.asked,
        terms=content_terms(_SUMMARY.sub(" ", turn.text)),
        weighted_terms=tuple((tuple(t for t in content_terms(part) if t not in aside), share) for part, share in parts),
        vector=vector,
        tokens=tokens,
        token_weights=weights,
        token_words=token_words,
        intent=intent,
        kinds=kinds_asked(turn.asked),
        people=people,
        sections=sections,
        place_terms=_PLACES.union(*(terms(label) for _, label in sections)) if sections else frozenset(),
        holders=holders,
        named=_named(index, turn.asked),
        said=turn.said,
    )


def without_checking(text: str) -> str:
    """A question without the words that ask whether something is so: a verdict holds them, whatever it is on."""
    return _CHECK.sub(" ", text)


def without_views(text: str) -> str:
    """A question without the words that ask for other views: what those views are of."""
    return " ".join(_VIEWS.sub(" ", text).split())


def asks_for_views(text: str) -> bool:
    """Whether a question asks for views that oppose."""
    return bool(_VIEWS.search(text))


def content_terms(text: str) -> tuple[str, ...]:
    """The distinct content terms of a text, without those of the asker's frame."""
    return tuple(dict.fromkeys(stem for word in words(text) if not is_frame(word) for stem in terms(word)))


def _holders(
    index: PassageIndex, text: str, people: tuple[str, ...], intent: Intent, *, within: bool
) -> tuple[str, ...]:
    """The people whose own view is asked for: "why does X think ..."; "he" without a name is the guest, and other
    views without a name are the critics'. `within` sections that are named, "the editorial part" is a place."""
    asks = bool(_ASKS_FOR_A_VIEW.search(text) or _VIEWS.search(text))
    main = index.corpus.main
    if main is not None and main.voice and not within and _THE_TEXT.search(text) and (asks or _AGREES.search(text)):
        return (main.voice,)
    if not asks:
        return ()
    guests = tuple(person.name for person in index.corpus.people if person.role == "guest")
    if intent == "views" and not people:
        return tuple(person.name for person in index.corpus.people if person.role == "critic")
    return people or (guests if _HE.search(text) and len(guests) == 1 else ())


def named_people(index: PassageIndex, text: str) -> tuple[str, ...]:
    """Full names of the manifest's people that a text names, also by role ("the host"), in the manifest's order."""
    roles = {match.lastgroup for match in _ROLES.finditer(text)}
    said = spoken(text)
    return tuple(person.name for person in index.corpus.people if person.role in roles or names_one(said, person.forms))


def _named(index: PassageIndex, text: str) -> str:
    """The term of a full name, but for its first, that stands in the fewest passages, where none of the corpus's people
    bears it: who asks for one Daniel isn't answered with another."""
    borne = [{term for form in person.forms for term in terms(form)} for person in index.corpus.people]
    names = [own for name in full_names_asked(text) if (own := terms(name))]
    found = {
        t: len(index.passages_with(t)) for own in names if not any(b.issuperset(own) for b in borne) for t in own[1:]
    }
    return min((term for term in found if found[term]), key=found.__getitem__, default="")


def named_sections(index: PassageIndex, text: str, scope: Scope) -> tuple[tuple[str, str], ...]:
    """(source id, label) of the sections of primary sources that a question names: by number ("chapter four",
    "the last chapter"), or by the words of a label ("the fact check")."""
    said = words(text)
    loose = bool(_SUMMARY.search(text) or _LIST.search(text) or _ENUMERATE.search(text))
    near = dict.fromkeys(_near_headings(index, text, said, loose))
    found: list[tuple[str, str]] = []
    for source_id in dict.fromkeys(source_id for source_id, _ in near):
        if index.corpus.source_by_id[source_id].stance != "primary" or (
            scope.sources and source_id not in scope.sources
        ):
            continue
        labels = [label for label in index.sections_of(source_id) if (source_id, label) in near]
        labels = [label for label in labels if not scope.sections or label in scope.sections]
        found += [(source_id, label) for label in _numbered(text, labels)]
        found += [(source_id, label) for label in labels if _names(index, said, (source_id, label), loose)]
        if len(found) >= _MOST_NAMED:
            break
    return tuple(dict.fromkeys(found)) or _meant_sections(index, text, scope)


def _sections_beside(index: PassageIndex, turn: Standalone, scope: Scope) -> tuple[tuple[str, str], ...]:
    """The section meant by "and the next one?", counted from the last that the conversation named."""
    if not _BESIDE.search(turn.asked):
        return ()
    named = named_sections(index, turn.text, scope)
    if not named:
        return ()
    source_id, label = named[-1]
    steps = sum(-1 if hit["back"] or hit["back2"] else 1 for hit in _BESIDE.finditer(turn.text))
    labels = index.sections_of(source_id)
    place = labels.index(label) + steps
    return ((source_id, labels[place]),) if 0 <= place < len(labels) else ()


def _meant_sections(index: PassageIndex, text: str, scope: Scope) -> tuple[tuple[str, str], ...]:
    """Sections of the main text that are meant without their names: by topic, or as the table of checks."""
    source = index.corpus.main or index.corpus.sources[0]
    if scope.sources and source.id not in scope.sources:
        return ()
    labels = [label for label in index.sections_of(source.id) if not scope.sections or label in scope.sections]
    found = _on_a_topic(index, text, source.id, labels)
    if not found and _ENUMERATE.search(text) and _CHECK.search(text):
        found = [label for label in labels if label in _with_rows(index, source.id)]
    return tuple((source.id, label) for label in found)


def _near_headings(index: PassageIndex, text: str, said: Sequence[str], loose: bool) -> Iterator[tuple[str, str]]:
    """The headings that a question can name, found without looking at the others: there may be 100,000."""
    for number in {hit["number"].lower() for pattern in _NAMED_DIVISIONS for hit in pattern.finditer(text)}:
        for division in sorted(_DIVISIONS):
            if number == "last":
                yield from index.headings.holding(division)
            for term in dict.fromkeys([*terms(number), number, str(_ORDINALS.get(number, ""))]):
                yield from index.headings.holding_both(division, term)
    yield from index.headings.made_of(stem for word in said for stem in terms(word))
    for stem in _telling(said, loose):
        holding = index.headings.holding(stem)
        # Titles are indexed with their passages, so a word of three headings stands in more than one elsewhere.
        if len(holding) < 3:
            yield from holding


def _telling(said: Sequence[str], loose: bool) -> list[str]:
    """Terms that may name a heading by themselves: those after "the", or all where an outline is asked for."""
    return [stem for one, word in pairwise(["", *said]) if loose or one == "the" for stem in terms(word)]


def _numbered(text: str, labels: Sequence[str]) -> list[str]:
    numbered = [(label, match) for label in labels if (match := _LABEL.match(label))]
    found = []
    for hit in (hit for pattern in _NAMED_DIVISIONS for hit in pattern.finditer(text)):
        number = hit["number"].lower()
        for label, match in numbered:
            if number == "last" and match is numbered[-1][1]:
                found.append(label)
            elif number and number in (match[2].lower(), *(w for w, n in _ORDINALS.items() if str(n) == match[2])):
                found.append(label)
    return found


def _on_a_topic(index: PassageIndex, text: str, source_id: str, labels: Sequence[str]) -> list[str]:
    """The section meant by "the chapter on power": the one whose headings share most words with the topic."""
    asked = _DIVISION_ON.search(text)
    if asked is None:
        return []
    topic = set(terms(asked["topic"]))
    document = index.corpus.documents[source_id]
    shared: dict[str, int] = {}
    for section in document.sections:
        inner = " ".join(span.name for span in document.subheadings if section.start <= span.start < section.end)
        shared[section.label] = len(topic & set(terms(f"{section.label} {section.title} {inner}")))
    best = max(shared.values(), default=0)
    found = [label for label in labels if best and shared[label] == best]
    return found if len(found) == 1 else []


def _with_rows(index: PassageIndex, source_id: str) -> set[str]:
    """Labels of the sections that hold a table of checked claims."""
    return {s.section for s in index.corpus.documents[source_id].sentences if s.kind == "row"}


def _names(index: PassageIndex, said: Sequence[str], place: tuple[str, str], loose: bool) -> bool:
    """Whether a question names a heading: all its content words side by side, or "the" and a word of it that hardly
    stands anywhere else ("the editorial"); `loose`, where an outline is asked for, needs no "the". A heading of one
    word is named as a section."""
    source_id, label = place
    wanted = list(dict.fromkeys(terms(label)))
    stems = [stem for word in said for stem in terms(word)]
    if len(wanted) == 1:  # "the judgement section": a word alone is too often no heading
        return any({*wanted} == {one, other} - _DIVISIONS and one != other for one, other in pairwise(stems))
    if not wanted or _LABEL.match(label):
        return False
    if any(stems[i : i + len(wanted)] == wanted for i in range(len(stems))):
        return True
    own = {passage.row for passage in index.passages_of(source_id, label)}
    telling = set(_telling(said, loose)) & set(wanted)
    return any(len(set(index.passages_with(stem).tolist()) - own) <= 1 for stem in telling)


def number_of_sentences(text: str) -> int | None:
    """How many sentences or points a question asks for, if it says: "in three sentences", "five bullets"."""
    asked = _HOW_MANY.search(text)
    if asked is None:
        return None
    number = next((word for word in asked.groups() if word), "").lower()
    return int(number) if number.isdigit() else _ORDINALS.get(number, 1 if number in ("a", "an") else 0) or None


def _intent(text: str, people: Sequence[str]) -> Intent:
    if _ENUMERATE.search(text):
        return "list"
    if _CHECK.search(text):
        return "check"
    if _VIEWS.search(text) and len(people) < 2:
        return "views"
    if _SUMMARY.search(text):
        return "summary"
    if _COMPARE.search(text) or len(people) > 1:
        return "compare"
    return "list" if _LIST.search(text) else "answer"


def _encode(
    index: PassageIndex, encoder: Encoder, parts: Sequence[tuple[str, float]], aside: frozenset[str]
) -> tuple[Vectors, Vectors, Vectors, tuple[str, ...]]:
    """The mixed vector of weighted texts, and the tokens of all of them with their weights and their words; the
    terms `aside` count as function words."""
    texts, shares = [text for text, _ in parts], np.array([share for _, share in parts], dtype=np.float32)
    if not isinstance(encoder, OnnxEncoder):
        nothing = np.empty((0, SKETCH), np.float32)
        return unit(shares @ encoder.encode_query(texts)), nothing, np.empty(0, np.float32), ()
    tokens = encoder.encode_tokens(texts)
    weights: list[float] = []
    said: list[str] = []
    for (text, share), found in zip(parts, tokens, strict=True):
        own = [_word_at(text, int(a), int(b)) for a, b in found.offsets]
        counts = [_weight(index, word, aside) for word in own]
        # Shared out among the tokens of a part: a long context would drown a short turn otherwise.
        weights += [share * count / (sum(counts) or 1.0) for count in counts]
        said += own
    mixed = unit(shares @ np.stack([found.pooled for found in tokens]))
    sketches = np.concatenate([found.sketches for found in tokens])
    return mixed, sketches, np.array(weights, dtype=np.float32), tuple(said)


def _word_at(text: str, start: int, end: int) -> str:
    """The lower-cased word that a token belongs to."""
    while start > 0 and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum():
        end += 1
    return text[start:end].lower()


def _weight(index: PassageIndex, word: str, aside: frozenset[str]) -> float:
    """A token counts as the word it belongs to: nothing for punctuation, little for function words and for the
    asker's own frame ("does he think that ..."), and less the more passages hold the word."""
    if not any(ch.isalnum() for ch in word):
        return 0.0
    stems = terms(word)
    if not stems or is_frame(word) or aside.intersection(stems):
        return _FUNCTION_WORD
    found = len(index.passages_with(stems[-1]))
    return max(_FUNCTION_WORD, 1.0 - _COMMON * math.log1p(found) / math.log1p(len(index)))
