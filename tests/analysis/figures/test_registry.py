"""The registry of figures: its rows, and those that other packages add."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from analysis.figures import FIGURES, Figure, NotDrawn, registry
from robustness.plugins import Plugin, PluginError

if TYPE_CHECKING:
    from analysis.contents.gather import Contents


def none(_contents: Contents) -> NotDrawn:
    return NotDrawn("nothing to see")


def bring(monkeypatch: pytest.MonkeyPatch, *rows: Any) -> None:
    brought = tuple(Plugin(name=f"f{i}", row=row, package="theirs", version="1.2") for i, row in enumerate(rows))
    monkeypatch.setattr(registry, "plugins", lambda group: brought if group == "robustness.figures" else ())


def test_ids_are_unique_and_each_row_is_found_by_its_own() -> None:
    rows = registry.figures()
    assert len(rows) == len(FIGURES) + len(registry.OWN)
    assert all(name == row.id for name, row in rows.items())
    assert all(row.heading for row in rows.values())


def test_the_report_has_its_own_figures_in_its_order() -> None:
    headings = {name: row.heading for name, row in registry.of_report().items()}
    assert headings == {
        "claims": "The intervals behind the claims",
        "cells": "The test errors",
        "basins": "The landscapes",
        "difference": "The difference of two landscapes",
        "slices": "Cuts through the ringed cells",
        "profiles": "Basin profiles",
        "tuning": "Tuning curves",
        "curves": "Learning curves",
        "gradients": "Gradients and decay",
        "decays": "Gradient norm and weight decay",
        "scatter": "Training loss and test error",
    }
    assert list(headings) == list(registry.of_report())
    assert registry.known()[-8:] == ["20", "basins", "difference", "profiles", "tuning", "claims", "slices", "cells"]


def test_a_figure_of_another_package_stands_last_and_is_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = Figure(id="their-own", heading="Theirs", draw=none)
    bring(monkeypatch, theirs)
    assert list(registry.of_report())[-1] == "their-own"
    assert registry.known()[-1] == "their-own"
    contents: Any = None
    assert registry.drawings(contents, ["their-own"]) == {"their-own": NotDrawn("nothing to see")}


def test_what_is_no_figure_and_an_id_that_is_taken_are_told_by_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    bring(monkeypatch, none)
    with pytest.raises(PluginError, match=r"^'f0' of theirs 1\.2 is no analysis\.figures\.Figure$"):
        registry.known()
    for taken in ("11", "basins"):
        bring(monkeypatch, Figure(id=taken, heading="Again", draw=none))
        with pytest.raises(PluginError, match=f"'f0' of theirs 1.2 is a figure called '{taken}'"):
            registry.of_report()


@pytest.mark.parametrize("name", ["", "Theirs", "../up", "a b", "a--b", "-a", '"x"'])
def test_an_id_is_safe_in_an_address_and_in_a_file_s_name(name: str) -> None:
    with pytest.raises(ValueError, match="is no id of a figure"):
        Figure(id=name, heading="Theirs", draw=none)
