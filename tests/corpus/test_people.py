"""The speakers of a transcript are people of the corpus, with the part that they seem to have."""

from __future__ import annotations

from pathlib import Path

from corpus import Corpus

TALK = """Maria Keller: Welcome back. Paul, you say bread got worse after 1961. What happened?

Paul Andersson: A process was invented that mixes the dough in three minutes.

Maria Keller: Isn't cheap bread a good thing?

Paul Andersson: It was. Flavour takes time.

Caller: I only wanted to say hello.

Maria Keller: What should a listener do tomorrow?

Paul Andersson: Buy rye flour and wait.
"""


def test_who_asks_is_the_host_and_who_answers_the_guest(tmp_path: Path) -> None:
    (tmp_path / "talk.txt").write_text(TALK, encoding="utf-8")
    people = {person.name: person for person in Corpus.open(tmp_path).people}
    assert {name: person.role for name, person in people.items()} == {
        "Maria Keller": "host",
        "Paul Andersson": "guest",
    }, "a caller who speaks once belongs to no cast"
    assert people["Paul Andersson"].forms == ("Paul Andersson", "Paul", "Andersson")


def test_the_manifest_has_the_last_word(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "talk.txt").write_text(TALK, encoding="utf-8")
    (tmp_path / "manifest.toml").write_text(
        'title = "Bread"\n[[people]]\nname = "Maria Keller"\nrole = "critic"\n'
        '[[sources]]\nid = "talk"\ntitle = "Bread"\nfile = "talk.txt"\n',
        encoding="utf-8",
    )
    people = Corpus.open(tmp_path).people
    assert [(person.name, person.role) for person in people] == [
        ("Maria Keller", "critic"),
        ("Paul Andersson", "guest"),
    ]


def test_prose_and_parts_in_place_of_names(tmp_path: Path) -> None:
    (tmp_path / "prose.txt").write_text("Nobody speaks here. It rains: all day.", encoding="utf-8")
    assert Corpus.open(tmp_path).people == ()
    turns = "Interviewer: Go on.\n\nAnna: I came late.\n\nInterviewer: Tell us more.\n\nAnna: It rained.\n"
    (tmp_path / "prose.txt").write_text(turns, encoding="utf-8")
    assert {p.name: p.role for p in Corpus.open(tmp_path).people} == {"Interviewer": "host", "Anna": "guest"}
