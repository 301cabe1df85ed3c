"""For programs: the page's API by the names that gradio_client calls, and the tools of its MCP server.

Gradio reads what a function and its arguments are for from its docstring, in Google's style.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import wraps
from inspect import signature
from itertools import groupby
from typing import Any, TypeVar, cast

import gradio as gr
from gradio.events import api
from pydantic import ValidationError, validate_call

from corpus import Document, Section, VerseError
from rag.cite import cite_passages
from rag.datatypes import Citation, Passage, Turn
from ui.chat import Engine

MOST_FOUND = 50

Function = TypeVar("Function", bound=Callable[..., Any])


def add_api(engine: Engine, concurrency: int) -> None:
    """Register API and tools in the Blocks that are being built."""
    functions = Functions(engine)
    tools = Tools(functions)
    # Not queued, or Gradio would call itself over HTTP for each use of a tool, past the gate and its passwords.
    for tool in (tools.ask, tools.search, tools.read_section):
        api(tool, api_name=f"mcp_{tool.__name__}", queue=False)
    for function in (functions.ask, functions.search, functions.read_section, functions.sources, functions.passage):
        api(function, api_name=function.__name__, concurrency_limit=concurrency)


def _no_tool(function: Function) -> Function:
    """Keep a function out of the MCP server's list, for which Gradio has no word of its own."""
    function._mcp_type = "function"  # type: ignore[attr-defined]
    return function


def _checked(function: Function) -> Function:
    """Refuse arguments of another type in one line that names them; JSON holds anything."""
    valid = validate_call(function)
    names = list(signature(function).parameters)

    @wraps(function)
    def checked(*args: Any, **named: Any) -> Any:  # noqa: ANN401 -- as the function's own
        try:
            return valid(*args, **named)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            argument, *inner = first["loc"]
            place = names[argument] if isinstance(argument, int) else argument
            where = f" (at {'.'.join(map(str, inner))})" if inner else ""
            raise _refusal(f"{place} can't be taken{where}: {first['msg'][0].lower()}{first['msg'][1:]}") from None

    return cast(Function, checked)


class Functions:
    """What a program may call; values are JSON types, mistakes are one line."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @_no_tool
    @_checked
    def ask(
        self,
        question: str,
        history: list[dict[str, str]] | None = None,
        sources: list[str] | None = None,
        sections: list[str] | None = None,
    ) -> dict[str, Any]:
        """Answer a question from the sources; the same object as `Answer.to_dict()`.

        Args:
            question: what to ask, in plain words
            history: the conversation so far, oldest turn first, each with "role" ("user", "assistant") and "content"
            sources: look only in the sources with these ids; `sources` lists them
            sections: look only in the sections with these labels
        """
        turns: list[Turn] = [
            {"role": "assistant" if turn.get("role") == "assistant" else "user", "content": turn.get("content", "")}
            for turn in history or []
        ]
        try:
            return self.engine.ask(question, turns, sources=sources or (), sections=sections or ()).to_dict()
        except VerseError as error:
            raise _refusal(str(error)) from None

    @_no_tool
    @_checked
    def search(
        self, question: str, k: int = 5, sources: list[str] | None = None, sections: list[str] | None = None
    ) -> dict[str, Any]:
        """The passages that fit a question best, best first, as citations with a score.

        Args:
            question: what to look for, in plain words
            k: how many passages, at most 50
            sources: look only in the sources with these ids
            sections: look only in the sections with these labels
        """
        try:
            found = self.engine.retrieve(
                question, k=max(1, min(int(k), MOST_FOUND)), sources=sources or (), sections=sections or ()
            )
        except VerseError as error:
            raise _refusal(str(error)) from None
        citations = cite_passages(self.engine.corpus, [scored.passage for scored in found])
        passages = [asdict(c) | {"score": s.score} for c, s in zip(citations, found, strict=True)]
        return {"question": question, "passages": passages}

    @_no_tool
    @_checked
    def read_section(self, source_id: str, section: str) -> dict[str, Any]:
        """A whole section, and a citation for each stretch of it that one voice holds.

        Args:
            source_id: the id of the source
            section: the label of the section, such as "Chapter 2"
        """
        document = self._document(source_id)
        found = document.section_by_label.get(section)
        if found is None:
            labels = ", ".join(known.label for known in document.sections)
            raise _refusal(f"{source_id} has no section {section!r}; its sections are {labels}")
        return {
            "source_id": source_id,
            "section": found.label,
            "section_title": found.title,
            "start": found.start,
            "end": found.end,
            "text": document.text[found.start : found.end],
            "citations": [asdict(citation) for citation in self._cited(source_id, document, found)],
        }

    @_no_tool
    @_checked
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

    @_no_tool
    @_checked
    def passage(self, source_id: str, start: int, end: int) -> dict[str, Any]:
        """The words of a source between two character offsets, with the section that they begin in.

        Args:
            source_id: the id of the source
            start: the offset of the first character, counted from 0
            end: the offset after the last one; past the source's end it means that
        """
        document = self._document(source_id)
        if not 0 <= start < min(end, len(document.text)):
            raise _refusal(f"{source_id} has {len(document.text):,} characters; none lies from {start} to {end}")
        end = min(len(document.text), end)
        section = next((s for s in document.sections if s.start <= start < s.end), None)
        return {
            "source_id": source_id,
            "section": section.label if section else None,
            "section_title": section.title if section else None,
            "start": start,
            "end": end,
            "text": document.text[start:end],
        }

    def _document(self, source_id: str) -> Document:
        document = self.engine.corpus.documents.get(source_id)
        if document is None:
            known = ", ".join(source.id for source in self.engine.corpus.sources[:MOST_FOUND])
            raise _refusal(f"no source has the id {source_id!r}; there are {known}")
        return document

    def _cited(self, source_id: str, document: Document, section: Section) -> Sequence[Citation]:
        inner = [(n, s) for n, s in enumerate(document.sentences) if section.start <= s.start < section.end]
        runs = [list(run) for _, run in groupby(inner, key=lambda placed: (placed[1].paragraph, placed[1].voice))]
        return cite_passages(self.engine.corpus, [_stretch(source_id, document, section, run) for run in runs])


class Tools:
    """The MCP tools. Gradio writes a tool's result as Python would print it, so these give JSON text."""

    def __init__(self, functions: Functions) -> None:
        self.functions = functions

    def ask(
        self,
        question: str,
        history: list[dict[str, str]] | None = None,
        sources: list[str] | None = None,
        sections: list[str] | None = None,
    ) -> str:
        """Answer a question from the sources alone, each sentence with the verbatim quotes that it rests on.

        The answer is JSON. "status" is "answered", "partial" or "not_in_sources"; "citations" have source, section,
        voice (who holds it), stance, the exact quote and its offsets; "other_views" is what opposing sources say.

        Args:
            question: what to ask, in plain words
            history: the conversation so far, oldest turn first, each with "role" ("user", "assistant") and "content"
            sources: look only in the sources with these ids
            sections: look only in the sections with these labels, such as "Chapter 2"
        """
        return _json(self.functions.ask(question, history, sources, sections))

    def search(
        self, question: str, k: int = 5, sources: list[str] | None = None, sections: list[str] | None = None
    ) -> str:
        """Find the passages that fit a question best, without answering it. JSON: citations with a score, best first.

        Args:
            question: what to look for, in plain words
            k: how many passages, at most 50
            sources: look only in the sources with these ids
            sections: look only in the sections with these labels
        """
        return _json(self.functions.search(question, k, sources, sections))

    def read_section(self, source_id: str, section: str) -> str:
        """Read a whole section. JSON: its text, and a citation for each stretch of it that one voice holds.

        Args:
            source_id: the id of the source, as in a citation's "source_id"
            section: the label of the section, as in a citation's "section"
        """
        return _json(self.functions.read_section(source_id, section))


def _stretch(source_id: str, document: Document, section: Section, run: Sequence[tuple[int, Any]]) -> Passage:
    (first, begin), (last, stop) = run[0], run[-1]
    return Passage(
        id=f"{source_id}:{begin.start}",
        source_id=source_id,
        section=section.label,
        section_title=section.title,
        start=begin.start,
        end=stop.end,
        text=document.text[begin.start : stop.end],
        sentences=(first, last + 1),
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _refusal(reason: str) -> gr.Error:
    return gr.Error(reason, print_exception=False)
