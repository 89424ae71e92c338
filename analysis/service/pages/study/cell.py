"""A cell that was clicked: its runs, their curves, and the study file that would train it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from dash import html

from analysis.figures.base.figure import NotDrawn
from analysis.figures.lines.cell_curves import cell_curves
from analysis.formats import number, plural, spread
from analysis.service.base.attributes import aria, dataset
from analysis.service.pages.study.cell_file import cell_file
from analysis.service.web import frame
from analysis.service.web.look import CellOf, cell_of, runs_in
from robustness.results.tables import columns
from robustness.results.tables.cells import at_chance, taken

if TYPE_CHECKING:
    from analysis.figures.base.theme import Drawing
    from analysis.service.base.address import View
    from analysis.service.studies.snapshot import Snapshot, WorkloadNow

_LISTED = sorted((listed.place, each.name, listed.head) for each in columns.COLUMNS if (listed := each.of_cell))
COLUMNS = {name: head for _, name, head in _LISTED}
HINT = (
    "Click a cell of a map for its runs and their curves, or choose one here. With a map in focus, arrow keys move it."
)


def nothing(workload: WorkloadNow) -> list[Any]:
    """Return what stands here while no cell is chosen."""
    return [html.Div(_title("A cell"), className="bar"), html.P(HINT, className="caption"), *_chooser(workload, None)]


def _title(words: str) -> Any:
    """Return the heading; it alone is read out when another cell is chosen."""
    return html.H2(words, **aria(live="polite"))


def panel(snapshot: Snapshot, view: View) -> list[Any]:
    """Return the cell that an address names; the hint where it names none that there is."""
    workload = snapshot.workload(view)
    cell = cell_of(view.get("cell"), workload.runs)
    if cell is None:
        return nothing(workload)
    runs = runs_in(workload.runs, cell)
    text = cell_file(snapshot.name, cell, runs)
    return [
        html.Div(
            [
                _title(f"{cell.label} at learning rate {number(cell.lr)}, weight decay {number(cell.weight_decay)}"),
                frame.link("Close", f"/study/{snapshot.name}", view.with_(cell=None), className="quiet"),
            ],
            className="bar",
        ),
        html.Ul(_facts(runs), className="facts"),
        _runs(runs),
        *_reasons(runs),
        *(_curves(snapshot.name, runs) if (runs["epochs"] > 0).any() else []),
        *_chooser(workload, cell),
        html.Details(
            [
                html.Summary("Its settings, as a study file"),
                html.Pre(html.Code(text)),
                html.Button("Copy", type="button", className="copy", **dataset(copy=text)),
            ]
        ),
    ]


def _curves(name: str, runs: pd.DataFrame) -> list[Any]:
    # Another stamp has the browser ask again: a seed has come in.
    stamp = " ".join(runs["run_id"])
    return [frame.figure(f"/study/{name}/curves", "curves", keys=("workload", "cell"), **dataset(stamp=stamp))]


def curves(snapshot: Snapshot, view: View) -> Drawing | NotDrawn:
    """Return the curves of every run of the cell."""
    workload = snapshot.workload(view)
    cell = cell_of(view.get("cell"), workload.runs)
    if cell is None:
        return NotDrawn("no such cell is stored")
    runs = runs_in(workload.runs, cell)
    return cell_curves(snapshot.curves(list(runs["run_id"])), runs)


def _facts(runs: pd.DataFrame) -> list[Any]:
    known = taken(runs, "test_error")[runs["status"] != "failed"].to_numpy(dtype=np.float64)
    known = known[np.isfinite(known)]
    std = float(known.std(ddof=1)) if len(known) > 1 else float("nan")
    given = number(float(runs["weight_decay_native"].iloc[0]))
    counts = [f"{n} {status}" for status, n in runs["status"].value_counts().items()]
    counts += [f"{slow} no better than chance"] if (slow := int(at_chance(runs).sum())) else []
    error = [f"test error {spread(float(known.mean()), std)} %"] if len(known) else []
    return [html.Li(words) for words in (*error, f"weight decay as given {given}", ", ".join(counts))]


def _runs(runs: pd.DataFrame) -> Any:
    head = html.Tr([html.Th("Seed", scope="col"), *(html.Th(title, scope="col") for title in COLUMNS.values())])
    rows = [
        html.Tr([html.Th(str(run["seed"]), scope="row"), *(html.Td(_written(run[name])) for name in COLUMNS)])
        for run in runs[["seed", *COLUMNS]].to_dict("records")
    ]
    table = html.Table([html.Thead(head), html.Tbody(rows)], className="runs")
    return html.Div(table, className="scroll", role="region", tabIndex="0", **aria(label="Runs of the cell"))


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None or pd.isna(value):
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _reasons(runs: pd.DataFrame) -> list[Any]:
    """Return why runs diverged or failed."""
    said = runs.dropna(subset="reason").groupby("reason", sort=False)["seed"]
    return [
        frame.note(f"{plural(len(seeds), 'run')} (seed {', '.join(map(str, seeds))}): {reason}")
        for reason, seeds in said
    ]


def _chooser(workload: WorkloadNow, cell: CellOf | None) -> list[Any]:
    """Return three choices that name a cell together: for whoever has no pointer."""
    runs = workload.runs
    if not len(runs):
        return []
    names = [str(name) for name in runs["label"].cat.categories]
    own = runs.loc[runs["label"] == (cell.label if cell else names[0]), ["lr", "weight_decay"]]
    values = [
        ("label", "Optimizer", [(name, name) for name in names], cell.label if cell else ""),
        *(
            (key, title, [(repr(float(v)), number(float(v))) for v in np.unique(own[key])], repr(at) if cell else "")
            for key, title, at in (
                ("lr", "Learning rate", cell.lr if cell else 0.0),
                ("weight_decay", "Weight decay", cell.weight_decay if cell else 0.0),
            )
        ),
    ]
    boxes = [
        html.Label(
            [
                html.Span(title),
                html.Select(
                    [html.Option(words, value=value) for value, words in options],
                    **dataset(part=key, value=value),
                ),
            ],
            className="control",
        )
        for key, title, options, value in values
    ]
    go = html.Button("Show", type="button", className="quiet", **dataset(show="cell"))
    return [html.Div([*boxes, go], className="controls chooser", role="group", **aria(label="Choose a cell"))]
