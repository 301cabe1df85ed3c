"""The manifest names the line that is wrong, and one bad text doesn't stop the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus import Corpus, CorpusError

TEXT = "# Dawn\n\nThe sun rose over the bay.\n\n# Dusk\n\nThe sun set behind the hill."
MANIFEST = """\
title = "Days"

[[sources]]
id = "bay"
title = "The bay"
file = "bay.md"

[[sources]]
id = "reply"
title = "A reply"
stance = "opposing"
file = "reply.md"
bears_on = ["Dawn"]

[[corrections]]
source = "bay"
anchor = "The sun rose over the bay."
note = "It was cloudy."
status = "confirmed"
basis = "reply"
"""


def folder(tmp_path: Path, manifest: str = MANIFEST) -> Path:
    """A corpus folder with two texts."""
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "bay.md").write_text(TEXT, encoding="utf-8")
    (tmp_path / "texts" / "reply.md").write_text("It was cloudy all day.", encoding="utf-8")
    (tmp_path / "manifest.toml").write_text(manifest, encoding="utf-8")
    return tmp_path


def test_a_sound_manifest(tmp_path: Path) -> None:
    corpus = Corpus.open(folder(tmp_path))
    corpus.check()
    assert [source.id for source in corpus.sources] == ["bay", "reply"]
    placed = corpus.corrections["bay"][0]
    assert corpus.text("bay")[placed.start : placed.end] == "The sun rose over the bay."
    assert corpus.main is not None and corpus.main.id == "bay"


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('title = "The bay"', 'title = "The bay"\ncolour = "red"', 6, "colour"),
        ('id = "reply"', 'id = "bay"', 9, "used twice"),
        ('stance = "opposing"', 'stance = "against"', 11, "stance"),
        ('stance = "opposing"', 'published = "2025-13"', 11, "published"),
        ('anchor = "The sun rose', 'anchor = "The moon rose', 17, "stands there 0 times"),
        ('anchor = "The sun rose over the bay."', 'anchor = "The sun "', 17, "anchor"),
        ('source = "bay"', 'source = "sea"', 17, "no source has the id 'sea'"),
        ('title = "Days"', "title = ", 1, "line 1"),
    ],
)
def test_a_fault_names_file_and_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    with pytest.raises(CorpusError, match=words) as caught:
        Corpus.open(folder(tmp_path, MANIFEST.replace(old, new)))
    assert "manifest.toml" in str(caught.value)
    assert f"line {line}" in str(caught.value)


def test_a_section_that_does_not_exist_is_named_at_the_check(tmp_path: Path) -> None:
    corpus = Corpus.open(folder(tmp_path, MANIFEST.replace('["Dawn"]', '["Noon"]')))
    with pytest.raises(CorpusError, match=r"manifest\.toml, line 13: 'reply' bears on 'Noon'"):
        corpus.check()


def test_a_missing_or_unreadable_text_fails_alone(tmp_path: Path) -> None:
    place = folder(tmp_path, MANIFEST.split("[[corrections]]")[0])
    (place / "texts" / "reply.md").unlink()
    corpus = Corpus.open(place)
    assert [source.id for source in corpus.sources] == ["bay"]
    assert "missing" in corpus.failures["reply"]


@pytest.mark.parametrize("name", ["../secret.md", "/etc/hostname", "link.md"])
def test_a_file_name_cannot_lead_out_of_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.md").write_text("A secret.", encoding="utf-8")
    (tmp_path / "talks").mkdir()
    place = folder(tmp_path / "talks", MANIFEST.split("[[corrections]]")[0].replace("reply.md", name))
    if name == "link.md":
        (place / "texts" / name).symlink_to(tmp_path / "secret.md")
    assert "leads out of" in Corpus.open(place).failures["reply"]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda place: None, "no corpus folder"),
        (lambda place: place.mkdir(), "holds no texts"),
        (lambda place: (place.mkdir(), (place / "a.txt").write_bytes(b"\xff\xfe\x00caf\xe9"))[0], "a.txt"),
        (
            lambda place: (place.mkdir(), (place / "manifest.toml").write_text('title = "Empty"\nsources = []'))[0],
            "add",
        ),
    ],
)
def test_a_corpus_that_cannot_be_read_says_why(tmp_path: Path, make: object, words: str) -> None:
    assert callable(make)
    make(tmp_path / "talks")
    with pytest.raises(CorpusError, match=words):
        Corpus.open(tmp_path / "talks")


def test_the_built_in_corpus_is_sound(corpus: Corpus) -> None:
    corpus.check()
    assert len(corpus.sources) == 22
    assert sum(len(found) for found in corpus.corrections.values()) >= 13
    for source in corpus.sources[1:]:
        words = len(corpus.text(source.id).split())
        assert 150 <= words <= 420, (source.id, words)
        assert len(corpus.documents[source.id].sections) >= 2
