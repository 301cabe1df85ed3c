"""History + question -> standalone question. A turn takes from the history as much as it leans on it.

How far a turn leans is read off the turn: how few words of its own it brings, whether it points back with a
pronoun, whether it already names what was last asked about. What it leans on is the question before it and
the beginning of the answer to that; nothing older is searched for, so a long history costs nothing. How the
weights were found, and what each gains on public conversations: docs/retrieval.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rag.datatypes import REFUSAL, Standalone, Turn
from rag.intent import without_summary
from rag.terms import content_terms, is_stop, names_one, spoken, terms, words

# How somebody is named, the fullest form first.
Forms = Sequence[str]

# "There" and "then" are left out: they open more questions ("are there ...?") than they point back.
_PRONOUNS = frozenset(
    "he him his she her hers they them their theirs it its this that these those one ones such".split()
)
_BREAKS = re.compile(
    r"\b(?:different|another|new|other) (?:topic|subject|question)\b|\bchang(?:e|ing) (?:the )?(?:topic|subject)\b",
    re.IGNORECASE,
)
# What opens a turn without belonging to what is asked: "OK, different topic.", "thanks!", "never mind him -".
_OPENING = re.compile(
    r"^(?:(?:(?:and |but |so |now |then )?(?:o\.?k(?:ay)?|right|well|so|hm+|h(?:i|ello|ey)(?: there)?|thanks?(?: you)?"
    r"(?: \w+)?|got it|i see|great|cool|nice|sure|fine|good|interesting|wow|anyway|moving on|next|please|"
    r"never ?mind(?: \w+)?|forget (?:it|that|him|her|them)|(?:an?other|a? ?different|a? ?new|next|change of|changing) "
    r"(?:topic|subject|question)|something else)(?: now| then| again)?)\s*[.,!:;–—-]+\s*)+",
    re.IGNORECASE,
)
# How people begin when they write as they speak, before a question word: "um so I was wondering what ...".
_TALK = re.compile(
    r"^(?:(?:hey|hi|hello|yo|so|um+|uh+|erm?|like|well|please|pls|dude|man|bro|sorry)\b[\s,.!]*)*"
    r"(?:(?:i(?: was|[’']?m| am) (?:just )?(?:wondering|curious)|(?:can|could|would) (?:you|u) (?:please |maybe )?"
    r"(?:tell|explain to) me|do you (?:happen to )?know|i(?:[’']?d| would) (?:like|love) to know|"
    r"i (?:just )?(?:want(?:ed)? to|wanna) know)\b[\s,]*(?:(?:um+|uh+|like|please|about|if|whether)\b[\s,]*)*)?"
    r"(?=(?:who|what|when|where|why|how|which|is|are|do|does|did|was|were|has|have|can|will)\b)",
    re.IGNORECASE,
)
_TAIL = re.compile(r"[\s,]+(?:lol|lmao|haha\w*|pls|plz|thx|tho|dude|bro)\W*$", re.IGNORECASE)
# A turn that only names somebody or something else: "And Hinton?", "What about in Europe?".
_SOMETHING_ELSE = re.compile(
    r"^\W*(?i:(?:(?:and|or|but|so) )?(?:(?:what|how) about )?(?:(?P<place>in|of|for|from|by|with|to|at|on) )?)"
    r"(?P<name>[A-Z][\w-]*(?: (?:of |the )?[A-Z][\w-]*){0,4}"
    r"|the (?:host|guest|interviewer|author|article|critics|others))\W*$"
)
# A turn that asks for nothing but more of the same.
_MORE = re.compile(
    r"^\W*(?:(?:and|ok(?:ay)?|yes|please|so|but|can you|could you|would you|will you)\b[\s,]*)*"
    r"(?:(?:tell|give|show) (?:me )?(?:some )?(?:more|further)(?: details?| (?:about|on|of) (?:it|this|that))?|"
    r"(?:explain|say|elaborate|expand|go on|continue|carry on)(?: (?:it|this|that))?"
    r"(?: (?:some )?(?:more|further|on (?:it|this|that)|in (?:more|greater) detail))?|"
    r"(?:in )?(?:some )?more(?: details?| please)?|(?:what|anything) (?:else|more)|go (?:on|deeper))(?:,? please)?\W*$",
    re.IGNORECASE,
)
_PLEASE = frozenset(terms("please thanks short sum put say make give answer sentence line word"))
_MEN, _WOMEN = frozenset("he him his".split()), frozenset("she her hers".split())
_GENDERS = ((_MEN, _WOMEN), (_WOMEN, _MEN))
_HE = re.compile(r"\b(?:he|she|him|his(?= [a-z])|her(?= [a-z]))\b", re.IGNORECASE)
_NAME = re.compile(r"\b[A-Z][\w-]*(?: [A-Z][\w-]*)*")
# Weight of the context beside a turn's own 1, by the number of the turn's own content terms.
_BY_TERMS = (1.4, 0.7, 0.5, 0.3, 0.15, 0.12, 0.1)
_POINTS_BACK = 1.8
_NAMES_IT_AGAIN = 0.4
# As if the name of whom it speaks stood in it, and in the question before.
_BY_HIS_NAME = 0.12
_OF_HIM = re.compile(
    r"\b(?:does|did|do|has|have|had|would|will|could|can|should|is|was) (?:he|she) \w+ (?P<rest>.+)", re.IGNORECASE
)
_NO_TOPIC = frozenset(
    terms("instead now then today differently else again already yet really exactly later before after")
)
_ASKS_WHO = re.compile(r"\bwh(?:o|om|ose)\b", re.IGNORECASE)
# From here on the turn isn't understood without the question before it, so that becomes part of its text.
_LEANS = 0.25
_ANSWER_CHARACTERS = 200
_QUESTION_CHARACTERS = 400
_LOOK_BACK = 3


def standalone_question(
    question: str, history: Sequence[Turn], people: Sequence[Forms] = (), *, guest: bool = False
) -> Standalone:
    """Add to the question what it leans on; nothing where there is no history, or the question breaks off. "He" is the
    last that was asked about of `people`; where nobody was, the guest, if the texts have one."""
    breaks = _BREAKS.search(question)
    question = without_opening(question)
    recent = _that_were_answered(history, question)[-2 * _LOOK_BACK :]
    asked, spelt = _asked_in(recent, people)
    if asked and not breaks and _MORE.match(question):
        last = max(n for n, turn in enumerate(recent) if turn["role"] == "user")
        again = standalone_question(asked[-1], recent[:last], people, guest=guest)
        return replace(again, more=True, said=_answers(recent))
    if asked and not breaks and _only_shorter(question):
        return standalone_question(
            f"{asked[-1]} {question}", [Turn(role="user", content=q) for q in asked[:-1]], people, guest=guest
        )
    if asked and not breaks:
        question = _with_the_person(_with_another_name(question, asked[-1]), asked, spelt, people)
    leaning = lean(question, asked[-1]) if asked and not breaks else 0.0
    nobody = not any(_who(before, people) for before in asked)
    if leaning and guest and nobody and _is_of_the_guest(question, asked[-1]):
        leaning = _BY_HIS_NAME
    if not leaning:
        return Standalone(question, question)
    said = recent[-1]["content"][:_ANSWER_CHARACTERS] if recent[-1]["role"] == "assistant" else ""
    leans = leaning >= _LEANS
    text = _chain(question, asked) if leans else question
    before = _chain(asked[-1], asked[:-1])[-_QUESTION_CHARACTERS:]
    return Standalone(text, question, f"{before} {said}".strip(), leaning, _answers(recent) if leans else "")


def _asked_in(turns: Sequence[Turn], people: Sequence[Forms]) -> tuple[list[str], list[str]]:
    """The questions of a conversation, oldest first: with names in the place of "he" and of what is left out, and as
    they were put."""
    asked: list[str] = []
    spelt: list[str] = []
    for turn in turns:
        text = turn["content"].strip()[:_QUESTION_CHARACTERS]
        if turn["role"] == "user" and not (asked and _only_shorter(text)):
            whole = _with_another_name(text, asked[-1]) if asked else text
            asked.append(_with_the_person(whole, asked, spelt, people))
            spelt.append(text)
    return asked, spelt


def _answers(turns: Sequence[Turn]) -> str:
    return " ".join(turn["content"] for turn in turns if turn["role"] == "assistant")


def _that_were_answered(history: Sequence[Turn], question: str) -> Sequence[Turn]:
    """The turns of a conversation without what the sources didn't say, and without what only asks for more. A bare
    "And why?" may lean on a question that wasn't answered."""
    bare = not content_terms(question) and not _MORE.match(question)
    kept: list[Turn] = []
    heard = True
    for n, turn in enumerate(history):
        if turn["role"] == "assistant":
            kept += [turn] if heard else []
            continue
        refused = n + 1 < len(history) and history[n + 1]["content"].startswith(REFUSAL)
        heard = not refused or (bare and n >= len(history) - 2)
        kept += [turn] if heard and not _MORE.match(turn["content"]) else []
    return kept


def _only_shorter(question: str) -> bool:
    """Whether a turn asks for nothing but what was just said, in short: "summarise that", "in one sentence, please"."""
    rest = without_summary(question)
    return rest != question and not set(content_terms(rest)) - _PLEASE


def _with_another_name(question: str, before: str) -> str:
    """The question before with the name that a turn brings in place of its own, if the turn brings nothing else:
    "What does LeCun say?", "And Hinton?" -> "What does Hinton say?"."""
    other = _SOMETHING_ELSE.match(question)
    if other is None or not terms(other["name"]):
        return question
    names = [(start, end) for start, end in map(_without_asking, _NAME.finditer(before)) if terms(before[start:end])]
    if other["place"]:
        names = [(start, end) for start, end in names if before[:start].lower().endswith(f" {other['place']} ")]
    if not names:
        return question
    start, end = names[0]
    return before[:start] + other["name"] + before[end:]


def _without_asking(name: re.Match[str]) -> tuple[int, int]:
    """Where a name begins and ends, without the word that asks: "Does Brandt"."""
    first, space, _ = name[0].partition(" ")
    return name.start() + (len(first + space) if name.start() == 0 and is_stop(first.lower()) else 0), name.end()


def _with_the_person(question: str, asked: Sequence[str], spelt: Sequence[str], people: Sequence[Forms]) -> str:
    """The question with the one person that the last of those before it named in place of the first "he" or "his";
    unchanged where it names somebody itself, or two are named."""
    he = _HE.search(question)
    # "Does he agree with Ann?" asks of somebody else than Ann, "did Ann say that he left?" perhaps not.
    if he is None or _who(question[: he.start()], people) or _is_somebody_else(question, spelt):
        return question
    own = _who(question, people)
    for before in reversed(asked):
        if named := _who(before, people):
            if len(named) != 1 or named == own:
                return question
            whose = "'s" if he[0].lower() in ("his", "her") else ""
            return question[: he.start()] + named[0] + whose + question[he.end() :]
    return question


def _is_somebody_else(question: str, spelt: Sequence[str]) -> bool:
    """Whether a turn says "she" where those before it said "he", or the other way round."""
    mine, before = set(words(question)), {word for turn in spelt for word in words(turn)}
    return any(mine & one and not mine & other and before & other and not before & one for one, other in _GENDERS)


def _who(text: str, people: Sequence[Forms]) -> list[str]:
    """The full names of the people that a text names."""
    said = spoken(text)
    return [forms[0] for forms in people if names_one(said, forms)]


def without_opening(question: str) -> str:
    """Leave out words that only open the turn; the whole turn where nothing else is left."""
    rest = question[opening.end() :] if (opening := _OPENING.match(question)) else question
    rest = _TAIL.sub("?" if rest.rstrip().endswith("?") else "", _TALK.sub("", rest))
    return rest if terms(rest) else question


def lean(question: str, before: str) -> float:
    """Say how much the context of a turn counts beside the turn itself, which counts 1.

    `before` is the question that went before it. 0 where the turn says that it changes the subject.
    """
    if _BREAKS.search(question):
        return 0.0
    own = set(terms(question))
    weight = _BY_TERMS[min(len(own), len(_BY_TERMS) - 1)]
    if any(word in _PRONOUNS for word in words(question)):
        weight *= _POINTS_BACK
    if own & set(terms(before)):
        weight *= _NAMES_IT_AGAIN
    return weight


def _is_of_the_guest(question: str, before: str) -> bool:
    """Whether a turn says by itself what it asks of "him", on something that the question before it, which asks for
    nobody, doesn't speak of: "what does he say about chess?"."""
    whole = _OF_HIM.search(question)
    pointing = _PRONOUNS.intersection(words(question)) - _MEN - _WOMEN
    if whole is None or pointing or _ASKS_WHO.search(before):
        return False
    topic = set(content_terms(whole["rest"])) - _NO_TOPIC
    return bool(topic) and topic.isdisjoint(terms(before))


def _chain(question: str, asked: Sequence[str]) -> str:
    """Put before the turn the questions it leans on, back to the first that stands alone."""
    chain = [question]
    for i in range(len(asked) - 1, -1, -1):
        chain.insert(0, asked[i])
        if i == 0 or lean(asked[i], asked[i - 1]) < _LEANS:
            break
    return " ".join(chain)


# Where a question goes on to ask a second thing: "..., and where?", "... and how does it ...", "...? When ...".
_SECOND = re.compile(
    r"\s*[,;?]?\s+(?:and|or) (?=(?:(?:in|to|by|at|for|on|from|of|with) )?(?:who|what|when|where|why|how|which)\b)"
    r"|(?<=\?)\s+(?=\w+\b[^?]*\?)",
    re.IGNORECASE,
)
_MOST_PARTS = 3


def parts(question: str) -> list[str]:
    """The questions that a turn asks, in order; the turn itself where it asks one thing.

    A bare "and why?" or "and where?" asks for more of the same, so it is no part of its own.
    """
    found = [part.strip() for part in _SECOND.split(question)]
    if not terms(found[0]) or len(found) > _MOST_PARTS:
        return [question]
    return found if all(map(terms, found)) else [question]
