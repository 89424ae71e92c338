"""The page of studies side by side: what it says, HTML."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from html import escape
from string import Template
from typing import TYPE_CHECKING

from analysis.contents.side_by_side import Workload, costs, labels, looks, scored
from analysis.figures import Drawing, basins, sampled_basins
from analysis.figures.lines.performance_profiles import performance
from analysis.formats import count, plural, points
from analysis.report import notes, page, side_by_side

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, kw_only=True, eq=False)
class ComparedWorkloads:
    """Workloads of one or several studies as the page shows them.

    Attributes:
        workloads: Each with its measures.
        delta: Points of error that bound a basin.
    """

    workloads: Sequence[Workload]
    delta: float

    @property
    def names(self) -> list[str]:
        """Of the studies."""
        return list(dict.fromkeys(one.name for one in self.workloads))

    @cached_property
    def figures(self) -> dict[str, tuple[str, Drawing]]:
        """Heading and figure of each section that has one, by its id."""
        return drawings(self.workloads, self.delta)

    @cached_property
    def _scores(self) -> list[list[str]]:
        return side_by_side.scores_table(self.workloads, self.delta)

    def answer(self) -> str:
        """Return the first sentence."""
        return page.answer(side_by_side.highest_scores(self.workloads, self._scores))

    def facts(self) -> str:
        """Return how much is compared."""
        studies = plural(len(self.names), "study").replace("studys", "studies")
        runs = count(sum(one.contents.results for one in self.workloads))
        return page.facts([studies, plural(len(labels(self.workloads)), "optimizer"), f"{runs} runs"])

    def notes(self) -> str | None:
        """Return what a reader of the table must know; None if nothing."""
        said = side_by_side.notes_on(self.workloads)
        return notes.paragraphs([" ".join(said)] if said else [])

    def measures(self) -> str:
        """Return the table of measures."""
        table = side_by_side.measures_table(self.workloads, workload=side_by_side.several(self.workloads))
        return page.scrolled(side_by_side.html_table(table), "Measures of each study")

    def scores(self) -> str:
        """Return what the scores are, and their table if there is one."""
        table = side_by_side.html_table(self._scores) if self._scores else ""
        about = f"<p>{escape(side_by_side.scores_are(self.workloads))}</p>"
        return about + page.scrolled(table, "Scores over all workloads")

    def places(self) -> str | None:
        """Return the places of the figures; None without one."""
        return "".join(page.section(name, *shown) for name, shown in self.figures.items()) or None

    def made(self) -> str:
        """Return how the page was made."""
        return Template(page.asset("compared.html")).substitute(
            delta=points(self.delta), date=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        )


def drawings(compared: Sequence[Workload], delta: float) -> dict[str, tuple[str, Drawing]]:
    """Return heading and figure of each section, by its id."""
    drawn: dict[str, tuple[str, Drawing]] = {}
    if scored(compared):
        profiles = performance(costs(compared, delta), labels(compared), slots=looks(compared))
        drawn["performance"] = "Performance profiles", profiles
    for number, one in enumerate(compared, 1):
        heading = one.name if one.name == one.workload else f"{one.name}: {one.workload}"
        if one.contents.cells is not None:
            drawn[f"study-{number}"] = heading, sampled_basins(one.contents.cells, delta)
        elif one.contents.maps and not one.contents.no_map:
            drawn[f"study-{number}"] = heading, basins(one.contents.maps, delta, one.contents.marks)
    return drawn
