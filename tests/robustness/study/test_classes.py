"""A workload has at least two classes: with fewer, chance makes no error and nothing can be learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from robustness import Study
from robustness.study import StudyError
from robustness.workloads import Data, Workload

if TYPE_CHECKING:
    from torch import nn


def study(workload: Any) -> Study:
    return Study(name="t", workload=workload, optimizers=["adam"], space={"lr": [1e-3], "weight_decay": [0]}, seeds=1)


class OneLogit(Workload):
    classes = 1

    def data(self, seed: int) -> Data:
        raise NotImplementedError(f"a study is read without data, such as of seed {seed}")

    def model(self) -> nn.Module:
        raise NotImplementedError


class Named(OneLogit):
    classes = "two"  # type: ignore[assignment]


class Squares(OneLogit):
    @property
    def chance_error(self) -> float:
        return 40.0


class Two(OneLogit):
    classes = 2


@pytest.mark.parametrize("kind", [OneLogit, Named])
def test_fewer_than_two_classes_are_refused_with_what_to_write(kind: type[Workload]) -> None:
    with pytest.raises(StudyError) as by_name:
        study(f"{__name__}:{kind.__name__}")
    said = str(by_name.value)
    assert f"`classes` must be a whole number, at least 2, got {kind.classes!r}" in said
    assert "one logit tells two classes apart and has `classes = 2`" in said
    assert "for a regression" in said
    assert "`chance_error`" in said
    with pytest.raises(ValueError, match="at least 2"):
        kind(name="one")


@pytest.mark.parametrize(("kind", "chance"), [(Two, 50.0), (Squares, 40.0)])
def test_two_classes_and_an_own_error_of_chance_are_taken(kind: type[Workload], chance: float) -> None:
    assert study(f"{__name__}:{kind.__name__}").workload.chance_error == chance
