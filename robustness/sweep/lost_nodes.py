"""Telling a lost node from a run that kills its worker: Ray Tune's scheduler is the first to hear of an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ray.exceptions import ActorDiedError, ActorUnavailableError, NodeDiedError, RayActorError, RayTaskError
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler

if TYPE_CHECKING:
    from ray.tune.error import TuneError
    from ray.tune.execution.tune_controller import TuneController

    from robustness.sweep.searcher import StackSearcher

NODE_DIED = ("its node has died", "node was terminated", "node is dead")
"""What Ray's message says of an actor that went with its node: the cause itself is not kept."""


class KeptError(Trial):
    """A trial that keeps its error in memory.

    Ray Tune tells the trial alone, which writes it to a pickle; that file others may be able to write too.
    """

    def handle_error(self, exc: TuneError | RayTaskError | RayActorError | None = None) -> None:
        """Keep the error, and have nobody read the file."""
        super().handle_error(exc)
        self.run_metadata.pickled_error_filename = None  # Tune's own results would unpickle it; they take the text now
        self.temporary_state.kept_error = exc  # type: ignore[attr-defined]  # Tune stores nothing of this


class LostNodes(FIFOScheduler):
    """Trials in their order; tells the searcher of each that went with its node."""

    def __init__(self, searcher: StackSearcher) -> None:
        super().__init__()
        self._searcher = searcher

    def on_trial_add(self, tune_controller: TuneController, trial: Trial) -> None:
        """Have a trial keep its error: Tune makes trials itself, of its own class."""
        trial.__class__ = KeptError
        super().on_trial_add(tune_controller, trial)

    def on_trial_error(self, tune_controller: TuneController, trial: Trial) -> None:  # noqa: ARG002
        """Hear of a trial's error, before the searcher does."""
        if is_lost_node(getattr(trial.temporary_state, "kept_error", None)):
            self._searcher.node_died(trial.trial_id)


def is_lost_node(error: Exception | None) -> bool:
    """Return whether `error` came from the loss of a node and not from what ran there."""
    if isinstance(error, RayTaskError):
        error = error.as_instanceof_cause()
    if isinstance(error, (NodeDiedError, ActorUnavailableError)):
        return True
    if isinstance(error, RayActorError) and error.preempted:
        return True
    return isinstance(error, ActorDiedError) and any(words in str(error) for words in NODE_DIED)
