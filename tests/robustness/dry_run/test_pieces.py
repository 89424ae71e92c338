"""What is brought is trained as by a plain loop, or refused by name before anything is trained."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from robustness.dry_run.pieces import tried
from robustness.study import Study
from tests.support import faulty_networks as faulty
from tests.support import own_networks as own


def study(kind: type[own.Small], engine: str = "stack", optimizers: Any = ("adamw",)) -> Study:
    return Study(
        name="own",
        workload=kind(name=f"{kind.__module__}:{kind.__qualname__}", engine=engine),
        optimizers=list(optimizers),
        space={"lr": [0.01], "weight_decay": [1e-3]},
        seeds=1,
    )


def said(kind: type[own.Small], engine: str = "stack", optimizers: Any = ("adamw",)) -> list[str]:
    return [("" if each.fatal else "note: ") + each.text for each in tried(study(kind, engine, optimizers))]


@pytest.mark.parametrize("engine", ["stack", "single"])
@pytest.mark.parametrize(
    "kind", [own.Small, own.Frozen, own.Unused, own.Texts, own.Pixels, own.Gaps, own.Autoencoder, own.Column]
)
def test_sound_pieces_pass(kind: type[own.Small], engine: str) -> None:
    optimizers = ["adams", "adamw", "adam"] if kind in (own.Small, own.Unused) else ["adamw"]
    assert said(kind, engine, optimizers) == []


@pytest.mark.parametrize("engine", ["stack", "single"])
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (faulty.MeanLoss, ["losses() gave the shape (), and is to have the targets' shape, (16,)", 'reduction="none"']),
        (faulty.MatrixLoss, ["losses() gave the shape (16, 16)", "(16,)", "(N, 1) and (N,) were broadcast"]),
        (faulty.MeanError, ["errors() gave the shape ()", "(16,)"]),
        (faulty.PercentError, ["errors() are 0 to 1", "0 to 100"]),
        (faulty.FromOne, ["targets of train are 1 to 2, and 2 classes are numbered from 0 to 1", "take 1 off"]),
        (faulty.OneLogit, ["float32 (16, 1)", "one logit", "binary_cross_entropy_with_logits"]),
        (faulty.ColumnTargets, ["float32 (16, 2) for targets int64 (16, 1)", "targets of shape (N,)"]),
        (faulty.Undrawn, ["data(0), called twice, gave other inputs of train", "`seed`"]),
        (faulty.Uneven, ["train has 80 inputs, float64 (80, 4), for 40 targets, int64 (40,)"]),
        (faulty.NotFinite, ["1 value of the inputs of test"]),
        (faulty.Wrong, ["a step of a plain loop fails, in the layer '2' (Linear): RuntimeError", "float32 (16, 4)"]),
        (faulty.NoGradient, ["no parameter of the network asks for a gradient"]),
        (faulty.Broken, ["its data cannot be made: FileNotFoundError: table.csv"]),
    ],
)
def test_a_fault_is_refused_by_name_in_both_engines(kind: type[own.Small], words: list[str], engine: str) -> None:
    (text,) = said(kind, engine)
    assert f":{kind.__qualname__}" in text
    for word in words:
        assert word in text


@pytest.mark.parametrize(
    ("kind", "layer"),
    [(faulty.Gated, "layer 'body' (GRU)"), (faulty.Branching, "network (ByValue)"), (own.Turned, "'turn'")],
)
def test_what_no_stack_can_train_is_told_the_way_out(kind: type[own.Small], layer: str) -> None:
    (text,) = said(kind)
    assert layer in text
    assert "engine: single" in text
    assert said(kind, "single") == []


def test_an_optimizer_that_does_not_take_the_network_is_named() -> None:
    entry = {"name": "tests.support.faulty_networks:Matrices", "convention": "decoupled", "label": "M"}
    *_, text = said(own.Small, "single", ["adamw", entry])
    assert text.startswith("tests.support.faulty_networks:Matrices: does not take the parameters of ")
    assert "only 2D parameters" in text


def test_an_optimizer_of_ones_own_is_tried_on_a_known_workload() -> None:
    lion = Study(
        name="known",
        workload={"name": "digits", "epochs": 1, "engine": "single"},
        optimizers=["pytorch_optimizer:Lion"],
        space={"lr": [0.001], "weight_decay": [1e-4]},
        seeds=1,
    )
    assert tried(lion) == []


def test_what_cannot_be_gone_on_from_is_said_and_not_set_down() -> None:
    (found,) = tried(study(faulty.Counting, "single"))
    assert not found.fatal
    assert not found.resumes
    assert "does not go on as one that is not" in found.text


def test_a_stack_that_trained_otherwise_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from robustness.optimizers.adamw import AdamWRule

    step = AdamWRule.step
    monkeypatch.setattr(AdamWRule, "step", lambda self, gradient, lr: step(self, 1.01 * gradient + 0.01, lr))
    (text,) = said(own.Small)
    assert "a stack trains adamw otherwise than a plain loop: after two steps the parameter" in text


def test_global_generators_are_left_as_they_were() -> None:
    before = torch.random.get_rng_state()
    tried(study(own.Small))
    assert torch.equal(before, torch.random.get_rng_state())
