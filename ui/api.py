"""The page's API for programs: `ask`, `sources` and `passage`, by the names that gradio_client calls them."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.events import api

from corpus import VerseError
from rag.datatypes import Turn
from ui.chat import Engine


def add_api(engine: Engine, concurrency: int) -> None:
    """Register the functions in the Blocks that are being built."""
    functions = Functions(engine)
    for function in (functions.ask, functions.sources, functions.passage):
        api(function, api_name=function.__name__, concurrency_limit=concurrency)


class Functions:
    """What a program may call; values are JSON types, mistakes are one line."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def ask(
        self,
        question: str,
        history: list[dict[str, str]] | None = None,
        sources: list[str] | None = None,
        sections: list[str] | None = None,
    ) -> dict[str, Any]:
        """Answer a question from the sources; the same object as `Answer.to_dict()`."""
        turns: list[Turn] = [
            {"role": "assistant" if turn.get("role") == "assistant" else "user", "content": turn.get("content", "")}
            for turn in history or []
        ]
        try:
            return self.engine.ask(question, turns, sources=sources or (), sections=sections or ()).to_dict()
        except VerseError as error:
            raise gr.Error(str(error), print_exception=False) from None

    def sources(self) -> list[dict[str, Any]]:
        """Every source with its author, stance, address and sections."""
        corpus = self.engine.corpus
        return [
            {
                "id": source.id,
                "title": source.title,
                "author": source.author,
                "stance": source.stance,
                "url": source.url,
                "sections": [section.label for section in corpus.documents[source.id].sections],
            }
            for source in corpus.sources
        ]

    def passage(self, source_id: str, start: int, end: int) -> dict[str, Any]:
        """The words of a source between two character offsets, with the section that they begin in."""
        document = self.engine.corpus.documents.get(source_id)
        if document is None:
            raise gr.Error(f"no source has the id {source_id!r}; `sources` lists them", print_exception=False)
        start, end = max(0, start), min(len(document.text), end)
        section = next((s for s in document.sections if s.start <= start < s.end), None)
        return {
            "source_id": source_id,
            "section": section.label if section else None,
            "section_title": section.title if section else None,
            "start": start,
            "end": max(start, end),
            "text": document.text[start:end],
        }
