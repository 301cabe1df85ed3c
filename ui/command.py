"""The verbs `verse ui`, `verse password` and `verse feedback`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from corpus.atomic import write_atomically
from rag.cli import common_options, open_corpus, open_engine, run_ingest, settings_of
from rag.errors import IndexMismatch
from ui.start import no_collecting


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=7860, show_default=True, help="The port; 0 takes any that is free.")
@click.option("--public", is_flag=True, default=None, help="Let anybody in who reaches the page, without a password.")
@click.option("--open/--no-open", "open_browser", default=False, help="Open a browser too.")
@common_options
def ui(host: str, port: int, open_browser: bool, **given: Any) -> None:
    """Open the chat in a browser; brings the index up to the corpus first."""
    with no_collecting():
        from ui.access import rules_of  # noqa: PLC0415 -- gradio takes seconds, and `verse --help` reads this file
        from ui.library import Library  # noqa: PLC0415
        from ui.limits import bounds_of  # noqa: PLC0415
        from ui.logs import set_up_logs  # noqa: PLC0415
        from ui.server import serve, share_heaps  # noqa: PLC0415

    share_heaps()
    settings = settings_of(**given)
    rules = rules_of(settings, host)  # before an index is built, which may take minutes
    bounds = bounds_of(settings, local=rules.local)
    set_up_logs(settings)
    try:
        engine = open_engine(settings)
    except IndexMismatch:
        run_ingest(open_corpus(settings), settings, patient=True)
        engine = open_engine(settings)
    with Library(engine) as library:
        serve(library, host, port, open_browser, rules=rules, bounds=bounds)


@click.command()
@click.option("--admin", is_flag=True, help="The password for adding, removing and rebuilding.")
@click.option("--file", type=click.Path(path_type=Path, dir_okay=False), help="Keep the hash in this file.")
def password(admin: bool, file: Path | None) -> None:
    """Make the hash of a password for `verse ui`; the password is asked for, or read from a pipe."""
    from ui.passwords import hash_password, keep_password  # noqa: PLC0415 -- `verse --help` needs no hashes

    asked = sys.stdin.isatty()
    given = click.prompt("Password", hide_input=True, confirmation_prompt=True) if asked else sys.stdin.readline()
    hashed = hash_password(given.rstrip("\n"))
    if file is None:
        click.echo(f"VERSE_{'ADMIN' if admin else 'PASSWORD'}_HASH='{hashed}'")
        return
    keep_password(file, "admin" if admin else "reader", hashed)
    click.echo(f"kept in {file}; use it with: VERSE_PASSWORD_FILE={file} verse ui")


@click.command()
@click.option("--export", type=click.Path(path_type=Path, dir_okay=False), help="Copy all ratings to this file.")
@click.option("--delete", is_flag=True, help="Delete them; without --yes you are asked first.")
@click.option("--yes", is_flag=True, help="Don't ask.")
def feedback(export: Path | None, delete: bool, yes: bool) -> None:
    """Show, copy or delete the ratings that readers left; chats lie in each reader's browser alone."""
    from ui.feedback import delete_feedback, read_feedback  # noqa: PLC0415

    home = settings_of().home
    kept = read_feedback(home)
    if export is not None:
        write_atomically(export, kept)
    click.echo(f"{len(kept.splitlines())} ratings in {home}" + (f", copied to {export}" if export else ""))
    if delete and (yes or click.confirm("Delete them all?")):
        delete_feedback(home)
        click.echo("deleted")
