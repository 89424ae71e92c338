"""What a column of the results is, and how it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa

Role = Literal["identity", "outcome", "provenance"]


@dataclass(frozen=True, kw_only=True)
class OnMaps:
    """How a map shows the column.

    Attributes:
        place: Its place in a list of what maps can show, ascending; the first is what they show unless asked.
        title: What that list calls it.
        quantity: What the color bar calls it, without the unit.
        unit: "%" for an error, which is colored by the distance from the best cell; "nats" for a loss; None for a
            number without one. What is no error is colored by its logarithm.
        name: What a sentence calls it.
    """

    place: int
    title: str
    quantity: str
    unit: Literal["%", "nats"] | None = None
    name: str


@dataclass(frozen=True, kw_only=True)
class OfCell:
    """How the table of one cell's runs shows the column: its place from left to right, and its head."""

    place: int
    head: str


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column.

    Attributes:
        name: In both tables.
        kind: Arrow's type.
        role: Whether it identifies a run, is what came of it, or says how that came about.
        null: Whether it may have no value.
        within: The least and the greatest value that it can have; None where it may have any.
        of_run: What it is in the table of runs; None where that has no such column.
        of_epoch: What it is in the table of curves; None where that has no such column.
        per_epoch: Whether training records it each epoch.
        at_end: Whether the run's value is that of its last epoch.
        on_maps: How maps show it; None if they don't.
        of_cell: How a cell's runs are listed with it; None if they aren't.
    """

    name: str
    kind: pa.DataType
    role: Role
    null: bool = False
    within: tuple[float, float] | None = None
    of_run: str | None
    of_epoch: str | None = None
    per_epoch: bool = False
    at_end: bool = False
    on_maps: OnMaps | None = None
    of_cell: OfCell | None = None
