"""Opening a folder of results: on a disk, or in an object store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robustness.results.files.local import LocalFolder

if TYPE_CHECKING:
    from robustness.results.files.folder import Folder
    from robustness.results.files.place import Place


def open_folder(root: Place) -> Folder:
    """Return the folder at a place."""
    if not root.is_uri:
        return LocalFolder(root.with_keys)
    from robustness.results.files.remote import RemoteFolder

    return RemoteFolder(root)
