"""Training: the stack against plain autograd, and against itself in other stacks, to the bit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from robustness.randomness import data_order, initial_model
from robustness.results.tables.columns import AT_END
from robustness.study import Run, Study
from robustness.training import train, train_single, train_stack
from robustness.training.history import METRICS, History
from tests.support.named import workload as workload_of

CHANCE = 90.0


def study(workload: str = "digits", **options: Any) -> Study:
    return Study(
        name="t",
        workload={"name": workload, "epochs": 3, **options},
        optimizers=["adams", "adamw", "adam"],
        space={"lr": [1e-4, 1e-3, 1e-2, 0.1, 1.0], "weight_decay": [0, 1e-4, 1e-2, 10.0]},
        seeds=2,
    )


def of_seed(runs: list[Run], seed: int) -> list[Run]:
    return [run for run in runs if run.seed == seed]


def rows(runs: list[Run]) -> dict[str, dict[str, Any]]:
    return {row["run_id"]: row for row in train_stack(runs).rows({})}


@pytest.fixture(scope="module", params=["digits", "digits-cnn"])
def whole(request: pytest.FixtureRequest) -> tuple[list[Run], dict[str, dict[str, Any]]]:
    runs = of_seed(study(request.param, epochs=2, train_size=300).grid(), 0)
    return runs, rows(runs)


def test_a_whole_stack_has_completed_and_diverged_runs(whole: tuple[list[Run], dict[str, dict[str, Any]]]) -> None:
    runs, table = whole
    statuses = [table[run.run_id]["status"] for run in runs]
    assert len(runs) == 60
    assert statuses.count("completed") > 30
    assert statuses.count("diverged") > 1


@pytest.mark.parametrize("place", [0, 17, 59])
def test_a_run_alone_is_the_same_to_the_bit(whole: tuple[list[Run], dict[str, dict[str, Any]]], place: int) -> None:
    runs, table = whole
    assert rows([runs[place]]) == {runs[place].run_id: table[runs[place].run_id]}


@pytest.mark.slow
@pytest.mark.parametrize(("start", "size"), [(0, 7), (31, 7), (53, 7), (0, 2), (10, 33)])
def test_a_run_is_the_same_to_the_bit_in_any_stack(
    whole: tuple[list[Run], dict[str, dict[str, Any]]], start: int, size: int
) -> None:
    runs, table = whole
    part = runs[start : start + size]
    assert rows(part) == {run.run_id: table[run.run_id] for run in part}


@pytest.mark.slow
def test_a_run_is_the_same_to_the_bit_at_any_place(whole: tuple[list[Run], dict[str, dict[str, Any]]]) -> None:
    runs, table = whole
    shuffled = [runs[i] for i in np.random.default_rng(0).permutation(len(runs))]
    assert rows(shuffled) == table


def test_a_run_is_the_same_to_the_bit_in_a_stack_of_100() -> None:
    runs = of_seed(
        Study(
            name="t",
            workload={"name": "digits", "epochs": 2},
            optimizers=["adams", "adamw", "adam"],
            space={
                "lr": {"low": 1e-4, "high": 1, "points": 6},
                "weight_decay": {"low": 1e-5, "high": 1, "points": 6},
            },
            seeds=1,
        ).grid(),
        0,
    )[:100]
    table = rows(runs)
    for run in (runs[0], runs[49], runs[99]):
        assert rows([run]) == {run.run_id: table[run.run_id]}


def test_a_neighbor_that_becomes_nan_changes_nothing(whole: tuple[list[Run], dict[str, dict[str, Any]]]) -> None:
    runs, table = whole
    nan = [run for run in runs if "finite" in (table[run.run_id]["reason"] or "")]
    sound = [run for run in runs if table[run.run_id]["status"] == "completed"]
    assert nan, "some cell of this box must overflow"
    part = [sound[3], nan[0], sound[8], nan[-1]]
    assert rows(part) == {run.run_id: table[run.run_id] for run in part}


@pytest.mark.slow
def test_curves_are_the_same_to_the_bit_too(whole: tuple[list[Run], dict[str, dict[str, Any]]]) -> None:
    runs, _ = whole

    def curve(history: History, run_id: str) -> dict[str, list[Any]]:
        columns = history.curves()
        keep = [i for i, other in enumerate(columns["run_id"]) if other == run_id]
        return {name: [values[i] for i in keep] for name, values in columns.items()}

    full, alone = train_stack(runs), train_stack([runs[21]])
    assert curve(alone, runs[21].run_id) == curve(full, runs[21].run_id)


@pytest.mark.slow
@pytest.mark.parametrize("workload", ["digits", "digits-cnn"])
@pytest.mark.parametrize("options", [{}, {"label_noise": 0.2, "validation_size": 0, "schedule": {"kind": "constant"}}])
def test_stack_and_single_agree_to_rounding_in_double_precision(workload: str, options: dict[str, Any]) -> None:
    runs = [r for r in of_seed(study(workload, train_size=200, **options).grid(), 1) if 1e-3 <= r.lr <= 1e-2]
    runs = [r for r in runs if r.weight_decay <= 1e-2]
    stack = train_stack(runs, dtype=torch.float64)
    for place, run in enumerate(stack.runs):
        single = train_single(run, dtype=torch.float64)
        assert single.epochs[0] == stack.epochs[place] == 3
        for name in METRICS:
            np.testing.assert_allclose(
                stack.values[name][place],
                single.values[name][0],
                rtol=1e-7,
                atol=1e-9,
                err_msg=f"{name} of {run}",
            )


def test_the_single_engine_is_chosen_by_the_workload() -> None:
    runs = study(epochs=1, engine="single", train_size=100).grid()[:2]
    histories = train(runs, device="cpu")
    assert [len(history.runs) for history in histories] == [1, 1]
    assert {row["engine"] for history in histories for row in history.rows({})} == {"single"}


def test_metrics_of_an_epoch_against_plain_torch_in_double_precision() -> None:
    run = next(r for r in study(epochs=1).grid() if r.lr == 1e-2 and r.weight_decay == 1e-2 and r.seed == 1)
    data, model = run.workload.data(1).to("cpu", torch.float64), initial_model(run.workload, 1).double()
    start = [p.detach().clone() for p in model.parameters()]
    optimizer: Any = run.optimizer.torch_optimizer(model.parameters(), run.lr, run.weight_decay_native)
    losses, wrong, norms = [], 0, []
    for batch in next(data_order(896, 64, 1)):
        outputs = model(data.train_inputs[batch])
        loss = functional.cross_entropy(outputs, data.train_targets[batch], reduction="sum")
        optimizer.zero_grad()
        (loss / len(batch)).backward()
        norms.append(math.sqrt(sum(float(p.grad.square().sum()) for p in model.parameters() if p.grad is not None)))
        losses.append(float(loss.detach()))
        wrong += int((outputs.argmax(1) != data.train_targets[batch]).sum())
        optimizer.step()
    model.eval()
    outputs = model(data.test_inputs).detach()
    expected = {
        "train_loss": sum(losses) / 896,
        "train_error": 100 * wrong / 896,
        "test_error": 100 * float((outputs.argmax(1) != data.test_targets).double().mean()),
        "test_loss": float(functional.cross_entropy(outputs, data.test_targets)),
        "grad_norm": float(np.mean(norms)),
        "grad_norm_sq": float(np.mean(np.square(norms))),
        "weight_norm": math.sqrt(sum(float(p.detach().square().sum()) for p in model.parameters())),
        "root_mean_v": float(optimizer.root_mean_v),
        "effective_decay": 1e-2 / float(optimizer.root_mean_v),
    }
    history = train_stack([run], dtype=torch.float64)
    row = history.rows({})[0]
    assert {name: row[name] for name in expected} == pytest.approx(expected, rel=1e-7)
    moved = [float((p.detach() - q).square().sum()) for p, q in zip(model.parameters(), start, strict=True)]
    assert history.values["update_norm"][0, 0] == pytest.approx(math.sqrt(sum(moved)), rel=1e-7)
    assert row["parameters"] == sum(p.numel() for p in model.parameters())
    assert row["steps"] == len(norms) == 14


@pytest.mark.slow
def test_it_learns() -> None:
    run = next(
        r
        for r in study(epochs=20).grid()
        if r.lr == 1e-2 and r.weight_decay == 1e-4 and r.optimizer.name == "adams" and r.seed == 0
    )
    row = rows([run])[run.run_id]
    assert row["status"] == "completed"
    assert row["test_error"] < 6


def test_divergence_is_a_loss_that_is_not_finite_and_leaves_null_what_nobody_measured(
    whole: tuple[list[Run], dict[str, dict[str, Any]]],
) -> None:
    runs, _ = whole
    history = train_stack(runs)
    curves = history.curves()
    diverged = [row for row in history.rows({}) if row["status"] == "diverged"]
    for row in diverged:
        assert "finite" in row["reason"]
        assert row["baseline"] == CHANCE
        assert {row.get(name) for name in (*AT_END, "hessian_eigenvalues")} == {None}
        mine = [i for i, run_id in enumerate(curves["run_id"]) if run_id == row["run_id"]]
        assert len(mine) == row["epochs"]
        best = min((curves["test_error"][i] for i in mine), default=None)
        assert row["best_test_error"] == best, "of the epochs that ended"
    finite = [value for name in ("train_loss", "test_loss") for value in curves[name]]
    assert np.isfinite(finite).all()


def test_a_slow_learner_has_not_diverged_and_keeps_its_numbers() -> None:
    run = next(r for r in study(epochs=2).grid() if r.lr == 1e-4 and r.weight_decay == 0)
    history = train_stack([run])
    history.values["test_error"][0] = [CHANCE - 1, CHANCE + 2]
    history.values["test_loss"][0] = [2.4, 2.3]
    (row,) = history.rows({})
    assert (row["status"], row["reason"]) == ("completed", None)
    assert (row["test_error"], row["test_loss"], row["baseline"]) == (CHANCE + 2, 2.3, CHANCE)
    assert row["best_test_error"] == CHANCE - 1


def test_best_epoch_is_chosen_on_validation_or_on_test_without_it() -> None:
    run = study(epochs=3, train_size=100).grid()[4]
    history = train_stack([run])
    history.values["validation_error"][0] = [30, 10, 20]
    history.values["test_error"][0] = [12, 40, 50]
    row = history.rows({})[0]
    assert (row["best_epoch"], row["best_validation_error"], row["test_error_at_best"]) == (2, 10, 40)
    assert (row["best_test_error"], row["test_error"]) == (12, 50)
    history.values["validation_error"][:] = np.nan
    row = history.rows({})[0]
    assert (row["best_epoch"], row["best_validation_error"], row["test_error_at_best"]) == (1, None, 12)


def test_the_runs_of_a_stack_share_seed_and_workload() -> None:
    first, second = study().grid()[0], study().grid()[1]
    assert first.seed != second.seed
    with pytest.raises(ValueError, match="one seed"):
        train_stack([first, second])


def test_a_process_warms_up_once_for_each_workload() -> None:
    from robustness.training import warm_up

    warm_up.cache_clear()
    workload = workload_of("digits", engine="single")
    for _ in range(2):
        warm_up(workload)
    assert warm_up.cache_info()[:2] == (1, 1)
    warm_up(workload_of("digits", engine="single", epochs=3))
    assert warm_up.cache_info().misses == 2
