"""Language models by name, through llama-index's integrations.

    ollama/NAME   openai/NAME   anthropic/NAME   openai-like/NAME@URL   smollm2

Each call has a client of its own, so that it can be cut without harm to others. Keys come from the environment
only; what a provider says in its errors is never passed on, since some repeat the key.
"""

from __future__ import annotations

import contextlib
import os
import re
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, reduce
from importlib import import_module
from importlib.util import find_spec
from operator import getitem
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import httpx
import tenacity

from rag import smollm2
from rag.call import Call, CallEnded, Message
from rag.errors import ModelUnavailable

if TYPE_CHECKING:
    from llama_index.core.llms import LLM, ChatResponse

Build = Callable[[Call, int], "LLM"]

_FORMS = "ollama/NAME, openai/NAME, anthropic/NAME, openai-like/NAME@URL or smollm2"
_TEMPERATURE = 0.1
_CONNECT_SECONDS = 5.0
_ATTEMPTS = 3
# Where neither the model nor its server says how much it reads.
_CONTEXT = 4_096
# Ollama reserves memory for all that a model could read, which is more than answers need.
_OLLAMA_MOST = 8_192
_LIKE = re.compile(r"(?P<model>.+)@(?P<url>https?://.+)")
# What clients raise when a server breaks off or speaks nonsense; their own errors come on top.
_BROKEN = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.StreamError,
    ImportError,
    OSError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
)


@dataclass
class Model:
    """A model that can be asked; see `LanguageModel`. `cap` is the most tokens that it is given."""

    name: str
    build: Build = field(repr=False)
    look_up_context: Callable[[Call], int] = field(repr=False)
    errors: tuple[type[Exception], ...] = field(repr=False)  # all that may go wrong on the way
    cures: dict[str, str] = field(repr=False)
    secret: str = field(default="", repr=False)
    cap: int | None = None
    _context: int = 0

    def context(self, call: Call) -> int:
        """How many tokens it reads and writes at most, by its own account, which is looked up once; a modest guess
        where it gives none."""
        if not self._context:
            try:
                self._context = self.look_up_context(call)
            except self.errors as error:
                raise self._failure(error, call) from None
        context = self._context or _CONTEXT
        return min(context, self.cap or context)

    def stream(self, messages: Sequence[Message], most: int, call: Call) -> Iterator[str]:
        """Its answer, piece by piece. What fails before the first piece is tried again, within the call's time."""
        try:
            first, rest = tenacity.Retrying(
                stop=tenacity.stop_after_attempt(_ATTEMPTS),
                wait=tenacity.wait_random_exponential(multiplier=0.5, max=3.0),
                retry=tenacity.retry_if_exception(lambda error: _passing(error) and not call.ending),
                sleep=call.pause,
                reraise=True,
            )(self._begin, messages, most, call)
            last = first
            yield first.delta or ""
            for last in rest:
                if call.ending:
                    raise CallEnded(call.ending)
                yield last.delta or ""
        except self.errors as error:
            raise self._failure(error, call) from None
        if call.ending:
            raise CallEnded(call.ending)
        if _unfinished(last.raw):
            raise ModelUnavailable("it broke off in mid-answer; ask again")

    def _begin(self, messages: Sequence[Message], most: int, call: Call) -> tuple[ChatResponse, Iterator[ChatResponse]]:
        """The first piece that holds text, or the last of all, and what comes after it."""
        from llama_index.core.llms import ChatMessage  # noqa: PLC0415 -- llama-index takes seconds to import

        chat = [ChatMessage(role=message["role"], content=message["content"]) for message in messages]
        pieces = iter(self.build(call, most).stream_chat(chat))
        if (piece := next(pieces, None)) is None:
            raise CallEnded(call.ending) if call.ending else ModelUnavailable("it wrote nothing")
        while not piece.delta and (after := next(pieces, None)) is not None:
            piece = after
        return piece, pieces

    def _failure(self, error: Exception, call: Call) -> Exception:
        """One line in our own words: what happened, and the cure."""
        if call.ending:
            return CallEnded(call.ending)
        if any(isinstance(e, ImportError) for e in _chain(error)):
            return ModelUnavailable(
                "a proxy is set that wants a package; pip install 'httpx[socks]', or unset ALL_PROXY"
            )
        status = getattr(error, "status_code", None)
        if status in (401, 403):
            return ModelUnavailable(f"its server refused the key ({status}); {self.cures['key']}")
        if status == 404:
            return ModelUnavailable(f"its server doesn't know it ({status}); {self.cures['name']}")
        if status == 429:
            return ModelUnavailable("its server has no room for more requests now (429); ask again later")
        if isinstance(status, int) and 300 <= status < 400:
            return ModelUnavailable(f"its server sends elsewhere ({status}); name the address that it sends to")
        if isinstance(status, int):
            cure = "set VERSE_LLM_CONTEXT lower" if status in (400, 413) else "ask again later"
            return ModelUnavailable(f"its server failed ({status}); {cure}")
        if any(isinstance(e, httpx.ConnectError | httpx.ConnectTimeout | ConnectionError) for e in _chain(error)):
            return ModelUnavailable(f"its server can't be reached; {self.cures['server']}")
        return ModelUnavailable("it broke off in mid-answer; ask again")


def open_llm(name: str, context: int | None = None) -> Model:
    """A model by its name; `context` caps how many tokens it is given. Asks the network nothing.

    Raises ModelUnavailable where the name, its extra or its key is missing, with the cure.
    """
    provider, _, model = name.partition("/")
    opener = _OPENERS.get(provider)
    if opener is None or bool(model) == (provider == smollm2.NAME):
        raise ModelUnavailable(f"no language model is called {name!r}; name one as {_FORMS}")
    opened = opener(name, model)
    opened.cap = context
    return opened


def _open_openai(name: str, model: str) -> Model:
    _need("openai_like", name)
    import openai  # noqa: PLC0415 -- an extra
    from llama_index.llms.openai.utils import ALL_AVAILABLE_MODELS  # noqa: PLC0415

    key = _key("OPENAI_API_KEY", name)
    known = ALL_AVAILABLE_MODELS.get(model, 16_000)
    return Model(
        name,
        # This provider's newer models refuse `max_tokens`, which the integration would send.
        lambda call, most: _chat_api(call, model, None, key, None, {"max_completion_tokens": most}),
        lambda _: known,
        (*_BROKEN, openai.OpenAIError),
        _cures("mend OPENAI_API_KEY", "check that this machine is online"),
        key,
    )


def _open_like(name: str, model: str) -> Model:
    _need("openai_like", name)
    found = _LIKE.fullmatch(model)
    if found is None:
        raise ModelUnavailable(
            f"{name!r} names no server; name it as openai-like/NAME@URL, such as "
            "openai-like/llama@http://127.0.0.1:8080/v1"
        )
    try:
        url = urlsplit(found["url"])
        httpx.URL(found["url"])
    except (ValueError, httpx.InvalidURL):
        raise ModelUnavailable(
            f"{found['model']!r} is at no URL; name it as {name.partition('@')[0]}@http://HOST:PORT/v1"
        ) from None
    if url.username or url.password:
        raise ModelUnavailable("the server's URL holds a password; take it out and set OPENAI_LIKE_API_KEY instead")
    address = found["url"].rstrip("/") + ("" if url.path.strip("/") else "/v1")
    key = os.environ.get("OPENAI_LIKE_API_KEY", "")
    return _served(name, found["model"], lambda: (address, key), f"check that {url.netloc} is running")


def _open_smollm2(name: str, _: str) -> Model:
    smollm2.gguf()
    for package in ("xllamacpp", "llama_index.llms.openai_like"):
        if not _installed(package):
            raise ModelUnavailable(f"the model {name!r} needs {package.split('.')[0]}; install it with: {smollm2.CURE}")

    def address() -> tuple[str, str]:
        server = smollm2.server()
        return server.url, server.key

    return _served(name, name, address, f"reinstall it with: {smollm2.CURE}")


def _served(name: str, model: str, address: Callable[[], tuple[str, str]], cure: str) -> Model:
    """A model of an OpenAI-compatible server; `address` gives its URL and key when it is first called."""
    import openai  # noqa: PLC0415 -- an extra

    def build(call: Call, most: int) -> LLM:
        url, key = address()
        return _chat_api(call, model, url, key or "none", most, {})

    return Model(
        name,
        build,
        lambda call: _served_context(call, *address()),
        (*_BROKEN, openai.OpenAIError),
        _cures("set OPENAI_LIKE_API_KEY", cure),
        os.environ.get("OPENAI_LIKE_API_KEY", ""),
    )


def _open_ollama(name: str, model: str) -> Model:
    _need("ollama", name)
    import ollama  # noqa: PLC0415 -- an extra

    def build(call: Call, most: int, reads: int = _OLLAMA_MOST) -> LLM:
        from llama_index.llms.ollama import Ollama  # noqa: PLC0415 -- an extra

        hooks = {"request": [call.watch]}
        here = _is_here(os.environ.get("OLLAMA_HOST", "") or "localhost")
        client = ollama.Client(timeout=_timeout(call), event_hooks=hooks, trust_env=not here)
        llm: LLM = Ollama(
            model=model,
            client=client,
            temperature=_TEMPERATURE,
            context_window=reads,
            additional_kwargs={"num_predict": most},
        )
        return llm

    def look_up(call: Call) -> int:
        return min(_OLLAMA_MOST, int(build(call, 1, -1).metadata.context_window))  # -1: ask the server

    cures = _cures("set OLLAMA_API_KEY", "start it with: ollama serve", f"get it with: ollama pull {model}")
    return Model(
        name, build, look_up, (*_BROKEN, ollama.ResponseError, ollama.RequestError), cures, _secret("OLLAMA_API_KEY")
    )


def _open_anthropic(name: str, model: str) -> Model:
    _need("anthropic", name)
    import anthropic  # noqa: PLC0415 -- an extra
    from llama_index.llms.anthropic.utils import anthropic_modelname_to_contextsize  # noqa: PLC0415

    key = _key("ANTHROPIC_API_KEY", name)
    try:
        reads = int(anthropic_modelname_to_contextsize(model))
    except ValueError:
        upgrade = "pip install --upgrade llama-index-llms-anthropic"
        raise ModelUnavailable(f"{name!r} isn't known to its integration; check the name, or {upgrade}") from None

    def build(call: Call, most: int) -> LLM:
        from llama_index.llms.anthropic import Anthropic  # noqa: PLC0415 -- an extra

        llm: Any = Anthropic(model=model, temperature=_TEMPERATURE, max_tokens=most, max_retries=0, api_key=key)
        # The integration takes no client, and so could neither be cut nor timed.
        client = anthropic.DefaultHttpxClient(
            timeout=anthropic.Timeout(call.seconds, connect=min(_CONNECT_SECONDS, call.seconds)),
            event_hooks={"request": [call.watch]},
        )
        llm._client = llm._client.copy(http_client=client)
        return cast("LLM", llm)

    cures = _cures("mend ANTHROPIC_API_KEY", "check that this machine is online")
    return Model(name, build, lambda _: reads, (*_BROKEN, *_errors_of(anthropic)), cures, key)


_OPENERS: dict[str, Callable[[str, str], Model]] = {
    "ollama": _open_ollama,
    "openai": _open_openai,
    "anthropic": _open_anthropic,
    "openai-like": _open_like,
    smollm2.NAME: _open_smollm2,
}


def _chat_api(call: Call, model: str, url: str | None, key: str, most: int | None, more: dict[str, Any]) -> LLM:
    """OpenAI's chat API at any address. A key is always given: else the client would send OPENAI_API_KEY there."""
    from llama_index.llms.openai_like import OpenAILike  # noqa: PLC0415 -- an extra

    return OpenAILike(
        model=model,
        api_base=url,
        api_key=key,
        is_chat_model=True,
        temperature=_TEMPERATURE,
        max_tokens=most,
        max_retries=0,
        timeout=call.seconds,
        additional_kwargs=more,
        http_client=_client(call, url or ""),
    )


def _client(call: Call, url: str) -> httpx.Client:
    """A client whose requests the call can cut. What runs on this machine is never looked for behind a proxy."""
    hooks = {"request": [call.watch]}
    return httpx.Client(timeout=_timeout(call), event_hooks=hooks, trust_env=not _is_here(url), verify=_tls())


def _is_here(address: str) -> bool:
    """Whether a URL, or a host with or without a port, is this machine."""
    host = urlsplit(address if "//" in address else f"//{address}").hostname
    return host in ("127.0.0.1", "localhost", "::1", "0.0.0.0")


def _timeout(call: Call) -> httpx.Timeout:
    return httpx.Timeout(call.seconds, connect=min(_CONNECT_SECONDS, call.seconds))


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def _served_context(call: Call, url: str, key: str) -> int:
    """What vLLM or llama.cpp say of the model they serve; where a server says nothing, a modest guess, and nothing
    while it isn't ready to say."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with _client(call, url) as client:
        served = client.get(f"{url}/models", headers=headers)
        props = client.get(f"{url.removesuffix('/v1')}/props", headers=headers)
    fields: tuple[tuple[httpx.Response, tuple[Any, ...]], ...] = (
        (served, ("data", 0, "max_model_len")),
        (props, ("default_generation_settings", "n_ctx")),
    )
    for answer, path in fields:
        with contextlib.suppress(ValueError, LookupError, TypeError):
            if (length := int(reduce(getitem, path, answer.json()))) > 0:
                return length
    return 0 if any(answer.status_code == 429 or answer.status_code >= 500 for answer, _ in fields) else _CONTEXT


def _errors_of(sdk: Any) -> tuple[type[Exception], ...]:  # noqa: ANN401 -- a module
    """The errors of Anthropic's client and of what it stands on: httpx, or a fork of it, by version."""
    client = next(kind for kind in sdk.DefaultHttpxClient.__mro__ if kind.__name__ == "Client")
    transport = import_module(client.__module__.partition(".")[0])
    return (sdk.AnthropicError, transport.HTTPError, transport.StreamError)


def _need(integration: str, name: str) -> None:
    if not _installed(f"llama_index.llms.{integration}"):
        package = f"llama-index-llms-{integration.replace('_', '-')}"
        # The integration asks for any version of the client, and doesn't work with the newest ones.
        with_client = f"{package} 'anthropic<1'" if integration == "anthropic" else package
        raise ModelUnavailable(f"{name!r} needs {package}; install it with: pip install {with_client}")


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _key(variable: str, name: str) -> str:
    """A key from the environment, which is the only place that it may come from."""
    if not (key := _secret(variable)):
        raise ModelUnavailable(f"{name!r} needs a key; set {variable} in the environment")
    return key


def _secret(variable: str) -> str:
    return os.environ.get(variable, "").strip()


def _cures(key: str, server: str, name: str = "check the model's name") -> dict[str, str]:
    return {"key": key, "server": server, "name": name}


def _passing(error: BaseException) -> bool:
    """Whether a fault may be gone in a moment: no room, a server's own fault, a connection that broke."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and status > 0:
        return status in (408, 409, 429) or status >= 500
    return any(isinstance(e, httpx.TransportError | ConnectionError) for e in _chain(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _unfinished(raw: Any) -> bool:  # noqa: ANN401 -- each provider's own type
    """Whether the last piece of a stream lacks the mark that an answer is over."""
    if isinstance(raw, dict):
        return raw.get("done") is False
    choices = getattr(raw, "choices", None) or ()
    return any(getattr(choice, "finish_reason", None) is None for choice in choices)
