"""The log: one event a line on stderr, as text or JSON, with the id of the request that it belongs to.

What was asked, what was answered and what an exception quotes of it stay out, unless a setting says otherwise.
"""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from rag.settings import Settings
from rag.terminal import in_one_line, printable

_OURS = "verse"
_WORDS = ("question", "message")  # keys that carry what somebody wrote
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]

LOG: structlog.stdlib.BoundLogger = structlog.wrap_logger(
    logging.getLogger(_OURS),
    wrapper_class=structlog.stdlib.BoundLogger,
    processors=[
        structlog.stdlib.filter_by_level,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
)


def set_up_logs(settings: Settings) -> None:
    """Send our events and the libraries' warnings to stderr in one form; until then only warnings are seen."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(settings))
    handler.addFilter(lambda record: record.name == _OURS or record.levelno >= logging.WARNING)
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.WARNING)
    logging.getLogger(_OURS).setLevel(settings.log_level.upper())


def _formatter(settings: Settings) -> logging.Formatter:
    common: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso"),
    ]
    shown: Processor = (
        structlog.processors.JSONRenderer()
        if settings.log == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            repr_native_str=True,
            sort_keys=False,
            exception_formatter=structlog.dev.plain_traceback,  # ours are text already
        )
    )
    return structlog.stdlib.ProcessorFormatter(
        processors=[
            *common,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _told if settings.log_questions else _untold,
            _clean,
            shown,
        ],
    )


def _told(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Exceptions with what they say."""
    return _with_frames(event, message=True)


def _untold(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Nothing that a visitor wrote: not the question, nor an exception's message, which may quote it."""
    return _with_frames({key: value for key, value in event.items() if key not in _WORDS}, message=False)


def _with_frames(event: EventDict, *, message: bool) -> EventDict:
    """The exception's kind and where it arose, as one string."""
    given = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    if isinstance(given, BaseException):
        given = (type(given), given, given.__traceback__)
    if isinstance(given, tuple) and given[0] is not None:
        kind, error, trace = given
        said = f": {in_one_line(str(error))}" if message else ""
        event["exception"] = "".join(traceback.format_tb(trace)) + kind.__qualname__ + said
    return event


def _clean(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Without what a terminal would obey, and each in a line: paths, names and libraries' words come from anybody, and
    none may pass for an event of ours. An exception keeps its lines, which begin with a blank."""
    shown = {key: in_one_line(value) if isinstance(value, str) else value for key, value in event.items()}
    if isinstance(event.get("exception"), str):
        shown["exception"] = printable(event["exception"])
    return shown
