"""Verdicts as a table for a terminal, and as JSON."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from io import StringIO
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from analysis.claims.judge import available
from analysis.claims.verdict import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analysis.claims.verdict import Verdict

VERSION = 1
"""Of the JSON; goes up when a key is renamed, removed or changes its meaning."""

WIDTH = 120
NARROWEST = 72
"""Columns below which words would be cut rather than wrapped."""


def text(verdicts: Sequence[Verdict], *, width: int = WIDTH, everything: bool = False) -> str:
    """Return the verdicts of one study: a table, then which claims have no data and what would give it.

    Args:
        verdicts: Of one study.
        width: Columns of the terminal.
        everything: Put claims without data into the table too, each with its reason.
    """
    shown = [each for each in verdicts if everything or each.made_for or each.outcome != "no data"]
    shown.sort(key=lambda each: not each.made_for)
    rest = [each for each in verdicts if each not in shown]
    parts = [counted(verdicts)]
    if shown:
        parts.append(_laid_out(_table(shown), max(width, NARROWEST)))
    if any(each.made_for for each in shown):
        parts.append("* the study was made to answer it")
    if rest:
        parts.append(f"No data for {len(rest)} more; what would give it:\n" + _laid_out(_sources(rest), width))
    return "\n".join(parts)


def counted(verdicts: Sequence[Verdict]) -> str:
    """Return how many claims came to which verdict: "9 claims: 1 reproduced, 8 undecided"."""
    counts = {outcome: sum(each.outcome == outcome for each in verdicts) for outcome in OUTCOMES}
    said = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    return f"{len(verdicts)} claim{'' if len(verdicts) == 1 else 's'}" + (f": {said}" if said else "")


def _table(verdicts: Iterable[Verdict]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
    for heading in ("claim", "verdict"):
        table.add_column(heading, no_wrap=True)
    table.add_column("why", overflow="fold", ratio=1)
    for each in verdicts:
        table.add_row(("* " if each.made_for else "  ") + each.claim, each.outcome, each.why)
    return table


def _sources(verdicts: Iterable[Verdict]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", ratio=1)
    for each in verdicts:
        there = "" if available(each.source) else ", not in this version yet"
        table.add_row(f"  {each.claim}", f"{each.source}{there}" if each.source else each.why)
    return table


def _laid_out(table: Table, width: int) -> str:
    stream = StringIO()
    # No color and no markup: the same text in a terminal, a pipe and a file.
    Console(file=stream, width=width, color_system=None, markup=False, highlight=False, emoji=False).print(table)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def to_json(verdicts: Iterable[Verdict]) -> str:
    """Return the verdicts as strict JSON.

    `{"version": 1, "verdicts": [{claim, sentence, figure, study, workload, outcome, why, comparisons, made_for,
    source}]}`: the fields of `analysis.claims.verdict.Verdict`; `comparisons` is a list with those of
    `analysis.statistics.comparison.Comparison`. A number that is unknown or infinite is null.
    """
    content = {"version": VERSION, "verdicts": [_plain(asdict(each)) for each in verdicts]}
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if hasattr(value, "item"):
        value = value.item()  # of numpy
    return None if isinstance(value, float) and not math.isfinite(value) else value
