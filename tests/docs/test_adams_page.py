"""docs/adams.md: its code works, and it does what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from robustness.optimizers import AdamS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "adams.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def run(word: str, **names: Any) -> dict[str, Any]:
    """Run the page's block that has a word."""
    (block,) = (each for each in BLOCKS if word in each)
    exec(compile(block, PAGE, "exec"), names)
    return names


def trained(optimizer: torch.optim.Optimizer, model: torch.nn.Module) -> None:
    for seed in range(5):
        optimizer.zero_grad()
        model(torch.randn(8, 3, generator=torch.Generator().manual_seed(seed))).square().mean().backward()
        optimizer.step()


@pytest.fixture
def model() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Linear(3, 2)


def test_plain_torch_and_lightning(model: torch.nn.Module) -> None:
    made = run("from robustness", model=model)["optimizer"]
    configured = run("configure_optimizers", AdamS=AdamS)["configure_optimizers"](model)
    for optimizer in (made, configured):
        trained(optimizer, model)
        assert optimizer.root_mean_v > 0


def test_the_decay_of_adamw_is_carried_over_for_a_step(model: torch.nn.Module) -> None:
    adamw = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
    trained(adamw, model)
    root = run("adamw.state", adamw=adamw)["root_mean_v"]
    adams = AdamS(model.parameters(), lr=1e-2, weight_decay=0.1)
    adams.load_state_dict(adamw.state_dict())
    trained(adams, model)
    again = run("adamw.state", adamw=adams)["root_mean_v"]
    torch.testing.assert_close(again, adams.root_mean_v, rtol=1e-5, atol=0)
    assert root > 0
    assert adams.effective_decay[0] == pytest.approx(0.1 / again.item(), rel=1e-5)
