"""The rooms of the house as they lie there: folders of modules, and the modules that stand by themselves."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGES = ("robustness", "analysis")


def rooms(root: Path) -> Iterator[tuple[str, str, str]]:
    """Yield the cells of a room each: its place, its docstring's first sentence, and its files but `__init__`."""
    for package in PACKAGES:
        for folder in folders(root / package):
            files = modules(folder)
            yield _cells(folder.relative_to(root).as_posix() + "/", folder / "__init__.py", files)


def folders(package: Path) -> list[Path]:
    """Return the folders of modules of a package, itself first."""
    return sorted(path.parent for path in package.rglob("__init__.py"))


def modules(folder: Path) -> list[Path]:
    """Return the modules of a folder itself but `__init__`, by name."""
    return sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")


def summary(file: Path) -> str:
    """Return the first sentence of a module's docstring, on one line, without its full stop."""
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return " ".join(text.partition("\n\n")[0].split()).removesuffix(".")


def _cells(place: str, about: Path, files: list[Path]) -> tuple[str, str, str]:
    return f"`{place}`", summary(about), ", ".join(f"`{path.stem}`" for path in files)
