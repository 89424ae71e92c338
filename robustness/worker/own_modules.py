"""How a study's own modules reach the workers: with the study itself, as an archive that each process unpacks once.

Ray's runtime environments would do it too, but they are settled when Ray starts, which a caller may have done before.
"""

from __future__ import annotations

import atexit
import importlib.util
import pickle
import shutil
import site
import socket
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustness.errors import ClusterError
from robustness.optimizers.imported import TorchOptimizer
from robustness.package_finder import PACKAGES
from robustness.plugins import packages
from robustness.private_files import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from robustness.plugins import Package
    from robustness.study import Study

OURS = PACKAGES | {"__main__"}
"""Modules that every node has, as it has the installed ones; what a script itself defines goes with the study."""

LIMIT_BYTES = 64 * 2**20


class ShippingError(ClusterError):
    """A study's own modules cannot be sent to the workers."""


class MissingPackageError(ClusterError):
    """A node lacks an installed package that a study takes a workload or an optimizer from; the text names both."""


@dataclass(frozen=True)
class Parcel:
    """A study on its way to the workers.

    Attributes:
        study: The study, pickled.
        modules: A zip archive of the modules that it needs and no installation has; empty if there are none.
        packages: Installed packages that bring a workload or an optimizer of it, and must be on every node.
        code: Digest of those modules; None without any.
    """

    study: bytes
    modules: bytes
    packages: tuple[Package, ...] = ()
    code: str | None = None

    def open(self) -> Study:
        """Return the study, its modules importable; in one process each parcel is opened once.

        Raises:
            MissingPackageError: This machine lacks one of the packages, or has another version that won't do.
        """
        return _opened(self)


def pack(study: Study, code: str | None = None) -> Parcel:
    """Return `study` with the modules of its workloads and optimizers; `code` is their digest.

    Raises:
        ShippingError: the modules are too large.
    """
    from ray import cloudpickle

    own = own_modules(study)
    files = {name: file.read_bytes() for name, file in module_files(own).items()}
    installed = tuple(package for package in plugin_packages(study) if package.module not in own)
    return Parcel(cloudpickle.dumps(study), archive(files), installed, code)


def plugin_packages(study: Study) -> tuple[Package, ...]:
    """Return the packages that bring a workload or an optimizer of `study` as a plug-in."""
    return packages(classes_of(study))


def own_modules(study: Study) -> dict[str, Path]:
    """Return the files and folders of the study's own modules by top-level name: those that are not installed.

    With the module of a workload or an optimizer come those that were loaded from the same folder.
    """
    places = [place for place in map(_place, _top_levels(study)) if place]
    folders = {place.parent for place in places if not is_installation(place.parent)}
    loaded = {name: place for name in sorted(sys.modules) if "." not in name and (place := _place(name))}
    return {name: place for name, place in loaded.items() if place.parent in folders and name not in OURS}


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
    """Return the file of a top-level module, or the folder of a package."""
    known: dict[str, Any] = getattr(sys.modules.get(name), "__dict__", {})
    folders, file = list(known.get("__path__") or ()), known.get("__file__")
    if not folders and not file:
        return None
    place = Path(folders[0] if folders else str(file)).resolve()
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
    files = [(file, place.parent) for place in modules.values() for file in _files(place)]
    size = sum(file.stat().st_size for file, _ in files)
    if size > LIMIT_BYTES:
        raise ShippingError(
            f"the study's own modules ({', '.join(map(str, modules.values()))}) have {size / 2**20:.0f} MiB, and at "
            f"most {LIMIT_BYTES // 2**20} are sent to the workers: install them there, or keep data elsewhere"
        )
    return {file.relative_to(folder).as_posix(): file for file, folder in files}


def module_sources(modules: dict[str, Path]) -> dict[str, str]:
    """Return the source of modules, and of those within a package, by dotted name."""
    found = {}
    for place in modules.values():
        for file in _files(place):
            if file.suffix == ".py":
                name = ".".join(file.relative_to(place.parent).with_suffix("").parts).removesuffix(".__init__")
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
        if file.is_file() and "__pycache__" not in parts and not any(part.startswith(".") for part in parts):
            yield file


@cache
def _opened(parcel: Parcel) -> Study:
    if parcel.modules:
        folder = str(temporary_folder("robustness-modules-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        zipfile.ZipFile(BytesIO(parcel.modules)).extractall(folder)
        sys.path.insert(0, folder)
    for package in parcel.packages:
        if importlib.util.find_spec(package.module) is None:
            raise MissingPackageError(_missing(package, "is not installed"))
    try:
        study: Study = pickle.loads(parcel.study)  # noqa: S301 - it comes from the driver, as all that Ray runs does
    except (ImportError, AttributeError):
        _check_versions(parcel.packages)
        raise
    return study


def _check_versions(wanted: Iterable[Package]) -> None:
    """Refuse a package of another version than the driver's: what the study needs may have come with that."""
    for package in wanted:
        try:
            found = metadata.version(package.name)
        except metadata.PackageNotFoundError:
            continue
        if found != package.version:
            raise MissingPackageError(_missing(package, f"has version {found}"))


def _missing(package: Package, what: str) -> str:
    host = socket.gethostname()
    return f"{package.module}, a plug-in, {what} on {host}: install {package.name} {package.version} there"
