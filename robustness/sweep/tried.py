"""A dry run before a sweep: what it says, and what of the study follows from it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from robustness.console import err
from robustness.dry_run import dry_run, own_pieces
from robustness.provenance import collect
from robustness.study.resources import CheckpointPolicy
from robustness.worker.own_modules import plugin_packages

if TYPE_CHECKING:
    from robustness.study import Study


def tried(study: Study, *, quiet: bool = False) -> Study:
    """Return a study whose own pieces have been tried; without checkpoints where they could not be gone on from.

    Raises:
        DryRunError: something of one's own would not be trained as a plain loop of torch would train it.
    """
    found = dry_run(study, (lambda _words: None) if quiet else err.print)
    for finding in found:
        err.print(f"note: {finding.text}")
    if all(finding.resumes for finding in found):
        return study
    never = study.resources.model_copy(update={"checkpoint": CheckpointPolicy(minutes=None)})
    return study.model_copy(update={"resources": never})


def record(study: Study, *, try_first: bool) -> dict[str, Any]:
    """Return the provenance of a sweep that starts now; it says whether what is one's own was tried first."""
    collected = collect(sys.argv, plugin_packages(study))
    return collected | ({"dry_run": "passed" if try_first else "left out"} if own_pieces(study) else {})
