"""A lost node is told from a worker that died."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ray.exceptions import ActorDiedError, ActorUnavailableError, NodeDiedError, OutOfMemoryError

from robustness.sweep.lost_nodes import is_lost_node


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
