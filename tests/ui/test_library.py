"""The engine is replaced while it is in use; edits report step by step, one at a time, and lose nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from corpus import BUILT_IN, Corpus, VerseError
from corpus.edit import add_source, new_corpus
from rag.settings import Settings
from tests.ui.fakes import FakeEngine, Opener
from ui.catalog import render_catalog, render_head, render_work
from ui.edits import Adding
from ui.jobs import Outcome, Step, Work
from ui.library import Library
from ui.watch import Figures, watched

TEXT = "A hive wants to be dry. Damp kills more bees than cold does.\n"
PAGE = (
    "<html><title>On damp</title><body><p>" + "Bees do not mind the damp at all, says the critic. " * 9 + "</p></body>"
)


@pytest.fixture
def opener() -> Opener:
    return Opener()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    new_corpus(tmp_path / "bees", "Bees")
    (tmp_path / "hives.txt").write_text(TEXT)
    add_source(tmp_path / "bees", tmp_path / "hives.txt", title="Hives")
    return tmp_path / "bees"


@pytest.fixture
def library(folder: Path, opener: Opener, tmp_path: Path) -> Iterator[Library]:
    settings = Settings.read(corpus=folder, home=tmp_path / "home")
    with Library(FakeEngine(Corpus.open(folder), (0, 1), settings=settings), opener, allow_private=True) as library:
        yield library


def ended(library: Library) -> Work:
    deadline = time.monotonic() + 20
    while not library.jobs.work.over and time.monotonic() < deadline:
        time.sleep(0.01)
    assert library.jobs.work.over
    return library.jobs.work


def said(library: Library) -> list[tuple[str, str, bool]]:
    return [(outcome.name, outcome.text, outcome.ok) for outcome in ended(library).outcomes]


def new_file(tmp_path: Path, name: str = "honey.txt", text: str = "Honey keeps for years. Warm it slowly.\n") -> Path:
    (tmp_path / name).write_text(text)
    return tmp_path / name


def test_what_can_be_added_is_and_the_rest_is_named(library: Library, tmp_path: Path) -> None:
    library.add(Adding([new_file(tmp_path), tmp_path / "gone.txt", new_file(tmp_path, "again.txt", TEXT)]))
    found = said(library)
    assert found[0] == ("honey.txt", "added as “honey”", True)
    assert found[1][0] == "gone.txt" and not found[1][2]
    assert "this text is here already" in found[2][1]
    assert found[3] == ("Index", "brought up", True)
    assert [source.title for source in library.corpus.sources] == ["Hives", "honey"]


def test_what_is_known_of_a_source_goes_with_it(library: Library, tmp_path: Path) -> None:
    known = {"title": "Of honey", "author": "Ana", "stance": "opposing", "bears_on": []}
    library.add(Adding([new_file(tmp_path)], known))
    ended(library)
    source = library.corpus.sources[1]
    assert (source.title, source.author, source.stance) == ("Of honey", "Ana", "opposing")


def test_the_old_engine_is_closed_when_its_last_question_is_answered(library: Library) -> None:
    old = library._held.engine
    assert isinstance(old, FakeEngine)
    running = library.stream("slow: why?")
    next(running)
    library.rebuild()
    assert said(library) == [("Index", "rebuilt", True)]
    assert library._held.engine is not old and old.let_go == 0
    list(running)
    assert (old.finished, old.let_go) == (1, 1)
    assert library.ask("And now?").citations
    assert len(old.asked) == 1


def test_an_answer_is_ended_from_another_thread_while_it_is_being_written(library: Library) -> None:
    figures = Figures()
    answer = watched(library, figures).stream("slow: why?")
    reading = threading.Thread(target=lambda: next(answer), daemon=True)
    reading.start()
    time.sleep(0.2)
    began = time.monotonic()
    answer.close()
    assert time.monotonic() - began < 0.5
    reading.join(5)
    assert figures.registry.get_sample_value("verse_answers_running") == 0
    assert figures.registry.get_sample_value("verse_answers_total", {"status": "stopped"}) == 1


def test_one_change_at_a_time_and_one_can_stop_it(library: Library, opener: Opener) -> None:
    opener.gate.clear()
    before = library.corpus
    library.rebuild()
    with pytest.raises(VerseError, match=r"another change .* wait for it to end"):
        library.fetch()
    library.jobs.stop()
    opener.gate.set()
    assert "Stopped." in said(library)[-1][1]
    assert library.corpus is before
    library.rebuild()
    assert said(library) == [("Index", "rebuilt", True)]


def test_a_source_is_removed_but_never_the_last(library: Library, tmp_path: Path) -> None:
    library.remove("hives")
    assert "this is the last source" in said(library)[0][1]
    library.add(Adding([new_file(tmp_path)]))
    ended(library)
    library.remove("hives")
    assert said(library)[0] == ("Hives", "removed", True)
    assert [source.id for source in library.corpus.sources] == ["honey"]


def test_the_built_in_corpus_is_copied_instead_of_edited(opener: Opener, tmp_path: Path) -> None:
    settings = Settings.read(home=tmp_path / "home")
    with Library(FakeEngine(Corpus.open(), settings=settings), opener) as library:
        library.add(Adding([new_file(tmp_path)]))
        assert "The built-in corpus isn’t edited." in said(library)[0][1]
        before = sorted(BUILT_IN.rglob("*"))
        known = {"stance": "opposing", "bears_on": ["Chapter 2"]}
        library.add(Adding([new_file(tmp_path)], known, "copy"))
        assert [ok for _, _, ok in said(library)] == [True, True]
        assert [path for path in sorted(BUILT_IN.rglob("*")) if "__pycache__" not in str(path)] == [
            path for path in before if "__pycache__" not in str(path)
        ]
        assert len(library.corpus.sources) == len(Corpus.open().sources) + 1
        assert library.corpus.source_by_id["honey"].bears_on == ("Chapter 2",)
        assert library.corpus.folder is not None and library.corpus.folder.is_relative_to(tmp_path / "home")
        library.switch(BUILT_IN)
        ended(library)
        assert library.corpus.folder == BUILT_IN
        assert [path.name for path in library.corpora()][1:] == ["copy-of-ilya-sutskever-the-age-of-scaling-is-over"]


def test_a_new_corpus_into_which_nothing_could_be_read_is_not_left_behind(library: Library, tmp_path: Path) -> None:
    library.add(Adding([tmp_path / "gone.txt"], into="Honey & co."))
    assert [ok for _, _, ok in said(library)] == [False]
    assert list((tmp_path / "home" / "corpora").iterdir()) == []
    library.add(Adding([new_file(tmp_path)], into="Honey & co."))
    ended(library)
    assert (library.corpus.title, library.corpus.folder) == ("Honey & co.", tmp_path / "home" / "corpora" / "honey-co")


def test_linked_pages_are_fetched_one_outcome_each(library: Library, tmp_path: Path) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/damp" else 404)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(PAGE.encode())

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        at = f"http://127.0.0.1:{server.server_port}"
        assert library.corpus.folder
        manifest = library.corpus.folder / "manifest.toml"
        manifest.write_text(manifest.read_text() + f'links = ["{at}/damp", "{at}/gone"]\n')
        library.rebuild()
        ended(library)
        library.fetch()
        found = said(library)
        server.shutdown()
    assert found[0] == ("On damp", "new", True)
    assert not found[1][2] and "404" in found[1][1]


def test_a_bug_ends_the_work_and_is_said(library: Library, opener: Opener) -> None:
    opener.failure = RuntimeError("a bug")
    library.rebuild()
    assert said(library) == [("", "Something went wrong here; the log of `verse ui` says what.", False)]
    opener.failure = None
    library.rebuild()
    assert said(library)[0][2]


def test_work_is_shown_as_data() -> None:
    script = "<script>x</script>"
    work = Work(script, Step(script, 2, 5), (Outcome(script, script, ok=False),), over=False)
    html = render_work(work)
    assert "<script" not in html
    assert '<progress value="2" max="5"' in html and "2 of 5" in html
    assert "Not done: " in html
    hostile = Corpus.from_texts({script: f"# {script}\n\nA hive {script} is dry.\n"}, titles={script: script})
    assert "<script" not in render_catalog(hostile, editor=True) + render_head(hostile, [Path(script)], editor=True)


def test_what_cannot_be_read_is_said_to_be_left_out_or_answered_from_the_last_index() -> None:
    whole = Corpus.from_texts({"hives": TEXT})
    failures = {"hives": "hives.txt is missing", "honey": "honey.txt is missing"}
    served, _, left_out = render_catalog(
        Corpus(whole.manifest, whole.loaded, failures=failures), editor=False
    ).partition("Left out:")
    assert "Answering from the last index:" in served and "hives.txt is missing" in served
    assert "honey.txt is missing" in left_out and "hives.txt" not in left_out.partition("</div>")[0]
