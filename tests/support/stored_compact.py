"""What the tests of compaction share: a store with a bit of everything, and what it must stay equal to."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from robustness.results import Store
from tests.support.stored_rows import FINISHED, curve, failed, fill, folder, row

LATE = FINISHED + timedelta(seconds=1)


def names(store: Store, name: str = "runs") -> list[str]:
    return sorted(path.stem for path in folder(store, name).iterdir())


def tables(store: Store) -> tuple[pd.DataFrame, pd.DataFrame]:
    again = Store(store.root)
    if "folder" in store.__dict__:
        again.__dict__["folder"] = store.folder
    return again.runs(), again.curves()


def same(one: tuple[pd.DataFrame, pd.DataFrame], other: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    for a, b in zip(one, other, strict=True):
        pd.testing.assert_frame_equal(a, b, check_exact=True)


def mixture(store: Store) -> None:
    """Two results of a run, a failed run that succeeded and one that did not, an infinite loss, odd texts."""
    fill(store, 1, 2, part="a")
    fill(store, 3, part="b")
    store.write("c", [row(3, test_error=9.0, finished_at=LATE), row(4, lr=-0.0)], [*curve(3, 5), *curve(4, 7)])
    odd = row(5, train_loss=float("inf"), grad_norm=5e-324, reason="ñ☃\0", best_epoch=None, steps=2**53 + 1)
    store.write("d", [odd, row(6, status="diverged", hessian_eigenvalues=[3.0, 1.0])], curve(5, test_loss=np.nan))
    store.write_failed(failed(4))
    store.write_failed(failed(7))
