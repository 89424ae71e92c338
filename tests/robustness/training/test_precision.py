"""bfloat16, the layout of images and compilation: what they change of a run, and what they don't."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn

from robustness.randomness import initial_model
from robustness.study import Run, Study
from robustness.training import compiled, train_single, train_stack
from robustness.training.compiled import Compiled
from robustness.training.forward import Forward
from robustness.training.mixed_precision import Lowered
from robustness.training.objective import Objective
from robustness.training.single import evaluate, train_epoch
from robustness.training.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from robustness.training.history import History

TINY = {"name": "digits-cnn", "epochs": 1, "train_size": 200, "batch_size": 64}


def runs(**options: Any) -> list[Run]:
    study = Study(
        name="t",
        workload=TINY | options,
        optimizers=["adam", "adams"],
        space={"lr": [1e-3], "weight_decay": [1e-4]},
        seeds=1,
    )
    return study.grid()


def losses(history: History) -> list[float]:
    return [history.values[name][0, 0] for name in ("train_loss", "test_loss", "grad_norm")]


@pytest.mark.parametrize("engine", [lambda of: train_single(of[0]), train_stack])
def test_bfloat16_is_near_float32_and_not_it(engine: Callable[[list[Run]], History]) -> None:
    full, low = losses(engine(runs())), losses(engine(runs(precision="bfloat16")))
    assert full != low
    np.testing.assert_allclose(low, full, rtol=0.02)


def test_a_stack_in_bfloat16_is_a_single_run_in_bfloat16() -> None:
    of = runs(precision="bfloat16")
    full = losses(train_single(runs()[0]))
    single, stack = losses(train_single(of[0])), losses(train_stack(of))
    np.testing.assert_allclose(stack, single, rtol=5e-3)
    assert stack != full


def test_weights_gradients_and_losses_stay_in_float32() -> None:
    of = runs(precision="bfloat16")
    model = initial_model(of[0].workload, 0)
    outputs = Forward(of[0].workload, model)(torch.randn(8, 1, 8, 8))
    outputs.sum().backward()
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    assert len(gradients) == len(list(model.parameters()))
    assert {t.dtype for t in [*model.parameters(), *gradients]} == {torch.float32} == {outputs.dtype}
    stack = Stack(initial_model(of[0].workload, 0), of, "cpu", torch.float32)
    images, classes = torch.randn(8, 1, 8, 8), torch.arange(8)
    gradient, (loss, (wrong, changed)) = stack.gradients(images, stack.weights, stack.buffers, classes)
    assert wrong.dtype == torch.int64
    assert not changed  # BatchNorm's are changed in place
    assert {t.dtype for t in (gradient, loss, *stack.buffers.values())} == {torch.float32, torch.int64}
    assert gradient.dtype == torch.float32


def test_what_is_lowered_is_what_autocast_lowers() -> None:
    x, weight = torch.randn(4, 3, 8, 8), torch.randn(5, 3, 3, 3)
    cases = {
        "conv": lambda: torch.nn.functional.conv2d(x, weight),
        "linear": lambda: torch.nn.functional.linear(x, torch.randn(2, 8)),
        "matmul": lambda: x @ x,
        "relu": x.relu,
        "layer norm": lambda: torch.nn.functional.layer_norm(x.bfloat16(), (8,)),
        "batch norm": lambda: torch.nn.functional.batch_norm(x.bfloat16(), torch.zeros(3), torch.ones(3)),
    }
    expected = dict.fromkeys(("relu", "layer norm"), torch.float32)
    with Lowered():
        assert {name: case().dtype for name, case in cases.items()} == dict.fromkeys(cases, torch.bfloat16) | expected


def test_an_lstm_runs_in_bfloat16() -> None:
    from robustness.models.lstm import LanguageModel

    workload = runs(precision="bfloat16")[0].workload
    torch.manual_seed(0)
    model = LanguageModel(50, 8, 8, dropout=0.0)
    forward, words = Forward(workload, model), torch.arange(40).view(4, 10)
    first, second = forward(words), forward(words)
    model.reset()
    full = model(words)
    assert first.dtype == torch.float32
    assert not torch.equal(first, full)
    torch.testing.assert_close(first, full, atol=0.02, rtol=0.02)
    assert not torch.equal(first, second), "its state is carried"


def test_options_are_part_of_the_identity_but_for_their_defaults() -> None:
    plain = runs()[0].run_id
    assert runs(precision="float32", compiled=False)[0].run_id == plain
    assert len({plain, runs(precision="bfloat16")[0].run_id, runs(compiled=True)[0].run_id}) == 3


def epoch_of(run: Run, **options: Any) -> tuple[nn.Module, dict[str, float]]:
    workload = run.workload
    feed, model = workload.feed(0, "cpu", torch.float32), initial_model(workload, 0)
    forward = Forward(workload, model, **options)
    optimizer = run.optimizer.torch_optimizer(model.parameters(), run.lr, run.weight_decay_native)
    metrics = train_epoch(Objective(workload), model, optimizer, feed.train(), forward)
    metrics |= evaluate(Objective(workload), model, "test", feed.evaluate("test"), forward)
    return model, {name: float(value) for name, value in metrics.items()}


def test_channels_last_changes_the_layout_alone() -> None:
    model, last = epoch_of(runs()[0], channels_last=True)
    filters = [p for p in model.parameters() if p.dim() == 4]
    assert all(p.is_contiguous(memory_format=torch.channels_last) for p in filters)
    assert last == pytest.approx(epoch_of(runs()[0])[1], rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_compiled_is_eager_to_rounding_and_compiles_whole_batches_alone(precision: str) -> None:
    of, graphs = runs(name="digits", precision=precision, compiled=True), torch._dynamo.utils.counters["stats"]
    before = graphs["unique_graphs"]
    plain = runs(name="digits", precision=precision)
    assert epoch_of(of[0], backend="aot_eager")[1] == pytest.approx(epoch_of(plain[0])[1], rel=1e-5)
    sides = []
    for part in (of, plain):
        workload = part[0].workload
        feed, model = workload.feed(0, "cpu", torch.float32), initial_model(workload, 0)
        stack = Stack(model, part, "cpu", torch.float32, backend="aot_eager")
        metrics = stack.train_epoch(feed.train(), 1.0) | stack.evaluate("test", feed.evaluate("test"))
        sides.append(torch.stack([metrics[name] for name in ("train_loss", "test_loss", "grad_norm")]))
    torch.testing.assert_close(sides[0], sides[1], rtol=1e-5, atol=0)
    assert graphs["unique_graphs"] == before + 4, "training and evaluation of both, no partial batch"


def test_what_cannot_be_compiled_runs_as_it_is_with_one_warning() -> None:
    def broken(graph: Any, inputs: Any) -> Callable[..., Any]:
        raise RuntimeError("no compiler here")

    torch._dynamo.reset()
    function = Compiled(lambda x: x + 1, "cpu", broken)
    with pytest.warns(UserWarning, match="not compiled, but run as it is: .*no compiler here"):
        assert function(torch.zeros(2)).tolist() == [1, 1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert function(torch.zeros(2)).tolist() == [1, 1]
        assert function(torch.zeros(3)).tolist() == [1, 1, 1]


def test_a_function_compiles_for_few_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    compilations, kind = [], [0]

    def backend(graph: Any, inputs: Any) -> Callable[..., Any]:
        compilations.append(inputs[0].shape)
        forward: Callable[..., Any] = graph.forward
        return forward

    monkeypatch.setattr(compiled, "MOST_SHAPES", 2)
    torch._dynamo.reset()
    function = Compiled(lambda x: x * kind[0], "cpu", backend, kind=lambda: kind[0])
    for kind[0] in (1, 2, 3, 4):
        for count in (5, 3, 5):
            assert function(torch.ones(count)).tolist() == [kind[0]] * count
    assert len(compilations) == 2
