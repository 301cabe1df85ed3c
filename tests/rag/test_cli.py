"""The command, as its user meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import rag
from corpus import Corpus
from rag.cli import cli
from rag.ingest import ingest
from rag.settings import Settings
from rag.terminal import printable


@pytest.fixture(scope="module")
def index(encoder_files: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An index of the built-in corpus for the commands of this file."""
    folder = tmp_path_factory.mktemp("cli-index")
    ingest(Corpus.open(), Settings.read(index=folder))
    return str(folder)


def verse(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(cli, list(arguments), input=stdin, prog_name="verse")


def test_ask_prints_the_answer_and_under_it_each_citation(index: str) -> None:
    result = verse("ask", "Why does Ilya think scaling is over?", "--source", "article", "--index", index)
    assert result.exit_code == 0, result.output
    assert "[1]" in result.stdout.splitlines()[0]
    assert any(line.startswith("[1] ") and "Chapter" in line for line in result.stdout.splitlines())


def test_json_is_the_answer_object(index: str, engine: rag.Engine) -> None:
    result = verse("--index", index, "ask", "What is research taste?", "--json")
    assert result.exit_code == 0
    given, expected = json.loads(result.stdout), engine.ask("What is research taste?").to_dict()
    del given["timings"], expected["timings"]
    assert given == json.loads(json.dumps(expected))


def test_chat_remembers_the_conversation(index: str) -> None:
    result = verse(
        "chat",
        "--index",
        index,
        stdin="What is a value function for?\nCan you give me the chess example?\n\n",
    )
    assert result.exit_code == 0
    assert "lose a piece" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["ask", ""], 2, "empty"),
        (["ask", "x" * 100_000], 2, "the limit is"),
        (["ask", "Why?", "--source", "nobody"], 2, "no source has the id"),
        (["--corpus", "/no/such/folder", "ask", "Why?"], 1, "verse new"),
        (["ask"], 2, "Missing argument"),
        (["sing"], 2, "No such command"),
    ],
)
def test_a_mistake_gives_one_line_and_the_right_exit_code(
    index: str, arguments: list[str], code: int, words: str
) -> None:
    if "--corpus" not in arguments and arguments != ["sing"]:
        arguments = ["--index", index, *arguments]
    result = verse(*arguments)
    assert result.exit_code == code
    assert words in result.stderr
    assert "Traceback" not in result.output


def test_doctor_says_that_all_is_well(index: str) -> None:
    result = verse("doctor", "--index", index)
    assert result.exit_code == 0, result.output
    assert "matches the corpus" in result.stdout


def test_doctor_names_fault_and_cure(tmp_path: Path) -> None:
    result = verse("doctor", "--index", str(tmp_path / "none"), "--json")
    assert result.exit_code == 1
    failed = [check for check in json.loads(result.stdout) if not check["ok"]]
    assert [check["name"] for check in failed] == ["index"]
    assert "verse ingest" in failed[0]["cure"]


def test_an_unknown_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERSE_COLOUR", "red")
    result = verse("sources")
    assert result.exit_code == 2
    assert "VERSE_COLOUR" in result.stderr


def test_sources_lists_the_corpus() -> None:
    listed = json.loads(verse("sources", "--json").stdout)
    assert listed[0]["id"] == "article"
    assert listed[0]["words"] > 5000


def test_a_terminal_obeys_nothing_that_a_document_says() -> None:
    assert printable("a\x1b[31mb\x07\nc") == "a�[31mb�\nc"


def test_asking_imports_nothing_heavy(index: str) -> None:
    script = (
        "import sys; from rag.cli import cli\n"
        f"try: cli(['--index', {index!r}, 'ask', 'What is research taste?'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'llama_index', 'gradio'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
