"""A cluster of four logical nodes: one dies in mid-sweep, others come only after the sweep has asked for them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from ray.cluster_utils import Cluster

from robustness import Study
from robustness.results.tables.schema import IDENTITY_COLUMNS, OUTCOME_COLUMNS
from robustness.sweep import capacity, run
from robustness.sweep.in_process import run_here
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from robustness.sweep import Sweep

pytestmark = [pytest.mark.sweep, pytest.mark.slow]

STUDY: dict[str, Any] = {
    "name": "nodes",
    "workload": {"name": "digits", "epochs": 8},
    "optimizers": ["adams", "adam"],
    "space": {"lr": {"low": 1e-4, "high": 1, "points": 4}, "weight_decay": {"low": 1e-4, "high": 10, "points": 4}},
    "seeds": 3,
    "resources": {"stack_size": 6, "retries": 0},
}
STACKS = 2 * 4 * 4 * 3 / 6
QUICK = {
    "health_check_initial_delay_ms": 500,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 500,
    "health_check_failure_threshold": 2,
}


def table(root: Path) -> pd.DataFrame:
    """Return identity and outcome of every stored row, as pandas reads them without any help of ours."""
    frame = pd.read_parquet(root / "nodes" / "runs")[[*IDENTITY_COLUMNS, *OUTCOME_COLUMNS]]
    return frame.sort_values("run_id").reset_index(drop=True)


def parts(root: Path) -> int:
    """Return how many stacks are stored."""
    return len(list((root / "nodes" / "runs").glob("*.parquet")))


def started(results: Path, address: str) -> Future[Sweep]:
    """Start a sweep beside the test: nodes are added and removed in the main thread, Ray wants it so."""
    pool = ThreadPoolExecutor(1)
    sweep = pool.submit(run, Study(**STUDY), results, address=address)
    pool.shutdown(wait=False)
    return sweep


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The table of a sweep on one machine, without Ray."""
    folder = tmp_path_factory.mktemp("here")
    run_here(Study(**STUDY), folder, quiet=True)
    return table(folder)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A head that trains nothing."""
    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 0, "include_dashboard": False, "_system_config": QUICK},
    )
    yield cluster
    cluster.shutdown()


def test_a_node_that_dies_costs_nothing_but_time(
    cluster: Cluster, expected: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes = [cluster.add_node(num_cpus=1) for _ in range(3)]
    sweep = started(tmp_path, cluster.address)
    wait_for(lambda: parts(tmp_path) >= 3)
    cluster.remove_node(nodes[1], allow_graceful=False)
    assert parts(tmp_path) < STACKS - 3, "it died in mid-sweep"
    assert sweep.result().failed == 0, "the study allows no second try: a lost node must not count as one"
    pd.testing.assert_frame_equal(table(tmp_path), expected)
    lines = capsys.readouterr().err.splitlines()
    assert any(line.startswith("a node died: its ") for line in lines), "and is told from a run that kills its worker"
    assert all(line.startswith(("nodes: ", "a node died: ")) for line in lines), "Ray's own pages are not on the screen"


def test_nodes_that_come_when_asked_for(
    cluster: Cluster, expected: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray
    from ray.autoscaler.v2.sdk import get_cluster_resource_state

    # As `ray up` would leave it on the head: three workers of one core may come.
    file = tmp_path / "bootstrap.yaml"
    file.write_text(
        "{head_node_type: head, max_workers: 3, available_node_types:"
        " {head: {}, worker: {resources: {CPU: 1}, max_workers: 3}}}"
    )
    monkeypatch.setattr(capacity, "BOOTSTRAP", file)
    sweep = started(tmp_path / "results", cluster.address)

    def demand() -> int:
        if not ray.is_initialized():
            return 0
        raylet: Any = ray._raylet  # compiled, without types
        state = get_cluster_resource_state(raylet.GcsClient(cluster.address))
        return len(state.pending_gang_resource_requests)

    wait_for(lambda: demand() >= 6)
    assert demand() == 6, "two stacks for every slot that there may be: an autoscaler sees the whole need at once"
    for _ in range(3):
        cluster.add_node(num_cpus=1)
    assert sweep.result().failed == 0
    pd.testing.assert_frame_equal(table(tmp_path / "results"), expected)
