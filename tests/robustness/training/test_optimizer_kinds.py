"""Optimizers with modes, closures, schedules and states of their own are trained as a loop in plain torch has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from robustness.dry_run.pieces import tried
from robustness.optimizers.behavior.closures import way_of
from robustness.optimizers.imported import TorchOptimizer
from robustness.parameters.keywords import Keywords
from robustness.randomness import data_order, initial_model
from robustness.study import Run, Study
from robustness.training import Suspended, train_single, train_stack
from robustness.training.checkpoint import from_bytes, to_bytes
from robustness.training.optimizer_state import resume, state_of
from robustness.workloads import Digits
from tests.support import own_optimizers as own

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor, nn

OWN = "tests.support.own_optimizers"
EPOCHS = 3
WORKLOAD = Digits(engine="single", epochs=EPOCHS, train_size=64, width=4, batch_size=16)


def named(name: str, convention: Any = "l2", **options: Any) -> TorchOptimizer:
    return TorchOptimizer(name=name, convention=convention, options=Keywords(options))


def run_of(name: str, lr: float = 0.05, decay: float = 0.0, **options: Any) -> Run:
    return Run(WORKLOAD, named(name, **options), lr, decay, 0)


def plain(
    run: Run, epoch: Callable[[torch.optim.Optimizer, nn.Module, Iterator[Callable[[], Tensor]]], None]
) -> list[float]:
    """Return the test loss after each epoch of a loop that one would write; `epoch` is told each batch's closure."""
    data = WORKLOAD.data(run.seed)
    x, y = data.train_inputs.double(), data.train_targets
    model = initial_model(WORKLOAD, run.seed).double()
    optimizer = run.optimizer.torch_optimizer(list(model.parameters()), run.lr, run.weight_decay_native)
    order, losses = data_order(len(x), WORKLOAD.batch_size, run.seed), []

    def closures() -> Iterator[Callable[[], Tensor]]:
        for indices in next(order):

            def closure(indices: Any = indices) -> Tensor:
                optimizer.zero_grad()
                loss = torch.nn.functional.cross_entropy(model(x[indices]), y[indices])
                loss.backward()
                return loss

            yield closure

    for number in range(EPOCHS):
        for group in optimizer.param_groups:
            group["lr"] = run.lr * WORKLOAD.schedule.factor(number, EPOCHS)
        model.train()
        epoch(optimizer, model, closures())
        model.eval()
        with torch.no_grad():
            found = torch.nn.functional.cross_entropy(model(data.test_inputs.double()), data.test_targets)
        losses.append(float(found))
    return losses


def trained(run: Run) -> list[float]:
    history = train_single(run, dtype=torch.float64)
    return [float(each) for each in history.values["test_loss"][0]]


def test_one_with_modes_is_evaluated_where_it_stands_for() -> None:
    def epoch(optimizer: Any, _model: Any, closures: Any) -> None:
        optimizer.train()
        for closure in closures:
            closure()
            optimizer.step()
        optimizer.eval()

    run = run_of(f"{OWN}:Averaged", decay=0.01)
    assert trained(run) == pytest.approx(plain(run, epoch), rel=1e-6)


def test_it_is_told_its_modes_once_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def noted(name: str) -> Callable[[own.Averaged], None]:
        usual = getattr(own.Averaged, name)

        def told(self: own.Averaged) -> None:
            calls.append(name)
            usual(self)

        return told

    for name in ("train", "eval"):
        monkeypatch.setattr(own.Averaged, name, noted(name))
    train_single(run_of(f"{OWN}:Averaged"))
    assert calls == ["train", "eval"] * EPOCHS


def test_schedule_free_is_scored_at_its_average() -> None:
    """The same package, in the loop of its documentation."""

    def epoch(optimizer: Any, _model: Any, closures: Any) -> None:
        optimizer.train()
        for closure in closures:
            closure()
            optimizer.step()
        optimizer.eval()

    run = run_of("pytorch_optimizer:ScheduleFreeAdamW", 0.01, 0.001)
    assert trained(run) == pytest.approx(plain(run, epoch), rel=1e-6)


@pytest.mark.parametrize("name", ["torch.optim:LBFGS", "pytorch_optimizer:LBFGS"])
def test_lbfgs_has_its_closure(name: str) -> None:
    def epoch(optimizer: Any, _model: Any, closures: Any) -> None:
        for closure in closures:
            optimizer.step(closure)

    run = run_of(name, 0.1, max_iter=5)
    assert way_of(run.optimizer) == "closure"
    assert trained(run) == pytest.approx(plain(run, epoch), rel=1e-6)


def test_a_sharpness_aware_step_has_both_gradients() -> None:
    def epoch(optimizer: Any, _model: Any, closures: Any) -> None:
        for closure in closures:
            closure()
            optimizer.step(torch.enable_grad()(closure))

    run = run_of(f"{OWN}:Sharp", decay=0.01)
    assert way_of(run.optimizer) == "gradient and closure"
    assert trained(run) == pytest.approx(plain(run, epoch), rel=1e-6)


def test_a_step_that_is_measured_begins_where_the_last_one_ended() -> None:
    """The training loss of a step with two gradients is that of the first."""
    once, twice = (
        train_single(run_of(name, 1e-12)).values["train_loss"][0] for name in ("torch.optim:SGD", f"{OWN}:Sharp")
    )
    np.testing.assert_allclose(once, twice, rtol=1e-5)


def test_others_are_stepped_without(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("torch.optim:SGD", f"{OWN}:Averaged", f"{OWN}:Queued"):
        assert way_of(named(name)) == "gradient"


@pytest.mark.parametrize("name", ["Averaged", "Queued"])
def test_what_it_carries_is_set_down_with_it(name: str) -> None:
    """A queue, an array, a generator, and switches that are attributes of its own."""

    class Halted:
        def __init__(self) -> None:
            self.saved = b""

        def load(self, _runs: Any) -> Any:
            return from_bytes(self.saved) if self.saved else None

        def refuse(self, why: str) -> None:
            raise AssertionError(why)

        def ended(self, epoch: int, _epochs: int, state: Callable[[], Any]) -> None:
            if epoch == 2 and not self.saved:
                self.saved = to_bytes(state())
                raise Suspended

    run, keeper = run_of(f"{OWN}:{name}", decay=0.01), Halted()
    whole = train_single(run).values["test_loss"]
    with pytest.raises(Suspended):
        train_single(run, keeper=keeper)
    np.testing.assert_array_equal(train_single(run, keeper=keeper).values["test_loss"], whole)


def test_a_state_of_many_kinds_comes_back_as_it_was() -> None:
    weight = torch.zeros(2, requires_grad=True)
    one, other = own.Queued([weight]), own.Queued([weight])
    weight.grad = torch.ones(2)
    for _ in range(4):
        one.step()
    resume(other, from_bytes(to_bytes(state_of(one) | dict.fromkeys(("epoch", "history", "engine", "feed", "random")))))
    state = other.state[weight]
    assert (state["last"].maxlen, len(state["last"]), other.sign) == (3, 3, one.sign)
    np.testing.assert_array_equal(state["steps"], [4, 4])
    assert torch.equal(other.generator.get_state(), one.generator.get_state())


def test_what_has_no_form_as_bytes_is_not_kept_and_that_is_said() -> None:
    with pytest.raises(ValueError, match="a state that cannot be kept"):
        to_bytes({"engine": lambda: None})


def test_what_would_not_go_on_is_not_set_down() -> None:
    study = Study(
        name="one", workload=WORKLOAD, optimizers=[f"{OWN}:Secretive"], space={"lr": [0.05], "weight_decay": [0.01]}
    )
    (finding,) = tried(study)
    assert (finding.fatal, finding.resumes) == (False, False)
    assert "that is set down does not go on as one that is not" in finding.text


def entry(label: str, **schedule: Any) -> dict[str, Any]:
    return {"name": "adamw", "label": label, **({"schedule": schedule} if schedule else {})}


@pytest.fixture
def scheduled() -> Study:
    """AdamW on the workload's schedule and on two of its own."""
    entries = [entry("as all"), entry("constant", kind="constant"), entry("warm", kind="cosine", warmup=1)]
    workload = Digits(epochs=4, train_size=64, width=4, batch_size=16)
    return Study(name="s", workload=workload, optimizers=entries, space={"lr": [0.01], "weight_decay": [1e-3]}, seeds=1)


def test_an_own_schedule_is_that_of_a_workload_with_it(scheduled: Study) -> None:
    """In one stack, and in the engine of one run."""
    runs = scheduled.grid()
    together = train_stack(runs, dtype=torch.float64)
    by_id = dict(zip([run.run_id for run in together.runs], together.values["test_loss"], strict=True))
    rates = dict(zip([run.run_id for run in together.runs], together.values["lr"], strict=True))
    for run in runs:
        schedule = run.optimizer.schedule or run.workload.schedule
        usual = run.optimizer.model_copy(update={"schedule": None})
        alone = Run(run.workload.model_copy(update={"schedule": schedule}), usual, run.lr, run.weight_decay, run.seed)
        on_its_own = train_stack([alone], dtype=torch.float64).values["test_loss"][0]
        np.testing.assert_allclose(on_its_own, by_id[run.run_id], rtol=1e-9)
        expected = [0.01 * schedule.factor(epoch, 4) for epoch in range(4)]
        np.testing.assert_allclose(rates[run.run_id], expected, rtol=1e-6)
        single = train_single(run, dtype=torch.float64).values
        np.testing.assert_allclose(single["lr"][0], expected, rtol=1e-6)
        np.testing.assert_allclose(single["test_loss"][0], by_id[run.run_id], rtol=1e-6)


def test_an_own_schedule_is_part_of_the_run_alone_where_it_is_given(scheduled: Study) -> None:
    ids = [run.run_id for run in scheduled.grid()]
    assert len(set(ids)) == 3
    plainly = Study(
        name="s",
        workload=scheduled.workload,
        optimizers=["adamw"],
        space={"lr": [0.01], "weight_decay": [1e-3]},
        seeds=1,
    )
    assert plainly.grid()[0].run_id == ids[0]
    assert Study.parse(scheduled.text).grid() == scheduled.grid()
