"""What each measure goes along, and what that asks of the runs."""

from __future__ import annotations

_PLANE = ("lr", "weight_decay")
AXES: dict[str, tuple[str, ...]] = {
    "basin_area": _PLANE,
    "basin_area_absolute": _PLANE,
    "profile_auc": _PLANE,
    "lr_sensitivity": ("lr",),
    "lr_sensitivity_box": _PLANE,
    "weight_decay_sensitivity": ("weight_decay",),
    "failure_share": _PLANE,
    "ridge_slope": _PLANE,
    "ridge_correlation": _PLANE,
    "optimum_weight_decay": ("weight_decay",),
    "trend": ("weight_decay",),
}
"""What a measure goes along; the others are of one cell alone."""

SHARED = frozenset({"matched", "equal_loss_error"})
"""Measures of the cells that two optimizers have in common."""

LEAST_VALUES = 3
"""Of an axis that is gone along: with fewer, every cell lies at its edge."""
