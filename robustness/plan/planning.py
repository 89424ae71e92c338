"""The plan of a study: what is left of it, and what that costs on the devices whose pace is known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from robustness.machine import cores
from robustness.plan.stored_pace import CPU, StoredPace, paces_elsewhere, stored_paces
from robustness.published.shipped import with_published
from robustness.results import finished
from robustness.search.make import make_source
from robustness.study import Sampled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from robustness.results import Store
    from robustness.study import Resources, Study


@dataclass(frozen=True)
class Share:
    """What is left of one workload.

    Attributes:
        workload: what tables and figures call it.
        left: runs to train.
        epochs: of each run.
        paces: of each device that is known to have trained it.
    """

    workload: str
    left: int
    epochs: int
    paces: dict[str, StoredPace]


@dataclass(frozen=True)
class Cost:
    """What is left of a study, trained on one device (or, each workload on another, on several).

    Attributes:
        devices: as in the column `device`.
        seconds: of all runs, each one's share of its stack's time.
        epochs: of all runs.
        runs: the measurement rests on these; 0 if a workload was calibrated.
        stack: runs of the stack that was calibrated; 0 if all rests on stored runs.
    """

    devices: tuple[str, ...]
    seconds: float
    epochs: int
    runs: int
    stack: int

    @property
    def pace(self) -> float:
        """Seconds a run and epoch."""
        return self.seconds / self.epochs


@dataclass(frozen=True)
class Plan:
    """How much of a study is left, and what that costs.

    Attributes:
        total: runs of the study.
        stored: runs that need no training.
        shares: what is left of each workload.
        workers: stacks at a time on this machine, without a GPU.
        resources: what the study gives a stack.
        search: how a sampled study goes through its cells; None for a grid.
        published: runs that need no training because they come with the code, and are not stored yet.
    """

    study: str
    total: int
    stored: int
    shares: tuple[Share, ...]
    workers: int
    resources: Resources
    search: str | None = None
    published: int = 0

    @property
    def left(self) -> int:
        """Runs to train."""
        return self.total - self.stored - self.published

    @property
    def seconds(self) -> float | None:
        """Expected time for the rest on this machine's cores, without Ray's start; None where none is known."""
        if not self.left:
            return 0.0
        return next((cost.seconds / self.workers for cost in self.costs(gpu=False)), None)

    @property
    def unknown(self) -> list[str]:
        """Workloads with runs left whose pace is known on no device."""
        return [share.workload for share in self.shares if share.left and not share.paces]

    def costs(self, *, gpu: bool) -> list[Cost]:
        """Return the cost of the rest on every GPU, or core, that is known to have trained every workload that is left.

        Where there is none, but each workload has been trained on some: on each one's most used. A stack's fraction of
        a GPU and its cores are not in it, see `hours`.
        """
        shares = [share for share in self.shares if share.left]
        known = [[pace for device, pace in share.paces.items() if (device != CPU) == gpu] for share in shares]
        if not shares or not all(known):
            return []
        names = [{pace.device for pace in paces} for paces in known]
        common = sorted(set.intersection(*names))
        chosen = [[next(p for p in paces if p.device == device) for paces in known] for device in common]
        return [_cost(shares, one) for one in chosen or [[max(paces, key=lambda pace: pace.runs) for paces in known]]]

    def hours(self, cost: Cost) -> float:
        """Return GPU-hours, or core-hours: a stack takes its fraction of a GPU, or its cores, for the stack's time.

        A stack that shares a GPU is taken to have shared it when its pace was measured.
        """
        if CPU in cost.devices:
            return cost.seconds * self.resources.cpus / 3600
        return cost.seconds * (1.0 if self.resources.gpus == "auto" else self.resources.gpus) / 3600

    def calibrated(self, paces: dict[str, StoredPace]) -> Plan:
        """Return this plan with the paces of some workloads, by their name, that were measured for it."""
        shares = [
            replace(share, paces=share.paces | {paces[share.workload].device: paces[share.workload]})
            if share.workload in paces
            else share
            for share in self.shares
        ]
        return replace(self, shares=tuple(shares))


def plan(study: Study, store: Store) -> Plan:
    """Return the plan of `study`, whose results are in `store`.

    Where nothing is stored of a workload there, the studies beside it are looked through.

    Raises:
        robustness.results.StorageError: the results cannot be read.
    """
    stored = store.runs()
    known = with_published(study, store, stored)
    sources = [make_source(part, known) for part in study.parts]
    published = len(finished(known)) - len(finished(stored))
    paces = [stored_paces(part, known) for part in study.parts]
    lacking = [
        i for i, (source, own) in enumerate(zip(sources, paces, strict=True)) if source.total > source.done and not own
    ]
    if lacking:
        for i, found in zip(lacking, paces_elsewhere([study.parts[i] for i in lacking], store), strict=True):
            paces[i] = found
    return Plan(
        study=study.name,
        total=sum(each.total for each in sources),
        stored=sum(each.done for each in sources) - published,
        shares=tuple(
            Share(
                workload=part.workload.title,
                left=source.total - source.done,
                epochs=part.workload.epochs,
                paces=_usable(own, study.resources),
            )
            for part, source, own in zip(study.parts, sources, paces, strict=True)
        ),
        workers=workers(study.resources),
        resources=study.resources,
        search=_search(study),
        published=published,
    )


def workers(resources: Resources) -> int:
    """Return how many stacks run at a time on the cores of this machine that we may use."""
    count = max(1, int(cores.usable() / resources.cpus))
    return min(count, resources.max_concurrent or count)


def _usable(paces: dict[str, StoredPace], resources: Resources) -> dict[str, StoredPace]:
    """Return the paces on devices that the study's stacks may use: a stack without a GPU says nothing of one."""
    return {device: pace for device, pace in paces.items() if device == CPU or resources.gpus != 0}


def _cost(shares: Sequence[Share], paces: Sequence[StoredPace]) -> Cost:
    epochs = [share.left * share.epochs for share in shares]
    seconds = sum(count * pace.seconds for count, pace in zip(epochs, paces, strict=True))
    stacks = [pace.runs for pace in paces if pace.calibrated]
    runs = 0 if stacks else sum(pace.runs for pace in paces)
    devices = tuple(dict.fromkeys(pace.device for pace in paces))
    return Cost(devices=devices, seconds=seconds, epochs=sum(epochs), runs=runs, stack=max(stacks, default=0))


def _search(study: Study) -> str | None:
    """Return how a sampled study goes through its cells; None for a grid."""
    search = study.search
    if not isinstance(search, Sampled):
        return None
    cells = f"{search.sampler}: {search.cells} cells an optimizer, {len(study.seeds)} seeds each"
    if search.cells_ahead == search.cells and not search.learns:
        return cells
    return f"{cells}; {search.cells_ahead} cells an optimizer are asked ahead of their results"
