"""The page of a study's verdicts: the table, the intervals behind it, and the figure that shows each claim."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import html

from analysis.claims.verdict import OUTCOMES
from analysis.figures.registry import of_report
from analysis.formats import plural, points
from analysis.report.one_workload import CLAIMS_NOTE
from analysis.report.tables import ORDER
from analysis.service.base.address import kept
from analysis.service.base.attributes import aria, dataset
from analysis.service.pages.claim_figures import draw, figure_of, shown_figures
from analysis.service.web import frame, live, responses
from analysis.service.web.look import DELTAS
from analysis.service.web.page_row import Route
from analysis.service.web.sources import Sources

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Response

    from analysis.claims.verdict import Verdict
    from analysis.contents.gather import Contents
    from analysis.service.base.address import View
    from analysis.service.studies.snapshot import Snapshot

EVERY_MS = 60_000
"""Judging takes seconds, so a sweep is followed at a distance."""


def page(sources: Sources, view: View) -> list[Any]:
    """Return the page of the verdicts on one workload of a study."""
    snapshot = sources.snapshot(view)
    if snapshot is None:
        return frame.no_study(sources.studies.place)
    head = frame.head(sources.paths, snapshot.name, "claims", keep=kept(view))
    return [*head, *live.placed("claims", LIVE, snapshot, view)]


def body(snapshot: Snapshot, view: View) -> list[Any]:
    """Return what depends on the workload: which one, its verdicts, their intervals, the place of a figure."""
    workload = snapshot.workload(view)
    workloads = [(one.slug, one.title) for one in snapshot.workloads]
    choice = frame.select("workload", "Workload", workloads)
    parts = [html.Div(choice, className="controls")] if len(workloads) > 1 else []
    if not len(workload.runs):
        words = "No run is stored yet, so no claim can be judged."
        return [*parts, html.Section([html.H2("The claims"), html.P(words)])]
    contents, path = workload.full, f"/study/{snapshot.name}/claims"
    stamp = dataset(stamp=snapshot.stamp)
    return [
        *parts,
        _verdicts(contents, path, view),
        _forest(contents, path, stamp),
        _figure(contents, path, stamp),
    ]


def _stamp(snapshot: Snapshot, view: View) -> str:
    return f"{snapshot.stamp} {snapshot.workload(view).slug}"


# Of the address only the workload counts: the figures fetch what they show by themselves.
LIVE = live.LivePart(find=Sources.snapshot, stamp=_stamp, body=body, every_ms=EVERY_MS)


def forest(sources: Sources, view: View) -> Response:
    """Answer with the intervals behind the verdicts."""
    return figure(sources, view, "claims")


def figure(sources: Sources, view: View, section: str) -> Response:
    """Answer with the figure of a section of the report; the key `figure` names another section."""
    snapshot = sources.snapshot(view)
    if snapshot is None or section not in of_report():
        return responses.problem("There is no such study." if snapshot is None else "There is no such figure.")
    workload, delta = snapshot.workload(view), float(view.one_of("delta", DELTAS))
    shown = section if section == "claims" else view.one_of("figure", [section, *shown_figures()])
    return responses.respond(lambda: draw(workload.full, shown, delta), snapshot.stamp)


ROUTES = (
    Route(rule="/study/<study>/claims/forest", answer=forest),
    Route(rule="/study/<study>/claims/figure/<section>", answer=figure),
)


def _known(contents: Contents) -> list[Verdict]:
    """Return the verdicts that rest on data, those that the study was made for first."""
    known = [one for one in contents.verdicts if one.outcome != "no data"]
    return sorted(known, key=lambda one: (not one.made_for, ORDER.index(one.outcome)))


def _verdicts(contents: Contents, path: str, view: View) -> Any:
    known = _known(contents)
    rest = [one for one in contents.verdicts if one.outcome == "no data"]
    rows = [_row(one, contents, path, view) for one in known]
    head = [html.Th(words, scope="col") for words in ("Claim", "Verdict", "What decides it", "Shown by")]
    table = html.Table([html.Thead(html.Tr(head)), html.Tbody(rows)], className="claims")
    return html.Section(
        [
            html.H2("The claims"),
            _counts(contents.verdicts),
            html.Div(table, className="scroll", role="region", tabIndex=0, **aria(label="Verdicts"))
            if known
            else html.P("These runs decide none of the claims."),
            _without_data(rest),
            html.P(
                f"{CLAIMS_NOTE} They are judged at 1 and 2 points, whatever distance the figure below has.",
                className="caption",
            ),
        ]
    )


def _counts(verdicts: Sequence[Verdict]) -> Any:
    numbers = {outcome: sum(one.outcome == outcome for one in verdicts) for outcome in OUTCOMES}
    items = [
        html.Li(f"{number} {'without data' if outcome == 'no data' else outcome}")
        for outcome, number in numbers.items()
        if number
    ]
    return html.Ul(items, className="facts", **aria(label=f"Verdicts on {plural(len(verdicts), 'claim')}"))


def _row(verdict: Verdict, contents: Contents, path: str, view: View) -> Any:
    about = [verdict.claim, f" · the paper’s {verdict.figure}" if verdict.figure else ""]
    if verdict.made_for:
        about.append(" · this study was made for it")
    shown = figure_of(verdict, contents)
    what = frame.link(shown.heading, path, view.with_(figure=shown.id), **dataset(figure=shown.id))
    badge = html.Span(verdict.outcome, className=f"verdict {verdict.outcome.replace(' ', '-')}")
    return html.Tr(
        [
            html.Th([verdict.sentence, html.Small(about)], scope="row"),
            html.Td(badge),
            html.Td(verdict.why, className="words"),
            html.Td(what, className="shown"),
        ]
    )


def _without_data(verdicts: Sequence[Verdict]) -> Any:
    if not verdicts:
        return None
    items = [html.Li([f"{one.sentence} ", html.Em(f"No data: {one.why}.")]) for one in verdicts]
    return html.Details(
        [html.Summary(f"{plural(len(items), 'claim')} without data here"), html.Ul(items, className="rest")]
    )


def _forest(contents: Contents, path: str, stamp: dict[str, Any]) -> Any:
    if not any(one.comparisons for one in contents.verdicts):
        return None
    return html.Section(
        [html.H2(of_report()["claims"].heading), frame.figure(f"{path}/forest", "forest", keys=("workload",), **stamp)]
    )


def _figure(contents: Contents, path: str, stamp: dict[str, Any]) -> Any:
    """Return the place of the figure that the address names, by default that of the first claim."""
    first = next((figure_of(one, contents).id for one in _known(contents)), "basins")
    options = [(each, row.heading) for each, row in shown_figures().items()]
    distances = [(each, points(float(each))) for each in sorted(DELTAS, key=float)]
    controls = [
        frame.select("figure", "Figure", options, default=first),
        frame.select("delta", "Basin within", distances, default=DELTAS[0]),
    ]
    place = frame.figure(f"{path}/figure/{first}", "shown", keys=("workload", "figure", "delta"), **stamp)
    heading = html.H2("The figure that shows a claim")
    return html.Section([heading, html.Div(controls, className="controls"), place], id="claim-figure", tabIndex=-1)
