"""The version, of an installation and of a checkout that is not installed."""

from __future__ import annotations

import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import robustness

PROJECT = tomllib.loads((Path(__file__).resolve().parents[2] / "pyproject.toml").read_text())["project"]


def test_the_version_is_that_of_the_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "version", {PROJECT["name"]: "9.8.7"}.__getitem__)
    assert robustness.__version__ == "9.8.7"


def test_a_checkout_that_is_not_installed_tells_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    assert robustness.__version__ == PROJECT["version"]
    with pytest.raises(AttributeError, match="module 'robustness' has no attribute 'nothing'"):
        robustness.nothing  # noqa: B018 - asking is what is tested
