"""The examples of docs/own-workloads.md: as short as they say, and they work from a wheel on a cluster of two nodes."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from tests.support.wheel import ROOT, installed

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["installed"]

EXAMPLES = ROOT / "docs" / "examples"
MARKED = (
    "    def data(self, seed):\n",
    "    def data(self, seed):\n"
    "        import pathlib, tempfile\n"
    "        pathlib.Path(tempfile.gettempdir(), 'trained').touch()\n",
)
"""What tells in a node's own folder for temporary files that it has trained."""

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
    module = tmp_path / "examples" / "tabular.py"
    module.write_text(module.read_text("utf-8").replace(*MARKED), "utf-8")
    (tmp_path / "elsewhere").mkdir()
    places = [tmp_path / "one", tmp_path / "two"]
    for place in places:
        place.mkdir()
    cluster = Cluster()
    try:
        for place in places:  # where a node's workers have their temporary files
            cluster.add_node(num_cpus=1, include_dashboard=False, env_vars={"TMPDIR": str(place)})
        out = _sweep(cluster.address, tmp_path)
        assert len(cluster.list_all_nodes()) == 2
    finally:
        cluster.shutdown()
    assert [(place / "trained").exists() for place in places] == [True, True], "both nodes have trained"
    assert not [each for place in places for each in place.glob("robustness-modules-*")], "the modules are there"
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


def _sweep(address: str, folder: Path) -> str:
    """Run the study on the cluster; return what was printed."""
    command = [sys.executable, "-P", "-m", "robustness.cli", "run", str(folder / "examples" / "lion.yaml")]
    done = subprocess.run(
        [*command, "--results", str(folder / "results"), "--address", address, "--quiet"],
        cwd=folder / "elsewhere",
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
