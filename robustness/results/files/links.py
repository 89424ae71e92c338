"""Links in a results folder: followed within it, and out of it only where that was asked for.

Who may write into a folder of results could else have any file of whoever looks at it shown, or written to.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from robustness.results.files.errors import StorageError

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE = "ROBUSTNESS_FOLLOW_LINKS"
"""Set to 1, links are followed wherever they lead."""


class LinkError(StorageError):
    """A link leads out of the folder that it lies in; the text says how to allow that."""


def refuse_outside(path: str | Path, root: str | Path) -> None:
    """Refuse a path below `root` that leads out of it by a link; `root` may be a link itself.

    Raises:
        LinkError: It does, and links are not to be followed.
    """
    if os.environ.get(VARIABLE) == "1":
        return
    real, top = os.path.realpath(path), os.path.realpath(root)
    if os.path.commonpath([real, top]) != top:
        raise LinkError(
            f"{path} leads out of {root} by a link, which is not followed; if you have put it there, set {VARIABLE}=1"
        )


def refuse_link(path: str | Path, root: str | Path) -> None:
    """Refuse `path`, an entry of the folder `root`, if it is a link that leads out of it.

    Raises:
        LinkError: It is, and links are not to be followed.
    """
    if os.path.islink(path):  # noqa: PTH114 - of what is no link nothing more is asked, for a store has many files
        refuse_outside(path, root)
