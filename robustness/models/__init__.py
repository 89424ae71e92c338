"""Networks by name: the base of their options, and the options of every one in `registry`; all load without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robustness.models import registry
from robustness.models.base import ModelOptions as ModelOptions
from robustness.models.registry import *  # noqa: F403 - a row there is all that a network needs

if not TYPE_CHECKING:
    __all__ = ["ModelOptions"]
    __all__ += registry.__all__
