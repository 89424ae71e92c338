"""A dry run before a sweep: what it says, and what of the study follows from it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from robustness.console import err
from robustness.dry_run import dry_run, own_pieces
from robustness.provenance import collect
from robustness.study.resources import CheckpointPolicy
from robustness.worker.own_modules import plugin_packages

if TYPE_CHECKING:
    from robustness.study import Study


@dataclass(frozen=True)
class Tried:
    """A study that is about to be trained.

    Attributes:
        study: without checkpoints where its runs could not be gone on from.
        how: whether what is one's own `passed` a dry run, was `left out` of it, or was `not tried` for want of its
            data; None where there is nothing of one's own.
    """

    study: Study
    how: str | None

    def record(self) -> dict[str, Any]:
        """Return the provenance of a sweep that starts now."""
        collected = collect(sys.argv, plugin_packages(self.study))
        return collected | ({"dry_run": self.how} if self.how else {})


def tried(study: Study, *, try_first: bool, quiet: bool = False) -> Tried:
    """Try what of a study is one's own, unless that is to be left out.

    Raises:
        DryRunError: something of one's own would not be trained as a plain loop of torch would train it.
    """
    if not own_pieces(study):
        return Tried(study, None)
    if not try_first:
        return Tried(study, "left out")
    found = dry_run(study, (lambda _words: None) if quiet else err.print)
    for finding in found:
        err.print(f"note: {finding.text}")
    if not all(finding.resumes for finding in found):
        never = study.resources.model_copy(update={"checkpoint": CheckpointPolicy(minutes=None)})
        study = study.model_copy(update={"resources": never})
    return Tried(study, "passed" if all(finding.tried for finding in found) else "not tried")
