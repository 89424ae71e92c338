"""A table of many parts: reading and aggregating it comes to what plain pandas finds, however it is stored."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from analysis.landscapes.labels import label
from analysis.landscapes.landscape import landscapes
from benchmarks import million
from robustness.results import Store
from tests.support import synthetic

pytestmark = pytest.mark.slow

RUNS = 20 * 20 * 3 * 4 + 600  # four seeds in every cell, a fifth in half of them


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("large") / "study"
    million.make(folder, RUNS, side=20)
    return folder


def test_reading_is_what_pandas_reads(root: Path) -> None:
    mine, plain = Store(root).runs(), pd.read_parquet(root / "runs")
    assert len(mine) == len(plain) == RUNS
    keys = ["workload", "optimizer", "lr", "weight_decay", "seed"]
    expected = plain.sort_values([*keys, "run_id"], ignore_index=True)
    assert list(mine.columns) == list(expected.columns)
    for name in mine:
        missing = expected[name].isna().to_numpy()
        np.testing.assert_array_equal(mine[name].isna(), missing)
        np.testing.assert_array_equal(mine[name][~missing], expected[name][~missing])


def test_landscapes_are_a_plain_groupby(root: Path) -> None:
    plain = pd.read_parquet(root / "runs")
    maps = landscapes(label(Store(root).runs()))
    assert list(maps) == ["adam", "adams", "adamw"]
    for name, one in maps.items():
        own = plain[plain["optimizer"] == name]
        own = own.assign(error=own["test_error"].fillna(own["baseline"]))
        cells = own.groupby(["weight_decay", "lr"])["error"]
        np.testing.assert_allclose(one.mean.ravel(), cells.mean(), rtol=1e-12)
        np.testing.assert_allclose(one.std.ravel(), cells.std(), rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(one.seeds.ravel(), cells.count())
        assert set(np.unique(one.seeds)) <= {4, 5}


def test_permuted_rows_and_copied_files_change_nothing(root: Path, tmp_path: Path) -> None:
    runs = Store(root).runs()
    other = Store(tmp_path / "other")
    shuffled = runs.sample(frac=1, random_state=1)
    for part in np.array_split(np.arange(len(shuffled)), 13):
        rows = shuffled.iloc[part]
        other.write(other.part_name(rows["run_id"]), pa.Table.from_pandas(rows, preserve_index=False), [])
    for number, path in enumerate(sorted(Path(other.root, "runs").iterdir())[:5]):
        shutil.copy(path, path.with_name(f"copy-{number}.parquet"))
    pd.testing.assert_frame_equal(Store(other.root).runs(), runs)
    twice = pd.concat([shuffled, runs.head(900)])
    for one, same in zip(landscapes(runs).values(), landscapes(twice).values(), strict=True):
        for name in ("mean", "std", "low", "high", "seeds", "status", "diverged"):
            np.testing.assert_array_equal(getattr(one, name), getattr(same, name))


def test_runs_that_differ_in_options_alone_stand_in_the_order_of_their_ids(tmp_path: Path) -> None:
    one = synthetic.runs({"adam": synthetic.Basin()}, lr=(1e-3, 1e-2), weight_decay=(1e-3,), seeds=2)
    other = one.assign(run_id=["b", "a", "d", "c"], optimizer_options='{"eps": 1.0}')
    store = Store(tmp_path / "tied")
    for number, rows in enumerate([other, one]):
        store.write(f"part{number}", pa.Table.from_pandas(rows, preserve_index=False), [])
    runs = store.runs()
    keys = runs[["lr", "seed", "run_id"]].apply(tuple, axis=1).tolist()
    assert keys == sorted(keys)
    assert len(runs) == 8
