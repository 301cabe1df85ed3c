"""The checks of the supply chain can fail: a stale pin and a licence that doesn't fit are found."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_pin_that_nothing_asks_for_and_one_that_is_too_old_are_found(audit: ModuleType, tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    click = next(line for line in lines.splitlines() if line.startswith("click=="))
    lock.write_text(lines.replace(click, "click==7.0\nleft-over==1.0"), encoding="utf-8")
    assert list(audit.stale_pins(audit.LOCKS)) == []
    found = list(audit.stale_pins((lock, ROOT / "requirements-dev.lock")))
    assert any(line.startswith("click") and line.endswith("met by the pin 7.0") for line in found), found
    assert "left-over is pinned, and nothing asks for it" in found


@pytest.mark.parametrize(
    ("licence", "fits"),
    [
        ("MIT License", True),
        ("Apache-2.0 AND MIT", True),
        ("MPL-1.1 OR GPL-2.0-only OR LGPL-2.1-or-later", True),
        ("GPL-3.0-only", False),
        ("MIT AND GPL-3.0-only", False),
        ("GNU AFFERO GENERAL PUBLIC LICENSE; AGPL", False),
        ("PERMITTED FOR RESEARCH ONLY", False),
        ("UNKNOWN", False),
    ],
)
def test_licences_that_fit(audit: ModuleType, licence: str, fits: bool) -> None:
    assert audit.is_allowed(licence) is fits
