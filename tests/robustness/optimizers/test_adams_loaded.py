"""States that others wrote load into `AdamS` and go on, and float16 parameters keep their v-bar."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any

import pytest
import torch

from robustness.optimizers import AdamS
from tests.support.adams_cases import advance, build, parameters_of

if TYPE_CHECKING:
    from collections.abc import Callable


def values_into(optimizer: AdamS, source: AdamS) -> AdamS:
    """Give an optimizer the parameters of another."""
    with torch.no_grad():
        for p, value in zip(parameters_of(optimizer), parameters_of(source), strict=True):
            p.copy_(value)
    return optimizer


def as_the_authors_write(state: dict[str, Any]) -> dict[str, Any]:
    """Return a state as the class of the paper's authors has it: counts are integers, and there are fewer options."""
    kept = ("params", "lr", "betas", "eps", "weight_decay", "amsgrad")
    return {
        "state": {number: {**one, "step": int(one["step"])} for number, one in state["state"].items()},
        "param_groups": [{name: group[name] for name in kept} for group in state["param_groups"]],
    }


@pytest.mark.parametrize("amsgrad", [False, True])
def test_counts_that_are_plain_numbers_load_and_go_on_to_the_bit(amsgrad: bool) -> None:
    first = build(amsgrad=amsgrad)
    advance(first, range(25))
    second = values_into(build(), first)
    second.load_state_dict(as_the_authors_write(copy.deepcopy(first.state_dict())))
    steps = [second.state[p]["step"] for p in parameters_of(second)]
    assert [(step.dtype, step.device.type) for step in steps] == [(torch.float32, "cpu")] * 5
    assert all(
        torch.equal(a, b) for a, b in zip(advance(first, range(25, 60)), advance(second, range(25, 60)), strict=True)
    )


def test_counts_that_are_plain_numbers_go_where_the_parameters_are_to_be_captured() -> None:
    optimizer = AdamS([torch.nn.Parameter(torch.empty(3, device="meta"))], capturable=True)
    state = {"step": 7, "exp_avg": torch.zeros(3, device="meta"), "exp_avg_sq": torch.zeros(3, device="meta")}
    optimizer.load_state_dict({"state": {0: state}, "param_groups": optimizer.state_dict()["param_groups"]})
    assert optimizer.state[optimizer.param_groups[0]["params"][0]]["step"].is_meta


def half(gradient: float, **options: Any) -> AdamS:
    """Return the optimizer of four float16 weights of 1 whose gradient is given."""
    parameter = torch.nn.Parameter(torch.ones(4, dtype=torch.float16))
    parameter.grad = torch.full_like(parameter, gradient)
    return AdamS([parameter], **options)


@pytest.mark.parametrize("options", [{}, {"foreach": False}, {"capturable": True}, {"amsgrad": True, "maximize": True}])
def test_small_gradients_in_float16_leave_v_bar_above_0(options: dict[str, Any]) -> None:
    """The square of 2^-16 is 2^-32; float16 ends at 2^-24."""
    optimizer = half(2.0**-16, lr=0.125, weight_decay=2.0**-16, **options)
    optimizer.step()
    assert optimizer.root_mean_v.item() == pytest.approx(2.0**-16, rel=1e-6)
    sign = -1 if options.get("maximize") else 1
    (weight,) = parameters_of(optimizer)
    assert weight.dtype == torch.float16
    # The step is 0.125 * g / (|g| + eps), eps = 1e-8, rounded to float16's 2^-11.
    torch.testing.assert_close(weight.detach().float(), torch.full((4,), 0.875 - sign * 0.125), rtol=0, atol=2.0**-11)


def _by_dictionary(optimizer: AdamS) -> AdamS:
    second = half(2.0**-16)
    second.load_state_dict(optimizer.state_dict())
    return second


def _by_pickle(optimizer: AdamS) -> AdamS:
    copied: AdamS = pickle.loads(pickle.dumps(optimizer))
    return copied


@pytest.mark.parametrize("again", [_by_dictionary, _by_pickle])
@pytest.mark.parametrize("amsgrad", [False, True])
def test_moments_of_float16_parameters_are_loaded_in_single_precision(
    again: Callable[[AdamS], AdamS], amsgrad: bool
) -> None:
    first = half(2.0**-16, amsgrad=amsgrad)
    first.step()
    (before,), (after,) = first.state.values(), again(first).state.values()
    assert before.keys() == after.keys()
    for name, value in before.items():
        assert after[name].dtype == torch.float32
        assert torch.equal(after[name], value)


@pytest.mark.parametrize("again", [_by_dictionary, _by_pickle])
def test_an_older_state_in_float16_loads_and_goes_on(again: Callable[[AdamS], AdamS]) -> None:
    first = half(0.5)
    first.step()
    for state in first.state.values():
        state.update({name: state[name].half() for name in ("exp_avg", "exp_avg_sq")})
    second = again(first)
    (weight,) = parameters_of(second)
    weight.grad = torch.full_like(weight, 0.5)
    second.step()
    assert second.root_mean_v.item() == pytest.approx(0.5, rel=1e-3)
    assert second.state[weight]["exp_avg_sq"].dtype == torch.float32


def test_what_is_loaded_is_what_others_hooks_make_of_it_and_is_not_shared() -> None:
    first, second = half(2.0**-16), half(2.0**-16)
    first.step()
    saved = first.state_dict()
    second.register_load_state_dict_pre_hook(
        lambda _, state: {**state, "state": {0: {**state["state"][0], "exp_avg_sq": torch.full((4,), 3e-10)}}}
    )
    seen: list[torch.Tensor] = []
    second.register_load_state_dict_post_hook(lambda it: seen.extend(one["exp_avg_sq"] for one in it.state.values()))
    second.load_state_dict(saved)
    assert torch.equal(seen[0], torch.full((4,), 3e-10))
    second.step()
    assert torch.equal(saved["state"][0]["exp_avg"], torch.full((4,), 0.1 * 2.0**-16))
