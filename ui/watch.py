"""What an operator sees: a request id from page to stage, timings, counters, and whether the server is well."""

from __future__ import annotations

import asyncio
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, TypeVar, cast

import gradio as gr
from gradio.context import LocalContext
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from pydantic import ValidationError
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from corpus import VerseError
from rag.datatypes import Answer, AnswerSentence, ScoredPassage, Turn
from rag.errors import IndexMismatch, IndexMissing
from ui.chat import Engine
from ui.logs import LOG

Asked = TypeVar("Asked", bound=Engine)
Step = TypeVar("Step")
_GIVEN = re.compile(r"[\w.-]{1,64}")
_AREAS = (("/gradio_api/mcp", "mcp"), ("/gradio_api/upload", "upload"), ("/gradio_api/", "api"), ("/log", "login"))
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Figures:
    """Prometheus metrics of one server, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "verse_requests", "Requests by area and status.", ("area", "status"), registry=self.registry
        )
        self.answers = Counter("verse_answers", "Questions by what came of them.", ("status",), registry=self.registry)
        self.seconds = Histogram(
            "verse_answer_seconds", "Seconds to an answer.", buckets=_SECONDS, registry=self.registry
        )
        self.stages = Histogram(
            "verse_stage_seconds", "Seconds by stage.", ("stage",), buckets=_SECONDS, registry=self.registry
        )
        self.running = Gauge("verse_answers_running", "Questions that are being answered.", registry=self.registry)
        self.measure("verse_threads", "Threads of the process.", threading.active_count)
        self.index_unusable = False

    def measure(self, name: str, what: str, current: Callable[[], float]) -> None:
        """One more figure, read whenever somebody looks."""
        Gauge(name, what, registry=self.registry).set_function(current)

    def note(self, note: _Note) -> None:
        """Count a question and log it: what came of it and the seconds of each stage."""
        status = note.outcome or (note.answer.status if note.answer else "stopped")
        seconds = time.perf_counter() - note.began
        self.answers.labels(status).inc()
        stages = note.answer.timings if note.answer else {}
        for stage, taken in stages.items():
            self.stages.labels(stage).observe(taken)
        if note.answer:
            self.seconds.observe(seconds)
            self.index_unusable = False
        LOG.info(
            "asked",
            request_id=note.request_id,
            status=status,
            seconds=round(seconds, 4),
            stages={stage: round(taken, 4) for stage, taken in stages.items()},
            question=note.question,
        )

    def routes(self) -> list[Route]:
        """`/healthz`, for whoever restarts and balances servers, and `/metrics`."""

        def health(request: Request) -> Response:
            if self.index_unusable:
                return JSONResponse({"status": "the index is unusable; verse doctor says why"}, 503)
            return JSONResponse({"status": "ok"})

        def metrics(request: Request) -> Response:
            return Response(generate_latest(self.registry), media_type=CONTENT_TYPE_LATEST)

        return [Route("/healthz", health), Route("/metrics", metrics)]


class Guarded(gr.Blocks):
    """Blocks whose handlers' mistakes are one event in the log and one line for the visitor, and no traceback."""

    async def process_api(self, *args: Any, **named: Any) -> dict[str, Any]:
        """See gr.Blocks."""
        try:
            return await super().process_api(*args, **named)
        except gr.Error as error:
            error.print_exception = False
            raise
        except VerseError as error:
            raise gr.Error(str(error), print_exception=False, title="Not done") from None
        except ValidationError:  # of what Gradio was sent
            raise gr.Error("this isn't what the page sends; reload it", print_exception=False) from None
        except Exception:  # noqa: BLE001 -- whatever it is, it is logged here and a visitor gets one clear line
            name = getattr(getattr(named.get("request"), "state", None), "request_id", "") or uuid.uuid4().hex[:12]
            LOG.error("failed", request_id=name, exc_info=True)
            raise gr.Error(_unforeseen(name), print_exception=False, title="Not done") from None


def _unforeseen(request_id: str) -> str:
    return f"something went wrong here; the log says what, under request {request_id}"


class Watch:
    """Gives each request an id, or keeps its proxy's, counts it and logs it."""

    def __init__(self, app: ASGIApp, figures: Figures) -> None:
        self.app = app
        self.figures = figures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and look at what comes back."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _GIVEN.fullmatch(given) else uuid.uuid4().hex[:12]
        scope.setdefault("state", {})["request_id"] = request_id
        began = time.perf_counter()
        under_way = False

        async def watched(message: Message) -> None:
            nonlocal under_way
            under_way = message["type"] == "http.response.start" or bool(message.get("more_body"))
            if message["type"] == "http.response.start":
                MutableHeaders(raw=message.setdefault("headers", [])).append("X-Request-ID", request_id)
                self._note(scope, message["status"], time.perf_counter() - began)
            await send(message)

        with bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, watched)
            except asyncio.CancelledError:  # the server ends, and an open page still listens; that is no mistake
                if under_way:
                    await send({"type": "http.response.body", "body": b""})

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        """Count and log; a refusal with where it came from, so that one can act on it."""
        path = scope["path"]
        area = next((area for start, area in _AREAS if path.startswith(start)), "page")
        self.figures.requests.labels(area, str(status)).inc()
        about: dict[str, Any] = {"method": scope["method"], "path": path[:200], "status": status}
        if status >= 400 and scope.get("client"):
            about["address"] = scope["client"][0]
        log = LOG.warning if status >= 500 else LOG.info if status >= 400 or area == "login" else LOG.debug
        log("request", **about, seconds=round(seconds, 4))


def watched(engine: Asked, figures: Figures) -> Asked:
    """The same engine, with each answer counted, timed and logged."""
    return cast(Asked, _Watched(engine, figures))


class _Watched:
    """Stands before the engine; what isn't asking is the engine's own."""

    def __init__(self, engine: Engine, figures: Figures) -> None:
        self._engine = engine
        self._figures = figures

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- whatever the engine has
        return getattr(self._engine, name)

    def ask(self, question: str, history: Sequence[Turn] = (), **scope: Any) -> Answer:
        with self._noted(question) as note, bound_contextvars(request_id=note.request_id):
            note.answer = self._engine.ask(question, history, **scope)
            return note.answer

    def stream(self, question: str, history: Sequence[Turn] = (), **scope: Any) -> _Answering:
        return _Answering(self._noted(question), partial(self._engine.stream, question, history, **scope))

    def retrieve(self, question: str, *args: Any, **given: Any) -> list[ScoredPassage]:
        with self._noted(question) as note, bound_contextvars(request_id=note.request_id):
            found = self._engine.retrieve(question, *args, **given)
            note.outcome = "retrieved"
            return found

    @contextmanager
    def _noted(self, question: str) -> Iterator[_Note]:
        """Count and log what comes of a question; a bug becomes an error that names the request."""
        note = _Note(question, _request_id())
        try:
            with self._figures.running.track_inprogress():
                yield note
        except VerseError as error:
            note.outcome = type(error).__name__
            self._figures.index_unusable |= isinstance(error, IndexMissing | IndexMismatch)
            raise
        except Exception:  # noqa: BLE001 -- whatever it is, it is logged here and a visitor gets one clear line
            note.outcome = "failed"
            LOG.error("failed", request_id=note.request_id, question=question, exc_info=True)
            raise VerseError(_unforeseen(note.request_id)) from None
        finally:
            self._figures.note(note)


class _Answering(Iterator[AnswerSentence | Answer]):
    """An answer as it comes, noted when it ends; like the engine's, it can be closed from any thread."""

    def __init__(
        self, noted: AbstractContextManager[_Note], begin: Callable[[], Iterator[AnswerSentence | Answer]]
    ) -> None:
        self._noted = noted
        self._note = noted.__enter__()
        self._over = False
        self._events: Iterator[AnswerSentence | Answer] = iter(())
        self._events = self._guarded(begin)

    def __next__(self) -> AnswerSentence | Answer:
        event = self._guarded(lambda: next(self._events, None))
        if event is None:
            self._end()
            raise StopIteration
        self._note.answer = event if isinstance(event, Answer) else None
        return event

    def close(self) -> None:
        """End it, and with it what the engine does for it."""
        close = getattr(self._events, "close", None)
        if close is not None:
            close()
        self._end()

    def _guarded(self, step: Callable[[], Step]) -> Step:
        try:
            with bound_contextvars(request_id=self._note.request_id):  # each step may run in another thread
                return step()
        except BaseException as error:
            self._end(error)  # raises in its place what a visitor is to read
            raise

    def _end(self, error: BaseException | None = None) -> None:
        if not self._over:
            self._over = True
            self._noted.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)


class _Note:
    """One question on its way; without an answer or an error it was stopped."""

    def __init__(self, question: str, request_id: str) -> None:
        self.question = question
        self.request_id = request_id
        self.began = time.perf_counter()
        self.answer: Answer | None = None
        self.outcome = ""


def _request_id() -> str:
    """The id of the request that Gradio is answering in this thread."""
    request = LocalContext.request.get(None)
    return getattr(request.state, "request_id", "") if request is not None else uuid.uuid4().hex[:12]
