"""Small files in CIFAR's form, which torchvision takes for the real ones."""

from __future__ import annotations

import hashlib
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def write(folder: Path, counts: Any, classes: int, key: str) -> dict[str, str]:
    """Write batches in CIFAR's form of random images, and return their md5s."""
    generator = np.random.default_rng(0)
    folder.mkdir(parents=True)
    md5s = {}
    for name, count in counts.items():
        labels = (np.arange(count) % classes).tolist()
        images = generator.integers(0, 256, (count, 3072), dtype=np.uint8)
        content = pickle.dumps({"data": images, key: labels})
        (folder / name).write_bytes(content)
        md5s[name] = hashlib.md5(content).hexdigest()
    return md5s


def made(monkeypatch: pytest.MonkeyPatch, folder: Path, kind: Any, *, key: str = "labels", classes: int = 10) -> Path:
    """Put small batches of torchvision's `kind` below `folder`, and let torchvision take them for the real ones."""
    files = [name for name, _ in (*kind.train_list, *kind.test_list)]
    counts = {name: 200 if name.startswith("test") else 300 for name in files}
    md5s = write(folder / kind.base_folder, counts, classes, key)
    meta = pickle.dumps({kind.meta["key"]: [str(index) for index in range(classes)]})
    (folder / kind.base_folder / kind.meta["filename"]).write_bytes(meta)
    monkeypatch.setattr(kind, "train_list", [[name, md5s[name]] for name, _ in kind.train_list])
    monkeypatch.setattr(kind, "test_list", [[name, md5s[name]] for name, _ in kind.test_list])
    monkeypatch.setattr(kind, "meta", kind.meta | {"md5": hashlib.md5(meta).hexdigest()})
    return folder
