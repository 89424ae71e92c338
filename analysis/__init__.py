"""Look at results: landscapes, measures of their basins, figures, the report. Loads neither torch nor ray.

    from analysis import gather, write_report
    from robustness import load

    store = load("digits").store
    contents = gather(store)               # maps, measures, comparisons and verdicts of a stored study
    write_report(store.root)               # the same as one HTML page

Every name here is loaded when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from robustness.lazy import lazily

if TYPE_CHECKING:
    from analysis.claims.judge import judge
    from analysis.claims.verdict import Verdict
    from analysis.contents.contents import Contents
    from analysis.contents.gather import gather
    from analysis.figures.paper.figures import FIGURES
    from analysis.landscapes.landscape import Landscape
    from analysis.landscapes.landscape import landscapes as landscapes_of
    from analysis.measures.contrasts import Contrasts
    from analysis.measures.tuning_curve import tuning_curve
    from analysis.report.report import write_report
    from analysis.statistics.comparison import Comparison
    from analysis.statistics.performance_profile import profile as performance_profile

__all__ = [
    "FIGURES",
    "Comparison",
    "Contents",
    "Contrasts",
    "Landscape",
    "Verdict",
    "gather",
    "judge",
    "landscapes_of",
    "performance_profile",
    "tuning_curve",
    "write_report",
]

PLACES = {
    "FIGURES": "analysis.figures.paper.figures:FIGURES",
    "Comparison": "analysis.statistics.comparison:Comparison",
    "Contents": "analysis.contents.contents:Contents",
    "Contrasts": "analysis.measures.contrasts:Contrasts",
    "Landscape": "analysis.landscapes.landscape:Landscape",
    "Verdict": "analysis.claims.verdict:Verdict",
    "gather": "analysis.contents.gather:gather",
    "judge": "analysis.claims.judge:judge",
    "landscapes_of": "analysis.landscapes.landscape:landscapes",  # `landscapes` is the room
    "performance_profile": "analysis.statistics.performance_profile:profile",
    "tuning_curve": "analysis.measures.tuning_curve:tuning_curve",
    "write_report": "analysis.report.report:write_report",
}
"""Where each name lies."""

__getattr__ = lazily(__name__, PLACES)
