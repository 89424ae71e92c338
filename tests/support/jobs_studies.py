"""For the tests of jobs: studies whose own workload waits at a gate and fails on demand, and commands on them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from tests.support.jobs_head import ROOT, TOKEN
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

GATED = """
import os
import time
from pathlib import Path

import torch

from robustness.workloads import Data, Workload


class Gated(Workload):
    classes = 3
    faulty_seed: int = -1

    def data(self, seed):
        while seed >= 1 and Path(os.environ["GATE"]).exists():
            time.sleep(0.05)
        if seed == self.faulty_seed:
            raise ValueError("this seed has no data")
        draws = torch.Generator().manual_seed(seed)
        x, y = torch.randn(120, 4, generator=draws), torch.arange(120) % 3
        x[:, 0] += y
        return Data(x[:60], y[:60], x[60:90], y[60:90], x[90:], y[90:])

    def model(self):
        return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3))
"""

STUDY = """\
name: gated
workload: {name: "gated:Gated", epochs: 2, batch_size: 16}
optimizers: [adams, adamw]
space: {lr: [1.0e-3, 1.0e-2, 1.0e-1], weight_decay: [0, 1.0e-3]}
seeds: 3
resources: {stack_size: 6}
"""
RUNS, OF_A_SEED = 36, 12
WAIT_S = 240

# Without a name: it is called after its file.
FAULTY = """\
workload: {name: "gated:Gated", epochs: 2, batch_size: 16, faulty_seed: 1}
optimizers: [adamw]
space: {lr: [1.0e-2], weight_decay: [0, 1.0e-3]}
seeds: 2
resources: {retries: 0}
"""


def write(folder: Path) -> Path:
    """Write the studies and their module, in a folder where git would ignore the module; return the first study."""
    (folder / "gated.py").write_text(GATED)
    (folder / ".gitignore").write_text("*.py\n")
    (folder / "faulty.yaml").write_text(FAULTY)
    path = folder / "gated.yaml"
    path.write_text(STUDY)
    return path


class Following:
    """A command on a machine that has the cluster's token; its output is read while it runs."""

    def __init__(self, *arguments: str, address: str) -> None:
        ours = {"RAY_AUTH_TOKEN": TOKEN, "RAY_API_SERVER_ADDRESS": address, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "robustness.cli", *arguments],
            env={name: value for name, value in os.environ.items() if not name.startswith("RAY_")} | ours,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # as a shell does, so that Ctrl-C reaches it alone
        )
        self.lines: list[str] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout
        self.lines.extend(line.rstrip("\n") for line in iter(self.process.stdout.readline, ""))

    @property
    def text(self) -> str:
        """All that it has printed."""
        return "\n".join(self.lines)

    def until(self, words: str) -> None:
        """Wait for words."""

        def printed() -> bool:
            ended = not self._thread.is_alive()
            assert words in self.text or not ended, f"it ended without '{words}':\n{self.text}"
            return words in self.text

        wait_for(printed, WAIT_S, why=lambda: f"'{words}' was not printed, but:\n{self.text}")

    def end(self) -> int:
        """Wait for its end; return the exit code."""
        code = self.process.wait(WAIT_S)
        self._thread.join(10)
        return code

    def close(self) -> None:
        """End it, if it has not ended."""
        self.process.kill()
        self.end()
        assert self.process.stdout
        self.process.stdout.close()
