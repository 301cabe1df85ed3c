"""Train what the support check reads claim and evidence together with: the built-in encoder, taught entailment.

    python -m evals.entailment DIR [--rank 128] [--out FILE]

DIR holds labelled pairs, one .jsonl a set with lines {"premise", "hypothesis", "label"}; a label is entailment,
neutral, contradiction, or not_entailment where a set doesn't tell the last two apart. They aren't part of this project.
Of true pairs, altered copies are made (evals/altered.py). The encoder's layers are trained whole, its table of words is
left alone; what changed in each matrix is then cut to a few ranks (as in LoRA; Hu et al. 2021, but after training), so
that the file holds a few megabytes. rag/export.py puts it on the published weights again.
"""

from __future__ import annotations

import json
import math
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch.nn import functional

from corpus.document import split_sentences
from evals.altered import changes, say_otherwise
from evals.support import PAIRS, TAUGHT, TAUGHT_PAIRS, read_pairs
from rag.adapter import VERDICTS, WIDTH, CrossEncoder, cut
from rag.encoder import MAX_TOKENS, TOKENIZER_FILE
from rag.export import ADAPTER, checked_weights, load_transformer

LABELS = {name: n for n, name in enumerate((*VERDICTS, "not_entailment"))}
SEED = 7
# The public pairs are read so often, each time with other altered copies, and once between them our own.
PUBLIC_EPOCHS = 2
# Then our own are read so often, with altered copies of this share of them, sentences of one text put together as often
# as this, and a third as many of the public ones between them, at this rate of learning.
OWN_EPOCHS, OWN_ALTERED, OWN_JOINED, OWN_RATE = 3, 0.3, 0.08, 1e-4
# Tokens of a batch, and how the rate of learning goes: up over this share of the steps, then down to nothing.
_BATCH = 6_144
_STEP = 16
_WARM = 0.06
_RATE, _HEAD_RATE, _DECAY = 2e-4, 1e-3, 0.01


@dataclass(frozen=True, slots=True)
class Example:
    """A premise, a hypothesis and the number of the label."""

    premise: str
    hypothesis: str
    label: int


def read_examples(folder: Path) -> list[Example]:
    """All sets of a folder, in order of their names."""
    found = []
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            raw = json.loads(line)
            found.append(Example(raw["premise"], raw["hypothesis"], LABELS[raw["label"]]))
    return found


def with_altered(examples: Sequence[Example], rng: random.Random, share: float) -> list[Example]:
    """The examples, altered copies of true ones, sentences of premises, altered or not, and some hypotheses beside a
    premise of something else. `share` is that of the examples from which anything is made, of each kind."""
    names = sorted({word for e in examples[::50] for word in e.premise.split() if word.istitle() and word.isalpha()})
    found = list(examples)
    for e in examples:
        if e.label == LABELS["entailment"] and rng.random() < share:
            found += _copies(e.premise, e.hypothesis, names, rng)
        if len(e.premise) > 80 and rng.random() < share / 2:
            start, end = rng.choice(list(split_sentences(e.premise, 0, len(e.premise))))
            sentence = e.premise[start:end]
            if len(sentence) > 25:
                found.append(Example(e.premise, sentence, LABELS["entailment"]))
                found += _copies(e.premise, sentence, names, rng)
        if rng.random() < share / 8:
            found.append(Example(rng.choice(examples).premise, e.hypothesis, LABELS["not_entailment"]))
    return found


def _copies(premise: str, sentence: str, names: Sequence[str], rng: random.Random) -> Iterator[Example]:
    ways = list(changes(premise, names).items())
    rng.shuffle(ways)
    altered = [new for _, change in ways if (new := change(rng, sentence)) and new != sentence and new not in premise]
    for new in altered[: rng.choice([1, 1, 2])]:
        yield Example(premise, new, LABELS["not_entailment"])
    same = say_otherwise(rng, sentence)
    if same and rng.random() < 0.5:
        yield Example(premise, same, LABELS["entailment"])


def joined(examples: Sequence[Example], rng: random.Random, share: float) -> list[Example]:
    """Sentences about one text put together, entailed if both are, or one beside what is said of another text. As many
    as `share` of the examples, about."""
    entailed = LABELS["entailment"]
    by_text: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for e in examples:
        by_text[e.premise][e.label == entailed].append(e.hypothesis)
    strange = [e.hypothesis for e in examples]
    found = []
    for premise, (false, true) in by_text.items():
        for _ in range(sum(rng.random() < share for _ in (*false, *true))):
            chance = rng.random()
            if chance < 0.45 and len(true) > 1:
                found.append(Example(premise, " ".join(rng.sample(true, 2)), entailed))
            elif true:
                second = rng.choice(false if chance < 0.8 and false else strange)
                both = rng.sample([rng.choice(true), second], 2)
                found.append(Example(premise, " ".join(both), LABELS["not_entailment"]))
    return found


@dataclass(frozen=True, slots=True)
class Encoded:
    """The tokens of an example."""

    ids: list[int]
    premise: int  # tokens up to and with the first [SEP]
    label: int


def encode(tokenizer: Tokenizer, examples: Sequence[Example]) -> list[Encoded]:
    """Token ids of each example; those that are too long to be read whole are left out."""
    found = []
    for e, encoding in zip(
        examples, tokenizer.encode_batch([(e.premise, e.hypothesis) for e in examples]), strict=True
    ):
        if len(encoding.ids) <= MAX_TOKENS:
            found.append(Encoded(encoding.ids, encoding.type_ids.count(0), e.label))
    return found


def batches(examples: Sequence[Encoded], rng: random.Random) -> list[list[Encoded]]:
    """Examples of like length together, about _BATCH tokens with padding, in an order by chance."""
    by_width: dict[int, list[Encoded]] = defaultdict(list)
    for e in examples:
        by_width[_width(e)].append(e)
    found = []
    for width, ones in by_width.items():
        rng.shuffle(ones)
        size = _BATCH // width
        found += [ones[n : n + size] for n in range(0, len(ones), size)]
    rng.shuffle(found)
    return found


def _width(e: Encoded) -> int:
    # Few shapes: for each new one the matrix library makes a program of its own.
    return -(-len(e.ids) // _STEP) * _STEP


def collate(batch: Sequence[Encoded]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids, mask and types of a batch, each of shape (examples, tokens)."""
    width = max(map(_width, batch))
    ids, mask, types = (torch.zeros(len(batch), width, dtype=torch.long) for _ in range(3))
    for n, e in enumerate(batch):
        ids[n, : len(e.ids)] = torch.tensor(e.ids)
        mask[n, : len(e.ids)] = 1
        types[n, e.premise : len(e.ids)] = 1
    return ids, mask, types


def loss_of(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross entropy; where only "not entailed" is known, of that."""
    scores = functional.log_softmax(logits.float(), dim=-1)
    not_entailed = torch.logsumexp(scores[:, 1:], dim=-1, keepdim=True)
    return -torch.cat([scores, not_entailed], dim=-1).gather(1, labels[:, None]).mean()


def train(model: CrossEncoder, examples: Sequence[Encoded], rng: random.Random, rate: float = _RATE) -> None:
    """Fit the model to the examples, in place; takes one step for each batch of them."""
    head = [p for name, p in model.named_parameters() if name.startswith("head")]
    body = [p for name, p in model.named_parameters() if p.requires_grad and not name.startswith("head")]
    optimizer = torch.optim.AdamW(
        [{"params": body, "lr": rate}, {"params": head, "lr": _HEAD_RATE * rate / _RATE}],
        weight_decay=_DECAY,
        fused=True,
    )
    steps = batches(examples, rng)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda n: min(n / max(1, _WARM * len(steps)), 1.0) * (1 - n / (len(steps) + 1))
    )
    began, running = time.monotonic(), math.log(3)
    for n, batch in enumerate(steps):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(*collate(batch))
        loss = loss_of(logits, torch.tensor([e.label for e in batch]))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        running = 0.99 * running + 0.01 * loss.item()
        if n % 200 == 199:
            left = (time.monotonic() - began) / (n + 1) * (len(steps) - n - 1)
            click.echo(f"{n + 1} of {len(steps)} steps, loss {running:.3f}, {left / 60:.0f} min left")


def read_own() -> list[Example]:
    """Our own pairs that the model is taught with."""
    return [
        Example(" ".join(pair.passages), pair.sentence, LABELS["entailment" if pair.supported else "not_entailment"])
        for pair in (*read_pairs(PAIRS), *read_pairs(TAUGHT_PAIRS))
        if pair.split in TAUGHT
    ]


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--share", default=0.25, show_default=True, help="Of how many examples altered copies are made.")
@click.option("--rank", default=128, show_default=True, help="Ranks kept of what changed in each matrix.")
@click.option("--go-on", type=click.Path(exists=True, path_type=Path), help="Weights that have seen FOLDER already.")
@click.option("--whole", type=click.Path(path_type=Path), help="Also keep the weights as before ours are read.")
@click.option("--out", default=ADAPTER, type=click.Path(dir_okay=False, path_type=Path))
def main(folder: Path, share: float, rank: int, go_on: Path | None, whole: Path | None, out: Path) -> None:
    """Train on the pairs in FOLDER, then on our own with some of these; write the weights."""
    rng = random.Random(SEED)
    torch.manual_seed(SEED)
    source = checked_weights()
    tokenizer = Tokenizer.from_file(str(source / TOKENIZER_FILE))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    model = CrossEncoder(load_transformer(source), WIDTH)
    for name, layer in model.named_modules():
        if name.endswith("attention.self"):
            layer.dropout.p = 0.0  # the costliest of what is left to chance; the others stay
    for name, value in model.named_parameters():
        value.requires_grad = "word_embeddings" not in name and "position" not in name
    before = {name: value.clone() for name, value in model.state_dict().items()}
    public = read_examples(folder)
    own = read_own()
    if go_on is None:
        seen = [one for _ in range(PUBLIC_EPOCHS) for one in with_altered(public, rng, share)]
        train(model, encode(tokenizer, [*seen, *with_altered(own, rng, 1.0)]), rng)
    else:
        model.load_state_dict(load_file(go_on))
    if whole is not None:
        save_file(dict(model.state_dict()), whole)
    mixed = [one for _ in range(OWN_EPOCHS) for one in with_altered(own, rng, OWN_ALTERED)]
    mixed += [one for _ in range(OWN_EPOCHS) for one in joined(own, rng, OWN_JOINED)]
    mixed += rng.sample(public, min(len(public), len(mixed) // 3))
    train(model, encode(tokenizer, mixed), rng, OWN_RATE)
    save_file(cut(before, model.state_dict(), rank), out)


if __name__ == "__main__":
    main()
