"""Picture files of a stored study's figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from analysis.contents.gather import gather
from analysis.figures import FIGURES, Drawing, NotDrawn, files, registry
from analysis.figures.export import ExportError
from analysis.figures.maps.difference import difference
from analysis.landscapes.by_seed import replicates
from robustness.results import Store
from tests.support import synthetic, synthetic_store
from tests.support.browser import find_chromium  # noqa: F401

if TYPE_CHECKING:
    from pathlib import Path

OWN = ["basins", "difference", "profiles", "tuning", "claims", "slices", "cells"]


@pytest.fixture(name="root", scope="module")
def make_root(tmp_path_factory: Any) -> Path:
    return synthetic_store.store(tmp_path_factory.mktemp("results") / "demo", synthetic_store.of_study())


@pytest.mark.browser
def test_figures_are_files_named_by_their_ids(root: Path, tmp_path: Path, chromium: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("BROWSER_PATH", chromium)
    written = files.write_figures(root, tmp_path / "a" / "b", ["11", "1", "profiles", "11"])
    assert written.paths == [tmp_path / "a" / "b" / f"figure-{name}.svg" for name in ("11", "profiles")]
    assert all(path.read_bytes().startswith(b"<svg") for path in written.paths)
    assert list(written.left_out) == ["1"]
    assert "sgd-eq1" in written.left_out["1"]
    (png,) = files.write_figures(root, tmp_path, ["difference"], kind="png").paths
    assert png.name == "figure-difference.png"
    assert png.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_by_default_every_figure_is_written_or_has_a_reason(root: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(files, "browser", lambda: "chromium")
    monkeypatch.setattr(files, "export", lambda drawing, path: path)
    written = files.write_figures(root, tmp_path)
    names = [path.stem.removeprefix("figure-") for path in written.paths]
    assert sorted([*names, *written.left_out]) == sorted([*FIGURES, *OWN])
    assert {"11", "basins", "difference", "profiles"} <= set(names)
    assert {"1", "6", "7", "12"} <= set(written.left_out)
    assert all(written.left_out.values())


def test_an_unknown_figure_is_an_error_that_lists_the_known_ones(root: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"called 21, basin; there are 1, 2, .*20, basins, difference"):
        files.write_figures(root, tmp_path, ["11", "21", "basin"])
    assert list(tmp_path.iterdir()) == []


def test_no_chromium_and_no_such_kind_are_clear_errors(root: Path, tmp_path: Path, monkeypatch: Any) -> None:
    with pytest.raises(ExportError, match="svg, png, pdf"):
        files.write_figures(root, tmp_path, ["11"], kind="gif")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("BROWSER_PATH", raising=False)
    with pytest.raises(ExportError, match="none on PATH"):
        files.write_figures(root, tmp_path, ["11"])


@pytest.mark.slow
def test_the_difference_is_the_reference_minus_the_next_and_profiles_end_at_all_of_the_box(root: Path) -> None:
    contents = gather(Store(root))
    drawn = registry.drawings(contents, OWN)
    found = replicates(contents.runs, ["test_error"])
    assert isinstance(drawn["difference"], Drawing)
    expected = difference(found["adam"], found["adamw"]).figure.data[0]
    np.testing.assert_array_equal(drawn["difference"].figure.data[0].z, expected.z)
    assert isinstance(drawn["profiles"], Drawing)
    ends = [trace.y[-1] for trace in drawn["profiles"].figure.data if trace.hovertemplate]
    np.testing.assert_allclose(ends, 100.0)


@pytest.mark.slow
def test_searched_and_empty_studies_give_reasons(tmp_path: Path) -> None:
    searched = gather(Store(synthetic_store.store(tmp_path / "a", synthetic.sampled(), text=None)))
    empty = gather(Store(synthetic_store.store(tmp_path / "b", synthetic.runs().iloc[:0], text=None)))
    drawn = registry.drawings(searched, registry.known())
    assert isinstance(drawn["11"], Drawing)
    assert isinstance(drawn["basins"], Drawing)
    assert isinstance(drawn["difference"], NotDrawn)
    assert "several weight decays" in str(drawn["10"])
    assert all(isinstance(found, NotDrawn) for found in registry.drawings(empty, registry.known()).values())
