"""The theorems' workloads against their closed forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from robustness.randomness import initial_model
from robustness.schedules import ConstantSchedule, StepSchedule
from robustness.study import Run, Study
from robustness.training import train_single, train_stack
from robustness.workloads import Theorem1, Theorem2
from tests.support.named import optimizer

EQ1, EQ2 = optimizer("sgd-eq1", momentum=0), optimizer("sgd", momentum=0)


def values(runs: list[Run]) -> dict[str, np.ndarray]:
    """Train as one stack and return each metric (runs, epochs), in the order of `runs`."""
    history = train_stack(runs, dtype=torch.float64)
    order = [history.runs.index(run) for run in runs]
    return {name: each[order] for name, each in history.values.items()}


def eigenvalues(workload: Theorem1) -> np.ndarray:
    return np.logspace(-np.log10(workload.condition), 0, workload.dimension)


def test_the_quadratic_is_the_formula() -> None:
    workload = Theorem1(dimension=7, condition=50)
    model = workload.model().double()
    weights = model.weights.detach().numpy()
    expected = (eigenvalues(workload) * (weights - 1) ** 2).sum() / 2
    outputs = model(torch.zeros(3, 1))
    assert outputs.shape == (3, 1)
    np.testing.assert_allclose(outputs.detach().numpy(), expected, rtol=1e-6)
    model.weights.data.zero_()
    assert float(model.value().detach()) == pytest.approx(workload.value_at_zero, rel=1e-6)


def test_the_sphere_is_the_formula() -> None:
    workload = Theorem2(dimension=5, stiffness=3)
    model = workload.model().double()
    expected = 1.5 * (np.linalg.norm(model.weights.detach().numpy()) - 1) ** 2
    assert float(model.value().detach()) == pytest.approx(expected)
    assert workload.value_at_zero == 1.5


@pytest.mark.parametrize("kind", [Theorem1, Theorem2])
def test_the_error_is_what_is_left_of_the_value_at_zero(kind: type[Theorem1 | Theorem2]) -> None:
    workload = kind()
    outputs = workload.value_at_zero * torch.tensor([[0.0], [0.25], [1.0], [9.0]])
    assert workload.errors(outputs, torch.zeros(4)).tolist() == pytest.approx([0, 0.25, 1, 1])
    assert workload.chance_error == 100
    assert not workload.has_validation


@pytest.mark.parametrize("kind", [Theorem1, Theorem2])
def test_the_seed_draws_the_start(kind: type[Theorem1 | Theorem2]) -> None:
    first, again, other = (initial_model(kind(), seed).get_parameter("weights") for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("batch_size", [2, 5])
def test_every_step_is_one_of_gradient_descent(batch_size: int) -> None:
    workload = Theorem1(steps=17, batch_size=batch_size, epochs=3, dimension=6, schedule=ConstantSchedule())
    lr, decay = 0.3, 0.02
    history = train_stack([Run(workload, EQ2, lr, decay, 0)], dtype=torch.float64)
    assert history.steps_per_epoch == 17
    weights, curvature = (
        initial_model(workload, 0).get_parameter("weights").detach().double().numpy(),
        eigenvalues(workload),
    )
    for _ in range(51):
        weights = weights - lr * (curvature * (weights - 1) + decay * weights)
    assert history.values["weight_norm"][0, -1] == pytest.approx(np.linalg.norm(weights), rel=1e-6)
    left = (curvature * (weights - 1) ** 2).sum() / curvature.sum()
    assert history.values["test_error"][0, -1] == pytest.approx(100 * left, rel=1e-5)


DECAYS = (0.01, 0.1, 0.5)


def by_decay(workload: Any, lr: float) -> dict[str, dict[str, np.ndarray]]:
    """Train both forms of SGD at each of `DECAYS` as one stack; give each metric as {optimizer: (decays, epochs)}."""
    runs = [Run(workload, optimizer, lr, decay, 0) for optimizer in (EQ2, EQ1) for decay in DECAYS]
    return {name: {EQ2.name: each[:3], EQ1.name: each[3:]} for name, each in values(runs).items()}


@pytest.mark.slow
def test_theorem_1_the_gradient_that_a_new_rate_finds_at_the_old_ones_stationary_point() -> None:
    """An epoch is a step; the first step at the new rate moves by that rate times the gradient of the theorem."""
    lr, gamma = 0.5, 0.1
    workload = Theorem1(steps=1, epochs=601, schedule=StepSchedule(milestones=(600 / 601,), gamma=gamma))
    found = by_decay(workload, lr)
    moved, norm = found["update_norm"], found["weight_norm"]
    assert (moved["sgd-eq1"][:, -2] < 1e-12).all(), "the point is stationary at the old rate"
    native = np.array([EQ1.native_weight_decay(decay) for decay in DECAYS])
    expected = native * abs(1 / (gamma * lr) - 1 / lr) * norm["sgd-eq1"][:, -2]
    np.testing.assert_allclose(moved["sgd-eq1"][:, -1] / (gamma * lr), expected, rtol=1e-9)
    assert (moved["sgd"][:, -1] < 1e-12).all(), "Eq. 2 stays where it is"


@pytest.mark.slow
def test_theorem_1_the_gradient_norm_at_the_end() -> None:
    """Stationary weights: A(w - 1) = -(d / r) w by Eq. 1, with r the last rate, and -decay w by Eq. 2."""
    lr = 0.5
    workload = Theorem1(condition=2, epochs=12, schedule=StepSchedule(milestones=(0.2,), gamma=0.1))
    found = by_decay(workload, lr)
    strengths = {"sgd-eq1": [EQ1.native_weight_decay(each) / (0.1 * lr) for each in DECAYS], "sgd": DECAYS}
    for name, each in strengths.items():
        curvature, strength = eigenvalues(workload), np.array(each)[:, None]
        norm = np.linalg.norm(curvature / (curvature + strength), axis=1)
        np.testing.assert_allclose(found["weight_norm"][name][:, -1], norm, rtol=1e-5)
        np.testing.assert_allclose(found["grad_norm"][name][:, -1], strength[:, 0] * norm, rtol=1e-5)


@pytest.mark.slow
def test_theorem_1_eq_1_leaves_a_larger_gradient_with_the_default_options() -> None:
    optimizers, rates = [optimizer("sgd-eq1"), optimizer("sgd")], (0.05, 0.1, 0.5)
    found = values([Run(Theorem1(), each, lr, 0.1, 0) for each in optimizers for lr in rates])
    eq1, eq2 = found["grad_norm"][:, -1].reshape(2, 3)
    assert (eq1 > 1.5 * eq2).all()


@pytest.mark.slow
def test_theorem_2_the_gradient_norm_grows_with_the_decay_at_a_weight_norm_that_hardly_changes() -> None:
    workload, decays = Theorem2(), np.array([0, 1e-4, 1e-3, 1e-2, 0.1, 0.5])
    found = values([Run(workload, EQ2, 0.05, decay, 3) for decay in decays])
    k = workload.stiffness
    np.testing.assert_allclose(found["weight_norm"][:, -1], k / (k + decays), rtol=1e-9)
    np.testing.assert_allclose(found["grad_norm"][:, -1], decays * k / (k + decays), rtol=1e-6, atol=1e-9)
    assert found["weight_norm"][:, -1].min() > 0.95


@pytest.mark.slow
@pytest.mark.parametrize("name", ["theorem-1", "theorem-2"])
def test_both_engines_train_it_alike_and_its_rows_are_completed(name: str) -> None:
    runs = Study(
        name="x",
        workload={"name": name, "epochs": 3},
        optimizers=["sgd", "sgd-eq1", "adams"],
        space={"lr": [0.05], "weight_decay": [1e-2]},
        seeds=[1],
    ).grid()
    stack = train_stack(runs, dtype=torch.float64)
    rows = {row["run_id"]: row for row in stack.rows({})}
    for run in runs:
        alone = train_single(run, dtype=torch.float64).rows({})[0]
        row = rows[run.run_id]
        assert row["status"] == "completed"
        for column in ("test_error", "grad_norm", "weight_norm"):
            assert row[column] == pytest.approx(alone[column], rel=1e-6, abs=1e-12)


def test_a_rate_beyond_stability_is_a_diverged_run() -> None:
    row = train_stack([Run(Theorem1(), EQ2, 10.0, 0.0, 0)]).rows({})[0]
    assert (row["status"], row["test_error"], row["baseline"]) == ("diverged", None, 100)
