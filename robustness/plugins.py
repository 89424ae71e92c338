"""What other installed packages add: optimizers, workloads, measures and figures, by their entry points.

A package says so in its pyproject.toml, a line each:

    [project.entry-points."robustness.optimizers"]
    lookahead = "their_package.lookahead:Lookahead"

Nothing is imported before somebody asks for it: names are read from the packages' metadata. So a package that cannot
be imported stops only what needs it. docs/plugins.md says how one is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Group = Literal["robustness.optimizers", "robustness.workloads", "robustness.measures", "robustness.figures"]

C = TypeVar("C")


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


@dataclass(frozen=True)
class Package:
    """An installed distribution that brings classes of a study.

    Attributes:
        module: The module, or package of modules, that holds them: the part of their place before the first dot.
        name: What the distribution is called.
        version: Of that distribution.
    """

    module: str
    name: str
    version: str


@cache
def plugins(group: Group) -> tuple[Plugin, ...]:
    """Return what installed packages add to a group, sorted by name; loaded once a process.

    Raises:
        PluginError: one cannot be imported, or two have one name.
    """
    return tuple(plugin(group, name) for name in names(group))


@cache
def plugin(group: Group, name: str) -> Plugin:
    """Return what a package adds to a group under one name; no other is loaded.

    Raises:
        KeyError: No package adds it.
        PluginError: It cannot be imported, or two packages add it.
    """
    found = [each for each in _entries(group) if each.name == name]
    if not found:
        raise KeyError(name)
    if len(found) > 1:
        packages = " and ".join(_distribution(each)[0] for each in found)
        raise PluginError(f"'{name}' of {group} is brought by {packages}: uninstall one of them")
    return _loaded(found[0], group)


def names(group: Group) -> tuple[str, ...]:
    """Return the names that installed packages add to a group, sorted; nothing is loaded."""
    return tuple(dict.fromkeys(each.name for each in _entries(group)))


class Registry(Mapping[str, type[C]]):
    """Classes of options by name: those of this project, then those that other packages add.

    What is asked for by name is loaded alone. The names, too, can be had without loading anything.
    """

    def __init__(self, group: Group, kind: type, own: Iterable[type[C]]) -> None:
        """Take the classes of this project, whose `name` each says itself.

        Args:
            group: Where other packages add theirs.
            kind: What all of them are subclasses of.
            own: The classes of this project, in the order of lists and tables.
        """
        self.group: Group = group
        self.own: dict[str, type[C]] = {_name_of(each): each for each in own}
        self._kind = kind

    def __getitem__(self, name: str) -> type[C]:
        if name in self.own:
            return self.own[name]
        found = plugin(self.group, name)
        if not (isinstance(found.row, type) and issubclass(found.row, self._kind)):
            place = f"{self._kind.__module__}:{self._kind.__qualname__}"
            raise PluginError(f"'{name}' of {found.package} {found.version} ({self.group}) is no subclass of {place}")
        row: Any = found.row
        return row  # type: ignore[no-any-return]

    def __contains__(self, name: object) -> bool:
        return name in self.own or name in names(self.group)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names.

        Raises:
            PluginError: A package adds a name that this project has itself.
        """
        for name in names(self.group):
            if name in self.own:
                package, version = _distribution(next(each for each in _entries(self.group) if each.name == name))
                raise PluginError(f"{package} {version} adds '{name}' to {self.group}, which is there already")
        return iter((*self.own, *names(self.group)))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def place(self, name: str) -> str | None:
        """Return `module:Class` as a package's metadata has it, which is not loaded; None for no such name."""
        return next((each.value.replace(" ", "") for each in _entries(self.group) if each.name == name), None)

    def import_string(self, name: str) -> str | None:
        """Return `module:Class` of a class of another package by its short name; None for what is no such name.

        Raises:
            PluginError: It cannot be loaded, or is no class of this kind.
        """
        if name in self.own or name not in names(self.group):
            return None
        found = self[name]
        return f"{found.__module__}:{found.__qualname__}"


def packages(classes: Iterable[type]) -> tuple[Package, ...]:
    """Return the distributions that bring `classes` as plug-ins, sorted; nothing is loaded.

    A class that no entry point names belongs to the distribution that adds something else of its module.
    """
    found = set()
    for each in classes:
        top = each.__module__.partition(".")[0]
        entries = [entry for group in get_args(Group) for entry in _entries(group) if _top(entry) == top]
        named = [entry for entry in entries if entry.value.replace(" ", "") == f"{each.__module__}:{each.__qualname__}"]
        found |= {Package(top, *_distribution(entry)) for entry in (named or entries)[:1]}
    return tuple(sorted(found, key=lambda package: (package.name, package.module)))


@cache
def _entries(group: Group) -> tuple[EntryPoint, ...]:
    return tuple(sorted(entry_points(group=group), key=lambda each: (each.name, _distribution(each))))


def _top(entry: EntryPoint) -> str:
    return entry.module.partition(".")[0]


def _name_of(kind: Any) -> str:
    return str(kind.model_fields["name"].default)


def _loaded(entry: EntryPoint, group: Group) -> Plugin:
    package, version = _distribution(entry)
    try:
        row = entry.load()
    except Exception as error:  # whatever their module raises when it is imported
        why = " ".join(f"{type(error).__name__}: {error}".split())
        raise PluginError(f"'{entry.name}' of {package} {version} ({group}) cannot be loaded: {why}") from error
    return Plugin(name=entry.name, row=row, package=package, version=version)


def _distribution(entry: EntryPoint) -> tuple[str, str]:
    return (entry.dist.name, entry.dist.version) if entry.dist else ("an unknown package", "")
