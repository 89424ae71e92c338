"""The version of what is installed, or of the checkout that is run as it lies there."""

from __future__ import annotations

import tomllib
from importlib import metadata
from pathlib import Path

DISTRIBUTION = "hyperparameter-robustness"


def version() -> str:
    """Return the version, as in `0.1.0`; `unknown` where neither an installation nor a checkout tells it."""
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        project = Path(__file__).resolve().parents[1] / "pyproject.toml"
    if not project.is_file():
        return "unknown"
    return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
