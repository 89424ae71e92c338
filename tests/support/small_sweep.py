"""A small study and the command that sweeps it, as a terminal would start it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import IO

import pandas as pd
import pytest

from robustness.results.tables.schema import IDENTITY_COLUMNS, OUTCOME_COLUMNS

STUDY = """
name: small
workload: {name: digits, epochs: 6}
optimizers: [adams, adamw, adam]
space:
  lr: {low: 1e-4, high: 1, points: 6}
  weight_decay: {low: 1e-4, high: 10, points: 5, zero: true}
seeds: 3
resources: {stack_size: 12}
"""

RUNS = 3 * 6 * 6 * 3
STACKS = RUNS / 12

COLUMNS = [*IDENTITY_COLUMNS, *OUTCOME_COLUMNS]


def command(study: Path, results: Path, *more: str) -> list[str]:
    """Return the command that sweeps a study."""
    return [
        sys.executable,
        "-m",
        "robustness.cli",
        "run",
        str(study),
        "--results",
        str(results),
        "--no-report",
        *more,
    ]


def start(study: Path, results: Path, *more: str, errors: int | IO[str] = subprocess.PIPE) -> subprocess.Popen[str]:
    """Start the command as a terminal would: leader of a process group of its own."""
    return subprocess.Popen(
        command(study, results, *more),
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        start_new_session=True,
    )


def finish(study: Path, results: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, which is a success."""
    done = subprocess.run(command(study, results, *more), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done


def table(results: Path, name: str = "small") -> pd.DataFrame:
    """Return the outcomes as pandas reads them, without any help of ours."""
    frame = pd.read_parquet(Path(results) / name / "runs")[COLUMNS]
    return frame.sort_values("run_id").reset_index(drop=True)


def stored(results: Path) -> int:
    """Count the parts that are stored."""
    folder = Path(results) / "small" / "runs"
    return len(list(folder.glob("*.parquet"))) if folder.exists() else 0


@pytest.fixture(scope="module", name="study")
def small_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the study's file."""
    path = tmp_path_factory.mktemp("study") / "small.yaml"
    path.write_text(STUDY)
    return path
