"""Whether every surface gives the answer that Python gives: `verse ask --json`, the page's API, and its MCP tool.

Each is asked as its user would, over a process and a socket; answers are compared as JSON, all but the timings.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from gradio_client import Client
from gradio_client.exceptions import AppError
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.types import TextContent

from evals.metrics import Share
from evals.questions import Question
from rag import Answer, Engine, QuestionError

Ask = Callable[[Question], Any]

_VERSE = (sys.executable, "-c", "from ui.start import main; main()")
_STARTS = 90.0  # seconds until the page must be there
_TAKES = 120.0  # seconds that one answer may take
_UNCOUNTED = ("timings",)


class Surfaces:
    """Asks a sample of the questions, one of each kind, on every surface. `differences` says who disagreed."""

    name = "surfaces"

    def __init__(self, ways: Mapping[str, Ask], questions: Iterable[Question]) -> None:
        self._ways = ways
        first = {question.kind: question.id for question in reversed(list(questions)) if not question.history}
        self._chosen = set(first.values())
        self.differences: list[str] = []

    def score(self, question: Question, answer: Answer) -> tuple[dict[str, Share], str | None]:
        """The share of surfaces that gave this very answer, for a question of the sample."""
        if question.id not in self._chosen:
            return {}, None
        expected = _comparable(answer.to_dict())
        differ = [name for name, ask in self._ways.items() if _comparable(ask(question)) != expected]
        self.differences += [f"{name} answers {question.id} otherwise" for name in differ]
        return {"agreement": Share(len(self._ways) - len(differ), len(self._ways))}, None


@contextmanager
def open_surfaces(engine: Engine, questions: Iterable[Question]) -> Iterator[Surfaces]:
    """The surfaces over the corpus and index of an engine, as long as the block runs. Raises QuestionError."""
    if engine.corpus.folder is None:
        raise QuestionError("--surfaces needs a corpus folder, which other programs can open; give one with --corpus")
    options = _options(engine)
    with _page(options) as address:
        page = Client(address, verbose=False)
        ways: dict[str, Ask] = {
            "verse ask": lambda question: _command(question, options),
            "the page's API": lambda question: _called(page, question),
            "MCP": lambda question: asyncio.run(_tool(address, question)),
        }
        yield Surfaces(ways, questions)


def _comparable(answer: Any) -> Any:  # noqa: ANN401 -- JSON
    if not isinstance(answer, dict):
        return answer
    return {name: value for name, value in json.loads(json.dumps(answer)).items() if name not in _UNCOUNTED}


def _options(engine: Engine) -> list[str]:
    settings = engine.settings
    given = {"--corpus": settings.corpus, "--index": settings.index, "--llm": settings.llm}
    return [part for option, value in given.items() if value is not None for part in (option, str(value))]


def _command(question: Question, options: list[str]) -> Any:  # noqa: ANN401 -- JSON
    scope = [part for source in question.sources for part in ("--source", source)]
    asked = [*_VERSE, "ask", question.question, "--json", *scope, *options]
    try:
        found = subprocess.run(asked, capture_output=True, text=True, timeout=_TAKES, check=True)
        return json.loads(found.stdout)
    except (subprocess.SubprocessError, ValueError) as error:
        return f"failed: {error}"


def _called(page: Client, question: Question) -> Any:  # noqa: ANN401 -- JSON
    try:
        return page.predict(question.question, [], list(question.sources), [], api_name="/ask")
    except AppError as error:
        return f"failed: {error}"


async def _tool(address: str, question: Question) -> Any:  # noqa: ANN401 -- JSON
    async with (
        streamable_http_client(f"{address}/gradio_api/mcp/") as (reading, writing, _),
        ClientSession(reading, writing) as session,
    ):
        await session.initialize()
        tools = [tool.name for tool in (await session.list_tools()).tools]
        name = next(tool for tool in tools if tool.endswith("ask"))
        given = {"question": question.question, "history": [], "sources": list(question.sources), "sections": []}
        content = (await session.call_tool(name, given)).content[0]
        try:
            return json.loads(content.text) if isinstance(content, TextContent) else "no text"
        except ValueError:
            return "not JSON"


@contextmanager
def _page(options: list[str]) -> Iterator[str]:
    """The address of a page of its own process. Raises QuestionError where it doesn't start."""
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    command = [*_VERSE, "ui", "--port", "0", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as page:
        try:
            yield _address(page)
        finally:
            page.terminate()
            page.communicate()


def _address(page: subprocess.Popen[str]) -> str:
    assert page.stdout is not None
    impatient = threading.Timer(_STARTS, page.terminate)
    impatient.start()
    said = "it says nothing"
    try:
        for line in page.stdout:
            said = line.strip() or said
            if (found := re.search(r"http://\S+", line)) is not None:
                return found[0]
    finally:
        impatient.cancel()
    raise QuestionError(f"the page doesn't start ({said[:200]}); see what it says with: verse ui")
