"""What was taught to the encoder: kept small, put on again as it was, and heard by the export."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from torch import nn

from rag.adapter import WIDTH, CrossEncoder, cut, put_on, read_adapter
from rag.encoder import ENTAILMENT_FILE
from rag.entailment import EntailmentModel
from rag.errors import IndexMismatch
from rag.export import ADAPTER
from rag.folder import FORMAT

BRIDGE = "The Alder bridge, which opened on 3 May 2021, had cost 14 million euros, the council said."


def _toy() -> CrossEncoder:
    torch.manual_seed(3)
    return CrossEncoder(nn.Sequential(nn.Linear(40, 30), nn.LayerNorm(30)), 8)


def test_what_changed_is_put_on_again() -> None:
    taught = _toy()
    before = {name: value.clone() for name, value in taught.state_dict().items()}
    with torch.no_grad():
        state = taught.state_dict()  # shares its memory with the model
        state["transformer.0.weight"] += torch.randn(30, 2) @ torch.randn(2, 40)  # a change of rank two
        state["transformer.0.bias"] += 0.5
        state["head.0.weight"] += 1
    changes = cut(before, taught.state_dict(), rank=4)
    assert all(value.dtype == torch.float16 for value in changes.values())
    assert not any(name.startswith("transformer.1") for name in changes)  # nothing was taught to it
    again = _toy()
    put_on(again, changes)
    for name, value in taught.state_dict().items():
        assert torch.allclose(again.state_dict()[name], value, atol=0.01), name


def test_a_change_of_many_ranks_keeps_its_greatest() -> None:
    taught = _toy()
    before = {name: value.clone() for name, value in taught.state_dict().items()}
    with torch.no_grad():
        taught.state_dict()["transformer.0.weight"] += torch.randn(30, 40)
    change = taught.state_dict()["transformer.0.weight"] - before["transformer.0.weight"]
    left = []
    for rank in (1, 8, 20):
        changes = cut(before, taught.state_dict(), rank)
        kept = changes["transformer.0.weight.up"].float() @ changes["transformer.0.weight.down"].float()
        left.append(float((change - kept).norm()))
    assert left == sorted(left, reverse=True)


# The format of indexes by what the encoder in them was taught.
TAUGHT = {10: "3a133317"}


def test_what_is_taught_anew_raises_the_format_of_indexes() -> None:
    assert hashlib.sha256(ADAPTER.read_bytes()).hexdigest()[:8] == TAUGHT[FORMAT]


def test_the_file_is_small_and_holds_a_change_for_each_layer() -> None:
    changes = read_adapter(ADAPTER)
    assert ADAPTER.stat().st_size < 12_000_000
    layers = {name.split(".layer.")[1].split(".")[0] for name in changes if ".layer." in name}
    assert layers == set("012345")
    assert changes["head.0.weight"].shape == (WIDTH, 2 * WIDTH)


def test_what_is_said_is_told_from_what_is_not(encoder_files: Path) -> None:
    model = EntailmentModel.open(encoder_files)
    (said,) = model.judge([BRIDGE], "The bridge was opened in May 2021.")
    (denied,) = model.judge([BRIDGE], "The bridge never opened.")
    (unsaid,) = model.judge([BRIDGE], "Tea is grown in Assam.")
    assert said.entails > 0 > denied.entails
    assert denied.contradicts > max(said.contradicts, unsaid.contradicts)
    assert unsaid.entails < 0


def test_texts_of_any_length_are_read(encoder_files: Path) -> None:
    model = EntailmentModel.open(encoder_files)
    verdicts = model.judge([BRIDGE, BRIDGE * 300, ""], "The bridge was opened in May 2021. " * 200)
    assert len(verdicts) == 3
    assert model.judge([], "The bridge opened.") == []


def test_a_damaged_model_is_named(tmp_path: Path) -> None:
    (tmp_path / ENTAILMENT_FILE).write_bytes(b"not a model")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(IndexMismatch, match=r"damaged.*--rebuild"):
        EntailmentModel.open(tmp_path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_export_says_what_the_weights_say(encoder_files: Path) -> None:
    from tokenizers import Tokenizer  # noqa: PLC0415

    from rag.export import checked_weights, load_transformer  # noqa: PLC0415 -- torch, for seconds

    source = checked_weights()
    model = CrossEncoder(load_transformer(source), WIDTH)
    put_on(model, read_adapter(ADAPTER))
    encoding = Tokenizer.from_file(str(source / "tokenizer.json")).encode(BRIDGE, "The bridge cost a fortune.")
    ids, types, mask = (torch.tensor([row]) for row in (encoding.ids, encoding.type_ids, encoding.attention_mask))
    with torch.no_grad():
        theirs = torch.log_softmax(model.eval()(ids, mask, types)[0], dim=-1)
    (ours,) = EntailmentModel.open(encoder_files).judge([BRIDGE], "The bridge cost a fortune.")
    assert ours.entails == pytest.approx(float(theirs[0] - torch.logsumexp(theirs[1:], dim=0)), abs=0.2)
