"""`AdamS` refuses and accepts what torch's own optimizers do."""

from __future__ import annotations

import copy
import math
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from robustness.optimizers import AdamS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def one(value: float = 1.0, gradient: float | None = None, **options: Any) -> tuple[torch.nn.Parameter, AdamS]:
    """Return a parameter of two equal elements and its optimizer."""
    parameter = torch.nn.Parameter(torch.full((2,), value, dtype=torch.float64))
    if gradient is not None:
        parameter.grad = torch.full_like(parameter, gradient)
    return parameter, AdamS([parameter], **options)


INVALID: list[tuple[dict[str, Any], str]] = [
    ({"lr": -1e-3}, "Invalid learning rate: -0.001"),
    ({"lr": math.nan}, "Invalid learning rate: nan"),
    ({"lr": torch.ones(2)}, "Tensor lr must be 1-element"),
    ({"lr": torch.tensor(-1.0)}, "Invalid learning rate"),
    ({"betas": (1.0, 0.999)}, "Invalid beta parameter at index 0: 1.0"),
    ({"betas": (0.9, -0.1)}, "Invalid beta parameter at index 1: -0.1"),
    ({"eps": -1e-8}, "Invalid epsilon value: -1e-08"),
    ({"weight_decay": -1.0}, "Invalid weight_decay value: -1.0"),
    ({"weight_decay": math.nan}, "Invalid weight_decay value: nan"),
    ({"weight_decay": torch.ones(())}, "weight_decay must be a number"),
    ({"betas": (torch.tensor(0.9), 0.999)}, "betas must be numbers, not tensors"),
    ({"betas": (torch.tensor(0.9), torch.tensor(0.999))}, "betas must be numbers, not tensors"),
    ({"differentiable": True}, "no differentiable step: leave `differentiable` out"),
    ({"fused": True}, "no fused step: leave `fused` out"),
]


@pytest.mark.parametrize(("options", "message"), INVALID)
def test_invalid_options_are_refused(options: dict[str, Any], message: str) -> None:
    parameter = torch.nn.Parameter(torch.ones(2))
    with pytest.raises(ValueError, match=message):
        AdamS([parameter], **options)
    with pytest.raises(ValueError, match=message):
        AdamS([{"params": [parameter], **options}])
    optimizer = AdamS([torch.nn.Parameter(torch.ones(2))])
    with pytest.raises(ValueError, match=message):
        optimizer.add_param_group({"params": [parameter], **options})
    assert len(optimizer.param_groups) == 1


def test_options_that_are_refused_may_be_named_where_they_are_off() -> None:
    _, optimizer = one(differentiable=False, fused=False)
    assert not {"differentiable", "fused"} & set(optimizer.defaults)
    one(fused=None)


def test_complex_sparse_and_empty_are_refused() -> None:
    with pytest.raises(RuntimeError, match="complex"):
        AdamS([torch.nn.Parameter(torch.ones(2, dtype=torch.complex64))])
    with pytest.raises(ValueError, match="empty parameter list"):
        AdamS([])
    parameter = torch.nn.Parameter(torch.ones(2))
    parameter.grad = torch.ones(2).to_sparse()
    with pytest.raises(RuntimeError, match="sparse"):
        AdamS([parameter]).step()
    assert torch.equal(parameter.detach(), torch.ones(2))


def test_closure_runs_with_gradients_and_its_loss_is_returned() -> None:
    parameter, optimizer = one(lr=0.1, weight_decay=0)

    def closure() -> float:
        optimizer.zero_grad()
        loss = (parameter**2).sum()
        loss.backward()
        return float(loss.detach())

    assert optimizer.step(closure) == 2
    torch.testing.assert_close(parameter.detach(), torch.full((2,), 0.9, dtype=torch.float64))


def test_without_any_gradient_nothing_changes() -> None:
    parameter, optimizer = one()
    optimizer.step()
    assert not optimizer.state
    assert optimizer.root_mean_v.isnan()
    assert torch.equal(parameter.detach(), torch.ones(2, dtype=torch.float64))


def test_parameters_without_a_gradient_do_not_count_in_v_bar() -> None:
    parameter, optimizer = one(gradient=3.0)
    optimizer.add_param_group({"params": [torch.nn.Parameter(torch.ones(100))]})
    optimizer.step()
    assert float(optimizer.root_mean_v) == pytest.approx(3, rel=1e-12)
    assert list(optimizer.state) == [parameter]


def test_without_weight_decay_a_vanishing_gradient_changes_nothing() -> None:
    parameter, optimizer = one(gradient=0.0, weight_decay=0)
    optimizer.step()
    assert torch.equal(parameter.detach(), torch.ones(2, dtype=torch.float64))
    assert [float(decay) for decay in optimizer.effective_decay] == [0]


def test_a_diverging_decay_is_recorded_and_not_clamped() -> None:
    parameter, optimizer = one(gradient=1e-6, lr=1e-2, weight_decay=1.0, eps=1e-16)
    optimizer.step()
    assert float(optimizer.effective_decay[0]) == pytest.approx(1e6, rel=1e-9)
    torch.testing.assert_close(parameter.detach(), torch.full((2,), 1 - 1e4 - 1e-2, dtype=torch.float64))
    parameter, optimizer = one(gradient=0.0, weight_decay=1.0)
    optimizer.step()
    assert float(optimizer.effective_decay[0]) == math.inf
    assert not parameter.isfinite().any()


@pytest.mark.parametrize("foreach", [True, False])
@pytest.mark.parametrize("capturable", [False, True])
def test_dtypes_mix_and_v_bar_is_summed_in_the_widest(capturable: bool, foreach: bool) -> None:
    dtypes = [torch.bfloat16, torch.float32, torch.float64, torch.float16]
    parameters = [torch.nn.Parameter(torch.ones(1000, dtype=dtype)) for dtype in dtypes]
    for p in parameters:
        p.grad = torch.full_like(p, 0.5)
    mixed = AdamS(parameters, 0.1, weight_decay=0.1, eps=1e-6, foreach=foreach, capturable=capturable)
    mixed.step()
    assert mixed.root_mean_v.dtype == torch.float64
    assert float(mixed.root_mean_v) == pytest.approx(0.5, rel=1e-3)
    for p, dtype in zip(parameters, dtypes, strict=True):
        assert p.dtype == dtype
        # (1 - 0.1 * 0.1 / 0.5) - 0.1, up to the rounding of the parameter's own type.
        np.testing.assert_allclose(p.detach().double(), 0.88, rtol=max(2 * torch.finfo(dtype).eps, 1e-4))
    half = AdamS(parameters[:1], capturable=capturable)
    half.step()
    assert half.root_mean_v.dtype == torch.float32


@pytest.fixture
def lone_group(tmp_path: Path) -> Iterator[Any]:
    """A process group of this process alone."""
    meeting = f"file://{tmp_path}/meeting"
    torch.distributed.init_process_group("gloo", init_method=meeting, rank=0, world_size=1)
    yield torch.distributed.group.WORLD
    torch.distributed.destroy_process_group()


def test_a_process_group_is_no_option_of_the_state_and_is_not_lost_in_a_copy(lone_group: Any) -> None:
    parameter, optimizer = one(gradient=3.0, weight_decay=0.1, process_group=lone_group)
    optimizer.step()
    assert optimizer.root_mean_v.item() == pytest.approx(3, rel=1e-12)
    other, plain = one(gradient=3.0, weight_decay=0.1)
    plain.step()
    torch.testing.assert_close(parameter, other, rtol=1e-15, atol=0)
    assert optimizer.state_dict()["param_groups"] == plain.state_dict()["param_groups"]
    for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="process_group cannot be copied or pickled"):
            duplicate(optimizer)


def test_works_with_a_scheduler_and_trains() -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
    inputs = torch.randn(64, 4)
    targets = inputs[:, :1] * inputs[:, 1:2]
    optimizer = AdamS(model.parameters(), 2e-2, weight_decay=1e-5)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 100, 0.1)
    losses = []
    for _ in range(200):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(inputs), targets)
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.1 * losses[0]
