"""The report is one file that stands alone, whatever is in the store."""

from __future__ import annotations

import json
import re
from html import escape
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from analysis.contents.gather import gather
from analysis.figures import files
from analysis.figures.export import ExportError
from analysis.report import notes, report
from robustness.results import Store
from robustness.study.run import stored_options
from tests.support import synthetic, synthetic_store

if TYPE_CHECKING:
    from pathlib import Path

FIGURES = [
    "claims", "basins", "difference", "slices", "profiles", "tuning", "curves", "gradients", "decays", "scatter",
]  # fmt: skip
EVIL = "<script>alert('x')</script>"


def written(root: Path, runs: pd.DataFrame, text: str | None = synthetic_store.STUDY) -> str:
    return report.write_report(synthetic_store.store(root, runs, text)).read_text(encoding="utf-8")


def own_part(page: str) -> str:
    """Return the page without the drawing library."""
    head, _, rest = page.partition("<script>")
    return head + rest[rest.index('<script type="application/json"') :]


def words(page: str) -> str:
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)).replace("\u00a0", " ")


def payload(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="payload">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return dict(json.loads(found[1]))


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    return synthetic_store.of_study()


@pytest.mark.slow
def test_it_is_one_file_that_asks_for_nothing(tmp_path: Path, runs: pd.DataFrame) -> None:
    page = written(tmp_path, runs)
    assert page.count("* plotly.js v") == 1
    assert len(page.encode()) < 8e6
    own = own_part(page)
    assert re.findall(r"\b(?:src|href|action)\s*=\s*(?![\"']data:)", own) == []
    assert "http://" not in own
    assert "https://" not in own
    assert re.search(r"@import|url\(", own) is None
    assert "default-src 'none'" in own
    assert list(payload(page)["figures"]) == FIGURES
    assert len(json.dumps(payload(page))) < 1_000_000
    assert [p.name for p in tmp_path.glob("*report*")] == ["report.html"]


@pytest.mark.slow
def test_sentence_and_tables_say_what_pandas_says(tmp_path: Path, runs: pd.DataFrame) -> None:
    page = words(written(tmp_path, runs))
    means = runs.groupby(["optimizer", "lr", "weight_decay"])[["test_error", "validation_error"]].mean()
    maps = means.reset_index().pivot_table("test_error", ["optimizer", "weight_decay"], "lr")
    area = (np.log10(np.unique(runs["lr"])[1]) + 4) * 0.4
    depths, areas = {}, {}
    # The grid is even in log space, so that equal cells make equal areas; lambda = 0 is in none.
    for optimizer in ("adam", "adamw", "adams"):
        grid, own = maps.loc[optimizer], means.loc[optimizer]
        depths[optimizer] = own["test_error"].iloc[own["validation_error"].argmin()]
        inside = (grid.loc[grid.index > 0] <= depths[optimizer] + 1).to_numpy()
        areas[optimizer] = inside.sum() * area
        text = f"{100 * inside.mean():.0f} %" if inside.mean() >= 0.0995 else f"{100 * inside.mean():.1f} %"
        assert text in page
        assert f"{grid.min().min():.2f} ±" in page
        assert f"{optimizer} {depths[optimizer]:.2f} %" in page
    assert "On digits, 3 seeds: adam’s basin within 1 point is" in page
    for rival in ("adamw", "adams"):  # the study's first optimizer against the others
        assert f"{areas['adam'] / areas[rival]:.2f} times as wide as {rival}’s (95 %:" in page
    assert " ".join(f"{areas[o]:.2f}" for o in ("adam", "adamw", "adams")) in page
    assert "1 296 runs of 1 296 asked" in page
    assert "9 diverged" in page
    for claim in ("significant", "superior"):
        assert claim not in page


@pytest.mark.slow
def test_sentence_warns_of_basins_that_the_box_clips(tmp_path: Path) -> None:
    text = synthetic_store.STUDY.replace("low: 1.0e-4, high: 0.316228", "low: 3.0e-3, high: 0.316228")
    page = words(written(tmp_path, synthetic_store.of_study(text), text))
    assert re.search(r"The basins of \w+, \w+ and \w+ reach the edge of the box", page)
    text = synthetic_store.STUDY.replace("low: 1.0e-5, high: 0.1", "low: 1.0e-6, high: 1.0e-2")
    assert "The basin of adams reaches the edge of the box" in words(
        written(tmp_path / "one", synthetic_store.of_study(text), text)
    )


@pytest.mark.slow
def test_words_from_outside_stay_words(tmp_path: Path, runs: pd.DataFrame) -> None:
    text = synthetic_store.STUDY.replace("Synthetic basins.", json.dumps(f"{EVIL} & $title ${{css}}")).replace(
        "[adam, adamw, adams]", json.dumps([{"name": "adams", "label": EVIL}])
    )
    failing = synthetic.failed(runs[runs["optimizer"] == "adams"], np.arange(432) == 7)
    failing.loc[failing["status"] == "failed", "reason"] = f"died: {EVIL}"
    root = synthetic_store.store(tmp_path / "odd & <b>name</b>", failing, text)
    Store(root).write_provenance({"command": f"run {EVIL}", "versions": {"torch": "2.11"}, "git": None})
    page = report.write_report(root).read_text(encoding="utf-8")
    own = own_part(page)
    assert "<script>alert" not in own
    assert "<b>name" not in own
    assert own.count(escape(EVIL)) >= 4
    assert escape(EVIL) + " &amp; $title ${css}" in own
    assert own.count("</script>") == 2
    drawn = json.dumps(payload(page)["figures"])
    assert "&lt;script&gt;" in drawn
    assert "<script" not in drawn
    assert "torch 2.11" in own


@pytest.mark.slow
def test_partial_results_say_so_and_leave_blanks(tmp_path: Path, runs: pd.DataFrame) -> None:
    some = runs[(runs["optimizer"] != "adams") & (runs["lr"] < 0.01) & ~((runs["seed"] == 2) & (runs["lr"] > 1e-3))]
    page = written(tmp_path, some)
    text = words(page)
    assert f"partial: {len(some)} of 1 296 runs" in text
    assert "2 to 3 seeds" in text
    contents = gather(Store(tmp_path))
    assert list(contents.maps) == ["adam", "adamw", "adams"]
    assert (contents.maps["adams"].status == 0).all()
    assert (contents.maps["adam"].status == 0).sum() == 12 * (np.unique(runs["lr"]) >= 0.01).sum()
    assert "no cell has trained yet" in json.dumps(payload(page))


@pytest.mark.slow
def test_one_seed_says_that_it_knows_no_spread(tmp_path: Path, runs: pd.DataFrame) -> None:
    page = written(tmp_path, runs[runs["seed"] == 0], synthetic_store.STUDY.replace("seeds: 3", "seeds: 1"))
    assert "One seed: no spread is known" in words(page)
    assert "±" not in json.dumps(payload(page)["figures"]["basins"], ensure_ascii=False)


def test_one_cell_is_a_report(tmp_path: Path) -> None:
    text = re.sub(r"lr: .*", "lr: [1.0e-3]", synthetic_store.STUDY)
    text = re.sub(r"weight_decay: .*", "weight_decay: [1.0e-3]", text)
    page = written(tmp_path, synthetic_store.of_study(text), text)
    assert list(payload(page)["figures"]) == ["claims", "cells", "curves", "gradients", "scatter"]
    assert "Basin" not in page.split("<main>")[1].split("<details>")[0]


@pytest.mark.parametrize("text", [synthetic_store.STUDY, None])
def test_no_run_is_a_clear_message(tmp_path: Path, runs: pd.DataFrame, text: str | None) -> None:
    page = written(tmp_path / "empty", runs.iloc[:0], text)
    assert "No run of this study is stored yet" in words(page)
    assert payload(page)["figures"] == {}
    assert len(page) < 50_000
    with pytest.raises(ExportError, match="no run"):
        files.write_overview(tmp_path / "empty", tmp_path / "a.svg")


@pytest.mark.slow
def test_failed_runs_are_counted_with_their_reason(tmp_path: Path, runs: pd.DataFrame) -> None:
    page = words(written(tmp_path, synthetic.failed(runs, (runs["lr"] > 0.2).to_numpy())))
    assert "108 runs failed: out of memory" in page
    assert "partial: 1 188 of 1 296 runs" in page
    everything = written(tmp_path / "all", synthetic.failed(runs, np.ones(len(runs), dtype=bool)))
    assert "No cell has trained: every run diverged, failed or ended no better than chance." in words(everything)


@pytest.mark.slow
def test_every_run_diverged(tmp_path: Path) -> None:
    page = written(tmp_path, synthetic_store.of_study(diverges=-1.0))
    assert "No cell has trained" in words(page)
    assert "no cell has learnt" in json.dumps(payload(page))


@pytest.mark.slow
def test_without_a_readable_study_it_shows_what_is_stored(tmp_path: Path, runs: pd.DataFrame) -> None:
    none = words(written(tmp_path / "none", runs, None))
    assert "there is no study.yaml" in none
    assert "1 296 runs." in none
    broken = words(written(tmp_path / "broken", runs, "name: demo\nworkload: nonsense\n"))
    assert "study.yaml cannot be read" in broken
    assert "nonsense" in broken


@pytest.mark.slow
def test_runs_of_an_earlier_version_of_the_study_are_kept_apart(tmp_path: Path, runs: pd.DataFrame) -> None:
    old = runs.iloc[:50].assign(run_id=[f"{i:016x}" for i in range(50)], test_error=0.0)
    page = words(written(tmp_path, pd.concat([runs, old], ignore_index=True)))
    assert "50 stored runs of an earlier version of the study are kept, but not shown" in page
    assert "least test error 0.00" not in page


def test_a_sampled_study_shows_points_and_no_area(tmp_path: Path) -> None:
    from robustness.study import Study

    text = synthetic_store.STUDY.replace("seeds: 3", "seeds: 2\nsearch: {sampler: tpe, cells: 30}").replace(
        ", points: 11, zero: true", ""
    )
    study = Study.parse(text)
    table = synthetic.sampled(25)
    entries = {e.optimizer.name: e.optimizer for e in study.optimizers}
    table["run_id"] = [
        study.run(entries[o], lr, wd, s).run_id
        for o, lr, wd, s in table[["optimizer", "lr", "weight_decay", "seed"]].itertuples(index=False, name=None)
    ]
    table["optimizer_options"] = table["optimizer"].map({n: stored_options(o) for n, o in entries.items()})
    page = written(tmp_path, table, text)
    assert list(payload(page)["figures"]) == ["basins", "curves", "gradients", "scatter"]
    assert "partial: 150 of 180 runs" in words(page)
    assert "box; " not in words(page)
    assert "interpolated" in words(page)


@pytest.mark.slow
def test_out_is_where_the_caller_says(tmp_path: Path, runs: pd.DataFrame) -> None:
    root = synthetic_store.store(tmp_path / "demo", runs.iloc[:30])
    assert report.write_report(root) == root / "report.html"
    out = tmp_path / "new" / "folder" / "page.html"
    assert report.write_report(str(root), out) == out
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.slow
def test_query_on_the_page_runs(tmp_path: Path, runs: pd.DataFrame) -> None:
    from html import unescape

    page = written(tmp_path, runs)
    code = unescape(page[page.rindex("<pre><code>") + 11 : page.rindex("</code></pre>")])
    *lines, last = code.splitlines()
    scope: dict[str, Any] = {}
    exec("\n".join(lines), scope)
    top = eval(last, scope)
    assert top["mean"].iloc[0] == pytest.approx(runs.groupby("cell_id")["test_error"].mean().min())


def test_without_a_box_the_answer_speaks_of_no_width(tmp_path: Path) -> None:
    text = re.sub(r"weight_decay: .*", "weight_decay: [0]", synthetic_store.STUDY)
    page = words(written(tmp_path, synthetic_store.of_study(text), text))
    assert "On digits, 3 seeds. Depth, the test error of the chosen cell: adam " in page
    assert "times as wide" not in page


@pytest.mark.parametrize(
    ("clipped", "said"),
    [
        (0, ""),
        (1, ". The basin of o0 reaches the edge"),
        (2, ". The basins of o0 and o1 reach the edge"),
        (5, ". 5 of 6 basins reach the edge"),
    ],
)
def test_many_basins_at_the_edge_are_counted_not_listed(clipped: int, said: str) -> None:
    edge = [SimpleNamespace(sides=("low lr",) if i < clipped else ()) for i in range(6)]
    summaries = [SimpleNamespace(label=f"o{i}", contact=contact) for i, contact in enumerate(edge)]
    words_of = notes.clipped(SimpleNamespace(summaries=summaries, no_map=None))  # type: ignore[arg-type]
    assert words_of.startswith(said)
    assert bool(words_of) == bool(clipped)
