"""The server: bounds of load, what an operator sees, and an end within seconds."""

from __future__ import annotations

import datetime
import json
import logging
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from corpus import Corpus
from rag.datatypes import Answer, AnswerSentence
from rag.errors import SettingsError
from rag.settings import Settings
from tests.ui.conftest import running, serving, until, visiting
from tests.ui.fakes import FakeEngine
from tests.ui.test_page import ask
from ui.limits import BOUNDS, Bounds, bounds_of
from ui.logs import set_up_logs
from ui.server import make_server
from ui.sessions import forget_closed

ROOT = Path(__file__).parents[2]
SECRET = "how deep is the secret well"


def start(address: str, question: str, **headers: str) -> httpx.Response:
    """Begin a question as a program does."""
    data = {"data": [question, [], [], []]}
    return httpx.post(f"{address}/gradio_api/call/ask", json=data, headers=headers, timeout=30)


def finish(address: str, begun: httpx.Response) -> str:
    event = begun.json()["event_id"]
    return httpx.get(f"{address}/gradio_api/call/ask/{event}", timeout=60).text


def figure(address: str, name: str) -> float:
    """A figure of the metrics page; 0 where it was never counted."""
    found = re.search(rf"^{re.escape(name)} (\S+)$", httpx.get(f"{address}/metrics").text, re.MULTILINE)
    return float(found[1]) if found else 0.0


@contextmanager
def logging_to(lines: list[str], **given: object) -> Iterator[None]:
    """The log as `verse ui` sets it up, caught line by line."""
    root, before = logging.root, (list(logging.root.handlers), logging.root.level)
    set_up_logs(Settings.read(**given))
    (handler,) = root.handlers
    handler.emit = lambda record: lines.append(handler.format(record))  # type: ignore[method-assign]
    try:
        yield
    finally:
        root.handlers[:], _ = before
        root.setLevel(before[1])


def test_alone_at_the_machine_one_has_no_rate_unless_it_is_set() -> None:
    assert bounds_of(Settings.read(), local=True) == BOUNDS
    assert bounds_of(Settings.read(), local=False).rate == "120 per minute"
    assert bounds_of(Settings.read(rate="5/minute", queue=3, upload_mb=2), local=True) == Bounds(
        "5/minute", 3, 2_000_000
    )
    with pytest.raises(SettingsError, match="60/minute"):
        bounds_of(Settings.read(rate="often"), local=True)


def test_who_asks_too_often_is_told_when_to_go_on(corpus: Corpus) -> None:
    with serving(FakeEngine(corpus), bounds=Bounds(rate="3/minute")) as address:
        assert [start(address, "Why?").status_code for _ in range(4)] == [200, 200, 200, 429]
        late = start(address, "Why?")
        assert re.fullmatch(r"that was more than .*; go on in \d+ s", late.json()["detail"])
        assert 0 < int(late.headers["retry-after"]) <= 60
        assert httpx.get(f"{address}/config").status_code == 200  # reading goes on
        assert figure(address, 'verse_requests_total{area="api",status="429"}') == 2


@pytest.mark.browser
def test_the_page_says_so_and_keeps_what_was_typed(browser: Browser, corpus: Corpus) -> None:
    with serving(FakeEngine(corpus), bounds=Bounds(rate="1/hour")) as address, visiting(browser, address) as page:
        start(address, "Why?")
        ask(page, "And why this?")
        expect(page.get_by_text("that was more than this server takes from one visitor")).to_be_visible()
        expect(page.get_by_label("Your question")).to_have_value("And why this?")


@dataclass
class Held(FakeEngine):
    """Begins no answer before it is let go."""

    gate: threading.Event = field(default_factory=threading.Event)

    def stream(self, question: str, *given: Any, **named: Any) -> Iterator[AnswerSentence | Answer]:
        assert self.gate.wait(60)
        return super().stream(question, *given, **named)


def test_a_full_queue_refuses_at_once_and_serves_who_waits(corpus: Corpus) -> None:
    engine = Held(corpus, picks=(1,))
    with serving(engine, bounds=Bounds(waiting=2)) as address, ThreadPoolExecutor(40) as pool:
        begun = list(pool.map(lambda n: start(address, f"{n}?"), range(40)))
        assert {reply.status_code for reply in begun} == {200, 503}
        engine.gate.set()
        served = [reply for reply in begun if reply.status_code == 200]
        assert all("event: complete" in stream for stream in pool.map(lambda reply: finish(address, reply), served))


def test_what_is_too_large_is_refused_before_it_is_read(corpus: Corpus) -> None:
    with serving(FakeEngine(corpus), bounds=Bounds(upload=20_000)) as address:
        assert start(address, "x" * 9_000_000).status_code == 413
        for size, status in ((10_000, 200), (30_000, 413)):
            sent = httpx.post(f"{address}/gradio_api/upload", files={"files": ("a.txt", b"x" * size)})
            assert sent.status_code == status
        unstated = httpx.post(f"{address}/gradio_api/call/ask", content=iter([b"x" * 1_000_000] * 9))
        assert unstated.status_code >= 400


def test_what_was_uploaded_does_not_outlive_the_server(corpus: Corpus) -> None:
    with serving(FakeEngine(corpus)) as address:
        sent = httpx.post(f"{address}/gradio_api/upload", files={"files": ("a.txt", b"Minutes.")})
        (file,) = sent.json()
        assert Path(file).read_bytes() == b"Minutes."
    assert not Path(file).exists()


def test_an_answer_is_logged_with_its_request_and_stages_and_not_its_words(corpus: Corpus) -> None:
    lines: list[str] = []
    with logging_to(lines, log="json"), serving(FakeEngine(corpus)) as address:
        begun = start(address, SECRET, **{"X-Request-ID": "from-the-proxy"})
        finish(address, begun)
        finish(address, start(address, f"crash {SECRET}"))
        httpx.get(f"{address}/no-such-page")
    events = [json.loads(line) for line in lines]
    asked, failed = (next(e for e in events if e["event"] == name) for name in ("asked", "failed"))
    assert begun.headers["x-request-id"] == asked["request_id"] == "from-the-proxy"
    assert (asked["status"], set(asked["stages"])) == ("answered", set())
    assert failed["exception"].endswith("RuntimeError")
    assert next(e for e in events if e.get("status") == 404)["path"] == "/no-such-page"
    assert "secret" not in "".join(lines)


def test_the_log_holds_questions_where_a_setting_says_so(corpus: Corpus) -> None:
    lines: list[str] = []
    with logging_to(lines, log_questions=True), serving(FakeEngine(corpus)) as address:
        finish(address, start(address, SECRET))
    assert SECRET in "".join(lines)


def test_a_log_line_obeys_nobody(corpus: Corpus) -> None:
    lines: list[str] = []
    with logging_to(lines, log_questions=True, log_level="debug"), serving(FakeEngine(corpus)) as address:
        httpx.get(f"{address}/%1b[31m%0aforged")
        finish(address, start(address, "red \x1b[31m\nforged"))
    assert "\x1b" not in "".join(lines)
    assert all("\n" not in line for line in lines)


def test_a_bug_is_one_clear_line_that_leads_to_the_log(corpus: Corpus) -> None:
    with serving(FakeEngine(corpus)) as address:
        said = finish(address, start(address, "crash"))
        assert "event: error" in said
        assert figure(address, 'verse_answers_total{status="failed"}') == 1


def test_what_nobody_foresaw_on_the_page_is_one_event_and_no_traceback(
    corpus: Corpus, capfd: pytest.CaptureFixture[str]
) -> None:
    lines: list[str] = []
    engine = FakeEngine(corpus)
    with logging_to(lines, log="json"), serving(engine) as address:
        dependencies = httpx.get(f"{address}/config").json()["dependencies"]
        load = next(d for d in dependencies if d["api_name"] == "load")
        engine.corpus = None  # type: ignore[assignment]
        sent = {"fn_index": load["id"], "data": [None, ""], "session_hash": "any"}
        told = httpx.post(f"{address}/gradio_api/run/predict", json=sent)
    assert told.status_code == 500
    (failed,) = (json.loads(line) for line in lines if '"failed"' in line)
    assert f"under request {failed['request_id']}" in told.json()["error"]
    assert failed["request_id"] == told.headers["x-request-id"]
    assert "Traceback" not in capfd.readouterr().err


def test_health_and_figures(corpus: Corpus) -> None:
    with serving(FakeEngine(corpus)) as address:
        assert httpx.get(f"{address}/healthz").json() == {"status": "ok"}
        finish(address, start(address, "Why?"))
        finish(address, start(address, "unknown"))
        assert figure(address, 'verse_answers_total{status="answered"}') == 1
        assert figure(address, 'verse_answers_total{status="not_in_sources"}') == 1
        assert figure(address, "verse_answer_seconds_count") == 2
        assert figure(address, "verse_answers_running") == 0
        assert figure(address, "process_open_fds") > 0


def test_a_closed_page_is_forgotten_and_an_open_one_costs_little(corpus: Corpus) -> None:
    pages = make_server(FakeEngine(corpus), lambda: None).pages
    now = datetime.datetime.now()
    for name in ("open", "closed"):
        assert pages.state_holder[name].config_values
        pages.state_holder[name].state_data[1] = "its chats"
    pages.state_holder["closed"].is_closed = True
    forget_closed(pages, now - datetime.timedelta(minutes=1))
    assert [not pages.state_holder.session_data[name].config_values for name in ("open", "closed")] == [True, True]
    forget_closed(pages, now + datetime.timedelta(minutes=1))
    assert list(pages.state_holder.session_data) == ["open"]


def test_a_program_is_forgotten_once_it_has_its_answer(corpus: Corpus) -> None:
    ready = threading.Event()
    server = make_server(FakeEngine(corpus), ready.set)
    sessions = server.pages.state_holder.session_data
    later = datetime.datetime.now() + datetime.timedelta(minutes=1)
    with running(server, ready) as address:
        begun = start(address, "Why?")
        finish(address, start(address, "And who?"))
        until(lambda: len(sessions) == 2)
        forget_closed(server.pages, later)
        assert len(sessions) == 1, "the other has not read its answer yet"
        assert "event: complete" in finish(address, begun)
        forget_closed(server.pages, later)
        assert not sessions
        queue = server.pages.get_blocks()._queue
        assert (len(queue.event_analytics), queue.cached_event_analytics_summary) == (1, {"functions": {}})


def test_a_stopped_server_leaves_no_thread(corpus: Corpus) -> None:
    with serving(FakeEngine(corpus)) as address:
        finish(address, start(address, "Why?"))
    deadline = time.monotonic() + 10
    while (left := _strangers()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []


def _strangers() -> list[str]:
    ours = ("MainThread", "asyncio_0")
    return [thread.name for thread in threading.enumerate() if thread.name not in ours and not thread.daemon]


STUCK = """
import sys, time
from tests.ui.fakes import FakeEngine
from corpus import Corpus
from ui.server import serve

class Stuck(FakeEngine):
    def ask(self, question, history=(), **scope):
        print("asked", flush=True)
        time.sleep(60)

engine = Stuck(Corpus.from_texts({"a": "One sentence. Another sentence."}))
serve(engine, port=0, announce=lambda line: print(line, flush=True))
"""


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_within_five_seconds_mid_answer_too(sent: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", STUCK], stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        try:
            assert server.stdout
            address = server.stdout.readline().split()[5]
            event = start(address, "Why?").json()["event_id"]
            waiting = threading.Thread(target=_wait_for, args=(f"{address}/gradio_api/call/ask/{event}",))
            waiting.start()
            assert server.stdout.readline() == "asked\n"
            began = time.monotonic()
            server.send_signal(sent)
            server.wait(30)
            assert time.monotonic() - began < 5
        finally:
            server.kill()


def _wait_for(place: str) -> None:
    with suppress(httpx.HTTPError):
        httpx.get(place, timeout=60)
