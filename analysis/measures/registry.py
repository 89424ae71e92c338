"""The formula of every measure, tied by its name to the row in `robustness.claims.measures`."""

from __future__ import annotations

from analysis.measures import over_landscape, per_seed
from analysis.measures.over_landscape import OverLandscape
from analysis.measures.per_seed import PerSeed
from robustness.claims.measures import measure_plugins

Formula = OverLandscape | PerSeed

FORMULAS: dict[str, Formula] = {**over_landscape.FORMULAS, **per_seed.FORMULAS}
"""Of the measures that come with the package, by name."""


def formula(name: str) -> Formula:
    """Return the formula of a measure, of this package or another's.

    Raises:
        KeyError: No such measure.
        robustness.plugins.PluginError: It is not one of ours, and one of another package cannot be loaded.
    """
    if name in FORMULAS:
        return FORMULAS[name]
    found = measure_plugins()[name].formula
    return found if isinstance(found, (OverLandscape, PerSeed)) else OverLandscape(found)
