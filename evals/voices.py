"""Voices: who holds each sentence, as labelled by hand and as the rules of corpus.voices find it.

How `voice_labels.jsonl` was labelled. A sentence's voice is the holder of its main claim in context:

- the guest, for quoted words and for the article's report of what he says or argues, with the sentences that
  go on elaborating his argument ("The two bugs can alternate endlessly.");
- the host, for his questions and turns;
- a named critic or researcher, for what is ascribed to them (the EA Forum analysis is Yarrow Bouchard's; the
  somatic marker hypothesis and the documented case are Antonio Damasio's);
- "the article", for its own narration of facts, its judgement and analysis, its verdicts and its questions.
  Facts about people in neutral narration ("Gross was SSI's co-founder") are the article's, too;
- "our summary", likewise, in our own summaries of other sources, whoever they are about.

A quotation that the transcript gives to somebody else is labelled as the article has it. `alt` lists a second
reading where two are fair; `strict` counts it as wrong. `form` is quote, report or own. `split` is by
section: "rules" (Guest Profile, Chapters 1, 3, 5, 7, Opposing Views) was at hand while the rules were written;
"held_out" (all other sections, and the summaries) was scored only. One reader made all the labels first and
the rules after, so that the held-out figure is kinder than a stranger's text would be.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from corpus import Corpus
from corpus.document import Document
from corpus.voices import assign_voices

LABELS = Path(__file__).with_name("voice_labels.jsonl")
RESULTS = Path(__file__).parent / "results" / "voices.json"
ARTICLE = "article"
SUMMARY = "our summary"


@dataclass(frozen=True, slots=True)
class Label:
    """One sentence and who holds it, by hand."""

    source: str
    start: int
    end: int
    text: str
    voice: str
    form: str
    split: str
    alt: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """A label beside the voice that the rules found."""

    label: Label
    found: str

    @property
    def right(self) -> bool:
        """Whether the rules found the label's voice, or its second reading."""
        return self.found == self.label.voice or self.found in self.label.alt


@dataclass(frozen=True, slots=True)
class Score:
    """Accuracy over some labels; `macro` is the mean of the recalls of the voices."""

    labels: int
    accuracy: float
    strict: float
    macro: float
    by_voice: Mapping[str, Mapping[str, float]]
    confusion: Mapping[str, Mapping[str, int]]


def read_labels(file: Path = LABELS) -> tuple[Label, ...]:
    """Read the labels, in file order."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return tuple(Label(**{**raw, "alt": tuple(raw.get("alt", ()))}) for raw in map(json.loads, lines))


def judge(labels: Sequence[Label], documents: Mapping[str, Document]) -> tuple[Judged, ...]:
    """Each label whose sentence still stands in its document, word for word, beside the voice found there."""
    found = {
        (source, document.text[s.start : s.end]): s.voice
        for source, document in documents.items()
        for s in document.sentences
    }
    return tuple(
        Judged(label, found[label.source, label.text]) for label in labels if (label.source, label.text) in found
    )


def score(judged: Sequence[Judged]) -> Score:
    """Count over some judged labels. Raises ValueError when there are none."""
    if not judged:
        raise ValueError("no label to score; none of their sentences stands in the documents")
    voices = sorted({one.label.voice for one in judged})
    by_voice = {}
    for voice in voices:
        held = [one for one in judged if one.label.voice == voice]
        given = [one for one in judged if one.found == voice]
        by_voice[voice] = {
            "labels": len(held),
            "recall": round(sum(one.right for one in held) / len(held), 4),
            "precision": round(sum(one.right for one in given) / len(given), 4) if given else 0.0,
        }
    confusion: dict[str, dict[str, int]] = {}
    for (voice, found), n in Counter((one.label.voice, one.found) for one in judged if not one.right).items():
        confusion.setdefault(voice, {})[found] = n
    return Score(
        len(judged),
        round(sum(one.right for one in judged) / len(judged), 4),
        round(sum(one.found == one.label.voice for one in judged) / len(judged), 4),
        round(sum(row["recall"] for row in by_voice.values()) / len(by_voice), 4),
        by_voice,
        confusion,
    )


def evaluate(corpus: Corpus, labels: Sequence[Label]) -> dict[str, Score]:
    """Score by split: the article's rules and held-out sections, and our summaries of other sources.

    What a summary narrates is its own, so its default is SUMMARY here; `as_opened` has the manifest's default.
    """
    labelled = {label.source for label in labels}
    opened = {source: document for source, document in corpus.documents.items() if source in labelled}
    summaries = {
        source: assign_voices(document, corpus.people, SUMMARY)
        for source, document in opened.items()
        if source != ARTICLE
    }
    article = [one for one in judge(labels, opened) if one.label.source == ARTICLE]
    splits = {
        "rules": [one for one in article if one.label.split == "rules"],
        "held_out": [one for one in article if one.label.split == "held_out"],
        "article": article,
        "summaries": judge(labels, summaries),
        "summaries_as_opened": [one for one in judge(labels, opened) if one.label.source != ARTICLE],
    }
    return {name: score(ones) for name, ones in splits.items() if ones}


@click.command()
@click.option("--errors", type=click.Choice(["rules"]), help="List the sentences of this split that went wrong.")
def main(errors: str | None) -> None:
    """Score the voices, print a table, write evals/results/voices.json."""
    corpus, labels = Corpus.open(), read_labels()
    scores = evaluate(corpus, labels)
    if lost := len(labels) - sum(scores[name].labels for name in ("article", "summaries") if name in scores):
        click.echo(f"{lost} labels stand in no document any more; their sentences were edited")
    click.echo(f"{'split':20}{'labels':>8}{'accuracy':>10}{'strict':>8}{'macro':>8}")
    for name, one in scores.items():
        click.echo(f"{name:20}{one.labels:8}{one.accuracy:10.3f}{one.strict:8.3f}{one.macro:8.3f}")
    for name in ("held_out", "summaries"):
        for gold, wrong in scores[name].confusion.items() if name in scores else ():
            for found, n in wrong.items():
                click.echo(f"{name}: {gold} taken for {found}: {n}")
    if errors:
        for miss in judge([label for label in labels if label.split == errors], corpus.documents):
            if not miss.right:
                click.echo(f"{miss.label.voice} taken for {miss.found}: {miss.label.text}")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(
        json.dumps({name: asdict(one) for name, one in scores.items()}, ensure_ascii=False, indent=1) + "\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
