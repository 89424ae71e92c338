"""Optimizers with learning rates and weight decays of their own, and axes of a single value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from analysis.contents.gather import Contents, gather
from analysis.contents.which_runs import axes
from analysis.landscapes.basin import common_box
from analysis.landscapes.by_seed import replicates
from analysis.landscapes.labels import label
from analysis.landscapes.landscape import landscapes
from analysis.measures.contrasts import Contrasts
from analysis.report import report
from robustness.results import Store
from robustness.study import Study, paper_claims
from robustness.study.resolution import resolve
from tests.support import synthetic, synthetic_grid
from tests.support.landscapes import judged as verdict_of

if TYPE_CHECKING:
    from pathlib import Path

    from analysis.claims.verdict import Verdict

OWN = """\
name: own
workload: digits
optimizers:
  - adams
  - adamw
  - {name: sgd, label: SGD, space: {lr: [0.02, 0.06, 0.2]}}
space:
  lr: [1.0e-3, 3.0e-3, 1.0e-2, 3.0e-2]
  weight_decay: {low: 1.0e-4, high: 1.0e-2, points: 3, zero: true}
seeds: 3
"""
APART = OWN.replace("[0.02, 0.06, 0.2]", "[0.3, 0.6, 0.9]").replace("3.0e-2]", "2.0e-2]")
LINE = OWN.replace("[0.02, 0.06, 0.2]", "[0.1]").replace("[1.0e-3, 3.0e-3, 1.0e-2, 3.0e-2]", "[3.0e-3]")


def contents(tmp_path: Path, text: str, **options: Any) -> Contents:
    runs = synthetic_grid.of_grid(text, **options)
    return gather(Store(synthetic_grid.store(tmp_path / "own", text, runs)))


def judged(found: Contents, name: str, **changes: Any) -> Verdict:
    asked = paper_claims()[name].model_copy(update=changes)
    return verdict_of(contrasts_of(found), asked, found.runs)


def contrasts_of(found: Contents) -> Contrasts:
    assert found.seeds is not None
    return Contrasts.of(found.seeds, found.runs, found.curves)


def test_each_map_has_the_axes_of_its_optimizer(tmp_path: Path) -> None:
    found = contents(tmp_path, OWN)
    assert found.maps["adams"].lr.tolist() == [1e-3, 3e-3, 1e-2, 3e-2]
    assert found.maps["SGD"].lr.tolist() == [0.02, 0.06, 0.2]
    assert all((one.seeds == 3).all() for one in found.maps.values())
    assert found.results == found.asked == 3 * 4 * (4 + 4 + 3)
    assert found.axes == ("lr", "weight_decay")


def test_axes_are_common_unless_an_optimizer_has_its_own() -> None:
    plain = Study.parse(OWN.replace(", space: {lr: [0.02, 0.06, 0.2]}", ""))
    assert axes(resolve(plain)) == (plain.space.lr.values, plain.space.weight_decay.values)
    assert axes(None) == (None, None)


def test_the_box_is_what_all_cover_and_single_values_do_not_narrow_it() -> None:
    def maps(*rates: tuple[float, ...]) -> Any:
        tables = {
            name: synthetic.runs({name: synthetic.Basin()}, lr=rate, weight_decay=(1e-4, 1e-3), seeds=1)
            for name, rate in zip(("adam", "adamw"), rates, strict=False)
        }
        return [landscapes(table)[name] for name, table in tables.items()]

    box = common_box(maps((1e-3,), (1e-1,)))
    assert box is not None
    np.testing.assert_allclose(np.log10(box.weight_decay), [-4.5, -2.5])
    same = common_box(maps((1e-3,), (1e-3,)))
    assert same is not None
    np.testing.assert_allclose(np.log10(same.lr), [-3.5, -2.5])
    assert common_box(maps((1e-4, 1e-3), (1e-1,))) is None
    assert common_box(maps((1e-4, 1e-3), (1e-1, 1.0))) is None


@pytest.mark.slow
def test_pairs_with_a_box_of_their_own_are_compared_in_it(tmp_path: Path) -> None:
    found = contents(tmp_path, APART)
    contrasts = contrasts_of(found)
    assert contrasts.box is None
    assert found.apart
    pair = found.runs[found.runs["label"] != "SGD"].assign(label=lambda t: t["label"].cat.remove_unused_categories())
    alone = Contrasts.of_runs(pair, chance=contrasts.chance)
    one = contrasts.compare("basin_area", "adams", "adamw", delta=2.0)
    assert one == alone.compare("basin_area", "adams", "adamw", delta=2.0)
    assert np.isfinite([one.estimate, one.low, one.high]).all()
    assert contrasts.clipped(one) == alone.clipped(one)
    assert np.isnan(contrasts.value("basin_area", "adams", delta=2.0))
    wide = judged(found, "wider-basin", against=("SGD",))
    assert wide.outcome == "no data"
    assert wide.why.startswith("adams and SGD have no part of learning rate and weight decay in common")
    page = report.write_report(tmp_path / "own").read_text(encoding="utf-8")
    assert "The optimizers have no part of learning rate and weight decay in common: no area is measured." in page


def test_cell_by_cell_measures_need_one_grid(tmp_path: Path) -> None:
    found = contents(tmp_path, OWN)
    loss = judged(found, "swd-lowers-training-loss", against=("SGD",))
    assert loss.why.startswith("adams and SGD share no cells to compare, since their axes differ")
    equal = judged(found, "swd-generalizes-at-equal-loss", against=("SGD",))
    assert equal.why.startswith("adams and SGD share no cells to compare, since their axes differ")
    assert judged(found, "swd-lowers-training-loss").comparisons


def test_the_fewest_values_of_the_compared_optimizers_count(tmp_path: Path) -> None:
    text = OWN.replace("[0.02, 0.06, 0.2]", "[0.02]")
    found = contents(tmp_path, text)
    flat = judged(found, "wider-basin", against=("SGD",))
    assert flat.why.startswith("needs at least 3 learning rates, and these runs have 1")
    assert judged(found, "wider-basin", against=("adamw",)).comparisons


# Lines: one learning rate


def test_a_line_has_no_area_and_no_edge_along_its_single_value(tmp_path: Path) -> None:
    found = contents(tmp_path, LINE)
    contrasts = contrasts_of(found)
    assert found.axes == ("weight_decay",)
    assert found.no_map == "each optimizer has a single learning rate, so its cells are a line and no map"
    for name in found.maps:
        contact = contrasts.contact(name, 1.0)
        assert not {"low lr", "high lr"} & set(contact.sides)
        assert np.isnan(contrasts.value("basin_area", name, delta=1.0))
    assert np.isfinite(contrasts.value("weight_decay_sensitivity", "SGD"))
    assert all(np.isnan(one.share) for one in found.summaries)


@pytest.mark.parametrize(("decays", "clipped"), [("[1.0e-4, 1.0e-3, 1.0e-2]", ""), ("[1.0e-3, 1.0e-2]", "low weight")])
def test_a_depth_is_cut_off_only_where_an_axis_goes_on(tmp_path: Path, decays: str, clipped: str) -> None:
    text = re.sub(r"weight_decay: .*", f"weight_decay: {decays}", LINE)
    found = contents(tmp_path, text, noise=0.0)
    contrasts = contrasts_of(found)
    said = contrasts.clipped(contrasts.compare("depth", "adams", "SGD")) or ""
    assert clipped in said
    assert bool(said) == bool(clipped)


def test_a_line_is_reported_along_its_axis_alone(tmp_path: Path) -> None:
    root = synthetic_grid.store(tmp_path / "line", LINE)
    page = report.write_report(root).read_text(encoding="utf-8")
    sections = re.findall(r'class="figure" id="(\w+)"', page)
    assert sections == ["claims", "slices", "curves", "gradients", "decays", "scatter"]
    words = page.split("<h2>The measures</h2>")[1].split('<section class="made">')[0]
    assert "Weight-decay sensitivity" in words
    assert "Learning-rate sensitivity" not in words
    assert "decades²" not in words
    assert "Against learning rate" not in page.split('id="payload"')[1]


def test_axes_by_label_are_those_of_replicates_too() -> None:
    runs = label(synthetic.runs(seeds=1))
    rates = {"adam": [1e-4], "adamw": [1e-4, 0.5], "adams": [float(value) for value in synthetic.LR]}
    found = replicates(runs, ["test_error"], rates)
    assert {name: one.lr.tolist() for name, one in found.items()} == rates
    assert np.isnan(found["adamw"].values["test_error"][:, :, 1]).all()
