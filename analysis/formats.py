"""Numbers as text: how many digits, which unit, one or several."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def number(value: float) -> str:
    """Return a learning rate or weight decay in at most three significant digits: 0.003, 2.5e-05, 0."""
    if value == 0 or not np.isfinite(value):
        return "0" if value == 0 else "unknown"
    text = f"{value:.3g}"
    if 1e-3 <= abs(value) < 1e4 and "e" not in text:
        return text
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def spread(mean: float, std: float) -> str:
    """Return "2.10 ± 0.15", or the mean alone where one seed has no spread."""
    return f"{mean:.2f}" if np.isnan(std) else f"{mean:.2f} ± {std:.2f}"


def seed_counts(counts: Iterable[int]) -> str:
    """Return "3 seeds", or "1 to 3 seeds" where cells differ."""
    counts = [int(c) for c in counts if c > 0]
    if not counts:
        return "no seed"
    low, high = min(counts), max(counts)
    if low == high:
        return "1 seed" if low == 1 else f"{low} seeds"
    return f"{low} to {high} seeds"


def bands(counts: Iterable[int]) -> str:
    """Return the sentence that says what a band is, where there is more than one seed."""
    words = " Bands: from the least to the greatest seed, no confidence interval."
    return words if max(counts, default=0) > 1 else " One seed: no spread is known."


def short(text: str, length: int = 30) -> str:
    """Return `text`, cut where it would run into the next panel."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def percent(share: float) -> str:
    """Return a share 0..1 as "38 %", "4.5 %", or a dash where it is unknown; the blank does not break."""
    if not np.isfinite(share):
        return "–"
    return f"{100 * share:.0f} %" if share >= 0.0995 or share == 0 else f"{100 * share:.1f} %"


def points(delta: float) -> str:
    """Return "1 point", "2 points"."""
    return f"{delta:g} point{'' if delta == 1 else 's'}"


def count(number: int) -> str:
    """Return "1 296"; the blank does not break."""
    return f"{number:,}".replace(",", "\u00a0")


def plural(number: int, word: str) -> str:
    """Return "1 cell", "2 cells"."""
    return f"{count(number)} {word}{'' if number == 1 else 's'}"


def listing(parts: Sequence[str]) -> str:
    """Return "a", "a and b", "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
