"""Language models by name: what can be known when one is opened, and how each provider is spoken to."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import Any

import httpx
import pytest

import rag
from rag.call import Call, Message
from rag.llama import open_llm
from tests.rag.scripted import scripted

HELLO: list[Message] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say hello."}]


def _hello(prompt: str, body: dict[str, Any]) -> Iterable[str]:
    return ("Hel", "lo", "!")


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("gpt", "name one as ollama/NAME"),
        ("openai/", "name one as ollama/NAME"),
        ("smollm2/big", "name one as ollama/NAME"),
        ("openai-like/llama", "openai-like/llama@http://127.0.0.1:8080/v1"),
        ("openai-like/llama@http://me:secret@host/v1", "set OPENAI_LIKE_API_KEY instead"),
        ("openai-like/llama@http://host:abc/v1", "name it as openai-like/llama@http://HOST:PORT/v1"),
        ("openai-like/llama@http://[::1/v1", "name it as openai-like/llama@http://HOST:PORT/v1"),
        ("openai/gpt-5", "set OPENAI_API_KEY in the environment"),
    ],
)
def test_a_name_that_cannot_be_opened_names_the_cure(monkeypatch: pytest.MonkeyPatch, name: str, cure: str) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(rag.ModelUnavailable) as error:
        open_llm(name)
    assert cure in str(error.value)
    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)


def test_a_refused_connection_names_the_server() -> None:
    llm = open_llm("openai-like/llama@http://127.0.0.1:9/v1")
    with Call(20) as call, pytest.raises(rag.ModelUnavailable, match=r"check that 127\.0\.0\.1:9 is running"):
        list(llm.stream(HELLO, 10, call))


def test_another_server_never_gets_the_key_of_openai(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-mine")
    monkeypatch.delenv("OPENAI_LIKE_API_KEY", raising=False)
    with scripted(_hello) as server, Call(20) as call:
        assert "".join(open_llm(server.name).stream(HELLO, 10, call)) == "Hello!"
        assert server.keys == ["Bearer none"]
        monkeypatch.setenv("OPENAI_LIKE_API_KEY", "sk-theirs")
        assert "".join(open_llm(server.name).stream(HELLO, 10, call)) == "Hello!"
        assert server.keys[1:] == ["Bearer sk-theirs"]


def test_a_model_never_shows_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-mine")
    assert "sk-mine" not in repr(open_llm("openai/gpt-5"))


def test_a_server_says_how_much_its_model_reads() -> None:
    with scripted(_hello, context=3_000) as server, Call(20) as call:
        assert open_llm(server.name).context(call) == 3_000
        assert open_llm(server.name, 2_000).context(call) == 2_000


def test_a_server_that_is_not_ready_is_asked_again_how_much_its_model_reads() -> None:
    with scripted(_hello, context=3_000) as server, Call(20) as call:
        llm = open_llm(server.name)
        server.loading = True
        assert llm.context(call) == 4_096
        server.loading = False
        assert llm.context(call) == 3_000


def test_no_proxy_stands_between_us_and_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    with scripted(_hello) as server, Call(20) as call:
        monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{server.port}")
        for name in (server.name, "ollama/llama3.2"):
            assert "".join(open_llm(name).stream(HELLO, 10, call)) == "Hello!"


def test_a_proxy_that_cannot_be_spoken_to_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    with Call(20) as call, pytest.raises(rag.ModelUnavailable, match="unset ALL_PROXY"):
        list(open_llm("openai-like/llama@http://model.example/v1").stream(HELLO, 10, call))


@pytest.mark.parametrize("layer", ["connection.connect_tcp", "connection.start_tls", "http_proxy.start_tls"])
def test_a_cut_reaches_the_server_through_every_layer(layer: str) -> None:
    ours, theirs = socket.socketpair()
    theirs.settimeout(5)

    class Stream:
        def get_extra_info(self, name: str) -> socket.socket:
            return ours

        def close(self) -> None:
            ours.close()

    with theirs, Call(20) as call:
        request = httpx.Request("GET", "http://model.example")
        call.watch(request)
        request.extensions["trace"](f"{layer}.complete", {"return_value": Stream()})
        call.cut()
        assert theirs.recv(1) == b""


def test_openai_is_spoken_to_at_its_own_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(_hello) as server, Call(20) as call:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-mine")
        monkeypatch.setenv("OPENAI_API_BASE", f"http://127.0.0.1:{server.port}/v1")
        llm = open_llm("openai/gpt-9-unheard-of")
        assert "".join(llm.stream(HELLO, 10, call)) == "Hello!"
        assert server.asked[0]["max_completion_tokens"] == 10
        assert llm.context(call) == 16_000


def test_ollama_is_spoken_to_in_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(_hello, context=4_000) as server, Call(20) as call:
        monkeypatch.setenv("OLLAMA_HOST", f"http://127.0.0.1:{server.port}")
        llm = open_llm("ollama/llama3.2")
        assert llm.context(call) == 4_000
        assert "".join(llm.stream(HELLO, 10, call)) == "Hello!"
        assert server.asked[0]["options"]["num_predict"] == 10


def test_anthropic_is_spoken_to_in_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("llama_index.llms.anthropic")
    with scripted(_hello) as server, Call(20) as call:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-mine")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", f"http://127.0.0.1:{server.port}")
        llm = open_llm("anthropic/claude-sonnet-4-5")
        assert "".join(llm.stream(HELLO, 10, call)) == "Hello!"
        assert server.asked[0]["max_tokens"] == 10
        assert server.keys == ["sk-mine"]
        assert llm.context(call) >= 100_000
        with pytest.raises(rag.ModelUnavailable, match="check the name"):
            open_llm("anthropic/claude-unheard-of")
