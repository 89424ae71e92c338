"""The examples of docs/own-workloads.md: as short as they say, and they work from a wheel on a cluster of two nodes."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from tests.support.waiting import wait_for
from tests.support.wheel import ROOT, installed

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["installed"]

EXAMPLES = ROOT / "docs" / "examples"
PAGE = ROOT / "docs" / "own-workloads.md"


@pytest.mark.parametrize("name", ["tabular.py", "lion.yaml"])
def test_an_example_has_twenty_lines_at_most_and_the_page_shows_it_whole(name: str) -> None:
    text = (EXAMPLES / name).read_text()
    assert len(text.splitlines()) <= 20
    blocks = re.findall(r"^```\w+\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert text in blocks


@pytest.mark.slow
@pytest.mark.sweep
def test_the_examples_work_from_a_wheel_on_two_nodes(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONPATH", str(installed))  # of the nodes' workers, too
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    (tmp_path / "elsewhere").mkdir()
    places = [tmp_path / "one", tmp_path / "two"]
    for place in places:
        place.mkdir()
    cluster = Cluster()
    try:
        for place in places:  # where a node's workers unpack modules
            cluster.add_node(num_cpus=1, include_dashboard=False, env_vars={"TMPDIR": str(place)})
        used, out = _sweep(cluster.address, tmp_path, places)
        assert len(cluster.list_all_nodes()) == 2
    finally:
        cluster.shutdown()
    assert used == set(places), "both nodes have trained"
    assert "36 runs trained, 0 failed" in out
    runs = pd.read_parquet(tmp_path / "results" / "lion" / "runs")
    assert (runs["status"] == "completed").all()
    assert runs.groupby("optimizer")["run_id"].nunique().to_dict() == {"adamw": 18, "pytorch_optimizer:Lion": 18}
    assert set(runs["workload"]) == {"tabular:Tabular"}
    assert "+" not in runs["code_version"].iloc[0], "it was the wheel, which belongs to no commit"
    assert runs.groupby("optimizer")["test_error"].min().max() < 10, "37 % of the patients have the rarer outcome"
    report = (tmp_path / "results" / "lion" / "report.html").read_text()
    assert "Lion" in report
    assert "study.yaml cannot be read" not in report


def _sweep(address: str, folder: Path, places: list[Path]) -> tuple[set[Path], str]:
    """Run the study on the cluster; return in which places modules were unpacked, and what was printed."""
    command = [sys.executable, "-P", "-m", "robustness.cli", "run", str(folder / "examples" / "lion.yaml")]
    process = subprocess.Popen(
        [*command, "--results", str(folder / "results"), "--address", address, "--quiet"],
        cwd=folder / "elsewhere",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    used: set[Path] = set()

    def ended() -> bool:
        used.update(place for place in places if any(place.glob("robustness-modules-*/tabular.py")))
        return process.poll() is not None

    try:
        wait_for(ended, 300)
    finally:
        process.kill()
    out, errors = process.communicate()
    assert process.returncode == 0, errors
    return used, out
