"""What all tests share: a home of their own and one engine over the built-in corpus."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import rag
from corpus import Corpus
from rag.export import export_encoder
from tests.rag.served import Served, serving_smollm2


@pytest.fixture(scope="session", autouse=True)
def home(pytestconfig: pytest.Config) -> Iterator[Path]:
    """A home for the session; the exported encoder is kept between runs, as on a user's machine."""
    cache = pytestconfig.cache
    assert cache is not None
    folder = cache.mkdir("verse-home")
    for left in folder.glob("feedback*"):  # by a run before, whose ratings would be drafted from
        left.unlink()
    for name in [name for name in os.environ if name.startswith("VERSE_")]:
        del os.environ[name]
    os.environ["VERSE_HOME"] = str(folder)
    yield folder
    del os.environ["VERSE_HOME"]


@pytest.fixture(scope="session")
def encoder_files(home: Path) -> Path:
    """The exported encoder, made at the first test that needs it."""
    return export_encoder(home)


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    """The built-in corpus."""
    return Corpus.open()


@pytest.fixture(scope="session")
def article_engine(encoder_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[rag.Engine]:
    """An engine over the built-in corpus with an index of this session."""
    with rag.open_engine(index=tmp_path_factory.mktemp("index")) as opened:
        yield opened


@pytest.fixture(scope="session")
def engine(article_engine: rag.Engine) -> rag.Engine:
    """The same; the tests of the page have a fake by this name."""
    return article_engine


@pytest.fixture
def small_model(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """The small model's server in a process of its own, which ends with the test; its key is in the environment."""
    with serving_smollm2() as served:
        monkeypatch.setenv("OPENAI_LIKE_API_KEY", served.key)
        yield served
