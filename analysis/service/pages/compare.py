"""The page of several studies side by side: their measures, performance profiles and basins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from dash import html

from analysis.contents.side_by_side import costs, labels, workloads
from analysis.figures.base.figure import NotDrawn
from analysis.figures.lines.performance_profiles import performance
from analysis.formats import plural
from analysis.report import side_by_side
from analysis.service.base.address import View
from analysis.service.base.attributes import aria, dataset
from analysis.service.web import frame, live, responses

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dash import Dash
    from flask import Flask, Response

    from analysis.contents.side_by_side import Workload
    from analysis.figures.base.theme import Drawing
    from analysis.service.cluster.ray_jobs import RayJobs
    from analysis.service.studies.snapshot import Snapshot, WorkloadNow
    from analysis.service.studies.studies import Studies

MOST = 12
"""Studies that are compared at once; each is read and measured."""
DELTA = 1.0
EVERY_MS = 60_000


def page(studies: Studies, _name: str, view: View) -> list[Any]:
    """Return the page."""
    names = studies.names()
    stamp, make = _now(studies, names, view)
    return [
        html.Div(html.H1("Compare"), className="head"),
        _choice(names, _chosen(view, names)[0]),
        *live.body("compare", stamp, make(), EVERY_MS),
    ]


def _now(studies: Studies, names: Sequence[str], view: View) -> tuple[str, Callable[[], list[Any]]]:
    """Return a stamp of what an address shows, and what makes it."""
    chosen, said = _chosen(view, names)
    found = _stored(studies, chosen)
    return repr([*said, *((one.name, one.stamp) for one in found)]), lambda: body(found, said)


def body(found: Sequence[Snapshot], said: Sequence[str]) -> list[Any]:
    """Return what depends on the studies that are compared, below what is to be said of the choice."""
    notes = [frame.note(one) for one in said]
    if not found:
        return [*notes, html.P("Choose studies to see them side by side.", className="caption")]
    compared = workloads([look.contents for one in found for look in one.workloads])
    return [*notes, _measures(compared), _profiles(compared, found), *_basins(found)]


def add_callbacks(app: Dash, studies: Studies, _jobs: RayJobs) -> None:
    """Let the comparison follow the address and the sweeps."""
    live.follow(app, "compare", lambda _, view: _now(studies, studies.names(), view))


def add_routes(server: Flask, studies: Studies) -> None:
    """Add /compare/performance; the studies are those of the key `study`."""

    @server.get("/compare/performance")
    def compare_performance() -> Response:
        found = _stored(studies, _chosen(View.of_request(), studies.names())[0])
        return responses.respond(lambda: _performance(found), _stamps(found))


def _stored(studies: Studies, names: Sequence[str]) -> list[Snapshot]:
    return [one for name in names if (one := studies.snapshot(name)) is not None]


def _stamps(found: Sequence[Snapshot]) -> str:
    return " ".join(one.stamp for one in found)


def _performance(found: Sequence[Snapshot]) -> Drawing | NotDrawn:
    compared = workloads([look.contents for one in found for look in one.workloads])
    if not labels(compared):
        return NotDrawn("no run of these studies is stored yet")
    return performance(costs(compared, DELTA), labels(compared))


def _chosen(view: View, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the studies that an address names, and what of it is left out, in sentences."""
    asked = list(dict.fromkeys(view.all("study")))
    chosen, unknown = [name for name in asked if name in names], [name for name in asked if name not in names]
    said = [f"Not stored here: {', '.join(name[:64] for name in unknown[:MOST])}."] if unknown else []
    if len(chosen) > MOST:
        said.append(f"At most {MOST} studies are compared at once: the first {MOST} are shown.")
    return chosen[:MOST], said


def _choice(names: Sequence[str], chosen: Sequence[str]) -> Any:
    """Return a toggle a study; a toggle is a button, whose state is `aria-pressed`."""
    if not names:
        return html.Section([html.H2("The studies"), html.P("No study is stored here yet.")])
    buttons = [
        html.Button(
            name,
            type="button",
            className="toggle",
            **dataset(study=name),
            **aria(pressed="true" if name in chosen else "false"),
        )
        for name in names
    ]
    every = frame.link(
        "all" if len(names) <= MOST else f"the first {MOST}", "/compare", View().with_(study=names[:MOST])
    )
    none = frame.link("none", "/compare")
    few = "" if len(names) <= MOST else f"At most {MOST} at once. "
    return html.Section(
        [
            html.H2("The studies"),
            html.Div(buttons, className="toggles", role="group", **aria(label="Studies to compare")),
            html.P([f"{few}Choose ", every, " or ", none, "."], className="caption"),
        ]
    )


def _measures(compared: Sequence[Workload]) -> Any:
    head, *rows = side_by_side.measures_table(compared, workload=side_by_side.several(compared))
    notes = " ".join([side_by_side.basins_are(DELTA), *side_by_side.notes_on(compared)])
    return html.Section(
        [
            html.H2("The measures"),
            _table(head, rows, "Measures of the studies") if rows else None,
            html.P(notes, className="caption"),
        ]
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], label: str) -> Any:
    body = [html.Tr([html.Th(row[0], scope="row"), *(html.Td(cell) for cell in row[1:])]) for row in rows]
    table = html.Table(
        [html.Thead(html.Tr([html.Th(cell, scope="col") for cell in head])), html.Tbody(body)], className="across"
    )
    return html.Div(table, className="scroll", role="region", tabIndex=0, **aria(label=label))


def _profiles(compared: Sequence[Workload], found: Sequence[Snapshot]) -> Any:
    scored = side_by_side.scores_table(compared, DELTA)
    if not scored:
        return None
    head, *rows = scored
    query = urlencode([("study", one.name) for one in found])
    return html.Section(
        [
            html.H2("Performance profiles"),
            html.P(frame.rich(side_by_side.highest_scores(compared, scored))),
            frame.figure(f"/compare/performance?{query}", "performance", **dataset(stamp=_stamps(found))),
            html.H3("The scores"),
            _table(head, rows, "Scores of the optimizers"),
            html.P(side_by_side.scores_are(compared), className="caption"),
        ]
    )


def _basins(found: Sequence[Snapshot]) -> list[Any]:
    return [_map(one, look) for one in found for look in one.workloads if len(look.runs)]


def _map(snapshot: Snapshot, look: WorkloadNow) -> Any:
    title = snapshot.name if len(snapshot.workloads) == 1 else f"{snapshot.name}: {look.title}"
    keys = f"?{urlencode({'workload': look.slug})}" if len(snapshot.workloads) > 1 else ""
    about = f"{look.title}, {plural(len(look.runs), 'run')}"
    return html.Section(
        [
            html.H2(frame.link(title, f"/study/{snapshot.name}", keys)),
            html.P(about, className="caption"),
            frame.figure(
                f"/study/{snapshot.name}/maps{keys}", f"{snapshot.name}-{look.slug}", **dataset(stamp=snapshot.stamp)
            ),
        ]
    )
