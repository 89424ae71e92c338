"""How a weight decay acts is found by steps, and held against what a study says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from robustness import Study, StudyError
from robustness.dry_run.pieces import tried
from robustness.optimizers import OPTIMIZERS
from robustness.optimizers.behavior.axes import remarks
from robustness.optimizers.behavior.convention import misstated
from robustness.optimizers.behavior.decay import ALL, action_of
from robustness.optimizers.imported import TorchOptimizer
from robustness.parameters.keywords import Keywords

if TYPE_CHECKING:
    from pathlib import Path

OWN = "tests.support.own_optimizers"
SPACE = {"lr": [0.01], "weight_decay": [0, 1e-3]}


def named(name: str, convention: Any = "l2", **options: Any) -> TorchOptimizer:
    return TorchOptimizer(name=name, convention=convention, options=Keywords(options))


def study(*optimizers: Any, **more: Any) -> Study:
    workload = {"name": "digits", "epochs": 2, "engine": "single"}
    return Study(name="one", workload=workload, optimizers=list(optimizers), space=SPACE | more, seeds=1)


@pytest.mark.parametrize(
    ("name", "options", "conventions"),
    [
        ("torch.optim:Adam", {}, ("l2",)),
        ("torch.optim:Adam", {"decoupled_weight_decay": True}, ("decoupled",)),
        ("torch.optim:AdamW", {}, ("decoupled",)),
        ("torch.optim:RAdam", {}, ("l2",)),
        ("torch.optim:SGD", {"momentum": 0.9}, ("l2",)),
        ("torch.optim:SGD", {}, ("l2", "decoupled")),  # of plain gradient descent the two are one
        ("torch.optim:Adafactor", {}, ("decoupled",)),
        ("torch.optim:Muon", {}, ("decoupled",)),  # of matrices alone
        ("robustness.optimizers:AdamS", {}, ("scheduled",)),
        (f"{OWN}:Noting", {}, ("vanilla",)),
        (f"{OWN}:TwoRates", {}, ("decoupled",)),
    ],
)
def test_it_is_found(name: str, options: dict[str, Any], conventions: tuple[str, ...]) -> None:
    assert action_of(named(name, **options)).conventions == conventions


@pytest.mark.parametrize("name", OPTIMIZERS.own)
def test_it_is_what_every_optimizer_of_ours_says(name: str) -> None:
    """Without momentum, that all decays act on alike, there would be nothing to tell."""
    optimizer = OPTIMIZERS.own[name].model_validate({})
    found = action_of(optimizer).conventions
    # SGDS decays by eta lambda / (1 - momentum), whatever the gradients: that is decoupled, by a constant.
    assert (optimizer.convention if name != "sgds" else "decoupled") in found
    assert len(found) == 1


@pytest.mark.parametrize("name", ["adam", "adamw", "adams", "sgd", "sgd-eq1"])
def test_a_decay_that_does_nothing_agrees_with_all(name: str) -> None:
    class Without(type(OPTIMIZERS.own[name].model_validate({}))):  # type: ignore[misc]
        name: str = "without"

        def torch_optimizer(self, parameters: Any, lr: float, weight_decay: float) -> Any:
            return super().torch_optimizer(parameters, lr, 0.0)

    assert action_of(Without()).conventions == ALL


def test_left_out_and_given_are_the_same_run() -> None:
    left_out, given = (
        study("pytorch_optimizer:Lion"),
        study({"name": "pytorch_optimizer:Lion", "convention": "decoupled"}),
    )
    assert [run.run_id for run in left_out.grid()] == [run.run_id for run in given.grid()]
    assert left_out.optimizers[0].optimizer == given.optimizers[0].optimizer


def test_what_agrees_with_none_is_to_be_said() -> None:
    with pytest.raises(StudyError, match=r"optimizers\[0\]\.convention: is missing: say which of l2, decoupled, sched"):
        study("pytorch_optimizer:LARS")
    said = study({"name": "pytorch_optimizer:LARS", "convention": "l2"})
    assert misstated(said.optimizers[0].optimizer) is None


def test_what_is_said_wrongly_is_refused_with_what_would_make_it_true() -> None:
    adopt = {"name": "pytorch_optimizer:ADOPT", "convention": "decoupled"}
    (finding,) = [each for each in tried(study(adopt)) if each.fatal]
    assert finding.text == (
        "pytorch_optimizer:ADOPT: its convention is decoupled, but in steps of pytorch_optimizer:ADOPT weight decay"
        " acts as l2: write `convention: l2`, or give it `options: {weight_decouple: true}`"
    )
    assert tried(study(adopt | {"options": {"weight_decouple": True}})) == []
    assert tried(study({**adopt, "convention": "l2"})) == []


def test_a_class_of_ours_that_says_otherwise_is_refused() -> None:
    class Slip(type(OPTIMIZERS.own["adamw"].model_validate({}))):  # type: ignore[misc]
        convention = "l2"
        name: str = "own:Slip"

    assert "but in steps of own:Slip weight decay acts as decoupled" in str(misstated(Slip()))


def test_an_optimizer_without_a_decay_is_given_none() -> None:
    with pytest.raises(
        StudyError, match=r"optimizers\[0\]: takes no weight decay: give it `space: \{weight_decay: \[0\]\}`"
    ):
        study("torch.optim:Rprop")
    kept = study({"name": "torch.optim:Rprop", "space": {"weight_decay": [0]}})
    assert [each.text for each in tried(kept)] == []
    with pytest.raises(ValueError, match=r"torch.optim:Rprop takes no weight decay, got 0.1"):
        kept.optimizers[0].optimizer.torch_optimizer([], lr=0.1, weight_decay=0.1)


def test_what_does_not_follow_the_axes_is_said() -> None:
    vectors = (
        "the steps of parameters of 1 dimension do not follow `lr`",
        "parameters of 1 dimension feel nothing of `weight_decay`",
    )
    assert remarks(named("pytorch_optimizer:MARS", "decoupled")) == vectors
    *own, last = remarks(named(f"{OWN}:TwoRates", "decoupled"))
    assert tuple(own) == vectors
    assert last.startswith("its groups of parameters may have `frozen`")
    assert remarks(named("pytorch_optimizer:MARS", "decoupled", optimize_1d=True)) == ()
    assert "its groups of parameters may have `normalized`" in remarks(named("pytorch_optimizer:AdamC", "decoupled"))[0]
    assert remarks(named("torch.optim:AdamW", "decoupled")) == ()


def test_steps_leave_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    action_of.cache_clear()
    action_of(named(f"{OWN}:Noting"))
    assert list(tmp_path.iterdir()) == []
