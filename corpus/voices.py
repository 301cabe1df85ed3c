"""Who holds each sentence: the guest, the host, the article itself, a named critic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from corpus.document import Document, Span


class Person(Protocol):
    """A name and the shorter forms it goes by."""

    @property
    def name(self) -> str: ...
    @property
    def aliases(self) -> tuple[str, ...]: ...


def assign_voices(
    document: Document, people: Sequence[Person], default: str, speakers: Sequence[Span] = ()
) -> Document:
    """The document with the voice of every sentence filled in."""
    return replace(
        document, sentences=tuple(replace(sentence, voice=default) for sentence in document.sentences)
    )
