"""A sweep where others run theirs: files beside the module and by relative paths, no home, one core, ASCII, spaces."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.sweep, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[3]
MODULE = """
import json, os
from pathlib import Path
import numpy, ray, torch
from robustness.workloads import Data, Workload

class Own(Workload):
    classes = 2

    def data(self, seed):
        table = torch.tensor(numpy.loadtxt("table.csv", delimiter=","), dtype=torch.float32)
        if ray.is_initialized():
            seen = {
                "folder": os.getcwd(),
                "file": __file__,
                "home": str(Path.home()),
                "data": os.environ["ROBUSTNESS_DATA"],
                "beside": Path(__file__).with_name("beside.txt").read_text("utf-8"),
                "cores": ray.cluster_resources()["CPU"],
            }
            Path("seen.json").write_text(json.dumps(seen), "utf-8")
        x, y = table[:, :2], table[:, 2].long()
        return Data(x[:40], y[:40], x[40:50], y[40:50], x[50:], y[50:])

    def model(self):
        return torch.nn.Linear(2, 2)
"""
STUDY = """
workload: {name: "tables:Own", epochs: 1, label: β₂ − of tables}
optimizers: [adamw]
space: {lr: [0.01], weight_decay: [0]}
seeds: 1
"""
COMMAND = """
import os, sys
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from robustness.cli import main
sys.exit(main())
"""


def test_a_worker_finds_what_the_command_finds(tmp_path: Path) -> None:
    here, package, temporary = tmp_path / "Über uns β", tmp_path / "a study" / "tables", tmp_path / "tmp ü"
    for folder in (here, package, temporary):
        folder.mkdir(parents=True)
    (package / "__init__.py").write_text(MODULE, "utf-8")
    (package / "beside.txt").write_text("is here", "utf-8")
    with (package / "large.bin").open("wb") as file:
        file.truncate(300 * 2**20)
    (package.parent / "own.yaml").write_text(STUDY, "utf-8")
    (here / "table.csv").write_text("".join(f"{i / 60},{-i / 60},{i % 2}\n" for i in range(60)), "utf-8")
    done = subprocess.run(
        [sys.executable, "-P", "-c", COMMAND, "run", str(package.parent / "own.yaml"), "--results", "out put"],
        cwd=here,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "ROBUSTNESS_PUBLISHED": "",
            "LC_ALL": "C",
            "PYTHONIOENCODING": "ascii",
            "HOME": "/dev/null/home",
            "TMPDIR": str(temporary),
        },
        capture_output=True,
        check=False,
    )
    said = (done.stdout + done.stderr).decode("ascii")
    assert done.returncode == 0, said
    assert "1 runs trained, 0 failed; results in " in said
    assert "\\x" not in said
    assert "\\u" not in said
    seen = json.loads((here / "seen.json").read_text("utf-8"))
    assert seen["folder"] == str(here)
    assert seen["file"] == str(package / "__init__.py")
    assert seen["beside"] == "is here"
    assert seen["cores"] == 1
    assert Path(seen["home"]).parent.name.startswith("robustness-ray-")
    assert seen["data"] == str(temporary / f"robustness-data-{os.geteuid()}")
    assert [each.name for each in temporary.glob("robustness-*")] == [f"robustness-data-{os.geteuid()}"]
    assert "β₂ − of tables" in (here / "out put/own/report.html").read_text("utf-8")
