"""Language models by name: what can be known when one is opened, and how each provider is spoken to."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import trustme

import rag
from rag.call import Call, CallEnded, Message
from rag.llama import _tls, open_llm
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


def test_a_deadline_reaches_the_server_through_a_proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("model.example").configure_cert(tls)
    hung_up = threading.Event()

    def tunnel_to_a_model_that_never_ends(listener: socket.socket) -> None:
        with listener.accept()[0] as plain:
            plain.recv(65_536)
            plain.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            with tls.wrap_socket(plain, server_side=True) as tunnel:
                tunnel.recv(65_536)
                tunnel.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
                try:
                    for _ in range(200):
                        tunnel.sendall(b": still here\n\n")
                        time.sleep(0.05)
                except OSError:
                    hung_up.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = threading.Thread(target=tunnel_to_a_model_that_never_ends, args=(listener,))
        proxy.start()
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{listener.getsockname()[1]}")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        _tls.cache_clear()
        try:
            llm = open_llm("openai-like/llama@https://model.example/v1")
            with Call(1) as call, pytest.raises(CallEnded):
                list(llm.stream(HELLO, 10, call))
            assert hung_up.wait(3), "the model goes on for nobody"
        finally:
            _tls.cache_clear()
            proxy.join()


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
