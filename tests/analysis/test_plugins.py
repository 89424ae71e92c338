"""A measure and a figure of another package: found in schema, claims, report, files and service, without torch."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from robustness import load
from tests.support.plugin_package import broken, python, site, trained

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["site", "trained"]

CLAIM = """\
claims:
  - id: typical
    sentence: Signs err less in the middle.
    measure: median_error
    of: signs
    against: adamw
    direction: less
"""
BLOCKED = """\
import sys
class Blocked:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "ray"):
            raise ImportError(f"{name} is blocked")
sys.meta_path.insert(0, Blocked)
"""


@pytest.fixture(scope="module")
def claiming(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results, their study with a claim about the package's measure."""
    folder = shutil.copytree(trained, tmp_path_factory.mktemp("claiming") / "there")
    with (folder / "results" / "made" / "study.yaml").open("a") as file:
        file.write(CLAIM)
    return folder


def ran(folder: Path, site: Path, *arguments: str) -> str:
    """Return what a command prints in a process that has the package, and neither torch nor Ray."""
    code = f"{BLOCKED}from robustness.cli import main; sys.exit(main({list(arguments)!r}))"
    done = python(code, site, cwd=folder, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_schema_knows_the_measure(site: Path, tmp_path: Path) -> None:
    assert '"median_error"' in ran(tmp_path, site, "schema")
    without = python("from robustness.study.schema import text; print(text())", cwd=tmp_path)
    assert '"median_error"' not in without.stdout


@pytest.mark.slow
def test_a_claim_about_the_measure_is_judged_by_its_formula(claiming: Path, site: Path) -> None:
    code = (
        f"{BLOCKED}import json; from robustness import Store\n"
        "from analysis.contents.gather import gather\n"
        "contents = gather(Store('results/made'))\n"
        "(verdict,) = [each for each in contents.verdicts if each.sentence.startswith('Signs')]\n"
        "(one,) = verdict.comparisons\n"
        "print(json.dumps([one.measure, one.value, one.other]))"
    )
    measure, value, other = json.loads(python(code, site, cwd=claiming).stdout)
    runs = load(claiming / "results" / "made").runs
    native = runs["optimizer_options"].str.contains("1.0")
    signs, adamw = runs[native & (runs["optimizer"] != "adamw")], runs[runs["optimizer"] == "adamw"]
    assert len(signs) == len(adamw) == 18
    assert measure == "median_error"
    for found, own in ((value, signs), (other, adamw)):
        assert found == pytest.approx(np.median(own.groupby(["lr", "weight_decay"])["test_error"].mean()), abs=1e-9)
    assert "* typical" in ran(claiming, site, "claims", "results/made")


@pytest.mark.slow
def test_the_report_has_the_measure_and_the_figure(claiming: Path, site: Path) -> None:
    ran(claiming, site, "report", "results/made")
    page = (claiming / "results" / "made" / "report.html").read_text()
    assert "Median error" in page
    assert "Signs err less in the middle." in page
    assert re.search(r"<h[23][^>]*>Test error by seed</h[23]>", page)
    assert "Test error of 54 runs." in page


@pytest.mark.browser
def test_the_figure_is_a_file_like_the_others(claiming: Path, site: Path) -> None:
    ran(claiming, site, "figures", "results/made", "--figure", "seeds")
    assert list((claiming / "results" / "made" / "figures").glob("*seeds*.svg"))


@pytest.mark.slow
def test_the_service_shows_both(claiming: Path, site: Path) -> None:
    code = (
        f"{BLOCKED}from analysis.service.app import make\n"
        "from tests.support.service_pages import HOME, shown\n"
        "client = make('results').server.test_client()\n"
        "page = shown(client, '/study/made/claims')\n"
        "assert 'Signs err less in the middle.' in page, page\n"
        "assert 'Test error by seed' in page, page\n"
        "answer = client.get('/study/made/claims/figure/seeds', base_url=HOME)\n"
        "assert answer.status_code == 200\n"
        "assert 'Test error of 54 runs.' in answer.get_data(as_text=True), answer.get_data(as_text=True)\n"
    )
    python(code, site, cwd=claiming)


@pytest.mark.slow
def test_a_broken_figure_is_one_sentence_where_it_is_needed(trained: Path, site: Path, tmp_path: Path) -> None:
    bad = broken(tmp_path, "robustness.figures")
    code = "import sys; from robustness.cli import main; sys.exit(main(['figures', 'results/made']))"
    done = python(code, bad, site, cwd=trained, check=False)
    assert done.returncode == 1
    why = "error: 'broken' of broken-rows 0.3 (robustness.figures) cannot be loaded"
    assert " ".join(done.stderr.split()).startswith(why)
