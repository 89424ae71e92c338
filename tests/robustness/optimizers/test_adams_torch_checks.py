"""`AdamS` passes what torch's own tests ask of every optimizer, on the inputs that they have for Adam."""

from __future__ import annotations

import copy
import io
import re
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from tests.support.torch_checks import EVERY_INPUT, INFO, error_inputs

if TYPE_CHECKING:
    from collections.abc import Callable

    from robustness.optimizers import AdamS

pytestmark = pytest.mark.slow
every_input = pytest.mark.parametrize(
    "options", [each.kwargs for each in EVERY_INPUT], ids=[re.sub(r"\W+", "-", each.desc) for each in EVERY_INPUT]
)


class Problem:
    """A weight, perhaps not contiguous, and a bias that are to make (W x + b)^2 small."""

    def __init__(self, dtype: torch.dtype = torch.float32, contiguous: bool = True) -> None:
        draw = torch.Generator().manual_seed(0)
        weight, bias, x = (torch.randn(s, generator=draw).to(dtype) for s in ((10, 5, 2), (10, 2), (5,)))
        shapes = (weight[..., 0], bias[..., 0])
        self.params = [torch.nn.Parameter(t.contiguous() if contiguous else t) for t in shapes]
        self.x = x
        assert self.params[0].is_contiguous() == contiguous

    def loss(self) -> float:
        for p in self.params:
            p.grad = None
        loss = (self.params[0].mv(self.x) + self.params[1]).pow(2).sum()
        loss.backward()
        return float(loss.detach())

    def optimizer(self, options: dict[str, Any]) -> AdamS:
        made: AdamS = INFO.optim_cls(self.params, **copy.deepcopy(options))
        return made


def trained(options: dict[str, Any], steps: int = 5, **problem: Any) -> tuple[Problem, AdamS]:
    posed = Problem(**problem)
    optimizer = posed.optimizer(options)
    for _ in range(steps):
        optimizer.step(posed.loss)
    return posed, optimizer


def same(a: Problem, b: Problem) -> bool:
    return all(torch.equal(p, q) for p, q in zip(a.params, b.params, strict=True))


@pytest.mark.parametrize("index", range(len(error_inputs("cpu", torch.float32))))
def test_errors(index: int) -> None:
    error = error_inputs("cpu", torch.float32)[index]
    given = error.optimizer_error_input
    params = [torch.nn.Parameter(torch.randn(1, 1))] if given.params is None else given.params
    if issubclass(error.error_type, Warning):
        with pytest.warns(error.error_type, match=error.error_regex):
            INFO.optim_cls(params, **given.kwargs)
    else:
        with pytest.raises(error.error_type, match=error.error_regex):
            INFO.optim_cls(params, **given.kwargs)


@every_input
@pytest.mark.parametrize(
    ("schedulers", "contiguous"), [([], True), ([], False), *((given, True) for given in INFO.scheduler_inputs)]
)
def test_goes_in_the_right_direction(
    options: dict[str, Any], contiguous: bool, schedulers: list[Callable[[Any], Any]]
) -> None:
    posed = Problem(contiguous=contiguous)
    optimizer = posed.optimizer(options)
    made = [scheduler(optimizer) for scheduler in schedulers]
    before = posed.loss()
    for _ in range(20):
        loss = optimizer.step(posed.loss)
        for scheduler in made:
            scheduler.step(loss) if isinstance(scheduler, ReduceLROnPlateau) else scheduler.step()
    assert (posed.loss() > before) == options.get("maximize", False)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@every_input
def test_many_at_once_equal_one_by_one(options: dict[str, Any], dtype: torch.dtype) -> None:
    each, together = (trained({**options, "foreach": foreach}, dtype=dtype) for foreach in (False, True))
    for p, q in zip(each[0].params, together[0].params, strict=True):
        torch.testing.assert_close(p, q)
        for name, value in each[1].state[p].items():
            torch.testing.assert_close(value, together[1].state[q][name])


@every_input
def test_a_default_dtype_changes_nothing(options: dict[str, Any]) -> None:
    plain, _ = trained(options)
    other = Problem()
    torch.set_default_dtype(torch.float64)
    try:
        optimizer = other.optimizer(options)
        for _ in range(5):
            optimizer.step(other.loss)
    finally:
        torch.set_default_dtype(torch.float32)
    assert same(plain, other)
    assert {t.dtype for state in optimizer.state.values() for t in state.values()} == {torch.float32}


@every_input
def test_a_saved_state_is_equal_and_goes_on_alike(options: dict[str, Any]) -> None:
    first, optimizer = trained(options)
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    second = copy.deepcopy(first)
    loaded = second.optimizer(options)
    loaded.load_state_dict(torch.load(file, weights_only=True))
    torch.testing.assert_close(loaded.state_dict(), optimizer.state_dict(), rtol=0, atol=0)
    before = copy.deepcopy(optimizer.state_dict())
    loaded.load_state_dict(before)
    saved = copy.deepcopy(before)
    for _ in range(5):
        optimizer.step(first.loss)
        loaded.step(second.loss)
    assert same(first, second)
    assert before["param_groups"] == saved["param_groups"]


@every_input
def test_an_older_state_without_later_options_or_with_plain_counts_loads(options: dict[str, Any]) -> None:
    posed, optimizer = trained(options)
    state = copy.deepcopy(optimizer.state_dict())
    for group in state["param_groups"]:
        for flag in INFO.not_og_supported_flags:
            group.pop(flag, None)
    optimizer.load_state_dict(state)
    optimizer.step(posed.loss)
    for one in state["state"].values():
        one["step"] = one["step"].item()
    optimizer.load_state_dict(state)
    optimizer.step(posed.loss)


@every_input
def test_without_gradients_or_with_gradients_of_0_and_no_decay_nothing_moves(options: dict[str, Any]) -> None:
    posed = Problem()
    before = copy.deepcopy(posed)
    optimizer = posed.optimizer(options)
    optimizer.step()
    assert not optimizer.state
    still = posed.optimizer({**options, "weight_decay": 0})
    for p in posed.params:
        p.grad = torch.zeros_like(p)
    still.step()
    assert same(posed, before)


@every_input
def test_is_printed_copied_and_makes_a_state(options: dict[str, Any]) -> None:
    posed, optimizer = trained(options)
    assert repr(optimizer).startswith("AdamS (")
    copied = copy.deepcopy(optimizer)
    public = {name for name in vars(optimizer) if not name.startswith("_")}
    assert public == {name for name in vars(copied) if not name.startswith("_")}
    assert all(optimizer.state[p] for p in posed.params)


def test_groups_have_rates_of_their_own_and_names_are_kept() -> None:
    posed = Problem()
    named = [{"params": [("weight", posed.params[0])]}, {"params": [("bias", posed.params[1])], "lr": 0.0}]
    optimizer = INFO.optim_cls(named, lr=1e-2)
    before = copy.deepcopy(posed)
    optimizer.step(posed.loss)
    assert [group["param_names"] for group in optimizer.state_dict()["param_groups"]] == [["weight"], ["bias"]]
    assert [torch.equal(p, q) for p, q in zip(posed.params, before.params, strict=True)] == [False, True]


@pytest.mark.parametrize("foreach", [True, False])
@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_a_rate_that_is_a_tensor_equals_a_number(shape: tuple[int, ...], foreach: bool) -> None:
    number, _ = trained({"lr": 0.01, "foreach": foreach})
    tensor, optimizer = trained({"lr": torch.full(shape, 0.01), "foreach": foreach})
    for p, q in zip(number.params, tensor.params, strict=True):
        torch.testing.assert_close(p, q)
    assert optimizer.param_groups[0]["lr"].shape == shape


def test_hooks_of_steps_states_and_loading_run_in_order() -> None:
    posed, optimizer = trained({})
    seen: list[str] = []
    optimizer.register_step_pre_hook(lambda *_: seen.append("before"))
    optimizer.register_step_post_hook(lambda *_: seen.append("after"))
    handles = [
        register_optimizer_step_pre_hook(lambda *_: seen.append("before all")),
        register_optimizer_step_post_hook(lambda *_: seen.append("after all")),
    ]
    optimizer.step(posed.loss)
    for handle in handles:
        handle.remove()
    assert seen == ["before all", "before", "after", "after all"]
    seen.clear()
    optimizer.register_state_dict_pre_hook(lambda _: seen.append("saving"))
    optimizer.register_state_dict_post_hook(lambda *_: seen.append("saved"))
    optimizer.register_load_state_dict_pre_hook(lambda *_: seen.append("loading"))
    optimizer.register_load_state_dict_post_hook(lambda _: seen.append("loaded"))
    optimizer.load_state_dict(optimizer.state_dict())
    assert seen == ["saving", "saved", "loading", "loaded"]
