"""The best of a run's finished epochs, as its row tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def best_epoch(validation_error: NDArray[np.float64], test_error: NDArray[np.float64]) -> dict[str, Any]:
    """Return the columns of a row that tell of its best epochs; all None where no epoch has ended.

    Args:
        validation_error: (epochs,) percent, after each epoch that ended; NaN without that split.
        test_error: (epochs,) likewise; never NaN.
    """
    if not len(test_error):
        return dict.fromkeys(("best_epoch", "best_validation_error", "test_error_at_best", "best_test_error"))
    validated = not np.isnan(validation_error[-1])
    best = int(np.argmin(validation_error if validated else test_error))
    return {
        "best_epoch": best + 1,
        "best_validation_error": float(validation_error[best]) if validated else None,
        "test_error_at_best": float(test_error[best]),
        "best_test_error": float(test_error.min()),
    }
