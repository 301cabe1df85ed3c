"""Who may use the page, and as what: a reader asks and reads, an admin also adds, removes and rebuilds.

On loopback, as long as no password is set, whoever sits at the machine is both. Beyond that a password decides.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from pydantic import SecretStr
from starlette.requests import HTTPConnection

from rag.errors import SettingsError
from rag.settings import Settings
from ui.passwords import ADMIN, READER, Role, is_hash, read_passwords

if TYPE_CHECKING:
    import gradio as gr

_KEPT = 10_000  # sessions; the oldest ends when one more begins


def is_admin(request: gr.Request | HTTPConnection) -> bool:
    """Whether this visitor may add, remove and rebuild. Without the server's gate before it, nobody may."""
    connection = request if isinstance(request, HTTPConnection) else request.request
    return connection is not None and "auth" in connection.scope and "admin" in connection.auth.scopes


@dataclass(frozen=True)
class Rules:
    """What the settings say of visitors: `local` is whether only this machine reaches us, `free` what everybody may
    do without a password, `hashes` the argon2 hash for each role, `names` the host names that we answer to,
    `sites` those of them by which a proxy reaches us."""

    local: bool
    free: tuple[Role, ...]
    hashes: Mapping[Role, str] = field(default_factory=dict, repr=False)
    names: frozenset[str] = frozenset()
    sites: frozenset[str] = frozenset()
    session_seconds: float = 12 * 3600

    def answers_to(self, host: str) -> bool:
        """Whether a browser may call us so. A name of somebody else's that leads here (DNS rebinding) is refused;
        an address in figures is nobody's name."""
        host = host.lower().strip("[]").rstrip(".")
        if host == "localhost" or host in self.names:
            return True
        try:
            return not self.local or ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False


LOCAL = Rules(local=True, free=ADMIN)


def rules_of(settings: Settings, host: str) -> Rules:
    """The rules for listening on `host`. Raises SettingsError where that would let in everybody by mistake."""
    local = is_loopback(host) and not settings.hosts and not settings.public
    hashes = _hashes(settings)
    if settings.public and "reader" in hashes:
        raise SettingsError("--public lets everybody in, but a password is set; take one of the two away")
    if not local and not settings.public and "reader" not in hashes:
        raise SettingsError(
            "other machines could reach this page, and it has no password; set one with: "
            "verse password --file passwords && export VERSE_PASSWORD_FILE=passwords "
            "(or let everybody in: verse ui --public)"
        )
    sites = frozenset(name.lower().rstrip(".") for name in settings.hosts)
    own = () if local else (socket.gethostname().lower(), f"{socket.gethostname().lower()}.local")
    return Rules(
        local=local,
        free=() if "reader" in hashes else ADMIN if local and not hashes else READER,
        hashes=MappingProxyType(hashes),
        names=sites.union(own),
        sites=sites,
        session_seconds=settings.session_hours * 3600,
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address; a host that doesn't exist counts as reachable."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return all(ipaddress.ip_address(str(place[0]).partition("%")[0]).is_loopback for *_, place in found)


def _hashes(settings: Settings) -> dict[Role, str]:
    """The hashes of settings and file, checked, so that a mistake shows at the start and not at the first login."""
    filed = read_passwords(settings.password_file) if settings.password_file else {}
    named: tuple[tuple[Role, str, SecretStr | None], ...] = (
        ("reader", "password_hash", settings.password_hash),
        ("admin", "admin_hash", settings.admin_hash),
    )
    hashes: dict[Role, str] = {}
    for role, name, given in named:
        value = given.get_secret_value() if given else filed.get(role)
        if value is None:
            continue
        if not is_hash(value):
            raise SettingsError(f"setting {name!r} is not an argon2 hash; make one with: verse password")
        hashes[role] = value
    return hashes


class Sessions:
    """Who is logged in. Tokens are kept as digests only, so that nothing in memory logs anybody in; a restart
    of the server ends them all."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._open: OrderedDict[bytes, tuple[float, tuple[Role, ...]]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        with self._lock:
            self._end_old()
            return len(self._open)

    def begin(self, roles: tuple[Role, ...]) -> str:
        """A new session's token."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._end_old()
            self._open[_digest(token)] = (self._clock() + self._seconds, roles)
            while len(self._open) > _KEPT:
                self._open.popitem(last=False)
        return token

    def roles(self, token: str) -> tuple[Role, ...]:
        """What the holder of a token may do; () once the session has ended. The look-up is by digest: what its
        time could tell says nothing of the token."""
        with self._lock:
            self._end_old()
            return self._open.get(_digest(token), (0.0, ()))[1]

    def end(self, token: str) -> None:
        """Log out."""
        with self._lock:
            self._open.pop(_digest(token), None)

    def _end_old(self) -> None:
        """All last equally long, so the first begun is the first to end."""
        now = self._clock()
        while self._open and next(iter(self._open.values()))[0] <= now:
            self._open.popitem(last=False)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
