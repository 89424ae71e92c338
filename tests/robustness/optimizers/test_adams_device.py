"""`AdamS` never waits for the device."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from robustness.optimizers import AdamS


class NoWait(TorchDispatchMode):
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
    with NoWait():
        for _ in range(3):
            optimizer.step()
        assert optimizer.root_mean_v.is_meta
        assert [decay.shape for decay in optimizer.effective_decay] == [()]
    assert optimizer.state[parameters[0]]["step"].is_meta == capturable


def test_the_guard_against_waits_would_notice_one() -> None:
    waits = pytest.raises((AssertionError, RuntimeError), match=r"waits for the device|meta")
    with NoWait(), waits:
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
