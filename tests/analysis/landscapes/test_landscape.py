"""The runs table becomes a map: against a slow loop, on irregular grids, at a million rows."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.figures.base.theme import decade_ticks
from analysis.landscapes.labels import canonical, label
from analysis.landscapes.landscape import Landscape, Status, edges, landscapes
from analysis.landscapes.sampled import interpolated_map, samples
from tests.support import synthetic

MODULES = [
    "analysis", "analysis.landscapes.basin", "analysis.contents.gather", "analysis.figures.export", "analysis.figures",
    "analysis.landscapes.landscape",
    "analysis.report.report", "analysis.landscapes.sampled", "analysis.contents.summary", "analysis.report.notes",
]  # fmt: skip


def messy() -> pd.DataFrame:
    """Runs with missing cells, fewer seeds, failed runs and cells that diverged in part."""
    random = np.random.default_rng(7)
    runs = synthetic.runs(diverges=18.0)
    runs = runs[random.random(len(runs)) > 0.35].reset_index(drop=True)
    lost = random.random(len(runs)) < 0.1
    runs.loc[lost, "status"] = "diverged"
    runs.loc[lost, "test_error"] = np.nan
    slow = (runs["status"] == "completed") & ((random.random(len(runs)) < 0.1) | (runs["weight_decay"] == 0))
    runs.loc[slow, "test_error"] = synthetic.CHANCE + random.random(slow.sum())
    return synthetic.failed(runs, pd.Series(random.random(len(runs)) < 0.15))


def by_hand(runs: list[dict[str, Any]], lr: float, weight_decay: float) -> dict[str, float]:
    values, diverged, slow, failed = [], 0, 0, 0
    for run in runs:
        if run["lr"] == lr and run["weight_decay"] == weight_decay:
            if run["status"] == "failed":
                failed += 1
            else:
                values.append(run["baseline"] if run["status"] == "diverged" else run["test_error"])
                diverged += run["status"] == "diverged"
                slow += run["status"] == "completed" and run["test_error"] >= 90
    nan = float("nan")
    mean = sum(values) / len(values) if values else nan
    squares = sum((v - mean) ** 2 for v in values)
    return {
        "mean": mean,
        "std": (squares / (len(values) - 1)) ** 0.5 if len(values) > 1 else nan,
        "low": min(values, default=nan),
        "high": max(values, default=nan),
        "seeds": len(values),
        "diverged": diverged / len(values) if values else nan,
        "at_chance": slow / len(values) if values else nan,
        "failed": failed,
    }


def test_map_equals_a_slow_loop_over_cells() -> None:
    runs = messy()
    maps = landscapes(runs)
    seen = set()
    for name, one in maps.items():
        columns = ["lr", "weight_decay", "status", "baseline", "test_error"]
        own: list[Any] = runs.loc[runs["optimizer"] == name, columns].to_dict("records")
        for i, weight_decay in enumerate(one.weight_decay):
            for j, lr in enumerate(one.lr):
                expected = by_hand(own, lr, weight_decay)
                for field, value in expected.items():
                    assert getattr(one, field)[i, j] == pytest.approx(value, rel=1e-12, nan_ok=True), field
                status = (
                    Status.DIVERGED if expected["diverged"] == 1
                    else Status.AT_CHANCE if expected["diverged"] + expected["at_chance"] == 1
                    else Status.PARTLY_DIVERGED if expected["diverged"] > 0
                    else Status.PARTLY_AT_CHANCE if expected["at_chance"] > 0
                    else Status.COMPLETED if expected["seeds"]
                    else Status.FAILED if expected["failed"]
                    else Status.MISSING
                )  # fmt: skip
                assert one.status[i, j] == status
                seen.add(status)
    assert seen == set(Status), "the table must hold every kind of cell for this test to mean anything"


def same(a: Landscape, b: Landscape) -> None:
    for field in Landscape.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(a, field), getattr(b, field), err_msg=field)


def test_order_and_repetition_of_rows_change_no_bit() -> None:
    runs = messy()
    shuffled = pd.concat([runs, runs.iloc[::3]]).sample(frac=1, random_state=3)
    one, other = landscapes(runs), landscapes(shuffled)
    assert list(one) == list(other)
    for name in one:
        same(one[name], other[name])


def test_axes_of_the_study_show_missing_cells_and_leave_out_others() -> None:
    runs = synthetic.runs(lr=(1e-3, 1e-2, 1e-1), weight_decay=(0.0, 1e-3))
    wider = landscapes(runs, lr=(1e-4, 1e-3, 1e-2), weight_decay=(0.0, 1e-4, 1e-3))["adamw"]
    assert wider.mean.shape == (3, 3)
    assert wider.zero
    np.testing.assert_array_equal(wider.status == Status.MISSING, [[1, 0, 0], [1, 1, 1], [1, 0, 0]])
    alone = landscapes(runs)["adamw"]
    np.testing.assert_array_equal(wider.mean[::2, 1:], alone.mean[:, :2])
    np.testing.assert_allclose(wider.weight_decay_native, [0, 0.1, 1.0])


def test_axes_keep_an_optimizer_without_a_run_and_without_them_it_has_no_map() -> None:
    runs = synthetic.runs(lr=(1e-3,), weight_decay=(1e-3,))
    runs = label(runs[runs["optimizer"] != "adamw"], {(n, canonical(o)): n for n, o in keys(runs)})
    assert list(landscapes(runs)) == ["adam", "adams"]
    assert (landscapes(runs, lr=(1e-3,), weight_decay=(1e-3,))["adamw"].status == Status.MISSING).all()


def keys(runs: pd.DataFrame) -> list[tuple[str, str]]:
    return list(runs[["optimizer", "optimizer_options"]].drop_duplicates().itertuples(index=False, name=None))


def test_labels_tell_two_of_one_optimizer_apart() -> None:
    slow = synthetic.runs({"adams": synthetic.Basin(options={"beta2": 0.9, "eps": 1e-8})}, seeds=1)
    fast = synthetic.runs({"adams": synthetic.Basin(options={"eps": 1e-8, "beta2": 0.99})}, seeds=1)
    fast["run_id"] = "f" + fast["run_id"]
    both = pd.concat([slow, fast])
    assert list(landscapes(both)) == ["adams beta2=0.9", "adams beta2=0.99"]
    named = {("adams", '{"beta2": 0.99, "eps": 1e-08}'): "fast", ("adam", "{}"): "other"}
    rows = label(both, named)
    assert set(rows["label"]) == {"fast"}
    assert len(rows) == len(fast)


def test_edges_are_geometric_midpoints() -> None:
    np.testing.assert_allclose(edges([1e-3, 1e-2, 1e-1]), [10**-3.5, 10**-2.5, 10**-1.5, 10**-0.5])
    np.testing.assert_allclose(edges([1.0, 4.0, 100.0]), [0.5, 2.0, 20.0, 500.0])
    np.testing.assert_allclose(edges([1e-3]), [10**-3.5, 10**-2.5])


@pytest.mark.parametrize("values", [[0.0, 1.0], [1.0, 1.0], [2.0, 1.0], [-1.0]])
def test_edges_refuse_what_has_no_place_on_a_log_axis(values: list[float]) -> None:
    with pytest.raises(ValueError, match="positive, ascending"):
        edges(values)


def test_one_seed_has_no_spread_and_no_validation_split_has_no_map() -> None:
    runs = synthetic.runs(seeds=1, validation=False)
    assert np.isnan(landscapes(runs)["adams"].std).all()
    assert np.isnan(landscapes(runs, "validation_error")["adams"].mean).all()
    assert landscapes(runs.iloc[:0]) == {}


@pytest.mark.slow
def test_a_million_runs() -> None:
    lr, decay = tuple(np.logspace(-4, 0, 58)), tuple(np.logspace(-6, -1, 58))
    runs = synthetic.runs(lr=lr, weight_decay=decay, seeds=100)
    assert len(runs) > 1_000_000
    maps = landscapes(runs)
    assert all((one.seeds == 100).all() for one in maps.values())


def test_surface_is_exact_on_a_plane_and_ends_with_its_points() -> None:
    cells = samples(synthetic.sampled(30))
    cells = cells[cells["label"] == "adams"].copy()
    cells["mean"] = 3 + 2 * np.log10(cells["lr"]) - np.log10(cells["weight_decay"])
    made = interpolated_map(cells, size=40)
    assert made is not None
    plane = 3 + 2 * np.log10(made.lr) - np.log10(made.weight_decay)[:, None]
    values = np.asarray(made.values)
    inside = np.isfinite(values)
    assert 0.3 < inside.mean() < 1
    np.testing.assert_allclose(values[inside], plane[inside], atol=1e-9)
    assert not inside[0, 0]
    line = cells.assign(weight_decay=cells["lr"] ** 2)
    assert interpolated_map(line) is None
    assert interpolated_map(cells.iloc[:2]) is None


def test_samples_equal_the_landscape_of_the_same_runs() -> None:
    runs = messy()
    maps, cells = landscapes(runs), samples(runs)
    for cell in cells.to_dict("records"):
        one = maps[cell["label"]]
        place = np.searchsorted(one.weight_decay, cell["weight_decay"]), np.searchsorted(one.lr, cell["lr"])
        for field in ("mean", "std", "low", "high", "seeds", "diverged", "failed"):
            assert getattr(one, field)[place] == pytest.approx(cell[field], nan_ok=True), field


@pytest.mark.slow
def test_looking_at_results_loads_neither_torch_nor_ray() -> None:
    code = f"import sys, {', '.join(MODULES)}; print([m for m in ('torch', 'ray') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_edges_end_where_numbers_do() -> None:
    """An axis with a slip of an exponent has a map all the same."""
    found = edges([1e-4, 1e307])
    assert np.isfinite(found).all()
    assert found[-1] == np.finfo(np.float64).max
    low = edges([1e-307, 1.0])
    assert low[0] > 0
    ticks, _ = decade_ticks(float(found[0]), float(found[-1]))
    assert np.isfinite(ticks).all()
