"""The report's first table: a line an optimizer, HTML. Whatever comes from outside is escaped."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from analysis.formats import number, percent, points, spread
from analysis.measures.clipped_basin import edge
from analysis.report.best_epoch_table import single_cells_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.contents.gather import Contents
    from analysis.contents.summary import Optimum, Summary

NOTHING = "–"


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the table.

    Attributes:
        head: What stands over it.
        below: What stands below that in small letters; None for nothing.
        cell: What it says of an optimizer, HTML.
        of_basin: Whether it is about a basin, which cells that are no map do not have.
        in_words: Whether it holds words, not numbers.
    """

    head: str
    below: str | None = None
    cell: Callable[[Summary], str]
    of_basin: bool = False
    in_words: bool = False


def summary_table(contents: Contents) -> str | None:
    """Return the summary table as HTML; None without an optimizer."""
    if not contents.summaries:
        return None
    if not contents.axes:
        return single_cells_table(contents)
    columns = [one for one in _columns(contents) if not (one.of_basin and contents.no_map)]
    heads = "".join(f'<th scope="col">{one.head}{_small(one.below)}</th>' for one in columns)
    body = "".join(_row(one, columns) for one in contents.summaries)
    head = f'<th scope="col">Optimizer</th>{heads}'
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _columns(contents: Contents) -> list[Column]:
    """Return the columns after the optimizer's name."""
    best = contents.seeds.best if contents.seeds else None
    reference = f"{contents.seeds.depth(best):.2f} %" if contents.seeds and best else NOTHING
    within = f"within {points(contents.delta)} of "
    of_runs = "of the box" if contents.cells is None else "of the runs"
    return [
        Column(head="Test error, %", below="ringed cell, chosen by other data, ± std", cell=_chosen),
        Column(head="Least test error, %", below="chosen by itself: optimistic", cell=_least),
        Column(head="Learning rate", below="of the least", cell=_of_least("lr")),
        Column(head="Weight decay", below="common scale", cell=_of_least("weight_decay")),
        Column(head="Weight decay", below="as given", cell=_of_least("weight_decay_native")),
        Column(head="Basin", below=f"{within}its ringed cell", cell=lambda one: percent(one.share), of_basin=True),
        Column(
            head="Basin",
            below=f"{within}the best ringed one ({reference})",
            cell=lambda one: percent(one.share_of_all),
            of_basin=True,
        ),
        Column(head="Basin meets the box’s edge", cell=_edge, of_basin=True, in_words=True),
        Column(head="Diverged", below=of_runs, cell=lambda one: percent(one.diverged)),
        Column(head="No better than chance", below=of_runs, cell=lambda one: percent(one.at_chance)),
        Column(head="Failed runs", cell=lambda one: str(one.failed)),
        Column(head="Seeds", below="a cell", cell=_seeds),
    ]


def _small(text: str | None) -> str:
    return f"<small>{text}</small>" if text else ""


def _row(one: Summary, columns: list[Column]) -> str:
    cells = "".join(
        f'<td class="words">{column.cell(one)}</td>' if column.in_words else f"<td>{column.cell(one)}</td>"
        for column in columns
    )
    return f'<tr><th scope="row">{escape(one.label)}</th>{cells}</tr>'


def _chosen(one: Summary) -> str:
    cell = one.chosen
    if cell is None:
        return NOTHING
    return f"{spread(cell.mean, cell.std)}<small>lr {number(cell.lr)}, λ {number(cell.weight_decay)}</small>"


def _least(one: Summary) -> str:
    return spread(one.least.mean, one.least.std) if one.least else NOTHING


def _of_least(value: str) -> Callable[[Summary], str]:
    """Return what says a value of the cell of least error."""

    def said(one: Summary) -> str:
        least: Optimum | None = one.least
        return number(getattr(least, value)) if least else NOTHING

    return said


def _edge(one: Summary) -> str:
    contact = one.contact
    if contact is None or one.least is None:
        return NOTHING
    if not contact.sides:
        return "optimum on the edge" if contact.optimum else "no"
    words = f"{percent(contact.share)} of it: {edge(contact)}"
    return words + ("; optimum on the edge" if contact.optimum else "")


def _seeds(one: Summary) -> str:
    least, most = one.seeds
    return str(least) if least == most else f"{least}–{most}"
