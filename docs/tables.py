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
        ["name", "what", "options of its own, with their defaults", "decay"],
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


def service_bounds() -> str:
    """What a visitor may cost the service."""
    from analysis.service import server
    from analysis.service.pages import compare, submit
    from analysis.service.studies import limits
    from analysis.service.visitors import brake, door
    from analysis.service.web import connections, responses
    from robustness.results.tables import cost
    from robustness.study import file

    def size(count: int) -> str:
        return f"{count / 2**20:g} MiB" if count >= 2**20 else f"{count / 2**10:g} KiB"

    return table(
        ["what", "bound", "beyond it"],
        [
            ("connections at once", f"{server.CONNECTIONS}", "further ones wait"),
            ("requests answered at once", f"{server.THREADS}", "further ones wait"),
            ("a request", size(server.MOST_BYTES), "413"),
            ("a submitted study", size(submit.BODY_BYTES), "413"),
            ("seconds in which some of a request must come", f"{server.SENT_S}", "the connection ends"),
            (
                "of an answer that waits, what must be read",
                f"{size(connections.LEAST_READ)} in {connections.UNREAD_S:g} s",
                "the connection ends",
            ),
            (
                "what waits for all visitors together, in memory and temporary files",
                f"{size(connections.MOST_UNREAD)}, and an answer for each that is answered at once",
                "who would take longest to read theirs is ended",
            ),
            ("answers kept to be given again", size(responses.MOST_BYTES), "the oldest are forgotten"),
            (
                "wrong tokens of an address (of IPv6 a network of 64 bits)",
                f"{brake.MOST}, then one every {brake.EVERY_S:g} s",
                "429 with Retry-After",
            ),
            (
                "wrong tokens of all addresses",
                f"{brake.OVERALL}, then one every {brake.OVERALL_EVERY_S:g} s",
                f"an address has {brake.SCARCE} instead of {brake.MOST}",
            ),
            (
                "addresses whose wrong tokens are counted",
                f"{brake.ADDRESSES}",
                f"further ones are counted by their network of {brake.WIDE_IPV4} bits (of IPv6 {brake.WIDE_IPV6})",
            ),
            ("such networks", f"{brake.NETWORKS}", "429 for further ones"),
            ("a cookie", f"{door.MONTH_S // 86400} days, or as long as the secret", "the token is asked for again"),
            ("studies side by side", f"{compare.MOST}", "the first ones are shown"),
            ("a stored study file", f"{file.MOST} characters", "the pages do without it"),
            ("runs that a stored study asks for", f"{limits.MOST_RUNS}", "the pages do without it"),
            ("optimizers of a stored study", f"{limits.MOST_OPTIMIZERS}", "the pages do without it"),
            ("a part in memory", f"{cost.MOST_TIMES} times its size", "it is a broken part"),
        ],
    )


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
    "service-bounds": service_bounds,
}
"""What makes each table; every one stands on some page."""


if __name__ == "__main__":
    for path in pages():
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
