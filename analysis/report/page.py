"""A page that opens anywhere, without a network: its frame, its look, and the figures in it."""

from __future__ import annotations

import json
import os
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from analysis.figures.base.theme import AXIS, GRID, INK, PAPER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from analysis.figures import Drawing


def whole_page(title: str, kind: str, body: str, drawn: Mapping[str, Drawing], **words: str) -> str:
    """Return a whole HTML page.

    Args:
        title: Plain text.
        kind: What sort of page it is, after the title in the browser's tab.
        body: Name of the template of its body.
        drawn: Figures by the id of their place in the body.
        words: What the body's template asks for, HTML.
    """
    inner = Template(asset(body)).substitute(title=escape(title), **words)
    return Template(asset("page.html")).substitute(
        title=escape(f"{title} · {kind}"),
        css=asset("page.css"),
        body=inner,
        plotly=get_plotlyjs() if drawn else "",
        data=embedded(payload(drawn)),
        js=asset("plots.js") + asset("page.js"),
    )


HEIGHT = 450
"""Pixels of a figure that asks for no height: what Plotly gives it."""
NO_SCRIPT = '<noscript><p class="note">The figures need JavaScript; they load nothing from a network.</p></noscript>'


def answer(words: str) -> str:
    """Return the sentence that a page begins with (HTML), as its own paragraph."""
    return f'<p class="answer">{words}</p>'


def facts(said: Iterable[str]) -> str:
    """Return short facts (HTML) as a list."""
    return f'<ul class="facts">{"".join(f"<li>{fact}</li>" for fact in said)}</ul>'


def scrolled(table: str, label: str) -> str:
    """Return a table (HTML) that moves sideways by itself where it is too wide; `label` is what it is called, HTML."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">{table}</div>'


def asset(name: str) -> str:
    """Return the text of a file that comes with this package."""
    return files("analysis.report").joinpath("assets", name).read_text(encoding="utf-8")


def section(name: str, heading: str, drawing: Drawing, level: int = 2) -> str:
    """Return the place of a figure with its heading (plain text, of that level) and caption, HTML."""
    height, title = drawing.figure.layout.height or HEIGHT, escape(heading)
    place = f'<div class="figure" id="{name}" style="height:{height}px" role="img" aria-label="{title}"></div>'
    caption = f"<figcaption>{escape(drawing.caption)}</figcaption>"
    return f"<section><h{level}>{title}</h{level}><figure>{place}{caption}</figure></section>"


def payload(drawn: Mapping[str, Drawing]) -> dict[str, Any]:
    """Return what the page's script draws: each figure with its two layouts, and the looks."""
    figures = {}
    for name, drawing in drawn.items():
        wide = json.loads(drawing.figure.to_json())
        narrow = json.loads(go.Figure(layout=drawing.narrow).to_json())
        figures[name] = {"data": wide["data"], "wide": wide["layout"], "narrow": narrow["layout"]}
    return {"figures": figures, "themes": themes()}


def themes() -> dict[str, dict[str, str]]:
    """Return the colors that a figure has in the light and in the dark."""
    return {name: {"ink": INK[name], "grid": GRID[name], "axis": AXIS[name], "paper": PAPER[name]} for name in INK}


def embedded(value: object) -> str:
    """Return JSON that cannot end the script element it stands in."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def write_page(path: str | Path, text: str) -> Path:
    """Write a page and return its path; whoever has it open meets the old one or the new one, never half of it.

    Raises:
        OSError: The file cannot be written.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path
