"""What a bug report needs, as one zip, and nothing private: no text, name, question, key or path of anybody's."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import platform
import re
import shutil
import sys
import time
import zipfile
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import psutil
from pydantic import SecretStr

from corpus import BUILT_IN, Corpus, VerseError
from rag.doctor import Check
from rag.engine import Engine
from rag.errors import SettingsError
from rag.folder import read_meta
from rag.opening import index_folder, open_corpus
from rag.settings import Settings

_QUESTION = "What is this about?"
_PLACES = (  # whatever else looks like an address or a path
    (re.compile(r"\bhttps?://[^\s,;)]+|\b[\w-]+(?:\.[\w-]+)*:\d{1,5}\b"), "<address>"),
    (re.compile(r"(?<![\w<>~])(?:/[\w.@ -]*[\w@-]){2,}|\b[A-Za-z]:\\\S+"), "<path>"),
)
_FIXED = ("log", "log_level")  # of a few words of ours each
_README = """What `verse doctor --bundle` found on this machine, for a bug report.

versions.json  this program, Python, the system, and the packages that the program asks for
settings.json  which settings differ from their defaults; values only of numbers, switches and the model's kind
checks.json    what `verse doctor` says, with names, paths and quotations taken out
index.json     counts and file sizes of the index
timings.json   seconds that opening and one question take

There is no text, title, question, key, password, path or host name in it. Look through it before you send it.
"""


def write_bundle(file: Path, settings: Settings, checks: Iterable[Check]) -> None:
    """Write the zip. Raises SettingsError where there is a file already, or none can be written."""
    parts = {
        "versions.json": _versions(settings),
        "settings.json": _settings(settings),
        "checks.json": [check.to_dict() for check in _discreet(checks, settings)],
        "index.json": _index(settings),
        "timings.json": _timings(settings),
    }
    try:
        with zipfile.ZipFile(file, "x", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("README.txt", _README)
            for name, found in parts.items():
                packed.writestr(name, json.dumps(found, indent=2))
    except FileExistsError:
        raise SettingsError(f"{file} is there already; name a new file: verse doctor --bundle FILE") from None
    except OSError as error:
        with contextlib.suppress(OSError):
            file.unlink()  # what was written of it
        raise SettingsError(f"{file} can't be written ({error.strerror}); name another: --bundle FILE") from None


def _versions(settings: Settings) -> dict[str, Any]:
    nearest = next(folder for folder in (settings.home, *settings.home.absolute().parents) if folder.exists())
    return {
        "python": sys.version,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processors": os.cpu_count(),
        "memory": psutil.virtual_memory().total,
        "free_disk": shutil.disk_usage(nearest).free,
        "encodings": [sys.getfilesystemencoding(), getattr(sys.stdout, "encoding", None)],
        "packages": dict(_packages()),
    }


def _packages() -> Iterator[tuple[str, str | None]]:
    """The versions of this program and of what it asks for; None where one isn't installed."""
    try:
        asked = requires("chapter-and-verse") or ()
    except PackageNotFoundError:  # run from its source
        asked = ()
    for name in ("chapter-and-verse", *(re.split(r"[^\w.-]", text, maxsplit=1)[0] for text in asked)):
        try:
            yield name, version(name)
        except PackageNotFoundError:
            yield name, None


def _settings(settings: Settings) -> dict[str, Any]:
    """Numbers and switches as they are; of all else only whether it is set, and of a model who serves it."""
    found: dict[str, Any] = {}
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if value is None or isinstance(value, bool | int | float):
            found[name] = value
        elif not field.default_factory and value == field.default:
            found[name] = "as by default"
        else:
            found[name] = "set"
    if settings.llm:
        found["llm"] = re.match(r"[\w-]{0,20}", settings.llm)[0]  # type: ignore[index]  # it matches nothing too
    return found


def _discreet(checks: Iterable[Check], settings: Settings) -> Iterator[Check]:
    """The checks without what is private."""
    names = _private(settings)
    for check in checks:
        yield Check(check.name, check.ok, _scrub(check.finding, names), _scrub(check.cure, names))


def _private(settings: Settings) -> dict[str, str]:
    """What must not be told -> what stands in its place, longest first."""
    places = {
        settings.home: "<home>",
        settings.corpus or BUILT_IN: "<corpus>",
        settings.index: "<index>",
        settings.password_file: "<file>",
        Path.cwd(): "<here>",
        Path.home(): "~",
    }
    found = {str(form): name for place, name in places.items() if place for form in _forms(place)}
    found |= {said: f"<{name}>" for name, said in _set(settings)}
    found |= {name: "<name>" for name in _names(settings) if len(name) > 2}
    found[platform.node()] = "<machine>"
    with contextlib.suppress(OSError, KeyError):  # a user without a name
        found[getpass.getuser()] = "<user>"
    return dict(sorted(((k, v) for k, v in found.items() if len(k) > 1), key=lambda pair: -len(pair[0])))


def _set(settings: Settings) -> Iterator[tuple[str, str]]:
    """The settings that are words of somebody's: names of models, addresses, hosts."""
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if name in _FIXED or value in (None, field.default) or isinstance(value, bool | int | float | Path):
            continue
        for one in value if isinstance(value, tuple) else (value,):
            said = one.get_secret_value() if isinstance(one, SecretStr) else str(one).rstrip("/")
            yield name, said
            yield name, said.partition("/")[2]  # a model without who serves it


def _forms(place: object) -> Iterator[object]:
    yield place
    if isinstance(place, Path):
        yield place.absolute()
        yield place.resolve()


def _names(settings: Settings) -> Iterator[str]:
    """Names of files, sources, titles and authors of a corpus of one's own."""
    if settings.corpus is None:
        return
    try:
        yield from (path.name for path in settings.corpus.rglob("*"))
        corpus = open_corpus(settings)
    except (OSError, VerseError):
        return
    for source in corpus.sources:
        yield from (source.id, source.title, source.author)
    yield from corpus.failures


def _scrub(text: str, names: dict[str, str]) -> str:
    # A quotation reaches to its last mark: what is quoted may hold marks itself.
    text = re.sub(r"(?<!\w)(['\"]).*\1(?!\w)", "'…'", text, flags=re.DOTALL)
    for name, instead in names.items():
        text = text.replace(name, instead)
    for pattern, instead in _PLACES:
        text = pattern.sub(instead, text)
    return text


def _index(settings: Settings) -> dict[str, Any]:
    try:
        _, meta = read_meta(index_folder(open_corpus(settings), settings))
    except VerseError as error:
        return {"error": type(error).__name__}
    return {
        "format": meta.format,
        "dimension": meta.dimension,
        "passages": meta.passages,
        "sentences": meta.sentences,
        "embedded": meta.embedded,
        "sources": len(meta.sources),
        "sections": len(meta.sections),
        "bytes": {re.sub(r"[0-9a-f-]{36}", "*", name): mark["bytes"] for name, mark in meta.files.items()},
    }


def _timings(settings: Settings) -> dict[str, Any]:
    """Seconds of opening and of one question; builds nothing."""
    began = time.perf_counter()
    try:
        corpus: Corpus = open_corpus(settings)
        read = time.perf_counter()
        read_meta(index_folder(corpus, settings))
        with Engine.open(corpus, settings.model_copy(update={"llm": None})) as engine:
            opened = time.perf_counter()
            stages = engine.ask(_QUESTION).timings
    except VerseError as error:
        return {"error": type(error).__name__}
    return {"read_corpus": round(read - began, 4), "open": round(opened - read, 4), "ask": stages}
