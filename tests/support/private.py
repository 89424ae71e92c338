"""Files that only their owner can read, as a token's must be."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def private(path: Path, text: str) -> Path:
    """Write `text` into a file that nobody else can read; return the file."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text)
    return path
