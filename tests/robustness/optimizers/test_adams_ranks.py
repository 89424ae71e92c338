"""`AdamS` on two processes that divide a model gives the weights of one process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from robustness.optimizers import AdamS
from tests.support.rank_cases import EVERY, OPTIONS
from tests.support.ranks import DECAY, LR, alone, on_ranks

if TYPE_CHECKING:
    from pathlib import Path

Ranks = list[dict[str, Any]]
OWN = ["lonely, plain", "stages, plain"]


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> Ranks:
    return on_ranks([*EVERY, *OWN], tmp_path_factory.mktemp("ranks"))


def assert_as_alone(ranks: Ranks, case: str) -> None:
    expected = alone(**OPTIONS[case.split(", ")[1]])
    for rank in ranks:
        assert rank[case].keys() == expected.keys()
        for name, value in expected.items():
            torch.testing.assert_close(rank[case][name], value, rtol=1e-12, atol=1e-13)


@pytest.mark.slow
def test_two_ranks_of_fsdp2_have_the_weights_of_one_process(tmp_path: Path) -> None:
    """The one case of these in `make test`."""
    case = "FSDP2, amsgrad"
    assert_as_alone(on_ranks([case], tmp_path), case)


@pytest.mark.distributed
@pytest.mark.parametrize("case", EVERY)
def test_two_ranks_have_the_weights_of_one_process(ranks: Ranks, case: str) -> None:
    assert_as_alone(ranks, case)


@pytest.mark.distributed
def test_a_rank_of_zero_without_parameters_takes_part_in_the_sum(ranks: Ranks) -> None:
    parameter = torch.nn.Parameter(torch.ones(3, dtype=torch.float64))
    parameter.grad = torch.full_like(parameter, 0.5)
    AdamS([parameter], LR, weight_decay=DECAY).step()
    for rank in ranks:
        torch.testing.assert_close(rank["lonely, plain"]["weight"], parameter.detach(), rtol=1e-12, atol=0)
        assert rank["lonely, plain"]["root_mean_v"].item() == 0.5


@pytest.mark.distributed
def test_v_bar_is_over_what_has_a_gradient_on_any_rank_in_any_type(ranks: Ranks) -> None:
    """One element of gradient 1 on a rank and three of 2 on the other; then one of 3 alone."""
    for rank in ranks:
        assert rank["stages, plain"]["roots"].tolist() == pytest.approx([(13 / 4) ** 0.5, 3.0], rel=1e-7)
