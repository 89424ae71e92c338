"""`AdamS` as a `torch.optim.Optimizer`: its arithmetic, and that it behaves as torch's own."""

from __future__ import annotations

import copy
import io
import math
import pickle
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import pytorch_optimizer
import torch
from reference_optimizers import Group, Parameter, Reference
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from robustness.optimizers import AdamS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SHAPES: list[list[tuple[int, ...]]] = [[(4, 3), (5,)], [(2, 3, 2)], [(6,), (1,)]]
GROUPS: list[dict[str, Any]] = [
    {"lr": 1e-2, "weight_decay": 1e-2},
    {"lr": 3e-3, "weight_decay": 0.0, "betas": (0.8, 0.99), "eps": 1e-6},
    {"lr": 2e-2, "weight_decay": 5e-2, "betas": (0.95, 0.9995)},
]


@pytest.fixture(autouse=True)
def _fresh_compiler() -> Iterator[None]:
    torch._dynamo.utils.counters.clear()
    yield
    torch._dynamo.reset()


def draw(seed: int) -> list[list[torch.Tensor]]:
    """Return a tensor of normal numbers for each parameter."""
    generator = torch.Generator().manual_seed(seed)
    return [[torch.randn(s, generator=generator, dtype=torch.float64) for s in row] for row in SHAPES]


def gradients_of(step: int) -> list[list[torch.Tensor | None]]:
    """Return a step's gradients: one comes every third step, another from step 10, a group's not always."""
    gradients: list[list[torch.Tensor | None]] = [list(row) for row in draw(100 + step)]
    if step % 3:
        gradients[0][1] = None
    if step < 10:
        gradients[2][1] = None
    if step % 7 == 5:
        gradients[1][0] = None
    return gradients


def build(**options: Any) -> AdamS:
    """Return AdamS over `GROUPS`, its parameters at the same start each time."""
    groups = [
        {"params": [torch.nn.Parameter(t) for t in row], **group} for row, group in zip(draw(0), GROUPS, strict=True)
    ]
    return AdamS(groups, **options)


def parameters_of(optimizer: torch.optim.Optimizer) -> list[torch.nn.Parameter]:
    """Return all parameters in order."""
    return [p for group in optimizer.param_groups for p in group["params"]]


def set_gradients(optimizer: torch.optim.Optimizer, step: int, sign: float = 1) -> None:
    """Give each parameter its gradient of `step`, or none."""
    gradients = [gradient for row in gradients_of(step) for gradient in row]
    for p, gradient in zip(parameters_of(optimizer), gradients, strict=True):
        p.grad = None if gradient is None else sign * gradient


def scale_lr(optimizer: torch.optim.Optimizer, step: int) -> None:
    """Set each group's learning rate: a drop by 10 at two steps, as in the paper."""
    for group, start in zip(optimizer.param_groups, GROUPS, strict=True):
        lr = start["lr"] * 0.1 ** ((step >= 400) + (step >= 800))
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].fill_(lr)
        else:
            group["lr"] = lr


def advance(optimizer: AdamS, steps: range, step: Callable[[], object] | None = None) -> list[torch.Tensor]:
    """Take `steps` and return copies of the parameters."""
    for t in steps:
        set_gradients(optimizer, t)
        scale_lr(optimizer, t)
        (step or optimizer.step)()
    return [p.detach().clone() for p in parameters_of(optimizer)]


def as_tensor_lr(optimizer: AdamS) -> None:
    """Make each group's learning rate a tensor."""
    for group in optimizer.param_groups:
        group["lr"] = torch.tensor(group["lr"], dtype=torch.float64)


@pytest.mark.parametrize("amsgrad", [False, True])
@pytest.mark.parametrize(
    "options", [{}, {"foreach": False}, {"capturable": True}, {"maximize": True}, {"lr": "tensor"}]
)
def test_equals_numpy_over_1000_steps(options: dict[str, Any], amsgrad: bool) -> None:
    options = dict(options)
    tensor_lr = options.pop("lr", None)
    optimizer = build(amsgrad=amsgrad, **options)
    if tensor_lr:
        as_tensor_lr(optimizer)
    groups = [Group([Parameter(t.numpy()) for t in row], **group) for row, group in zip(draw(0), GROUPS, strict=True)]
    reference = Reference("adams", groups, amsgrad)
    for step in range(1000):
        set_gradients(optimizer, step, -1 if options.get("maximize") else 1)
        scale_lr(optimizer, step)
        optimizer.step()
        for group, now in zip(groups, optimizer.param_groups, strict=True):
            group.lr = float(now["lr"])
        reference.step([[None if g is None else g.numpy() for g in row] for row in gradients_of(step)])
        np.testing.assert_allclose(optimizer.root_mean_v, reference.root_mean_v, rtol=1e-12)
    values = [parameter.value for group in groups for parameter in group.parameters]
    for p, value in zip(parameters_of(optimizer), values, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), value, rtol=1e-10, atol=1e-10)
    expected = [group.weight_decay / reference.root_mean_v for group in groups]
    np.testing.assert_allclose(torch.stack(optimizer.effective_decay), expected, rtol=1e-12)


@pytest.mark.parametrize("amsgrad", [False, True])
def test_equals_pytorch_optimizer_but_for_its_eps_on_v_bar(amsgrad: bool) -> None:
    """Its decay is lambda / (sqrt(v-bar) + eps); with given gradients both paths are linear in theta.

    So they differ at most by the sum over steps of eta lambda (1/r - 1/(r + eps)) |theta|, r = sqrt(v-bar),
    for the decay factors that follow are below 1.
    """
    eps, lr, decay = 1e-4, 1e-2, 5e-2
    ours, theirs = ([torch.nn.Parameter(t) for row in draw(0) for t in row] for _ in range(2))
    mine = AdamS(ours, lr, eps=eps, weight_decay=decay, amsgrad=amsgrad)
    other = pytorch_optimizer.AdamS(theirs, lr, eps=eps, weight_decay=decay, ams_bound=amsgrad)
    bound = 0.0
    for step in range(500):
        gradients = [0.3 * t for row in draw(100 + step) for t in row]
        for a, b, gradient in zip(ours, theirs, gradients, strict=True):
            a.grad, b.grad = gradient.clone(), gradient.clone()
        largest = max(float(b.detach().abs().max()) for b in theirs)
        mine.step()
        other.step()
        root = float(mine.root_mean_v)
        bound += lr * decay * (1 / root - 1 / (root + eps)) * largest
    difference = max(float((a - b).detach().abs().max()) for a, b in zip(ours, theirs, strict=True))
    assert 1e-3 * bound < difference <= bound + 1e-12
    assert bound < 1e-3


class NoWait(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Refuses every operation whose result the host must wait for."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = func.overloadpacket.__name__
        if name in {
            "_local_scalar_dense",
            "item",
            "nonzero",
            "is_nonzero",
            "equal",
            "masked_select",
            "_to_copy",
        }:
            devices = {a.device.type for a in args if isinstance(a, torch.Tensor)}
            moves = name == "_to_copy" and (kwargs or {}).get("device") in {None, *(a.device for a in args)}
            if not moves and devices != {"cpu"}:
                raise AssertionError(f"{name} on {devices} waits for the device")
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("amsgrad", [False, True])
@pytest.mark.parametrize("foreach", [True, False])
@pytest.mark.parametrize("capturable", [False, True])
@pytest.mark.parametrize("lr", [1e-3, "host", "device"])
def test_step_never_waits_for_the_device(lr: Any, capturable: bool, foreach: bool, amsgrad: bool) -> None:
    """Tensors on the meta device have no values: whatever needs one on the host raises."""
    parameters = [torch.nn.Parameter(torch.empty(n, 2, device="meta")) for n in (3, 4)]
    optimizer = AdamS(parameters, 1e-3, amsgrad=amsgrad, foreach=foreach, capturable=capturable)
    if isinstance(lr, str):
        device = "cpu" if lr == "host" else "meta"
        optimizer.param_groups[0]["lr"] = torch.empty((), device=device).fill_(1e-3)
    for p in parameters:
        p.grad = torch.empty_like(p)
    with NoWait():  # type: ignore[no-untyped-call]
        for _ in range(3):
            optimizer.step()
        assert optimizer.root_mean_v.is_meta
        assert [decay.shape for decay in optimizer.effective_decay] == [()]
    assert optimizer.state[parameters[0]]["step"].is_meta == capturable


def test_the_guard_against_waits_would_notice_one() -> None:
    waits = pytest.raises((AssertionError, RuntimeError), match=r"waits for the device|meta")
    with NoWait(), waits:  # type: ignore[no-untyped-call]
        float(torch.empty((), device="meta"))


def test_every_operation_of_a_captured_step_stays_on_its_device() -> None:
    """Fake CUDA tensors check devices and read no values, as a capture would."""
    with FakeTensorMode():
        devices = ["cuda:0", "cuda:0", "cuda:1"]
        parameters = [torch.nn.Parameter(torch.empty(3, 2, device=device)) for device in devices]
        optimizer = AdamS(parameters, capturable=True, amsgrad=True)
        optimizer.param_groups[0]["lr"] = torch.ones((), device="cuda:0")
        for p in parameters:
            p.grad = torch.empty_like(p)
        for _ in range(2):
            optimizer.step()
        assert str(optimizer.root_mean_v.device) == "cuda:0"
        assert {str(state["step"].device) for state in optimizer.state.values()} == {"cuda:0", "cuda:1"}


def test_a_capture_that_would_not_count_its_steps_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: True)
    with FakeTensorMode():
        parameter = torch.nn.Parameter(torch.empty(3, device="cuda"))
        parameter.grad = torch.empty_like(parameter)
        with pytest.raises(RuntimeError, match="capturable=True"):
            AdamS([parameter]).step()


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


def one(value: float = 1.0, gradient: float | None = None, **options: Any) -> tuple[torch.nn.Parameter, AdamS]:
    """Return a parameter of two equal elements and its optimizer."""
    parameter = torch.nn.Parameter(torch.full((2,), value, dtype=torch.float64))
    if gradient is not None:
        parameter.grad = torch.full_like(parameter, gradient)
    return parameter, AdamS([parameter], **options)


INVALID: list[tuple[dict[str, Any], str]] = [
    ({"lr": -1e-3}, "Invalid learning rate: -0.001"),
    ({"lr": math.nan}, "Invalid learning rate: nan"),
    ({"lr": torch.ones(2)}, "Tensor lr must be 1-element"),
    ({"lr": torch.tensor(-1.0)}, "Invalid learning rate"),
    ({"betas": (1.0, 0.999)}, "Invalid beta parameter at index 0: 1.0"),
    ({"betas": (0.9, -0.1)}, "Invalid beta parameter at index 1: -0.1"),
    ({"eps": -1e-8}, "Invalid epsilon value: -1e-08"),
    ({"weight_decay": -1.0}, "Invalid weight_decay value: -1.0"),
    ({"weight_decay": math.nan}, "Invalid weight_decay value: nan"),
    ({"weight_decay": torch.ones(())}, "weight_decay must be a number"),
]


@pytest.mark.parametrize(("options", "message"), INVALID)
def test_invalid_options_are_refused(options: dict[str, Any], message: str) -> None:
    parameter = torch.nn.Parameter(torch.ones(2))
    with pytest.raises(ValueError, match=message):
        AdamS([parameter], **options)
    with pytest.raises(ValueError, match=message):
        AdamS([{"params": [parameter], **options}])
    optimizer = AdamS([torch.nn.Parameter(torch.ones(2))])
    with pytest.raises(ValueError, match=message):
        optimizer.add_param_group({"params": [parameter], **options})
    assert len(optimizer.param_groups) == 1


def test_complex_sparse_and_empty_are_refused() -> None:
    with pytest.raises(RuntimeError, match="complex"):
        AdamS([torch.nn.Parameter(torch.ones(2, dtype=torch.complex64))])
    with pytest.raises(ValueError, match="empty parameter list"):
        AdamS([])
    parameter = torch.nn.Parameter(torch.ones(2))
    parameter.grad = torch.ones(2).to_sparse()
    with pytest.raises(RuntimeError, match="sparse"):
        AdamS([parameter]).step()
    assert torch.equal(parameter.detach(), torch.ones(2))


def test_closure_runs_with_gradients_and_its_loss_is_returned() -> None:
    parameter, optimizer = one(lr=0.1, weight_decay=0)

    def closure() -> float:
        optimizer.zero_grad()
        loss = (parameter**2).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach())

    assert optimizer.step(closure) == 2
    torch.testing.assert_close(parameter.detach(), torch.full((2,), 0.9, dtype=torch.float64))


def test_without_any_gradient_nothing_changes() -> None:
    parameter, optimizer = one()
    optimizer.step()
    assert not optimizer.state
    assert optimizer.root_mean_v.isnan()
    assert torch.equal(parameter.detach(), torch.ones(2, dtype=torch.float64))


def test_parameters_without_a_gradient_do_not_count_in_v_bar() -> None:
    parameter, optimizer = one(gradient=3.0)
    optimizer.add_param_group({"params": [torch.nn.Parameter(torch.ones(100))]})
    optimizer.step()
    assert float(optimizer.root_mean_v) == pytest.approx(3, rel=1e-12)
    assert list(optimizer.state) == [parameter]


def test_without_weight_decay_a_vanishing_gradient_changes_nothing() -> None:
    parameter, optimizer = one(gradient=0.0, weight_decay=0)
    optimizer.step()
    assert torch.equal(parameter.detach(), torch.ones(2, dtype=torch.float64))
    assert [float(decay) for decay in optimizer.effective_decay] == [0]


def test_a_diverging_decay_is_recorded_and_not_clamped() -> None:
    parameter, optimizer = one(gradient=1e-6, lr=1e-2, weight_decay=1.0, eps=1e-16)
    optimizer.step()
    assert float(optimizer.effective_decay[0]) == pytest.approx(1e6, rel=1e-9)
    torch.testing.assert_close(parameter.detach(), torch.full((2,), 1 - 1e4 - 1e-2, dtype=torch.float64))
    parameter, optimizer = one(gradient=0.0, weight_decay=1.0)
    optimizer.step()
    assert float(optimizer.effective_decay[0]) == math.inf
    assert not parameter.isfinite().any()


@pytest.mark.parametrize("foreach", [True, False])
@pytest.mark.parametrize("capturable", [False, True])
def test_dtypes_mix_and_v_bar_is_summed_in_the_widest(capturable: bool, foreach: bool) -> None:
    dtypes = [torch.bfloat16, torch.float32, torch.float64, torch.float16]
    parameters = [torch.nn.Parameter(torch.ones(1000, dtype=dtype)) for dtype in dtypes]
    for p in parameters:
        p.grad = torch.full_like(p, 0.5)
    mixed = AdamS(parameters, 0.1, weight_decay=0.1, eps=1e-6, foreach=foreach, capturable=capturable)
    mixed.step()
    assert mixed.root_mean_v.dtype == torch.float64
    assert float(mixed.root_mean_v) == pytest.approx(0.5, rel=1e-3)
    for p, dtype in zip(parameters, dtypes, strict=True):
        assert p.dtype == dtype
        # (1 - 0.1 * 0.1 / 0.5) - 0.1, up to the rounding of the parameter's own type.
        np.testing.assert_allclose(p.detach().double(), 0.88, rtol=max(2 * torch.finfo(dtype).eps, 1e-4))
    half = AdamS(parameters[:1], capturable=capturable)
    half.step()
    assert half.root_mean_v.dtype == torch.float32


def test_works_with_a_scheduler_and_trains() -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
    inputs = torch.randn(64, 4)
    targets = inputs[:, :1] * inputs[:, 1:2]
    optimizer = AdamS(model.parameters(), 2e-2, weight_decay=1e-5)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 100, 0.1)
    losses = []
    for _ in range(200):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(inputs), targets)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        scheduler.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.1 * losses[0]
