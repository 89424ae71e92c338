"""A folder on an object store or any other pyarrow filesystem that a URI names."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from pyarrow import fs

from robustness.results.files.errors import StorageError, explained
from robustness.results.files.folder import Entry

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from robustness.results.files.place import Place

_ATTEMPTS = 4
_GOOGLE_RETRIES_S = 5
_OBJECT_STORES = {"s3", "gcs", "abfs", "azure"}


class RemoteFolder:
    """A folder of a pyarrow filesystem."""

    threads = 16

    def __init__(self, root: Place, filesystem: fs.FileSystem | None = None) -> None:
        """Open the filesystem that a URI names, or take the one at hand, in which `root` is a path."""
        self._place, path = root, root.with_keys
        with self._explained("open", root):
            if filesystem is None:
                filesystem, path = open_filesystem(root)
        self.filesystem, self._root = filesystem, path.rstrip("/")
        self._is_object_store = filesystem.type_name in _OBJECT_STORES

    def _explained(self, action: str, path: object) -> AbstractContextManager[None]:
        return explained(action, path, self._place.hidden)

    def entries(self, folder: str = "") -> list[Entry]:
        """Return what `folder` holds, sorted by name; nothing if it does not exist."""
        path = f"{self._root}/{folder}".rstrip("/")
        # On Google's store pyarrow lists folders only where it lists all that is in them; only the root has some.
        deep = self.filesystem.type_name == "gcs" and not folder
        with self._explained("list", path):
            found = self.filesystem.get_file_info(fs.FileSelector(path, allow_not_found=True, recursive=deep))
        is_file: dict[str, bool] = {}
        for info in found:
            name, _, below = info.path[len(path) + 1 :].partition("/")
            is_file[name] = info.type == fs.FileType.File and not below
        return [Entry(name, is_file[name]) for name in sorted(is_file)]

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes; None if it does not exist (any more)."""
        full = f"{self._root}/{path}"
        try:
            with self._explained("read", full), self.filesystem.open_input_file(full) as file:
                return bytes(file.read())
        except StorageError as error:
            # An object may go between the request that opens it and the one that reads it.
            if isinstance(error.__cause__, FileNotFoundError) or self._is_gone(full):
                return None
            raise

    def _is_gone(self, full: str) -> bool:
        with contextlib.suppress(OSError):
            return bool(self.filesystem.get_file_info(full).type == fs.FileType.NotFound)
        return False

    def local(self, path: str) -> None:
        """Return None: the bytes come over a network."""

    def write(self, path: str, data: bytes) -> None:
        """Write a file whole: one PUT on an object store, a temporary file and a rename elsewhere."""
        target = PurePosixPath(self._root) / path
        with self._explained("write", target):
            if self._is_object_store:
                self._put(str(target), data)
                return
            self.filesystem.create_dir(str(target.parent), recursive=True)
            temporary = str(target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp"))
            try:
                self._put(temporary, data)
                self.filesystem.move(temporary, str(target))
            except BaseException:
                with contextlib.suppress(OSError):
                    self.filesystem.delete_file(temporary)
                raise

    def _put(self, path: str, data: bytes) -> None:
        with self.filesystem.open_output_stream(path, compression=None) as stream:
            stream.write(data)

    def move(self, source: str, target: str) -> bool:
        """Move a file; False if it is gone."""
        with self._explained("move", f"{self._root}/{source}"):
            try:
                if not self._is_object_store:
                    self.filesystem.create_dir(str(PurePosixPath(self._root, target).parent), recursive=True)
                self.filesystem.move(f"{self._root}/{source}", f"{self._root}/{target}")
            except FileNotFoundError:
                return False
        return True

    def remove(self, path: str) -> None:
        """Remove a file, if it is there."""
        with self._explained("remove", f"{self._root}/{path}"), contextlib.suppress(FileNotFoundError):
            self.filesystem.delete_file(f"{self._root}/{path}")

    def clean(self, folder: str, older_than_s: float) -> None:
        """Do nothing: a PUT leaves nothing behind."""

    def age(self, path: str) -> float | None:
        """Return the seconds since a file was written; None if it does not exist (any more)."""
        with self._explained("look at", f"{self._root}/{path}"):
            info = self.filesystem.get_file_info(f"{self._root}/{path}")
        return None if info.mtime is None else time.time() - info.mtime.timestamp()


def open_filesystem(root: Place) -> tuple[fs.FileSystem, str]:
    """Return the filesystem that a URI names and the path in it.

    Raises:
        OSError, ArrowInvalid: The URI is malformed, or its filesystem cannot be reached; the text may have its keys.
    """
    uri = root.with_keys
    if uri.startswith(("gs:", "gcs:")) and "retry_limit_seconds=" not in uri:
        uri += f"{'&' if '?' in uri else '?'}retry_limit_seconds={_GOOGLE_RETRIES_S}"  # of itself a quarter of an hour
    filesystem, path = fs.FileSystem.from_uri(uri)
    if filesystem.type_name == "s3":
        filesystem = _patient(filesystem, uri)
    return filesystem, path


def _patient(filesystem: fs.S3FileSystem, uri: str) -> fs.S3FileSystem:
    """Return the same S3 filesystem, but with fewer retries and one PUT for a small file.

    A URI can set neither: by default a server that accepts and never answers is waited for 100 s, and
    a file takes the three requests of a multipart upload.
    """
    parts = urlsplit(uri)
    options = {k: v == "true" if v in {"true", "false"} else v for k, v in parse_qsl(parts.query)}
    if parts.username and parts.password:
        options |= {"access_key": unquote(parts.username), "secret_key": unquote(parts.password)}
    defaults = {"region": filesystem.region, "allow_delayed_open": True}
    try:
        return fs.S3FileSystem(
            **(defaults | options), retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS)
        )
    except TypeError:  # an option that only URIs have
        return filesystem
