"""A figure as a picture file: SVG, PNG or PDF, drawn by kaleido with the system's Chromium."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from analysis.figures.base.theme import PAPER

if TYPE_CHECKING:
    from analysis.figures.base.theme import Drawing

FORMATS = ("svg", "png", "pdf")
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")


class ExportError(Exception):
    """A picture cannot be made; the text says what is missing."""


def browser() -> str:
    """Return the path of Chromium or Chrome: BROWSER_PATH if set, else the first on PATH.

    Raises:
        ExportError: There is none.
    """
    named = os.environ.get("BROWSER_PATH")
    found = shutil.which(named) if named else next((p for b in BROWSERS if (p := shutil.which(b))), None)
    if found is None:
        where = f"BROWSER_PATH is {named}, which is no program" if named else "there is none on PATH"
        raise ExportError(f"pictures are drawn by Chromium or Chrome, and {where}; install it (Debian: chromium)")
    return found


def export(drawing: Drawing, out: str | Path) -> Path:
    """Write a drawing in the light look on white; the ending of `out` chooses SVG, PNG (doubled) or PDF.

    Raises:
        ExportError: No Chromium, no kaleido, or an ending that is none of these.
    """
    path = Path(out)
    kind = path.suffix.removeprefix(".").lower()
    if kind not in FORMATS:
        raise ExportError(f"{path}: a picture ends in {', '.join('.' + name for name in FORMATS)}")
    chromium = browser()
    try:
        import kaleido
    except ImportError:
        raise ExportError("pictures need the package kaleido: pip install kaleido") from None
    figure = go.Figure(drawing.figure)
    figure.update_layout(paper_bgcolor=PAPER["light"])
    size = {
        "width": drawing.rendered_width,
        "height": figure.layout.height,
        "scale": 2 if kind == "png" else 1,
    }
    # Without mathjax=False the page that draws asks a server for it.
    options = {"mathjax": False, "path": chromium}
    picture: bytes = kaleido.calc_fig_sync(figure, opts={"format": kind, **size}, kopts=options)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # whatever was there: a link would lead to another file
    path.write_bytes(picture)
    return path
