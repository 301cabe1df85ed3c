"""What lifts a passage: its own words and meaning, its tokens, and its neighbours."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

import rag
from corpus import Corpus
from rag.datatypes import Passage, Query, Scope, Turn, Vectors
from rag.index import PassageIndex
from rag.lexical import Headings
from rag.retrieve import find_candidates


class FakeIndex:
    """Passages by their cosine, BM25 and likeness token by token; one letter of `sections` each."""

    def __init__(
        self, sections: str, cosines: Sequence[float], lexical: Sequence[float], likenesses: Sequence[float]
    ) -> None:
        self.sections = np.array(list(sections))
        self.cosines = np.array(cosines, dtype=np.float32)
        self.lexical = np.array(lexical, dtype=np.float32)
        self.likenesses = np.array(likenesses, dtype=np.float32)

    def __len__(self) -> int:
        return len(self.sections)

    def rows(self, scope: Scope) -> None:
        return None

    def score_lexical(self, terms: Sequence[str]) -> Vectors:
        return self.lexical

    def weigh_terms(self, terms: Sequence[str]) -> float:
        return 10.0

    def search_dense(self, vector: Vectors, k: int, scope: Scope) -> list[tuple[int, float]]:
        return [(int(row), float(self.cosines[row])) for row in np.argsort(-self.cosines, kind="stable")[:k]]

    def passage_vectors(self, rows: NDArray[np.int64]) -> Vectors:
        return np.asarray(self.cosines[rows][:, None])

    def likeness(self, rows: NDArray[np.int64], query: Query) -> Vectors:
        return np.asarray(self.likenesses[rows])

    def same_section(self, rows: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.asarray(self.sections[rows] == self.sections[others])

    def passage(self, row: int) -> Passage:
        return Passage(f"p{row}", "book", str(self.sections[row]), "", 0, 1, "", row)


def _ranked(index: FakeIndex, k: int = 10) -> dict[int, float]:
    """Row -> score, in the order found."""
    one = np.ones(1, dtype=np.float32)
    query = Query("q?", "q?", ("q",), ((("q",), 1.0),), one, one[None, :], one)
    found = find_candidates(cast(PassageIndex, index), query, Scope(), k)
    return {f.passage.row: f.score for f in found}


def test_the_score_of_a_passage_that_stands_alone() -> None:
    # 0.5 + 0.7 * 2/10 + 0.7 * 0.6 = 1.06 by itself, and the same around it, where it stands alone.
    assert _ranked(FakeIndex("a", [0.5], [2.0], [0.6])) == {0: pytest.approx(1.06)}


def test_the_best_place_nearby_lifts_its_neighbours() -> None:
    # Merits 0.6 and 0.2. The second's context: log((1 e^(16 * 0.2) + 0.8 e^(16 * 0.6)) / 1.8) / 16
    context = math.log((math.exp(3.2) + 0.8 * math.exp(9.6)) / 1.8) / 16
    found = _ranked(FakeIndex("aa", [0.6, 0.2], [0, 0], [0, 0]))
    # It lies right beside the first, so among the first five it pays the fine of 0.075.
    assert found[1] == pytest.approx((0.2 + context) / 2 - 0.075, abs=1e-5)


def test_only_the_forty_best_are_compared_token_by_token() -> None:
    # Fifty passages, each a section of its own, the earlier the better; the last would win by its tokens.
    sections = "".join(chr(200 + n) for n in range(50))
    cosines = [0.6 - 0.01 * n for n in range(50)]
    likenesses = [0.2] * 39 + [0.9] + [0.9] * 10
    rows = list(_ranked(FakeIndex(sections, cosines, [0] * 50, likenesses), 50))
    # The 40th gains 0.7 * (0.9 - 0.2) = 0.49 and passes all, those after it count as the least of the forty.
    assert rows == [39, *range(39), *range(40, 50)]


def test_neighbours_end_with_their_section() -> None:
    assert _ranked(FakeIndex("ab", [0.6, 0.2], [0, 0], [0, 0])) == {0: pytest.approx(0.6), 1: pytest.approx(0.2)}


def test_the_first_five_do_not_crowd_one_place() -> None:
    cosines = [0.5, 0.59, 0.6, 0.59, 0.5, 0.57]
    rows = list(_ranked(FakeIndex("aaaaab", cosines, [0] * 6, [0] * 6)))
    assert rows[0] == 2
    assert rows.index(5) < rows.index(1)


def test_scores_never_rise_and_a_longer_list_begins_like_a_shorter_one() -> None:
    rng = np.random.default_rng(0)
    index = FakeIndex("a" * 30 + "b" * 30, rng.random(60).tolist(), (4 * rng.random(60)).tolist(), [0.3] * 60)
    long = _ranked(index, 40)
    assert list(long.values()) == sorted(long.values(), reverse=True)
    assert list(_ranked(index, 7)) == list(long)[:7]


def test_a_word_that_few_share_counts_little_when_most_of_the_question_is_missing() -> None:
    # BM25 of 1 out of the 10 that the question could earn is a tenth, even where no passage has more.
    assert _ranked(FakeIndex("ab", [0.50, 0.40], [0, 1], [0, 0])) == pytest.approx({0: 0.5, 1: 0.47})


def test_headings_are_found_by_their_terms() -> None:
    headings = Headings([("a", "The Old Bridge"), ("a", "Chapter 2"), ("b", "Old Mills"), ("c", "Chapter 2")])
    assert headings.holding("chapter") == [("a", "Chapter 2"), ("c", "Chapter 2")]
    assert headings.made_of(["who", "built", "old", "bridg"]) == [("a", "The Old Bridge")]
    assert headings.made_of([]) == headings.made_of(["tower"]) == []


FILLER = "We went through the list again and nobody had anything to add to that item at all. " * 4
MEETING = "\n".join(
    [
        *(f"Marta: {FILLER}" for _ in range(6)),
        f"Jonas: Let us talk about the remote control. {FILLER}",
        f"Marta: I would make it from rubber, then it survives a fall. {FILLER}",
        f"Jonas: The remote control must not cost more than twelve francs. {FILLER}",
        *(f"Marta: {FILLER}" for _ in range(6)),
        f"Jonas: The canteen will close at two from now on. {FILLER}",
    ]
)


@pytest.fixture(scope="module")
def meeting(encoder_files: Path) -> Iterator[rag.Engine]:
    with rag.open_engine(Corpus.from_texts({"meeting": MEETING})) as engine:
        yield engine


def test_what_was_said_about_a_thing_is_found_though_it_is_called_it(meeting: rag.Engine) -> None:
    found = meeting.retrieve("What did they say about the remote control?", k=4)
    assert any("rubber" in f.passage.text for f in found)
    assert not any("canteen" in f.passage.text for f in found)


def test_a_follow_up_finds_what_it_leans_on(meeting: rag.Engine) -> None:
    history = [
        Turn(role="user", content="What was decided about the remote control?"),
        Turn(role="assistant", content="The remote control must not cost more than twelve francs."),
    ]
    found = meeting.retrieve("And what is it made from?", history, k=3)
    assert any("rubber" in f.passage.text for f in found)


def test_asking_twice_gives_the_same(meeting: rag.Engine) -> None:
    assert meeting.retrieve("Who pays?", k=20) == meeting.retrieve("Who pays?", k=20)


def test_sections_of_another_source_leave_nothing_to_find(encoder_files: Path) -> None:
    texts = {"oaks": "# Acorns\n\nOaks drop acorns.", "elms": "# Seeds\n\nElms drop winged seeds."}
    with rag.open_engine(Corpus.from_texts(texts)) as engine:
        assert engine.retrieve("seeds", sources=["oaks"], sections=["Seeds"]) == []
