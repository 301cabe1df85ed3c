"""What kind of thing a question asks for, and whether a sentence holds one: a sum, a date, a person.

General English only. Most signs are weak and only weighed; what a question demands, an answer can't do without.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from rag.datatypes import Asked
from rag.terms import is_stop, terms

# A capitalised word that doesn't begin a sentence or a quotation.
_NAME = re.compile(r"(?<![.?!:“\"'] )(?<!^)(?<![“\"'])\b[A-Z][\w’'-]+")
_FULL_NAME = re.compile(rf"{_NAME.pattern}(?: [A-Z][\w’'-]+)+")
_OWNER = re.compile(r"[’']s?(?: |$)")
# Titles that people are asked about, spelt like names.
OFFICES = ("CEO", "CTO", "CFO", "PhD", "Dr", "I")
_ASKED: tuple[tuple[Asked, re.Pattern[str]], ...] = (
    (
        "amount",
        re.compile(
            r"\bhow (?:many|big|large|far|fast|often|high|old|well)\b|\b(?:number|amount|size|score|result|count)\b",
            re.I,
        ),
    ),
    (
        "money",
        re.compile(
            r"\bhow much (?:money|cash|funding|capital)\b|\bhow (?:much|many \w+) .*\b(?:raise|cost|pay|paid|spen[dt]|"
            r"invest|earn|make|made|worth)|\bhow expensive\b|\b(?:price|cost|valuation|valued|worth|funding|raised|"
            r"revenue|salary|spending|invest(?:ed|ments?))\b",
            re.I,
        ),
    ),
    (
        "duration",
        re.compile(r"\bhow long\b|\bhow (?:many|much) (?:time|hours|days|weeks|months|years|minutes)\b", re.I),
    ),
    ("percent", re.compile(r"\b(?:percent\w*|odds|probability|share|chance|likel\w+|proportion)\b", re.I)),
    ("date", re.compile(r"\b(?:when|(?:what|which) (?:year|date|month|day|time))\b", re.I)),
    (
        "person",
        re.compile(r"\b(?:who|whom|whose|which (?:\w+ )?(?:person|expert|critic|researcher|people|author))\b", re.I),
    ),
    ("place", re.compile(r"\b(?:where|locat\w+|which (?:city|cities|country|countries|place))\b", re.I)),
    (
        "reason",
        re.compile(r"\b(?:why|how come|what for|reasons?|because|what makes|what made|purpose|point of)\b", re.I),
    ),
)
_LOOKS: dict[Asked, re.Pattern[str]] = {
    "amount": re.compile(r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|hundreds?|thousands?|\w+illions?)\b"),
    "money": re.compile(r"[$€£¥]\s?\d|\b(?:dollars?|euros?|pounds?|\w+illion)\b"),
    "duration": re.compile(r"\b(?:\d+|\w+)[ -](?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|decades?)\b"),
    "percent": re.compile(r"\d\s?%|\b(?:per ?cent|half|odds|chance|probability|likely)\b"),
    "date": re.compile(
        r"\b(?:1[89]|20)\d\d\b|\b(?:January|February|March|April|May|June|July|August|September|October|November|"
        r"December)\b|\b\d+(?:[-–]| to )\d+ years"
    ),
    "person": re.compile(r"\b[A-Z][a-z]+ [A-Z]\w+|(?<=[a-z,] )[A-Z][a-z]+"),
    "place": re.compile(r"\b(?:in|at|from|between|to) [A-Z][a-z]+"),
}

_LEAD_IN = r"^\W*(?:(?:and|but|so|then|ok|also)\W+)*"
_BEGINS = _LEAD_IN + r"(?:(?:by|in|on|since|until|from|at|for|with|about|over|of) )?"
_DEMANDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "date",
        re.compile(
            _BEGINS + r"(?:when (?:exactly )?(?:did|was|were|will|had)\b|when (?:is|are) .*\b(?:due|going to|expected|"
            r"planned|supposed|scheduled|launch\w*)\b|"
            r"when (?:does|do) .*\b(?:expect|predict|forecast|anticipate|foresee)\b|"
            r"(?:what|which) (?:exact )?(?:year|date|month|day)\b)",
            re.I,
        ),
    ),
    (
        "duration",
        re.compile(_BEGINS + r"how long (?:did|does|was|is|will|has|have|had|would|until|till|before)\b", re.I),
    ),
    (
        "somebody's age",
        re.compile(
            _BEGINS + r"how old (?:is|was) (?:he|she|(?-i:[A-Z])[\w’'-]+(?: (?-i:[A-Z])[\w’'-]+)*)\W*$",
            re.I,
        ),
    ),
    ("age", re.compile(_BEGINS + r"how old (?:is|was|are|were)\b", re.I)),
    ("count", re.compile(_BEGINS + r"how many (?!of\b)(?P<unit>\w+)", re.I)),
    (
        "money",
        re.compile(
            _BEGINS + r"how much (?:money|cash|funding|capital)\b|" + _BEGINS + r"how much (?!time\b).*\b"
            r"(?:cost|earn|pay|paid|charge|raise|spend|spent|invest|worth|offer|bid|borrow|owe|donate|lend)\b",
            re.I,
        ),
    ),
    (
        "amount",
        re.compile(
            _BEGINS
            + r"how (?:many of\b|(?:tall|heavy) (?:is|was|are|were)\b|much (?:revenue\b|(?:\w+ )?(?:did|was|were|"
            r"has)\b|(?:\w+ )?(?:do|does|is|will|would) .*\b(?:make|sell|weigh|have|own|use|left|needed|required)\b))",
            re.I,
        ),
    ),
    ("percent", re.compile(_BEGINS + r"what (?:percentage|share|proportion|fraction)\b", re.I)),
    # Who said or thinks something is told by the voice of a sentence; who did something must be named in it.
    (
        "person",
        re.compile(
            _BEGINS + r"(?:who|whom)(?: (?:else|exactly|first|originally|actually))? "
            r"(?!(?:accus|acknowledg|admi|agre|answer|argu|ask|assert|believ|call|challeng|claim|conced|contradict|"
            r"critici[sz]|declar|describ|disagre|disput|doubt|emphasi[sz]|endors|explain|express|fear|hop|insist|mention|"
            r"not|object|observ|oppos|predict|push|question|rais|recall|remark|respond|stat|stress|suggest|support|"
            r"suspect|want|warn|worri)(?:e|t)*d\b)"
            r"(?P<verb>\w{2,}ed|won|led|left|quit|went|took|gave|wrote|lost|paid|built|bought|sold|made|ran|began|founds|became|joins|runs|leads|owns|heads|funds|backs)\b",
            re.I,
        ),
    ),
)
_OF_WORTH = re.compile(r"\b(?:valu\w+|worth)\b", re.I)
_IN_MONEY = r"[$€£¥]?\d[\d.,]*(?: ?\w+illion| ?bn| ?[mk])?(?: (?:dollars?|euros?|pounds?))?"
# What something is thought to be worth is no sum that changed hands.
_IS_WORTH = re.compile(
    rf"{_IN_MONEY} (?:pre-money |post-money )?valuation\b|"
    rf"\b(?:valuations?|valued|worth)(?: (?:of|at|near|around|about|some|over|nearly))* {_IN_MONEY}",
    re.I,
)
_NAMED = re.compile(
    r"(?<![.?!:“\"'] )(?<!^)(?<![“\"'])(?<!\b[Ii]n )(?<!\b[Aa]t )\b[A-Z][\w-]*[a-z][\w-]*|"
    r"^(?:[A-Z][\w-]*[a-z] ){2}|^[A-Z][\w-]*[a-z](?=[’']s )"
)
_BESIDE = re.compile(r"\b(?:with|besides?|apart from|other than|together with) (?:him|her|them|[A-Z]\w+)\b")
_MONTHS = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|March|April|May|June|July|August|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|"
    r"Dec(?:ember)?)"
)
_TIME = r"(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|decades?|centur(?:y|ies)|yrs?)(?-i:(?![a-z]))"
_IS_A_DATE = re.compile(
    rf"(?<![\w.,$€£])(?:1\d|20)\d\ds?(?:\s?[-–]\s?(?:1\d|20)\d\d)?(?![\w%]|[.,]\d| (?:people|employees|euros|dollars))"
    rf"|\b{_MONTHS} \d{{1,2}}\b|\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTHS}\b"
)
_IS_IN_TIME = re.compile(rf"\b(?:(?i:{_TIME}|ago\b|today\b|yesterday\b|tomorrow\b|tonight\b)|{_MONTHS}\b)")
# That something was so long ago doesn't say how long it took.
_AGO = re.compile(r"[\w-]+ \w+ ago\b", re.I)
_NUMBER = (
    r"(?:(?<![\w-])[$€£]?\d[\d.,]*+(?:\s?%)?|\b(?:zero|none|no one|nobody|once|twice|(?:only|just) one|the only|"
    r"two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|"
    r"hundreds?|thousands?|\w+illions?|dozens?|half|several|a (?:few|couple|third|quarter|single))\b)"
)
_IS_A_NUMBER = re.compile(_NUMBER, re.I)
_IS_A_COUNT = re.compile(rf"{_NUMBER}(?![ -]?(?:percent|per cent|{_TIME}|dollars|euros)\b)", re.I)
_IS_AN_AGE = re.compile(
    rf"{_NUMBER}[ -](?:years?|yrs?|months?|weeks?|days?)[ -]olds?\b|\baged?\b.{{0,6}}\d|\bborn\b", re.I
)
# "A 15-year-old" is somebody else.
_IS_SOMEBODYS_AGE = re.compile(
    r"\b\d{1,3} years old\b|\baged? \d|\bborn\b|\b(?:he|she|who) (?:is|was|turn(?:s|ed)) \d{1,3}\b", re.I
)
_WORDS = re.compile(r"[^\W_]+")
_SPEAKER = re.compile(r"^(?:[A-Z][\w’'-]+ ){0,2}[A-Z][\w’'-]+: ")
_ASIDE = re.compile(r"\([^()]*\)")
_MONTH_NAMES = frozenset(
    "january february march april may june july august september october november december".split()
)
_UNIT_OF_TIME = re.compile(rf"^{_TIME}$", re.I)

_YES_OR_NO = re.compile(
    _LEAD_IN + r"(?!(?:can|could|will|would) (?:you|u)\b)"
    r"(?:did|does|do|is|are|was|were|has|have|had|can|could|will|would|should)"
    r"(?:n[’']t)?\b",
    re.I,
)
_SPOKEN_OF = re.compile(
    _LEAD_IN + r"(?:what|does|do|did|is|are|was|were|has|have) .*?\b"
    r"(?:(?P<word>mention(?:s|ed)?|brings? up|refer(?:s|red)? to|touch(?:es|ed)? on|discuss(?:es|ed)?|"
    r"(?:talk|speak)(?:s|ed|ing)? (?:about|of|on))|sa(?:y|id|ys|ying)(?: \w+)? (?:about|of|on)) "
    r"(?:the |a |an )?(?P<topic>[^,;:?]+)",
    re.I,
)
_NO_MONEY = re.compile(r"\b(?:free|zero|nothing|unpaid)\b", re.I)

_DEFINED = re.compile(
    _LEAD_IN + r"(?:what(?: exactly)?(?:[’']s| is| are| was| were)|define|(?:what is|give me) (?:the|a) definition of|"
    r"(?:what|how) (?:does|do)(?=.* (?:mean|refer to)\W*$)|(?:explain|tell me) what) "
    r"(?:(?:meant|understood) by )?(?:the |an? |his |her |their |this |that )?[“\"'‘]?"
    r"(?P<topic>[\w’'-]+(?: [\w’'-]+){0,3}?)[”\"'’]?(?: mean| means| refer to| is| are)?\W*$",
    re.I,
)
_OBJECTS = re.compile(
    r"\b(?:critici[sz]\w*|critics? of|critiques? of|disagree\w* with|oppos(?:e|es|ed|ing|ition to)|object\w* to|"
    r"contradict\w*|(?:argu|sp[eo]ak|sa)\w* against|disput\w*|challeng\w*|attack\w*|doubt\w*)"
    r" (?P<whom>(?:[\w’'-]+\W*){1,3})",
    re.I,
)
_LONG_WORD, _ENDING = 9, 4
_NO_TERM = re.compile(
    r"\b(?:about|for|on|in|between|with|at|by|from|to|than|like|wrong|true|going|doing|not|his|her|their|next|new|point)\b",
    re.I,
)
_WHERE = re.compile(
    _LEAD_IN + r"(?:(?:in|from|under) )?(?:which|what) (?:chapter|section|part|text|source|page|episode)s?\b"
    r"(?! (?:is|are|was|were) (?:the )?(?:best|longest|shortest|last|first|most|your))|"
    r"^\W*where (?:does|do|did) (?!it\b)[\w’'-]+(?: [\w’'-]+)? (?:talk|speak|say|mention|discuss|write)\b|"
    r"^\W*where (?:in|(?:does|do|did|is|are) .*\bin) (?:the |this )?"
    r"(?:article|text|interview|transcript|document|book)\b|"
    r"^\W*where (?:does|do|did) (?:the |this )?(?:article|text|interview|transcript|document|book)\b(?! take)",
    re.I,
)

_WHICH_SOURCE = re.compile(r"\b(?:which|what) (?:text|source)s?\b", re.I)

Held = Callable[[str], bool]


def kinds_asked(question: str) -> frozenset[Asked]:
    """The kinds of thing that a question seems to ask for."""
    return frozenset(kind for kind, pattern in _ASKED if pattern.search(question))


@lru_cache(maxsize=65_536)
def share_held(text: str, kinds: frozenset[Asked]) -> float:
    """Share of the kinds of thing asked for that a sentence seems to hold."""
    wanted = [pattern for kind, pattern in _LOOKS.items() if kind in kinds]
    return sum(bool(pattern.search(text)) for pattern in wanted) / len(wanted) if wanted else 0.0


@lru_cache(maxsize=1_024)
def demanded(question: str) -> Held | None:
    """Whether a sentence holds what every answer must hold: "when did" asks for a time, "how many" for a number;
    None where a question demands no such thing."""
    for kind, pattern in _DEMANDS:
        if hit := pattern.search(question):
            if kind == "person":
                return _naming_another(question)
            in_time = kind == "count" and _UNIT_OF_TIME.match(hit["unit"])
            in_cash = kind == "money" and not _OF_WORTH.search(question)
            return _HOLDS["duration" if in_time else "sum" if in_cash else kind]
    return None


def counted(question: str) -> str:
    """The noun of "how many ...?"; nothing for other questions."""
    hit = dict(_DEMANDS)["count"].search(question)
    return hit["unit"] if hit else ""


def _naming_another(question: str) -> Held:
    """Whether a sentence names somebody whom the question doesn't, or two where it asks who else there was."""
    known = {*map(str.lower, _WORDS.findall(question)), *_MONTH_NAMES}
    fewest = 2 if _BESIDE.search(question) else 1

    return lambda text: len(_named(text) - known) >= fewest


@lru_cache(maxsize=65_536)
def _named(text: str) -> frozenset[str]:
    """The names in a sentence, each by its last word in lower case; neither who speaks it nor where something is."""
    return frozenset(name.split()[-1].lower() for name in _NAMED.findall(_ASIDE.sub("", without_speaker(text))))


def spoken_of(question: str) -> tuple[str, bool] | None:
    """The topic of "does he mention ...?" or "what does she say about ...?", and whether the very word is asked for;
    None for other questions."""
    hit = _SPOKEN_OF.search(question)
    return (hit["topic"], bool(hit["word"]) and yes_or_no(question)) if hit else None


def defined(question: str) -> str | None:
    """What "what is X?" or "what does X mean?" wants defined, as the question has it; None for other questions."""
    hit = _DEFINED.match(question)
    return hit["topic"] if hit and not _NO_TERM.search(hit["topic"]) else None


def names_topic(topic: str, text: str) -> bool:
    """Whether a sentence has what is to be defined, a long word also without its ending ("jaggedness", "jagged")."""
    root = topic if " " in topic or len(topic) < _LONG_WORD else topic[:-_ENDING]
    return root.lower() in text.lower()


def without_speaker(text: str) -> str:
    """A line of a transcript without the name of who speaks it."""
    return _SPEAKER.sub("", text)


def asks_who(question: str) -> str | None:
    """The verb of "who founded it?": what somebody is asked to have done; None for other questions."""
    hit = dict(_DEMANDS)["person"].search(question)
    return hit["verb"] if hit else None


def asks_where(question: str) -> bool:
    """Whether a question asks in which part of a text something stands."""
    return bool(_WHERE.search(question))


def asks_which_source(question: str) -> bool:
    """Whether a question asks which of several texts something stands in."""
    return bool(_WHICH_SOURCE.search(question))


def objected_to(question: str, forms: Iterable[str]) -> bool:
    """Whether somebody with these names, or "him" or "her", is the one whom objections are raised to."""
    hit = _OBJECTS.search(question)
    whom = f" {' '.join(_WORDS.findall(hit['whom']))} ".lower() if hit else ""
    return any(f" {form} ".lower() in whom for form in [*forms, "him", "her", "them"])


def yes_or_no(question: str) -> bool:
    """Whether a question asks if something is so."""
    return bool(_YES_OR_NO.match(question))


def _counts(text: str) -> bool:
    return bool(_IS_A_COUNT.search(_IS_A_DATE.sub(" ", text)))


def _measures(text: str) -> bool:
    return bool(_IS_A_NUMBER.search(_IS_A_DATE.sub(" ", text)))


def _is_in_time(text: str) -> bool:
    return bool(_IS_A_DATE.search(text) or _IS_IN_TIME.search(text))


def _is_a_sum(text: str) -> bool:
    return _is_money(_IS_WORTH.sub(" ", text))


def _is_money(text: str) -> bool:
    return bool(_LOOKS["money"].search(text) or _NO_MONEY.search(text))


_HOLDS: dict[str, Held] = {
    "date": _is_in_time,
    "duration": lambda text: bool(_IS_IN_TIME.search(_AGO.sub(" ", text))),
    "somebody's age": lambda text: bool(_IS_SOMEBODYS_AGE.search(text)),
    "age": lambda text: bool(_IS_AN_AGE.search(text)),
    "count": _counts,
    "amount": _measures,
    "percent": _measures,
    "money": _is_money,
    "sum": _is_a_sum,
}
# A question looks at hundreds of sentences, three times over, and other questions at the same ones.
_HOLDS = {kind: lru_cache(maxsize=16_384)(held) for kind, held in _HOLDS.items()}


def names_asked(question: str) -> list[str]:
    """The capitalised words of a question that don't begin a sentence."""
    return [name for name in _NAME.findall(question) if not is_stop(name.lower()) and terms(name)]


def full_names_asked(question: str) -> list[str]:
    """The runs of two or more capitalised words, without an office: "Ada Brandt", "Alder Bridge Trust"; none where
    every word that says something is capitalised. An owner and what is owned are two names: "Brandt's Old Mill"."""
    if not any(word[0].islower() and terms(word) for word in question.split()):
        return []
    runs = [name for run in _FULL_NAME.findall(question) for name in _OWNER.split(run) if " " in name]
    return [run for run in dict.fromkeys(runs) if all(terms(word) and word not in OFFICES for word in run.split())]
