"""The least data that each workload reads, so that every one of the registry can be trained in a moment."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from torchvision import datasets

from robustness.workloads import treebank
from tests.support import cifar_files

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def put(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Put small data of a workload below `folder`, and return the options with which it reads them.

    A workload that is not named here makes its data itself, or has them from an installed package.
    """
    if name == "cifar10":
        cifar_files.made(monkeypatch, folder, datasets.CIFAR10)
    elif name == "cifar100":
        cifar_files.made(monkeypatch, folder, datasets.CIFAR100, key="fine_labels", classes=100)
    elif name == "treebank":
        _text(monkeypatch, folder / "ptb")
        return {"data_dir": str(folder), "batch_size": 20, "train_size": 800}
    elif name == "imagenet":
        _images(folder / "imagenet")
        return {"data_dir": str(folder), "classes": 2, "model": {"name": "convnet"}}
    else:
        return {}
    return {"data_dir": str(folder)}


def _text(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Write a text with as many words as the Treebank has, one of which is the end of a line."""
    folder.mkdir()
    words = [f"w{index}" for index in range(treebank.WORDS - 1)]
    md5s = {}
    for split, count in (("train", len(words)), ("valid", 200), ("test", 200)):
        content = f" {' '.join(words[:count])} \n".encode()
        (folder / f"ptb.{split}.txt").write_bytes(content)
        md5s[split] = hashlib.md5(content).hexdigest()
    monkeypatch.setattr(treebank, "MD5", md5s)


def _images(folder: Path) -> None:
    """Write two classes of images, bright ones and dark ones."""
    draws = np.random.default_rng(0)
    for split, count in (("train", 12), ("val", 6)):
        for target, bright in (("dark", 0), ("light", 128)):
            place = folder / split / target
            place.mkdir(parents=True)
            for index in range(count):
                pixels = draws.integers(bright, bright + 128, (72, 72, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(place / f"{index}.JPEG")
