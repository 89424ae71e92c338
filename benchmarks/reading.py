"""Reading and drawing results, each against what a person would write with pandas or Plotly alone.

    python -m benchmarks.reading

The tables are synthetic, of the size of the default study and of a million runs.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.express as px

from analysis.landscapes.landscape import landscapes
from analysis.report import report
from robustness.results import Store
from tests.support import synthetic, synthetic_store

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> int:
    """Measure and print."""
    print("| what | ours, s | peer, s | ours / peer | peer |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        text = synthetic_store.STUDY.replace("points: 12", "points: 14")
        study = synthetic_store.of_study(text)
        root = synthetic_store.store(Path(folder) / "few", study, text, parts=18)
        one_by_one = synthetic_store.store(Path(folder) / "many", study.head(1000), text, parts=1000)
        _row(f"read {len(study)} runs in 18 files", lambda: Store(root).runs(), *_pandas(root))
        _row("read 1000 runs in 1000 files", lambda: Store(one_by_one).runs(), *_pandas(one_by_one))
        _row(f"report of {len(study)} runs x 20 epochs", lambda: report.write_report(root), *_plotly(root, study))
    lr, decay = tuple(np.logspace(-4, 0, 58)), tuple(np.logspace(-6, -1, 58))
    million = synthetic.runs(lr=lr, weight_decay=decay, seeds=100)
    _row(f"landscapes of {len(million)} runs", lambda: landscapes(million), *_pivot(million))
    return 0


def _pandas(root: Path) -> tuple[Callable[[], object], str]:
    return lambda: pd.read_parquet(root / "runs"), "`pandas.read_parquet`"


def _plotly(root: Path, runs: pd.DataFrame) -> tuple[Callable[[], object], str]:
    def draw() -> None:
        table = runs[runs["optimizer"] == "adams"].pivot_table(index="weight_decay", columns="lr", values="test_error")
        px.imshow(table).write_html(root / "peer.html")

    return draw, "one `px.imshow` to a self-contained page"


def _pivot(runs: pd.DataFrame) -> tuple[Callable[[], object], str]:
    keys = ["optimizer", "weight_decay", "lr"]
    return lambda: runs.pivot_table(index=keys, values="test_error", aggfunc=["mean", "std", "count"]), "`pivot_table`"


def _row(what: str, ours: Callable[[], object], peer: Callable[[], object], name: str) -> None:
    """Time both in turn, three times, and print the medians."""
    pairs = [(_seconds(ours), _seconds(peer)) for _ in range(3)]
    mine, theirs = (sorted(column)[1] for column in zip(*pairs, strict=True))
    print(f"| {what} | {mine:.3f} | {theirs:.3f} | {mine / theirs:.2f} | {name} |")


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
