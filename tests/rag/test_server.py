"""An index on a real Chroma server: the same answers, several machines, and a server that comes and goes."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

import rag
from corpus import Corpus
from rag.ingest import Ingested, ingest
from rag.opening import index_folder
from rag.settings import Settings

pytestmark = pytest.mark.slow

TEXTS = {
    f"harbour{n}": f"# Tides of pier {n}\n\nThe tide at pier {n} turns at {n} o'clock. The ferry leaves pier {n} at "
    f"{n + 3} o'clock.\n\n# Winds of pier {n}\n\nThe wind at pier {n} blows from the west. It brings rain on {n} days."
    for n in range(1, 71)
}
QUESTIONS = (
    "When does the tide at pier 7 turn?",
    "Where does the wind blow from?",
    "Who wrote the opera?",
    "When does the ferry leave pier 42?",
)


class Chroma:
    """A `chroma run` of our own, which can be stopped and started again over the same folder."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = Path(sys.executable).with_name("chroma")
        options = ["--path", str(self._folder / "data"), "--host", "127.0.0.1", "--port", str(self.port)]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen([command, "run", *options], stdout=log, stderr=log)
        for _ in range(600):
            try:
                httpx.get(f"{self.address}/api/v2/heartbeat").raise_for_status()
                return
            except httpx.HTTPError:
                time.sleep(0.1)
        raise AssertionError((self._folder / "log").read_text())

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Gate(ThreadingHTTPServer):
    """A proxy before a Chroma server that lets only the holder of a token through."""

    def __init__(self, behind: str, token: str) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                code, said = 401, b"no"
                if self.headers.get("Authorization") == f"Bearer {token}":
                    kind = {"Content-Type": "application/json"}
                    answer = httpx.request(self.command, behind + self.path, content=body, headers=kind, timeout=60)
                    code, said = answer.status_code, answer.content
                self.send_response(code)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            do_GET = do_POST = do_PUT = do_DELETE = handle_any

            def log_message(self, *_: object) -> None:
                """Quiet."""

        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Gate:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chroma]:
    server = Chroma(tmp_path_factory.mktemp("chroma"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def machine(tmp_path: Path, encoder_files: Path) -> Machines:
    return Machines(tmp_path, encoder_files)


class Machines:
    """Homes of their own that share nothing but the exported encoder, as two computers would."""

    def __init__(self, folder: Path, encoder_files: Path) -> None:
        self._folder = folder
        self._encoders = encoder_files.parent

    def __call__(self, name: str, index: str, **given: Any) -> Settings:
        home = self._folder / name
        home.mkdir(exist_ok=True)
        if not (home / "encoders").exists():
            (home / "encoders").symlink_to(self._encoders)
        return Settings.read(home=home, index=index, **given)


def _answers(corpus: Corpus, settings: Settings, questions: tuple[str, ...] = QUESTIONS) -> str:
    with rag.Engine.open(corpus, settings) as engine:
        said = [{**engine.ask(question).to_dict(), "timings": {}} for question in questions]
        found = [[(p.passage.id, p.score) for p in engine.retrieve(question)] for question in questions]
    return json.dumps([said, found])


def _corpus(name: str) -> Corpus:
    """Seventy texts of two passages each that no other test has."""
    return Corpus.from_texts({f"{name}-{key}": text for key, text in TEXTS.items()})


def test_a_server_gives_the_answers_of_the_folder_and_spares_the_second_machine_the_work(
    chroma: Chroma, machine: Machines, tmp_path: Path
) -> None:
    corpus = _corpus("same")
    ingest(corpus, in_folder := Settings.read(index=tmp_path / "folder"))
    wanted = _answers(corpus, in_folder)
    done = ingest(corpus, machine("first", chroma.address))
    assert done.meta.embedded == done.meta.passages == 140
    assert _answers(corpus, machine("first", chroma.address)) == wanted
    again = ingest(corpus, machine("first", chroma.address))
    assert not again.changed
    assert _answers(corpus, machine("second", chroma.address)) == wanted
    assert not ingest(corpus, machine("second", chroma.address)).changed
    rebuilt = ingest(corpus, machine("first", chroma.address), rebuild=True)
    assert rebuilt.meta.embedded == 140
    assert _answers(corpus, machine("second", chroma.address)) == wanted


def test_the_built_in_corpus_is_answered_from_a_server_as_from_its_folder(
    chroma: Chroma, machine: Machines, engine: rag.Engine
) -> None:
    questions = ("How much has SSI raised?", "Who disagrees with him about scaling?", "What is chapter 3 about?")
    wanted, settings = _answers(engine.corpus, engine.settings, questions), machine("first", chroma.address)
    folder = engine.settings.index
    assert isinstance(folder, Path)
    shutil.copytree(folder, index_folder(engine.corpus, settings))
    done = ingest(engine.corpus, settings)
    assert done.meta.embedded == 0, "what this machine knows is sent, not embedded again"
    assert _answers(engine.corpus, settings, questions) == wanted


def test_an_ingest_that_was_stopped_goes_on_where_it_was(chroma: Chroma, machine: Machines) -> None:
    corpus, settings = _corpus("stopped"), machine("first", chroma.address)

    def stop(done: int, total: int) -> None:
        if done >= total / 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest(corpus, settings, progress=stop)
    done = ingest(corpus, settings)
    assert 0 < done.meta.embedded < done.meta.passages
    assert '"answered"' in _answers(corpus, settings)


def test_a_server_that_restarts_during_an_ingest_is_waited_for(chroma: Chroma, machine: Machines) -> None:
    corpus = _corpus("restart")
    again = threading.Timer(0.5, chroma.start)

    def restart(done: int, total: int) -> None:
        if done >= total / 4 and again.ident is None:
            chroma.stop()
            again.start()

    done = ingest(corpus, machine("first", chroma.address), progress=restart)
    again.join()
    assert done.meta.embedded == 140
    assert '"answered"' in _answers(corpus, machine("first", chroma.address))


def test_while_a_server_is_away_questions_are_answered_all_the_same(chroma: Chroma, machine: Machines) -> None:
    corpus, settings = _corpus("away"), machine("first", chroma.address)
    ingest(corpus, settings)
    with rag.Engine.open(corpus, settings) as engine:
        before = engine.ask(QUESTIONS[0]).text
        chroma.stop()
        try:
            assert engine.ask(QUESTIONS[0]).text == before
            with pytest.raises(rag.IndexMismatch, match=r"can't be reached.*chroma run"):
                rag.Engine.open(corpus, settings)
        finally:
            chroma.start()
        assert engine.ask(QUESTIONS[0]).text == before


def test_two_machines_share_the_work_of_one_ingest(chroma: Chroma, machine: Machines) -> None:
    corpus, done = _corpus("shared"), dict[str, Ingested]()

    def work(name: str) -> None:
        done[name] = ingest(corpus, machine(name, chroma.address))

    workers = [threading.Thread(target=work, args=(name,)) for name in ("first", "second")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert set(done) == {"first", "second"}
    assert done["first"].meta.embedded + done["second"].meta.embedded >= 140
    assert _answers(corpus, machine("first", chroma.address)) == _answers(corpus, machine("second", chroma.address))


def test_two_corpora_on_one_server_do_not_meet(chroma: Chroma, machine: Machines) -> None:
    roses = Corpus.from_texts({"roses": "# Roses\n\nPrune roses in March. Roses want sun."})
    tulips = Corpus.from_texts({"tulips": "# Tulips\n\nPlant tulips in October. Tulips want cold."})
    settings = machine("first", chroma.address)
    with rag.Engine.open(roses, settings) as first, rag.Engine.open(tulips, settings) as second:
        assert {c.source_id for c in first.ask("When are roses pruned?").citations} == {"roses"}
        assert {c.source_id for c in second.ask("When are tulips planted?").citations} == {"tulips"}


def test_an_edited_corpus_is_refused_until_it_is_ingested(chroma: Chroma, machine: Machines, tmp_path: Path) -> None:
    folder, settings = tmp_path / "talks", machine("first", chroma.address)
    folder.mkdir()
    (folder / "roof.md").write_text("# Roof\n\nThe roof is mended in May.\n\n# Walls\n\nThe walls are white.")
    ingest(Corpus.open(folder), settings)
    (folder / "roof.md").write_text("# Roof\n\nThe roof is mended in June.\n\n# Walls\n\nThe walls are white.")
    with pytest.raises(rag.IndexMismatch, match=r"before it was changed; run: verse ingest"):
        rag.Engine.open(Corpus.open(folder), settings)
    assert ingest(Corpus.open(folder), settings).meta.embedded == 1
    with rag.Engine.open(Corpus.open(folder), settings) as engine:
        assert "June" in engine.ask("When is the roof mended?").text


def test_a_token_lets_in_and_is_never_shown(chroma: Chroma, machine: Machines) -> None:
    corpus = Corpus.from_texts({"roses": "# Roses\n\nPrune roses in March."})
    with Gate(chroma.address, "s3cret") as gate:
        with rag.Engine.open(corpus, machine("first", gate.address, index_token="s3cret")) as engine:
            assert engine.ask("When are roses pruned?").status == "answered"
            assert "s3cret" not in repr(engine.settings)
        for token in ("wr0ng", None):
            with pytest.raises(rag.IndexMismatch, match=r"refuses the token.*VERSE_INDEX_TOKEN") as refused:
                rag.Engine.open(corpus, machine("first", gate.address, index_token=token))
            assert "wr0ng" not in str(refused.value)


@pytest.mark.parametrize(("code", "said"), [(410, b"{}"), (200, b'"0.5.23"'), (200, b"<html>hello</html>")])
def test_another_version_or_another_server_is_refused_in_one_line(machine: Machines, code: int, said: bytes) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(code)
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Other) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        settings = machine("first", f"http://127.0.0.1:{other.server_address[1]}")
        with pytest.raises(rag.IndexMismatch, match=r"no Chroma server of version 1 .*chroma run") as refused:
            ingest(Corpus.from_texts({"a": "One sentence."}), settings)
        assert "\n" not in str(refused.value)
        other.shutdown()


@pytest.mark.parametrize("index", ["http://me:secret@localhost:8000", "http://localhost:8000/talks", "http://"])
def test_an_address_that_says_more_than_host_and_port_is_refused(index: str) -> None:
    with pytest.raises(rag.SettingsError, match=r"setting 'index'") as refused:
        Settings.read(index=index)
    assert "secret" not in str(refused.value)


def test_each_server_and_corpus_has_a_folder_of_its_own_here(machine: Machines) -> None:
    corpus = Corpus.from_texts({"a": "One sentence."})
    folders = {index_folder(corpus, machine("first", f"http://localhost:{port}")) for port in (8000, 8001)}
    assert len(folders) == 2
