"""A study gathered in two steps: at once what its rows tell, then what takes curves and draws."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from analysis.contents.by_workload import by_workload
from analysis.contents.gather import CURVE_COLUMNS, fully, gather_all, lightly
from analysis.contents.which_runs import stored_study
from robustness.results import Following, Store
from tests.support import synthetic_grid, synthetic_store
from tests.support.noted import noted
from tests.support.synthetic_grid import SEVERAL

if TYPE_CHECKING:
    from pathlib import Path

    from analysis.contents.gather import Contents


@pytest.fixture(name="roots", scope="module")
def make_roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("results")
    small = synthetic_store.STUDY.replace("points: 12", "points: 5").replace("points: 11", "points: 4")
    return {
        "one": synthetic_store.store(root / "demo", synthetic_store.of_study(small), small),
        "several": synthetic_grid.store(root / "both", SEVERAL),
        "no study": synthetic_store.store(root / "bare", synthetic_store.of_study(small), None),
    }


def light(following: Following) -> list[Contents]:
    following.refresh()
    study, problem = stored_study(following.text, following.resolved, following.store.name)
    runs = following.runs()
    return lightly(following.store.name, following.text, problem, by_workload(runs, study), runs)


def alike(one: Any, other: Any) -> bool:
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other)
        return True
    return bool(repr(one) == repr(other))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["one", "several", "no study"])
def test_in_two_steps_comes_the_same(roots: dict[str, Path], kind: str) -> None:
    whole, following = gather_all(Store(roots[kind])), Following(Store(roots[kind]))
    quick = light(following)
    for one, full in zip(quick, whole, strict=True):
        assert (one.verdicts, one.tuning, one.provenance) == ([], {}, [])
        assert one.comparisons is None
        assert len(one.curves) == 0
        assert one.curves.dtypes.equals(full.curves.dtypes)
        for name in ("name", "workload", "text", "problem", "runs", "asked", "others", "summaries", "deltas", "best"):
            assert alike(getattr(one, name), getattr(full, name)), name
    read: list[list[str]] = []
    complete = fully(quick, [], lambda runs, columns: noted(read, columns, following.curves(runs, columns)))
    assert read == [CURVE_COLUMNS], "once, and no more than is used"
    for one, full in zip(complete, whole, strict=True):
        assert one.comparisons is not None
        assert 0 < len(one.curves) == one.curves["run_id"].isin(one.runs["run_id"]).sum()
        for field in fields(full):
            if field.name not in {"seeds", "maps"}:
                assert alike(getattr(one, field.name), getattr(full, field.name)), field.name


def test_the_claims_may_be_others_than_the_stored_ones(roots: dict[str, Path]) -> None:
    following = Following(Store(roots["one"]))
    made_for = {v.claim: v.made_for for v in fully(light(following), [], following.curves, claims=())[0].verdicts}
    assert not any(made_for.values())
