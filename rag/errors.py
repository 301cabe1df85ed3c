"""The errors of the asking side; each says what is wrong and ends with the command that cures it.

VerseError (corpus)
├── CorpusError (corpus)   the folder, its manifest or a text
│   └── CorpusUnreadable (corpus)   nothing of it can be read now
├── IndexMissing           there is no complete index at that place
├── IndexMismatch          the index is of another corpus, model or format
├── ModelUnavailable       a model, its package, key or server can't be had
├── QuestionError          the question or its scope can't be used
└── SettingsError          a setting has an unknown name or a value that doesn't fit
"""

from __future__ import annotations

from corpus import VerseError


class IndexMissing(VerseError):
    """There is no complete index where one was expected."""


class IndexMismatch(VerseError):
    """The index was built from another corpus, with another model, or by another version."""


class ModelUnavailable(VerseError):
    """A model, its package, its key or its server can't be had."""


class QuestionError(VerseError, ValueError):
    """The question is empty or too long, or its scope names something that isn't there."""


class SettingsError(VerseError):
    """A setting has an unknown name or a value that doesn't fit."""


class DenseUnavailable(Exception):
    """Chroma can't serve just now; its message says why. Stays inside: our own copy of the vectors serves instead."""
