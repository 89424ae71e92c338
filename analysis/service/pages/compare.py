"""The page of several studies side by side: their measures, performance profiles and basins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from dash import html

from analysis.contents.side_by_side import costs, labels, looks, scored, workloads
from analysis.figures.base.figure import NotDrawn
from analysis.figures.lines.performance_profiles import performance
from analysis.formats import plural
from analysis.report import side_by_side
from analysis.service.base.address import View
from analysis.service.base.attributes import aria, dataset
from analysis.service.web import frame, live, responses
from analysis.service.web.page_row import Route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Response

    from analysis.contents.side_by_side import Workload
    from analysis.figures.base.theme import Drawing
    from analysis.service.studies.snapshot import Snapshot, WorkloadNow
    from analysis.service.web.sources import Sources

MOST = 12
"""Studies that are compared at once; each is read and measured."""
DELTA = 1.0
EVERY_MS = 60_000


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The studies that an address names.

    Attributes:
        names: Of all stored studies.
        snapshots: Those that are compared.
        left_out: What of the address was left out, and why; a sentence each.
    """

    names: Sequence[str]
    snapshots: Sequence[Snapshot]
    left_out: Sequence[str]


def chosen(sources: Sources, view: View) -> Chosen:
    """Return the studies that the key `study` of an address names."""
    names = sources.studies.names()
    named, left_out = _named(view, names)
    found = [one for name in named if (one := sources.studies.snapshot(name)) is not None]
    return Chosen(names=names, snapshots=found, left_out=left_out)


def page(sources: Sources, view: View) -> list[Any]:
    """Return the page."""
    found = chosen(sources, view)
    head = html.Div(html.H1("Compare"), className="head")
    return [head, _choice(found.names, _named(view, found.names)[0]), *live.placed("compare", LIVE, found, view)]


def _stamp(found: Chosen, _view: View) -> str:
    return repr([*found.left_out, *((one.name, one.stamp) for one in found.snapshots)])


def body(found: Chosen, _view: View) -> list[Any]:
    """Return what depends on the studies that are compared, below what is to be said of the choice."""
    notes, shown = [frame.note(one) for one in found.left_out], found.snapshots
    if not shown:
        return [*notes, html.P("Choose studies to see them side by side.", className="caption")]
    compared = workloads([workload.contents for one in shown for workload in one.workloads])
    return [*notes, _measures(compared), _profiles(compared, shown), *_basins(shown)]


LIVE = live.LivePart(find=chosen, stamp=_stamp, body=body, every_ms=EVERY_MS)


def performance_profiles(sources: Sources, view: View) -> Response:
    """Answer with the performance profiles of the studies that are compared."""
    found = chosen(sources, view).snapshots
    return responses.respond(lambda: _performance(found), _stamps(found))


ROUTES = (Route(rule="/compare/performance", answer=performance_profiles),)


def _stamps(found: Sequence[Snapshot]) -> str:
    return " ".join(one.stamp for one in found)


def _performance(found: Sequence[Snapshot]) -> Drawing | NotDrawn:
    compared = workloads([workload.contents for one in found for workload in one.workloads])
    if not scored(compared):
        return NotDrawn(side_by_side.nothing_scored(compared))
    return performance(costs(compared, DELTA), labels(compared), slots=looks(compared))


def _named(view: View, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the studies that an address names, and what of it is left out, in sentences."""
    asked = list(dict.fromkeys(view.all("study")))
    known, unknown = [name for name in asked if name in names], [name for name in asked if name not in names]
    said = [f"Not stored here: {', '.join(name[:64] for name in unknown[:MOST])}."] if unknown else []
    if len(known) > MOST:
        said.append(f"At most {MOST} studies are compared at once: the first {MOST} are shown.")
    return known[:MOST], said


def _choice(names: Sequence[str], pressed: Sequence[str]) -> Any:
    """Return a toggle a study; a toggle is a button, whose state is `aria-pressed`."""
    if not names:
        return html.Section([html.H2("The studies"), html.P("No study is stored here yet.")])
    buttons = [
        html.Button(
            name,
            type="button",
            className="toggle",
            **dataset(study=name),
            **aria(pressed="true" if name in pressed else "false"),
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
    table = side_by_side.scores_table(compared, DELTA)
    if not table:
        return html.P(side_by_side.nothing_scored(compared), className="caption")
    head, *rows = table
    query = urlencode([("study", one.name) for one in found])
    return html.Section(
        [
            html.H2("Performance profiles"),
            html.P(frame.rich(side_by_side.highest_scores(compared, table))),
            frame.figure(f"/compare/performance?{query}", "performance", **dataset(stamp=_stamps(found))),
            html.H3("The scores"),
            _table(head, rows, "Scores of the optimizers"),
            html.P(side_by_side.scores_are(compared), className="caption"),
        ]
    )


def _basins(found: Sequence[Snapshot]) -> list[Any]:
    return [_map(one, workload) for one in found for workload in one.workloads if len(workload.runs)]


def _map(snapshot: Snapshot, workload: WorkloadNow) -> Any:
    title = snapshot.name if len(snapshot.workloads) == 1 else f"{snapshot.name}: {workload.title}"
    keys = f"?{urlencode({'workload': workload.slug})}" if len(snapshot.workloads) > 1 else ""
    about = f"{workload.title}, {plural(len(workload.runs), 'run')}"
    return html.Section(
        [
            html.H2(frame.link(title, f"/study/{snapshot.name}", keys)),
            html.P(about, className="caption"),
            frame.figure(
                f"/study/{snapshot.name}/maps{keys}",
                f"{snapshot.name}-{workload.slug}",
                **dataset(stamp=snapshot.stamp),
            ),
        ]
    )
