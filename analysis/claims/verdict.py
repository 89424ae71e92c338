"""What a study says of a claim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from analysis.statistics.comparison import Comparison

Outcome = Literal["reproduced", "contradicted", "undecided", "no data"]
OUTCOMES: tuple[Outcome, ...] = ("reproduced", "contradicted", "undecided", "no data")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The answer of one study to one claim.

    Attributes:
        claim: The claim's id.
        sentence: The claim in words.
        figure: The paper's figure or theorem that makes it; "" for a claim of one's own.
        study: Name of the study.
        workload: What it trained.
        outcome: The verdict.
        why: What decided it, or what is missing, in a sentence without its full stop.
        comparisons: The intervals behind it, one a rival and delta; empty without data.
        made_for: Whether the study file names the claim.
        source: Study file that would give the data; "" where unknown.

    Example:
        >>> from analysis import gather
        >>> from robustness.published.shipped import published
        >>> found = {each.claim: each for each in gather(published()["cifar10"]).verdicts}
        >>> found["theorem-1"].outcome, found["swd-robust-to-decay"].outcome
        ('no data', 'contradicted')
    """

    claim: str
    sentence: str
    figure: str
    study: str
    workload: str
    outcome: Outcome
    why: str
    comparisons: tuple[Comparison, ...] = ()
    made_for: bool = False
    source: str = ""
