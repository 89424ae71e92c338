"""How many stacks a cluster has room for: on the nodes that it has, and on those that its autoscaler may add."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from robustness.errors import ClusterError
from robustness.machine.home import home

if TYPE_CHECKING:
    from collections.abc import Mapping

    from robustness.study import Resources

BOOTSTRAP = "ray_bootstrap_config.yaml"
"""The cluster's file, which `ray up` leaves in the home on the head."""

UNKNOWN_FLEET = 64
"""Stacks to ask for where nodes may be added and nobody says how many."""


@dataclass(frozen=True)
class Room:
    """Room for stacks.

    Attributes:
        need: what a stack asks of Ray, `cpu` and `gpu`.
        now: stacks that the nodes of this moment can hold.
        most: stacks that they can hold with every node that may be added.
        limit: most stacks at a time that the study allows, None for no limit.
    """

    need: Mapping[str, float]
    now: int
    most: int
    limit: int | None = None

    @property
    def slots(self) -> int:
        """Stacks that can run at once when all nodes are there: what work is divided by."""
        return min(self.most, self.limit or self.most)

    @property
    def running(self) -> int:
        """Stacks that can run at once now."""
        return min(self.now, self.limit or self.now)

    @property
    def ahead(self) -> int:
        """Stacks to hand out: what waits is what an autoscaler sees, and a warm actor's next one must be at hand."""
        return self.limit or 2 * self.most


def measure(resources: Resources) -> Room:
    """Return the room for a study's stacks.

    Raises:
        ClusterError: no node has room for a stack, nor can one be added that has.
    """
    import ray

    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    fleet = _fleet() if _autoscales() else {}
    types = [each for each, _ in fleet.values()] if fleet else []
    need = _need(resources, [*nodes, *types], unknown=fleet is None)
    now = sum(_fits(need, node) for node in nodes)
    if fleet is None:
        return Room(need, now, max(now, UNKNOWN_FLEET), resources.max_concurrent)
    like_ours = max((_fits(need, node) for node in nodes), default=0) or 1
    head = sum(_fits(need, node) for node in nodes if "node:__internal_head__" in node)
    most = max(now, head + sum(count * (_fits(need, each) if each else like_ours) for each, count in fleet.values()))
    if not most:
        have = ", ".join(f"CPU {node.get('CPU', 0):g}, GPU {node.get('GPU', 0):g}" for node in [*nodes, *types])
        raise ClusterError(f"a stack asks for {need}, and no node of the cluster has that: they have {have}")
    return Room(need, now, most, resources.max_concurrent)


def _need(resources: Resources, nodes: list[Mapping[str, float]], *, unknown: bool) -> dict[str, float]:
    """Return what a stack asks for; `auto` is a GPU where any node has one."""
    gpus = resources.gpus
    if gpus == "auto":
        gpus = min(1.0, max((node.get("GPU", 0.0) for node in nodes), default=0.0))
        if not gpus and unknown:
            raise ClusterError(
                "the cluster adds nodes as they are needed, and does not say whether these have GPUs: "
                "set `resources: {gpus: 1}` in the study file, or 0"
            )
    return {"cpu": float(resources.cpus)} | ({"gpu": float(gpus)} if gpus else {})


def _fits(need: Mapping[str, float], node: Mapping[str, float]) -> int:
    """Return how many stacks a node holds."""
    room = (node.get(kind.upper(), 0.0) / amount for kind, amount in need.items() if amount)
    return max(0, math.floor(min(room) + 1e-9))


def _autoscales() -> bool:
    """Return whether something adds nodes to this cluster as they are needed.

    Ray itself does not tell: a monitor that adds nothing runs in every cluster. The driver runs on the head, where
    `ray up` leaves its file; under KubeRay with an autoscaler the head is started without a monitor.
    """
    return os.access(_bootstrap(), os.R_OK) or "--no-monitor" in os.environ.get("KUBERAY_GEN_RAY_START_CMD", "")


def _bootstrap() -> Path:
    return (home() or Path("/")) / BOOTSTRAP


def _fleet() -> dict[str, tuple[dict[str, float], int]] | None:
    """Return the resources and the greatest number of each type of worker that may be added; None if nobody says.

    Resources are empty where they are not known, as of the `local` provider's hosts.
    """
    import yaml

    try:
        config: dict[str, Any] = yaml.safe_load(_bootstrap().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    most = int(config.get("max_workers", 0))
    types = config.get("available_node_types", {})
    return {
        name: (dict(each.get("resources") or {}), min(most, int(each.get("max_workers", most))))
        for name, each in types.items()
        if name != config.get("head_node_type") or len(types) == 1
    }
