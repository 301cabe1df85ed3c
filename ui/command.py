"""The verb `verse ui`."""

from __future__ import annotations

from typing import Any

import click

from rag.cli import common_options, open_corpus, open_engine, run_ingest, settings_of
from rag.errors import IndexMismatch


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=7860, show_default=True, help="The port; 0 takes any that is free.")
@click.option("--open/--no-open", "open_browser", default=False, help="Open a browser too.")
@common_options
def ui(host: str, port: int, open_browser: bool, **given: Any) -> None:
    """Open the chat in a browser; brings the index up to the corpus first."""
    from ui.server import serve  # noqa: PLC0415 -- gradio takes seconds, and `verse --help` reads this file

    settings = settings_of(**given)
    try:
        engine = open_engine(settings)
    except IndexMismatch:
        run_ingest(open_corpus(settings), settings)
        engine = open_engine(settings)
    with engine:
        serve(engine, host, port, open_browser)
