"""A lost node is told from a worker that died."""

from __future__ import annotations

import json
import pickle
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from ray.exceptions import ActorDiedError, ActorUnavailableError, NodeDiedError, OutOfMemoryError
from ray.tune.experiment import Trial

from robustness.sweep.lost_nodes import LostNodes, is_lost_node

if TYPE_CHECKING:
    import pytest
    from ray.tune.execution.tune_controller import TuneController

    from robustness.sweep.searcher import StackSearcher


def died(words: str, **more: Any) -> ActorDiedError:
    """Return Ray's error of an actor that died with these words."""
    made: Any = import_module("ray.core.generated.common_pb2")
    return ActorDiedError(made.ActorDiedErrorContext(error_message=words, actor_id=b"\0" * 16, class_name="A", **more))


def test_a_lost_node_is_told_from_a_dead_worker() -> None:
    assert is_lost_node(died("The actor died because its node has died. Node Id: 0a"))
    assert is_lost_node(NodeDiedError("gone"))
    assert is_lost_node(ActorUnavailableError("no answer", None))
    assert not is_lost_node(died("Worker unexpectedly exits with a connection error code 2. End of file."))
    assert not is_lost_node(OutOfMemoryError("too much"))
    assert not is_lost_node(ValueError("odd"))
    assert not is_lost_node(None)


class ExplosiveError(ActorDiedError):
    """An error whose pickle makes a file when it is loaded."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file

    def __reduce__(self) -> Any:
        return Path.touch, (self.file,)


def test_an_error_is_heard_of_in_memory_and_its_file_is_never_unpickled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others may be able to write where Ray keeps its session, and Tune pickles there what a trial met."""
    lost: list[str] = []
    scheduler = LostNodes(cast("StackSearcher", SimpleNamespace(node_died=lost.append)))
    controller = cast("TuneController", None)
    monkeypatch.setattr(Trial, "local_path", str(tmp_path))
    for error in (
        NodeDiedError("gone"),
        ActorUnavailableError("no answer", None),
        ExplosiveError(tmp_path / "went off"),
    ):
        trial = Trial("stub", stub=True, _setup_default_resource=False)
        scheduler.on_trial_add(controller, trial)
        trial.handle_error(cast("Any", error))
        (tmp_path / "error.pkl").write_bytes(pickle.dumps(ExplosiveError(tmp_path / "went off")))
        scheduler.on_trial_error(controller, trial)
        assert (trial.trial_id in lost) == is_lost_node(error)
        assert trial.get_pickled_error() is None, "what Tune's own results ask for"
        assert json.loads(trial.get_json_state()[1])["pickled_error_filename"] is None
    assert len(lost) == 2
    assert not (tmp_path / "went off").exists()
