"""Files from the network: fetched once, checked against their md5, never half there."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from filelock import FileLock
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

from robustness.console import Terminal
from robustness.workloads.places import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.client import HTTPResponse

TIMEOUT = 30
"""Seconds without an answer after which a download is given up."""


@dataclass(frozen=True)
class Remote:
    """A file that can be had from the network.

    Attributes:
        url: where it is fetched from.
        md5: 32 hex digits that its content must have.
        home: page on which its authors offer or describe it.
    """

    url: str
    md5: str
    home: str


def fetch(remote: Remote, path: Path) -> None:
    """Make sure that `path` is the file `remote`, from the network if it is not there.

    Other processes may ask for the same file at the same time: one of them fetches it.

    Raises:
        DataError: it is absent and cannot be fetched, or its md5 is another.
    """
    if not path.exists():
        with locked(path):
            if not path.exists():
                _download(remote, path)
    verify(path, remote.md5, f"and it will be fetched anew from {remote.url}")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time make what is to be at `path`; its folder is made now.

    Raises:
        DataError: the folder cannot be written to.
    """
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise DataError(f"{path} is not there, and nothing can be written beside it: {error.strerror}") from error
    try:
        yield
    finally:
        lock.release()


def verify(path: Path, md5: str, then: str) -> None:
    """Check a file against its md5.

    Args:
        path: the file.
        md5: 32 hex digits.
        then: what happens once the file is deleted, for the message.

    Raises:
        DataError: it is absent, cannot be read, or its md5 is another.
    """
    try:
        found = md5_of(path)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    _check(found, path, md5, then)


def verified(path: Path, md5: str, then: str) -> bytes:
    """Return the content of a file that `verify` finds right: nobody can have changed it in between.

    Raises:
        DataError: it is absent, cannot be read, or its md5 is another.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    _check(hashlib.md5(content, usedforsecurity=False).hexdigest(), path, md5, then)
    return content


def _check(found: str, path: Path, md5: str, then: str) -> None:
    if found != md5:
        raise DataError(f"{path} is damaged: its md5 is {found}, it should be {md5}; delete it, {then}")


def md5_of(path: Path) -> str:
    """Return a file's md5 in hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def extract(archive: Path, folder: Path) -> None:
    """Unpack `folder.name` of a tar archive to `folder`, which is there whole or not at all.

    Raises:
        DataError: the archive cannot be unpacked, or has no such folder.
    """
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as temporary:
        try:
            with tarfile.open(archive) as bundle:
                bundle.extractall(temporary, filter="data")
            (Path(temporary) / folder.name).rename(folder)
        except (OSError, tarfile.TarError, EOFError) as error:
            raise DataError(f"{archive} cannot be unpacked to {folder}: {error}") from error


def _download(remote: Remote, path: Path) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        with urlopen(remote.url, timeout=TIMEOUT) as response:  # noqa: S310 - the addresses are this package's
            _save(response, remote, path, part)
        found = md5_of(part)
        if found != remote.md5:
            size = part.stat().st_size
            why = f"what came from {remote.url} is not that file: {size} bytes with md5 {found}"
            raise DataError(_absent(remote, path, why))
        part.replace(path)
    except HTTPError as error:
        with error:  # it is the answer too, with a connection of its own
            raise DataError(_absent(remote, path, f"{remote.url} answers {error.code}: {error.reason}")) from None
    except (URLError, TimeoutError, HTTPException, ConnectionError) as error:
        why = f"it cannot be fetched from {remote.url}: {getattr(error, 'reason', error)}"
        raise DataError(_absent(remote, path, why)) from error
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def _save(response: HTTPResponse, remote: Remote, path: Path, part: Path) -> None:
    console = Terminal(stderr=True, highlight=False, markup=False, soft_wrap=True, emoji=False)
    console.print(f"fetching {remote.url} to {path}")
    columns = BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with bar, part.open("wb") as file, bar.wrap_file(response, response.length or 0) as content:
        shutil.copyfileobj(content, file)


def _absent(remote: Remote, path: Path, why: str) -> str:
    return f"{path} is not there, and {why}; put the file there yourself: md5 {remote.md5}, see {remote.home}"
