"""A study on its way to the workers: its own modules are imported from where they are, or unpacked once a process.

On the machine from which they come, and on any other that has the same files in the same folders, what lies beside
them is found as it is by the driver. Elsewhere, and where they were changed meanwhile, the sweep's own copy is used.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import pickle
import shutil
import socket
import sys
import zipfile
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from robustness.errors import ClusterError
from robustness.private_files import temporary_folder
from robustness.worker.own_modules import (
    LIMIT_BYTES,
    all_files,
    archive,
    is_installation,
    mebibytes,
    own_modules,
    plugin_packages,
    too_large,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from robustness.plugins import Package
    from robustness.study import Study


class MissingPackageError(ClusterError):
    """A node lacks an installed package that a study takes a workload or an optimizer from; the text names both."""


class MissingFileError(ClusterError):
    """A node lacks a file that a study's own code reads; the text names both, and says where it has to lie."""


@dataclass(frozen=True)
class Parcel:
    """A study on its way to the workers.

    Attributes:
        study: The study, pickled.
        modules: A zip archive of the modules that it needs and no installation has; empty if there are none.
        packages: Installed packages that bring a workload or an optimizer of it, and must be on every node.
        code: Digest of those modules; None without any.
        places: First part of a file's name in the archive -> the folder in which it lies on the driver's machine.
        ahead: Those folders that the driver looks through before it looks among installed packages, in its order.
        folder: In which the driver works; None where that is gone.
        host: The driver's machine.
    """

    study: bytes
    modules: bytes
    packages: tuple[Package, ...] = ()
    code: str | None = None
    places: tuple[tuple[str, str], ...] = ()
    ahead: tuple[str, ...] = ()
    folder: str | None = None
    host: str = ""

    def open(self) -> Study:
        """Return the study, its modules importable; in one process each parcel is opened once.

        Raises:
            MissingPackageError: This machine lacks one of the packages, or has another version that won't do.
        """
        return _opened(self)

    @property
    def elsewhere(self) -> bool:
        """Whether what a study reads beside its modules may be absent here though the driver has it."""
        return self.host != socket.gethostname() or not _lie_here(self)

    def missing(self, error: FileNotFoundError) -> MissingFileError:
        """Return what is to be said of a file that its code asked for in vain."""
        here, file = socket.gethostname(), str(error.filename or error).rstrip(".")
        folders = {folder for _, folder in self.places}
        if len(folders) == 1 and not _lie_here(self):
            file = file.replace(_copy(self), folders.pop())  # as the driver knows it
        if self.host != here:
            return MissingFileError(
                f"{here} has no file that the study's own code reads, and {self.host} has: {file}: data must lie at "
                "one absolute path on every node, or within a package that travels with the study"
            )
        return MissingFileError(
            f"the study's own code reads a file that is not found: {file}: its modules were changed since this sweep "
            "began, which goes on with a copy of what they were, and beside that there are no data; give the same "
            "command again"
        )


def pack(study: Study, code: str | None = None, *, alone: bool, say: Callable[[str], None]) -> Parcel:
    """Return `study` with the modules of its workloads and optimizers.

    Args:
        study: What is sent.
        code: The digest of those modules.
        alone: All workers are on this machine: nothing but sources is packed.
        say: Is told of a file that is too large to be sent.
    """
    from ray import cloudpickle

    own = own_modules(study)
    files = all_files(own)
    if alone:
        files = {name: file for name, file in files.items() if file.suffix == ".py"}
    left = set(too_large(files))
    for file in sorted(left):
        say(
            f"{file} ({mebibytes(file.stat().st_size)}) is not sent to the workers: all files of the study's own "
            f"modules may have {mebibytes(LIMIT_BYTES)}; a node that does not have it there lacks it"
        )
    content = {name: file.read_bytes() for name, file in files.items() if file not in left}
    installed = tuple(package for package in plugin_packages(study) if package.module not in own)
    folders = {place.name: str(place.parent) for place in own.values()}
    return Parcel(
        cloudpickle.dumps(study),
        archive(content),
        installed,
        code,
        places=tuple(folders.items()),
        ahead=_ahead(set(folders.values())),
        folder=current_folder(),
        host=socket.gethostname(),
    )


def work_in(folder: str | None) -> None:
    """Make the driver's folder the current one, where this machine has it."""
    if folder is not None and Path(folder).is_dir():
        os.chdir(folder)


def current_folder() -> str | None:
    """Return the folder in which this process works; None where that is gone."""
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        return None


def _ahead(folders: set[str]) -> tuple[str, ...]:
    """Return those of `folders` that come before the installed packages on this process's path."""
    found: dict[str, None] = {}
    for entry in map(os.path.abspath, sys.path):
        if is_installation(Path(entry).resolve()):
            break
        if entry in folders:
            found[entry] = None
    return tuple(found)


@cache
def _opened(parcel: Parcel) -> Study:
    if parcel.modules and _lie_here(parcel):
        behind = [folder for _, folder in parcel.places if folder not in (*parcel.ahead, *sys.path)]
        sys.path[:] = [*parcel.ahead, *sys.path, *dict.fromkeys(behind)]
    elif parcel.modules:
        sys.path.insert(0, _copy(parcel))
    for package in parcel.packages:
        if importlib.util.find_spec(package.module) is None:
            raise MissingPackageError(_missing(package, "is not installed"))
    try:
        study: Study = pickle.loads(parcel.study)  # noqa: S301 - it comes from the driver, as all that Ray runs does
    except (ImportError, AttributeError):
        _check_versions(parcel.packages)
        raise
    return study


@cache
def _copy(parcel: Parcel) -> str:
    """Return a folder of this process with the modules as the driver has them."""
    folder = str(temporary_folder("robustness-modules-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    zipfile.ZipFile(BytesIO(parcel.modules)).extractall(folder)
    return folder


@cache
def _lie_here(parcel: Parcel) -> bool:
    """Return whether this machine has the modules where the driver has them, the same to the byte."""
    folders = dict(parcel.places)
    if not parcel.modules:
        return True
    with zipfile.ZipFile(BytesIO(parcel.modules)) as content:
        for each in content.infolist():
            folder = folders.get(each.filename.partition("/")[0])
            try:
                if folder is None or Path(folder, each.filename).read_bytes() != content.read(each):
                    return False
            except OSError:
                return False
    return True


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
