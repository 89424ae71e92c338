"""Small files in CIFAR's form, which torchvision takes for the real ones."""

from __future__ import annotations

import hashlib
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from torchvision import datasets

from robustness.workloads import cifar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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


@pytest.fixture(autouse=True)
def read_anew() -> Iterator[None]:
    """Keep no images from one test to the next."""
    cifar.raw.cache_clear()
    yield
    cifar.raw.cache_clear()


@pytest.fixture(name="small")
def small_cifar10(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Make the folder of a small CIFAR-10."""
    return made(monkeypatch, tmp_path, datasets.CIFAR10)
