"""The runs of every study that comes with the code keep their ids: what is stored anywhere stays theirs."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest

from robustness.search import make_source
from robustness.study import Study, studies

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = json.loads((ROOT / "tests" / "data" / "run_ids" / "shipped.json").read_text(encoding="utf-8"))
NOTHING = pd.DataFrame({"run_id": [], "status": [], "lr": [], "weight_decay": []}).astype(
    {"run_id": str, "status": str, "lr": float, "weight_decay": float}
)


def known_ids(study: Study) -> list[str]:
    """Return the ids of a grid, of the first cells of a search that learns nothing, or of one cell an optimizer."""
    sampler = study.search.sampler
    if sampler == "grid":
        return [run.run_id for run in study.grid()]
    if sampler in {"random", "qmc"}:
        return [run.run_id for part in study.parts for run in make_source(part, NOTHING).next()]
    return [
        study.run(entry, 1e-3, 1e-4, study.seeds[0], workload).run_id
        for workload in study.workloads
        for entry in study.optimizers
    ]


def test_every_shipped_study_is_held_to_its_ids() -> None:
    published = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("published/*/study.yaml")}
    assert set(GOLDEN) == set(studies()) | published


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_the_runs_of_a_shipped_study_keep_their_ids(name: str) -> None:
    study = Study.load(ROOT / name if name.endswith(".yaml") else name)
    ids = sorted(known_ids(study))
    digest = hashlib.sha256("\n".join(ids).encode()).hexdigest()
    assert {"sampler": study.search.sampler, "runs": len(ids), "sha256": digest} == GOLDEN[name]
