"""A sentence -> its words, each with its stem, its place and its clause; and closed classes of English words.

Knows nothing of what the words state.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.terms import terms

_TOKEN = re.compile(r"[$€£¥]?\d+(?:,\d+)*(?:\.\d+)?(?:%|s\b)?|[^\W_]+(?:[’'][^\W_]+)*|[^\w\s]")
# What tokenised corpora write for brackets and quotation marks (Penn Treebank).
_TREEBANK = re.compile(r"-(?:LRB|LSB|LCB)-|-(?:RRB|RSB|RCB)-|``|''")
_DOTTED = re.compile(r"(?<![\w.])(?:[A-Z]\.){2,}")
_LOOSE = re.compile(r"( +)([,;])(?= )")
# "3, 000 people"; but not "on March 12, 116 people".
_THOUSANDS = re.compile(r"(\b[A-Z][a-z]+\.? )?(?<![\w.,])(\d{1,3}(?:, \d{3})+)(?![\d,])")
CLITIC = re.compile(r"['’](?:s|re|ve|ll|d|m)?$", re.IGNORECASE)
_STOPS = frozenset(".;:()[]–—?!")
CLAUSES = frozenset(
    """but while whereas because although though unless if when which who whom whose since so yet and or that
    before after until than""".split()
)

_SUBJECT = re.compile(r"\s+(?:[A-Z]\w+|he|she|it|they|we|you|this|that|these|there)\b")
_BEFORE_YET = frozenset("has have had is are was not".split())

# Of how many: none, few, some, many, most, all.
QUANTIFIERS = {
    **dict.fromkeys("no none nobody nothing neither nowhere never zero".split(), 0),
    **dict.fromkeys("few little rarely hardly seldom scarcely".split(), 1),
    **dict.fromkeys("some several certain any sometimes various another someone something".split(), 2),
    **dict.fromkeys("many numerous often plenty much countless half".split(), 3),
    **dict.fromkeys("most mostly mainly largely majority usually generally almost nearly".split(), 4),
    **dict.fromkeys("all every each everyone everybody everything entire whole always both".split(), 5),
}

REPORTING = frozenset(
    """says said say argues argued argue believes believed thinks thought notes noted claims claimed states stated
    adds added suggests suggested warns warned concludes concluded reports reported finds found writes wrote holds
    held maintains maintained insists insisted admits admitted concedes conceded accepts accepted acknowledges
    acknowledged observes observed points pointed remarks remarked calls called predicts predicted expects expected
    asks asked answers answered objects objected proposes proposed explains explained describes described
    thinks doubts doubted sees saw credits credited judges judged told tells considers considered cites cited
    stresses stressed counters countered favours favors favoured prefers preferred gives gave offers offered refuses
    rejects rejected agrees agreed disagrees hears heard wants wanted announced replied replies puts think believe add
    suggest warn conclude insist admit concede maintain acknowledge propose explain describe predict""".split()
)

BE = frozenset("is are was were be been being".split())
# What follows these is rather a verb.
BEFORE_VERBS = frozenset(
    """he she it they we you i who which to not never will would can could may might must should do does did also
    still often""".split()
)


@dataclass(frozen=True, slots=True)
class Word:
    """One word. `stem` is empty when it carries no content; `sign` is -1 where the sentence denies it;
    `clause` counts the clauses of the sentence."""

    text: str
    lower: str
    stem: str
    start: int
    end: int
    clause: int
    sign: int = 1
    number: bool = False
    # Whether a comma stands before it.
    comma: bool = False


def even_out(text: str) -> str:
    """A text in which "U.S." is "US", "3, 000" is "3,000", and brackets and quotation marks are themselves.

    As long as it was, so that places in it stay places in the text."""
    text = text.replace("’", "'").replace("‘", "'")
    text = _TREEBANK.sub(_plain_mark, text)
    text = _DOTTED.sub(lambda m: m.group().replace(".", "").rjust(len(m.group())), text)
    text = _LOOSE.sub(lambda m: m[2] + m[1], text)
    return _THOUSANDS.sub(lambda m: m[0] if m[1] else m[2].replace(", ", ",").ljust(len(m[2])), text)


def _plain_mark(mark: re.Match[str]) -> str:
    text = mark.group()
    plain = '"' if len(text) == 2 else "(" if text[1] == "L" else ")"
    return plain.center(len(text))


def split_words(text: str) -> tuple[Word, ...]:
    """The words of a sentence in order."""
    found: list[Word] = []
    clause, comma = 0, False
    for match in _TOKEN.finditer(text):
        token = match.group()
        if not any(ch.isalnum() for ch in token):
            clause += token in _STOPS
            comma = comma or token == ","
            continue
        lower = token.lower()
        if lower in CLAUSES and found and _opens_clause(text, match, found[-1]):
            clause += 1
        stems = () if token[0].isdigit() else terms(CLITIC.sub("", token))
        found.append(
            Word(
                token, lower, stems[0] if stems else "", match.start(), match.end(), clause,
                number=token[0].isdigit(), comma=comma,
            )
        )  # fmt: skip
        comma = False
    return tuple(found)


def _opens_clause(text: str, match: re.Match[str], before: Word) -> bool:
    """Whether a word that may open a clause does: "and" where a subject follows, "yet" not in "has yet"."""
    if match.group().lower() == "yet":
        return before.lower not in _BEFORE_YET
    following = text[match.end() : match.end() + 24]
    return match.group().lower() not in ("and", "or") or bool(_SUBJECT.match(following))
