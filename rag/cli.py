"""The command `verse`: one verb a use.

The page and the evals bring their own verbs (entry points of the group `verse.verbs`), so that this
package need not know them.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, get_args

import click

from corpus import BUILT_IN, Corpus, CorpusError, VerseError
from rag.datatypes import Stance, Turn
from rag.errors import QuestionError, SettingsError
from rag.settings import Settings
from rag.terminal import in_one_line, tell

if TYPE_CHECKING:
    from rag.engine import Engine

Verb = TypeVar("Verb", bound=Callable[..., Any])
_FAILED, _USAGE, _STOPPED = 1, 2, 130


class _Verbs(click.Group):
    """Verbs of this module and of the entry points; an error that we raise on purpose is one clear line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *(e.name for e in entry_points(group="verse.verbs"))})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        known = super().get_command(ctx, cmd_name)
        if known is not None:
            return known
        for entry in entry_points(group="verse.verbs", name=cmd_name):
            command: click.Command = entry.load()
            return command
        return None

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 -- click's own signature
        try:
            return super().invoke(ctx)
        except VerseError as error:
            click.echo(f"verse: {in_one_line(str(error))}", err=True)
            ctx.exit(_USAGE if isinstance(error, QuestionError | SettingsError) else _FAILED)
        except KeyboardInterrupt:
            click.echo("verse: stopped", err=True)
            ctx.exit(_STOPPED)
        except BrokenPipeError:
            raise  # who reads has left; click ends without a word
        except OSError as error:  # a disk or a pipe that fails where no better line was found
            place = f"{error.filename}: " if error.filename else ""
            cure = "make room, or mend what is named, and try again"
            click.echo(in_one_line(f"verse: {place}{error.strerror or error}; {cure}"), err=True)
            ctx.exit(_FAILED)


def common_options(verb: Verb) -> Verb:
    """--corpus, --index and --llm, before or after the verb."""
    options = (
        click.option(
            "--corpus",
            type=click.Path(path_type=str, readable=False),
            help="A corpus folder; default: the built-in one.",
        ),
        click.option(
            "--index",
            metavar="FOLDER|URL",
            help="The index folder, or http://host:8000 of a Chroma server; default: a folder under VERSE_HOME.",
        ),
        click.option("--llm", metavar="NAME", help="A language model; default: answers without one."),
    )
    for option in reversed(options):
        verb = option(verb)
    return verb


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@common_options
@click.version_option(package_name="chapter-and-verse", prog_name="verse")
@click.pass_context
def cli(ctx: click.Context, /, **given: Any) -> None:
    """Ask documents questions; every sentence of an answer is cited, word for word."""
    ctx.obj = given


def settings_of(**given: Any) -> Settings:
    """Settings from the options after the verb, else from those before it."""
    before = click.get_current_context().find_root().obj or {}
    return Settings.read(**{**before, **{name: value for name, value in given.items() if value is not None}})


def open_engine(settings: Settings) -> Engine:
    """The engine for a verb, with a progress bar when the index has to be built first."""
    from rag.engine import Engine  # noqa: PLC0415 -- `verse --help` needs no index
    from rag.opening import open_served_corpus  # noqa: PLC0415

    corpus = open_served_corpus(settings)
    engine = Engine.open(corpus, settings, build_missing=lambda: run_ingest(corpus, settings, patient=True))
    _tell_failures(engine.corpus)
    return engine


def open_corpus(settings: Settings) -> Corpus:
    """The corpus, with a line on stderr for each source that can't be read."""
    from rag.opening import open_corpus as opened  # noqa: PLC0415 -- `verse --help` needs no index

    corpus = opened(settings)
    _tell_failures(corpus)
    return corpus


def _tell_failures(corpus: Corpus) -> None:
    """Say which sources can't be read, and whether they are left out or serve as they were indexed."""
    for source, reason in corpus.failures.items():
        served = source in corpus.source_by_id or source == str(corpus.folder)
        said = f"answering from the last index, since {reason}" if served else f"left out {source}: {reason}"
        click.echo(f"verse: {in_one_line(said)}", err=True)


@cli.command()
@click.argument("question")
@click.option("--source", "sources", multiple=True, help="Look only at this source; may be given again.")
@click.option("--section", "sections", multiple=True, help="Look only at this section; may be given again.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@common_options
def ask(question: str, sources: tuple[str, ...], sections: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Ask one question."""
    with open_engine(settings_of(**given)) as engine:
        if as_json:
            click.echo(json.dumps(engine.ask(question, sources=sources, sections=sections).to_dict(), indent=2))
        else:
            tell(engine.stream(question, sources=sources, sections=sections))


@cli.command()
@common_options
def chat(**given: Any) -> None:
    """Talk with the corpus; an empty line or Ctrl-D ends it, Ctrl-C stops an answer."""
    with open_engine(settings_of(**given)) as engine:
        title = in_one_line(engine.corpus.title or "Your corpus")
        click.echo(f"{title}: ask away. An empty line ends the conversation.")
        history: list[Turn] = []
        while True:
            try:
                question = input("\n> ")
            except (EOFError, KeyboardInterrupt):
                break
            if not question.strip():
                break
            click.echo()
            try:
                answer = tell(engine.stream(question, history))
            except QuestionError as error:
                click.echo(f"verse: {in_one_line(str(error))}", err=True)
                continue
            except KeyboardInterrupt:
                click.echo("\n(stopped)")
                continue
            history += [{"role": "user", "content": question}, {"role": "assistant", "content": answer.text}]


@cli.command()
@click.option("--rebuild", is_flag=True, help="Embed everything anew.")
@click.option("--model", metavar="NAME", help="Another sentence-transformers model.")
@common_options
def ingest(rebuild: bool, **given: Any) -> None:
    """Build the index, or bring it up to the corpus."""
    settings = settings_of(**given)
    run_ingest(open_corpus(settings), settings, rebuild=rebuild)


def run_ingest(corpus: Corpus, settings: Settings, *, rebuild: bool = False, patient: bool = False) -> None:
    """Ingest with a progress bar on stderr, and a line that says what was done; `patient` waits for another ingest."""
    from rich.console import Console  # noqa: PLC0415 -- only where a bar is drawn
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    from rag.ingest import ingest as run  # noqa: PLC0415

    columns = (*Progress.get_default_columns()[:-1], TimeRemainingColumn())
    with Progress(SpinnerColumn(), *columns, TextColumn("{task.fields[rate]}"), console=Console(stderr=True)) as bar:
        task = bar.add_task("Indexing", total=None, rate="")

        def advance(done: int, total: int) -> None:
            speed = bar.tasks[0].speed
            bar.update(task, completed=done, total=total, rate=f"{speed:.0f} passages/s" if speed else "")

        def wait(line: str) -> None:
            bar.console.print(in_one_line(f"verse: {line}"), markup=False, highlight=False, soft_wrap=True)

        done = run(corpus, settings, rebuild=rebuild, progress=advance, waiting=wait if patient else None)
    click.echo(f"{len(done.meta.sources)} sources: {done}", err=True)
    click.echo(in_one_line(f"index: {settings.server or done.folder}"), err=True)


@cli.command()
@click.option("--allow-private", is_flag=True, help="Also addresses of this machine and its network; for tests.")
@common_options
def fetch(allow_private: bool, **given: Any) -> None:
    """Download the pages that the sources link to, and index them beside the texts that are here."""
    from rich.console import Console  # noqa: PLC0415 -- only where a bar is drawn
    from rich.progress import track  # noqa: PLC0415

    from corpus.fetch import fetch_corpus  # noqa: PLC0415 -- the only verb with a network
    from corpus.pages import CACHE, targets  # noqa: PLC0415
    from rag.opening import pages_folder  # noqa: PLC0415

    settings = settings_of(**given)
    corpus = Corpus.open(settings.corpus, cache=settings.home / CACHE)
    wanted = len(targets(corpus.sources))
    found: dict[str, int] = {}
    for page in track(
        fetch_corpus(corpus, pages_folder(settings), allow_private=allow_private),
        "Fetching",
        wanted or None,
        console=Console(stderr=True),
    ):
        found[page.status] = found.get(page.status, 0) + 1
        if page.status == "failed":
            click.echo(f"verse: {in_one_line(page.message)}", err=True)
    click.echo(f"{wanted} linked pages: " + (", ".join(f"{n} {status}" for status, n in found.items()) or "none"))
    run_ingest(open_corpus(settings), settings)


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--title", default="", help="What the corpus is called.")
def new(folder: Path, title: str) -> None:
    """Make a corpus folder of your own."""
    from corpus.edit import new_corpus  # noqa: PLC0415 -- brings the network code

    new_corpus(folder, title)
    click.echo(in_one_line(f"{folder} is ready; add to it with: verse --corpus {folder} add FILE"))


@cli.command()
@click.argument("file_or_url")
@click.option("--title", help="Default: the document's own, or its file's name.")
@click.option("--author", default="", help="Who wrote it.")
@click.option("--stance", type=click.Choice(get_args(Stance)), default="primary", help="How it stands to the rest.")
@click.option("--published", help="A date: 2025, 2025-11 or 2025-11-25.")
@click.option("--voice", default="", help="Whose view its sentences hold, unless they say otherwise.")
@click.option("--bears-on", multiple=True, help="A section of a primary source that it concerns; may be given again.")
@click.option("--allow-private", is_flag=True, help="Also addresses of this machine and its network; for tests.")
@common_options
def add(file_or_url: str, **given: Any) -> None:
    """Add a file or a page to your corpus: text, Markdown, HTML, PDF, DOCX, SRT, VTT, transcripts."""
    from corpus.edit import add_source  # noqa: PLC0415 -- brings the network code

    entry = {
        name: given.pop(name)
        for name in ("title", "author", "stance", "published", "voice", "bears_on", "allow_private")
    }
    settings = settings_of(**given)
    source = add_source(settings.corpus or BUILT_IN, file_or_url, **entry)
    click.echo(f"added {source.id}: {in_one_line(source.title)}")
    run_ingest(open_corpus(settings), settings)


@cli.command()
@click.argument("source_id")
@common_options
def remove(source_id: str, **given: Any) -> None:
    """Take a source out of your corpus."""
    from corpus.edit import remove_source  # noqa: PLC0415 -- brings the network code

    settings = settings_of(**given)
    source = remove_source(settings.corpus or BUILT_IN, source_id)
    click.echo(f"removed {source.id}: {in_one_line(source.title)}")
    try:
        corpus = open_corpus(settings)
    except CorpusError:
        return  # it was the last one, and an index of nothing can't be made
    run_ingest(corpus, settings)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print the sources as JSON.")
@common_options
def sources(as_json: bool, **given: Any) -> None:
    """List the corpus."""
    corpus = open_corpus(settings_of(**given))
    rows = [
        source.model_dump(mode="json", exclude={"layout"})
        | {
            "words": len(corpus.text(source.id).split()),
            "sections": len(corpus.documents[source.id].sections),
        }
        for source in corpus.sources
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        about = " · ".join(filter(None, (row["author"], row["stance"], row["published"], f"{row['words']} words")))
        click.echo("\n    ".join(map(in_one_line, (row["id"], row["title"], about))))


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
@click.option(
    "--bundle",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also write a zip for a bug report; nothing private.",
)
@common_options
def doctor(as_json: bool, bundle: Path | None, **given: Any) -> None:
    """Say what is installed, where the index lies, whether it fits the corpus, and the cure for each fault."""
    from rag.doctor import examine  # noqa: PLC0415

    settings = settings_of(**given)
    checks = examine(settings)
    if bundle is not None:
        from rag.bundle import write_bundle  # noqa: PLC0415 -- brings the engine

        write_bundle(bundle, settings, checks)
        click.echo(in_one_line(f"{bundle} is written; look through it before you send it"), err=True)
    if as_json:
        click.echo(json.dumps([check.to_dict() for check in checks], indent=2))
    else:
        for check in checks:
            click.echo(in_one_line(f"{'ok  ' if check.ok else 'FAIL'}  {check.name}: {check.finding}"))
            if check.cure:
                click.echo(in_one_line(f"      cure: {check.cure}"))
    if not all(check.ok for check in checks):
        sys.exit(_FAILED)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    """End as by Ctrl-C, so that what is half done is cleared away."""
    raise SystemExit(128 + number)


def main() -> None:
    """Run the command; `ui.start` is the entry point."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    for ends in ("SIGTERM", "SIGHUP"):  # SIGHUP isn't on Windows
        number = getattr(signal, ends, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)
    cli(prog_name="verse")


if __name__ == "__main__":
    main()
