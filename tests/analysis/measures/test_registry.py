"""The contract of every measure: one row, one formula, and what may change without changing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from analysis.landscapes.labels import label
from analysis.measures import registry
from analysis.measures.contrasts import Contrasts
from analysis.measures.over_landscape import OverLandscape
from analysis.statistics.comparison import Question
from robustness.claims import measures
from robustness.claims.claim import Claim
from robustness.claims.measures import MEASURES, Measure, MeasurePlugin
from robustness.plugins import Plugin, PluginError
from tests.support import synthetic

if TYPE_CHECKING:
    import pandas as pd

DECAY = (0.0, 1e-5, 1e-4, 1e-3, 1e-2)
LR = (1e-4, 1e-3, 3e-3, 1e-2, 1e-1)
BASINS = {name: synthetic.Basin(depth, x, y, 1.4, 1.2) for name, depth, x, y in
          (("adam", 2.6, -2.6, -3.4), ("adamw", 2.3, -2.2, -2.9))}  # fmt: skip
DIFFERS = {"optimum_weight_decay": np.log10(50.0)}
"""What a value gains where the weight decays are multiplied by 50: it is one of them."""


@pytest.fixture(name="runs", scope="module")
def make_runs() -> pd.DataFrame:
    """Return labelled runs without divergence, of whose draws none depends on an optimizer's place in the study."""
    table = label(synthetic.runs(BASINS, lr=LR, weight_decay=DECAY, seeds=4, noise=0.3, diverges=1e9))
    noise = np.random.default_rng(3).random(len(table))
    loss = {name: table[error] / 30 for name, error in
            (("test_loss", "test_error"), ("validation_loss", "validation_error"))}  # fmt: skip
    return table.assign(best_test_error=table["test_error"] - noise, grad_norm=1 + noise, **loss)


def study(runs: pd.DataFrame) -> Contrasts:
    curves = synthetic.curves(runs)
    # An error of its own a run, which goes along with it.
    wobble = runs.set_index("run_id")["grad_norm"].reindex(curves["run_id"]).to_numpy()
    return Contrasts.of_runs(runs, chance=90.0, curves=curves.assign(test_error=curves["test_error"] + wobble))


def question(row: Measure, of: str, against: str) -> Question:
    return Question(row.name, of, against, 2.0 if row.basin else None, "grad_norm" if row.column else None)


def numbers(found: Contrasts, row: Measure, of: str = "adam", against: str = "adamw") -> list[float]:
    one = found.answer(question(row, of, against))
    return [one.value, one.other, one.estimate, one.low, one.high]


def test_every_row_has_a_formula_and_every_formula_a_row() -> None:
    assert set(registry.FORMULAS) == set(MEASURES)
    assert all(row.name == name for name, row in MEASURES.items())
    for name, row in MEASURES.items():
        kind = registry.formula(name)
        assert not row.basin or isinstance(kind, OverLandscape), "a basin is of a landscape"
        assert not row.column or not isinstance(kind, OverLandscape), "a landscape is of the test error"


@pytest.mark.parametrize("name", MEASURES)
def test_what_optimizers_are_called_changes_nothing(runs: pd.DataFrame, name: str) -> None:
    called = runs.assign(
        label=runs["label"].cat.rename_categories({"adam": "z", "adamw": "a b"}).cat.reorder_categories(["a b", "z"])
    )
    plain, renamed = numbers(study(runs), MEASURES[name]), numbers(study(called), MEASURES[name], "z", "a b")
    assert np.isfinite(plain).all()
    np.testing.assert_allclose(renamed, plain, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", MEASURES)
def test_the_unit_of_an_axis_changes_nothing(runs: pd.DataFrame, name: str) -> None:
    scaled = runs.assign(lr=runs["lr"] * 3, weight_decay=runs["weight_decay"] * 50)
    plain, other = numbers(study(runs), MEASURES[name]), numbers(study(scaled), MEASURES[name])
    gain = DIFFERS.get(name, 0.0)
    np.testing.assert_allclose(other, np.add(plain, [gain, gain, 0, 0, 0]), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", MEASURES)
def test_the_order_of_seeds_changes_nothing(runs: pd.DataFrame, name: str) -> None:
    turned = runs.assign(seed=runs["seed"].map({0: 3, 1: 2, 2: 0, 3: 1}))
    shuffled = turned.sample(frac=1.0, random_state=0)
    plain, other = numbers(study(runs), MEASURES[name]), numbers(study(shuffled), MEASURES[name])
    # The draws of the bootstrap are a finite sample, in which each seed has its own column.
    exact = slice(None, 3) if isinstance(registry.formula(name), OverLandscape) else slice(None)
    np.testing.assert_allclose(other[exact], plain[exact], rtol=1e-9, atol=1e-9)


# Of other packages


def median_error(draws: Any, _delta: float) -> Any:
    """Return (B,) the median error over the map of each draw."""
    return np.nanmedian(draws.mean.reshape(len(draws.mean), -1), axis=1)


MEDIAN = MeasurePlugin(
    measure=Measure(
        name="median_error", title="Median error", what="the median of e", unit="%", panel="points of error"
    ),
    formula=median_error,
)


def plug(monkeypatch: pytest.MonkeyPatch, row: object, name: str = "median_error") -> None:
    found = (Plugin(name=name, row=row, package="theirs", version="1.2"),)
    monkeypatch.setattr(measures, "plugins", lambda _group: found)


def test_a_measure_of_another_package_is_compared_and_claimed(
    runs: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys: dict[str, Any] = {"id": "m", "sentence": "It is.", "of": "adam", "against": "adamw", "direction": "less"}
    with pytest.raises(ValueError, match="median_error"):
        Claim(measure="median_error", **keys)
    plug(monkeypatch, MEDIAN)
    assert Claim(measure="median_error", **keys).row is MEDIAN.measure
    assert list(measures.measures()) == [*MEASURES, "median_error"]
    found = study(runs)
    one = found.compare("median_error", "adam", "adamw")
    expected = [float(np.median(found.means[name].mean)) for name in ("adam", "adamw")]
    assert [one.value, one.other] == pytest.approx(expected)
    assert one.low < one.estimate < one.high


@pytest.mark.parametrize(
    ("row", "name", "words"),
    [
        (median_error, "median_error", "must be a robustness.claims.measures.MeasurePlugin, not a function"),
        (MEDIAN, "depth", "has the name of a measure that is there already"),
        (MEDIAN, "median", "calls its measure 'median_error': the two names must be one"),
    ],
)
def test_a_measure_that_cannot_be_used_is_named(
    row: object, name: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug(monkeypatch, row, name)
    with pytest.raises(PluginError, match=f"^'{name}' of theirs 1.2 \\(robustness.measures\\) {words}$"):
        measures.measures()
    assert measures.measure("basin_area") is MEASURES["basin_area"], "ours need none of theirs"


def test_the_documentation_has_a_line_a_measure() -> None:
    lines = measures.table_rows()
    assert len(lines) == 2 + len(MEASURES)
    assert all(line.count("|") == lines[0].count("|") for line in lines)
