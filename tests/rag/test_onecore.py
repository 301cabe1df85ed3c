"""While a question is at work the matrix library keeps to one thread, and gets its threads back."""

from __future__ import annotations

import threading

from threadpoolctl import threadpool_info

from rag.onecore import one_core


def _threads() -> set[int]:
    """Of numpy's matrix library; another package may have loaded one of its own meanwhile."""
    return {
        pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas" and "numpy" in pool["filepath"]
    }


def test_the_last_to_leave_gives_the_threads_back() -> None:
    before = _threads()
    entered, leave = threading.Event(), threading.Event()

    def stay() -> None:
        with one_core:
            entered.set()
            leave.wait(10)

    with one_core:
        assert _threads() == {1}
        other = threading.Thread(target=stay)
        other.start()
        assert entered.wait(10)
    assert _threads() == {1}, "somebody is still inside"
    leave.set()
    other.join()
    assert _threads() == before
