"""Whether two trainings came to the same."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from robustness.dry_run.plain import Outcome

TOLERANCE = {torch.float64: 1e-7, torch.float32: 1e-3}
"""Greatest difference, as a share of the greatest of what is compared: in double precision, or where a network takes
single precision alone."""

COUNTED = 1e-5
"""Of errors, which are counted and kept in single precision."""


def difference(one: Outcome, other: Outcome, dtype: torch.dtype) -> str | None:
    """Return what differs most tellingly between two outcomes, with both numbers; None where nothing does."""
    limit = TOLERANCE[dtype]
    for kind, mine, theirs in (("parameter", one.parameters, other.parameters), ("buffer", one.buffers, other.buffers)):
        for name in mine.keys() & theirs.keys():
            apart = _apart(mine[name], theirs[name])
            if not apart <= limit:
                return f"the {kind} {name!r} differs by {apart:.2g} of its greatest value"
    for name, value in one.numbers.items():
        found = other.numbers[name]
        if not math.isclose(value, found, rel_tol=max(limit, COUNTED), abs_tol=100 * limit):
            return f"the {name} is {value:.6g} and {found:.6g}"
    for name, value in one.measured.items():
        found = other.measured.get(name, value)
        if not (math.isclose(value, found, rel_tol=max(limit, COUNTED)) or (math.isnan(value) and math.isnan(found))):
            return f"{name} is {value:.6g} and {found:.6g}"
    return None


def _apart(one: torch.Tensor, other: torch.Tensor) -> float:
    if one.shape != other.shape:
        return math.inf
    if not one.is_floating_point() and not one.is_complex():
        return 0.0 if torch.equal(one, other) else math.inf
    if not one.numel():
        return 0.0
    scale = max(float(one.abs().max()), float(other.abs().max()), 1e-12)
    return float((one - other.to(one)).abs().max()) / scale
