"""A study's own modules: which they are, and the files of them that can travel.

Ray's runtime environments would carry them too, but they are settled when Ray starts, which a caller may have done
before.
"""

from __future__ import annotations

import site
import sys
import sysconfig
import zipfile
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustness.errors import ClusterError
from robustness.optimizers.imported import TorchOptimizer
from robustness.package_finder import PACKAGES
from robustness.plugins import packages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from robustness.plugins import Package
    from robustness.study import Study

OURS = PACKAGES | {"__main__"}
"""Modules that every node has, as it has the installed ones; what a script itself defines goes with the study."""

LIMIT_BYTES = 64 * 2**20


class ShippingError(ClusterError):
    """A study's own modules cannot be sent to the workers."""


def plugin_packages(study: Study) -> tuple[Package, ...]:
    """Return the packages that bring a workload or an optimizer of `study` as a plug-in."""
    return packages(classes_of(study))


def own_modules(study: Study) -> dict[str, Path]:
    """Return the files and folders of the study's own modules by top-level name: those that are not installed.

    With the module of a workload or an optimizer come those that were loaded from the same folder.
    """
    places = [place for place in map(_place, _top_levels(study)) if place]
    folders = {folder for place in places for folder in _folders(place) if not is_installation(folder)}
    loaded = {name: place for name in sorted(sys.modules) if "." not in name and (place := _place(name))}
    return {name: place for name, place in loaded.items() if folders & _folders(place) and name not in OURS}


def _folders(place: Path) -> set[Path]:
    """Return the folder in which a module lies, and that to which it is a link."""
    return {place.parent.resolve(), place.resolve().parent}


def _top_levels(study: Study) -> set[str]:
    return {each.__module__.partition(".")[0] for each in classes_of(study)} - OURS


def classes_of(study: Study) -> set[type]:
    """Return the classes of a study's workloads and optimizers, with all that they inherit from."""
    classes: list[type] = [type(workload) for workload in study.workloads]
    for entry in study.optimizers:
        torch_form = isinstance(entry.optimizer, TorchOptimizer)
        classes.append(entry.optimizer.torch_class() if torch_form else type(entry.optimizer))  # type: ignore[attr-defined]
    return {base for each in classes for base in each.__mro__}


def _place(name: str) -> Path | None:
    """Return the file of a top-level module, or the folder of a package, as it was imported: it may be a link."""
    known: dict[str, Any] = getattr(sys.modules.get(name), "__dict__", {})
    folders, file = list(known.get("__path__") or ()), known.get("__file__")
    if not folders and not file:
        return None
    place = Path(folders[0] if folders else str(file)).absolute()
    return place if place.exists() else None


@cache
def is_installation(folder: Path) -> bool:
    """Whether packages are installed in `folder`, by pip with --target too, or it is of the standard library."""
    paths = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    paths += [*site.getsitepackages(), site.getusersitepackages()]
    below = any(folder.is_relative_to(Path(path).resolve()) for path in paths)
    return below or any(folder.glob("*.dist-info"))


def module_files(modules: dict[str, Path]) -> dict[str, Path]:
    """Return all files of modules by their place in a folder from which they can be imported.

    Raises:
        ShippingError: they are too large.
    """
    files = all_files(modules)
    if large := too_large(files):
        size = sum(file.stat().st_size for file in files.values())
        raise ShippingError(
            f"the study's own modules ({', '.join(map(str, modules.values()))}) have {mebibytes(size)}, and at most "
            f"{mebibytes(LIMIT_BYTES)} are sent to the workers; the largest file is {large[0]}: install them there, or "
            "keep data elsewhere"
        )
    return files


def all_files(modules: Mapping[str, Path]) -> dict[str, Path]:
    """Return all files of modules, however large, by their place in a folder from which they can be imported."""
    return {file.relative_to(place.parent).as_posix(): file for place in modules.values() for file in _files(place)}


def too_large(files: Mapping[str, Path]) -> list[Path]:
    """Return the files, the largest first, without which the others are small enough to be sent."""
    sizes = sorted(((file.stat().st_size, file) for file in files.values()), reverse=True)
    total, found = sum(size for size, _ in sizes), []
    for size, file in sizes:
        if total <= LIMIT_BYTES:
            break
        total -= size
        found.append(file)
    return found


def mebibytes(size: int) -> str:
    """Return a size in bytes as people read it."""
    return f"{size / 2**20:.0f} MiB"


def module_sources(modules: dict[str, Path]) -> dict[str, str]:
    """Return the source of modules, and of those within a package, by dotted name."""
    found = {}
    for place, file in all_files(modules).items():
        if file.suffix == ".py":
            name = place.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
            found[name] = file.read_text(encoding="utf-8", errors="replace")
    return found


def archive(files: dict[str, bytes]) -> bytes:
    """Return a zip archive of `files`, the same bytes for the same files; nothing if there are none."""
    if not files:
        return b""
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as target:
        for name, data in files.items():
            target.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return content.getvalue()


def _files(place: Path) -> Iterator[Path]:
    """Return a module's file, or all files of a package but hidden ones and compiled Python."""
    if place.is_file():
        yield place
        return
    for file in sorted(place.rglob("*")):
        parts = file.relative_to(place).parts
        if "__pycache__" in parts or any(part.startswith(".") for part in parts) or not _is_text(file.name):
            continue
        if file.is_file():
            yield file


def _is_text(name: str) -> bool:
    """Whether a name is one in UTF-8: an archive can have no other."""
    return not any("\ud800" <= each <= "\udfff" for each in name)
