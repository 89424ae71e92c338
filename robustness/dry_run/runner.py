"""Starting a dry run, and what its findings mean for the sweep that is to follow."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from robustness.dry_run.finding import Finding
from robustness.dry_run.mirror import mirror_of
from robustness.dry_run.passed import key_of, remember, remembered

if TYPE_CHECKING:
    from collections.abc import Callable

    from robustness.study import Study

LEFT_OUT = "; --no-try leaves it out"


class DryRunError(Exception):
    """A study cannot be trained as torch would train it; `str()` has a line for each thing that is wrong."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("\n".join(finding.text for finding in findings))
        self.findings = findings


def own_pieces(study: Study) -> list[str]:
    """Return what a dry run tries: the import strings of a study's own workloads and optimizers, and groups."""
    names = [*(each.name for each in study.workloads), *(entry.optimizer.name for entry in study.optimizers)]
    grouped = [f"the groups of {entry.label}" for entry in study.optimizers if entry.optimizer.is_grouped]
    return [*(name for name in dict.fromkeys(names) if ":" in name), *grouped]


def dry_run(study: Study, say: Callable[[str], None] = lambda _words: None) -> list[Finding]:
    """Try what of a study is one's own, in a process of its own, on the CPU.

    A study that has nothing of one's own is not tried, nor one that has passed on this machine before.

    Args:
        study: whose.
        say: is told when it begins, for it may take some seconds.

    Returns:
        What is to be said once, and hinders nothing.

    Raises:
        DryRunError: something cannot be trained as a plain loop of torch would.
    """
    if not own_pieces(study):
        return []
    key = key_of(study)
    if (known := remembered(key)) is not None:
        return known
    say(f"trying {', '.join(own_pieces(study))} on a small batch")
    found = _found(study)
    if fatal := [finding for finding in found if finding.fatal]:
        raise DryRunError(fatal)
    if all(finding.tried for finding in found):
        remember(key, found)
    return found


def said_before(study: Study) -> list[Finding] | None:
    """Return what a dry run has said of a study that passed on this machine; None where there was none."""
    return remembered(key_of(study))


def _found(study: Study) -> list[Finding]:
    from ray import cloudpickle

    root = str(Path(__file__).parents[2])
    given = os.environ.get("PYTHONPATH")
    # Ours first, and the folder of the command not at all: a file there may have the name of one of our packages.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([root, given] if given else [root])}
    words = [sys.executable, "-P", "-m", "robustness.dry_run.process"]
    here = Path.cwd()
    paths = json.dumps([each or str(here) for each in sys.path])
    content = paths.encode() + b"\n" + cloudpickle.dumps(study)
    with mirror_of(here) as folder:
        done = subprocess.run(words, input=content, capture_output=True, env=environment, check=False, cwd=folder)
    if done.returncode:
        return [Finding(_died(done.returncode, done.stderr.decode("utf-8", "replace")))]
    return [Finding(**each) for each in json.loads(done.stdout)]


def _died(code: int, said: str) -> str:
    lines = said.strip().splitlines()
    if code < 0:
        name = signal.Signals(-code).name
        return f"the process that tried the study was ended by {name}, as a worker would be{LEFT_OUT}"
    return f"the study could not be tried: {lines[-1] if lines else f'exit status {code}'}{LEFT_OUT}"
