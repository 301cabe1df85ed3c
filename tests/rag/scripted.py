"""A real server on loopback that says what a script tells it to, and remembers what it was asked.

Speaks as OpenAI's, Ollama's and Anthropic's servers do, by the path that is asked for.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Script = Callable[[str, dict[str, Any]], "Iterable[str | Raw | Exception | float] | Reply"]


@dataclass(frozen=True)
class Reply:
    """An answer that isn't a stream: a status and a body."""

    status: int
    body: str = '{"error": {"message": "no"}}'
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Raw:
    """A piece of a stream that is sent as it is, whatever the provider's form."""

    text: str


class Broken(Exception):
    """Said by a script: close the connection here."""


class Silent(Exception):
    """Said by a script: end the stream in good order, but without the mark that the answer is over."""


@dataclass
class Scripted:
    """`script` gives, for a prompt and its request, pieces of text; a number waits so many seconds. `asked` holds the
    bodies of the requests, `keys` what they were authorised with, `hung_up` how many readers went away. While it is
    `loading`, it says nothing of its model."""

    script: Script
    context: int = 8_192
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    hung_up: int = 0
    gone: threading.Event = field(default_factory=threading.Event)
    port: int = 0
    loading: bool = False

    @property
    def name(self) -> str:
        """The model's name for `--llm`."""
        return f"openai-like/scripted@http://127.0.0.1:{self.port}/v1"


def prompt_of(body: dict[str, Any]) -> str:
    """All that a model is given, in one string."""
    said = [message["content"] for message in body["messages"]]
    blocks = [said if isinstance(said, str) else "".join(block["text"] for block in said) for said in said]
    return "\n".join([*([body["system"]] if isinstance(body.get("system"), str) else []), *blocks])


def evidence_of(prompt: str) -> dict[str, str]:
    """key -> the evidence that a prompt gives under it, as the model reads it."""
    lines = prompt.rpartition("Evidence:\n")[2].partition("\n\nQuestion:")[0].splitlines()
    return {line[1:].partition("]")[0]: line.partition("] ")[2] for line in lines if line.startswith("[")}


@contextmanager
def scripted(script: Script, context: int = 8_192) -> Iterator[Scripted]:
    """The server for as long as the block runs."""
    state = Scripted(script, context)
    server = _Server(state)
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, state: Scripted) -> None:
        self.state = state
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Be quiet."""

    def do_GET(self) -> None:
        if self.server.state.loading:
            return self._send(Reply(503))
        self._send(Reply(200, json.dumps({"data": [{"id": "scripted", "max_model_len": self.server.state.context}]})))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "messages" in body:
            self.server.state.asked.append(body)
        self.server.state.keys.append(self.headers.get("Authorization") or self.headers.get("X-Api-Key") or "")
        if self.path.endswith("/api/show"):
            return self._send(Reply(200, json.dumps({"model_info": {"x.context_length": self.server.state.context}})))
        said = self.server.state.script(prompt_of(body), body)
        if isinstance(said, Reply):
            return self._send(said)
        try:
            self._stream(said)
        except (BrokenPipeError, ConnectionResetError):
            self.server.state.hung_up += 1
            self.server.state.gone.set()
            self.close_connection = True

    def _send(self, reply: Reply) -> None:
        data = reply.body.encode()
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, pieces: Iterable[str | Raw | Exception | float]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            if isinstance(piece, Broken):
                self.close_connection = True
                return
            if isinstance(piece, Silent):
                self._chunk("")
                return
            if isinstance(piece, float):
                time.sleep(piece)
                continue
            if isinstance(piece, Raw):
                self._chunk(piece.text)
                continue
            assert isinstance(piece, str)
            self._chunk(self._speak(piece))
        self._chunk(self._speak(None))
        self._chunk("")

    def _speak(self, piece: str | None) -> str:
        """A piece of text, or the end, as the provider says it."""
        if self.path.endswith("/api/chat"):
            message = {"role": "assistant", "content": piece or ""}
            return json.dumps({"model": "x", "message": message, "done": piece is None}) + "\n"
        if self.path.endswith("/messages"):
            event = (
                {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
                if piece is not None
                else {"type": "message_stop"}
            )
            return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
        choice = {"index": 0, "delta": {"content": piece}, "finish_reason": "stop" if piece is None else None}
        chunk = {"id": "x", "object": "chat.completion.chunk", "choices": [choice]}
        return f"data: {json.dumps(chunk)}\n\n" + ("data: [DONE]\n\n" if piece is None else "")

    def _chunk(self, text: str) -> None:
        data = text.encode()
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()
