"""The dry run itself: each workload and optimizer of one's own, against a plain loop."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import chain, islice
from typing import TYPE_CHECKING

import torch

from robustness.dry_run.agreement import difference
from robustness.dry_run.data import feed_of
from robustness.dry_run.engine_steps import EPOCHS, Engine
from robustness.dry_run.finding import SINGLE, Finding, Refusal, words_of
from robustness.dry_run.plain import plain_outcome
from robustness.optimizers.behavior.axes import remarks
from robustness.optimizers.behavior.convention import misstated
from robustness.optimizers.behavior.problem import StepError
from robustness.parameters.groups import GroupError
from robustness.parameters.parameter_layout import layout_of
from robustness.randomness import initial_model, seeded
from robustness.study import Run
from robustness.trees import examples, mapped
from robustness.workloads import DataError
from robustness.workloads.grouping import factors_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from robustness.optimizers import Optimizer
    from robustness.study import Study
    from robustness.workloads import Workload
    from robustness.workloads.data import Batch, Feed

EXAMPLES = 16
"""Examples of a batch that is tried."""


WHERE_FILES_LIE = (
    "a relative path begins in the folder in which the command is given; to another machine travels what lies within"
    " the study's own package, and other data must lie at one absolute path on every node"
)


def tried(study: Study) -> list[Finding]:
    """Return what is found in a study; nothing where each piece of one's own trains as in plain torch."""
    return [finding for workload in study.workloads for finding in _of_workload(study, workload)]


def own_runs(study: Study, workload: Workload) -> list[Run]:
    """Return a run of each optimizer that is to be tried on `workload`: all where that is one's own."""
    runs = []
    for entry in study.optimizers:
        if ":" not in workload.name and ":" not in entry.optimizer.name and not entry.optimizer.is_grouped:
            continue
        middle = study.space_of(entry)
        runs.append(Run(workload, entry.optimizer, middle.lr.middle, middle.weight_decay.middle, study.seeds[0]))
    return runs


def _of_workload(study: Study, workload: Workload) -> Iterator[Finding]:
    runs = own_runs(study, workload)
    if not runs:
        return
    try:
        feed = feed_of(workload, runs[0].seed, torch.float64)
        with seeded(runs[0].seed):
            batches = _batches(feed)
    except Refusal as refusal:
        yield Finding(str(refusal))
        return
    except DataError as error:
        yield Finding(f"{workload.title}: not tried, for its data are not here: {error}", fatal=False, tried=False)
        return
    except Exception as failure:  # noqa: BLE001 - whatever the code of another raises
        hint = f"; {WHERE_FILES_LIE}" if isinstance(failure, FileNotFoundError) else ""
        yield Finding(f"{workload.title}: its data cannot be made: {words_of(failure)}{hint}")
        return
    said: set[str] = set()
    for run in runs:
        for finding in chain(_of_optimizer(run.optimizer), _groups_of(run), _of_run(run, batches, feed)):
            if finding.text not in said:
                yield finding
            said.add(finding.text)


def _of_optimizer(optimizer: Optimizer) -> Iterator[Finding]:
    """Return what an optimizer of one's own does otherwise than the study says, or than its axes say."""
    if ":" not in optimizer.name:
        return
    if words := misstated(optimizer):
        yield Finding(f"{optimizer.name}: its convention {words}")
    with suppress(StepError):  # the network's own parameters will say it better
        for remark in remarks(optimizer):
            yield Finding(f"{optimizer.name}: {remark}", fatal=False)


def _groups_of(run: Run) -> Iterator[Finding]:
    """Say how much of a network decays, where not all of it does."""
    try:
        model = initial_model(run.workload, run.seed)
        layout = layout_of(model)
        found = factors_of(run.optimizer, run.workload, model, layout)
    except GroupError as error:
        yield Finding(str(error))
        return
    if found is None:
        return
    decayed = [piece for piece, one in zip(layout, found, strict=True) if one.weight_decay]
    share = 100 * sum(piece.size for piece in decayed) / sum(piece.size for piece in layout)
    words = f"decays {len(decayed)} of {len(layout)} tensors, {share:.3g} % of the parameters"
    yield Finding(f"{run.workload.title}: {run.optimizer.name} {words}", fatal=False)


def _of_run(run: Run, batches: list[Batch], feed: Feed) -> Iterator[Finding]:
    dtype = torch.float64
    try:
        try:
            plain = plain_outcome(run, batches, dtype)
        except Refusal:
            # A network may take single precision alone; what else is wrong is wrong there too.
            dtype, batches = torch.float32, [_cast(batch) for batch in batches]
            plain = plain_outcome(run, batches, dtype)
        single = Engine("single", batches, dtype, feed.gaps)
        outcome = single.outcome(run)
        if words := difference(plain, outcome, dtype):
            raise Refusal(
                f"{run.workload.title}: {run.optimizer.name} is trained otherwise than by a plain loop: after two"
                f" steps {words}"
            )
        engine = single
        if run.workload.engine == "stack":
            engine = Engine("stack", batches, dtype, feed.gaps)
            stacked = engine.outcome(run)
            if words := difference(plain, stacked, dtype) or difference(replace(outcome, numbers={}), stacked, dtype):
                raise Refusal(
                    f"{run.workload.title}: a stack trains {run.optimizer.name} otherwise than a plain loop: after two"
                    f" steps {words}; {SINGLE}"
                )
            outcome = stacked
    except Refusal as refusal:
        yield Finding(str(refusal))
        return
    try:
        words = difference(outcome, engine.resumed(run), dtype)
    except Refusal as refusal:
        words = str(refusal)
    if words:
        yield Finding(
            f"{run.workload.title}: a run of {run.optimizer.name} that is set down does not go on as one that is not"
            f" ({words}): no checkpoint of it is kept, and what is interrupted begins anew",
            fatal=False,
            resumes=False,
        )


def _batches(feed: Feed) -> list[Batch]:
    """Return two batches, of a few examples each where they can be cut."""
    found = list(islice(feed.train(), EPOCHS))
    if not found:
        raise Refusal("the feed has no batch to train on")
    found = [found[0], found[-1]]
    return [tuple(_cut(tree, _length(batch)) for tree in batch) for batch in found]  # type: ignore[misc]


def _length(batch: Batch) -> int | None:
    """Return the examples of a batch; None where inputs and targets do not count the same ones first."""
    try:
        count = examples(batch[0])
        return count if count == examples(batch[1]) else None
    except ValueError:
        return None


def _cut(tree: object, length: int | None) -> object:
    return tree if length is None or length <= EXAMPLES else mapped(lambda tensor: tensor[:EXAMPLES], tree)


def _cast(batch: Batch) -> Batch:
    def cast(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.float() if tensor.dtype == torch.float64 else tensor

    inputs, targets = batch
    return mapped(cast, inputs), mapped(cast, targets)
