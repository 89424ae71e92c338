"""The figures of a stored study as picture files: those of the paper, and the report's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.basin import common_box, measured
from analysis.contents import METRIC, gather_all
from analysis.export import FORMATS, ExportError, browser, export
from analysis.figures.difference import difference
from analysis.figures.forest import forest
from analysis.figures.paper import FIGURES, maps
from analysis.figures.paper_cells import Cells
from analysis.figures.profiles import profile, profiles
from analysis.figures.single_cells import single_cells
from analysis.figures.slices import slices
from analysis.figures.tuning import tuning
from analysis.parts import slugs
from analysis.replicates import replicates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from analysis.contents import Contents
    from analysis.figures.theme import Drawing

NOTHING = "no run with a result is stored yet"
SAMPLED = "a search chose the cells, which crowd where it looked: they are no map"


@dataclass(frozen=True)
class Written:
    """Picture files, and why other figures that were asked for have none."""

    paths: list[Path]
    left_out: dict[str, str]


def write(root: str | Path, out: str | Path, figures: Iterable[str] | None = None, kind: str = "svg") -> Written:
    """Write figures of a stored study into the folder `out`, as figure-11.svg and so on.

    Of several workloads, each into a folder of its own there; the reasons then begin with the workload.

    Args:
        root: The study's folder, or the URI of one.
        out: The folder to write to; it is made if need be.
        figures: Numbers of the paper's figures, or names of the report's own; default: all that can be drawn.
        kind: svg, png or pdf.

    Raises:
        ValueError: No such figure; the text lists the known ones.
        analysis.export.ExportError: No such kind of picture, or nothing to draw it with.
        robustness.results.StorageError: The results cannot be read.
        OSError: A file cannot be written.
    """
    chosen = list(dict.fromkeys(known() if figures is None else figures))
    unknown = [name for name in chosen if name not in known()]
    if unknown:
        raise ValueError(f"no figure is called {', '.join(unknown)}; there are {', '.join(known())}")
    if kind not in FORMATS:
        raise ExportError(f"no picture is a {kind}; there are {', '.join(FORMATS)}")
    browser()
    from robustness.results import Store

    studies, written = gather_all(Store(root)), Written([], {})
    for contents, slug in zip(studies, slugs([one.workload for one in studies]), strict=True):
        alone = len(studies) == 1
        for name, found in drawings(contents, chosen).items():
            if isinstance(found, str):
                written.left_out[name if alone else f"{contents.workload}, {name}"] = found
            else:
                folder = Path(out) if alone else Path(out) / slug
                written.paths.append(export(found, folder / f"figure-{name}.{kind}"))
    return written


def overview(root: str | Path, out: str | Path) -> list[Path]:
    """Write what there is of learning rate and weight decay as a picture (.svg, .png or .pdf) and return its path.

    The landscapes; of a study that has none, the cut along its one axis or its single cells. Of several workloads a
    picture each, whose file name ends with the workload's.

    Raises:
        analysis.export.ExportError: There is nothing to draw, or nothing to draw it with.
        robustness.results.StorageError: The results cannot be read.
    """
    from robustness.results import Store

    studies, out = gather_all(Store(root)), Path(out)
    drawn: dict[Path, Drawing] = {}
    for contents, slug in zip(studies, slugs([one.workload for one in studies]), strict=True):
        path = out if len(studies) == 1 else out.with_stem(f"{out.stem}-{slug}")
        found = [OWN[name](contents) for name in ("basins", "slices", "cells")]
        if some := [one for one in found if not isinstance(one, str)]:
            drawn[path] = some[0]
    if not drawn:
        raise ExportError(f"{root}: no run of this study is stored yet")
    return [export(one, path) for path, one in drawn.items()]


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
        return contents.no_map
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
    return [int(n) for one in contents.maps.values() for n in one.seeds[measured(one)]]


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
