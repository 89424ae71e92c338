"""The plan in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from robustness.plan.stored_pace import CPU

if TYPE_CHECKING:
    from robustness.plan.planning import Cost, Plan
    from robustness.workloads.base import Engine

ALIKE = 1.1
"""Engines whose times differ by less than this factor are taken for equally fast."""


@dataclass(frozen=True)
class Engines:
    """What a run of a workload takes by each engine on one device.

    Attributes:
        workload: what tables and figures call it.
        engine: which the study has.
        stack: seconds of a run as one of a stack; None if it cannot be stacked.
        size: runs of that stack.
        single: seconds of a run one by one; None if it cannot be trained so, or with `stack` None, was not measured.
        why: why one of the two cannot be; None where both can.
        gpu: name of the device, None if it is no GPU.
        processes: that share the GPU well where runs go one by one; None if that is not known.
        gpus: what the study gives a stack, or a single run.
    """

    workload: str
    engine: Engine
    stack: float | None = None
    size: int = 0
    single: float | None = None
    why: str | None = None
    gpu: str | None = None
    processes: int | None = None
    gpus: float | Literal["auto"] = "auto"

    @property
    def one_by_one(self) -> bool:
        """Whether runs can be trained one by one: all can but those that were seen to fail."""
        return self.single is not None or self.stack is None

    @property
    def pays(self) -> Engine | None:
        """The faster engine, or the only one; None if there is no difference."""
        if self.stack is None or self.single is None:
            return "single" if self.one_by_one else "stack"
        if max(self.stack, self.single) <= ALIKE * min(self.stack, self.single):
            return None
        return "stack" if self.stack < self.single else "single"


def engine_lines(found: Engines) -> list[str]:
    """Return which engine pays and why, and on a GPU how runs that go one by one share it."""
    if found.stack is None:
        return [f"{found.workload} cannot be stacked: {found.why}", *_sharing(found)]
    if found.single is None:
        return [f"{found.workload} cannot be trained one by one: {found.why}"]
    times = f"a stack of {found.size} takes {number(found.stack)} s a run, one by one {number(found.single)} s"
    if found.pays is None:
        return [f"{found.workload}: {times}: no difference", *_sharing(found)]
    factor = max(found.stack, found.single) / min(found.stack, found.single)
    faster = "the stack" if found.pays == "stack" else "one by one"
    verdict = f"{faster} is {factor:.{factor < 10:d}f} times as fast: `engine: {found.pays}`"
    return [f"{found.workload}: {times}: {verdict}{_has(found.pays == found.engine)}", *_sharing(found)]


def _sharing(found: Engines) -> list[str]:
    """Return how many processes share the GPU, where runs go one by one or that might be worth a try."""
    if found.processes is None:
        return []
    # Rounded down: Ray adds the fractions up.
    share = 100 // found.processes / 100
    words = f"`resources: {{gpus: {share:g}}}`"
    if found.stack and found.single and (found.pays or found.engine) == "stack":
        shared = found.single / found.processes
        if ALIKE * shared >= found.stack:
            return []
        several = f"{found.processes} processes that share the {found.gpu} may take {number(shared)} s a run"
        return [f"{found.workload}: {several}: try `engine: single` with {words}"]
    many = f"{found.processes} processes share" if found.processes > 1 else "one process is enough for"
    has = _has((1.0 if found.gpus == "auto" else found.gpus) == share)
    return [f"{found.workload}: {many} the {found.gpu}: {words}{has}"]


def _has(same: bool) -> str:
    return ", which the study has" if same else ""


def plan_summary(plan: Plan, price: float | None = None) -> str:
    """Return the plan as a person reads it.

    Args:
        plan: What is left, and what it costs.
        price: Of a GPU-hour, in any currency.
    """
    published = f"{plan.published} published, " if plan.published else ""
    lines = [f"{plan.study}: {plan.total} runs, {plan.stored} stored, {published}{plan.left} to train"]
    if plan.search:
        lines.append(plan.search)
    return "\n".join([*lines, *(_expected(plan, price) if plan.left else ["nothing to train"])])


def _expected(plan: Plan, price: float | None) -> list[str]:
    """Return what the rest takes; what is not known, and what to do about it."""
    if plan.unknown:
        which = "this workload" if len(plan.shares) == 1 else ", ".join(plan.unknown)
        return [
            f"no run of {which} is stored yet, so there is no estimate of the time; --calibrate trains a little here"
        ]
    gpus, cores = plan.costs(gpu=True), plan.costs(gpu=False)
    lines = [_line(plan, cost, "GPU-hours") + (_money(plan, cost, price)) for cost in gpus]
    for cost in cores:
        each = f"{cost.seconds / plan.left:.3g} s a run, {plan.workers} at a time"
        lines.append(
            f"expected time on this machine: {duration(cost.seconds / plan.workers)} ({each}), and Ray's start"
        )
        if not gpus:
            lines.append(f"{_line(plan, cost, 'core-hours')}; these are no GPU-hours")
    if not gpus and plan.resources.gpus == 0:
        return lines + (["no price: the study's stacks take no GPU (resources.gpus is 0)"] if price is not None else [])
    if not lines:
        lines.append(
            "no kind of device has trained every workload, so there is no estimate; --calibrate trains a little here"
        )
    if price is not None and not gpus:
        need = "no price: that takes runs on a GPU; train some there with the same --results, or --calibrate on one"
        lines.append(need)
    return lines


def _line(plan: Plan, cost: Cost, unit: str) -> str:
    hours = number(plan.hours(cost))
    known = f"calibrated in a stack of {cost.stack}" if cost.stack else f"from {cost.runs} run{'s' * (cost.runs != 1)}"
    device = "a CPU core" if CPU in cost.devices else " and ".join(cost.devices)
    share = plan.resources.gpus
    shared = f", {share:g} GPU a stack" if unit == "GPU-hours" and share not in ("auto", 1) else ""
    return f"{hours} {unit} ({cost.pace:.3g} s a run and epoch on {device}{shared}, {known})"


def _money(plan: Plan, cost: Cost, price: float | None) -> str:
    return "" if price is None else f", {number(plan.hours(cost) * price)} at {price:g} an hour"


def number(value: float) -> str:
    """Return a number to three digits, whole ones from 100 on."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}" if value >= 0.001 or not value else "less than 0.001"


def duration(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{number(seconds / 3600)} h"
