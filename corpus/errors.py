"""The errors a reader of a corpus can meet; each says what is wrong and ends with its cure."""

from __future__ import annotations


class VerseError(Exception):
    """The base of every error that this project raises on purpose; its text is fit to be shown."""


class CorpusError(VerseError):
    """The corpus folder, its manifest or one of its texts can't be read as it stands."""


class CorpusUnreadable(CorpusError):
    """Nothing of the corpus can be read now: its folder or all of its texts are gone, or closed to us."""
