"""A bundle for a bug report says what is installed and what is wrong, and nothing of what is anybody's own."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from corpus import Corpus
from rag.cli import cli
from rag.ingest import ingest
from rag.settings import Settings

PRIVATE = ("zanzibar", "quibble", "ophelia", "xylograph", "sk-12345", "ollama.internal")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    corpus = tmp_path / "zanzibar-merger"
    corpus.mkdir()
    (corpus / "ophelia.md").write_text("# Quibble\n\nThe xylograph costs 12 crowns.", encoding="utf-8")
    (corpus / "manifest.toml").write_text(
        'title = "Zanzibar"\n[[sources]]\nid = "ophelia"\ntitle = "Quibble of Ophelia"\n', encoding="utf-8"
    )
    return corpus


def bundled(tmp_path: Path, folder: Path, *more: str, name: str = "bundle.zip") -> dict[str, str]:
    arguments = ["--corpus", str(folder), "--index", str(tmp_path / "quibble-index"), *more, "doctor"]
    result = CliRunner().invoke(cli, [*arguments, "--bundle", str(tmp_path / name)], prog_name="verse")
    assert "look through it" in result.stderr, result.output
    with zipfile.ZipFile(tmp_path / name) as packed:
        return {entry: packed.read(entry).decode() for entry in packed.namelist()}


def assert_discreet(parts: dict[str, str], tmp_path: Path) -> None:
    for name, text in parts.items():
        for word in (*PRIVATE, str(tmp_path)):
            assert word.lower() not in text.lower(), (name, word)


def test_a_bundle_of_a_sound_index(
    tmp_path: Path, folder: Path, encoder_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VERSE_HOSTS", "ollama.internal")
    monkeypatch.setenv("VERSE_INDEX_TOKEN", "sk-12345")
    ingest(Corpus.open(folder), Settings.read(index=tmp_path / "quibble-index"))
    parts = bundled(tmp_path, folder)
    assert_discreet(parts, tmp_path)
    assert json.loads(parts["index.json"])["passages"] == 1
    assert json.loads(parts["timings.json"])["ask"]["retrieve"] >= 0
    settings = json.loads(parts["settings.json"])
    assert (settings["max_question"], settings["hosts"], settings["index_token"]) == (4_000, "set", "set")
    assert json.loads(parts["versions.json"])["packages"]["chromadb"]
    assert all(check["ok"] for check in json.loads(parts["checks.json"]) if check["name"] in ("corpus", "index"))


@pytest.mark.parametrize("fault", ["no index", "lost text", "broken manifest", "wrong anchor", "damaged index"])
def test_a_bundle_of_what_is_broken(tmp_path: Path, folder: Path, encoder_files: Path, fault: str) -> None:
    manifest = folder / "manifest.toml"
    if fault == "lost text":
        (folder / "quibble.txt").write_text("Another.", encoding="utf-8")
        manifest.write_text(manifest.read_text() + '[[sources]]\nid = "q"\ntitle = "X"\nfile = "quibble.txt"\n')
        (folder / "ophelia.md").unlink()
    elif fault == "broken manifest":
        manifest.write_text(manifest.read_text() + 'id = "zanzibar"\n')
    elif fault == "wrong anchor":
        manifest.write_text(
            manifest.read_text() + '[[corrections]]\nsource = "ophelia"\nanchor = "it\'s \\"the xylograph\\" that"\n'
            'note = "Quibble"\nstatus = "confirmed"\nbasis = "ophelia"\n'
        )
    elif fault == "damaged index":
        ingest(Corpus.open(folder), Settings.read(index=tmp_path / "quibble-index"))
        (tmp_path / "quibble-index" / "current").write_text("zanzibar")
    parts = bundled(tmp_path, folder)
    assert_discreet(parts, tmp_path)
    failed = [check for check in json.loads(parts["checks.json"]) if not check["ok"]]
    assert failed and all(check["cure"] or check["finding"] for check in failed)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VERSE_LLM", "openai-like/quibble@http://127.0.0.1:9/xylograph"),
        ("VERSE_LLM", "ollama/zanzibar:7b"),
        ("VERSE_MODEL", "/data/quibble/zanzibar"),
        ("VERSE_INDEX", "http://zanzibar.invalid:8000"),
    ],
)
def test_a_bundle_names_no_model_and_no_server(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("OPENAI_LIKE_API_KEY", "sk-12345")
    monkeypatch.setenv(name, value)
    arguments = ["--corpus", str(folder), "doctor", "--bundle", str(tmp_path / "bundle.zip")]
    assert "look through it" in CliRunner().invoke(cli, arguments, prog_name="verse").stderr
    with zipfile.ZipFile(tmp_path / "bundle.zip") as packed:
        parts = {entry: packed.read(entry).decode() for entry in packed.namelist()}
    assert_discreet(parts, tmp_path)
    assert "127.0.0.1" not in parts["checks.json"]


def test_a_bundle_overwrites_nothing(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "bundle.zip").write_text("mine")
    result = CliRunner().invoke(
        cli, ["--corpus", str(folder), "doctor", "--bundle", str(tmp_path / "bundle.zip")], prog_name="verse"
    )
    assert result.exit_code == 2 and "is there already" in result.stderr
    assert (tmp_path / "bundle.zip").read_text() == "mine"
