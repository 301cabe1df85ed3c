"""Hashes of the page's passwords, one for each role: made, kept in a file, compared."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from corpus.atomic import write_atomically
from rag.errors import SettingsError

Role = Literal["reader", "admin"]
READER: tuple[Role, ...] = ("reader",)
ADMIN: tuple[Role, ...] = ("reader", "admin")
SHORTEST = 8


def hash_password(password: str) -> str:
    """The argon2id hash of a password, salted, with RFC 9106's parameters for small memory (64 MiB).

    Raises SettingsError for a short one.
    """
    if len(password) < SHORTEST:
        raise SettingsError(f"a password needs {SHORTEST} characters or more; choose a longer one")
    return PasswordHasher().hash(password)


def is_hash(value: str) -> bool:
    """Whether this is an argon2 hash, and not the password itself, say."""
    try:
        extract_parameters(value)
    except InvalidHashError:
        return False
    return True


def roles_for(password: str, hashes: Mapping[Role, str]) -> tuple[Role, ...]:
    """What a password opens; () for a wrong one. Every hash is tried, so that time doesn't tell which one fits."""
    right = [role for role, value in hashes.items() if _fits(value, password)]
    return ADMIN if "admin" in right else READER if right else ()


def read_passwords(path: Path) -> dict[Role, str]:
    """Hashes by role from lines such as `reader $argon2id$...`. Raises SettingsError."""
    cure = f"write it with: verse password --file {path}"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"the password file {str(path)!r} can't be read; {cure}") from None
    found: dict[Role, str] = {}
    for number, line in enumerate(lines, start=1):
        name, _, value = line.strip().partition(" ")
        role = next((role for role in get_args(Role) if role == name), None)
        if role is None or role in found:
            raise SettingsError(f"line {number} of {str(path)!r} doesn't begin with reader or admin, once each; {cure}")
        found[role] = value.strip()
    return found


def keep_password(path: Path, role: Role, value: str) -> None:
    """Write a role's hash to the file, beside the other role's; only its owner may read it.

    Raises SettingsError where the file holds something else, CorpusError where it can't be written."""
    kept = read_passwords(path) if path.exists() else {}
    lines = "".join(f"{name} {hashed}\n" for name, hashed in {**kept, role: value}.items())
    write_atomically(path, lines.encode())  # a temporary file's mode is 0600, and the rename keeps it


def _fits(value: str, password: str) -> bool:
    try:
        return PasswordHasher().verify(value, password)
    except VerifyMismatchError:
        return False
