"""What form of answer a question wants: a summary, a list, a check, other views; and how many sentences.

General English only, read from the question's form.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.datatypes import Intent

_WHOLE = (
    r"(?:the |this )?(?:whole |entire |last |first )?"
    r"(?:article|text|document|piece|chapter|section|part|interview|talk|episode)"
)
_SUMMARY = re.compile(
    r"\b(?:summar\w+|recap|overview|gist|tl;?dr|synopsis|outline|briefly|shorter|highlights?|"
    r"(?:tell me )?something interesting|all about|boils? down|sum up|"
    r"(?:main|key|central|core|big|chief) (?:points?|ideas?|arguments?|messages?|themes?|claims?|lessons?|takeaways?)|"
    r"in (?:a|one|two|three|four|five|\d+) (?:sentences?|lines?|words?|nutshell|bullets?|bullet points?)|"
    rf"what(?: is| was|'s) (?:(?:this|it|that)|{_WHOLE})(?: \w+)? (?:all )?about\W*$|"
    rf"what (?:does|did) {_WHOLE}(?: \w+)? (?:say|cover|argue)\W*$)",
    re.IGNORECASE,
)
_CHECK = re.compile(
    r"\b(?:(?:scientific|factual|historical|technical|actual|real|medical)ly "
    r"(?:true|correct|right|accurate|sound|valid)|"
    r"is it (?:true|correct|right|accurate|a fact)|(?:true|correct|right|accurate) (?:that|about)|"
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
    r"\b(?:disagree\w*|critic(?:s|i[sz]\w+|al (?=of\b|voices?\b|views?\b|re\w+s?\b))?\b|critiqu\w+|"
    r"refut\w+|rebut\w*|"
    r"oppos\w+|opponents?|object(?:s|ed|ions?|ors?)?(?= to\b| about\b|\W*$)|"
    r"push(?:es)? back|"
    r"sceptic\w*|skeptic\w*|counter(?:s|ed|-?arguments?|-?points?)|other (?:side|views?|voices?|opinions?)|dissent\w*|"
    r"contradict\w*|(?:argue|speak|say|said|evidence|argument|case|point)s? against|"
    r"(?:weak(?:ness(?:es)?| points?)|flaws?|shortcomings?|holes?) (?:of|in) "
    r"(?:his|her|their|the|(?:(?-i:[A-Z])\w+ )?(?-i:[A-Z])\w+[’']s?) "
    r"(?:argument|reasoning|view|case|claim|position|theory|thesis)\w*|"
    r"(?:is|was) (?:he|she|(?-i:[A-Z])\w+(?: (?-i:[A-Z])\w+)?) (?:right|wrong|mistaken|correct)|"
    r"(?:who|what|which \w+) (?:else )?(?:questions?|doubts?|disputes?|challenges?|rejects?) |"
    r"(?:do|did|would) (?:the )?others? (?:think|say|believe|see|make of)|"
    r"others? (?:think|say|believe)s?(?= (?:about|of)\b|\W*$)|"
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
_NUMBERS = """one first|two second|three third|four fourth|five fifth|six sixth|seven seventh|eight eighth|nine ninth|
ten tenth|eleven eleventh|twelve twelfth"""
ORDINALS = {word: n for n, names in enumerate(_NUMBERS.split("|"), start=1) for word in names.split()}
# "Shorter" and "briefly" ask for so many.
_SHORTER = 2
_SHORT = re.compile(r"\b(?:briefly|shorter)\b", re.IGNORECASE)
_EACH = re.compile(r"\b(?:each|every|per)\b", re.IGNORECASE)
_HOW_MANY = re.compile(
    r"\b(?:in|within|using) (a|an|one|two|three|four|five|six|seven|eight|nine|ten|\d{1,2}) (?:short )?"
    r"(?:sentences?|lines?|bullets?|bullet points?|points?)\b|"
    r"\b(one|two|three|four|five|six|seven|eight|nine|ten|\d{1,2}) (?:\w+ )?"
    r"(?:sentences?|bullets?|bullet points?|lines?)\b",
    re.IGNORECASE,
)


def intent_of(text: str, people: Sequence[str]) -> Intent:
    """The form of answer that a question wants, given the people that it names."""
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


def asks_to_compare(text: str) -> bool:
    """Whether a question sets things side by side."""
    return bool(_COMPARE.search(text))


def without_checking(text: str) -> str:
    """A question without the words that ask whether something is so: a verdict holds them, whatever it is on."""
    return _CHECK.sub(" ", text)


def without_views(text: str) -> str:
    """A question without the words that ask for other views: what those views are of."""
    return " ".join(_VIEWS.sub(" ", text).split())


def asks_for_views(text: str) -> bool:
    """Whether a question asks for views that oppose."""
    return bool(_VIEWS.search(text))


def without_summary(text: str) -> str:
    """A question without the words that ask for a summary."""
    return _SUMMARY.sub(" ", text)


def asks_for_outline(text: str) -> bool:
    """Whether a question asks for a summary or a list, so that it may name a section by any of its words."""
    return bool(_SUMMARY.search(text) or _LIST.search(text) or _ENUMERATE.search(text))


def asks_for_all_checks(text: str) -> bool:
    """Whether a question goes through what was checked, one by one."""
    return bool(_ENUMERATE.search(text) and _CHECK.search(text))


def number_of_sentences(text: str) -> int | None:
    """How many sentences or points a question asks for in all, if it says: "in three sentences", "five bullets"."""
    if _EACH.search(text):
        return None
    asked = _HOW_MANY.search(text)
    if asked is None:
        return _SHORTER if _SHORT.search(text) else None
    number = next((word for word in asked.groups() if word), "").lower()
    return int(number) if number.isdigit() else ORDINALS.get(number, 1 if number in ("a", "an") else 0) or None
