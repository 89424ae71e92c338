"""Where a study's runs come from: a grid, or searches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robustness.search.grid import GridSource

if TYPE_CHECKING:
    import pandas as pd

    from robustness.search.source import Source
    from robustness.study import Study


def make_source(study: Study, stored: pd.DataFrame) -> Source:
    """Return where the runs of `study` come from; `stored` is its table of runs."""
    if study.search.sampler == "grid":
        return GridSource(study, stored)
    from robustness.search.sampled import SampledSource

    return SampledSource(study, stored)
