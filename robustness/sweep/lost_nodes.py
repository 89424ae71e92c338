"""Telling a lost node from a run that kills its worker: Ray Tune's scheduler is the first to hear of an error."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING

from ray.exceptions import ActorDiedError, ActorUnavailableError, NodeDiedError, RayActorError, RayTaskError
from ray.tune.schedulers import FIFOScheduler

if TYPE_CHECKING:
    from ray.tune.execution.tune_controller import TuneController
    from ray.tune.experiment import Trial

    from robustness.sweep.searcher import StackSearcher

NODE_DIED = ("its node has died", "node was terminated", "node is dead")
"""What Ray's message says of an actor that went with its node: the cause itself is not kept."""


class LostNodes(FIFOScheduler):
    """Trials in their order; tells the searcher of each that went with its node."""

    def __init__(self, searcher: StackSearcher) -> None:
        super().__init__()
        self._searcher = searcher

    def on_trial_error(self, tune_controller: TuneController, trial: Trial) -> None:  # noqa: ARG002
        """Hear of a trial's error, before the searcher does."""
        if is_lost_node(_error_of(trial)):
            self._searcher.node_died(trial.trial_id)


def _error_of(trial: Trial) -> Exception | None:
    # Not `get_pickled_error`: that looks where the file is copied to later.
    file = trial.pickled_error_file
    if file is None or not Path(file).exists():
        return None
    error: Exception = pickle.loads(Path(file).read_bytes())  # noqa: S301 - this process has just written it
    return error


def is_lost_node(error: Exception | None) -> bool:
    """Return whether `error` came from the loss of a node and not from what ran there."""
    if isinstance(error, RayTaskError):
        error = error.as_instanceof_cause()
    if isinstance(error, (NodeDiedError, ActorUnavailableError)):
        return True
    if isinstance(error, RayActorError) and error.preempted:
        return True
    return isinstance(error, ActorDiedError) and any(words in str(error) for words in NODE_DIED)
