"""The command `verse` from its first moment on: its libraries take a second to load, and Ctrl-C ends that quietly."""

from __future__ import annotations

import gc
import signal


def main() -> None:
    """The entry point."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Looking for garbage among what the imports make, which stays to the end, takes a fifth of a cold start.
    gc.disable()
    from rag.cli import main as run  # noqa: PLC0415 -- this is what takes a second

    gc.freeze()
    gc.enable()
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run()
