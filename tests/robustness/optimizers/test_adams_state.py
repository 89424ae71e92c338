"""Compiling, saving and copying `AdamS` change nothing."""

from __future__ import annotations

import copy
import io
import pickle
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import torch

from tests.support.adams_cases import (
    advance,
    as_tensor_lr,
    build,
    parameters_of,
    set_gradients,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from robustness.optimizers import AdamS


@pytest.fixture(autouse=True)
def _fresh_compiler() -> Iterator[None]:
    torch._dynamo.utils.counters.clear()
    yield
    torch._dynamo.reset()


@pytest.mark.slow
@pytest.mark.parametrize(
    "backend",
    [
        "eager",
        "aot_eager",
        pytest.param(
            "inductor",
            marks=[
                pytest.mark.slow,
                pytest.mark.skipif(not shutil.which("g++"), reason="inductor needs a compiler"),
                pytest.mark.filterwarnings("ignore::DeprecationWarning"),
            ],
        ),
    ],
)
@pytest.mark.parametrize("options", [{}, {"amsgrad": True, "maximize": True}])
def test_compiled_step_equals_plain_step(backend: str, options: dict[str, Any]) -> None:
    plain, compiled = (build(**options) for _ in range(2))
    as_tensor_lr(plain)
    as_tensor_lr(compiled)
    step = torch.compile(compiled.step, backend=backend)
    for t in range(24):
        for optimizer in (plain, compiled):
            set_gradients(optimizer, (12, 31, 54)[t // 8])
        plain.step()
        step()
        torch.testing.assert_close(compiled.root_mean_v, plain.root_mean_v, rtol=1e-12, atol=0)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] >= 3
    for a, b in zip(parameters_of(plain), parameters_of(compiled), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)
        assert int(plain.state[a]["step"]) == int(compiled.state[b]["step"])


@pytest.mark.parametrize("capturable", [False, True])
@pytest.mark.parametrize("amsgrad", [False, True])
def test_state_dict_continues_to_the_bit(amsgrad: bool, capturable: bool) -> None:
    options = {"amsgrad": amsgrad, "capturable": capturable}
    whole = advance(build(**options), range(60))
    first = build(**options)
    advance(first, range(25))
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    second = build()
    with torch.no_grad():
        for p, value in zip(parameters_of(second), parameters_of(first), strict=True):
            p.copy_(value)
    second.load_state_dict(torch.load(file))
    assert all(torch.equal(a, b) for a, b in zip(advance(second, range(25, 60)), whole, strict=True))


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda optimizer: pickle.loads(pickle.dumps(optimizer))])
def test_copies_go_on_alike(duplicate: Callable[[AdamS], AdamS]) -> None:
    first = build()
    advance(first, range(15))
    second = duplicate(first)
    assert second.root_mean_v.isnan()
    for a, b in zip(advance(first, range(15, 30)), advance(second, range(15, 30)), strict=True):
        assert torch.equal(a, b)
    assert torch.equal(first.root_mean_v, second.root_mean_v)


def test_groups_of_an_older_state_get_the_defaults() -> None:
    optimizer = build()
    for group in optimizer.param_groups:
        for name in ("amsgrad", "foreach", "maximize", "capturable"):
            del group[name]
    optimizer.__setstate__(optimizer.__getstate__())
    assert all(torch.equal(a, b) for a, b in zip(advance(optimizer, range(5)), advance(build(), range(5)), strict=True))
