"""Where results lie: a folder or a URI, which is printed without the keys that it may carry."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from robustness import redaction
from robustness.machine.home import HomeError, expanded
from robustness.results.files.errors import StorageError
from robustness.results.files.links import refuse_link


@dataclass(frozen=True, init=False, repr=False)
class Place:
    """A folder or the URI of one. Whatever prints it prints no key: `str`, `repr`, `format` and an f-string.

    A folder can be used wherever a path can (`Path(place)`), a URI cannot: what opens it asks for `with_keys`.

    Args:
        root: A path, a URI, or another place.

    Attributes:
        with_keys: The URI itself, or the absolute path: only for what opens it, never for what is shown or stored.

    Raises:
        StorageError: It is neither.

    Example:
        >>> from robustness import Place
        >>> Place("s3://id:secret@bucket/results?region=eu-west-1")
        Place('s3://***@bucket/results?region=eu-west-1')
    """

    with_keys: str

    def __init__(self, root: str | Path | Place) -> None:
        object.__setattr__(self, "with_keys", root.with_keys if isinstance(root, Place) else _absolute(os.fspath(root)))

    def __str__(self) -> str:
        """Return the path or URI without keys."""
        return redaction.place(self.with_keys)

    def __repr__(self) -> str:
        """Return the same as `str`, as a call."""
        return f"Place({str(self)!r})"

    def __format__(self, spec: str) -> str:
        """Return the same as `str`, formatted."""
        return format(str(self), spec)

    def __fspath__(self) -> str:
        """Return the path of a folder.

        Raises:
            TypeError: It is a URI.
        """
        if self.is_uri:
            raise TypeError(f"{self} is a URI, not a path")
        return self.with_keys

    @property
    def is_uri(self) -> bool:
        """Whether it is a URI rather than a path."""
        return is_uri(self.with_keys)

    @property
    def has_keys(self) -> bool:
        """Whether it carries what is not shown."""
        return str(self) != self.with_keys

    @property
    def name(self) -> str:
        """The folder's own name; of a URI, without its query."""
        return self._parted[0].rpartition("/")[2]

    @property
    def parent(self) -> Place:
        """The folder that it is in; the query of a URI stays at its end."""
        path, query = self._parted
        return Place(path.rpartition("/")[0] + query)

    def child(self, name: str) -> Place:
        """Return the folder `name` below it; the query of a URI stays at its end.

        Raises:
            LinkError: It is a link that leads out of this one; see `links`.
        """
        if not self.is_uri:
            if not Path(name).is_absolute():  # a folder that is named whole is asked for as it is
                refuse_link(Path(self) / name, Path(self))
            return Place(Path(self) / name)
        path, query = self._parted
        return Place(f"{path}/{name}{query}")

    def hidden(self, text: str) -> str:
        """Return a text, such as an error's, without this place's keys and whatever repeats a part of them."""
        return redaction.text(text, [self.with_keys])

    @property
    def _parted(self) -> tuple[str, str]:
        path, mark, query = self.with_keys.partition("?") if self.is_uri else (self.with_keys, "", "")
        return path.rstrip("/"), mark + query


def child(root: str | Path | Place, name: str) -> Place:
    """Return the folder `name` below `root`; the query of a URI stays at its end.

    Raises:
        LinkError: It is a link that leads out of `root`; see `links`.
    """
    return Place(root).child(name)


def is_uri(text: str) -> bool:
    """Tell `s3://bucket/x` from a local path."""
    return re.match(r"^[A-Za-z][A-Za-z0-9+.-]+://", text) is not None


def _absolute(text: str) -> str:
    if text.startswith("file:"):
        parts = urlsplit(text)
        if parts.netloc not in {"", "localhost"} or not parts.path.startswith("/"):
            raise StorageError(f"{redaction.place(text)}: a file URI has the form file:///absolute/path")
        return unquote(parts.path)
    if is_uri(text):
        return text
    if re.match(r"^\s*[A-Za-z][A-Za-z0-9+.-]+:/", text):  # one slash: a path, or a slip of the finger, has eaten one
        raise StorageError(
            f"{redaction.place(text.strip())}: a URI has two slashes and is no pathlib.Path: s3://bucket/results"
        )
    try:
        return str(expanded(text).absolute())
    except HomeError as error:
        raise StorageError(str(error)) from None
