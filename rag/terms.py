"""Text -> terms: the words that the lexical index and the gates compare.

Lower case, Snowball-stemmed, stop words left out. A hyphenated word gives its parts and the joined form,
so that "pre-training", "pretraining" and "pre training" meet.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from functools import lru_cache

import Stemmer

_WORD = re.compile(r"[$€£]?\d+(?:[.,]\d+)*%?|\w+(?:[’']\w+)*(?:-\w+)*")
_APOSTROPHE_S = re.compile(r"[’']s?$")
_STOP = frozenset(
    """a about above after again all also am an and any are aren't as at be because been before being below
    between both but by can can't cannot could couldn't did didn't do does doesn't doing don't down during each
    else ever few for from further get gets got had hadn't has hasn't have haven't having he her here hers
    herself him himself his how however i i'm if in into is isn't it its itself just let like made make many may
    me might more most much must my myself no nor not now of off on once one only or other our ours ourselves out
    over own per please really said same say says she should shouldn't since so some such tell than that that's
    the their theirs them themselves then there these they thing things this those though through to too under
    until up upon us very was wasn't we were weren't what what's when where whether which while who who's whom
    whose why will with within without won't would wouldn't yes yet you your yours yourself""".split()
)
STOP_WORDS = tuple(sorted(word for word in _STOP if "'" not in word))
_FRAME = frozenset(
    """think thinks thought believe believes believed argue argues argued claim claims claimed mean means meant
    mention mentions mentioned talk talks discuss discusses discussed explain explains explained describe
    describes described consider considers know tell told ask asks asked role roles play plays played view views
    opinion opinions according expect expects expected predict predicts predicted""".split()
)
_POINTS_BACK = re.compile(
    r"^[“\"]?(?:this|that|these|those|it|its|he|his|him|she|her|they|their|them|such|both|but|and|yet|so|or|"
    r"however|therefore|instead|in response|by comparison|another|furthermore|moreover|also|then|thus|not because|"
    r"because of (?:this|that)|the (?:first|second|third|former|latter|same|other|two|answer|question|reason|common)|"
    r"first|second|third|second,|finally|even more|what’s more|here|there)\b|"
    # "From this, ...", "In making these decisions, ...", "With that in mind ..."
    r"^[“\"]?(?:from|for|by|in|on|with|to|of|at|after|before|under|through|behind|beyond|given|despite|like|unlike)"
    r"(?: \w+ing)? (?:this|that|these|those|them|it|such|both)\b|"
    # "In November, he ...", "When discussing it, she ..."
    r"^[“\"]?[^,.;:]{2,40}, (?:he|she|they)\b",
    re.IGNORECASE,
)
_STANDS_BY_ITSELF = re.compile(
    r"^(?:there|it) (?:is|are|was|were) (?:no|not|a|an)\b|"
    # What a text calls itself.
    r"^this (?:[\w-]+ ){0,2}?(?:article|chapter|conversation|document|episode|essay|interview|report|section|text)\b",
    re.IGNORECASE,
)
_local = threading.local()


def terms(text: str) -> list[str]:
    """Stemmed content terms in order, with repetitions."""
    return [stem for word in words(text) for stem in _stems(word)]


@lru_cache(maxsize=65_536)
def term_set(text: str) -> frozenset[str]:
    """The distinct content terms of a sentence, which questions come back to."""
    return frozenset(terms(text))


def words(text: str) -> list[str]:
    """Lower-cased words, stop words included, curly apostrophes straightened."""
    return [match.group().lower().replace("’", "'") for match in _WORD.finditer(text)]


def spoken(text: str) -> str:
    """The words of a text with a space before, between and after them, so that one is looked for in another."""
    return f" {' '.join(words(text))} "


@lru_cache(maxsize=4_096)
def _spoken_name(name: str) -> str:
    return spoken(name)


def names_one(text: str, names: Iterable[str]) -> bool:
    """Whether a spoken text has one of the names, also as "X's"."""
    said = text.replace("'s ", " ")
    return any(_spoken_name(name) in said for name in names)


def points_back(sentence: str) -> bool:
    """Whether a sentence begins with a word whose meaning lies in a sentence before it."""
    return bool(_POINTS_BACK.match(sentence)) and not _STANDS_BY_ITSELF.match(sentence)


def is_frame(word: str) -> bool:
    """Whether a lower-cased word belongs to how a question is put rather than to what it is about."""
    return word in _FRAME


def is_stop(word: str) -> bool:
    """Whether a lower-cased word carries no content of its own."""
    return word in _STOP


@lru_cache(maxsize=65_536)
def _stems(word: str) -> tuple[str, ...]:
    if word in _STOP:
        return ()
    word = _APOSTROPHE_S.sub("", word)
    if not word or word in _STOP:
        return ()
    if word[0] in "$€£" or word[0].isdigit():
        return _number_stems(word)
    if "-" in word:
        parts = [part for part in word.split("-") if part and part not in _STOP]
        joined = word.replace("-", "")
        return tuple(_stem(part) for part in [*parts, joined])
    return (_stem(word),)


def _number_stems(word: str) -> tuple[str, ...]:
    bare = word.strip("$€£%").replace(",", "")
    return (bare,) if bare else ()


def _stem(word: str) -> str:
    stemmer = getattr(_local, "stemmer", None)
    if stemmer is None:  # PyStemmer's objects are not safe to share between threads
        stemmer = _local.stemmer = Stemmer.Stemmer("english")
    stem: str = stemmer.stemWord(word)
    return stem


def content_terms(text: str) -> tuple[str, ...]:
    """The distinct content terms of a text, without those of the asker's frame."""
    return tuple(dict.fromkeys(stem for word in words(text) if not is_frame(word) for stem in terms(word)))


# What a question may call the text, its parts and its people, whatever the text is.
OF_TEXTS = frozenset(
    terms(
        """article text piece essay document interview episode podcast talk conversation source chapter section part
        page paragraph title author writer editor host guest speaker critic expert quote quotation citation summary
        overview question answer word term name example point detail line list view opinion position argument claim
        criticism story anecdote tale"""
    )
)
