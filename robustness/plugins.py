"""What other installed packages add: optimizers, workloads, measures and figures, by their entry points.

A package says so in its pyproject.toml, a line each:

    [project.entry-points."robustness.optimizers"]
    lookahead = "their_package.lookahead:Lookahead"

Nothing is imported before somebody asks for the rows of a group.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Literal

Group = Literal["robustness.optimizers", "robustness.workloads", "robustness.measures", "robustness.figures"]


class PluginError(Exception):
    """An entry point of an installed package cannot be used; the text names it and says why, in one sentence."""


@dataclass(frozen=True)
class Plugin:
    """One entry point, loaded.

    Attributes:
        name: What it is called in study files, claims and reports.
        row: What it stands for: a class of options, or a row of a registry.
        package: The distribution that brings it.
        version: Of that distribution.
    """

    name: str
    row: object
    package: str
    version: str


@cache
def plugins(group: Group) -> tuple[Plugin, ...]:
    """Return what installed packages add to a group, sorted by name; loaded once a process.

    Raises:
        PluginError: one cannot be imported, or two have one name.
    """
    found = sorted(entry_points(group=group), key=lambda each: each.name)
    for before, after in itertools.pairwise(found):
        if before.name == after.name:
            packages = " and ".join(_package(each)[0] for each in (before, after))
            raise PluginError(f"'{after.name}' of {group} is brought by {packages}: uninstall one of them")
    return tuple(_loaded(each, group) for each in found)


def _loaded(entry: EntryPoint, group: Group) -> Plugin:
    package, version = _package(entry)
    try:
        row = entry.load()
    except Exception as error:  # whatever their module raises when it is imported
        why = f"{type(error).__name__}: {error}"
        raise PluginError(f"'{entry.name}' of {package} {version} ({group}) cannot be loaded: {why}") from error
    return Plugin(name=entry.name, row=row, package=package, version=version)


def _package(entry: EntryPoint) -> tuple[str, str]:
    return (entry.dist.name, entry.dist.version) if entry.dist else ("an unknown package", "")
