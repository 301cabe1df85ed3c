"""Parsers that a hostile file can stall or swell run in a child process, with limits on time and memory.

The parent reads the file and hands its bytes over; the child opens no file of the corpus. `python -m
corpus.sandbox KIND` is the child.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus.atomic import write_atomically
from corpus.blocks import Loaded
from corpus.errors import CorpusError

if TYPE_CHECKING:
    from corpus.loaders import Kind

MEMORY_LIMIT = 2_000_000_000  # bytes of address space; a large honest PDF takes some 300 MB
MAX_TEXT = 50_000_000

_LONG = 200_000  # characters whose structure may take a second, or 50 MB, to read

_KEPT = 30 * 86_400  # seconds that a result is kept after it was last read
_DAY = 86_400

_FORMAT = 2  # counts up when a parser's result changes, so that cached ones aren't taken for new


def parse_in_child(kind: Kind, data: bytes, cache: Path | None, time_limit: float) -> Loaded:
    """Parse within limits, or take it from the cache. Raises CorpusError; leaves no process behind."""
    key = hashlib.sha256(f"{_FORMAT} {kind} ".encode() + data).hexdigest()
    kept = cache / f"{key}.json" if cache else None
    if kept and (loaded := _read_kept(kept)):
        return loaded
    answer = _run(kind, data, time_limit)
    loaded = _from_json(answer)
    if kept:
        with contextlib.suppress(CorpusError):  # a cache that can't be written costs time only
            write_atomically(kept, f"{hashlib.sha256(answer).hexdigest()}\n".encode() + answer)
    return loaded


def forget_unused(cache: Path) -> None:
    """Delete the results that nobody has read for thirty days. An open corpus holds its texts itself; whoever needs a
    deleted result again parses the file again."""
    now = time.time()
    with contextlib.suppress(OSError):  # a cache that isn't there, or can't be looked into
        for kept in cache.glob("*.json"):
            with contextlib.suppress(OSError):  # another process has deleted it, or the folder is read-only
                if now - kept.stat().st_mtime > _KEPT:
                    kept.unlink()


def _run(kind: Kind, data: bytes, time_limit: float) -> bytes:
    # -P keeps modules that lie in the reader's current folder from being taken for the libraries.
    root = str(Path(__file__).resolve().parent.parent)
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "corpus.sandbox", kind, str(time_limit)],
            input=data,
            capture_output=True,
            timeout=time_limit,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONIOENCODING": "utf-8"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CorpusError(f"took longer than {time_limit:g} s to read; split it or save its text alone") from None
    if done.returncode == 0:
        return done.stdout
    why = done.stderr.decode("utf-8", "replace").strip().rsplit("\n", 1)[-1][:200]
    if "MemoryError" in why or "cannot allocate" in why.lower():
        raise CorpusError(f"takes more than {MEMORY_LIMIT // 1_000_000_000} GB of memory; split it, or save its text")
    why = why or f"the parser ended by signal {-done.returncode}"
    raise CorpusError(f"is damaged, or no {kind.upper()} that can be read ({why}); export or download it again")


def _read_kept(file: Path) -> Loaded | None:
    """Read what the cache holds; None where it holds nothing, or something damaged."""
    try:
        checksum, _, answer = file.read_bytes().partition(b"\n")
    except OSError:
        return None
    with contextlib.suppress(OSError):  # in a read-only home nothing is deleted either
        if abs(time.time() - file.stat().st_mtime) > _DAY:
            os.utime(file)
    return _from_json(answer) if hashlib.sha256(answer).hexdigest().encode() == checksum else None


def _from_json(answer: bytes) -> Loaded:
    found: dict[str, Any] = json.loads(answer)
    if "error" in found:
        raise CorpusError(found["error"])
    return Loaded.from_dict(found)


def _limit(time_limit: float) -> None:
    try:
        import resource  # noqa: PLC0415  not on Windows, where the time limit alone holds
    except ImportError:
        return
    seconds = int(time_limit) + 1
    for what, limit in (
        (resource.RLIMIT_AS, MEMORY_LIMIT),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        resource.setrlimit(what, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _rehearse(loaded: Loaded) -> None:
    """Read the structure of a long text within the limits, as the parent will do without them."""
    if len(loaded.text) > _LONG:
        from corpus.document import parse  # noqa: PLC0415  after the limits
        from corpus.voices import assign_voices  # noqa: PLC0415

        assign_voices(parse("", "", loaded.text, headings=loaded.headings), (), "", loaded.speakers)


def main() -> None:
    """Be the child: bytes come on standard input, the result goes to standard output as JSON."""
    kind: Any = sys.argv[1]
    data = sys.stdin.buffer.read()
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not mix with the result
    _limit(float(sys.argv[2]))
    from corpus.loaders import parse_here  # noqa: PLC0415  after the limits

    try:
        loaded = parse_here(kind, data)
        if len(loaded.text) > MAX_TEXT:
            raise CorpusError(f"holds more than {MAX_TEXT // 1_000_000} million characters; split it")
        _rehearse(loaded)
        answer: dict[str, Any] = asdict(loaded)
    except CorpusError as error:
        answer = {"error": str(error)}
    with out:
        out.write(json.dumps(answer).encode())


if __name__ == "__main__":
    main()
