"""Nothing leaves the machine: what ingest, ask, eval and the page connect to, seen from inside and from outside."""

from __future__ import annotations

import ast
import ipaddress
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

ROOT = Path(__file__).parents[1]

# Every name looked up and every address connected to or sent to by Python code, one JSON list a line.
WATCH = """
import json, os, sys
def watch(event, given, seen=open(os.environ["SEEN"], "a", buffering=1)):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        print(json.dumps([event, repr(given[-1])]), file=seen)
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        print(json.dumps([event, repr(given[0])]), file=seen)
sys.addaudithook(watch)
"""
RUN = WATCH + "from rag.cli import main\nmain()\n"
QUESTION = "Why does Ilya think scaling is over?"


class Child:
    """A verb of `verse` in a process of its own, whose connections are written down by an audit hook, and looked at
    from outside too: native code asks no hook."""

    def __init__(self, folder: Path, home: Path, *arguments: str) -> None:
        self.seen = folder / "seen.jsonl"
        self.foreign: set[str] = set()
        environment = {**os.environ, "SEEN": str(self.seen), "VERSE_HOME": str(home)}
        for name in [name for name in environment if name.lower().endswith("_proxy")]:
            del environment[name]
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, *arguments],
            cwd=ROOT,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def look(self) -> None:
        with suppress(psutil.Error):
            process = psutil.Process(self.process.pid)
            for one in (process, *process.children(recursive=True)):
                self.foreign |= {
                    c.raddr.ip for c in one.net_connections(kind="inet") if c.raddr and not _loopback(c.raddr.ip)
                }

    def until_the_end(self) -> str:
        said: list[str] = []
        while self.process.poll() is None:
            self.look()
            time.sleep(0.1)
        said.append(self.process.stdout.read() if self.process.stdout else "")
        return "".join(said)

    def strangers(self) -> list[object]:
        """What was neither this machine nor a file."""
        lines = [json.loads(line) for line in self.seen.read_text().splitlines()] if self.seen.exists() else []
        return [*self.foreign, *(line for line in lines if not _here(line[1]))]


def _loopback(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def _here(place: str) -> bool:
    """Whether an address or a name, as Python writes it, is of this machine; a plain string is a socket's file."""
    value = ast.literal_eval(place)
    name = value[0] if isinstance(value, tuple) else value
    if name in (None, "", "localhost", "0.0.0.0", "::", socket.gethostname()) or str(name).startswith("/"):
        return True
    with suppress(ValueError):
        return _loopback(str(name))
    return False


@pytest.fixture
def start(encoder_files: Path, tmp_path: Path) -> Iterator[Callable[..., Child]]:
    begun: list[Child] = []

    def start(*arguments: str) -> Child:
        begun.append(Child(tmp_path, encoder_files.parent.parent, *arguments))
        return begun[-1]

    yield start
    for child in begun:
        child.process.kill()
        child.process.communicate()


def test_the_watch_sees_who_calls_out(tmp_path: Path) -> None:
    calls = """import socket
for host in ("192.0.2.1", "127.0.0.1"):
    with socket.socket() as one:
        one.settimeout(0.1)
        one.connect_ex((host, 9))
"""
    seen = tmp_path / "seen.jsonl"
    subprocess.run([sys.executable, "-c", WATCH + calls], env={**os.environ, "SEEN": str(seen)}, check=True)
    lines = [json.loads(line) for line in seen.read_text().splitlines()]
    assert [_here(line[1]) for line in lines] == [False, True]


@pytest.mark.slow
def test_ingest_ask_and_eval_call_nobody(start: Callable[..., Child], tmp_path: Path) -> None:
    few = tmp_path / "few.jsonl"
    few.write_text("".join((ROOT / "evals/article_dev.jsonl").read_text().splitlines(keepends=True)[:3]))
    index = ("--index", str(tmp_path / "index"))
    for arguments in (
        ("ingest", "--rebuild", *index),
        ("ask", QUESTION, *index),
        ("eval", "--questions", str(few), "--out", str(tmp_path / "out"), *index),
        ("doctor", *index),
    ):
        child = start(*arguments)
        child.until_the_end()
        assert child.process.returncode == 0, arguments
        assert child.strangers() == [], arguments


@pytest.mark.slow
def test_the_page_calls_nobody(start: Callable[..., Child]) -> None:
    child = start("ui", "--port", "0")
    assert child.process.stdout
    address = child.process.stdout.readline().split()[5]
    with httpx.Client(base_url=address, timeout=60) as visitor:
        for path in ("/", "/config", "/gradio_api/info", "/healthz", "/metrics"):
            assert visitor.get(path).status_code == 200
        event = visitor.post("/gradio_api/call/ask", json={"data": [QUESTION, [], [], []]}).json()["event_id"]
        assert "event: complete" in visitor.get(f"/gradio_api/call/ask/{event}").text
        child.look()
    child.process.send_signal(signal.SIGTERM)
    child.until_the_end()
    assert child.strangers() == []
