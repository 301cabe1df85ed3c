"""What speaks against an answer stands beside it, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import pytest

import rag

MANIFEST = """
title = "Hedges"
[[people]]
name = "Ana Moss"
role = "guest"

[[people]]
name = "Bo Reed"
role = "critic"

[[sources]]
id = "talk"
title = "A talk on hedges"
file = "talk.md"
stance = "primary"

[[sources]]
id = "reply"
title = "Bo Reed replies"
file = "reply.md"
stance = "opposing"
author = "Bo Reed"
bears_on = ["Cutting"]
"""


@pytest.mark.parametrize(
    "question", ["Why does Ilya think that scaling is over?", "Summarise chapter 2.", "What is chapter 6 about?"]
)
def test_a_claim_has_the_views_against_it_beside_it(engine: rag.Engine, question: str) -> None:
    answer = engine.ask(question)
    assert 1 <= len(answer.other_views) <= 3
    sources = [engine.corpus.source_by_id[view.source_id] for view in answer.other_views]
    assert len({source.id for source in sources}) == len(sources)
    cited = {citation.section for citation in answer.citations}
    for view, source in zip(answer.other_views, sources, strict=True):
        assert source.stance == "opposing"
        assert cited.intersection(source.bears_on)
        assert view.voice not in ("", "Ilya Sutskever")
        assert view.quote not in [citation.quote for citation in answer.citations]


@pytest.mark.parametrize(
    "question", ["How much money did SSI raise?", "Who is the guest?", "How many GPUs did AlexNet use?"]
)
def test_a_plain_fact_has_no_view_against_it(engine: rag.Engine, question: str) -> None:
    answer = engine.ask(question)
    assert answer.status == "answered"
    assert not answer.other_views


def test_a_reply_to_ones_own_talk(tmp_path: Path, encoder_files: Path) -> None:
    (tmp_path / "manifest.toml").write_text(MANIFEST, encoding="utf-8")
    (tmp_path / "talk.md").write_text(
        "# Cutting\n\nAna Moss says that hedges must be cut twice a year, in May and in August. "
        "“Uncut hedges fall apart,” she says.\n\n# Birds\n\nAna Moss counts the nests each spring.",
        encoding="utf-8",
    )
    (tmp_path / "reply.md").write_text(
        "# Reply\n\nBo Reed answers that hedges cut twice a year give birds no berries, and would cut them every third "
        "winter. Bo Reed drives a red van.",
        encoding="utf-8",
    )
    with rag.open_engine(tmp_path, index=tmp_path / "index") as own:
        (view,) = own.ask("Why does Ana Moss want hedges to be cut twice a year?").other_views
        assert view.voice == "Bo Reed"
        assert "no berries" in view.quote
        assert not own.ask("What does Ana Moss count each spring?").other_views
        critic = own.ask("What does Bo Reed say about hedges?")
        assert "Bo Reed" in [citation.voice for citation in critic.citations]
        assert not critic.other_views
