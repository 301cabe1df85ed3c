"""Many visitors at one server: each asks, follows up, stops, reloads and uploads as a browser does.

    python -m tests.soak.load --minutes 10 --visitors 64 --json evals/results/load.json

The server is the command `verse ui` in a process of its own. Each question carries its visitor's number, and each
answer is looked through for numbers that aren't its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from rag.settings import Settings

ROOT = Path(__file__).parents[2]
QUESTIONS = (
    "Why does Ilya think scaling is over?",
    "Who disagrees with him?",
    "What is said about emotions?",
    "How much has SSI raised?",
    "What does Yann LeCun say about language models?",
    "Who won the 1998 world cup?",
)
OTHERS = re.compile(r"visitor (\d+)\b")
STARTED = re.compile(r"http://\S+")
REFUSED = (429, 503)
THINKS = (2.0, 8.0)  # seconds between a visitor's steps


@dataclass
class Seen:
    """What the visitors met. `errors` are whatever was neither an answer nor a refused overload."""

    answers: int = 0
    stopped: int = 0
    reloads: int = 0
    uploads: int = 0
    refused: int = 0
    strangers: int = 0  # answers that belonged to somebody else's question
    errors: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Held:
    """What the server's process holds: bytes of memory, threads, files, connections."""

    memory: int
    threads: int
    files: int
    connections: int


@dataclass(frozen=True)
class Load:
    """A run: what was met, and what the server held idle, after the first minute, at the end and once all had left."""

    visitors: int
    minutes: float
    machine: str
    seen: dict[str, Any]
    idle: Held
    warm: Held
    end: Held
    left: Held
    seconds_to_end: float

    @property
    def growth(self) -> float:
        """How much more memory at the end than after the first minute."""
        return self.end.memory / self.warm.memory - 1


class Visitor:
    """One browser: a page that is open, its stream of events, and its chat on the server."""

    def __init__(self, number: int, client: httpx.AsyncClient, functions: dict[str, int], seen: Seen) -> None:
        self.number = number
        self.client = client
        self.functions = functions
        self.seen = seen
        self.chance = random.Random(number)

    async def stay(self, until: float) -> None:
        """Open the page, use it, and open it anew now and then, until the time is over."""
        await asyncio.sleep(self.chance.uniform(0, 3))
        while time.monotonic() < until:
            session = f"s{self.number}x{self.chance.getrandbits(40):x}"
            heart = asyncio.create_task(self._keep_open(session))
            try:
                await self._open(session)
                for _ in range(self.chance.randint(3, 8)):
                    if time.monotonic() > until:
                        break
                    await self._step(session)
                    await asyncio.sleep(self.chance.uniform(*THINKS))
            except httpx.HTTPError as error:
                self.seen.errors[type(error).__name__] += 1
            finally:
                heart.cancel()
                with suppress(asyncio.CancelledError):
                    await heart
            self.seen.reloads += 1

    async def _keep_open(self, session: str) -> None:
        with suppress(httpx.HTTPError):
            async with self.client.stream("GET", f"/gradio_api/heartbeat/{session}", timeout=None) as reply:
                async for _ in reply.aiter_bytes():
                    pass

    async def _open(self, session: str) -> None:
        for path in ("/", "/config", "/theme.css"):
            self._expect(await self.client.get(path))
        body = {"data": [None, ""], "fn_index": self.functions["load"], "session_hash": session, "trigger_id": None}
        self._expect(await self.client.post("/gradio_api/run/predict", json=body))

    async def _step(self, session: str) -> None:
        kind = self.chance.random()
        if kind < 0.1:
            text = f"Minutes of visitor {self.number}. The roof leaks.".encode()
            reply = await self.client.post("/gradio_api/upload", files={"files": ("minutes.txt", text)})
            self.seen.uploads += self._expect(reply)
        elif kind < 0.25:
            await self._ask_as_program()
        else:
            await self._ask(session, stop=kind < 0.4)

    async def _ask(self, session: str, *, stop: bool) -> None:
        """A question in the page; what comes back is looked at as it comes."""
        question = f"{self.chance.choice(QUESTIONS)} asks visitor {self.number}"
        index, began = self.functions["page_ask"], time.monotonic()
        body = {"data": [question, "", None, ""], "fn_index": index, "session_hash": session, "trigger_id": 12}
        reply = await self.client.post("/gradio_api/queue/join", json=body)
        if not self._expect(reply):
            return
        if stop:
            await asyncio.sleep(self.chance.uniform(0, 0.2))
            cancel = {"session_hash": session, "fn_index": index, "event_id": reply.json()["event_id"]}
            self._expect(await self.client.post("/gradio_api/cancel", json=cancel))
        said = await self._stream("/gradio_api/queue/data", session_hash=session)
        self._own(said)
        if stop:
            self.seen.stopped += 1
        elif f"visitor {self.number}" in said and '"success":true' in said:
            self.seen.answers += 1
            self.seen.seconds.append(time.monotonic() - began)
        else:
            self.seen.errors[f"page: {said[-200:]}"] += 1

    async def _ask_as_program(self) -> None:
        question = f"{self.chance.choice(QUESTIONS)} asks visitor {self.number}"
        reply = await self.client.post("/gradio_api/call/ask", json={"data": [question, [], [], []]})
        if not self._expect(reply):
            return
        said = await self._stream(f"/gradio_api/call/ask/{reply.json()['event_id']}")
        self._own(said)
        if f'"question": "{question}"' in said:
            self.seen.answers += 1
        else:
            self.seen.errors[f"api: {said[-200:]}"] += 1

    async def _stream(self, path: str, **params: str) -> str:
        async with self.client.stream("GET", path, params=params, timeout=120) as reply:
            return (await reply.aread()).decode()

    def _own(self, said: str) -> None:
        self.seen.strangers += any(int(number) != self.number for number in OTHERS.findall(said))

    def _expect(self, reply: httpx.Response) -> bool:
        if reply.status_code in REFUSED:
            self.seen.refused += 1
        elif reply.status_code != 200:
            self.seen.errors[f"{reply.request.url.path}: {reply.status_code}"] += 1
        return reply.status_code == 200


@contextmanager
def server(home: Path, log: Path) -> Any:
    """`verse ui` on a free port; gives its process and address."""
    command = [sys.executable, "-c", "from ui.start import main; main()", "ui", "--port", "0"]
    with log.open("wb") as errors:
        child = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=ROOT,
            env={**os.environ, "VERSE_HOME": str(home), "VERSE_LOG": "json", "VERSE_LOG_LEVEL": "warning"},
        )
    try:
        assert child.stdout
        line = child.stdout.readline()
        address = STARTED.search(line)
        assert address, f"no server: {log.read_text()[-2000:]}"
        yield child, address[0]
    finally:
        child.kill()
        child.wait()
        if child.stdout:
            child.stdout.close()


def held(process: psutil.Process) -> Held:
    """What the process holds now."""
    return Held(
        process.memory_info().rss, process.num_threads(), process.num_fds(), len(process.net_connections(kind="tcp"))
    )


async def _visit(
    address: str, visitors: int, minutes: float, seen: Seen, look: Callable[[], Held]
) -> tuple[Held, Held]:
    until = time.monotonic() + minutes * 60
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=address, timeout=60, limits=limits) as client:
        config = (await client.get("/config")).json()
        functions = {d["api_name"]: d["id"] for d in config["dependencies"] if d["api_name"]}
        for _ in range(20):  # what is loaded at the first questions isn't growth
            await client.post("/gradio_api/run/mcp_ask", json={"data": [QUESTIONS[0], None, None, None]})
        staying = [asyncio.create_task(Visitor(n, client, functions, seen).stay(until)) for n in range(1, visitors + 1)]
        await asyncio.sleep(min(60.0, minutes * 30))
        warm = look()
        await asyncio.sleep(max(0.0, until - time.monotonic() - 1))
        end = look()
        await asyncio.gather(*staying)
    return warm, end


def _once_all_have_left(process: psutil.Process, idle: Held) -> Held:
    """What is held once it is no more than when idle, or else after 17 s: heartbeats notice within 15 s that nobody
    listens."""
    deadline = time.monotonic() + 17
    while (left := held(process)).connections > idle.connections or left.files > idle.files:
        if time.monotonic() > deadline:
            break
        time.sleep(0.5)
    return left


def run(home: Path, log: Path, visitors: int, minutes: float) -> Load:
    """Serve, visit, and look at what is left."""
    seen = Seen()
    with server(home, log) as (child, address):
        process = psutil.Process(child.pid)
        idle = held(process)
        warm, end = asyncio.run(_visit(address, visitors, minutes, seen, lambda: held(process)))
        left = _once_all_have_left(process, idle)
        began = time.monotonic()
        child.send_signal(signal.SIGTERM)
        child.wait(30)
        taken = time.monotonic() - began
    times = sorted(seen.seconds) or [0.0]
    summary = {**asdict(seen), "errors": dict(seen.errors)}
    summary["seconds"] = {f"p{q}": round(times[min(len(times) - 1, len(times) * q // 100)], 2) for q in (50, 95, 99)}
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.0f}"
    return Load(visitors, minutes, machine, summary, idle, warm, end, left, round(taken, 2))


def main() -> None:
    """The long run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--visitors", type=int, default=64)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    home = Settings.read().home
    home.mkdir(parents=True, exist_ok=True)
    load = run(home, home / "load.log", given.visitors, given.minutes)
    told = json.dumps({**asdict(load), "growth": round(load.growth, 3)}, indent=2)
    print(told)  # noqa: T201 -- the figures
    if given.json:
        given.json.write_text(told + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
