"""How a network is made narrower or wider."""

from __future__ import annotations

NARROWEST = 4
"""With fewer channels BatchNorm and ReLU leave next to nothing to learn from."""


def scaled(channels: int, width: float) -> int:
    """Return `channels` times `width`, rounded to the nearest whole number but not below `NARROWEST`."""
    return max(NARROWEST, round(channels * width))
