"""The checkpoints of a study: which is taken, which are removed, and notes of them that say nothing of use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from robustness.results import Store
from robustness.results.checkpoints import Checkpoints

if TYPE_CHECKING:
    from pathlib import Path


def test_the_latest_checkpoint_that_has_all_runs_is_taken(tmp_path: Path) -> None:
    found = Checkpoints(Store(tmp_path))
    assert found.find(["a"]) is None
    for ids, epoch in ((["a", "b", "c"], 3), (["a", "b"], 5), (["a"], 4)):
        found.write(ids, epoch, 9, b"")
    (tmp_path / "checkpoints" / "torn.json").write_text("{")
    ab, bc = found.find(["a", "b"]), found.find(["c", "b"])
    assert ab is not None
    assert bc is not None
    assert (ab.epoch, bc.epoch) == (5, 3)
    assert found.find(["a", "d"]) is None
    found.write(["b", "a"], 6, 9, b"later")
    assert [each.epoch for each in found.listed()] == [6, 4, 3]
    assert found.read(found.listed()[0]) == b"later"
    found.tidy({"a", "b"})
    assert [each.epoch for each in found.listed()] == [3]
    found.tidy(None)
    assert found.listed() == []


NOTE = '{"run_ids": ["a"], "epoch": 1, "epochs": 2, "at": "2026-01-01T00:00:00+00:00"}'


@pytest.mark.parametrize(
    "note",
    [
        "",
        "[]",
        "[" * 100_000,
        NOTE.replace('"epoch": 1', '"epoch": Infinity'),
        NOTE.replace('["a"]', "7"),
        NOTE.replace("2026-01-01T00:00:00+00:00", "0001-01-01T00:00:00+23:00"),
        NOTE.replace('"2026-01-01T00:00:00+00:00"', "5"),
        NOTE.replace('"epochs": 2, ', ""),
    ],
    ids=range(8),
)
def test_a_note_that_says_nothing_of_use_is_left_out(note: str, tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "sound.json").write_text(NOTE)
    (tmp_path / "checkpoints" / "odd.json").write_text(note)
    assert [each.name for each in Checkpoints(Store(tmp_path)).listed()] == ["sound"]
