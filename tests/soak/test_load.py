"""The load test of `tests.soak.load`: short in CI, as long as SOAK_MINUTES says by `make soak`."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.soak.load import run

MINUTES = float(os.environ.get("SOAK_MINUTES", "0.3"))
LONG = MINUTES >= 2
VISITORS = 64 if LONG else 16


@pytest.mark.slow
@pytest.mark.soak
def test_visitors_get_their_own_answers_and_leave_nothing_behind(encoder_files: Path, tmp_path: Path) -> None:
    load = run(encoder_files.parent.parent, tmp_path / "load.log", VISITORS, MINUTES)
    told = json.dumps(asdict(load), indent=2)
    print(told)  # noqa: T201 -- `make soak` shows the figures
    assert load.seen["answers"] > VISITORS, told
    assert load.seen["errors"] == {}, told
    assert load.seen["strangers"] == 0, told
    assert load.seconds_to_end < 5, told
    assert load.left.connections <= load.idle.connections, told
    assert load.left.files <= load.idle.files + 16, told  # pools keep some for the next visitor
    assert load.left.threads <= load.idle.threads + 42, told  # 40 workers, kept for the next question
    if LONG:  # in the first minute everything is still being filled
        assert load.growth <= 0.10, told
    assert "Traceback" not in (tmp_path / "load.log").read_text(), told
