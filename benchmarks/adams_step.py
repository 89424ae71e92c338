"""A step of `AdamS` against one of torch's AdamW, `foreach=True`, on the parameters of ResNet18 and of a transformer.

    python -m benchmarks.adams_step [--rounds 40] [--device cuda]

Both step in turn on parameters of the same shapes with the same gradients. On the CPU it is one thread and the time of
the processor; on a device that of the clock, after a wait for the device. The median of the rounds' ratios is printed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

import torch

from robustness.optimizers import AdamS

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 1.05
"""Times AdamW's step that AdamS's may take."""


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; return 1 if AdamS costs more than `MOST` times AdamW on a network of a million weights."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--small", action="store_true", help="tiny networks, to try it")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, {options.device}, medians of {options.rounds} rounds in turn")
    print("| parameters of | tensors | millions | AdamW foreach, ms | AdamS, ms | AdamS / AdamW |")
    print("|---|---|---|---|---|---|")
    worst = 0.0
    for name, network in _networks(options.small).items():
        shapes = [p.shape for p in network.parameters()]
        adamw, adams, ratio = _measured(shapes, options.device, options.rounds)
        millions = sum(map(torch.Size.numel, shapes)) / 1e6
        print(f"| {name} | {len(shapes)} | {millions:.1f} | {adamw:.2f} | {adams:.2f} | {ratio:.3f} |", flush=True)
        if millions > 1:  # below, a step is what Python takes
            worst = max(worst, ratio)
    return int(worst > MOST)


def _networks(small: bool) -> dict[str, torch.nn.Module]:
    perceptron = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.Linear(32, 32), torch.nn.Linear(32, 10))
    if small:
        return {"perceptron": perceptron}
    from torchvision.models import resnet18

    layer = torch.nn.TransformerEncoderLayer(384, 6, 1536, batch_first=True)
    transformer = torch.nn.TransformerEncoder(layer, 6, enable_nested_tensor=False)
    return {"ResNet18": resnet18(), "transformer": transformer, "perceptron": perceptron}


def _measured(shapes: list[torch.Size], device: str, rounds: int) -> tuple[float, float, float]:
    """Return the median milliseconds of a step of AdamW and of AdamS, and the median of their ratios."""
    adamw: Any = torch.optim.AdamW(_parameters(shapes, device), lr=1e-3, weight_decay=1e-2, foreach=True)
    adams = AdamS(_parameters(shapes, device), lr=1e-3, weight_decay=5e-4)
    for step in (adamw.step, adams.step) * 3:
        step()
    times = []
    for number in range(rounds):
        steps = (adamw.step, adams.step)
        # Who comes first changes, as does what is in the caches.
        taken = [_milliseconds(step, device) for step in (steps if number % 2 else steps[::-1])]
        times.append(taken if number % 2 else taken[::-1])
    theirs, ours = zip(*times, strict=True)
    ratio = statistics.median(b / a for a, b in times)
    return statistics.median(theirs), statistics.median(ours), ratio


def _parameters(shapes: list[torch.Size], device: str) -> list[torch.nn.Parameter]:
    draw = torch.Generator().manual_seed(0)
    parameters = [torch.nn.Parameter(torch.randn(shape, generator=draw).to(device)) for shape in shapes]
    for p in parameters:
        p.grad = (0.01 * torch.randn(p.shape, generator=draw)).to(device)
    return parameters


def _milliseconds(step: Callable[[], object], device: str) -> float:
    """Return what two steps take, a step."""
    wait = (lambda: None) if device == "cpu" else torch.accelerator.synchronize
    clock = time.process_time if device == "cpu" else time.perf_counter
    wait()
    started = clock()
    step()
    step()
    wait()
    return 500 * (clock() - started)


if __name__ == "__main__":
    sys.exit(main())
