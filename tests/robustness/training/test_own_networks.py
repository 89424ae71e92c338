"""Networks as people bring them, in both engines, against the loop that one would write in torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.nn import functional

from robustness.optimizers import OPTIMIZERS
from robustness.study import Run
from robustness.training import train_single, train_stack
from robustness.training.moving import moving_parts
from robustness.training.network import NetworkError
from robustness.training.objective import ShapeError
from tests.support.own_networks import (
    TRAIN,
    Autoencoder,
    Column,
    Frozen,
    Gaps,
    Matrix,
    Mean,
    Pixels,
    Small,
    Texts,
    Turned,
    Unused,
    at,
    rest,
)
from tests.support.plain_loop import Plain, plain_loop

if TYPE_CHECKING:
    from robustness.training.history import History
    from robustness.workloads import Workload


def run_of(workload: Workload, optimizer: str = "adamw", weight_decay: float = 1e-3) -> Run:
    return Run(workload, OPTIMIZERS[optimizer](name=optimizer), lr=0.02, weight_decay=weight_decay, seed=3)


def both(run: Run) -> list[History]:
    second = Run(run.workload, run.optimizer, lr=0.001, weight_decay=run.weight_decay, seed=run.seed)
    return [train_stack([run, second], dtype=torch.float64), train_single(run, dtype=torch.float64)]


def agrees(run: Run, plain: Plain) -> None:
    """Hold both engines against the plain loop."""
    for history in both(run):
        row = history.rows({})[0]
        assert row["status"] == "completed"
        assert [row["test_loss"], row["weight_norm"]] == pytest.approx([plain.loss, plain.weight_norm], rel=1e-9)
        assert row["test_error"] == pytest.approx(plain.error, rel=1e-6)  # counted, and stored in single precision


def cross_entropy_loop(
    run: Run,
    call: Any = lambda model, inputs: model(inputs),
    logits: Any = lambda outputs: outputs,
    dtype: torch.dtype = torch.float64,
) -> Plain:
    workload = run.workload
    assert isinstance(workload, Small)
    x, y = workload.examples()

    def batch(split: str, indices: Any) -> tuple[Any, Any]:
        inputs, targets = rest(x, y) if split == "test" else (at(x, indices), at(y, indices))
        return (inputs.to(dtype) if isinstance(inputs, torch.Tensor) else inputs), targets

    return plain_loop(
        run,
        TRAIN,
        batch,
        call=call,
        loss=lambda outputs, targets: functional.cross_entropy(logits(outputs), targets),
        error=lambda outputs, targets: (logits(outputs).argmax(1) != targets)[targets != -100].double().mean(),
        dtype=dtype,
    )


@pytest.mark.parametrize("optimizer", ["adams", "adamw", "adam", "sgds"])
@pytest.mark.parametrize("kind", [Small, Frozen, Unused])
def test_what_needs_or_gets_no_gradient_is_left_alone(kind: type[Small], optimizer: str) -> None:
    run = run_of(kind(), optimizer)
    plain = cross_entropy_loop(run)
    agrees(run, plain)
    stack, single = (history.rows({})[0] for history in both(run))
    assert stack["parameters"] == sum(p.numel() for p in plain.model.parameters() if p.requires_grad)
    for column in ("parameters", "root_mean_v", "effective_decay", "grad_norm"):
        assert stack[column] == (None if single[column] is None else pytest.approx(single[column], rel=1e-7))


def test_root_mean_v_is_that_of_what_gets_a_gradient() -> None:
    run = run_of(Unused(), "adams")
    plain = cross_entropy_loop(run)
    seconds = [state["exp_avg_sq"] for state in plain.optimizer.state.values()]
    assert len(seconds) == 2, "the body's"
    mean = torch.cat([second.flatten() for second in seconds]).mean() / (1 - 0.999**6)  # of 2 epochs of 3 steps
    row = both(run)[0].rows({})[0]
    assert row["root_mean_v"] == pytest.approx(float(mean.sqrt()), rel=1e-9)
    assert row["effective_decay"] == pytest.approx(1e-3 / row["root_mean_v"], rel=1e-9)


def test_which_parts_move() -> None:
    workload = Unused()
    feed = workload.feed(0, "cpu", torch.float64)
    before = torch.random.get_rng_state()
    parts = moving_parts(workload, feed, 0, "cpu", torch.float64)
    assert parts.parameters == {"body.weight", "body.bias"}
    assert parts.assigned == {"calls"}
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_text_classifier() -> None:
    run = run_of(Texts())
    agrees(run, cross_entropy_loop(run, lambda model, inputs: model(**inputs), lambda outputs: outputs.logits))


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"precision": "bfloat16"}, {"compiled": True}])
def test_a_text_classifier_in_every_mode(options: dict[str, Any]) -> None:
    exact = [history.rows({})[0]["test_loss"] for history in both(run_of(Texts()))]
    run = run_of(Texts(**options))
    found = [history.rows({})[0]["test_loss"] for history in (train_stack([run]), train_single(run))]
    assert found == pytest.approx(exact, rel=0.02)


def test_a_class_for_each_pixel_but_some() -> None:
    run = run_of(Pixels())
    agrees(run, cross_entropy_loop(run))


def test_examples_without_a_class_are_in_no_mean() -> None:
    run = run_of(Gaps())
    agrees(run, cross_entropy_loop(run))


def test_an_autoencoder() -> None:
    run = run_of(Autoencoder())
    workload = run.workload
    assert isinstance(workload, Small)
    x, y = workload.examples()
    plain = plain_loop(
        run,
        TRAIN,
        lambda split, indices: rest(x, y) if split == "test" else (x[indices], y[indices]),
        loss=functional.mse_loss,
        error=lambda outputs, targets: ((outputs - targets).abs() > 0.5).double().mean(),
    )
    agrees(run, plain)


def test_a_loss_that_indexes_its_batch() -> None:
    run = run_of(Column())  # the cross-entropy of two classes, in other words
    agrees(run, cross_entropy_loop(run))


@pytest.mark.parametrize(
    ("kind", "shape"), [(Mean, r"\(\), the targets have \(16,\)"), (Matrix, r"\(16, 16\), the targets have \(16,\)")]
)
def test_a_loss_of_another_shape_trains_nothing(kind: type[Small], shape: str) -> None:
    run = run_of(kind())
    with pytest.raises(ShapeError, match=rf"losses\(\) gave the shape {shape}"):
        train_single(run)
    with pytest.raises(ShapeError, match=r"losses\(\) gave the shape"):
        train_stack([run])


def test_complex_weights_stay_so_and_are_refused_by_a_stack() -> None:
    run = run_of(Turned(), weight_decay=0.0)
    plain = cross_entropy_loop(run, dtype=torch.float32)
    assert train_single(run).rows({})[0]["test_loss"] == pytest.approx(plain.loss, rel=1e-5)
    with pytest.raises(NetworkError, match=r"'turn' is complex64, .*`engine: single`"):
        train_stack([run])
