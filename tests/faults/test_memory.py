"""What is closed is let go of at once: an encoder holds 100 MB that Python's garbage collector doesn't see."""

from __future__ import annotations

import gc
import weakref

import rag
from tests.faults.conftest import Town


def test_an_engine_that_is_closed_is_gone(town: Town) -> None:
    gc.disable()
    try:
        engine = rag.open_engine(town.corpus, index=town.index)
        answer = engine.ask("When does the ferry open?")
        engine.checker.check("The ferry opens.", [answer.citations[0].quote])
        engine.with_llm(None).ask("Who looks after the lighthouse?")
        held = [weakref.ref(part) for part in (engine, engine.index, engine.encoder, engine.checker)]
        engine.close()
        del engine
        assert [ref() for ref in held] == [None] * 4
    finally:
        gc.enable()
