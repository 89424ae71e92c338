"""Rows and curves of plausible runs, for the tests of the store."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from robustness.results import Store

FINISHED = datetime(2026, 5, 4, 3, 2, 1, 123456, tzinfo=UTC)


def row(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "run_id": f"{number:016x}",
        "cell_id": f"{number // 3:016x}",
        "workload": "digits",
        "workload_options": '{"epochs": 20}',
        "optimizer": "adams",
        "optimizer_options": '{"betas": [0.9, 0.999]}',
        "convention": "scheduled",
        "lr": 10.0 ** -(number % 7),
        "weight_decay": 0.001 * (number % 5),
        "weight_decay_native": 0.1,
        "seed": number % 3,
        "engine": "stack",
        "status": "completed",
        "reason": None,
        "metric": "error",
        "baseline": 90.0,
        "epochs": 20,
        "steps": 280,
        "parameters": 3498,
        "train_loss": 0.25,
        "train_error": 1.5,
        "validation_loss": 0.5,
        "validation_error": 2.5,
        "test_loss": 0.75,
        "test_error": 3.5,
        "best_epoch": 7,
        "best_validation_error": 2.0,
        "test_error_at_best": 3.0,
        "best_test_error": 2.75,
        "grad_norm": 0.1,
        "grad_norm_sq": 0.01,
        "weight_norm": 20.0,
        "effective_decay": 0.125,
        "root_mean_v": 0.002,
        "effective_lr": None,
        "hessian_top": None,
        "hessian_trace": None,
        "hessian_eigenvalues": None,
        "label": "AdamS",
        "sampler": "grid",
        "stack_size": 100,
        "duration_s": 0.05,
        "device": "cpu",
        "host": "laptop",
        "finished_at": FINISHED,
        "torch_version": "2.15.0",
        "code_version": "0.1.0",
        "code": None,
        "arithmetic": "eager",
        "origin": "sweep",
        "copied_from": None,
    } | changes


def failed(number: int, **changes: Any) -> dict[str, Any]:
    """A failed run gives no outcome: its columns are simply left out."""
    outcome = (
        "loss",
        "error",
        "steps",
        "parameters",
        "best",
        "norm",
        "effective_decay",
        "root_mean_v",
        "effective_lr",
        "hessian",
    )
    kept = {name: value for name, value in row(number).items() if not any(word in name for word in outcome)}
    return kept | {"status": "failed", "reason": "out of memory", "epochs": 0} | changes


def curve(number: int, epochs: int = 3, **changes: Any) -> list[dict[str, Any]]:
    return [
        {
            "run_id": f"{number:016x}",
            "epoch": epoch,
            "lr": 0.1,
            "train_loss": 1.0 / epoch,
            "train_error": 10.0 / epoch,
            "validation_loss": None,
            "validation_error": None,
            "test_loss": 2.0 / epoch,
            "test_error": 20.0 / epoch,
            "grad_norm": 0.5,
            "grad_norm_sq": 0.25,
            "weight_norm": 3.0,
            "update_norm": 0.75,
            "effective_decay": None,
            "root_mean_v": 0.01,
            "effective_lr": None,
            "hessian_top": None,
            "hessian_trace": None,
        }
        | changes
        for epoch in range(1, epochs + 1)
    ]


def fill(store: Store, *numbers: int, part: str = "one") -> None:
    store.write(part, [row(n) for n in numbers], [e for n in numbers for e in curve(n)])


def folder(store: Store, name: str = "runs") -> Path:
    return Path(store.root) / name


def aside(store: Store) -> list[str]:
    place = folder(store, "set-aside")
    return sorted(p.name for p in place.iterdir()) if place.exists() else []
