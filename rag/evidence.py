"""A passage -> its sentences as statements, with whom their pronouns mean and who speaks.

Knows nothing of claims.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, zip_longest

from corpus.document import split_sentences
from rag.names import POSSESSIVES, Name
from rag.statements import Statement, deny, read

# An answer that denies what was asked, behind a speaker's label or none.
_NO = re.compile(r"(?:[A-Z][\w .'-]{1,40}: )?[“\"]?(?:No\b(?! one\b)|Never\b|Not (?:at all|yet|really|quite)\b)")
# Who speaks, perhaps behind a bullet, and perhaps with what they are: "Ann Lee (mayor): ...".
_LABEL = re.compile(r"(?:[•*–-] )?(?P<who>[A-Z][\w .'-]{1,40})(?: \([^()]{1,80}\))?:")
# A label that is no speaker's, and takes back what follows: "Myth: ...".
UNTRUE = re.compile(
    r"(?:myth|fiction|false|fake|hoax|untrue|not true|wrong|incorrect|rumou?r|misconception|lie)s?: ", re.IGNORECASE
)
# How many words are read together at most, where sentences are read in context.
STRETCH = 150
_NEXT_SPEAKER = re.compile(r"(?<=[.!?”\"’'] )(?=[A-Z][\w.'-]*(?: [A-Z][\w.'-]*){0,3}: )")
# These open a line as a speaker's name does.
_HEADINGS = frozenset(
    """background objective objectives aim aims methods method results result findings conclusion conclusions discussion
    limitations funding note notes summary abstract introduction context question answer present apologies""".split()
)


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage as statements, sentence by sentence, with the characters of each."""

    text: str
    statements: tuple[Statement, ...]
    spans: tuple[tuple[int, int], ...]
    # For each statement, the person last named before it: whom its pronouns mean.
    before: tuple[Name | None, ...]
    # For each statement, the one that opens its line with who speaks ("Ann Lee: ...").
    labels: tuple[int | None, ...]

    def told(self, first: int, end: int) -> str:
        """The text of sentences first to end - 1, behind the label of who speaks where that stands before them."""
        text, label = self.text[self.spans[first][0] : self.spans[end - 1][1]], self.labels[first]
        if label is None or label == first:
            return text
        return f"{self.statements[label].text.partition(':')[0]}: {text}"


@lru_cache(maxsize=2_048)
def read_passage(text: str) -> Passage:
    """A passage as statements. The same text gives the same object."""
    spans = tuple(span for line in _lines(text) for span in split_sentences(text, *line))
    statements = _answered(tuple(read(text[a:b]) for a, b in spans))
    before: list[Name | None] = []
    last: Name | None = None
    for statement in statements:
        before.append(last)
        # Whoever a sentence is about stays whom the next one's pronouns mean.
        first = next(
            (name for name in statement.names if name.parts[0] not in POSSESSIVES and name.sure and not name.acronym),
            None,
        )
        last = first if first is not None and not first.pronoun else last
    return Passage(text, statements, spans, tuple(before), _labels(text, spans, statements))


def _answered(statements: Sequence[Statement]) -> tuple[Statement, ...]:
    """The statements; a question that the next one answers with "no", and a myth told as one, are read as denied."""

    def is_denied(one: Statement, following: Statement | None) -> bool:
        answered = following is not None and _NO.match(following.text) and one.text.rstrip('”" ').endswith("?")
        return bool(answered or UNTRUE.match(one.text))

    return tuple(
        deny(one) if is_denied(one, following) else one for one, following in zip_longest(statements, statements[1:])
    )


def stretches(passage: Passage) -> list[tuple[int, int]]:
    """(first, last + 1) sentences of each stretch that is read whole."""
    cuts, words = [0], 0
    for n, statement in enumerate(passage.statements):
        if words and words + len(statement.words) > STRETCH:
            cuts.append(n)
            words = 0
        words += len(statement.words)
    return list(zip(cuts, [*cuts[1:], len(passage.statements)], strict=True)) if passage.statements else []


def label_of(statement: Statement) -> Name | None:
    """Who speaks by the label that opens a sentence: "Ann Lee: ..."."""
    head = _LABEL.match(statement.text)
    if head is None or head["who"].lower() in _HEADINGS:
        return None
    ends = [(name, statement.words[name.last].end) for name in statement.names if not name.pronoun]
    return next((name for name, end in ends if end == head.end("who")), None)


def _labels(text: str, spans: Sequence[tuple[int, int]], statements: Sequence[Statement]) -> tuple[int | None, ...]:
    starts = [start for start, _ in _lines(text)]
    labels: list[int | None] = []
    begun = 0  # lines, or what one speaker says in them
    for n, (start, _) in enumerate(spans):
        before, begun = begun, bisect_right(starts, start)
        opens = begun > before
        previous = None if opens else labels[-1]
        labels.append(n if opens and label_of(statements[n]) else previous)
    return tuple(labels)


def _lines(text: str) -> list[tuple[int, int]]:
    """The lines of a text, and within a line that opens with a speaker what each next speaker says."""
    spans, start = [], 0
    for line in text.split("\n"):
        if line.strip():
            cuts = [
                start,
                *(start + found.start() for found in _NEXT_SPEAKER.finditer(line) if _LABEL.match(line.lstrip())),
            ]
            spans += list(pairwise([*cuts, start + len(line)]))
        start += len(line) + 1
    return spans
