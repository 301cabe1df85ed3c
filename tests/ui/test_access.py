"""Who may use the page: on loopback, beyond it, with a password, as a reader, as an admin, from another site."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import httpx
import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner
from playwright.sync_api import Browser, expect
from starlette.authentication import AuthCredentials
from starlette.requests import Request

from corpus import Corpus
from rag.errors import SettingsError
from rag.settings import Settings
from tests.ui.conftest import serving
from tests.ui.fakes import FakeEngine
from tests.ui.test_page import ask
from ui.access import LOCAL, Rules, Sessions, is_admin, rules_of
from ui.command import password as password_verb
from ui.limits import Rate
from ui.passwords import ADMIN, READER, Role, hash_password, keep_password, read_passwords, roles_for

READERS, ADMINS = "a reader's password", "the admin's password"
SITES = frozenset({"verse.example.org"})
ASK = "/gradio_api/call/ask"
QUESTION = {"data": ["Why?", [], [], []]}


@pytest.fixture(scope="module")
def rules() -> Rules:
    """Loopback as behind a proxy, with both passwords."""
    cheap = PasswordHasher(time_cost=1, memory_cost=64)
    hashes: dict[Role, str] = {"reader": cheap.hash(READERS), "admin": cheap.hash(ADMINS)}
    return Rules(local=False, free=(), hashes=hashes, names=SITES, sites=SITES)


@pytest.fixture(scope="module")
def guarded(corpus: Corpus, rules: Rules) -> Iterator[str]:
    with serving(FakeEngine(corpus, picks=(1, 3)), rules) as address:
        yield address


@pytest.fixture(scope="module")
def open_to_local(corpus: Corpus) -> Iterator[str]:
    with serving(FakeEngine(corpus, picks=(1, 3))) as address:
        yield address


@pytest.fixture
def visitor(guarded: str) -> Iterator[httpx.Client]:
    """A program with cookies that hasn't logged in."""
    with httpx.Client(base_url=guarded) as client:
        yield client


def log_in(client: httpx.Client, password: str) -> httpx.Response:
    return client.post("/login", data={"username": "anyone", "password": password})


def upload(client: httpx.Client) -> httpx.Response:
    return client.post("/gradio_api/upload", files={"files": ("minutes.txt", b"The roof leaks.")})


def test_at_this_machine_one_is_admin_without_a_password() -> None:
    assert rules_of(Settings.read(), "127.0.0.1") == LOCAL
    assert LOCAL.free == ADMIN


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7"])
def test_other_machines_come_in_by_a_password_or_by_public_only(host: str) -> None:
    with pytest.raises(SettingsError, match=r"verse password --file passwords .*--public"):
        rules_of(Settings.read(), host)
    assert rules_of(Settings.read(public=True), host).free == READER
    assert rules_of(Settings.read(password_hash=hash_password(READERS)), host).free == ()


def test_a_named_host_on_loopback_means_a_proxy_so_it_needs_a_password_too() -> None:
    with pytest.raises(SettingsError, match="has no password"):
        rules_of(Settings.read(hosts="verse.example.org"), "127.0.0.1")


def test_public_and_a_password_contradict_each_other() -> None:
    with pytest.raises(SettingsError, match="take one of the two away"):
        rules_of(Settings.read(public=True, password_hash=hash_password(READERS)), "0.0.0.0")


def test_with_an_admins_password_the_others_only_read() -> None:
    for given in (Settings.read(admin_hash=hash_password(ADMINS)), Settings.read(public=True)):
        assert rules_of(given, "127.0.0.1").free == READER


def test_a_password_instead_of_its_hash_is_refused_and_not_shown() -> None:
    with pytest.raises(SettingsError, match="not an argon2 hash") as refusal:
        rules_of(Settings.read(password_hash="open sesame"), "127.0.0.1")
    assert "sesame" not in str(refusal.value) + repr(Settings.read(password_hash="open sesame"))


def test_the_password_file_keeps_both_roles_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    for options, typed in ((["--file", str(file)], READERS), (["--admin", "--file", str(file)], ADMINS)):
        assert CliRunner().invoke(password_verb, options, input=typed + "\n").exit_code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert READERS not in file.read_text()
    hashes = read_passwords(file)
    assert [roles_for(word, hashes) for word in (READERS, ADMINS, "another")] == [READER, ADMIN, ()]
    assert set(rules_of(Settings.read(password_file=file), "0.0.0.0").hashes) == {"reader", "admin"}


@pytest.mark.parametrize("content", ["reader", "guest $argon2id$x", "reader a\nreader b", "\x00"])
def test_a_damaged_password_file_is_named_with_the_cure(tmp_path: Path, content: str) -> None:
    file = tmp_path / "passwords"
    file.write_text(content)
    with pytest.raises(SettingsError, match="verse password"):
        rules_of(Settings.read(password_file=file), "0.0.0.0")


def test_a_short_password_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="8 characters"):
        keep_password(tmp_path / "passwords", "reader", hash_password("short"))


def test_a_session_ends_by_itself_and_by_logging_out() -> None:
    now = [0.0]
    sessions = Sessions(3600, clock=lambda: now[0])
    first, second = sessions.begin(READER), sessions.begin(ADMIN)
    assert (sessions.roles(first), sessions.roles(second), sessions.roles("forged")) == (READER, ADMIN, ())
    sessions.end(second)
    assert sessions.roles(second) == ()
    now[0] = 3600.0
    assert sessions.roles(first) == ()
    assert len(sessions) == 0


def test_a_clock_that_is_put_back_locks_nobody_out() -> None:
    offset = [0.0]
    rate = Rate("1 per hour", offset=lambda: offset[0])
    assert rate.wait("ann") is None
    assert (rate.wait("ann") or 0) > 3500
    offset[0] += 0.5  # set right a little
    assert (rate.wait("ann") or 0) > 3500
    offset[0] -= 3600
    assert rate.wait("ann") is None
    assert (rate.wait("ann") or 0) > 3500


def test_is_admin_knows_both_kinds_of_request_and_fails_closed() -> None:
    def request(*roles: str) -> Request:
        return Request({"type": "http", "auth": AuthCredentials(roles)})

    assert is_admin(request(*ADMIN))
    assert is_admin(gr.Request(request=request(*ADMIN)))
    assert not is_admin(gr.Request(request=request(*READER)))
    assert not is_admin(Request({"type": "http"}))
    assert not is_admin(gr.Request())


def test_without_logging_in_one_gets_the_login_and_nothing_else(visitor: httpx.Client) -> None:
    page = visitor.get("/", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["location"]) == (303, "/login")
    for path in ("/config", "/gradio_api/info", "/gradio_api/queue/data?session_hash=x", "/theme.css", "/nothing"):
        assert visitor.get(path).status_code == 401, path
    for path in (
        ASK,
        "/gradio_api/queue/join",
        "/gradio_api/component_server",
        "/gradio_api/mcp/",
        "/gradio_api/cancel",
    ):
        assert visitor.post(path, json=QUESTION).status_code == 401, path
    assert upload(visitor).status_code == 401


def test_the_login_page_carries_no_script_and_keeps_wrong_passwords_out(visitor: httpx.Client) -> None:
    shown = visitor.get("/login")
    assert shown.headers["content-security-policy"].startswith("default-src 'none'; form-action 'self';")
    assert "script" not in shown.text
    assert log_in(visitor, "a guess").status_code == 401
    assert not visitor.cookies


def test_the_sessions_cookie_stays_with_the_browser_and_ends_with_the_logout(visitor: httpx.Client) -> None:
    cookie = log_in(visitor, READERS).headers["set-cookie"].lower()
    assert all(part in cookie for part in ("httponly", "samesite=lax", "max-age=43200", "path=/"))
    assert "secure" not in cookie  # plain HTTP here
    assert visitor.get("/config").status_code == 200
    stolen = dict(visitor.cookies)
    visitor.post("/logout")
    assert httpx.get(f"{visitor.base_url}/config", cookies=stolen).status_code == 401


def test_behind_tls_the_cookie_is_secure(visitor: httpx.Client) -> None:
    visitor.headers["X-Forwarded-Proto"] = "https"
    assert "; secure" in log_in(visitor, READERS).headers["set-cookie"].lower()


def test_a_reader_asks_and_only_an_admin_uploads(visitor: httpx.Client) -> None:
    log_in(visitor, READERS)
    assert visitor.post(ASK, json=QUESTION).status_code == 200
    assert upload(visitor).status_code == 403
    log_in(visitor, ADMINS)
    assert upload(visitor).status_code == 200


@pytest.mark.browser
def test_a_reader_logs_in_by_the_page_and_asks(browser: Browser, guarded: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        mistakes: list[str] = []
        page.on("console", lambda told: mistakes.append(told.text) if told.type == "error" else None)
        page.goto(guarded)
        page.get_by_label("Password").fill("a guess")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_have_text("That is not the password.")
        mistakes.clear()  # the browser's own line on the 401
        page.get_by_label("Password").fill(READERS)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_selector(".sheet section", state="attached")
        ask(page, "Why a dry hive?")
        expect(page.locator("#log .exchange")).to_have_attribute("data-state", "done")
        page.goto(f"{guarded}/login")
        expect(page.get_by_text("You are logged in as a reader.")).to_be_visible()
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_label("Password")).to_be_visible()
        assert mistakes == []


def test_programs_send_the_password_with_each_request(guarded: str) -> None:
    bearer = {"Authorization": f"Bearer {READERS}"}
    assert httpx.post(guarded + ASK, json=QUESTION, headers=bearer).status_code == 200
    assert httpx.post(guarded + ASK, json=QUESTION, auth=("anyone", READERS)).status_code == 200
    assert httpx.post(guarded + ASK, json=QUESTION, auth=("anyone", "wrong")).status_code == 401


def test_guessing_soon_has_to_wait(corpus: Corpus, rules: Rules) -> None:
    with serving(FakeEngine(corpus), rules) as address, httpx.Client(base_url=address) as client:
        assert [log_in(client, f"guess {n}").status_code for n in range(10)] == [401] * 10
        late = log_in(client, READERS)
        assert late.status_code == 429
        assert 0 < int(late.headers["retry-after"]) <= 300
        assert client.get("/config", headers={"Authorization": f"Bearer {READERS}"}).status_code == 429


CROSS = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://["},
    {"Origin": "http://127.0.0.1:9"},  # another port of this machine
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
)


@pytest.mark.parametrize("headers", CROSS, ids=str)
def test_a_page_of_another_site_can_neither_ask_nor_upload_nor_read(
    open_to_local: str, headers: dict[str, str]
) -> None:
    with httpx.Client(base_url=open_to_local, headers=headers) as client:
        replies = [
            client.post(ASK, json=QUESTION),
            client.post("/gradio_api/queue/join", json={"data": [], "fn_index": 0, "session_hash": "x"}),
            upload(client),
            client.get("/config"),
            client.get("/gradio_api/queue/data", params={"session_hash": "x"}),
            client.options(ASK, headers={"Access-Control-Request-Method": "POST"}),
        ]
    assert [reply.status_code for reply in replies] == [403] * len(replies)
    assert not any(name.startswith("access-control") for reply in replies for name in reply.headers)


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Host": ""}, {"X-Forwarded-Host": "evil.example"}], ids=str
)
def test_a_strangers_name_for_this_machine_reads_nothing(open_to_local: str, headers: dict[str, str]) -> None:
    for path in ("/", "/config", "/healthz"):
        assert httpx.get(open_to_local + path, headers=headers).status_code in (400, 421)


def test_our_own_page_a_program_and_a_followed_link_come_through(open_to_local: str) -> None:
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    ours = {"Origin": open_to_local, "Sec-Fetch-Site": "same-origin"}
    assert httpx.get(open_to_local, headers=followed).status_code == 200
    assert httpx.post(open_to_local + ASK, json=QUESTION, headers=ours).status_code == 200
    assert httpx.post(open_to_local + ASK, json=QUESTION).status_code == 200
    with_name = {"Host": open_to_local.replace("http://127.0.0.1", "localhost")}
    assert httpx.get(open_to_local, headers=with_name).status_code == 200


def test_a_proxys_name_from_the_settings_is_known(guarded: str) -> None:
    for host in ("verse.example.org", "verse.example.org:443"):
        assert httpx.get(guarded + "/login", headers={"Host": host}).status_code == 200
    by_proxy = {"Origin": "https://verse.example.org", "Authorization": f"Bearer {READERS}"}
    assert httpx.post(guarded + ASK, json=QUESTION, headers=by_proxy).status_code == 200
    neighbour = by_proxy | {"Origin": "http://verse.example.org:9000"}
    assert httpx.post(guarded + ASK, json=QUESTION, headers=neighbour).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=https://evil.example/",
        "/gradio_api/proxy=https://evil.example/",
        "/monitoring",
        "/gradio_api/token",
    ],
)
def test_what_gradio_offers_and_no_page_uses_is_closed(open_to_local: str, path: str) -> None:
    assert httpx.get(open_to_local + path).status_code == 404
