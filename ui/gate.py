"""The gate before the page: whom we answer to, from which pages, logged in or not. Plain ASGI, around everything.

Gradio has a login of its own, but none of the rest: without this, any web page that a reader opens could ask and
read what lies on 127.0.0.1 (DNS rebinding, cross-site requests).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import re
import secrets
from urllib.parse import urlsplit

import anyio
from starlette.authentication import AuthCredentials, AuthenticationBackend, AuthenticationError, SimpleUser
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ui.access import Rules, Sessions
from ui.limits import Rate, refused
from ui.passwords import Role, roles_for

COOKIE = "verse-session"
_CHALLENGE = {"WWW-Authenticate": "Bearer"}
OPEN = ("/login", "/healthz", "/favicon.ico", "/robots.txt")  # reached without a password
_ADMINS = re.compile(r"/gradio_api/upload/?")
# Of Gradio's addresses, those that no page of ours uses: proxies, redirects, what its developers look at.
_CLOSED = re.compile(
    r"(/gradio_api)?/(proxy=|file=\s*https?:|monitoring|vibe-|undo-vibe-|dev/|deep_link|process_recording|profiling"
    r"|run-history|runs|token)",
    re.IGNORECASE,
)


class KnownCallers:
    """Refuses a host that we don't answer to, and what another site's page asks for. The first to look."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self.app = app
        self.rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        refusal = self._refusal(scope, Headers(scope=scope)) if scope["type"] != "lifespan" else None
        await (refusal or self.app)(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        # Gradio builds addresses from the forwarded host, so that one must be known as well.
        for host in (headers.get("host", ""), *headers.getlist("x-forwarded-host")):
            if not self.rules.answers_to(_hostname(host)):
                name = _hostname(host)[:80]
                return refused(421, f"this page doesn't answer to the name {name!r}; if it should, set VERSE_HOSTS")
        if not self._same_site(scope, headers):
            return refused(403, "a page of another site asked for this; open the page itself")
        return refused(404, "there is nothing here") if _CLOSED.match(scope["path"]) else None

    def _same_site(self, scope: Scope, headers: Headers) -> bool:
        """Whether our own page, a program, or a reader who follows a link asks. Browsers send Origin with whatever
        changes something or can be read by another site's page, and Sec-Fetch-Site with everything."""
        origin = headers.get("origin")
        if origin is not None and not self._ours(origin, headers.get("host", "")):
            return False
        if headers.get("sec-fetch-site", "none") in ("same-origin", "none"):
            return True
        followed = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
        return followed and scope.get("method") in ("GET", "HEAD")

    def _ours(self, origin: str, host: str) -> bool:
        """A proxy may pass on another Host than the browser's; then the names of the settings count, without a port:
        what answers at another port of that name is somebody else."""
        place = origin.partition("://")[2].lower()  # an origin has no path, and anybody can send anything
        return place == host.lower() or place in self.rules.sites


class Entitled:
    """Refuses a visitor who isn't logged in where that is needed, and a reader who wants what is an admin's."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        refusal = self._refusal(scope, Headers(scope=scope)) if scope["type"] != "lifespan" else None
        await (refusal or self.app)(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        path, roles = scope["path"], scope["auth"].scopes
        if path in OPEN:
            return None
        if "reader" not in roles:
            if scope.get("method") == "GET" and "text/html" in headers.get("accept", ""):
                return RedirectResponse("/login", 303, {"Cache-Control": "no-store"})
            return refused(401, "log in first: the session has ended, or the password is missing", _CHALLENGE)
        if _ADMINS.fullmatch(path) and "admin" not in roles:
            return refused(403, "only an admin may upload; log in with the admin's password at /login")
        return None


def _hostname(host: str) -> str:
    """The name in a Host header, without the port; "" where it is none."""
    try:
        return urlsplit(f"//{host.strip()}").hostname or ""
    except ValueError:
        return ""


class TooOften(AuthenticationError):
    """Too many tries of the password from one address; `seconds` until the next."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many tries of the password; try again in {seconds} s")
        self.seconds = seconds


def too_often(conn: HTTPConnection, error: AuthenticationError) -> Response:
    """Starlette's hook for an error of authentication."""
    return refused(429, str(error), {"Retry-After": str(getattr(error, "seconds", 60))})


class Visitors(AuthenticationBackend):
    """Says what a visitor may do, by the session's cookie or, for programs, by the password in the request."""

    def __init__(self, rules: Rules, sessions: Sessions, tries: Rate) -> None:
        self.rules = rules
        self.sessions = sessions
        self.tries = tries
        self._key = secrets.token_bytes(32)
        self._known: dict[bytes, tuple[Role, ...]] = {}
        self._hashing: anyio.CapacityLimiter | None = None

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, SimpleUser]:
        """Roles as Starlette's credentials; the user's name is what the visitor is counted by."""
        name = address(conn)
        if roles := self.by_cookie(conn):
            name = f"session {hashlib.sha256(conn.cookies[COOKIE].encode()).hexdigest()[:16]}"
        elif (password := _password(conn.headers)) is not None:
            roles = await self.enter(password, name)
        return AuthCredentials(list(dict.fromkeys((*self.rules.free, *roles)))), SimpleUser(name)

    def by_cookie(self, conn: HTTPConnection) -> tuple[Role, ...]:
        """What the session of a request's cookie may do; () without one."""
        token = conn.cookies.get(COOKIE, "")
        return self.sessions.roles(token) if token else ()

    async def enter(self, password: str, visitor: str) -> tuple[Role, ...]:
        """What a password opens; () for a wrong one. Raises TooOften.

        A program sends it with every request: one that was right is known again by a keyed digest, since the
        hash is slow on purpose.
        """
        digest = hmac.digest(self._key, password.encode("utf-8", "surrogatepass"), "sha256")
        if (roles := self._known.get(digest)) is not None:
            return roles
        if not self.rules.hashes:
            return ()
        if (seconds := self.tries.wait(visitor)) is not None:
            raise TooOften(seconds)
        if self._hashing is None:
            self._hashing = anyio.CapacityLimiter(1)  # each takes 64 MiB and a core for a moment
        roles = await anyio.to_thread.run_sync(roles_for, password, self.rules.hashes, limiter=self._hashing)
        if roles:
            self._known[digest] = roles  # as many as there are passwords: two
        return roles


def address(conn: HTTPConnection) -> str:
    """Where a request comes from, as far as the server can tell; of IPv6 the part that a household has."""
    host = conn.client.host if conn.client else ""
    try:
        return str(ipaddress.ip_network(f"{host}/64", strict=False)) if ":" in host else host
    except ValueError:
        return host


def _password(headers: Headers) -> str | None:
    """The password that a program sends: `Authorization: Bearer PASSWORD`, or Basic with any name."""
    kind, _, value = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return None
