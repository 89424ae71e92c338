"""The Hessian on request, gradient clipping and dropout: the same in both engines, and no part of old identities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from robustness.randomness import initial_model
from robustness.study import Run, Study
from robustness.training import train, train_single, train_stack
from robustness.workloads import Digits
from robustness.workloads.digits import _DigitsData

if TYPE_CHECKING:
    from robustness.workloads.base import Workload

ASKED = {"top": 3, "trace": 8, "examples": 90, "every": 2}


def runs_of(workload: Workload, lrs: tuple[float, ...] = (0.03, 0.1)) -> list[Run]:
    study = Study(
        name="s", workload=workload, optimizers=["adams", "sgd"], space={"lr": lrs, "weight_decay": [0, 1e-3]}, seeds=1
    )
    return study.grid()


@pytest.mark.slow
def test_the_hessian_of_a_stack_is_that_of_single_runs() -> None:
    workload = Digits(epochs=3, train_size=200, width=6, hessian=ASKED)
    runs = runs_of(workload)
    stack = train_stack(runs, dtype=torch.float64)
    rows = {row["run_id"]: row for row in stack.rows({})}
    for run in runs:
        (alone,) = train_single(run, dtype=torch.float64).rows({})
        row = rows[run.run_id]
        assert row["hessian_top"] == pytest.approx(alone["hessian_top"], rel=1e-6)
        assert row["hessian_trace"] == pytest.approx(alone["hessian_trace"], rel=1e-6)
        assert row["hessian_eigenvalues"] == pytest.approx(alone["hessian_eigenvalues"], rel=1e-6)
        assert row["hessian_eigenvalues"][0] == row["hessian_top"]
        assert len(row["hessian_eigenvalues"]) == 3
    measured = np.isfinite(stack.values["hessian_top"])
    assert measured.tolist() == [[False, True, True]] * len(runs), "after epoch 2, and at the end"


def test_it_is_the_hessian_of_the_evaluated_network_on_training_examples() -> None:
    workload = Digits(epochs=1, train_size=60, width=3, hessian={"top": 2, "examples": 1000})
    (run, *_) = runs_of(workload)
    (row,) = train_single(run, dtype=torch.float64).rows({})

    model = initial_model(workload, run.seed).double()
    data = workload.data(run.seed).to("cpu", torch.float64)
    trained = _trained_again(run, model)
    names = [name for name, _ in trained.named_parameters()]
    sizes = [p.numel() for p in trained.parameters()]

    def loss(flat: torch.Tensor) -> torch.Tensor:
        parts = zip(names, flat.split(sizes), trained.parameters(), strict=True)
        named = {name: part.view(p.shape) for name, part, p in parts}
        outputs = torch.func.functional_call(trained, named, (data.train_inputs,))
        return functional.cross_entropy(outputs, data.train_targets)

    flat = torch.cat([p.detach().flatten() for p in trained.parameters()])
    exact = np.linalg.eigvalsh(torch.autograd.functional.hessian(loss, flat).numpy())
    assert row["hessian_eigenvalues"] == pytest.approx(exact[::-1][:2], rel=1e-4)


def _trained_again(run: Run, model: nn.Module) -> nn.Module:
    """Return the network as an independent loop trains it for one epoch, ready to be evaluated."""
    from robustness.randomness import data_order

    data = run.workload.data(run.seed).to("cpu", torch.float64)
    optimizer = run.optimizer.torch_optimizer(model.parameters(), run.lr, run.weight_decay_native)
    model.train()
    for batch in next(data_order(len(data.train_targets), run.workload.batch_size, run.seed)):
        optimizer.zero_grad()
        functional.cross_entropy(model(data.train_inputs[batch]), data.train_targets[batch]).backward()
        optimizer.step()
    return model.eval()


@pytest.mark.slow
def test_measuring_changes_nothing_but_its_columns() -> None:
    plain = Digits(epochs=3, train_size=150, width=6)
    asked = plain.model_copy(update={"hessian": Digits(hessian=ASKED).hessian})
    for a, b in zip(train_stack(runs_of(plain)).rows({}), train_stack(runs_of(asked)).rows({}), strict=True):
        differing = {key for key in a if a[key] != b[key]}
        assert differing == {
            "run_id", "cell_id", "workload_options", "hessian_top", "hessian_trace", "hessian_eigenvalues"
        }  # fmt: skip
        assert a["hessian_top"] is None


def test_the_hessian_of_a_lone_run_is_measured_once() -> None:
    """A lone run is trained beside its own copy, whose Hessian is the same."""
    losses: list[torch.Tensor] = []

    class Counted(Digits):
        def losses(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
            losses.append(outputs)
            return super().losses(outputs, targets)

    def trained(count: int, **options: Any) -> tuple[int, dict[str, float]]:
        losses.clear()
        (history,) = train(runs_of(Counted(epochs=1, train_size=60, width=3, **options))[:count], device="cpu")
        return len(losses), {row["run_id"]: row["hessian_trace"] for row in history.rows({})}

    probes = 5
    measured: dict[int, dict[str, float]] = {}
    for count in (2, 1):
        without, _ = trained(count)
        calls, measured[count] = trained(count, hessian={"top": 0, "trace": probes, "examples": 40})
        assert calls - without == probes * count
    assert measured[1].items() <= measured[2].items()


def test_what_came_later_is_no_part_of_a_run_at_its_default() -> None:
    (old, *_), (same, *_) = runs_of(Digits()), runs_of(Digits(clip=None, hessian=None, label="mine"))
    assert old.run_id == same.run_id
    for changed in (Digits(clip=1.0), Digits(hessian={"top": 1})):
        assert runs_of(changed)[0].run_id != old.run_id
    warm = Digits(schedule={"kind": "step", "warmup": 2})
    assert runs_of(warm)[0].run_id != old.run_id
    assert runs_of(Digits(schedule={"kind": "step", "warmup": 0}))[0].run_id == old.run_id


def test_clipping_bounds_the_step_and_not_the_recorded_norm() -> None:
    free, clipped = Digits(epochs=2, train_size=150, width=6), Digits(epochs=2, train_size=150, width=6, clip=0.05)
    runs = [run for run in runs_of(clipped, lrs=(0.1,)) if run.optimizer.name == "sgd" and not run.weight_decay]
    stack = train_stack(runs, dtype=torch.float64)
    single = train_single(runs[0], dtype=torch.float64)
    for name in ("train_loss", "grad_norm", "update_norm"):
        np.testing.assert_allclose(stack.values[name], single.values[name], rtol=1e-9)
    # With momentum 0.9 a step of norm 0.05 adds up to at most 10 times as much.
    steps = 3
    assert (single.values["update_norm"] <= 0.1 * 0.05 * 10 * steps + 1e-12).all()
    assert (single.values["grad_norm"] > 0.05).all(), "the norm is that before clipping"
    unclipped = [run for run in runs_of(free, lrs=(0.1,)) if run.optimizer.name == "sgd" and not run.weight_decay]
    assert train_single(unclipped[0]).values["update_norm"][0, 0] > single.values["update_norm"][0, 0]


class WithDropout(_DigitsData):
    name: Literal["with-dropout"] = "with-dropout"

    def model(self) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 10))


def test_dropout_draws_from_a_stream_of_the_seed_alone() -> None:
    workload = WithDropout(epochs=2, train_size=120)
    run = runs_of(workload)[0]
    before = torch.random.get_rng_state()
    first = train_single(run).rows({})
    assert torch.equal(before, torch.random.get_rng_state())
    torch.manual_seed(1234)
    torch.rand(10)
    assert train_single(run).rows({}) == first
    together = {row["run_id"]: row for row in train_stack(runs_of(workload)).rows({})}
    (alone,) = train_stack([run]).rows({})
    assert together[run.run_id] == alone, "one mask for all runs of a seed"
