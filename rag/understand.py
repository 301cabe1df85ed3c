"""Question -> Query: what is asked for, about whom, and where.

Reads the question's form (English function words) and the corpus's own names and headings; knows nothing
of any one document.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from rag.asked import full_names_asked, kinds_asked
from rag.datatypes import Encoder, Intent, Query, Scope, Standalone, Vectors
from rag.encoder import SKETCH, OnnxEncoder, unit
from rag.index import PassageIndex
from rag.intent import asks_for_views, asks_to_compare, intent_of, without_checking, without_summary
from rag.sections import BESIDE, PLACES, named_sections, sections_beside
from rag.terms import content_terms, is_frame, names_one, spoken, terms

# How much a function word counts beside a content word when tokens are compared one by one.
_FUNCTION_WORD = 0.15
# How much less a word counts that stands in every passage.
_COMMON = 0.7

_ASKS_FOR_A_VIEW = re.compile(
    r"\b(?:think|believe|sa(?:y|id)|argue|claim|mean|see|view|feel|want|propose|predict|expect|explain|describe|"
    r"suggest|admit|regard|consider|define|hold|worry|fear|hope|compare|use|according to|opinion|position|stance|"
    r"judge|judge?ment|assess|assessment|evaluate|verdict|conclude|conclusion|would|should|complain|"
    r"complaint|doubt|warn|warning|criticism|criticise|recommend|reject|concede|acknowledge|insist|prediction|forecast|"
    r"belief|answer|response|reaction|proposal)s?\b|"
    r"^\W*(?:is|was) (?-i:[A-Z])[\w’'-]+(?: (?-i:[A-Z])[\w’'-]+)? (?:really |actually )?"
    r"(?:against|in favou?r of|opposed to)\b",
    re.IGNORECASE,
)
_AGREES = re.compile(r"\b(?:agree|endorse|convinced|on (?:his|her|their) side|side with)s?\b", re.IGNORECASE)
_ROLES = {
    "host": r"\b(?:the|his|her|its) (?:host|interviewer|moderator)\b|^\W*who (?:interview(?:s|ed)|host(?:s|ed))\b",
    "guest": r"\b(?:the|his|her|its) (?:guest|interviewee)\b|^\W*who (?:is|was|are|were|got) (?:being )?interviewed\b",
}
_THE_TEXT = re.compile(r"\b(?:article|author|writer|editorial|text|piece|essay|editor)s?\b", re.IGNORECASE)
# Those whose views were asked for before.
_THEY = re.compile(r"\bthey (?:argue|say|think|want|believe|claim|suggest|propose|mean)\b|\btheir arguments?\b", re.I)
_HE = re.compile(r"\b(?:he|his|him|she|her|they|their)\b", re.IGNORECASE)
# Texts count employees or staff where people ask how large a team is, or how many work there.
_HOW_LARGE = re.compile(
    r"\bhow (?:big|large|small) (?:is|was|are)\b.*\b(?:team|staff|workforce|crew|company|firm|start-?up)\b|"
    r"\bhow many (?:people|persons|employees|staff|workers|folks)\b.*\b(?:works?|employs?|employed|have|has|there)\b|"
    r"\bhead-?count\b",
    re.IGNORECASE,
)
_STAFF = "employees, staff"
# And they give a number of years where people ask when somebody expects something.
_HOW_SOON = re.compile(
    r"^\W*(?:and |so )?(?:when|how soon) (?:will\b|(?:does|do)\b.*\b(?:expect|predict|forecast)\b)", re.IGNORECASE
)
_YEARS = "forecast, in years"
_HOW_LONG = re.compile(
    r"\bhow long (?:is|was|are|were|does|did)\b.*\b(?:interview|podcast|episode|talk|conversation|video|recording)\b",
    re.IGNORECASE,
)
_LENGTH = "podcast episode, minutes"


def understand(index: PassageIndex, encoder: Encoder, turn: Standalone, scope: Scope) -> Query:
    """What the stages need to know of a turn and of what it leans on."""
    parts = [(turn.asked, 1.0), (turn.context, turn.leaning)] if turn.leaning else [(turn.asked, 1.0)]
    parts = [(_as_told(part), share) for part, share in parts]
    total = sum(share for _, share in parts)
    parts = [(part, share / total) for part, share in parts]
    people = named_people(index, turn.asked)
    if not people or asks_to_compare(turn.asked):
        people = named_people(index, turn.text)
    intent = intent_of(turn.asked, people)
    if intent == "answer" and turn.leaning and _THEY.search(turn.asked) and asks_for_views(turn.text):
        intent = "views"
    sections = named_sections(index, turn.asked, scope)
    holders = _holders(index, turn.asked, people, intent, within=bool(sections))
    guests = {person.name for person in index.corpus.people if person.role == "guest"}
    # Where people are set side by side, their names are looked for by themselves, and the topic should count; so it
    # should where a guest's view is asked for, who holds half of all sentences.
    forms = [form for person in index.corpus.people if person.name in people for form in person.forms]
    names = frozenset(stem for form in forms for stem in terms(form))
    aside = names if len(people) > 1 or (holders and guests.issuperset(people)) else frozenset()
    if intent == "check":
        aside |= {*terms(turn.asked)} - {*terms(without_checking(turn.asked))}
    vector, tokens, weights, token_words = _encode(index, encoder, parts, aside)
    if not sections and (beside := sections_beside(index, turn, scope)):
        sections, intent = beside, intent if content_terms(BESIDE.sub(" ", turn.asked)) else "summary"
    elif not sections and intent == "summary" and not content_terms(without_summary(turn.asked)):
        sections = named_sections(index, turn.text, scope)  # "in one sentence, please", of what was asked before
    if intent == "views" and index.corpus.main is not None and index.corpus.main.voice in holders:
        intent = "list"  # what the text itself objects to, not what others do
    return Query(
        text=turn.text,
        asked=turn.asked,
        terms=content_terms(without_summary(turn.text)),
        weighted_terms=tuple((tuple(t for t in content_terms(part) if t not in aside), share) for part, share in parts),
        vector=vector,
        tokens=tokens,
        token_weights=weights,
        token_words=token_words,
        intent=intent,
        kinds=kinds_asked(turn.asked),
        people=people,
        sections=sections,
        place_terms=PLACES.union(*(terms(label) for _, label in sections)) if sections else frozenset(),
        holders=holders,
        named=_named(index, turn.asked),
        said=turn.said,
        more=turn.more,
    )


def _as_told(question: str) -> str:
    """A question with the words that texts have for what it asks."""
    for asked, told in ((_HOW_LARGE, _STAFF), (_HOW_SOON, _YEARS), (_HOW_LONG, _LENGTH)):
        if asked.search(question):
            return f"{question} ({told})"
    return question


def _holders(
    index: PassageIndex, text: str, people: tuple[str, ...], intent: Intent, *, within: bool
) -> tuple[str, ...]:
    """The people whose own view is asked for: "why does X think ..."; "he" without a name is the guest, and other
    views without a name are the critics'. `within` sections that are named, "the editorial part" is a place."""
    asks = bool(_ASKS_FOR_A_VIEW.search(text) or asks_for_views(text))
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
    roles = {role for role, pattern in _ROLES.items() if re.search(pattern, text, re.IGNORECASE)}
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
