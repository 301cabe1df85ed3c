"""The house as it was drawn: README's tree, the door's names, what is imported when, what is locked and packed."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import rag

ROOT = Path(__file__).parents[1]
ROOMS = ("corpus", "rag", "ui", "evals")
HEAVY = ("torch", "transformers", "sentence_transformers", "llama_index", "gradio")

CONTRACT = {
    *("open_engine", "check_support", "Engine"),
    *("Answer", "AnswerSentence", "Citation", "Note", "Passage", "ScoredPassage", "Support"),
    *("CorpusError", "IndexMissing", "IndexMismatch", "ModelUnavailable", "QuestionError", "SettingsError"),
}


def test_readme_names_every_module_with_its_purpose() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = re.findall(rf"^ *((?:{'|'.join(ROOMS)})/[\w/]+\.py) +\S", readme, re.MULTILINE)
    real = {path.relative_to(ROOT).as_posix() for room in ROOMS for path in (ROOT / room).rglob("*.py")}
    doors = {f"{room}/__init__.py" for room in ROOMS}
    assert sorted(real - doors - set(named)) == [], "missing from README's tree"
    assert sorted(set(named) - real) == [], "in README's tree, but not in the house"
    assert len(named) == len(set(named)), "named twice in README"


def test_the_door_shows_the_contract_and_no_more() -> None:
    assert set(rag.__all__) == CONTRACT
    assert all(hasattr(rag, name) for name in CONTRACT)


@pytest.mark.parametrize(
    "program",
    ["import corpus", "import rag", "from rag.cli import main; sys.argv[1:] = ['--help']; main()"],
    ids=["corpus", "rag", "verse --help"],
)
def test_nothing_heavy_is_imported_before_it_is_used(program: str) -> None:
    watch = f"import atexit, sys; atexit.register(lambda: print('heavy:', *(set({HEAVY!r}) & set(sys.modules))))"
    run = subprocess.run([sys.executable, "-c", f"{watch}; {program}"], capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == "heavy:"


def test_the_lock_pins_what_pyproject_asks_for() -> None:
    lines = [line.split("#")[0].strip() for line in (ROOT / "requirements.lock").read_text().splitlines()]
    pins = dict(line.split("==") for line in lines if line)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    unmet = [
        text
        for text in project["dependencies"]
        if not (asked := Requirement(text)).specifier.contains(pins.get(canonicalize_name(asked.name), "0"))
    ]
    assert not unmet, f"cure: make lock; the lock doesn't fit {unmet}"
    assert pins["torch"] == "2.13.0"


@pytest.mark.slow
def test_the_wheel_carries_the_corpus_and_the_page(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for name in (*ROOMS, "pyproject.toml", "README.md", "LICENSE"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        source.mkdir(exist_ok=True)
        copy(ROOT / name, source / name)
    build = ("pip", "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path), str(source))
    run = subprocess.run([sys.executable, "-m", *build], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    needed = {
        path.relative_to(ROOT).as_posix()
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert needed <= packed, f"cure: package-data in pyproject.toml; not in the wheel: {sorted(needed - packed)}"
