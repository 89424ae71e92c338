"""A study's figures as a reader asks for them: another metric, seed, axis or cell than the report shows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from analysis.conventions import METRIC
from analysis.figures.base.figure import NotDrawn
from analysis.figures.base.metrics import METRICS, TEST_ERROR, Look, Metric, has_native, known, recorded
from analysis.figures.base.theme import plain
from analysis.figures.intervals.single_cells import single_cells
from analysis.figures.lines.cell_curves import cell_curves
from analysis.figures.lines.slices import slices
from analysis.figures.maps.difference import difference as difference_map
from analysis.figures.maps.heatmaps import basins
from analysis.figures.maps.sampled_maps import sampled_basins
from analysis.figures.registry import NOTHING, SAMPLED
from analysis.landscapes.basin import Place
from analysis.landscapes.by_seed import replicates
from analysis.landscapes.landscape import landscapes
from analysis.landscapes.sampled import samples

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from analysis.contents.gather import Contents
    from analysis.figures.base.theme import Drawing
    from analysis.landscapes.landscape import Landscape

__all__ = ["METRICS", "TEST_ERROR", "Look", "Metric", "cell_curves", "cuts", "difference", "maps", "recorded"]

At = tuple[str, float, float]
COMMON = " Weight decay is on the common scale: what an optimizer was given makes no axis."


def maps(contents: Contents, look: Look) -> Drawing | NotDrawn:
    """Return the landscapes side by side, or why there are none; for cells that are no map, what a report shows.

    The default look gives the report's figure. The heatmap of a map carries as `meta` the label and the exact learning
    rates and weight decays of its columns and rows; points carry the label and the cells.
    """
    if problem := _problem(contents, look):
        return problem
    if contents.cells is not None or (look.interpolated and not contents.no_map):
        return _interpolated(contents, look)
    if not contents.axes:
        return single_cells(contents.runs) if contents.results else NotDrawn(NOTHING)
    if contents.no_map:
        return cuts(contents, look)
    shown = _shown(contents, look)
    untold = look.native and not all(has_native(one) for one in shown.values())
    look = replace(look, native=look.native and not untold)
    drawing = basins(contents.maps, look.delta, contents.marks, look, shown)
    return _addressed(_saying(drawing, COMMON if untold else ""), contents)


def difference(contents: Contents, of: str, against: str, look: Look) -> Drawing | NotDrawn:
    """Return the map of the difference of two optimizers in an error, seed by seed, or why there is none."""
    if look.metric.kind != "error":
        return NotDrawn(f"differences are shown of errors only, not of the {look.metric.name}")
    problem = _problem(contents, replace(look, spread=False)) or _no_map(contents)
    if problem:
        return problem
    if of == against:
        return NotDrawn("a difference needs two optimizers")
    found = replicates(_of_seed(contents.runs, look), [look.metric.column])
    for label in (of, against):
        if label not in found:
            return _unknown(label, list(found))
    try:
        drawing = difference_map(found[of], found[against], look.metric)
    except ValueError as error:
        return NotDrawn(str(error))
    return _addressed(drawing, contents)


def cuts(contents: Contents, look: Look, at: At | None = None) -> Drawing | NotDrawn:
    """Return slices through each map at a cell, or why there are none.

    Args:
        contents: A grid.
        look: What is shown.
        at: Label, learning rate and weight decay of the cell; a map without it is cut at its nearest one in log
            distance. None means the ringed cell of each map.
    """
    problem = _problem(contents, look) or (None if _cuttable(contents) else _no_map(contents))
    if problem:
        return problem
    if at is None:
        if not contents.marks:
            return NotDrawn(NOTHING)
        return slices(_shown(contents, look), contents.chosen, contents.axes, look, slots=contents.slots)
    label, lr, decay = at
    if label not in contents.maps:
        return _unknown(label, list(contents.maps))
    if not (np.isfinite([lr, decay]).all() and lr > 0 and decay >= 0):
        return NotDrawn("a cell has a learning rate above 0 and a weight decay of 0 or more")
    cells = {name: _nearest(one, lr, decay) for name, one in contents.maps.items()}
    drawing = slices(_shown(contents, look), cells, contents.axes, look, at="chosen", slots=contents.slots)
    exact = [cell is not None and _is(contents.maps[name], cell, lr, decay) for name, cell in cells.items()]
    return drawing if all(exact) else _saying(drawing, " Where an optimizer has no such cell, its nearest one is cut.")


def _problem(contents: Contents, look: Look) -> NotDrawn | None:
    """Return why what is asked for cannot be shown; None where it can."""
    if not len(contents.runs):
        return NotDrawn(NOTHING)
    if look.spread and look.seed is not None:
        return NotDrawn("one seed has no spread")
    rows = _of_seed(contents.runs, look)
    if not len(rows):
        seeds = ", ".join(str(seed) for seed in sorted(set(contents.runs["seed"].tolist()))[:20])
        return NotDrawn(f"no run has seed {look.seed}; there are {seeds}")
    if not look.default and not known(rows, look.metric.column).any():
        return NotDrawn(f"the {look.metric.name} is not recorded in these runs")
    if look.spread and rows["seed"].nunique() < 2:
        return NotDrawn("one seed has no spread")
    return None


def _no_map(contents: Contents) -> NotDrawn | None:
    if contents.cells is not None:
        return NotDrawn(SAMPLED)
    return NotDrawn(contents.no_map) if contents.no_map else None


def _cuttable(contents: Contents) -> bool:
    """Return whether the cells lie on a grid with an axis along which they can be cut."""
    return contents.cells is None and bool(contents.axes)


def _unknown(label: str, labels: list[str]) -> NotDrawn:
    return NotDrawn(f"no optimizer with runs is called {label!r}; there are {', '.join(labels)}")


def _of_seed(runs: pd.DataFrame, look: Look) -> pd.DataFrame:
    return runs if look.seed is None else runs[runs["seed"] == look.seed]


def _shown(contents: Contents, look: Look) -> dict[str, Landscape]:
    """Return the maps of what a look shows, on the axes of the study's; their seeds are runs with a result."""
    if look.seed is None and look.metric.column == METRIC:
        return contents.maps
    rows = _of_seed(contents.runs, look)
    lr = {name: one.lr.tolist() for name, one in contents.maps.items()}
    decay = {name: one.weight_decay.tolist() for name, one in contents.maps.items()}
    made = landscapes(rows, look.metric.column, lr=lr, weight_decay=decay)
    counted = contents.maps if look.seed is None else landscapes(rows, METRIC, lr=lr, weight_decay=decay)
    return {
        name: replace(made[name], seeds=counted[name].seeds, weight_decay_native=one.weight_decay_native)
        for name, one in contents.maps.items()
    }


def _interpolated(contents: Contents, look: Look) -> Drawing:
    """Return cells as points over an interpolated surface, ringed as in the report."""
    rows = _of_seed(contents.runs, look)
    sampled = contents.cells is not None
    if contents.cells is not None and look.metric.column == METRIC and look.seed is None:
        cells = contents.cells
    else:
        # Both are sorted and hold the same cells. A run without such a value is a run all the same.
        cells = samples(rows, look.metric.column).assign(seeds=samples(rows, METRIC)["seeds"])
    untold = look.native and not _has_native(cells).all()
    look = replace(look, interpolated=not sampled, native=look.native and not untold)
    drawing = sampled_basins(cells, look.delta, look, None if sampled and look.default else _ringed(contents))
    return _addressed(_saying(drawing, COMMON if untold else ""), contents)


def _has_native(cells: pd.DataFrame) -> NDArray[np.bool_]:
    native = cells["weight_decay_native"].to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(cells["weight_decay"] > 0, native > 0, native == 0)


def _ringed(contents: Contents) -> dict[str, tuple[float, float]]:
    """Return the learning rate and weight decay of each optimizer's ringed cell."""
    if contents.cells is None:
        cells = {name: (contents.maps[name], mark.cell) for name, mark in contents.marks.items()}
        return {name: (float(m.lr[c.column]), float(m.weight_decay[c.row])) for name, (m, c) in cells.items()}
    trained = contents.cells[(contents.cells["lost"] < 1) & contents.cells["mean"].notna()]
    least = trained.loc[trained.groupby("label", observed=True)["mean"].idxmin(), ["label", "lr", "weight_decay"]]
    return {str(label): (float(lr), float(decay)) for label, lr, decay in least.itertuples(index=False, name=None)}


def _nearest(landscape: Landscape, lr: float, decay: float) -> Place | None:
    """Return the cell of a map that is nearest in log distance; None where none has such a weight decay."""
    rows = np.flatnonzero(landscape.weight_decay == 0 if decay == 0 else landscape.weight_decay > 0)
    if not len(rows) or not len(landscape.lr):
        return None
    row = rows[0] if decay == 0 else rows[np.argmin(np.abs(np.log(landscape.weight_decay[rows] / decay)))]
    return Place(int(row), int(np.argmin(np.abs(np.log(landscape.lr / lr)))))


def _is(landscape: Landscape, cell: Place, lr: float, decay: float) -> bool:
    return bool(landscape.lr[cell.column] == lr and landscape.weight_decay[cell.row] == decay)


def _saying(drawing: Drawing, more: str) -> Drawing:
    return replace(drawing, caption=drawing.caption + more)


def _addressed(drawing: Drawing, contents: Contents) -> Drawing:
    """Put the labels themselves where the traces have them as texts: `meta` is read by programs."""
    labels = {plain(str(label)): str(label) for label in contents.runs["label"].cat.categories}
    for trace in drawing.figure.data:
        if trace.meta:
            names = {key: labels[trace.meta[key]] for key in ("label", "against") if key in trace.meta}
            trace.meta = {**trace.meta, **names}
    return drawing
