"""Results that come with the code: making them, looking at them, and those of this repository."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import socket
from getpass import getuser
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

from analysis.figures import files
from analysis.report.readme import BEGIN, END, NOT_SAID, SECTIONS
from analysis.service.studies.studies import Studies
from robustness.cli import main
from robustness.plan import plan
from robustness.published.publish import PublishError, named
from robustness.published.shipped import PACKAGED
from robustness.results import Store, load
from robustness.results.tables.arrow import to_table
from robustness.results.tables.parquet import decode, encode, encode_small
from robustness.results.tables.schema import CURVES
from robustness.study import Study
from tests.support.noted import noted
from tests.support.published_cases import (  # noqa: F401
    FILE,
    RUNS_OF_IT,
    content,
    larger,
    small_given,
    small_made,
    small_study,
    small_trained,
    without_host,
)
from tests.support.stored_rows import curve, failed, fill


def test_what_is_published_is_what_was_stored_to_the_bit(trained: Path, made: Path) -> None:
    assert_frame_equal(without_host(made), without_host(trained), check_exact=True)
    assert_frame_equal(load("small", made).curves, load("small", trained).curves, check_exact=True)
    assert len(load("small", made).runs) == RUNS_OF_IT
    assert sorted(content(made / "small")) == [
        "README.md",
        "curves/small.parquet",
        *(name for name in content(made / "small") if name.startswith("provenance/")),
        "published.json",
        "resolved.json",
        "runs/small.parquet",
        "study.yaml",
    ]


def test_the_small_encoding_keeps_every_bit_and_is_smaller() -> None:
    draw = np.random.default_rng(0)
    reals = ("train_loss", "test_loss", "grad_norm", "grad_norm_sq", "weight_norm", "update_norm", "root_mean_v")
    rows = [
        # As training gives them: single precision in a double, and errors of some hundred examples.
        row | {name: float(np.float32(draw.lognormal())) for name in reals} | {"test_error": draw.integers(500) / 5}
        for number in range(400)
        for row in curve(number, epochs=20)
    ]
    rows[7]["update_norm"], rows[8]["grad_norm"] = float("inf"), None
    table = to_table(rows, CURVES)
    small = encode_small(table)
    assert pq.read_table(pa.BufferReader(small)).equals(table)
    assert decode(small, CURVES, CURVES.names).equals(table)
    assert len(small) < 0.75 * len(encode(table))


def test_nothing_of_the_machine_is_published(trained: Path, made: Path) -> None:
    words = {socket.gethostname(), getuser(), str(Path.home()), str(trained), str(Path.cwd()), "pytest"} - {"root"}
    rows = load("small", made).runs
    assert set(rows["host"]) == {"-"}
    texts = {name: data for name, data in content(made / "small").items() if not name.endswith(".parquet")}
    texts["rows"] = rows.to_csv().encode()
    assert [(name, word) for name, data in texts.items() for word in words if word.encode() in data] == []
    assert [name for name, data in texts.items() if re.search(rb"(^|[\s\"'=])/\w+/", data)] == [], "no path"
    assert not any(
        "command_line" in record or "host" in record for record in load("small", made).store.read_provenance()
    )


def test_the_readme_is_of_the_runs(made: Path) -> None:
    readme = (made / "small" / "README.md").read_text()
    assert re.findall("^## (.*)", readme, re.MULTILINE) == list(SECTIONS)
    assert NOT_SAID in readme
    runs = load("small", made).runs
    completed = int((runs["status"] == "completed").sum())
    assert f"- runs: {completed} completed" in readme
    assert "- adams: 3 learning rates, 0.003 to 0.3 × 3 weight decays, 1e-4 to 0.01 and 0" in readme
    assert "cells chosen by: grid; 2 seeds each" in readme
    assert "epochs 2, " in readme
    assert f"torch {runs['torch_version'].iloc[0]}; this package {runs['code_version'].iloc[0]}" in readme
    assert "cpu" in readme
    # An independent look at the cell of least mean test error.
    plain = runs[(runs["optimizer"] == "adam") & (runs["status"] == "completed")]
    cells = plain.groupby(["lr", "weight_decay"])["test_error"].agg(["mean", "std", "count"])
    least = cells[cells["count"] == 2].sort_values("mean").iloc[0]
    (row,) = [line for line in readme.splitlines() if line.startswith("| Adam \\| plain | lr ")]
    assert f"{least['mean']:.2f} ± {least['std']:.2f} |" in row
    assert "| Over learning rate and weight decay, the basin of AdamS is wider" in readme


def test_what_somebody_wrote_is_kept_when_it_is_published_again(given: Path, trained: Path) -> None:
    before = content(given)
    readme = given / "README.md"
    readme.write_text(readme.read_text().replace(NOT_SAID, "It shows\n\nthis."))
    (given / "runs" / "old.parquet").write_bytes(b"of an earlier time")
    assert main(["publish", "small", "--results", str(trained)]) == 0
    assert f"{BEGIN}\nIt shows\n\nthis.\n{END}" in readme.read_text()
    assert content(given) | {"README.md": b""} == before | {"README.md": b""}


def test_an_unfinished_study_is_published_only_where_that_is_said(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(trained / "small", tmp_path / "small")
    store = Store(tmp_path / "small")
    store.write_study(larger().text)
    command = ["publish", str(tmp_path / "small"), "--to", str(tmp_path / "to")]
    assert main(command) == 1
    assert "12 of 48 runs have no result" in capsys.readouterr().err
    assert not (tmp_path / "to").exists()
    store.write_failed(failed(0, run_id=larger().grid()[-1].run_id, reason="OSError in /home/somebody/x.py"))
    fill(store, 7, part="other")  # a run that the study does not ask for
    assert main([*command, "--partial"]) == 0
    assert "36 runs published, 12 have no result" in capsys.readouterr().out
    assert len(load("small", tmp_path / "to").runs) == RUNS_OF_IT
    assert "; 12 of the study's runs have no result" in (tmp_path / "to" / "small" / "README.md").read_text()


def test_a_study_that_names_a_folder_is_not_published(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = Store(tmp_path / "x")
    store.write_study(FILE.replace("name: digits, epochs: 2, train_size: 200", "name: cifar10, data_dir: /home/me"))
    assert main(["publish", str(tmp_path / "x"), "--to", str(tmp_path / "to"), "--partial"]) == 1
    assert "workload.data_dir names a folder of this machine" in capsys.readouterr().err


KEYS = "workload: digits, optimizers: [adams], space: {lr: [0.1], weight_decay: [0]}, seeds: 1"
BLOCK = KEYS.replace(", optimizers", "\noptimizers").replace(", space", "\nspace").replace(", seeds", "\nseeds") + "\n"


@pytest.mark.parametrize("name", ["x", "123", "1e5", "true"])
@pytest.mark.parametrize(
    "text",
    [
        BLOCK,
        f"# of what\n%YAML 1.2\n---\n# and why\n{BLOCK}",
        "\n".join(f"   {line}" for line in BLOCK.splitlines()),
        f"{{{KEYS}}}",
        f"--- # flow\n{{\n  # first\n  {KEYS}\n}}\n",
        f'"workload": digits{BLOCK.removeprefix("workload: digits")}',
        f"&all\n{BLOCK}",
        f'"name": NAME\n{BLOCK}',
        f"'name' : NAME\n{BLOCK}",
        f"{{{KEYS}, name: NAME}}",
        f'{{"name": NAME, {KEYS}}}',
        f"{BLOCK}\nname: NAME",
    ],
    ids=range(12),
)
def test_a_study_file_of_any_form_has_its_name_once(text: str, name: str) -> None:
    study = Study.parse(text.replace("NAME", f'"{name}"'), f"{name}.yaml")
    assert study.name == name
    text = named(study)
    again = Study.parse(text, "study.yaml")
    assert (again.name, again.grid()) == (name, study.grid())
    assert text.count("name") == 1


def test_a_form_without_room_for_a_name_is_refused() -> None:
    with pytest.raises(PublishError, match="x: give its study file a `name: x`"):
        named(Study.parse(f"? workload\n: digits{BLOCK.removeprefix('workload: digits')}", "x.yaml"))


@pytest.mark.slow
def test_the_commands_look_at_it_and_leave_it_as_it_is(
    given: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(given)
    for name in ("published/small/", "small"):
        assert main(["report", name]) == 0
        assert f"report: {given.parent.parent / 'results' / 'small' / 'report.html'}" in capsys.readouterr().out
    assert main(["report", "small", "--results", "published"]) == 0
    assert main(["claims", "published/small"]) == 0
    assert json.loads(Path("results/small/claims.json").read_text())["verdicts"]
    drawn: list[Path] = []
    monkeypatch.setattr(files, "write_figures", lambda root, folder, **_: noted(drawn, folder, files.Written([], {})))
    assert main(["figures", "published/small"]) == 0
    assert drawn == [given.parent.parent / "results" / "small" / "figures"]
    assert main(["compare", "published/small", "small", "--out", "compare.html"]) == 0
    assert main(["list"]) == 0
    assert re.search(r"Published, there without training:\n  small +\d+ completed", capsys.readouterr().out)
    assert content(given) == before


def test_the_pages_show_it(given: Path) -> None:
    before = content(given)
    studies = Studies("published")
    assert studies.names() == ["small"]
    found = studies.snapshot("small")
    assert found is not None
    assert len(found.full()[0].runs) == RUNS_OF_IT
    assert content(given) == before


FOLDERS = sorted(path.parent for path in PACKAGED.glob("*/published.json"))
MOST_MB = 15


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_a_published_study_of_this_repository(folder: Path, tmp_path: Path) -> None:
    store = Store(folder)
    study = Study.parse((folder / "study.yaml").read_text(), "study.yaml")
    assert study.name == folder.name
    assert plan(study, store).left == 0
    runs = store.runs()
    assert set(runs["host"]) == {"-"}
    assert set(store.curves(columns=[])["run_id"]) >= set(runs.loc[runs["status"] == "completed", "run_id"])
    readme = (folder / "README.md").read_text()
    assert re.findall("^## (.*)", readme, re.MULTILINE) == list(SECTIONS)
    assert NOT_SAID not in readme
    assert main(["report", str(folder), "--out", str(tmp_path / "report.html")]) == 0
    assert "<html" in (tmp_path / "report.html").read_text()[:1000]


def test_the_digests_and_the_size_of_all() -> None:
    size = 0
    for folder in FOLDERS:
        files = json.loads((folder / "published.json").read_text())["files"]
        assert {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files} == files
        size += sum(len(data) for data in content(folder).values())
    assert size < MOST_MB * 1e6
