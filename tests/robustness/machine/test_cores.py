"""Cores that a process may use: what binds it, what a container's quota leaves, what SLURM gave."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from robustness.machine import cores
from robustness.plan.planning import workers
from robustness.study import Resources

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight cores, which nothing bounds yet."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    monkeypatch.setattr(cores, "GROUPS", tmp_path)
    monkeypatch.setattr(cores, "OWN_GROUP", tmp_path / "own")
    monkeypatch.delenv(cores.ON_NODE, raising=False)


def write(place: Path, text: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, "utf-8")


def test_those_that_it_is_bound_to(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cores.usable() == 8
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3})
    assert cores.usable() == 1
    monkeypatch.delattr(os, "sched_getaffinity")  # as on macOS
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cores.usable() == 1


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu.max": "max 100000\n"}, 8),
        ({"cpu.max": "250000 100000\n"}, 2),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"own": "0::/a/b\n", "a/cpu.max": "300000 100000", "a/b/cpu.max": "max 100000", "cpu.max": "max 1"}, 3),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 8),
        ({"cpu/cpu.cfs_quota_us": "400000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 4),
        ({"own": "3:cpu,cpuacct:/j\n", "cpu/j/cpu.cfs_quota_us": "2", "cpu/j/cpu.cfs_period_us": "1"}, 2),
        ({"own": "nonsense", "cpu.max": "nonsense"}, 8),
    ],
)  # fmt: skip
def test_what_a_containers_quota_leaves(files: dict[str, str], expected: int, tmp_path: Path) -> None:
    for name, text in files.items():
        write(tmp_path / name, text)
    assert cores.usable() == expected


def test_what_slurm_gave_on_this_machine_and_what_a_plan_makes_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cores.ON_NODE, "3")
    assert cores.usable() == 3
    assert workers(Resources()) == 3
    assert workers(Resources(cpus=2)) == 1
    assert workers(Resources(cpus=4)) == 1
    monkeypatch.setenv(cores.ON_NODE, "64")
    assert cores.usable() == 8
