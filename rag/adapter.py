"""The built-in encoder, taught to read a text and a sentence together and to say whether the one entails the other.

What was taught lies in a file of its own, a low-rank change for each matrix of the encoder (as in LoRA; Hu et al. 2021)
and a small head, made by `python -m evals.entailment`. It is put on the published weights when the encoder is
exported.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

# What the three outputs say, in order.
VERDICTS = ("entailment", "neutral", "contradiction")
WIDTH = 384
_HEAD = "head."
_UP, _DOWN = ".up", ".down"


class CrossEncoder(nn.Module):
    """The encoder's transformer over a pair of texts, and a head over its first token and the mean of all.

    Gives logits of VERDICTS, shape (pairs, 3)."""

    def __init__(self, transformer: nn.Module, width: int) -> None:
        super().__init__()
        self.transformer = transformer
        self.head = nn.Sequential(nn.Linear(2 * width, width), nn.GELU(), nn.Linear(width, len(VERDICTS)))

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
    ) -> torch.Tensor:
        """Logits of each pair; token ids, what of them is no padding, and which of the two texts each is of."""
        hidden = self.transformer(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state
        seen = attention_mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * seen).sum(dim=1) / seen.sum(dim=1)
        logits: torch.Tensor = self.head(torch.cat([hidden[:, 0], mean], dim=-1))
        return logits


def cut(before: Mapping[str, torch.Tensor], after: Mapping[str, torch.Tensor], rank: int) -> dict[str, torch.Tensor]:
    """What changed between two states of a CrossEncoder, in half precision: of each matrix the change of a rank (by
    singular values), of each vector the change, of the head all."""
    kept: dict[str, torch.Tensor] = {}
    for name, value in after.items():
        change = value - before[name]
        if name.startswith(_HEAD):
            kept[name] = value
        elif change.ndim == 2 and change.any() and min(change.shape) > rank:
            left, singular, right = torch.linalg.svd(change, full_matrices=False)
            root = singular[:rank].sqrt()
            kept[name + _UP], kept[name + _DOWN] = left[:, :rank] * root, root[:, None] * right[:rank]
        elif change.any():
            kept[name] = change
    return {name: value.to(torch.float16).contiguous() for name, value in kept.items()}


def put_on(model: CrossEncoder, changes: Mapping[str, torch.Tensor]) -> None:
    """Add what `cut` kept to a CrossEncoder over the published weights, in place."""
    state = model.state_dict()
    for name, value in changes.items():
        if name.startswith(_HEAD):
            state[name] = value.float()
        elif name.endswith(_UP):
            matrix = name.removesuffix(_UP)
            state[matrix] = state[matrix] + value.float() @ changes[matrix + _DOWN].float()
        elif not name.endswith(_DOWN):
            state[name] = state[name] + value.float()
    model.load_state_dict(state)


def read_adapter(file: Path) -> dict[str, torch.Tensor]:
    """What was taught, by the names that `cut` gives."""
    return load_file(file)
