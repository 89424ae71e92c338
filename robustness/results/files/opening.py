"""Opening a folder of results: on a disk, or in an object store."""

from __future__ import annotations

from robustness.results.files.folder import Folder, is_uri
from robustness.results.files.local import LocalFolder


def open_folder(root: str) -> Folder:
    """Return the folder at an absolute path or URI."""
    if not is_uri(root):
        return LocalFolder(root)
    from robustness.results.files.remote import RemoteFolder

    return RemoteFolder(root)
