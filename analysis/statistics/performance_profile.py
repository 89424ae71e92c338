"""Performance profiles: optimizers over several workloads, each against the best one on that workload.

Pure functions of costs (n workloads, m optimizers): at least 0, lower is better; NaN or infinite where an optimizer
has no result, which counts as never reached.

Sources: Dolan & Moré 2002, "Benchmarking optimization software with performance profiles"; the score is that of
AlgoPerf (Dahl et al. 2023, arXiv 2306.07179, section 4.3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

TAU_MAX = 4.0
"""Greatest ratio that the score looks at, as in AlgoPerf."""


def ratios(costs: Floats | Sequence[Sequence[float]]) -> Floats:
    """Return r (n, m) = t / least t of the same workload; infinite where there is no result.

    Of a workload whose least cost is 0, optimizers that reach 0 have the ratio 1, others an infinite one.

    Raises:
        ValueError: A cost is below 0, or the costs are no table.
    """
    table = np.asarray(costs, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError("costs are a table: a row a workload, a column an optimizer")
    if (table < 0).any():
        raise ValueError("a cost cannot be below 0")
    table = np.where(np.isnan(table), np.inf, table)
    found = np.full(table.shape, np.inf)
    best = table.min(axis=1, keepdims=True, initial=np.inf)
    reached = np.isfinite(table)
    np.divide(table, best, out=found, where=reached & (best > 0))
    found[reached & (table == best)] = 1.0
    return found


def profile(costs: Floats | Sequence[Sequence[float]], taus: Floats | Sequence[float]) -> Floats:
    """Return the share of workloads on which an optimizer is within each factor of the best.

    rho_s(tau) = |{workloads p: r_ps <= tau}| / n, with r_ps the cost t_ps over the least cost on p.

    Args:
        costs: (n, m) a row a workload, a column an optimizer, at least 0; NaN or infinite where there is no result.
        taus: (T,) factors, from 1.

    Returns:
        (m, T) shares, 0..1; NaN without a workload.

    Raises:
        ValueError: A cost is below 0, or the costs are no table.

    Source:
        Dolan & Moré 2002, "Benchmarking optimization software with performance profiles", Math. Program. 91.

    Example:
        >>> from analysis import performance_profile
        >>> performance_profile([[1.0, 2.0], [3.0, 1.5]], [1, 2])
        array([[0.5, 1. ],
               [0.5, 1. ]])
    """
    found = ratios(costs)
    if not len(found):
        return np.full((found.shape[1], len(taus)), np.nan)
    limits = np.asarray(taus, dtype=np.float64)
    return np.asarray((found.T[:, None, :] <= limits[None, :, None]).mean(axis=2))


def score(costs: Floats | Sequence[Sequence[float]], tau_max: float = TAU_MAX) -> Floats:
    """Return (m,) the area under rho from 1 to tau_max over tau_max - 1: 1 for the best on every workload.

    rho is a step function: its integral is the mean over workloads of max(tau_max - r, 0).

    Raises:
        ValueError: `tau_max` is not above 1.
    """
    if not 1 < tau_max < np.inf:
        raise ValueError(f"tau_max must be above 1 and finite, not {tau_max}")
    found = ratios(costs)
    if not len(found):
        return np.full(found.shape[1], np.nan)
    return np.asarray(np.maximum(tau_max - found, 0.0).mean(axis=0) / (tau_max - 1))


def breakpoints(costs: Floats | Sequence[Sequence[float]], tau_max: float = TAU_MAX) -> Floats:
    """Return (T,) where a profile may step: 1, the ratios up to tau_max, and tau_max."""
    found = ratios(costs)
    return np.unique(np.concatenate([[1.0, tau_max], found[found <= tau_max]]))
