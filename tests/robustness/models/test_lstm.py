"""The language model: its size, its function written out, and the state it carries."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from robustness.models.lstm import LanguageModel


def language_model(**options: Any) -> LanguageModel:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return LanguageModel(11, 6, 6, **options).double()


def parameters(model: LanguageModel) -> int:
    return sum(p.numel() for p in model.parameters())


def test_parameter_counts() -> None:
    layer = 4 * (512 * 512 + 512 * 512 + 2 * 512)
    with torch.device("meta"):
        assert parameters(LanguageModel(10_000)) == 2 * 10_000 * 512 + 10_000 + 2 * layer == 14_452_496
        assert parameters(LanguageModel(10_000, tied=True)) == 10_000 * 512 + 10_000 + 2 * layer
    with pytest.raises(ValueError, match="got 6 and 5"):
        LanguageModel(11, 6, 5, tied=True)


@pytest.mark.parametrize("tied", [False, True])
def test_written_out(tied: bool) -> None:
    model = language_model(tied=tied, layers=1).eval()
    words = torch.tensor([[3, 1, 4], [1, 5, 9]])
    lstm: Any = model.lstm
    hidden = cell = torch.zeros(2, 6, dtype=torch.float64)
    logits = []
    for x in model.embedding.weight[words].unbind(1):
        gates = x @ lstm.weight_ih_l0.T + lstm.bias_ih_l0 + hidden @ lstm.weight_hh_l0.T + lstm.bias_hh_l0
        i, f, g, o = gates.chunk(4, 1)
        cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
        hidden = o.sigmoid() * cell.tanh()
        logits.append(hidden @ (model.embedding if tied else model.decoder).weight.T + model.decoder.bias)
    torch.testing.assert_close(model(words), torch.stack(logits, 1))
    assert not model.decoder.bias.any()
    for weight in (model.embedding.weight, model.decoder.weight):
        assert 0.08 < float(weight.detach().abs().max()) <= 0.1


def test_carries_its_state_until_reset() -> None:
    model = language_model().eval()
    words = torch.arange(20).reshape(2, 10) % 11
    whole = model(words)
    model.reset()
    chunks = [model(words[:, :4]), model(words[:, 4:])]
    torch.testing.assert_close(torch.cat(chunks, 1), whole)
    assert not torch.allclose(model(words), whole), "it still knows the text"
    model.reset()
    torch.testing.assert_close(model(words), whole)
    torch.testing.assert_close(model(words[:1]), whole[:1])
    names = {name.split(".")[0] for name in [*model.state_dict(), *dict(model.named_buffers())]}
    assert names == {"embedding", "lstm", "decoder"}, "the state is not stored"


def test_gradient_stays_in_its_chunk() -> None:
    model = language_model(dropout=0.0)
    model(torch.tensor([[1, 2, 3]]))
    model(torch.tensor([[4, 5]])).square().sum().backward()
    assert model.embedding.weight.grad is not None
    assert model.embedding.weight.grad.any(1).nonzero().flatten().tolist() == [4, 5]


def test_drops_after_embedding_and_every_layer() -> None:
    torch.manual_seed(0)
    model = LanguageModel(11, 64, 64, layers=2, dropout=0.25)
    inputs: list[Tensor] = []
    for module in (model.lstm, model.decoder):
        module.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
    model(torch.zeros(8, 20, dtype=torch.int64))
    assert [float((x == 0).double().mean()) for x in inputs] == pytest.approx([0.25, 0.25], abs=0.02)
    assert model.lstm.dropout == 0.25
