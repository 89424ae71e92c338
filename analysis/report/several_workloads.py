"""What a report says of several workloads together, HTML: what they come to, and which they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING

from analysis.contents.by_workload import slugs
from analysis.contents.side_by_side import costs, labels, looks, workloads
from analysis.figures.lines.performance_profiles import performance
from analysis.formats import count, plural
from analysis.report import best_epoch_table, notes, page, side_by_side
from analysis.report.one_workload import OneWorkload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.contents.gather import Contents
    from analysis.contents.side_by_side import Workload
    from analysis.figures import Drawing

TOGETHER = "performance"
"""Id of the one figure of all workloads."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SeveralWorkloads:
    """The workloads of a study as a report shows them.

    Attributes:
        workloads: Each by itself, with an anchor.
        root: What the query on the page opens.
    """

    workloads: Sequence[OneWorkload]
    root: str

    @classmethod
    def of(cls, studies: Sequence[Contents], root: str) -> SeveralWorkloads:
        """Draw the figures that the workloads of a study allow.

        Raises:
            robustness.plugins.PluginError: A figure of another package cannot be used.
        """
        anchors = [f"workload-{slug}" for slug in slugs([one.workload for one in studies])]
        every = [OneWorkload.of(one, root, anchor) for one, anchor in zip(studies, anchors, strict=True)]
        return cls(workloads=every, root=root)

    @property
    def studies(self) -> list[Contents]:
        """All that is known of each."""
        return [one.contents for one in self.workloads]

    @property
    def first(self) -> Contents:
        """The first one, for what all have alike."""
        return self.workloads[0].contents

    @property
    def results(self) -> int:
        """Runs with a result."""
        return sum(one.results for one in self.studies)

    @property
    def asked(self) -> int | None:
        """Runs that the study asks for; None where unknown."""
        return sum(one.asked or 0 for one in self.studies) or None

    @cached_property
    def _mapless(self) -> bool:
        return all(one.no_map for one in self.studies)

    @cached_property
    def _compared(self) -> list[Workload]:
        return workloads(self.studies)

    @cached_property
    def _scores(self) -> list[list[str]]:
        """The scores of the optimizers under a head; [] where there is no optimizer, or no map."""
        return [] if self._mapless else side_by_side.scores_table(self._compared, self.first.delta)

    @cached_property
    def drawn(self) -> dict[str, Drawing]:
        """The figure of all workloads, if there is one, and each one's own, by the ids of their places."""
        found: dict[str, Drawing] = {}
        if self._scores:
            known = {title: table for title, table in costs(self._compared, self.first.delta).items() if len(table)}
            found[TOGETHER] = performance(known, labels(self._compared), slots=looks(self._compared))
        return found | {place: one for workload in self.workloads for place, one in workload.placed.items()}

    def answer(self) -> str:
        """Return the first sentence."""
        if self._mapless:
            return page.answer(best_epoch_table.leaders(self.studies))
        return page.answer(side_by_side.highest_scores(self._compared, self._scores))

    def facts(self) -> str:
        """Return how far the study is."""
        optimizers = {one.label for contents in self.studies for one in contents.summaries}
        asked = self.asked or 0
        partial = f"partial: {count(self.results)} of {plural(asked, 'run')}"
        runs = plural(self.results, "run") if self.results >= asked else partial
        return page.facts([plural(len(self.workloads), "workload"), plural(len(optimizers), "optimizer"), runs])

    def notes(self) -> str | None:
        """Return what to know of the store as a whole."""
        return notes.paragraphs(notes.store_notes(self.first))

    def links(self) -> str:
        """Return the links to the workloads."""
        items = "".join(
            f'<li><a href="#{one.anchor}">{escape(one.contents.workload)}</a></li>' for one in self.workloads
        )
        return f'<nav aria-label="Workloads"><ul class="contents">{items}</ul></nav>'

    def measures(self) -> str:
        """Return the table of measures of all; of test errors, where no workload has a map."""
        if self._mapless:
            return _captioned(best_epoch_table.across(self.studies), best_epoch_table.caption(self.studies))
        table = side_by_side.measures_table(self._compared, study=False)
        return _captioned(side_by_side.html_table(table), side_by_side.basins_are(self.first.delta))

    def scores(self) -> str | None:
        """Return the table of scores; None without one."""
        if not self._scores:
            return None
        return _captioned(side_by_side.html_table(self._scores), side_by_side.scores_are(self._compared))

    def performance(self) -> str | None:
        """Return the place of the figure of all workloads; None without one."""
        if TOGETHER not in self.drawn:
            return None
        return page.section(TOGETHER, "Performance profiles", self.drawn[TOGETHER])


def _captioned(table: str, caption: str) -> str:
    return f'<section><div class="scroll">{table}</div><p class="caption">{escape(caption)}</p></section>'
