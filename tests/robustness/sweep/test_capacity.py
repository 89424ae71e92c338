"""How many stacks a cluster has room for: as its nodes are, and as they may become."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from robustness.errors import ClusterError
from robustness.study.resources import Resources
from robustness.sweep import capacity
from robustness.sweep.capacity import UNKNOWN_FLEET, Room, measure

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "node:__internal_head__"


class Cluster:
    """A cluster of made nodes, as `ray.nodes()` shows them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.nodes: list[dict[str, float]] = []
        self.file = tmp_path / "bootstrap.yaml"
        monkeypatch.setattr("ray.nodes", self._nodes)
        monkeypatch.setattr(capacity, "BOOTSTRAP", self.file)
        monkeypatch.delenv("KUBERAY_GEN_RAY_START_CMD", raising=False)

    def _nodes(self) -> list[dict[str, Any]]:
        return [{"Alive": True, "Resources": each} for each in self.nodes] + [
            {"Alive": False, "Resources": {"CPU": 99.0}}
        ]

    def grows(self, **types: Any) -> None:
        config = {"head_node_type": "head", "max_workers": 8, "available_node_types": {"head": {}, **types}}
        self.file.write_text(json.dumps(config))


class TestRoom:
    @pytest.fixture
    def cluster(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cluster:
        return Cluster(monkeypatch, tmp_path)

    def test_a_fixed_cluster_has_what_its_nodes_have(self, cluster: Cluster) -> None:
        cluster.nodes = [{"CPU": 4.0, HEAD: 1.0}, {"CPU": 3.0}]
        assert measure(Resources(cpus=2)) == Room({"cpu": 2.0}, now=3, most=3)
        assert measure(Resources(cpus=0.5)).now == 14
        assert measure(Resources(max_concurrent=2)).slots == 2
        with pytest.raises(ClusterError, match=r"asks for \{'cpu': 5.0\}, and no node .* CPU 4, GPU 0, CPU 3, GPU 0"):
            measure(Resources(cpus=5))

    def test_a_stack_does_not_lie_across_nodes(self, cluster: Cluster) -> None:
        cluster.nodes = [{"CPU": 2.0}, {"CPU": 2.0}]
        with pytest.raises(ClusterError):
            measure(Resources(cpus=3))

    def test_auto_takes_a_gpu_where_there_is_one_and_shares_it_when_told(self, cluster: Cluster) -> None:
        cluster.nodes = [{"CPU": 8.0, HEAD: 1.0}, {"CPU": 8.0, "GPU": 2.0}]
        assert measure(Resources()) == Room({"cpu": 1.0, "gpu": 1.0}, now=2, most=2)
        assert measure(Resources(gpus=0.25)).now == 8
        assert measure(Resources(gpus=0)) == Room({"cpu": 1.0}, now=16, most=16)

    def test_nodes_to_come_count_from_the_start(self, cluster: Cluster) -> None:
        cluster.nodes = [{"CPU": 0.0, HEAD: 1.0}]
        cluster.grows(worker={"resources": {"CPU": 8, "GPU": 4}, "max_workers": 3})
        room = measure(Resources())
        assert room == Room({"cpu": 1.0, "gpu": 1.0}, now=0, most=12)
        assert room.slots == 12
        assert room.running == 0
        assert room.ahead == 24
        cluster.nodes.append({"CPU": 8.0, "GPU": 4.0})
        assert measure(Resources()).now == 4

    def test_the_clusters_own_bound_holds(self, cluster: Cluster) -> None:
        cluster.nodes = [{"CPU": 0.0, HEAD: 1.0}]
        cluster.grows(worker={"resources": {"CPU": 1}, "max_workers": 100})
        assert measure(Resources()).most == 8

    def test_hosts_of_ones_own_are_taken_to_be_like_those_there(self, cluster: Cluster) -> None:
        cluster.nodes = [{"CPU": 4.0, HEAD: 1.0}]
        local = {"resources": {}, "max_workers": 2}
        config = {"head_node_type": "local", "max_workers": 2, "available_node_types": {"local": local}}
        cluster.file.write_text(json.dumps(config))
        assert measure(Resources()) == Room({"cpu": 1.0}, now=4, most=12)

    def test_a_fleet_that_nobody_describes(self, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KUBERAY_GEN_RAY_START_CMD", "ray start --head --no-monitor ")
        cluster.nodes = [{"CPU": 0.0, HEAD: 1.0}]
        assert measure(Resources(gpus=1)) == Room({"cpu": 1.0, "gpu": 1.0}, now=0, most=UNKNOWN_FLEET)
        with pytest.raises(ClusterError, match=r"set `resources: \{gpus: 1\}` in the study file, or 0"):
            measure(Resources())
