"""The report's tables of claims and of measures, HTML. Whatever comes from outside is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from analysis.contents import questions
from analysis.formats import percent, plural, points
from robustness.claims.measures import measure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.claims.verdict import Verdict
    from analysis.contents.gather import Contents
    from analysis.statistics.comparison import Comparison
    from analysis.statistics.comparisons import Comparisons

NOTHING = "–"
ORDER = ("contradicted", "reproduced", "undecided", "no data")


def claims(contents: Contents) -> str:
    """Return the table of verdicts, and below it the claims for which this study has no data; "" without runs."""
    known = [one for one in contents.verdicts if one.outcome != "no data"]
    rest = [one for one in contents.verdicts if one.outcome == "no data"]
    if not len(contents.runs) or not contents.verdicts:
        return ""
    known.sort(key=lambda one: (not one.made_for, ORDER.index(one.outcome)))
    rows = "".join(map(_claim, known))
    head = '<tr><th scope="col">Claim</th><th scope="col">Verdict</th><th scope="col">What decides it</th></tr>'
    table = f'<div class="scroll"><table class="claims"><thead>{head}</thead><tbody>{rows}</tbody></table></div>'
    return (table if known else "") + _without_data(rest)


def _claim(verdict: Verdict) -> str:
    figure = f" · the paper’s {escape(verdict.figure)}" if verdict.figure else ""
    kind = verdict.outcome.replace(" ", "-")
    return (
        f'<tr><th scope="row">{escape(verdict.sentence)}<small>{escape(verdict.claim)}{figure}</small></th>'
        f'<td><span class="verdict {kind}">{verdict.outcome}</span></td>'
        f'<td class="words">{escape(verdict.why)}</td></tr>'
    )


def _without_data(verdicts: Iterable[Verdict]) -> str:
    items = [f"<li>{escape(one.sentence)} <em>No data: {escape(one.why)}.</em></li>" for one in verdicts]
    if not items:
        return ""
    summary = f"<summary>{plural(len(items), 'claim')} without data here</summary>"
    return f"<details>{summary}<ul class='rest'>{''.join(items)}</ul></details>"


def measures(contents: Contents) -> str:
    """Return every measure of every optimizer, and the first one's differences from the others with intervals."""
    found, ordered = contents.comparisons, questions.ordered(contents)
    if found is None or not ordered:
        return ""
    first, *rivals = ordered
    head = "".join(f'<th scope="col">{escape(label)}</th>' for label in ordered)
    head += "".join(
        f'<th scope="col">{escape(first)} against {escape(rival)}<small>95 % interval</small></th>' for rival in rivals
    )
    asked = {one.measure for verdict in contents.verdicts if verdict.made_for for one in verdict.comparisons}
    rows = [_measure(found, *line, ordered) for line in questions.lines(contents, asked)]
    head = f'<tr><th scope="col">Measure</th>{head}</tr>'
    return f'<table class="measures"><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table>'


def _measure(found: Comparisons, name: str, delta: float | None, labels: list[str]) -> str:
    row = measure(name)
    cells = [NOTHING if row.shared else shown(row.unit, found.value(name, label, delta)) for label in labels]
    cells += [compare_words(row.unit, found[one]) for one in questions.of_line(name, delta, labels)]
    within = f", within {points(delta)}" if delta is not None else ""
    unit = "" if row.unit == "share" else row.unit
    head = f'<th scope="row">{escape(row.title)}{within}<small>{escape(unit)}</small></th>'
    return f"<tr>{head}{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def shown(unit: str, value: float) -> str:
    """Return a measure's value as text in its unit."""
    if not np.isfinite(value):
        return NOTHING
    return percent(value) if unit == "share" else _signed(f"{value:.2f}")


def compare_words(unit: str, one: Comparison) -> str:
    """Return a comparison with its interval, bold where that excludes equality, HTML."""
    if np.isnan(one.estimate):
        return NOTHING
    form, factor = ("{:.2f}", 1.0) if one.scale == "ratio" or unit != "share" else ("{:.1f}", 100.0)
    sign, tail = ("× " if one.scale == "ratio" else ""), (" %" if factor > 1 else "")

    def text(value: float) -> str:
        return "∞" if np.isinf(value) else _signed(form.format(value * factor))

    words = f"{sign}{text(one.estimate)}{tail}"
    if not one.known:
        return f"{words}<small>{one.no_interval}</small>"
    words = f"<strong>{words}</strong>" if one.side else words
    return f"{words}<small>{text(one.low)} to {text(one.high)}</small>"


def _signed(text: str) -> str:
    return text.replace("-", "−")
