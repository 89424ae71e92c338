"""What a study's page says first: how far it is, which optimizer is more robust, and where each one's best cell is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from dash import html

from analysis import wording
from analysis.figures.theme import LINES, number, percent, spread
from analysis.service import frame, words
from analysis.service.looking import CellOf

if TYPE_CHECKING:
    from analysis.contents import Contents
    from analysis.service.answers import Answer
    from analysis.service.snapshot import Snapshot, WorkloadNow
    from analysis.service.view import View
    from analysis.summary import Summary
    from robustness.jobs import Job


def facts(snapshot: Snapshot, job: Job | None) -> list[Any]:
    """Return how far the study is."""
    line = snapshot.line
    said = [f"{words.done(line)} runs", *([words.failed(line)] if line.failed else []), words.state(line, job)]
    if line.last is not None:
        said.append(f"last run {words.last(line)}")
    return [html.Ul([html.Li(each) for each in said], className="facts"), words.bar(line)]


def before(look: WorkloadNow) -> list[Any]:
    """Return what stands in the place of the answer until it is known."""
    if not len(look.runs):
        return _nothing()
    return [html.P("comparing the basins", className="caption loading", role="status")]


def _nothing() -> list[Any]:
    said = "No run of this study is stored yet. Its maps appear here, cell by cell, as the sweep goes on."
    return [html.P(said, className="answer nothing")]


def answered(name: str, found: Answer, view: View) -> list[Any]:
    """Return the answer in words, a card an optimizer, and what to know before trusting them."""
    contents, first = found.contents, found.first
    if not len(contents.runs):
        return _nothing()
    return [
        html.P(frame.rich(first or found.detail), className="answer"),
        html.Div([_card(one, contents, name, view) for one in _ranked(contents)], className="cards"),
        *([html.P(frame.rich(found.detail), className="detail")] if first else []),
        *(frame.note(each) for each in wording.notes(contents)),
    ]


def _ranked(contents: Contents) -> list[Summary]:
    """Return the optimizers, the widest basin first; in their own order where none has an area."""
    return sorted(contents.summaries, key=lambda one: -one.share if np.isfinite(one.share) else 1.0)


def _card(one: Summary, contents: Contents, name: str, view: View) -> Any:
    order = [str(label) for label in contents.runs["label"].cat.categories]
    ink = LINES[order.index(one.label) % len(LINES)]
    best = one.chosen or one.least
    share = [html.P([html.Strong(percent(one.share)), " of the box is basin"])] if np.isfinite(one.share) else []
    head = html.H2([html.Span(className="dot", style={"background": ink}), one.label])
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
