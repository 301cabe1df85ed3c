"""Texts for the bench, made of the built-in corpus's words: any amount, and the same for the same seed."""

from __future__ import annotations

import random
from collections import defaultdict
from itertools import pairwise

from corpus import Corpus

SECTION_WORDS = 135
_SECTIONS = 10
_SENTENCE_WORDS = (8, 26)


def generate(passages: int, seed: int = 1) -> dict[str, str]:
    """Texts of ten sections each, one passage a section, by source id: a chain of word pairs that begins anywhere,
    so that sentences have the lengths and the words of real ones, and no sense."""
    words = [word for source in Corpus.open().documents.values() for word in source.text.split() if word.isalpha()]
    follow: dict[str, list[str]] = defaultdict(list)
    for word, after in pairwise(words):
        follow[word].append(after)
    chance = random.Random(seed)
    texts = {}
    for begin in range(0, passages, _SECTIONS):
        sections = [
            f"# Section {n + 1}: {' '.join(_sentence(chance, words, follow)[:4])}\n\n{_section(chance, words, follow)}"
            for n in range(min(_SECTIONS, passages - begin))
        ]
        texts[f"text-{begin // _SECTIONS:05}"] = "\n\n".join(sections)
    return texts


def _section(chance: random.Random, words: list[str], follow: dict[str, list[str]]) -> str:
    said: list[str] = []
    count = 0
    while count < SECTION_WORDS:
        sentence = _sentence(chance, words, follow)
        said.append(" ".join(sentence).capitalize() + ".")
        count += len(sentence)
    return " ".join(said)


def _sentence(chance: random.Random, words: list[str], follow: dict[str, list[str]]) -> list[str]:
    said = [chance.choice(words)]
    for _ in range(chance.randint(*_SENTENCE_WORDS) - 1):
        said.append(chance.choice(follow[said[-1]] or words))
    return said
