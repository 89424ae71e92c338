"""The figures of a stored study, a row each: those of the paper, the report's own, and those of other packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.conventions import METRIC
from analysis.figures.base.figure import Figure, NotDrawn
from analysis.figures.intervals.forest_plot import forest
from analysis.figures.intervals.single_cells import single_cells
from analysis.figures.lines.basin_profiles import profile, profiles
from analysis.figures.lines.learning_curves import gradient_norms, learning_curves
from analysis.figures.lines.slices import slices
from analysis.figures.lines.tuning_curves import tuning
from analysis.figures.maps.difference import difference
from analysis.figures.paper.figures import FIGURES, maps
from analysis.landscapes.basin import common_box, has_result
from analysis.landscapes.by_seed import replicates
from robustness.plugins import PluginError, plugins

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.contents.gather import Contents
    from analysis.figures.base.figure import Draw
    from analysis.figures.base.theme import Drawing

NOTHING = "no run with a result is stored yet"
SAMPLED = "a search chose the cells, which crowd where it looked: they are no map"


def figures() -> dict[str, Figure]:
    """Return every figure by its id: the paper's by their numbers, the report's own, those of other packages by name.

    Raises:
        robustness.plugins.PluginError: What another package brings is no figure, or has an id that is taken.
    """
    found = {**FIGURES, **{row.id: row for row in OWN}}
    for plugin in plugins("robustness.figures"):
        row, whose = plugin.row, f"'{plugin.name}' of {plugin.package} {plugin.version}"
        if not isinstance(row, Figure):
            raise PluginError(f"{whose} is no analysis.figures.Figure")
        if row.id in found:
            raise PluginError(f"{whose} is a figure called {row.id!r}, and there is one of that name")
        found[row.id] = row
    return found


def of_report() -> dict[str, Figure]:
    """Return the figures of the report by their ids, in its order.

    Raises:
        robustness.plugins.PluginError: See `figures`.
    """
    placed = [(row.in_report, row) for row in figures().values() if row.in_report is not None]
    return {row.id: row for _, row in sorted(placed, key=lambda pair: pair[0])}


def known() -> list[str]:
    """Return the ids of the figures that are written as files: the paper's numbers, then names.

    Raises:
        robustness.plugins.PluginError: See `figures`.
    """
    return [row.id for row in figures().values() if row.as_file]


def drawings(contents: Contents, ids: Iterable[str]) -> dict[str, Drawing | NotDrawn]:
    """Return id -> drawing, or the reason why the data do not allow it.

    Raises:
        KeyError: No such figure.
        robustness.plugins.PluginError: See `figures`.
    """
    rows = figures()
    return {name: rows[name].draw(contents) for name in ids}


def _basins(contents: Contents) -> Drawing | NotDrawn:
    return maps(contents) if len(contents.runs) else NotDrawn(NOTHING)


def _cells(contents: Contents) -> Drawing | NotDrawn:
    if contents.cells is not None or contents.axes:
        return NotDrawn("it is for optimizers that have a single cell each")
    return single_cells(contents.runs) if contents.results else NotDrawn(NOTHING)


def _slices(contents: Contents) -> Drawing | NotDrawn:
    if contents.cells is not None:
        return NotDrawn(SAMPLED)
    if not contents.axes:
        return NotDrawn(contents.no_map or NOTHING)
    if not contents.marks:
        return NotDrawn(NOTHING)
    return slices(contents.maps, contents.chosen, contents.axes, slots=contents.slots)


def _difference(contents: Contents) -> Drawing | NotDrawn:
    """Return the reference minus the first of the others."""
    if contents.cells is not None or contents.no_map:
        return NotDrawn(contents.no_map or SAMPLED)
    found = replicates(contents.runs, [METRIC]) if len(contents.runs) else {}
    names = [str(name) for name in found]
    first = [name for name in names if name == contents.reference]
    pair = list(dict.fromkeys([*first, *names]))[:2]
    if len(pair) < 2:
        return NotDrawn("it needs two optimizers with runs")
    try:
        return difference(found[pair[0]], found[pair[1]])
    except ValueError as error:
        return NotDrawn(str(error))


def _profiles(contents: Contents) -> Drawing | NotDrawn:
    if contents.cells is not None or contents.no_map:
        return NotDrawn(contents.no_map or SAMPLED)
    box = common_box(contents.maps.values())
    found = {name: profile(one, box) for name, one in contents.maps.items()}
    if not any(len(tau) for tau, _ in found.values()):
        return NotDrawn("no cell with a weight decay above 0 has a result")
    return profiles(found, _seeds(contents), slots=contents.slots)


def _seeds(contents: Contents) -> list[int]:
    """Return the seeds of every measured cell."""
    return [int(n) for one in contents.maps.values() for n in one.seeds[has_result(one)]]


def _tuning(contents: Contents) -> Drawing | NotDrawn:
    if contents.no_map:
        return NotDrawn(contents.no_map)
    if not contents.tuning:
        return NotDrawn("there is no tuning curve: no uniform sample of the box has a result")
    return tuning(contents.tuning, _seeds(contents), contents.slots)


def _claims(contents: Contents) -> Drawing | NotDrawn:
    if not any(verdict.comparisons for verdict in contents.verdicts):
        return NotDrawn("no claim can be compared on these runs")
    return forest(contents.verdicts)


def _of_curves(draw: Draw) -> Draw:
    """Return what draws from the learning curves, and says where there are none."""

    def of_curves(contents: Contents) -> Drawing | NotDrawn:
        return draw(contents) if len(contents.curves) else NotDrawn("no learning curve is stored")

    return of_curves


def _learning(contents: Contents) -> Drawing:
    return learning_curves(contents.curves, contents.best, contents.slots)


def _gradients(contents: Contents) -> Drawing:
    return gradient_norms(contents.curves, contents.best, contents.slots)


OWN = (
    Figure(id="basins", heading="The landscapes", draw=_basins, in_report=3, source="maps"),
    Figure(id="difference", heading="The difference of two landscapes", draw=_difference, in_report=4, source="maps"),
    Figure(id="profiles", heading="Basin profiles", draw=_profiles, in_report=6, source="maps"),
    Figure(id="tuning", heading="Tuning curves", draw=_tuning, in_report=7),
    Figure(id="claims", heading="The intervals behind the claims", draw=_claims, in_report=1),
    Figure(id="slices", heading="Cuts through the ringed cells", draw=_slices, in_report=5, source="cut"),
    Figure(id="cells", heading="The test errors", draw=_cells, in_report=2),
    Figure(
        id="curves",
        heading="Learning curves",
        draw=_of_curves(_learning),
        in_report=8,
        as_file=False,
        source="curves",
    ),
    Figure(
        id="gradients",
        heading="Gradients and decay",
        draw=_of_curves(_gradients),
        in_report=9,
        as_file=False,
        source="curves",
    ),
    Figure(
        id="decays",
        heading="Gradient norm and weight decay",
        draw=_of_curves(FIGURES["2"].draw),
        in_report=10,
        as_file=False,
        source="curves",
    ),
    Figure(
        id="scatter",
        heading="Training loss and test error",
        draw=_of_curves(FIGURES["15"].draw),
        in_report=11,
        as_file=False,
        source="curves",
    ),
)
"""The report's own figures; as files they have this order. The paper's 2 and 15 are files under their numbers alone."""
