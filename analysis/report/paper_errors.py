"""Test errors that the paper reports, to stand beside one's own.

Source: Xie, Xu, Zhang, Sato & Sugiyama, "On the Overlooked Pitfalls of Weight Decay and How to Mitigate Them: A
Gradient-Norm Perspective", NeurIPS 2023, arXiv 2011.11152, Table 1: weight decay 5e-4 on the common scale, 200 epochs,
batches of 128; the least test error over the epochs, mean and standard deviation of 3 runs.
"""

from __future__ import annotations

import json
import math

SOURCE = "Table 1 of Xie et al. 2023, arXiv 2011.11152"
WEIGHT_DECAY = 5e-4

OPTIMIZERS = ("adams", "sgd", "adam", "amsgrad", "adamw", "adabound", "padam", "yogi", "radam")
ERRORS: dict[tuple[str, str], str] = {
    ("cifar10", "resnet18"): "4.91±.04 5.01±.03 6.53±.03 6.16±.18 5.08±.07 5.65±.08 5.12±.04 5.87±.12 6.01±.10",
    ("cifar10", "vgg16"): "6.09±.11 6.42±.02 7.31±.25 7.14±.14 6.48±.13 6.76±.12 6.15±.06 6.90±.22 6.56±.04",
    ("cifar100", "resnet34"): "- 21.52±.37 27.16±.55 25.53±.19 22.99±.40 22.87±.13 22.72±.10 23.57±.12 24.41±.40",
    ("cifar100", "densenet121"): (
        "20.52±.26 19.81±.33 25.11±.15 24.43±.09 21.55±.14 22.69±.15 21.10±.23 22.15±.36 22.27±.22"
    ),
    ("cifar100", "googlenet"): (
        "21.05±.18 21.21±.29 26.12±.33 25.53±.17 21.29±.17 23.18±.31 21.82±.17 24.24±.16 22.23±.15"
    ),
}
"""(workload, network) -> the errors of `OPTIMIZERS` in percent; a dash where the value is not known."""


def paper_error(workload: str, options: str, optimizer: str, weight_decay: float) -> tuple[float, float] | None:
    """Return the paper's mean and standard deviation for a cell, percent; None where its table has none.

    Args:
        workload: Name of the workload.
        options: Its options as JSON, as in the runs table; the network must have its full width.
        optimizer: Registry name.
        weight_decay: On the common scale.
    """
    network = json.loads(options).get("model")
    named = network if isinstance(network, dict) else {}
    row = ERRORS.get((workload, str(named.get("name"))))
    same = math.isclose(weight_decay, WEIGHT_DECAY, rel_tol=1e-9) and named.get("width", 1.0) == 1.0
    if row is None or not same or optimizer not in OPTIMIZERS:
        return None
    mean, _, std = row.split()[OPTIMIZERS.index(optimizer)].partition("±")
    return (float(mean), float(std)) if std else None
