"""The real small model behind its real server, as a process of its own that can be killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

SERVE = "import sys; from rag.smollm2 import start; s = start(); print(s.url, s.key, flush=True); sys.stdin.read()"


@dataclass
class Served:
    """A server, the name of its model for `--llm`, and the key that it asks for."""

    process: subprocess.Popen[str]
    name: str
    key: str


@contextmanager
def serving_smollm2() -> Iterator[Served]:
    """The server for as long as the block runs."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url, _, key = process.stdout.readline().strip().partition(" ")
        try:
            yield Served(process, f"openai-like/smollm2@{url}", key)
        finally:
            process.kill()
