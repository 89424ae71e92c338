"""The table of docs/optimizers.md: every optimizer of torch and of pytorch_optimizer, tried as a study's would be.

`python -m docs.optimizers` tries them all and writes the table, which takes some minutes; `row_of` tries one.
"""

from __future__ import annotations

import importlib
import re
import sys
import warnings
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from docs.tables import table
from robustness import Study, StudyError
from robustness.dry_run.pieces import tried
from robustness.optimizers.behavior.closures import way_of
from robustness.optimizers.behavior.decay import ALL, action_of
from robustness.workloads import Data, Workload

if TYPE_CHECKING:
    from collections.abc import Iterable

PAGE = Path(__file__).with_suffix(".md")
BLOCK = re.compile(r"(?<=<!-- optimizers -->\n).*?(?=<!-- /optimizers -->)", re.DOTALL)
HEAD = ("optimizer", "decay", "a step asks for", "trained as by a plain loop", "remarks")

PACKAGES = ("torch.optim", "pytorch_optimizer")

OPTIONS: dict[str, dict[str, Any]] = {
    "pytorch_optimizer:BSAM": {"num_data": 64},
    "pytorch_optimizer:Ranger21": {"num_iterations": 100},
}
"""Arguments that a class does not do without."""


class SmallImages(Workload):
    """Random images of two classes, and a network with a convolution, a normalization, matrices and biases."""

    classes = 2
    batch_size: int = 16

    def data(self, seed: int) -> Data:
        """Return 32 images to train on, 16 to choose by and 16 to test with."""
        draw = torch.Generator().manual_seed(seed)
        x = torch.randn(64, 1, 6, 6, generator=draw)
        y = (x.mean(dim=(1, 2, 3)) > 0).long()
        return Data(x[:32], y[:32], x[32:48], y[32:48], x[48:], y[48:])

    def model(self) -> nn.Module:
        """Return the network."""
        return nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 2)
        )


@dataclass(frozen=True)
class Row:
    """What came of an optimizer, as the table says it."""

    name: str
    decay: str
    asks_for: str
    trained: str
    remarks: str


def names() -> list[str]:
    """Return the import strings of all optimizers of the packages."""
    found = []
    for package in PACKAGES:
        for name, kind in sorted(vars(importlib.import_module(package)).items()):
            if isinstance(kind, type) and issubclass(kind, torch.optim.Optimizer) and kind is not torch.optim.Optimizer:
                found.append(f"{package}:{name}")
    return found


def row_of(name: str) -> Row:
    """Try the optimizer of an import string on a small network of images."""
    entry = {"name": name, "options": OPTIONS.get(name, {})}
    given = "convention: l2"
    try:
        study, given = _study(entry), ""
    except StudyError as error:
        problem = error.problems[0].message
        if "takes no weight decay" in problem:
            study, given = _study(entry, decay=0.0), "none"
        elif "say which of" in problem:
            study = _study({**entry, "convention": "l2"})
            given = f"to be said: {problem.rpartition('for ')[2]}"
        else:
            return Row(f"`{name}`", "", "", "no", _shown(problem))
    optimizer = study.optimizers[0].optimizer
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        findings = tried(study)
    fatal = [each.text for each in findings if each.fatal]
    said = [each.text for each in findings if not each.fatal]
    found = given or [f"`{each}`" for each in action_of(optimizer).conventions]
    does = given or ("nothing" if len(found) == len(ALL) else " or ".join(found))
    trained = "no" if fatal else "yes, but not set down" if any(not each.resumes for each in findings) else "yes"
    return Row(
        f"`{name}`",
        does,
        way_of(optimizer),
        trained,
        _shown("; ".join(fatal or [_remark(each, name) for each in said])),
    )


def _study(entry: dict[str, Any], decay: float = 1e-4) -> Study:
    return Study(
        name="one",
        workload={"name": "docs.optimizers:SmallImages", "epochs": 2, "engine": "single"},
        optimizers=[entry],
        space={"lr": [1e-3], "weight_decay": [decay]},
        seeds=1,
    )


def _remark(text: str, name: str) -> str:
    text = text.removeprefix(f"{name}: ")
    not_set_down = re.fullmatch(r"a run of \S+ that is set down does not go on as one that is not \((.*)\): .*", text)
    return f"set down: {not_set_down[1]}" if not_set_down else text


def _shown(text: str) -> str:
    """Return a text as a cell has it: no path of this machine, no address in memory, not too long."""
    text = re.sub(r" at 0x[0-9a-f]+", "", text.replace("docs.optimizers:SmallImages", "the network"))
    return " ".join(text.split())[:240]


def written(rows: Iterable[Row]) -> str:
    """Return the page with these rows in its table."""
    return BLOCK.sub(lambda _: f"\n{table(HEAD, [astuple(row) for row in rows])}\n\n", PAGE.read_text("utf-8"))


def main() -> None:
    """Try all of them, and write the page."""
    rows = []
    every = names()
    for number, name in enumerate(every, 1):
        rows.append(row_of(name))
        print(f"{number} of {len(every)}: {name}: {rows[-1].trained}", file=sys.stderr)
    PAGE.write_text(written(rows), "utf-8")


if __name__ == "__main__":
    main()
