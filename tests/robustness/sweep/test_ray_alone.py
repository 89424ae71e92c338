"""What a sweep on this machine shows to others: no port to a neighbour, no file to another user."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.support.two_networks import TwoNetworks, missing
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.hosts, pytest.mark.sweep, pytest.mark.slow]

# Digits that wait, once they are in training, until a file is there.
MODULE = """
import pathlib, time
from robustness.workloads.digits import Digits

class Waiting(Digits):
    def feed(self, seed, device, dtype):
        here = pathlib.Path({folder!r})
        (here / "trains").touch()
        while not (here / "go on").exists():
            time.sleep(0.05)
        return super().feed(seed, device, dtype)
"""
STUDY = """
name: x
workload: {name: "waiting:Waiting", epochs: 1, train_size: 100, width: 8}
optimizers: [adam]
space: {lr: [1e-3], weight_decay: [1e-3]}
seeds: 1
"""


@pytest.fixture(name="networks")
def two_networks() -> Iterator[TwoNetworks]:
    """Make a machine and its neighbour."""
    if why := missing():
        pytest.skip(why)
    with TwoNetworks() as made:
        yield made


def test_a_sweep_opens_no_port_to_others_and_its_files_are_its_own(networks: TwoNetworks, tmp_path: Path) -> None:
    (tmp_path / "waiting.py").write_text(MODULE.replace("{folder!r}", repr(str(tmp_path))))
    (tmp_path / "x.yaml").write_text(STUDY)
    (long := tmp_path / ("jobdir-of-a-batch-system-" * 4)).mkdir()
    options = ("--results", str(tmp_path / "results"), "--no-report", "--no-try")
    line = ("robustness.cli", "run", str(tmp_path / "x.yaml"), *options)
    ours = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    sweep = networks.start(
        *(sys.executable, "-m", *line),
        env={**ours, "HOME": str(tmp_path), "TMPDIR": str(long)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        wait_for(lambda: (tmp_path / "trains").exists() or sweep.poll() is not None, why="the training begins")
        folder = ray_folder(sweep.pid)
        with networks.listener() as open_to_all:
            ports = networks.listening()
            met = networks.tried([*ports])
        assert len(ports) > 8, f"a GCS, a raylet, agents and workers listen somewhere: {ports}"
        reached = {place for place, what in met.items() if what != "ConnectionRefusedError"}
        assert {place.split()[1] for place in reached} == {str(open_to_all)}, (reached, ports)
        assert len(reached) == 2, "what listens to all is reached by IPv4 and IPv6, so the others could be"
        assert folder.stat().st_mode & 0o777 == 0o700
        assert folder.stat().st_uid == os.geteuid()
    finally:
        (tmp_path / "go on").touch()
        said, _ = sweep.communicate(timeout=90)
    assert sweep.returncode == 0, said
    assert "1 runs trained, 0 failed" in said
    assert not folder.exists()
    assert not (tmp_path / ".ray").exists(), "no token of the user's is made"


def ray_folder(driver: int) -> Path:
    """Return the folder that a driver made for its Ray, as the commands of its processes name it."""
    words = [word for each in psutil.Process(driver).children(recursive=True) for word in each.cmdline()]
    return next(Path(word.partition("=")[2]).parent for word in words if word.startswith("--temp-dir="))
