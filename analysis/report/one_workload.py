"""What a report says of one workload, HTML: its words, its tables and its figures."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from string import Template
from typing import TYPE_CHECKING

from analysis.figures import Drawing, gradient_norms, learning_curves
from analysis.figures.paper.figures import FIGURES
from analysis.figures.registry import OWN
from analysis.formats import count, plural
from analysis.report import notes, page, tables
from analysis.report.answer import answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.contents.gather import Contents

HEADINGS = {
    "claims": "The intervals behind the claims",
    "cells": "The test errors",
    "basins": "The landscapes",
    "difference": "The difference of two landscapes",
    "slices": "Cuts through the ringed cells",
    "profiles": "Basin profiles",
    "tuning": "Tuning curves",
    "curves": "Learning curves",
    "gradients": "Gradients and decay",
    "decays": "Gradient norm and weight decay",
    "scatter": "Training loss and test error",
}
CLAIMS_NOTE = (
    "A claim is reproduced or contradicted only if the intervals exclude equality at every distance reported and the "
    "edge of the box could not turn that round. All intervals of a claim hold jointly at 96 % (each at "
    "1 − 0.04 / rivals). Seeds are drawn in pairs: the same for every cell and optimizer."
)
MEASURES_NOTE = (
    "Depth is the test error of the ringed cell, chosen on data that do not score it; relative areas are measured from "
    "it, absolute ones from the best of all. × is a ratio of areas, all else a difference. Bold: the 95 % interval, "
    "each by itself, excludes equality."
)

DEPTHS_NOTE = (
    "Depth is the test error of the cell by which an optimizer is judged: chosen on data that do not score it, where "
    "there are several. Bold: the 95 % interval of the difference, each by itself, excludes 0."
)


def drawings(contents: Contents) -> dict[str, Drawing]:
    """Return the figures that the contents allow, by section."""
    drawn: dict[str, Drawing | str] = {name: OWN[name](contents) for name in HEADINGS if name in OWN}
    if len(contents.curves):
        drawn["curves"] = learning_curves(contents.curves, contents.best)
        drawn["gradients"] = gradient_norms(contents.curves, contents.best)
        drawn["decays"] = FIGURES["2"].draw(contents)
        drawn["scatter"] = FIGURES["15"].draw(contents)
    return {name: one for name, one in drawn.items() if not isinstance(one, str)}


def figures(drawn: Mapping[str, Drawing], prefix: str = "", level: int = 2) -> str:
    """Return the places of figures by section, each under a heading of that level; `prefix` begins their ids."""
    return "".join(page.section(prefix + name, HEADINGS[name], one, level) for name, one in drawn.items())


def words(contents: Contents, *, within: bool = False) -> dict[str, str]:
    """Return the answer, the facts and the tables, by their place in the template.

    `within`: the page is about other workloads too, which says of the store what they have alike.
    """
    level = 3 if within else 2
    measures = f'<div class="scroll">{tables.measures(contents)}</div>'
    return {
        "sentence": answer(contents),
        "facts": "".join(f"<li>{fact}</li>" for fact in notes.state(contents)),
        "notes": notes.paragraphs(notes.notes(contents, of_store=not within)),
        "table": notes.table(contents),
        "claims": _headed("The claims", tables.claims(contents), CLAIMS_NOTE, level),
        "measures": _headed("The measures", measures, DEPTHS_NOTE if contents.no_map else MEASURES_NOTE, level),
    }


def _headed(heading: str, body: str, note: str, level: int) -> str:
    """Return a section with a table; "" where there is nothing in it."""
    if "<tr" not in body and "<li" not in body:
        return ""
    return f"<section><h{level}>{heading}</h{level}>{body}<p class='caption'>{note}</p></section>"


def description(contents: Contents) -> str:
    """Return what the study says of itself; "" if nothing."""
    about = contents.study.description if contents.study else ""
    return f'<p class="description">{escape(about)}</p>' if about else ""


def made(contents: Contents, root: str, results: int, asked: int | None) -> str:
    """Return how the page was made, the same for every workload of a study.

    Args:
        contents: Any workload of the study.
        root: What the query opens.
        results: Runs with a result, of all workloads.
        asked: Runs that the study asks for; None where unknown.
    """
    text = f"<details><summary>The study file</summary><pre><code>{escape(contents.text or '')}</code></pre></details>"
    stored = plural(results, "run")
    return Template(page.asset("made.html")).substitute(
        runs=stored if asked is None else f"{stored} of {count(asked)} asked",
        date=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        study=text if contents.text else "",
        provenance=notes.provenance(contents.provenance),
        query=notes.query(root, contents),
    )
