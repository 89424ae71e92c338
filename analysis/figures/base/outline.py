"""The exact outline of a set of cells along their edges, and rectangles of cells for hatching."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Point = tuple[int, int]


def loops(mask: NDArray[np.bool_]) -> list[list[Point]]:
    """Return the closed outlines of the cells in `mask` (rows, columns), as (column, row) corners.

    Each loop ends where it began and has the cells to its left; only turning points are kept. Cells that
    touch at a corner alone have separate loops.
    """
    ahead: dict[Point, list[Point]] = {}
    padded = np.pad(mask, 1)
    inner = padded[1:-1, 1:-1]
    # A cell's sides run counterclockwise; a side between two cells of the mask is no outline.
    sides = (
        (padded[:-2, 1:-1], (0, 0), (1, 0)),
        (padded[1:-1, 2:], (1, 0), (1, 1)),
        (padded[2:, 1:-1], (1, 1), (0, 1)),
        (padded[1:-1, :-2], (0, 1), (0, 0)),
    )
    for neighbor, start, end in sides:
        for row, column in np.argwhere(inner & ~neighbor).tolist():
            ahead.setdefault((column + start[0], row + start[1]), []).append((column + end[0], row + end[1]))
    found = []
    while ahead:
        found.append(_walk(ahead))
    return found


def _walk(ahead: dict[Point, list[Point]]) -> list[Point]:
    first = min(ahead)
    point, heading, loop = first, (0, 0), [first]
    while True:
        options = ahead[point]
        # At a corner where two cells touch, turning left stays with the same cell.
        step = next(
            (o for o in options if (o[0] - point[0], o[1] - point[1]) == (-heading[1], heading[0])),
            options[0],
        )
        options.remove(step)
        if not options:
            del ahead[point]
        turn = (step[0] - point[0], step[1] - point[1])
        if turn == heading:
            loop[-1] = step
        else:
            loop.append(step)
        point, heading = step, turn
        if point == first:
            return loop


def path(
    mask: NDArray[np.bool_], x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[list[float | None], list[float | None]]:
    """Return the outline of `mask` (n, m) as x and y of one line; None lifts the pen.

    `x` (m + 1,) and `y` (n + 1,) are the cell edges in data units.
    """
    xs: list[float | None] = []
    ys: list[float | None] = []
    for loop in loops(mask):
        # One corner more than the closing one, so that the joint at the start is mitred too.
        for column, row in (*loop, loop[1]):
            xs.append(float(x[column]))
            ys.append(float(y[row]))
        xs.append(None)
        ys.append(None)
    return xs[:-1], ys[:-1]
