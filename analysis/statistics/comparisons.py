"""The comparisons of a study's optimizers, each made once: whoever words, draws or judges them looks them up here."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from analysis.conventions import LEAST_SEEDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from analysis.statistics.comparison import Comparison, Question


class Value(NamedTuple):
    """Which value is meant: a measure of one optimizer, of a basin within `delta` points where it has one."""

    measure: str
    label: str
    delta: float | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Comparisons:
    """What was asked of a study's optimizers, and the answers.

    Attributes:
        labels: Optimizers with a result, in the study's order.
        found: The comparisons.
        clipped: Of those that cells which were not measured could turn round, beyond the box or in a hole of it, why.
        values: The measures of single optimizers, in their units; NaN where unknown.
        one_grid: Pairs of the comparisons that have the same learning rates and weight decays.
        one_box: Pairs of the comparisons that have a part of learning rate and weight decay in common.
    """

    labels: tuple[str, ...] = ()
    found: Mapping[Question, Comparison] = field(default_factory=dict)
    clipped: Mapping[Question, str] = field(default_factory=dict)
    values: Mapping[Value, float] = field(default_factory=dict)
    one_grid: frozenset[tuple[str, str]] = frozenset()
    one_box: frozenset[tuple[str, str]] = frozenset()

    def __post_init__(self) -> None:
        """Let nothing be added later."""
        for name in ("found", "clipped", "values"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __getitem__(self, question: Question) -> Comparison:
        """Return a comparison.

        Raises:
            KeyError: It was not asked for when the study was gathered.
        """
        return self.found[question]

    def value(self, measure: str, label: str, delta: float | None = None) -> float:
        """Return a measure of one optimizer in its unit; NaN where it is unknown.

        Raises:
            KeyError: It was not asked for when the study was gathered.
        """
        return self.values[Value(measure, label, delta)]

    def decided(self, questions: Iterable[Question]) -> int:
        """Return the side of equality that all the intervals lie on, +1 or -1; 0 where they leave it open.

        Too few seeds, or cells not measured that could turn one round, leave it open too.
        """
        asked = list(questions)
        sides = {self[one].side for one in asked}
        sure = len(sides) == 1 and all(self[one].seeds >= LEAST_SEEDS and one not in self.clipped for one in asked)
        return sides.pop() if sure else 0
