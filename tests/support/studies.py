"""A small study to vary."""

from __future__ import annotations

from typing import Any

from robustness.study import Study
from tests.support.named import optimizer

SPACE = {"lr": [1e-3, 1e-2], "weight_decay": [0, 1e-4]}
ADAMS, ADAMW, ADAM = (optimizer(name) for name in ("adams", "adamw", "adam"))

FILE = """\
# a comment
workload: {name: digits, epochs: 3}
optimizers: [adams]
space:
  lr: [0.001]
  weight_decay: [1.0e-4]
seeds: [5]
"""


def make(**changes: Any) -> Study:
    """Return the study with some of its keys changed."""
    return Study(**{"name": "x", "workload": "digits", "optimizers": ["adams", "adam"], "space": SPACE} | changes)


def replaced(text: str, old: str, new: str) -> str:
    """Return `text` with another word, which is certain to have been in it."""
    assert old in text, f"{old} is not in it"
    return text.replace(old, new)


def ids(study: Study) -> list[str]:
    """Return the run ids of its grid."""
    return [run.run_id for run in study.grid()]
