"""The figures of a stored study as picture files: those of the paper, and the report's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.conventions import METRIC
from analysis.figures.intervals.forest_plot import forest
from analysis.figures.intervals.single_cells import single_cells
from analysis.figures.lines.basin_profiles import profile, profiles
from analysis.figures.lines.slices import slices
from analysis.figures.lines.tuning_curves import tuning
from analysis.figures.maps.difference import difference
from analysis.figures.paper.cells import Cells
from analysis.figures.paper.figures import FIGURES, maps
from analysis.landscapes.basin import common_box, has_result
from analysis.landscapes.by_seed import replicates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from analysis.contents.gather import Contents
    from analysis.figures.base.theme import Drawing

NOTHING = "no run with a result is stored yet"
SAMPLED = "a search chose the cells, which crowd where it looked: they are no map"


def known() -> list[str]:
    """Return the ids of all figures: the paper's numbers, then the report's names."""
    return [*FIGURES, *OWN]


def drawings(contents: Contents, figures: Iterable[str]) -> dict[str, Drawing | str]:
    """Return id -> drawing, or the reason why the data do not allow it.

    Raises:
        KeyError: No such figure.
    """
    return {name: FIGURES[name].draw(contents) if name in FIGURES else OWN[name](contents) for name in figures}


def _basins(contents: Contents) -> Drawing | str:
    return maps(contents) if len(contents.runs) else NOTHING


def _cells(contents: Contents) -> Drawing | str:
    if contents.cells is not None or contents.axes:
        return "it is for optimizers that have a single cell each"
    return single_cells(contents.runs) if contents.results else NOTHING


def _slices(contents: Contents) -> Drawing | str:
    if contents.cells is not None:
        return SAMPLED
    if not contents.axes:
        return contents.no_map or NOTHING
    return slices(contents.maps, contents.chosen, contents.axes) if contents.marks else NOTHING


def _difference(contents: Contents) -> Drawing | str:
    """Return AdamS minus AdamW where both are there, else the first optimizer minus the second."""
    if contents.cells is not None or contents.no_map:
        return contents.no_map or SAMPLED
    found = replicates(contents.runs, [METRIC]) if len(contents.runs) else {}
    names = [str(name) for name in found]
    optimizers = Cells(contents).optimizers
    first = [name for wanted in ("adams", "adamw") for name in names if optimizers.get(name) == wanted]
    pair = list(dict.fromkeys([*first, *names]))[:2]
    if len(pair) < 2:
        return "it needs two optimizers with runs"
    try:
        return difference(found[pair[0]], found[pair[1]])
    except ValueError as error:
        return str(error)


def _profiles(contents: Contents) -> Drawing | str:
    if contents.cells is not None or contents.no_map:
        return contents.no_map or SAMPLED
    box = common_box(contents.maps.values())
    found = {name: profile(one, box) for name, one in contents.maps.items()}
    if not any(len(tau) for tau, _ in found.values()):
        return "no cell with a weight decay above 0 has a result"
    return profiles(found, _seeds(contents))


def _seeds(contents: Contents) -> list[int]:
    """Return the seeds of every measured cell."""
    return [int(n) for one in contents.maps.values() for n in one.seeds[has_result(one)]]


def _tuning(contents: Contents) -> Drawing | str:
    if contents.no_map:
        return contents.no_map
    if not contents.tuning:
        return "there is no tuning curve: no uniform sample of the box has a result"
    return tuning(contents.tuning, _seeds(contents))


def _claims(contents: Contents) -> Drawing | str:
    if not any(verdict.comparisons for verdict in contents.verdicts):
        return "no claim can be compared on these runs"
    return forest(contents.verdicts)


OWN: Mapping[str, Callable[[Contents], Drawing | str]] = {
    "basins": _basins,
    "difference": _difference,
    "profiles": _profiles,
    "tuning": _tuning,
    "claims": _claims,
    "slices": _slices,
    "cells": _cells,
}
"""The report's own figures by name."""
