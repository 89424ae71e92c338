"""A study's page: the answer, its maps as far as they are trained, the chosen cell, cuts and differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import Dash, Input, Output, State, dcc, html, no_update

from analysis.figures.base.figure import NotDrawn
from analysis.figures.explored import cuts, difference, maps
from analysis.figures.registry import NOTHING
from analysis.service.base.address import View
from analysis.service.base.attributes import aria, dataset
from analysis.service.pages.study import answer, cell
from analysis.service.studies.answers import Answers
from analysis.service.web import frame
from analysis.service.web.look import DELTAS, KEYS, cell_of, look_of, metrics, seeds_of
from analysis.service.web.page_row import Route
from analysis.service.web.responses import problem, respond
from robustness.results import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Response

    from analysis.figures.base.theme import Drawing
    from analysis.service.studies.snapshot import Snapshot, WorkloadNow
    from analysis.service.web.sources import Sources
    from robustness.jobs import Job

EVERY_MS = 5_000
MOST_NAMES = 60


def page(sources: Sources, view: View) -> list[Any]:
    """Return a study's page, or one that says that there is no such study."""
    snapshot = sources.snapshot(view)
    if snapshot is None:
        return frame.no_study(sources.studies.place)
    workload = snapshot.workload(view)
    about = snapshot.study.description if snapshot.study else ""
    base = f"/study/{snapshot.name}"
    return [
        *frame.head(sources.paths, snapshot.name, "study", about=about),
        html.Div(answer.facts(snapshot, _job(sources, snapshot)), id="facts"),
        html.Div(answer.before(workload), id="answer"),
        html.Section(
            [
                html.Div(pickers(snapshot, workload), className="controls", id="pickers"),
                frame.figure(f"{base}/maps", "maps", keys=KEYS, live=True, tabIndex="0", **dataset(cells="1")),
            ],
            style={"--maps": str(len(labels(workload)))},
            **aria(label="Maps"),
        ),
        html.Section(cell.nothing(workload), id="cell", **aria(label="The chosen cell")),
        html.Section(
            [
                html.H2("Cuts"),
                html.P("They follow the pointer, and stay at the chosen cell.", className="caption"),
                frame.figure(f"{base}/cuts", "cuts", keys=(*KEYS, "cell"), live=True, **dataset(follows="1")),
            ],
        ),
        *([_difference(base, workload)] if len(labels(workload)) > 1 else []),
        dcc.Store(id="shown"),
        dcc.Interval(id="tick", interval=EVERY_MS),
        html.P("", id="trouble", role="status"),
    ]


def _job(sources: Sources, snapshot: Snapshot) -> Job | None:
    return sources.jobs.of(snapshot.name, sources.studies.place)


def labels(workload: WorkloadNow) -> list[str]:
    """Return the optimizers of a workload, in the study's order."""
    return [str(label) for label in workload.runs["label"].cat.categories][:MOST_NAMES]


def pickers(snapshot: Snapshot, workload: WorkloadNow) -> list[Any]:
    """Return the controls of the maps."""
    several = [(one.slug, one.title) for one in snapshot.workloads]
    seeds = [("mean", "mean of all"), ("spread", "spread"), *((str(n), f"seed {n}") for n in seeds_of(workload.runs))]
    found = metrics(workload.runs)
    shown: list[tuple[str, str, list[tuple[str, str]]]] = [
        ("workload", "Workload", several if len(several) > 1 else []),
        ("metric", "Shown", [(metric.key, metric.title) for metric in found]),
        ("delta", "Basin within", [(delta, f"{delta} point{'' if delta == '1' else 's'}") for delta in DELTAS]),
        ("reference", "Compared with", _references(workload)),
        ("range", "Colors", [("robust", "to the 95 % quantile"), ("full", "to the worst cell")]),
        ("decay", "Weight decay", [("common", "common scale"), ("given", "as given")]),
        ("seeds", "Seeds", seeds),
        ("surface", "Cells", [("measured", "measured"), ("interpolated", "interpolated")]),
    ]
    if workload.contents.cells is not None:
        shown = [one for one in shown if one[0] != "surface"]  # a search's cells are points in any case
    return [frame.select(key, words, options) for key, words, options in shown if options]


def _references(workload: WorkloadNow) -> list[tuple[str, str]]:
    """Return what the others can be compared with, the study's own choice first; nothing where there is no other."""
    names = labels(workload)
    first = [name for name in names if name == workload.contents.reference]
    return [(name, name) for name in dict.fromkeys([*first, *names])] if len(names) > 1 else []


def _difference(base: str, workload: WorkloadNow) -> Any:
    names = labels(workload)
    of, against = _pair(_in_order(workload), View())
    options = [(name, name) for name in names]
    return html.Section(
        [
            html.H2("Difference of two optimizers"),
            html.Div(
                [
                    frame.select("of", "Of", options, default=of),
                    frame.select("against", "minus", options, default=against),
                ],
                className="controls",
            ),
            frame.figure(f"{base}/difference", "difference", keys=("workload", "metric", "of", "against"), live=True),
        ]
    )


def _in_order(workload: WorkloadNow) -> list[str]:
    """Return the optimizers, that which the others are compared with first."""
    return [name for name, _ in _references(workload)] or labels(workload)


def _pair(names: list[str], view: View) -> tuple[str, str]:
    """Return the two optimizers of an address; by default the first two."""
    return view.one_of("of", names), view.one_of("against", [*names[1:], names[0]])


def add_callbacks(app: Dash, sources: Sources) -> None:
    """Let the page's words follow what is stored, and the chosen cell the address."""
    answers = Answers()

    @app.callback(
        Output("facts", "children"),
        Output("answer", "children"),
        Output("shown", "data"),
        Output("trouble", "children"),
        Output("trouble", "className"),
        Input("tick", "n_intervals"),
        Input("asked", "data"),
        State("url", "search"),
        State("url", "pathname"),
        State("shown", "data"),
    )
    def _tell(_ticks: int, _asked: str, search: str, path: str, shown: str | None) -> Any:
        try:
            view = sources.view(path, search)
            snapshot = sources.snapshot(view)
            if snapshot is None:
                return no_update, no_update, no_update, "This study is not stored any more.", "note"
            workload = snapshot.workload(view)
            facts = answer.facts(snapshot, _job(sources, snapshot))
            delta = view.one_of("delta", DELTAS)
            reference = view.one_of("reference", _in_order(workload) or [""])
            found = answers.of(snapshot, workload, float(delta), reference or None)
            key = f"{found.stamp} {workload.slug} {delta} {reference}"
            if key == shown:
                return facts, no_update, no_update, "", ""
            return facts, answer.answered(snapshot.name, found, view), key, "", ""
        except (StorageError, OSError) as error:
            return no_update, no_update, no_update, f"The results cannot be read at the moment: {error}", "note"

    @app.callback(
        Output("cell", "children"),
        Input("url", "search"),
        Input("shown", "data"),
        State("url", "pathname"),
    )
    def _cell(search: str, _shown: str, path: str) -> Any:
        try:
            view = sources.view(path, search)
            snapshot = sources.snapshot(view)
            return no_update if snapshot is None else cell.panel(snapshot, view)
        except (StorageError, OSError):
            return no_update  # what is in trouble is said once


def _maps(snapshot: Snapshot, view: View) -> Drawing | NotDrawn:
    workload = snapshot.workload(view)
    return maps(workload.contents, look_of(view, workload.runs))


def _cuts(snapshot: Snapshot, view: View) -> Drawing | NotDrawn:
    workload = snapshot.workload(view)
    return cuts(workload.contents, look_of(view, workload.runs), cell_of(view.get("cell"), workload.runs))


def _minus(snapshot: Snapshot, view: View) -> Drawing | NotDrawn:
    workload = snapshot.workload(view)
    names = labels(workload)
    if not names:  # neither a study file nor a run names one
        return NotDrawn(NOTHING)
    return difference(workload.contents, *_pair(_in_order(workload), view), look_of(view, workload.runs))


def _figure(name: str, make: Callable[[Snapshot, View], Drawing | NotDrawn]) -> Route:
    """Return the route of what one of the page's figures fetches."""

    def fetched(sources: Sources, view: View) -> Response:
        snapshot = sources.snapshot(view)
        if snapshot is None:
            return problem("This study is not stored any more.")
        return respond(lambda: make(snapshot, view), snapshot.stamp)

    return Route(rule=f"/study/<study>/{name}", answer=fetched)


ROUTES = (
    _figure("maps", _maps),
    _figure("cuts", _cuts),
    _figure("difference", _minus),
    _figure("curves", cell.curves),
)
