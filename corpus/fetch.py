"""Pages are downloaded by the reader's own machine. The only network on this project's corpus side.

Where a connection may go is decided in guard.py, for the first request and anew after every redirect. Proxies
of the environment are not used: a proxy would resolve the name again, out of our sight.
"""

from __future__ import annotations

import datetime
import hashlib
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

import httpcore
import httpx

from corpus.blocks import Loaded
from corpus.errors import CorpusError
from corpus.guard import Deadline, Guard, Resolve, resolve
from corpus.loaders import load
from corpus.pages import CACHE, PageRecord, Target, read_record, store, targets

if TYPE_CHECKING:
    from corpus.corpus import Corpus

USER_AGENT = "chapter-and-verse (verse fetch)"
CONTENT_TYPES = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "application/pdf": ".pdf",
}
MAX_BYTES = 10_000_000
MAX_REDIRECTS = 5
TIME_LIMIT = 30.0
MIN_TEXT = 200  # characters; a page with less is a notice that it wants JavaScript, a login or a click


@dataclass(frozen=True, slots=True)
class Page:
    """A downloaded body; `suffix` is that of its kind; text is UTF-8 where the header names a charset."""

    url: str
    final_url: str
    suffix: str
    body: bytes
    etag: str
    last_modified: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of one target; `message` says why where it failed."""

    target: Target
    status: Literal["new", "changed", "unchanged", "failed"]
    title: str = ""
    message: str = ""


def fetch_corpus(corpus: Corpus, into: Path, *, allow_private: bool = False) -> Iterator[Fetched]:
    """Download what the corpus links to, one outcome a page; a failure leaves the stored copy as it was.

    Run again, it asks only for what changed (ETag, Last-Modified). len(targets(corpus.sources)) is the number
    of outcomes, for a progress bar.
    """
    for target in targets(corpus.sources):
        try:
            yield _fetch(target, into, allow_private)
        except CorpusError as error:
            yield Fetched(target, "failed", message=str(error))


def _fetch(target: Target, into: Path, allow_private: bool) -> Fetched:
    known = read_record(into, target)
    etag, last_modified = (known.etag, known.last_modified) if known else ("", "")
    page = fetch_page(target.url, etag=etag, last_modified=last_modified, allow_private=allow_private)
    if page is None:
        return Fetched(target, "unchanged", known.title if known else "")
    title = read_page(page, cache=into / CACHE).title
    digest = hashlib.sha256(page.body).hexdigest()
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    same = known is not None and known.sha256 == digest
    record = PageRecord(
        url=page.url,
        final_url=page.final_url,
        title=title,
        etag=page.etag,
        last_modified=page.last_modified,
        fetched=known.fetched if known and same else today,
        file=f"{target.page_id}{page.suffix}",
        sha256=digest,
    )
    store(into, target, record, page.body)
    return Fetched(target, "unchanged" if same else "changed" if known else "new", title)


def read_page(page: Page, *, cache: Path | None = None) -> Loaded:
    """Read the text of a page before anything is stored. Raises CorpusError where it has none to speak of."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / f"page{page.suffix}"
        file.write_bytes(page.body)
        try:
            loaded = load(file, cache=cache)
        except CorpusError as error:
            raise CorpusError(str(error).replace(str(file), page.url)) from None
    if len(loaded.text) < MIN_TEXT:
        raise CorpusError(f"{page.url} shows hardly any text; open it in a browser, save it and add the file")
    return loaded


def fetch_page(
    url: str,
    *,
    etag: str = "",
    last_modified: str = "",
    allow_private: bool = False,
    time_limit: float = TIME_LIMIT,
    resolve: Resolve = resolve,
) -> Page | None:
    """Download one page; None when the server says that the copy with that ETag or date is still good.

    Raises CorpusError, the address named. `allow_private` lifts the ban on the reader's own network; it is
    there for tests. The time limit holds for everything but the resolver, which keeps its own.
    """
    guard = Guard(Deadline(time.monotonic() + time_limit), allow_private=allow_private, resolve=resolve)
    current = _check_url(url)
    try:
        for _ in range(MAX_REDIRECTS + 1):
            with _get(current, etag, last_modified, guard) as response:
                location = _header(response, "location")
                if response.status == 304 and (etag or last_modified):
                    return None
                if not (response.status in (301, 302, 303, 307, 308) and location):
                    return _page(url, str(current), response)
                current = _check_url(str(current.join(location)))
    except CorpusError as error:
        raise CorpusError(f"{url}: {error}") from None
    except httpcore.TimeoutException:
        raise CorpusError(f"{url} took longer than {time_limit:g} s; try again later") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, httpx.InvalidURL, zlib.error) as error:
        raise CorpusError(f"{url} can't be downloaded ({error}); check the address, or try again later") from None
    raise CorpusError(f"{url} redirects more than {MAX_REDIRECTS} times; give the address it ends at")


def _check_url(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
        host = parsed.host
    except (httpx.InvalidURL, UnicodeError) as error:  # a name that is no Punycode, as in http://xn--/
        raise CorpusError(f"{url!r} is no address ({error}); give one that begins with https://") from None
    if parsed.scheme not in ("http", "https") or not host:
        raise CorpusError(f"{url!r} is not a web address; give one that begins with https:// or http://")
    if parsed.userinfo:
        raise CorpusError("the address holds a user name or password; take them out")
    return parsed


@contextmanager
def _get(url: httpx.URL, etag: str, last_modified: str, guard: Guard) -> Iterator[httpcore.Response]:
    sent = {
        "Host": url.netloc.decode("ascii"),
        "User-Agent": USER_AGENT,
        "Accept": ", ".join(CONTENT_TYPES),
        "Accept-Encoding": "gzip",
        "If-None-Match": etag,
        "If-Modified-Since": last_modified,
    }
    headers = [(name, value) for name, value in sent.items() if value]
    target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    context = httpx.create_ssl_context() if url.scheme == "https" else None  # takes 50 ms to make
    # A pool for each request: a kept connection would serve the next name without a check.
    with (
        httpcore.ConnectionPool(ssl_context=context, network_backend=guard, retries=1) as pool,
        pool.stream("GET", target, headers=headers) as response,
    ):
        yield response


def _header(response: httpcore.Response, name: str) -> str:
    wanted = name.encode()
    return next((value.decode("latin-1") for key, value in response.headers if key.lower() == wanted), "")


def _page(url: str, final_url: str, response: httpcore.Response) -> Page:
    if response.status != 200:
        raise CorpusError(f"the server answers {response.status}; open the address in a browser")
    content_type, _, parameters = _header(response, "content-type").partition(";")
    suffix = CONTENT_TYPES.get(content_type.strip().lower())
    if suffix is None:
        raise CorpusError(f"it is {content_type.strip() or 'of no named kind'}, not a page, a text or a PDF")
    body = _read_body(response)
    return Page(
        url,
        final_url,
        suffix,
        body if suffix == ".pdf" else _as_utf8(body, parameters),
        _header(response, "etag"),
        _header(response, "last-modified"),
    )


def _read_body(response: httpcore.Response) -> bytes:
    """Read and unpack the body; neither what is sent nor what it unpacks to may pass the limit."""
    encoding = _header(response, "content-encoding").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise CorpusError(f"it is packed as {encoding!r}, which wasn't asked for; open it in a browser and save it")
    unpack = zlib.decompressobj(31) if "gzip" in encoding else None
    body, received = bytearray(), 0
    for chunk in response.iter_stream():
        received += len(chunk)
        body += unpack.decompress(chunk, MAX_BYTES + 1 - len(body)) if unpack else chunk
        if max(received, len(body)) > MAX_BYTES:
            raise CorpusError(f"it is larger than {MAX_BYTES // 1_000_000} MB; save the part that you need and add it")
    if unpack and not unpack.eof:
        raise CorpusError("it broke off before its end; try again later")
    return bytes(body)


def _as_utf8(body: bytes, parameters: str) -> bytes:
    """Recode text to UTF-8 where the header names another charset; the file itself may not say so."""
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            try:
                return body.decode(value.strip().strip("\"'")).encode()
            except (LookupError, UnicodeError):
                return body
    return body
