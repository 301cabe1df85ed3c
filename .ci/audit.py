"""Supply chain: whether the lock files are current, the licences fit, and advisories are known.

`--write` makes docs/licences.md anew. Advisories come from the package index through pip-audit. Where it can't be
asked, or knows nothing of these versions, that is said and is no failure.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path

import click
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCKS = (ROOT / "requirements.lock", ROOT / "requirements-dev.lock")
LICENCES = ROOT / "docs" / "licences.md"
ALLOWED = re.compile(
    r"\bMIT|Apache|BSD|ISC|PSF|Python Software Foundation|MPL|Mozilla Public|Academic Free|CNRI|Zlib|CC0|0BSD"
)
OLDEST_PYTHON = "3.11.0"
# The lock holds torch's build for the processor; the other build wants these, which serve graphics cards only.
FOR_GRAPHICS_CARDS = re.compile(r"nvidia-|cuda-|triton$")
SECONDS = 240


def pins(lock: Path) -> dict[str, str]:
    """Versions by name."""
    lines = (line.split("#")[0].strip() for line in lock.read_text(encoding="utf-8").splitlines())
    return dict(line.split("==") for line in lines if "==" in line)


def roots() -> Iterator[Requirement]:
    """What pyproject.toml asks for: the project itself, then what its development needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for text in (*project["project"]["dependencies"], *project["dependency-groups"]["dev"]):
        yield Requirement(text)


def stale_pins(locks: tuple[Path, Path] = LOCKS) -> Iterator[str]:
    """What a new lock would change: a requirement that no pin meets, or a pin that nothing asks for. The installed
    packages are those of the lock, so their own requirements are followed; no resolver is run."""
    locked = pins(locks[1]) | pins(locks[0])
    waiting, seen = list(roots()), set()
    while waiting:
        asked = waiting.pop()
        name = canonicalize_name(asked.name)
        if FOR_GRAPHICS_CARDS.match(name):
            continue
        if name not in locked:
            yield f"{asked} has no pin"
        elif not asked.specifier.contains(locked[name], prereleases=True):
            yield f"{asked} isn't met by the pin {locked[name]}"
        if (name, frozenset(asked.extras)) in seen or name not in locked:
            continue
        seen.add((name, frozenset(asked.extras)))
        try:
            if version(name).split("+")[0] != locked[name]:
                yield f"{name} {version(name)} is installed, {locked[name]} is locked"
            if not SpecifierSet(str(metadata(name).json.get("requires_python", ""))).contains(OLDEST_PYTHON):
                yield f"{name} {locked[name]} doesn't run on Python {OLDEST_PYTHON}, the oldest that we promise"
            needed = [Requirement(text) for text in requires(name) or ()]
        except PackageNotFoundError:
            yield f"{name} is locked and not installed"
            continue
        extras = ("", *asked.extras)
        waiting += [r for r in needed if r.marker is None or any(r.marker.evaluate({"extra": e}) for e in extras)]
    yield from (
        f"{name} is pinned, and nothing asks for it" for name in sorted(locked.keys() - {name for name, _ in seen})
    )


def licences() -> dict[str, str]:
    """Licence by package, of what is installed with the product."""
    command: list[str] = [
        str(Path(sys.executable).with_name("pip-licenses")),
        "--python",
        sys.executable,
        "--from=mixed",
        "--format=json",
    ]
    listed = json.loads(subprocess.run([*command, "--with-system"], capture_output=True, check=True, text=True).stdout)
    locked = pins(LOCKS[0])
    return {
        canonicalize_name(entry["Name"]): entry["License"].splitlines()[0]
        for entry in listed
        if canonicalize_name(entry["Name"]) in locked
    }


def is_allowed(licence: str) -> bool:
    """Whether a product under the MIT licence may ask its users to install it; of alternatives one must be."""
    return any(ALLOWED.search(choice) and not re.search(r"\bA?GPL", choice) for choice in re.split(r" OR |; ", licence))


def write_licences(found: dict[str, str]) -> None:
    """Make docs/licences.md."""
    rows = "".join(f"| {name} | {licence} |\n" for name, licence in sorted(found.items()))
    LICENCES.write_text(
        "# Licences of what is installed with it\n\nMade by `make licences` from the packages' own metadata; "
        f"`make audit` checks them.\n\n| package | licence |\n|---|---|\n{rows}",
        encoding="utf-8",
    )


def advisories() -> Iterator[str]:
    """Known weaknesses of the pinned versions; what can't be known is said."""
    command = [str(Path(sys.executable).with_name("pip-audit")), "--no-deps", "--disable-pip", "--format=json"]
    for lock in LOCKS:
        command += ["--requirement", str(lock)]
    try:
        done = subprocess.run([*command, "--progress-spinner=off"], capture_output=True, text=True, timeout=SECONDS)
        listed = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError) as error:
        click.echo(f"advisories: NOT CHECKED, the package index can't be asked ({type(error).__name__})")
        return
    skipped = sum("skip_reason" in package for package in listed)
    known = "" if skipped < len(listed) else "; NOT CHECKED: the package index here knows none of them"
    click.echo(f"advisories: {len(listed) - skipped} of {len(listed)} versions looked up{known}")
    for package in listed:
        for weakness in package.get("vulns", ()):
            fixed = ", ".join(weakness["fix_versions"]) or "none yet"
            yield f"{package['name']} {package['version']}: {weakness['id']}; fixed in: {fixed}"


def main() -> None:
    """Print what was looked at; exit with 1 where something has to be done."""
    found = licences()
    if "--write" in sys.argv:
        write_licences(found)
        return
    faults = [f"lock: {line}; run: make lock" for line in stale_pins()]
    counts: dict[str, int] = defaultdict(int)
    for licence in found.values():
        counts[licence] += 1
    click.echo(
        "licences: " + ", ".join(f"{n} {name}" for name, n in sorted(counts.items(), key=lambda c: -c[1])[:6]) + " ..."
    )
    faults += [f"licence: {name} is under {text[:80]!r}" for name, text in found.items() if not is_allowed(text)]
    listed = LICENCES.read_text(encoding="utf-8") if LICENCES.is_file() else ""
    if unlisted := [name for name in found if f"| {name} |" not in listed]:
        click.echo(f"licences: docs/licences.md lacks {', '.join(sorted(unlisted))}; run: make licences")
    faults += [f"advisory: {line}" for line in advisories()]
    for fault in faults:
        click.echo(fault)
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
