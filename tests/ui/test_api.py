"""Programs ask as readers do: by gradio_client, and by a real MCP client; the citations are the same everywhere."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, TextContent

from corpus import Corpus
from tests.ui.conftest import serving
from tests.ui.fakes import FakeEngine


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[Client]:
    with closing(Client(address, verbose=False, analytics_enabled=False)) as connected:
        yield connected


def plain(value: object) -> Any:
    return json.loads(json.dumps(value))


def test_a_program_asks_lists_and_reads(client: Client, engine: FakeEngine) -> None:
    answer = client.predict("Why?", sources=["article"], api_name="/ask")
    assert answer["citations"] == plain(engine.ask("Why?").to_dict())["citations"]
    first = answer["citations"][0]
    place = client.predict(first["source_id"], first["start"], first["end"], api_name="/passage")
    assert (place["text"], place["section"]) == (first["quote"], "Chapter 1")
    assert [source["id"] for source in client.predict(api_name="/sources")] == ["article", "critic"]
    found = client.predict("Why?", k=2, api_name="/search")
    assert [passage["score"] for passage in found["passages"]] == [1, 0.5]


def test_the_api_says_what_each_name_and_argument_is_for(client: Client) -> None:
    told = client.view_api(return_format="dict", print_info=False)
    assert isinstance(told, dict)
    endpoints = told["named_endpoints"]
    assert {"/ask", "/sources", "/passage", "/search", "/read_section"} <= set(endpoints)
    assert not [name for name in endpoints if "page" in name]
    assert endpoints["/ask"]["description"].startswith("Answer a question from the sources")
    assert [p["parameter_name"] for p in endpoints["/ask"]["parameters"]] == [
        *("question", "history", "sources", "sections")
    ]


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("/ask", ("broken",), "the index is missing; build it with: verse ingest"),
        ("/search", ("broken",), "the index is missing; build it with: verse ingest"),
        ("/passage", ("none", 0, 1), "no source has the id 'none'; there are article, critic"),
        ("/read_section", ("article", "IX"), "article has no section 'IX'; its sections are Chapter 1, Chapter 2"),
        ("/ask", ("Why?", None, "article"), "sources can't be taken: input should be a valid list"),
        ("/ask", ("Why?", [{"role": 1}]), r"history can't be taken \(at 0.role\): input should be a valid string"),
        ("/passage", ("critic", 999, 1000), "critic has 142 characters; none lies from 999 to 1000"),
    ],
)
def test_a_mistake_is_one_line_with_the_cure(client: Client, name: str, arguments: tuple[Any], message: str) -> None:
    with pytest.raises(AppError, match=f"^{message}$"):
        client.predict(*arguments, api_name=name)


async def _use(address: str, calls: list[tuple[str, dict[str, Any]]]) -> tuple[list[Any], list[CallToolResult]]:
    async with (
        streamable_http_client(f"{address}/gradio_api/mcp/") as (reading, writing, _),
        ClientSession(reading, writing) as session,
    ):
        await session.initialize()
        tools = (await session.list_tools()).tools
        return list(tools), [await session.call_tool(name, arguments) for name, arguments in calls]


def use(address: str, *calls: tuple[str, dict[str, Any]]) -> tuple[list[Any], list[CallToolResult]]:
    """The tools that an MCP client is told of, and the result of each call."""
    # In a thread of its own: a browser that the session has open keeps an event loop running in this one.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(_use(address, list(calls)))).result()


def told(result: CallToolResult) -> Any:
    (content,) = result.content
    assert isinstance(content, TextContent)
    assert not result.isError, content.text
    return json.loads(content.text)


def test_an_mcp_client_gets_the_same_citations(address: str, corpus: Corpus, engine: FakeEngine) -> None:
    tools, results = use(
        address,
        ("ask", {"question": "Why?", "sources": ["article"]}),
        ("search", {"question": "Why?", "k": 3}),
        ("read_section", {"source_id": "article", "section": "Chapter 1"}),
    )
    assert [tool.name for tool in tools] == ["ask", "search", "read_section"]
    described = [value["description"] for tool in tools for value in tool.inputSchema["properties"].values()]
    assert all([tool.description for tool in tools] + described)
    answer, found, section = map(told, results)
    assert engine.asked[-2].sources == ("article",)
    assert answer == {**plain(engine.ask("Why?").to_dict()), "timings": answer["timings"]}
    text = corpus.documents["article"].text
    citations = [*answer["citations"], *found["passages"], *section["citations"]]
    assert len(citations) > 8
    for citation in citations:
        document = corpus.documents[citation["source_id"]]
        assert document.text[citation["start"] : citation["end"]] == citation["quote"]
        assert set(answer["citations"][0]) <= set(citation)
    assert section["text"] == text[section["start"] : section["end"]]


def test_a_tools_mistake_is_told_as_one(address: str) -> None:
    _, (unknown, broken) = use(
        address,
        ("read_section", {"source_id": "none", "section": "x"}),
        ("ask", {"question": "broken"}),
    )
    for result, message in ((unknown, "no source has the id 'none'"), (broken, "build it with: verse ingest")):
        assert result.isError
        assert isinstance(result.content[0], TextContent)
        assert message in result.content[0].text


def test_twenty_at_once_are_served_side_by_side(corpus: Corpus) -> None:
    engine = FakeEngine(corpus, picks=(1, 3))
    with serving(engine) as address, ThreadPoolExecutor(20) as pool:
        clients = list(pool.map(lambda _: Client(address, verbose=False, analytics_enabled=False), range(20)))
        begun = time.monotonic()
        answers = list(pool.map(lambda n: clients[n].predict(f"slow {n}?", api_name="/ask"), range(20)))
        # Each takes three seconds, one a sentence: side by side about 3 s, one after the other 60 s.
        assert time.monotonic() - begun < 20
    assert [answer["question"] for answer in answers] == [f"slow {n}?" for n in range(20)]
