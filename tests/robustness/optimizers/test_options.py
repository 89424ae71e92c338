"""The options of the optimizers beside AdamS, AdamW and Adam, their conventions and their libraries."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from tests.support.optimizer_cases import NAMES, make
from tests.support.rule_cases import padded, train

LIBRARIES = {"adabound": "AdaBound", "padam": "PAdam", "yogi": "Yogi"}


@pytest.mark.parametrize(
    ("name", "convention", "native", "effective"),
    [
        *((name, "l2", 5e-4, math.nan) for name in ("amsgrad", "radam", "adabound", "padam", "yogi", "sgd")),
        ("sgd-eq1", "vanilla", 5e-5, 5e-5 / 2e-3),
        ("sgds", "decoupled", 5e-4, 5e-4 * 0.7 / 0.2),
    ],
)
def test_conventions(name: str, convention: str, native: float, effective: float) -> None:
    options = make(name, {"momentum": 0.8, "dampening": 0.3} if name == "sgds" else {})
    assert options.convention == convention
    assert options.native_weight_decay(5e-4) == pytest.approx(native, rel=1e-14)
    rule = train(options, padded(1), [2e-3], [native], 3)
    np.testing.assert_allclose(rule.effective_decay.numpy(), [effective], rtol=1e-12)
    by_torch_form = options.effective_decay(native, 2e-3, rule.root_mean_v[0])
    np.testing.assert_allclose(by_torch_form, effective, rtol=1e-12)
    assert rule.root_mean_v.isnan().all() == name.startswith("sgd")


@pytest.mark.parametrize(
    ("name", "options", "key"),
    [
        *((name, {"betas": [1.0, 0.9]}, "betas") for name in ("amsgrad", "radam", "adabound", "padam", "yogi")),
        *((name, {"eps": 0}, "eps") for name in ("amsgrad", "radam", "adabound", "padam", "yogi")),
        *((name, {"amsgrad": True}, "amsgrad") for name in NAMES),
        *((name, {"name": "adam"}, "name") for name in NAMES),
        *((name, {"momentum": value}, "momentum") for name in ("sgd", "sgd-eq1", "sgds") for value in (1, -0.1)),
        ("sgd-eq1", {"dampening": 0.1}, "dampening"),
        ("sgds", {"dampening": 1.0}, "dampening"),
        ("sgd", {"dampening": -0.1}, "dampening"),
        ("sgd", {"nesterov": "perhaps"}, "nesterov"),
        ("adabound", {"final_lr": 0}, "final_lr"),
        ("adabound", {"gamma": -1e-3}, "gamma"),
        ("padam", {"partial": 0}, "partial"),
        ("padam", {"partial": 0.51}, "partial"),
        ("yogi", {"initial_accumulator": -1e-6}, "initial_accumulator"),
    ],
)
def test_options_out_of_range_are_refused(name: str, options: dict[str, Any], key: str) -> None:
    with pytest.raises(ValidationError) as caught:
        make(name, options)
    assert [error["loc"][0] for error in caught.value.errors()] == [key]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("sgd", {"nesterov": True, "momentum": 0}, "nesterov needs a momentum above 0"),
        ("sgd", {"nesterov": True, "dampening": 0.1}, "and no dampening"),
        ("sgd", {"momentum": 0, "dampening": 0.1}, "dampening needs a momentum above 0"),
        ("sgds", {"momentum": 0, "dampening": 0.1}, "dampening needs a momentum above 0"),
    ],
)
def test_options_that_do_not_go_together_are_refused(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        make(name, options)


def own(name: str) -> dict[str, Any]:
    """Return the options at their defaults, but for those that every optimizer has."""
    return dict(make(name, {}).model_dump(exclude={"schedule", "decay_on", "groups"}))


def test_defaults_are_the_papers() -> None:
    expected: dict[str, dict[str, Any]] = {
        "amsgrad": {},
        "radam": {},
        "adabound": {"final_lr": 0.1, "gamma": 1e-3},
        "padam": {"partial": 1 / 8},
        "yogi": {"eps": 1e-3, "initial_accumulator": 1e-6},
    }
    for name, options in expected.items():
        assert own(name) == {"name": name, "betas": (0.9, 0.999), "eps": 1e-8} | options
    assert own("sgd") == {"name": "sgd", "momentum": 0.9, "dampening": 0, "nesterov": False}
    assert own("sgd-eq1") == {"name": "sgd-eq1", "momentum": 0.9}
    assert own("sgds") == {"name": "sgds", "momentum": 0.9, "dampening": 0}
