"""A corpus of one's own is made, added to and taken from; what fails changes nothing."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from corpus import Corpus
from corpus.edit import add_source, new_corpus, remove_source
from corpus.errors import CorpusError
from corpus.manifest import BUILT_IN
from tests.corpus.test_fetch import PAGE, Site, serve


@pytest.fixture
def talks(tmp_path: Path) -> Path:
    folder = tmp_path / "talks"
    new_corpus(folder, "Our talks")
    return folder


def put(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def test_a_new_corpus_waits_for_its_first_source(talks: Path) -> None:
    with pytest.raises(CorpusError, match="lists no sources; add one with: verse --corpus"):
        Corpus.open(talks)
    with pytest.raises(CorpusError, match="is there already"):
        new_corpus(talks)


def test_an_added_file_can_be_asked_about(talks: Path, tmp_path: Path) -> None:
    file = put(tmp_path, "my talk.md", "# Where we stand\n\nScaling works, says Ann.\n")
    source = add_source(talks, file, author="Ann", stance="opposing", published="2025-11")
    assert (source.id, source.title, source.file) == ("my-talk", "my talk", "my-talk.md")
    corpus = Corpus.open(talks)
    assert corpus.title == "Our talks"
    assert [(s.id, s.author, s.stance, s.published) for s in corpus.sources] == [
        ("my-talk", "Ann", "opposing", "2025-11")
    ]
    assert corpus.documents["my-talk"].sections[0].label == "Where we stand"


def test_a_removed_source_is_gone_with_its_file(talks: Path, tmp_path: Path) -> None:
    before = tree(talks)
    add_source(talks, put(tmp_path, "a.txt", "One text."), title="One")
    assert remove_source(talks, "one").title == "One"
    assert tree(talks) == before
    with pytest.raises(CorpusError, match=r"has no source 'one'; it has none"):
        remove_source(talks, "one")


def test_comments_and_corrections_in_the_manifest_stay(talks: Path, tmp_path: Path) -> None:
    put(talks / "texts", "a.md", "Ann raised 3 billion.\n")
    manifest = """# by hand
title = "Our talks"  # a fine title

[[sources]]
id = "a"  # the first
title = "A"

[[corrections]]
source = "a"
anchor = "3 billion"
note = "It was 2."
status = "confirmed"
basis = "a"
"""
    put(talks, "manifest.toml", manifest)
    add_source(talks, put(tmp_path, "b.md", "Bob answers.\n"), title='Bob "the" \\ builder')
    corpus = Corpus.open(talks)
    assert [source.title for source in corpus.sources] == ["A", 'Bob "the" \\ builder']
    assert len(corpus.corrections["a"]) == 1
    text = (talks / "manifest.toml").read_text(encoding="utf-8")
    assert "# by hand" in text and "# a fine title" in text and "# the first" in text
    with pytest.raises(CorpusError, match=r"1 corrections in .* name 'a'"):
        remove_source(talks, "a")
    remove_source(talks, "bob-the-builder")
    assert (talks / "manifest.toml").read_text(encoding="utf-8").strip() == manifest.strip()


def test_a_source_that_others_bear_on_stays(talks: Path, tmp_path: Path) -> None:
    add_source(talks, put(tmp_path, "a.md", "# One\n\nA text.\n\n# Two\n\nMore.\n"), title="Main")
    critic = put(tmp_path, "b.md", "It is wrong.\n")
    with pytest.raises(CorpusError, match="no primary source has a section 'Three'; the sections are One, Two"):
        add_source(talks, critic, title="Critic", stance="opposing", bears_on=["Three"])
    add_source(talks, critic, title="Critic", stance="opposing", bears_on=["Two"])
    with pytest.raises(CorpusError, match=r"critic .* bear on its sections"):
        remove_source(talks, "main")
    add_source(talks, put(tmp_path, "c.md", "Nobody bears on this.\n"), title="Another")  # primary too
    assert remove_source(talks, "another").title == "Another"


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("../../etc/passwd", "etc-passwd"),
        ("Café — Ünïcode!", "cafe-unicode"),
        ("日本語", "source"),
        ("CON", "con-text"),
        ("a" * 200, "a" * 60),
        (".hidden", "hidden"),
        ("x\x1b[31m", "x-31m"),
    ],
)
def test_ids_and_file_names_cannot_leave_the_folder(talks: Path, tmp_path: Path, title: str, expected: str) -> None:
    source = add_source(talks, put(tmp_path, "a.txt", "A text."), title=title)
    assert source.id == expected
    assert source.title.isprintable()
    assert set(tree(talks)) == {"manifest.toml", f"texts/{expected}.txt"}


def test_one_title_twice_gives_two_ids(talks: Path, tmp_path: Path) -> None:
    ids = [add_source(talks, put(tmp_path, "a.txt", f"Text {n}."), title="Talk").id for n in range(3)]
    assert ids == ["talk", "talk-2", "talk-3"]


def test_the_same_text_twice_is_refused_by_name(talks: Path, tmp_path: Path) -> None:
    add_source(talks, put(tmp_path, "a.txt", "One text."), title="One")
    before = tree(talks)
    with pytest.raises(CorpusError, match=r"is here already, as 'one' \(One\)"):
        add_source(talks, put(tmp_path, "b.txt", "One text."), title="Two")
    assert tree(talks) == before


def test_what_cannot_be_read_changes_nothing(talks: Path, tmp_path: Path) -> None:
    before = tree(talks)
    for file in (put(tmp_path, "a.txt", " \n"), tmp_path / "missing.md", tmp_path):
        with pytest.raises(CorpusError, match=str(file)):
            add_source(talks, file)
    good = put(tmp_path, "b.txt", "A text.")
    with pytest.raises(CorpusError, match="published"):
        add_source(talks, good, published="next week")
    with pytest.raises(CorpusError, match="stance"):
        add_source(talks, good, stance="neutral")  # type: ignore[arg-type]
    assert tree(talks) == before


def test_a_manifest_that_is_broken_is_named_and_kept(talks: Path, tmp_path: Path) -> None:
    for text in ('title = "x\n', 'title = "x"\n[[sources]]\nid = "a"\n', 'title = "x"\nsauces = []\n[[sources]]\n'):
        put(talks, "manifest.toml", text)
        before = tree(talks)
        with pytest.raises(CorpusError, match=r"manifest\.toml"):
            add_source(talks, put(tmp_path, "a.txt", "A text."))
        assert tree(talks) == before


def test_a_folder_of_files_gets_a_manifest_with_its_first_addition(tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    put(folder, "first_talk.md", "# One\n\nA text.\n")
    add_source(folder, put(tmp_path, "b.txt", "Another text."), title="Second")
    assert [(s.id, s.title) for s in Corpus.open(folder).sources] == [
        ("first_talk", "first talk"),
        ("second", "Second"),
    ]
    assert (folder / "second.txt").is_file(), "beside the others"
    remove_source(folder, "first_talk")
    assert [s.id for s in Corpus.open(folder).sources] == ["second"]


def test_a_text_folder_that_leads_elsewhere_is_refused(talks: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (talks / "texts").rmdir()
    (talks / "texts").symlink_to(elsewhere)
    with pytest.raises(CorpusError, match="leads out of the corpus"):
        add_source(talks, put(tmp_path, "a.txt", "A text."))
    assert not list(elsewhere.iterdir())


def test_removing_never_reaches_out_of_the_folder(talks: Path, tmp_path: Path) -> None:
    outside = put(tmp_path, "outside.txt", "Keep me.")
    put(talks, "manifest.toml", 'title = "x"\n[[sources]]\nid = "a"\ntitle = "A"\nfile = "../../outside.txt"\n')
    with pytest.raises(CorpusError, match="leads out"):
        remove_source(talks, "a")
    assert outside.read_text(encoding="utf-8") == "Keep me."


def test_the_built_in_corpus_is_not_edited(tmp_path: Path) -> None:
    file = put(tmp_path, "a.txt", "A text.")
    with pytest.raises(CorpusError, match="make one of your own: verse new talks/"):
        add_source(BUILT_IN, file)
    with pytest.raises(CorpusError, match="make one of your own: verse new talks/"):
        remove_source(BUILT_IN, "article")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="make one with: verse new"):
        add_source(tmp_path / "nowhere", put(tmp_path, "a.txt", "A text."))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_named(talks: Path, tmp_path: Path) -> None:
    talks.chmod(0o500)
    with pytest.raises(CorpusError, match="can't be edited"):
        add_source(talks, put(tmp_path, "a.txt", "A text."))
    talks.chmod(0o700)


def test_many_additions_at_once_are_all_kept(talks: Path, tmp_path: Path) -> None:
    files = [put(tmp_path, f"t{n}.txt", f"Text number {n}.") for n in range(8)]
    threads = [threading.Thread(target=add_source, args=(talks, file)) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(source.id for source in Corpus.open(talks).sources) == [f"t{n}" for n in range(8)]


def test_a_page_is_added_under_its_own_title_and_address(talks: Path) -> None:
    with serve(Site()) as site:
        end = site.page("/end")
        source = add_source(talks, site.redirect("/", "/end"), stance="opposing", allow_private=True)
        assert (source.title, source.url, source.file) == ("A Critic Speaks", end, "a-critic-speaks.html")
        with pytest.raises(CorpusError, match="is here already"):
            add_source(talks, end, allow_private=True)
        with pytest.raises(CorpusError, match="not in the public internet"):
            add_source(talks, end)
    assert "new ideas are needed" in Corpus.open(talks).documents["a-critic-speaks"].text
    assert (talks / "texts" / "a-critic-speaks.html").read_bytes() == PAGE.encode()


def test_what_a_killed_edit_left_is_gone_after_the_next(talks: Path, tmp_path: Path) -> None:
    for stray in (talks / ".abc.part", talks / "texts" / ".def.part"):
        stray.write_text("half a text")
    (tmp_path / "minutes.md").write_text("# Minutes\n\nThe roof is mended.", encoding="utf-8")
    add_source(talks, tmp_path / "minutes.md")
    assert not [path for path in talks.rglob("*.part")]
