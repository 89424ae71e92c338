"""What a study's page says first: how far it is, which optimizer is more robust, and where each one's best cell is."""

from __future__ import annotations

import html as text
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from dash import html

from analysis import wording
from analysis.answer import answer, headline
from analysis.figures.theme import LINES, number, percent, spread
from analysis.service import frame, words
from analysis.service.looking import DELTAS, CellOf

if TYPE_CHECKING:
    from analysis.contents import Contents
    from analysis.service.snapshot import Look, Snapshot
    from analysis.service.view import View
    from analysis.summary import Summary
    from robustness.jobs import Job


def facts(snapshot: Snapshot, job: Job | None) -> list[Any]:
    """Return how far the study is."""
    line = snapshot.line
    said = [f"{words.runs(line)} runs", words.state(line, job)]
    if line.last is not None:
        said.append(f"last run {words.last(line)}")
    return [html.Ul([html.Li(each) for each in said], className="facts"), words.bar(line)]


def answered(snapshot: Snapshot, look: Look, view: View) -> list[Any]:
    """Return the answer in words, a card an optimizer, and what to know before trusting them."""
    delta = float(view.one_of("delta", DELTAS))
    contents = look.contents
    contents = snapshot.once(f"within {delta} of {look.slug}", lambda: _within(contents, delta))
    notes = re.findall(r'<p class="note">(.*?)</p>', wording.notes(contents), re.DOTALL)
    first = headline(contents)
    return [
        *([html.P(frame.rich(first), className="answer")] if first else []),
        html.Div([_card(one, contents, snapshot.name, view) for one in _ranked(contents)], className="cards"),
        html.P(frame.rich(answer(contents)), className="detail" if first else "answer"),
        *(frame.note(text.unescape(each)) for each in notes),
    ]


def _within(contents: Contents, delta: float) -> Contents:
    """Return the contents with basins within another distance."""
    if delta == contents.delta or contents.contrasts is None:
        return contents
    from analysis.summary import summarize

    summaries = [summarize(one, contents.contrasts, delta) for one in contents.maps.values()]
    return replace(contents, summaries=summaries, deltas=(delta, 2 * delta))


def _ranked(contents: Contents) -> list[Summary]:
    """Return the optimizers, the widest basin first; in their own order where none has an area."""
    return sorted(contents.summaries, key=lambda one: -one.share if np.isfinite(one.share) else 1.0)


def _card(one: Summary, contents: Contents, name: str, view: View) -> Any:
    order = [str(label) for label in contents.runs["label"].cat.categories]
    ink = LINES[order.index(one.label) % len(LINES)]
    best = one.chosen or one.least
    share = [html.P([html.Strong(percent(one.share)), " of the box is basin"])] if np.isfinite(one.share) else []
    head = html.H3([html.Span(className="dot", style={"background": ink}), one.label])
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
