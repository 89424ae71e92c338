"""Tables of test errors where each optimizer has a single cell, beside those of the paper. HTML, all of it escaped."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from analysis.formats import number, percent, spread
from analysis.report.paper_errors import SOURCE, paper_error
from robustness.results.tables.cells import at_chance, taken

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from analysis.contents.gather import Contents

MeanAndSpread = tuple[float, float]
NOTHING = "–"


@dataclass(frozen=True)
class Scores:
    """A cell of an optimizer: test errors in percent as (mean, standard deviation), the latter NaN for one seed.

    Attributes:
        label: The optimizer.
        best: At the epoch of least test error, seed by seed; None where no seed's is known.
        last: After the last epoch; None where no seed's is known.
        paper: What the paper reports for this cell; None where it reports nothing.
        place: Where it lies, as far as the study has several cells.
    """

    label: str
    best: MeanAndSpread | None
    last: MeanAndSpread | None
    paper: MeanAndSpread | None
    place: str


def scores(contents: Contents) -> list[Scores]:
    """Return the scores of every optimizer with a run, in the study's order: of its only cell, or the chosen one."""
    found = []
    for label, every in contents.runs.groupby("label", observed=True, sort=True):
        best_cell = every[every["run_id"].isin(contents.best.get(str(label), []))]
        rows = best_cell if contents.axes else every
        if not len(rows):
            continue
        first = rows.iloc[0]
        name, options, optimizer = (str(first[column]) for column in ("workload", "workload_options", "optimizer"))
        paper = paper_error(name, options, optimizer, float(first["weight_decay"]))
        results = rows[rows["status"] != "failed"]
        best, last = (_mean(taken(results, column)) for column in ("best_test_error", "test_error"))
        place = _place(first, contents.axes)
        found.append(Scores(label=str(label), best=best, last=last, paper=paper, place=place))
    return found


def _place(run: pd.Series, axes: Sequence[str]) -> str:
    """Return where a run's cell lies on those axes that have several values."""
    short = {"lr": "lr", "weight_decay": "λ"}
    return ", ".join(f"{short[name]} {number(float(run[name]))}" for name in axes)


def _mean(values: pd.Series) -> MeanAndSpread | None:
    known = values.dropna().to_numpy(dtype=np.float64)
    if not len(known):
        return None
    return float(known.mean()), float(known.std(ddof=1)) if len(known) > 1 else float("nan")


def single_cells_table(contents: Contents) -> str:
    """Return the table of one workload whose optimizers have a cell each; the paper’s values where it has some."""
    rows = {one.label: one for one in scores(contents)}
    paper = any(one.paper for one in rows.values())
    heads = [
        ("Optimizer", ""),
        ("Test error, %", "last epoch, ± std"),
        ("Test error, %", "best epoch, by itself: optimistic"),
        *([("The paper, %", "best epoch")] if paper else []),
        ("Learning rate", ""),
        ("Weight decay", "common scale"),
        ("Weight decay", "as given"),
        ("Learnt nothing", "of the runs: diverged, or no better than chance"),
        ("Failed runs", ""),
        ("Seeds", ""),
    ]
    head = "".join(f'<th scope="col">{a}{f"<small>{b}</small>" if b else ""}</th>' for a, b in heads)
    body = "".join(_row(contents, one, paper=paper) for one in rows.values())
    return f'<table class="across"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _row(contents: Contents, one: Scores, *, paper: bool) -> str:
    rows = contents.runs[contents.runs["label"] == one.label]
    failed = int((rows["status"] == "failed").sum())
    results = len(rows) - failed
    lost = int(((rows["status"] == "diverged") | at_chance(rows)).sum())
    cells = [
        _shown(one.last),
        _shown(one.best),
        *([_shown(one.paper)] if paper else []),
        *(number(float(rows[name].iloc[0])) for name in ("lr", "weight_decay", "weight_decay_native")),
        percent(lost / results if results else float("nan")),
        str(failed),
        str(results),
    ]
    return f'<tr><th scope="row">{escape(one.label)}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'


def _shown(found: MeanAndSpread | None) -> str:
    return NOTHING if found is None else spread(*found)


def across(studies: Sequence[Contents]) -> str:
    """Return the test error at the best epoch of every workload (rows) and optimizer, and the paper's below it."""
    found = [{one.label: one for one in scores(contents)} for contents in studies]
    labels = list(dict.fromkeys(label for row in found for label in row))
    head = "".join(f'<th scope="col">{escape(label)}</th>' for label in labels)
    body = "".join(
        f'<tr><th scope="row">{escape(contents.workload)}</th>{"".join(_cell(row, label) for label in labels)}</tr>'
        for contents, row in zip(studies, found, strict=True)
    )
    head = f'<tr><th scope="col">Workload</th>{head}</tr>'
    return f'<table class="across"><thead>{head}</thead><tbody>{body}</tbody></table>'


def _cell(row: dict[str, Scores], label: str) -> str:
    one = row.get(label)
    if one is None:
        return f"<td>{NOTHING}</td>"
    words = _shown(one.best)
    words = f"<strong>{words}</strong>" if one.label in _least(row.values()) else words
    more = [f"paper {_shown(one.paper)}" if one.paper else "", one.place]
    return f"<td>{words}{''.join(f'<small>{text}</small>' for text in more if text)}</td>"


def _least(row: Iterable[Scores]) -> list[str]:
    """Return the optimizers of least mean error at the best epoch; [] where none is known."""
    means = {one.label: one.best[0] for one in row if one.best is not None}
    return [label for label, mean in means.items() if mean == min(means.values())]


def caption(studies: Sequence[Contents]) -> str:
    """Return what the table of `across` shows."""
    of_paper = f" The paper’s: {SOURCE}." if any(one.paper for contents in studies for one in scores(contents)) else ""
    where = ", in the cell that other data chose" if any(one.axes for one in studies) else ""
    return (
        f"Test error in percent at the epoch of least test error, mean ± standard deviation over the seeds{where}; "
        f"bold: the least mean of a workload, which may be so by chance.{of_paper}"
    )


def leaders(studies: Sequence[Contents]) -> str:
    """Return on how many workloads each optimizer has the least mean error, in words, HTML."""
    counts: dict[str, int] = {}
    ties = 0
    for contents in studies:
        best = _least(scores(contents))
        if len(best) == 1:
            counts[best[0]] = counts.get(best[0], 0) + 1
        ties += len(best) > 1
    if not counts and not ties:
        return "No run of this study is stored yet."
    ordered = sorted(counts.items(), key=lambda pair: -pair[1])
    said = [f"<strong>{escape(label)}</strong> on {number}" for label, number in ordered]
    said += [f"a tie on {ties}"] if ties else []
    return f"Least mean test error at the best epoch, of {len(studies)} workloads: {', '.join(said)}."
