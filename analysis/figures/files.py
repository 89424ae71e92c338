"""A study's figures as files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.contents.by_workload import slugs
from analysis.contents.gather import gather_all
from analysis.figures.base.figure import NotDrawn
from analysis.figures.export import FORMATS, ExportError, browser, export
from analysis.figures.registry import drawings, known

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.figures.base.theme import Drawing
    from robustness.results import Place


@dataclass(frozen=True)
class Written:
    """Picture files, and why other figures that were asked for have none."""

    paths: list[Path]
    left_out: dict[str, str]


def write_figures(
    root: str | Path | Place, out: str | Path, figures: Iterable[str] | None = None, kind: str = "svg"
) -> Written:
    """Write figures of a stored study into the folder `out`, as figure-11.svg and so on.

    Of several workloads, each into a folder of its own there; the reasons then begin with the workload.

    Args:
        root: The study's folder, or the URI of one.
        out: The folder to write to; it is made if need be.
        figures: Numbers of the paper's figures, or names of the report's own; default: all that can be drawn.
        kind: svg, png or pdf.

    Raises:
        ValueError: No such figure; the text lists the known ones.
        analysis.figures.export.ExportError: No such kind of picture, or nothing to draw it with.
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

    studies, written = gather_all(Store(root, read_only=True)), Written([], {})
    for contents, slug in zip(studies, slugs([one.workload for one in studies]), strict=True):
        alone = len(studies) == 1
        for name, found in drawings(contents, chosen).items():
            if isinstance(found, NotDrawn):
                written.left_out[name if alone else f"{contents.workload}, {name}"] = found.reason
            else:
                folder = Path(out) if alone else Path(out) / slug
                written.paths.append(export(found, folder / f"figure-{name}.{kind}"))
    return written


def write_overview(root: str | Path | Place, out: str | Path) -> list[Path]:
    """Write what there is of learning rate and weight decay as a picture (.svg, .png or .pdf) and return its path.

    The landscapes; of a study that has none, the cut along its one axis or its single cells. Of several workloads a
    picture each, whose file name ends with the workload's.

    Raises:
        analysis.figures.export.ExportError: There is nothing to draw, or nothing to draw it with.
        robustness.results.StorageError: The results cannot be read.
    """
    from robustness.results import Store

    store = Store(root, read_only=True)
    studies, out = gather_all(store), Path(out)
    drawn: dict[Path, Drawing] = {}
    for contents, slug in zip(studies, slugs([one.workload for one in studies]), strict=True):
        path = out if len(studies) == 1 else out.with_stem(f"{out.stem}-{slug}")
        found = drawings(contents, ("basins", "slices", "cells")).values()
        if some := [one for one in found if not isinstance(one, NotDrawn)]:
            drawn[path] = some[0]
    if not drawn:
        raise ExportError(f"{store.root}: no run of this study is stored yet")
    return [export(one, path) for path, one in drawn.items()]
