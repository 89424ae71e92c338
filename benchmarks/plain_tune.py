"""The sweep as Ray Tune's documentation would have it: a trial a run, a report an epoch, nothing shared."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from robustness.workloads import Digits

if TYPE_CHECKING:
    from robustness.study import Study


def train_digits(config: dict[str, Any]) -> None:
    """Train one network and report its validation and test error after each epoch."""
    from ray import tune

    workload = Digits(epochs=config["epochs"])
    torch.manual_seed(config["seed"])
    data = workload.data(config["seed"])
    train = DataLoader(TensorDataset(data.train_inputs, data.train_targets), batch_size=64, shuffle=True)
    held_out = {
        "validation": DataLoader(TensorDataset(data.validation_inputs, data.validation_targets), batch_size=256),
        "test": DataLoader(TensorDataset(data.test_inputs, data.test_targets), batch_size=256),
    }
    model, loss_of = workload.model(), nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=config["lr"], weight_decay=config["weight_decay"])
    milestones = [round(share * workload.epochs) for share in (0.4, 0.8)]
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones)
    for _ in range(workload.epochs):
        model.train()
        total = 0.0
        for inputs, targets in train:
            optimizer.zero_grad()
            loss = loss_of(model(inputs), targets)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(targets)
        schedule.step()
        model.eval()
        metrics = {"train_loss": total / 896}
        for split, batches in held_out.items():
            with torch.no_grad():
                wrong = sum(int((model(inputs).argmax(1) != targets).sum()) for inputs, targets in batches)
            metrics[f"{split}_error"] = 100 * wrong / len(batches.dataset)  # type: ignore[arg-type]
        tune.report(metrics)


def sweep(study: Study, runs: int) -> int:
    """Train `runs` cells of AdamW on the Ray that is running; return how many came to an end."""
    from ray import tune

    lrs, decays = study.space.lr.values, study.space.weight_decay.values
    cells = [(lr, decay * 1000) for lr in lrs for decay in decays]
    chosen = [cells[i * len(cells) // runs] for i in range(runs)]
    with tempfile.TemporaryDirectory() as folder:
        tuner = tune.Tuner(
            train_digits,
            param_space={
                "cell": tune.grid_search(list(range(runs))),
                "lr": tune.sample_from(lambda config: chosen[config["cell"]][0]),
                "weight_decay": tune.sample_from(lambda config: chosen[config["cell"]][1]),
                "epochs": study.workload.epochs,
                "seed": 0,
            },
            run_config=tune.RunConfig(storage_path=folder, verbose=0),
        )
        results = tuner.fit()
        return sum(results[place].error is None for place in range(len(results)))
