"""Pages come from the public internet only, within limits, and stand beside our own texts. A real server answers."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from corpus import Corpus
from corpus.errors import CorpusError
from corpus.fetch import MAX_BYTES, fetch_corpus, fetch_page, read_page
from corpus.guard import is_public
from corpus.manifest import Source
from corpus.pages import fetched_sources, targets

WORDS = "<p>Reason {}: scaling has run its course, the critic says, and new ideas are needed now.</p>"
PAGE = (
    "<html><head><title>A Critic Speaks</title></head><body><article><h1>A Critic Speaks</h1>"
    + "".join(WORDS.format(n) for n in range(1, 6))
    + "<h2>His reasons</h2><p>There is one internet, and it has been read already.</p></article></body></html>"
)


class Site:
    """A web server with a memory: path -> (status, headers, body), or a function that answers by itself."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[int, dict[str, str], bytes] | Callable[[BaseHTTPRequestHandler], None]] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.url = ""

    def page(self, path: str, body: bytes | str = PAGE, *, status: int = 200, **headers: str) -> str:
        named = {"Content-Type": "text/html; charset=utf-8"} | {k.replace("_", "-"): v for k, v in headers.items()}
        self.pages[path] = (status, named, body.encode() if isinstance(body, str) else body)
        return self.url + path

    def redirect(self, path: str, to: str) -> str:
        return self.page(path, b"", status=302, Location=to)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.requests.append((request.path, {name.lower(): value for name, value in request.headers.items()}))
        page = self.pages.get(request.path, (404, {}, b""))
        if callable(page):
            page(request)
            return
        status, headers, body = page
        if headers.get("ETag") and request.headers.get("If-None-Match") == headers["ETag"]:
            status, body = 304, b""
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        try:
            request.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            pass


@contextmanager
def serve(site: Site, *, tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.answer(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    site.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    with serve(Site()) as running:
        yield running


class Names:
    """A resolver with a memory: each name has a list of answers, the last of which stays."""

    def __init__(self, **answers: list[str]) -> None:
        self.answers = {name.replace("_", "."): list(given) for name, given in answers.items()}
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        given = self.answers[host]
        return [given.pop(0) if len(given) > 1 else given[0]]


def refusal(url: str, **options: object) -> str:
    with pytest.raises(CorpusError) as caught:
        fetch_page(url, **{"allow_private": True, **options})  # type: ignore[arg-type]
    assert str(caught.value).startswith(url), "the address is named"
    return str(caught.value).removeprefix(url).lstrip(": ")


# --- where a connection may go


@pytest.mark.parametrize(
    "address",
    """127.0.0.1 127.255.0.1 0.0.0.0 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 100.100.100.200
    192.0.0.192 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
    :: ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::127.0.0.1 64:ff9b::7f00:1 64:ff9b:1::1
    2002:7f00:1:: 2001:0:53aa:64c:: 2001:db8::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 fec0::1 ff02::1
    localhost 127.1 nonsense""".split(),
)
def test_addresses_that_are_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", "93.184.216.34 8.8.8.8 ::ffff:8.8.8.8 2606:4700::1111 2a00:1450:4001::1".split())
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "0", "[::ffff:127.0.0.1]"])
def test_the_readers_own_machine_is_refused_however_it_is_written(site: Site, host: str) -> None:
    site.page("/")
    port = site.url.rsplit(":", 1)[1]
    assert refusal(f"http://{host}:{port}/", allow_private=False)
    assert site.requests == []


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://example.org/", "gopher://example.org/", "//example.org", "example.org", "http://",
     "http://user:secret@example.org/", "http://[::1", "javascript:alert(1)", "", "http://xn--/"],
)  # fmt: skip
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(CorpusError):
        fetch_page(url)


def test_a_redirect_into_the_own_network_is_refused(site: Site) -> None:
    # The first hop is let through as a public one would be, by an address that the resolver alone knows.
    site.redirect("/", "http://inside.example/secret")
    site.page("/secret")
    for inside in ("127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1"):
        names = Names(inside_example=[inside])
        message = refusal("http://inside.example/", allow_private=False, resolve=names)
        assert f"leads to {inside}" in message
    assert site.requests == []


def test_redirects_are_checked_like_the_first_address(site: Site) -> None:
    assert "is not a web address" in refusal(site.redirect("/a", "file:///etc/passwd"))
    assert "not a web address" in refusal(site.redirect("/b", "gopher://127.0.0.1/"))
    assert "user name or password" in refusal(site.redirect("/c", "http://u:p@127.0.0.1/"))


def test_one_private_address_among_public_ones_is_enough(site: Site) -> None:
    class Both:
        def __call__(self, host: str, port: int) -> Sequence[str]:
            return ["93.184.216.34", "127.0.0.1"]

    assert "127.0.0.1" in refusal("http://two.example/", allow_private=False, resolve=Both())


def test_a_name_is_resolved_once_for_each_request(site: Site) -> None:
    # DNS rebinding: the second answer would be another address; it is never asked for.
    port = site.url.rsplit(":", 1)[1]
    site.page("/")
    names = Names(rebind_example=["127.0.0.1", "127.0.0.2"])
    page = fetch_page(f"http://rebind.example:{port}/", allow_private=True, resolve=names)
    assert page and page.final_url == f"http://rebind.example:{port}/"
    assert names.asked == ["rebind.example"]
    assert site.requests[0][1]["host"] == f"rebind.example:{port}", "the name itself goes into the Host header"


def test_each_redirect_is_resolved_and_checked_anew(site: Site) -> None:
    port = site.url.rsplit(":", 1)[1]
    site.redirect("/", f"http://b.example:{port}/end")
    site.page("/end")
    names = Names(a_example=["127.0.0.1"], b_example=["127.0.0.1"])
    assert fetch_page(f"http://a.example:{port}/", allow_private=True, resolve=names)
    assert names.asked == ["a.example", "b.example"]


def test_a_certificate_is_checked_against_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("good.example").configure_cert(context)
    with serve(Site(), tls=context) as site:
        site.page("/")
        port = site.url.rsplit(":", 1)[1]
        names = Names(good_example=["127.0.0.1"], other_example=["127.0.0.1"])
        assert fetch_page(f"https://good.example:{port}/", allow_private=True, resolve=names)
        assert "certificate" in refusal(f"https://other.example:{port}/", resolve=names)


def test_a_proxy_of_the_environment_is_not_used(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert fetch_page(site.page("/"), allow_private=True)


# --- limits


def test_five_redirects_are_followed_and_no_more(site: Site) -> None:
    end = site.page("/0", ETag='"1"', Last_Modified="Mon, 01 Sep 2025 00:00:00 GMT")
    for n in range(1, 7):
        site.redirect(f"/{n}", f"/{n - 1}")
    page = fetch_page(f"{site.url}/5", allow_private=True)
    assert page and (page.url, page.final_url, page.suffix) == (f"{site.url}/5", end, ".html")
    assert (page.etag, page.last_modified) == ('"1"', "Mon, 01 Sep 2025 00:00:00 GMT")
    assert read_page(page).title == "A Critic Speaks"
    assert "redirects more than 5 times" in refusal(f"{site.url}/6")
    assert "redirects more than 5 times" in refusal(site.redirect("/loop", "/loop"))


def test_a_page_beyond_the_limit_is_cut_off(site: Site) -> None:
    assert "larger than 10 MB" in refusal(site.page("/", b"a" * (MAX_BYTES + 1)))
    assert fetch_page(site.page("/just", b"a" * MAX_BYTES), allow_private=True)


def test_a_page_that_never_ends_is_cut_off(site: Site) -> None:
    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "text/html")
        request.end_headers()
        try:
            while True:
                request.wfile.write(b"x" * 100_000)
        except (BrokenPipeError, ConnectionResetError):
            pass

    site.pages["/"] = endless
    assert "larger than 10 MB" in refusal(site.url + "/")


def test_what_unpacks_beyond_the_limit_is_cut_off(site: Site) -> None:
    bomb = gzip.compress(b"a" * 100_000_000)
    assert "larger than 10 MB" in refusal(site.page("/", bomb, Content_Encoding="gzip"))
    assert "packed as 'gzip, gzip'" in refusal(site.page("/2", bomb, Content_Encoding="gzip, gzip"))
    assert "packed as 'br'" in refusal(site.page("/3", bomb, Content_Encoding="br"))
    assert "broke off" in refusal(site.page("/4", gzip.compress(PAGE.encode())[:-20], Content_Encoding="gzip"))
    page = fetch_page(site.page("/5", gzip.compress(PAGE.encode()), Content_Encoding="gzip"), allow_private=True)
    assert page and page.body == PAGE.encode()


@pytest.mark.parametrize("drip", [b"HTTP/1.1 200 OK\r\nX-A: ", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"])
def test_a_server_that_drips_is_left_at_the_deadline(site: Site, drip: bytes) -> None:
    def slowly(request: BaseHTTPRequestHandler) -> None:
        try:
            request.wfile.write(drip)
            for _ in range(100):
                request.wfile.write(b"a")
                time.sleep(0.05)
        except (BrokenPipeError, ConnectionResetError):
            pass

    site.pages["/"] = slowly
    began = time.monotonic()
    assert "took longer than 0.3 s" in refusal(site.url + "/", time_limit=0.3)
    assert time.monotonic() - began < 2


def test_other_kinds_of_content_are_refused(site: Site) -> None:
    assert "it is image/png" in refusal(site.page("/a", b"\x89PNG", Content_Type="image/png"))
    assert "it is application/json" in refusal(site.page("/b", b"{}", Content_Type="application/json; charset=utf-8"))
    assert "it is of no named kind" in refusal(site.page("/c", Content_Type=""))
    for kind, suffix in (("text/plain", ".txt"), ("text/markdown", ".md"), ("application/pdf", ".pdf")):
        page = fetch_page(site.page("/d", b"%PDF", Content_Type=kind), allow_private=True)
        assert page and page.suffix == suffix


def test_failures_of_the_server_are_named(site: Site) -> None:
    assert "the server answers 404" in refusal(site.url + "/missing")
    assert "the server answers 500" in refusal(site.page("/", status=500))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert "can't be downloaded" in refusal(f"http://127.0.0.1:{closed.getsockname()[1]}/", time_limit=5)
    assert "no address is known" in refusal("http://nowhere.invalid/")


def test_a_text_in_another_charset_is_kept_as_utf_8(site: Site) -> None:
    url = site.page("/", "Привет".encode("cp1251"), Content_Type="text/plain; charset=windows-1251")
    page = fetch_page(url, allow_private=True)
    assert page and page.body.decode() == "Привет"


# --- fetching a corpus


def corpus_of(tmp_path: Path, site: Site) -> Corpus:
    folder = tmp_path / "corpus"
    (folder / "texts").mkdir(parents=True)
    for name in ("main", "critic", "other"):
        (folder / "texts" / f"{name}.md").write_text(f"# {name}\n\nOur own words about it.\n", encoding="utf-8")
    (folder / "manifest.toml").write_text(
        f"""title = "T"
[[sources]]
id = "main"
title = "Main"
url = "{site.url}/main"
url_status = "seen"
[[sources]]
id = "critic"
title = "Ours on the critic"
stance = "opposing"
url = "{site.url}/critic"
url_status = "seen"
links = ["{site.url}/more", "{site.url}/critic"]
voice = "The Critic"
bears_on = ["main"]
[[sources]]
id = "other"
title = "Other"
stance = "evidence"
url = "{site.url}/unverified"
""",
        encoding="utf-8",
    )
    return Corpus.open(folder)


def outcomes(corpus: Corpus, folder: Path) -> list[tuple[str, str]]:
    return [(fetched.target.url.rsplit("/", 1)[1], fetched.status) for fetched in fetch_corpus(
        corpus, folder, allow_private=True)]  # fmt: skip


def test_targets_are_what_opposes_supports_or_shows_each_once(tmp_path: Path, site: Site) -> None:
    corpus = corpus_of(tmp_path, site)
    found = [(target.source_id, target.url.rsplit("/", 1)[1]) for target in targets(corpus.sources)]
    # "main" is primary, "other" has an address that nobody has seen, and "/critic" is linked twice.
    assert found == [("critic", "critic"), ("critic", "more")]


def test_fetching_again_asks_only_for_what_changed(tmp_path: Path, site: Site) -> None:
    corpus, folder = corpus_of(tmp_path, site), tmp_path / "pages"
    site.page("/critic", ETag='"1"')
    site.page("/more", PAGE.replace("Critic", "Sceptic"))
    assert outcomes(corpus, folder) == [("critic", "new"), ("more", "new")]
    site.requests.clear()
    assert outcomes(corpus, folder) == [("critic", "unchanged"), ("more", "unchanged")]
    assert [headers.get("if-none-match") for _, headers in site.requests] == ['"1"', None]
    site.page("/critic", PAGE.replace("run its course", "just begun"), ETag='"2"')
    assert outcomes(corpus, folder) == [("critic", "changed"), ("more", "unchanged")]


def test_a_failure_is_one_line_and_the_stored_copy_stays(tmp_path: Path, site: Site) -> None:
    corpus, folder = corpus_of(tmp_path, site), tmp_path / "pages"
    site.page("/more")
    first = list(fetch_corpus(corpus, folder, allow_private=True))
    assert [fetched.status for fetched in first] == ["failed", "new"], "the rest goes on"
    assert first[0].message == (f"{site.url}/critic: the server answers 404; open the address in a browser")
    site.page("/more", "<html><body><p>Please enable JavaScript.</p></body></html>")
    second = list(fetch_corpus(corpus, folder, allow_private=True))
    assert "shows hardly any text" in second[1].message
    assert [source.title for source, _ in fetched_sources(corpus.sources, folder)] == ["A Critic Speaks"]


def test_a_damaged_copy_is_downloaded_anew(tmp_path: Path, site: Site) -> None:
    corpus, folder = corpus_of(tmp_path, site), tmp_path / "pages"
    site.page("/critic", ETag='"1"')
    site.page("/more")
    outcomes(corpus, folder)
    (folder / "critic--page.html").write_text("cut", encoding="utf-8")
    assert [source.id for source, _ in fetched_sources(corpus.sources, folder)] != ["critic--page"]
    assert outcomes(corpus, folder)[0] == ("critic", "new")
    assert "new ideas" in (folder / "critic--page.html").read_text(encoding="utf-8")


def test_a_page_that_changes_its_kind_leaves_nothing_behind(tmp_path: Path, site: Site) -> None:
    corpus, folder = corpus_of(tmp_path, site), tmp_path / "pages"
    site.page("/critic")
    site.page("/more")
    outcomes(corpus, folder)
    site.page("/critic", "Plain words now. " * 20, Content_Type="text/plain")
    outcomes(corpus, folder)
    names = sorted(path.name for path in folder.iterdir() if path.name.startswith("critic--page"))
    assert names == ["critic--page.json", "critic--page.txt"]


def test_a_page_stands_beside_our_text_of_its_source(tmp_path: Path, site: Site) -> None:
    corpus, folder = corpus_of(tmp_path, site), tmp_path / "pages"
    url = site.page("/critic")
    outcomes(corpus, folder)
    [(source, loaded)] = fetched_sources(corpus.sources, folder)
    assert (source.id, source.title, source.url) == ("critic--page", "A Critic Speaks", url)
    assert (source.stance, source.voice, source.bears_on) == ("opposing", "The Critic", ("main",))
    assert source.provenance.startswith(f"downloaded from {url} on 2")
    assert Source.model_validate(source.model_dump()) == source, "it is a source like any other"
    assert [heading.title for heading in loaded.headings or ()] == ["A Critic Speaks", "His reasons"]


def test_refused_addresses_fail_one_by_one_by_default(tmp_path: Path, site: Site) -> None:
    corpus = corpus_of(tmp_path, site)
    assert [fetched.status for fetched in fetch_corpus(corpus, tmp_path / "pages")] == ["failed", "failed"]
    assert site.requests == []
