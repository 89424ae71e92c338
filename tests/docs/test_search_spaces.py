"""The shipped studies: one for each figure and table of the paper, what they cost, and the page that maps them."""

from __future__ import annotations

import re

import pytest

from analysis.figures.paper.figures import FIGURES
from robustness.study import Study, paper_claims, studies
from robustness.study.file import PACKAGED
from robustness.workloads import CIFAR10, CIFAR100

PAPER = {f"figure-{int(number):02}" for number in FIGURES} | {"table-1", "table-lambda-1e-4", "theorem-1", "theorem-2"}
FOLDERS = {folder: sorted(path.stem for path in (PACKAGED / folder).glob("*.yaml")) for folder in ("paper", "proxy")}
NAMES = [f"{folder}/{stem}" for folder, stems in FOLDERS.items() for stem in stems]
README = (PACKAGED / "README.md").read_text()
ROWS = [line.split("|")[1:-1] for line in README.splitlines() if line.startswith("| ") and "`" in line]
BY_FIGURE = {row[1].strip(" `"): [cell.strip() for cell in row] for row in ROWS if row[1].strip(" `") in PAPER}


def test_each_figure_table_and_theorem_has_a_file() -> None:
    assert set(FOLDERS["paper"]) == PAPER
    assert set(FOLDERS["proxy"]) < PAPER


@pytest.mark.parametrize("name", NAMES)
def test_a_file_says_what_it_costs_and_what_is_the_papers(name: str) -> None:
    text = (PACKAGED / f"{name}.yaml").read_text()
    study = Study.load(name)
    assert study.name == name.replace("/", "-")
    assert study.claims
    assert re.findall(r"^# Cost: (\d+) runs", text, re.MULTILINE)[0] == str(len(study.grid()))
    assert re.search(r"\bours\b|\bOurs\b", text) or name in {"paper/figure-04", "paper/figure-15"}
    if name.startswith("paper/"):
        assert "# Of the paper: " in text


@pytest.mark.parametrize("figure", sorted(PAPER))
def test_the_page_maps_each_figure(figure: str) -> None:
    title, _, runs, hours, proxy, proxy_runs, minutes, claims = BY_FIGURE[figure]
    study = Study.load(f"paper/{figure}")
    assert title
    assert runs == str(len(study.grid()))
    assert hours
    assert claims == ", ".join(f"`{claim.id}`" for claim in study.claims)
    if figure.startswith("theorem"):
        assert (proxy, proxy_runs, minutes) == ("–", "–", "–")
    else:
        assert proxy_runs == str(len(Study.load(f"proxy/{proxy.strip('`')}").grid()))
        assert minutes


def test_each_claim_of_the_paper_has_a_study_that_is_made_for_it() -> None:
    made_for = {claim.id: name for name in studies() for claim in Study.load(name).claims}
    without = {name for name in paper_claims() if name not in made_for}
    assert without == set()
    for claim in paper_claims().values():
        assert claim.id in {each.id for each in Study.load(claim.study).claims}


def test_the_paper_is_followed_where_it_is_known() -> None:
    for stem in FOLDERS["paper"]:
        for workload in Study.load(f"paper/{stem}").workloads:
            if not isinstance(workload, CIFAR10 | CIFAR100):
                continue
            assert workload.batch_size == 128
            assert (workload.validation_size, workload.train_size, workload.test_size) == (0, None, None)
            assert workload.augment
            assert workload.epochs == {"figure-12": 210, "figure-20": 210, "figure-17": 900}.get(stem, 200)
            if workload.epochs == 200:
                factors = [workload.schedule.factor(epoch, 200) for epoch in range(200)]
                drops = [epoch for epoch in range(1, 200) if factors[epoch] != factors[epoch - 1]]
                assert drops == ([80, 160] if workload.name == "cifar10" else [100, 150])
    for run in Study.load("paper/table-1").grid():
        assert run.weight_decay == 5e-4
        assert run.lr == (0.1 if run.optimizer.name in {"sgd", "padam"} else 1e-3)
        assert run.weight_decay_native == (0.5 if run.optimizer.name == "adamw" else 5e-4)
