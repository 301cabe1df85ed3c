"""A question's misspelt words, read as the words of the sources that they are nearly.

A word is misspelt if it stands nowhere in the sources, is no word that the encoder's model has whole, and lies within a
slip or two of one that the sources have (optimal string alignment; Damerau 1964). Names are read so as well: the
answer says what was read as what.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rapidfuzz.distance import OSA

from rag.datatypes import Encoder
from rag.encoder import OnnxEncoder
from rag.index import PassageIndex
from rag.terms import STOP_WORDS, terms

_WORD = re.compile(r"(?<![\w’'-])[^\W\d_]{4,40}(?![\w’'-])")
# From this length on two slips are borne, before it one; a wrong letter is one only where the rest says enough.
_LONG, _TELLING = 10, 6
# An inflected word is longer than its stem by so much at the most.
_ENDING = 6
# A term's spellings are looked for in so many of its passages.
_PASSAGES = 3


def respell(index: PassageIndex, encoder: Encoder, text: str) -> tuple[str, dict[str, str]]:
    """The text with its misspelt words put right, and those words with what they were read as. With a model of
    another kind there is no list of words to go by, and nothing is changed."""
    if not isinstance(encoder, OnnxEncoder):
        return text, {}
    read: dict[str, str] = {}
    for word in dict.fromkeys(_WORD.findall(text)):
        stems = terms(word)
        if not stems or word.isupper() or any(len(index.passages_with(stem)) for stem in stems):
            continue
        if not encoder.has_word(word.lower()) and (nearest := _function_word(word) or _nearest(index, word)):
            read[word] = nearest
    return _WORD.sub(lambda hit: read.get(hit[0], hit[0]), text), read


def _function_word(written: str) -> str | None:
    """The function word that is one slip from a word in small letters: "mutch", "becuase"."""
    if not written.islower():
        return None
    near = (word for word in STOP_WORDS if len(word) > 3 and OSA.distance(word, written, score_cutoff=1) == 1)
    return next((word for word in near if not _is_another(written, word)), None)


def _nearest(index: PassageIndex, written: str) -> str | None:
    """The spelling in the sources that is nearest to a word, the commonest of equals."""
    word, best = written.lower(), None
    slips = 2 if len(word) >= _LONG else 1
    for stem in index.terms_like(word[0], len(word) - _ENDING, len(word) + slips):
        # A letter too many pushes the stem's last one out.
        if all(OSA.distance(stem, word[: len(stem) + extra], score_cutoff=slips) > slips for extra in (0, 1)):
            continue
        for spelling in _spellings(index, stem):
            slip = OSA.distance(spelling.lower(), word, score_cutoff=slips)
            if slip > slips or (_is_another(written, spelling) and (len(word) < _TELLING or written[0].isupper())):
                continue
            found = (slip, -len(index.passages_with(stem)), spelling[0].isupper(), spelling)
            best = found if best is None or found < best else best
    return best[-1] if best else None


def _is_another(written: str, spelling: str) -> bool:
    """Whether two words of one length have other letters: a slip, but names and short words differ so as well."""
    return len(written) == len(spelling) and sorted(written.lower()) != sorted(spelling.lower())


def _spellings(index: PassageIndex, stem: str) -> Iterator[str]:
    """How a term is spelt where it stands."""
    for row in index.passages_with(stem)[:_PASSAGES]:
        yield from {hit for hit in _WORD.findall(index.passage(int(row)).text) if stem in terms(hit)}
