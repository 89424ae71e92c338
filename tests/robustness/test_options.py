"""Marked options: what a run's identity leaves out, and that it would not leave out more."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError

from robustness.options import ELSEWHERE, LATER, Model, left_out
from robustness.schedules import CosineSchedule, Schedule, StepSchedule
from robustness.workloads.hessian_options import HessianOptions


class Leaf(Model):
    size: int = 1
    clip: Annotated[float | None, LATER] = Field(None, gt=0, description="Marked beside other constraints.")
    folder: Annotated[str, ELSEWHERE] = "data"


class Other(Model):
    kind: Literal["other"] = "other"
    again: Annotated[tuple[int, ...], LATER] = (1, 2)


class Tree(Model):
    plain: Leaf = Leaf()
    marked: Annotated[Leaf | None, LATER] = None
    listed: Annotated[list[int], LATER] = Field(default_factory=lambda: [3])
    pair: tuple[Leaf, ...] = ()
    several: list[Leaf | Other] = Field(default_factory=list)
    named: dict[str, Leaf] = Field(default_factory=dict)
    nested: tuple[tuple[Leaf, ...], ...] = ()
    schedule: Schedule = StepSchedule()


def kept(model: Model) -> dict[str, Any]:
    return model.model_dump(exclude=left_out(model))


def test_a_default_is_left_out_however_it_came_about() -> None:
    for leaf in (Leaf(), Leaf(clip=None), Leaf.model_validate_json('{"clip": null}', strict=True)):
        assert left_out(leaf) == {"clip": True, "folder": True}
        assert kept(leaf) == {"size": 1}


def test_later_options_enter_at_any_other_value_and_the_rest_always() -> None:
    assert left_out(Leaf(clip=1.0)) == {"folder": True}
    assert kept(Leaf(clip=1.0)) == {"size": 1, "clip": 1.0}
    assert kept(Leaf(size=2)) == {"size": 2}


def test_elsewhere_never_enters() -> None:
    assert kept(Leaf(folder="other")) == kept(Leaf()) == {"size": 1}


def test_an_unmarked_model_leaves_nothing_out() -> None:
    class Bare(Model):
        size: int = 1
        inner: Annotated[int, Field(ge=0)] = 0

    assert left_out(Bare()) == {}


def test_a_required_marked_option_has_no_default() -> None:
    class Required(Model):
        rate: Annotated[float, LATER]

    assert left_out(Required(rate=0.0)) == {}


def test_defaults_of_factories_and_of_sequences() -> None:
    assert left_out(Other()) == left_out(Other(again=[1, 2])) == {"again": True}
    assert left_out(Other(again=(1,))) == {}
    assert left_out(Tree(listed=[3]))["listed"] is True
    assert "listed" not in left_out(Tree(listed=[3, 4]))


def test_a_factory_that_looks_at_the_other_options() -> None:
    class Doubled(Model):
        size: int = 1
        width: Annotated[int, LATER] = Field(default_factory=lambda data: 2 * data["size"])

    assert left_out(Doubled(size=3)) == left_out(Doubled(size=3, width=6)) == {"width": True}
    assert left_out(Doubled(size=3, width=2)) == {}


def test_models_inside_are_searched() -> None:
    tree = Tree(
        marked=Leaf(clip=2.0),
        pair=(Leaf(), Leaf(clip=1.0, folder="f")),
        several=[Leaf(clip=3.0), Other(), Other(again=())],
        named={"a": Leaf(), "b": Leaf(clip=4.0)},
        nested=((), (Leaf(clip=5.0), Leaf())),
        schedule=CosineSchedule(warmup=1),
    )
    assert left_out(tree) == {
        "plain": {"clip": True, "folder": True},
        "marked": {"folder": True},
        "listed": True,
        "pair": {0: {"clip": True, "folder": True}, 1: {"folder": True}},
        "several": {0: {"folder": True}, 1: {"again": True}},
        "named": {"a": {"clip": True, "folder": True}, "b": {"folder": True}},
        "nested": {1: {0: {"folder": True}, 1: {"clip": True, "folder": True}}},
    }
    assert kept(tree) == {
        "plain": {"size": 1},
        "marked": {"size": 1, "clip": 2.0},
        "pair": ({"size": 1}, {"size": 1, "clip": 1.0}),
        "several": [{"size": 1, "clip": 3.0}, {"kind": "other"}, {"kind": "other", "again": ()}],
        "named": {"a": {"size": 1}, "b": {"size": 1, "clip": 4.0}},
        "nested": ((), ({"size": 1, "clip": 5.0}, {"size": 1})),
        "schedule": {"kind": "cosine", "floor": 0.0, "warmup": 1},
    }


def test_without_a_warm_up_a_schedule_is_what_it_was_before_there_were_any() -> None:
    assert kept(Tree())["schedule"] == {"kind": "step", "milestones": (0.4, 0.8), "gamma": 0.1}
    assert kept(Tree(schedule=StepSchedule(warmup=3)))["schedule"]["warmup"] == 3


def test_hessian_options_ask_for_something() -> None:
    assert HessianOptions(top=0, trace=1).top == 0
    with pytest.raises(ValidationError, match="at least one"):
        HessianOptions(top=0)
    for bad in ({"top": 101}, {"top": -1}, {"trace": -1}, {"examples": 0}, {"every": 0}):
        with pytest.raises(ValidationError):
            HessianOptions(**bad)


def test_the_smallest_hessian_options_take_the_same_figures() -> None:
    small = HessianOptions(top=20, trace=50, examples=1000, every=5).smoke()
    assert small == HessianOptions(top=1, trace=2, examples=8, every=5)
    assert HessianOptions(top=0, trace=1, examples=8).smoke() == HessianOptions(top=0, trace=1, examples=8)
