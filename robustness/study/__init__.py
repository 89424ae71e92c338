"""A study: which workload, optimizers, learning rates, weight decays and seeds, and the runs that follow."""

from robustness.claims.catalogue import paper_claims
from robustness.claims.claim import Claim
from robustness.study.axis import Axis, DecayAxis
from robustness.study.file import studies
from robustness.study.optimizer_entry import OptimizerEntry
from robustness.study.resources import Resources
from robustness.study.run import Run
from robustness.study.schema import study_schema
from robustness.study.space import Grid, Sampled, SearchSpace
from robustness.study.study import Study
from robustness.validation.problems import Problem, StudyError

__all__ = [
    "Axis",
    "Claim",
    "DecayAxis",
    "Grid",
    "OptimizerEntry",
    "Problem",
    "Resources",
    "Run",
    "Sampled",
    "SearchSpace",
    "Study",
    "StudyError",
    "paper_claims",
    "studies",
    "study_schema",
]
