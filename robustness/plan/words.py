"""The plan in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from robustness.plan.paces import CPU

if TYPE_CHECKING:
    from robustness.plan.planning import Cost, Plan


def text(plan: Plan, price: float | None) -> str:
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
        which = "this workload" if len(plan.parts) == 1 else ", ".join(plan.unknown)
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
