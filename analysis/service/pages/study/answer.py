"""What a study's page says first: how far it is, which optimizer is more robust, and where each one's best cell is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from dash import html

from analysis.figures.base.theme import color
from analysis.formats import number, percent, spread
from analysis.service.web import frame, progress_words
from analysis.service.web.look import CellOf

if TYPE_CHECKING:
    from analysis.contents.summary import Summary
    from analysis.service.base.address import View
    from analysis.service.studies.answers import Answer
    from analysis.service.studies.snapshot import Snapshot, WorkloadNow
    from robustness.jobs import Job


def facts(snapshot: Snapshot, job: Job | None) -> list[Any]:
    """Return how far the study is."""
    line = snapshot.line
    said = [
        f"{progress_words.done(line)} runs",
        *([progress_words.failed(line)] if line.failed else []),
        progress_words.state(line, job),
    ]
    if line.last is not None:
        said.append(f"last run {progress_words.last(line)}")
    return [html.Ul([html.Li(each) for each in said], className="facts"), progress_words.bar(line)]


def before(workload: WorkloadNow) -> list[Any]:
    """Return what stands in the place of the answer until it is known."""
    if not len(workload.runs):
        return _nothing()
    return [html.P("comparing the basins", className="caption loading", role="status")]


def _nothing() -> list[Any]:
    said = "No run of this study is stored yet. Its maps appear here, cell by cell, as the sweep goes on."
    return [html.P(said, className="answer nothing")]


def answered(name: str, found: Answer, view: View) -> list[Any]:
    """Return the answer in words, a card an optimizer, and what to know before trusting them."""
    first = found.first
    if not found.runs:
        return _nothing()
    return [
        html.P(frame.rich(first or found.detail), className="answer"),
        html.Div([_card(one, found, name, view) for one in _ranked(found)], className="cards"),
        *([html.P(frame.rich(found.detail), className="detail")] if first else []),
        *(frame.note(each) for each in found.notes),
    ]


def _ranked(found: Answer) -> list[Summary]:
    """Return the optimizers, the widest basin first; in their own order where none has an area."""
    return sorted(found.summaries, key=lambda one: -one.share if np.isfinite(one.share) else 1.0)


def _card(one: Summary, found: Answer, name: str, view: View) -> Any:
    best = one.chosen or one.least
    share = [html.P([html.Strong(percent(one.share)), " of the box is basin"])] if np.isfinite(one.share) else []
    head = html.H2([html.Span(className="dot", style={"background": color(found.slots[one.label])}), one.label])
    if best is None:
        return html.Div([head, html.P("no cell has trained yet")], className="card")
    where = CellOf(one.label, best.lr, best.weight_decay)
    place = f"learning rate {number(best.lr)}, weight decay {number(best.weight_decay)}"
    how = "chosen on other data" if one.chosen else "of least test error"
    return html.Div(
        [
            head,
            *share,
            html.P([html.Strong(f"{spread(best.mean, best.std)} %"), f" test error in its best cell, {how}:"]),
            html.P(frame.link(place, f"/study/{name}", view.with_(cell=where.written()))),
        ],
        className="card",
    )
