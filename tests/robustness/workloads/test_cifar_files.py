"""CIFAR's files: fetched, put there by hand, damaged or missing."""

from __future__ import annotations

import hashlib
import pickle
import tarfile
from pathlib import Path
from typing import Any

import pytest
import torch
from torchvision import datasets

from robustness.workloads import CIFAR10, CIFAR100, DataError, cifar
from tests.support.cifar_files import read_anew, small_cifar10
from tests.support.file_server import served

__all__ = ["read_anew", "small_cifar10"]


def test_the_archive_is_fetched_and_unpacked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, small: Path) -> None:
    kind = datasets.CIFAR10
    (tmp_path / "served").mkdir()
    archive = tmp_path / "served" / kind.filename
    with tarfile.open(archive, "w:gz") as bundle:
        bundle.add(small / kind.base_folder, kind.base_folder)
    monkeypatch.setattr(kind, "tgz_md5", hashlib.md5(archive.read_bytes()).hexdigest())
    with served(tmp_path / "served") as (url, asked):
        monkeypatch.setattr(kind, "url", f"{url}/{kind.filename}")
        fresh = tmp_path / "fresh"
        data = CIFAR10(data_dir=str(fresh)).data(0)
        assert len(data.train_targets) == 1500
        cifar.raw.cache_clear()
        assert torch.equal(CIFAR10(data_dir=str(fresh)).data(0).train_inputs, data.train_inputs)
        assert len(asked) == 1
        # As somebody would who has read the error message.
        by_hand = tmp_path / "by-hand"
        by_hand.mkdir()
        archive.rename(by_hand / kind.filename)
        assert torch.equal(CIFAR10(data_dir=str(by_hand)).data(0).train_inputs, data.train_inputs)


def test_a_truncated_archive_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kind = datasets.CIFAR10
    (tmp_path / kind.filename).write_bytes(b"half an archive")
    found = hashlib.md5(b"half an archive").hexdigest()
    with pytest.raises(DataError, match=f"{kind.filename} is damaged: its md5 is {found}, it should be {kind.tgz_md5}"):
        CIFAR10(data_dir=str(tmp_path)).data(0)
    assert [each.name for each in tmp_path.iterdir()] == [kind.filename]


def test_no_network_says_which_archive_to_put_where(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kind = datasets.CIFAR100
    monkeypatch.setattr(kind, "url", "http://127.0.0.1:9/nothing")
    with pytest.raises(DataError) as caught:
        CIFAR100(data_dir=str(tmp_path)).data(0)
    for word in (
        str(tmp_path / "cifar-100-python.tar.gz"),
        kind.tgz_md5,
        "https://www.cs.toronto.edu/~kriz/cifar.html",
    ):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"), [("data_batch_3", "is damaged: its md5 is"), ("batches.meta", "is damaged: its md5 is")]
)
def test_a_damaged_batch_is_named(small: Path, name: str, message: str) -> None:
    path = small / "cifar-10-batches-py" / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=f"{name} {message}"):
        CIFAR10(data_dir=str(small)).data(0)


def test_a_missing_batch_is_named(small: Path) -> None:
    (small / "cifar-10-batches-py" / "test_batch").unlink()
    with pytest.raises(DataError, match="cifar-10-batches-py/test_batch cannot be read: No such file"):
        CIFAR10(data_dir=str(small)).data(0)


class Bomb:
    """What makes a file when its pickle is loaded."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return Path.touch, (self.file,)


def test_a_batch_is_read_as_arrays_and_nothing_else(
    small: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kind, batch = datasets.CIFAR10, small / "cifar-10-batches-py" / "data_batch_1"
    content = pickle.dumps({"data": Bomb(tmp_path / "went off"), "labels": []})
    batch.write_bytes(content)
    md5s = [[name, hashlib.md5(content).hexdigest() if name == batch.name else md5] for name, md5 in kind.train_list]
    monkeypatch.setattr(kind, "train_list", md5s)  # it would even have been checked
    with pytest.raises(pickle.UnpicklingError, match=r"is no part of an array"):
        CIFAR10(data_dir=str(small)).data(0)
    assert not (tmp_path / "went off").exists()
