"""How the model is taught: altered copies, batches, and that it learns."""

from __future__ import annotations

import random

import pytest
import torch
from torch import nn

from evals.altered import change_denial, changes, say_otherwise, swap_names
from evals.entailment import LABELS, Encoded, Example, batches, collate, joined, loss_of, train, with_altered
from rag.adapter import CrossEncoder

EVIDENCE = (
    "The council says that the Alder bridge may have cost 14 million euros in May 2021. Mayor Ines Roth opened it."
)


@pytest.mark.parametrize(
    ("way", "sentence", "kept"),
    [
        ("number", "The bridge cost 14 million euros.", "The bridge cost"),
        ("date", "It opened in May 2021.", "It opened in"),
        ("name", "The bridge was opened by Ines Roth.", "The bridge was opened by"),
        ("negation", "The bridge was opened by Ines Roth.", "opened by Ines Roth."),
        ("negation", "The bridge was not opened.", "The bridge was opened."),
        ("hedge", "The bridge may have cost a lot.", "have cost a lot."),
        ("quantity", "Most boats are old.", "boats are old."),
        ("direction", "The cost rose before May.", "The cost"),
        ("swap", "In May it was Ines Roth that Ada Brandt thanked.", "that"),
    ],
)
def test_one_thing_is_altered_and_the_rest_kept(way: str, sentence: str, kept: str) -> None:
    for seed in range(20):
        altered = changes(EVIDENCE, ["Leith", "Otto"])[way](random.Random(seed), sentence)
        assert altered is not None and altered != sentence
        assert kept in altered


def test_where_there_is_nothing_to_alter_nothing_is() -> None:
    rng = random.Random(1)
    assert change_denial(rng, "Silence.") is None
    assert swap_names(rng, "Only Roth came.") is None
    assert [way for way, change in changes("It rains.", []).items() if change(rng, "Rain!")] == []


def test_the_same_can_be_said_in_another_word() -> None:
    assert say_otherwise(random.Random(1), "The bridge didn't open.") == "The bridge did not open."


def test_copies_of_true_pairs_are_false_and_those_of_false_ones_are_not_made() -> None:
    said = Example(EVIDENCE, "The bridge cost 14 million euros.", LABELS["entailment"])
    denied = Example(EVIDENCE, "It was opened by Otto in 1911.", LABELS["contradiction"])
    made = [e for e in with_altered([said, denied] * 20, random.Random(2), share=1.0) if e not in (said, denied)]
    false = [e.hypothesis for e in made if e.label == LABELS["not_entailment"]]
    assert any("bridge" in sentence and sentence != said.hypothesis for sentence in false)
    assert not any("1911" in sentence and sentence != denied.hypothesis for sentence in false)


def test_two_sentences_of_a_text_are_entailed_together_only_if_both_are() -> None:
    true, not_entailed = LABELS["entailment"], LABELS["not_entailment"]
    said = [Example(EVIDENCE, sentence, true) for sentence in ("It may have cost a lot.", "Ines Roth opened it.")]
    denied = Example(EVIDENCE, "It is free.", LABELS["contradiction"])
    other = Example("Tea is grown in Assam.", "Assam grows tea.", true)
    made = {(e.hypothesis, e.label) for e in joined([*said, denied, other] * 20, random.Random(4), share=1.0)}
    assert ("It may have cost a lot. Ines Roth opened it.", true) in made
    assert ("It is free. Ines Roth opened it.", not_entailed) in made
    assert all(label == not_entailed for sentence, label in made if "free" in sentence)
    assert all(label == not_entailed for sentence, label in made if "Assam" in sentence and "it" in sentence)


def test_where_only_not_entailed_is_known_either_reason_will_do() -> None:
    neutral, contradicted = torch.tensor([[-9.0, 9.0, -9.0]]), torch.tensor([[-9.0, -9.0, 9.0]])
    unknown = torch.tensor([LABELS["not_entailment"]])
    assert loss_of(neutral, unknown) < 0.01
    assert loss_of(contradicted, unknown) < 0.01
    assert loss_of(-neutral, unknown) < 1
    assert loss_of(torch.tensor([[9.0, -9.0, -9.0]]), unknown) > 10


def test_a_batch_holds_texts_of_like_length_and_is_padded_to_the_longest() -> None:
    examples = [Encoded([5] * (n % 40 + 3), 2, 0) for n in range(400)]
    made = batches(examples, random.Random(3))
    assert sum(len(batch) for batch in made) == len(examples)
    for batch in made:
        ids, mask, types = collate(batch)
        assert ids.shape == mask.shape == types.shape
        assert max(len(e.ids) for e in batch) - min(len(e.ids) for e in batch) < 16
        assert mask.sum() == sum(len(e.ids) for e in batch)
        assert types.sum() == sum(len(e.ids) - 2 for e in batch)


class _Words(nn.Module):
    """A transformer without attention: each token's vector."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(20, 8)

    def forward(self, input_ids: torch.Tensor, **_: torch.Tensor) -> object:
        hidden = self.table(input_ids)
        return type("Output", (), {"last_hidden_state": hidden})


def test_it_learns() -> None:
    torch.manual_seed(4)
    model = CrossEncoder(_Words(), 8)
    examples = [Encoded([1, word, 2, word + n % 2, 2], 3, n % 2) for n in range(2_000) for word in (5, 7, 9)]
    ids, mask, types = collate(examples[:40])
    labels = torch.tensor([e.label for e in examples[:40]])
    before = loss_of(model(ids, mask, types), labels).item()
    train(model, examples * 10, random.Random(5), rate=0.05)
    assert loss_of(model(ids, mask, types), labels).item() < before / 2
