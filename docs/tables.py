"""The tables of README.md and docs/ that are made from the code: `python -m docs.tables` fills them.

A table stands between two comments, `<!-- table: NAME -->` and `<!-- /table -->`; `TABLES` says what makes it.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from docs.options import listed
from docs.rooms import rooms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"(<!-- table: ([\w-]+) -->\n)(.*?)(<!-- /table -->)", re.DOTALL)


def pages() -> list[Path]:
    """Return the pages that may have such tables."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def filled(text: str) -> str:
    """Return a page with every table as the code has it.

    Raises:
        KeyError: a block names no table.
    """
    return BLOCK.sub(lambda found: f"{found[1]}\n{TABLES[found[2]]()}\n\n{found[4]}", text)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = ["|".join(["", *["---"] * len(head), ""])]
    cells = [[cell.replace("|", r"\|") for cell in line] for line in (head, *rows)]
    shown = [f"| {' | '.join(line)} |" for line in cells]
    return "\n".join([*shown[:1], *lines, *shown[1:]])


def first_sentence(value: object) -> str:
    """Return the first line of a docstring without its full stop."""
    return (value.__doc__ or "").strip().partition("\n")[0].removesuffix(".")


def optimizers() -> str:
    """Every optimizer of the registry: its options and how its weight decay acts."""
    from robustness.optimizers import OPTIMIZERS

    return table(
        ["name", "what", "options beside `label` and `schedule`, with their defaults", "decay"],
        [(f"`{name}`", first_sentence(one), listed(one), f"`{one.convention}`") for name, one in OPTIMIZERS.items()],
    )


def update_rules() -> str:
    """What each optimizer does to the weights."""
    from robustness.optimizers import registry

    return table(["optimizer", "update", "convention"], registry.table())


def workloads() -> str:
    """Every workload of the registry and the engine that trains it by default."""
    from robustness.workloads import WORKLOADS

    return table(
        ["name", "data and network", "engine"],
        [
            (f"`{name}`", first_sentence(one), f"`{one.model_fields['engine'].default}`")
            for name, one in WORKLOADS.items()
        ],
    )


def networks() -> str:
    """Every network that a workload of images takes as its `model`."""
    from robustness.models import MODELS

    return table(
        ["`model`", "what", "options, with their defaults"],
        [(f"`{name}`", first_sentence(one), listed(one)) for name, one in MODELS.items()],
    )


def samplers() -> str:
    """Every sampler of Optuna that a search may name."""
    from robustness.study.samplers import SAMPLERS

    yes = {True: "yes", False: "no"}
    return table(
        ["`sampler`", "what", "learns from the cells before", "spread evenly over the box"],
        [(f"`{name}`", row.title, yes[row.learns], yes[row.even]) for name, row in SAMPLERS.items()],
    )


def measures() -> str:
    """Every measure, as a claim names it."""
    from robustness.claims.measures import table_rows

    return "\n".join(table_rows())


def figures() -> str:
    """Every figure that `robustness figures` writes."""
    from analysis.figures.registry import figures as registered

    return table(
        ["`--figure`", "what"],
        [(f"`{name}`", f"{'the paper: ' if row.on_paper else ''}{row.heading}") for name, row in registered().items()],
    )


def commands() -> str:
    """Every command, with what its help says."""
    from robustness.commands import GROUPS

    found: list[tuple[str, str]] = []

    def add(name: str, _function: object, text: str) -> argparse.ArgumentParser:
        found.append((f"`robustness {name}`", text))
        return argparse.ArgumentParser()

    for group in GROUPS:
        group.add_commands(add)
    return table(["command", "what it does"], found)


def run_columns() -> str:
    """The columns of the table of runs."""
    from robustness.results.tables.schema import RUNS, documented

    return "\n".join([table(["Column", "Type", "Role", "Meaning"], []), *documented(RUNS)])


def curve_columns() -> str:
    """The columns of the table of curves."""
    from robustness.results.tables.schema import CURVES, documented

    return "\n".join([table(["Column", "Type", "Role", "Meaning"], []), *documented(CURVES)])


def house() -> str:
    """The rooms of the packages."""
    return table(["room", "what is in it", "files"], rooms(ROOT))


TABLES: dict[str, Callable[[], str]] = {
    "optimizers": optimizers,
    "update-rules": update_rules,
    "workloads": workloads,
    "networks": networks,
    "samplers": samplers,
    "measures": measures,
    "figures": figures,
    "commands": commands,
    "runs": run_columns,
    "curves": curve_columns,
    "rooms": house,
}
"""What makes each table; every one stands on some page."""


if __name__ == "__main__":
    for path in pages():
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
