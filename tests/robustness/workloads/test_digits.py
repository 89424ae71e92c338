"""Workloads: real data, honest splits, networks that take it, schedules."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from robustness.schedules import StepSchedule
from robustness.workloads import Digits, DigitsCNN


def test_digits_are_real_and_split_without_overlap() -> None:
    from sklearn.datasets import load_digits

    data = Digits(train_size=900, validation_size=200).data(0)
    parts = [data.train_inputs, data.validation_inputs, data.test_inputs]
    assert [len(part) for part in parts] == [900, 200, 697]
    rebuilt = torch.cat(parts).reshape(-1, 64).double().add(0.5).mul(16).numpy()
    images = load_digits().data
    np.testing.assert_array_equal(np.sort(rebuilt @ np.arange(64)), np.sort(images @ np.arange(64)))
    counts = torch.bincount(data.train_targets, minlength=10)
    assert counts.min() > 80, "the split is stratified"
    assert not torch.equal(Digits().data(0).train_targets, Digits().data(1).train_targets)


def test_label_noise_touches_train_labels_alone_and_as_many_as_asked() -> None:
    clean, noisy = Digits().data(2), Digits(label_noise=0.5).data(2)
    assert torch.equal(clean.train_inputs, noisy.train_inputs)
    assert torch.equal(clean.test_targets, noisy.test_targets)
    assert torch.equal(clean.validation_targets, noisy.validation_targets)
    changed = float((clean.train_targets != noisy.train_targets).double().mean())
    assert changed == pytest.approx(0.5 * 0.9, abs=0.06), "a tenth of the random classes is the right one"


def test_no_validation_split() -> None:
    workload = Digits(validation_size=0, epochs=1)
    assert not workload.has_validation
    assert len(workload.data(0).validation_targets) == 0


def test_networks_take_digits() -> None:
    for workload in (Digits(width=16), DigitsCNN(channels=4)):
        model = workload.model()
        assert isinstance(model, nn.Module)
        assert model(workload.data(0).test_inputs[:5]).shape == (5, 10)


def test_step_schedule_is_the_papers() -> None:
    schedule = Digits().schedule
    assert isinstance(schedule, StepSchedule)
    factors = [schedule.factor(epoch, 200) for epoch in range(200)]
    assert factors[:80] == [1.0] * 80
    assert factors[80:160] == pytest.approx([0.1] * 80)
    assert factors[160:] == pytest.approx([0.01] * 40)
    assert schedule.factor(0, 1) == 1.0, "no milestone has passed before the first epoch"
    tenth = type(schedule)(milestones=(0.1,))
    assert [tenth.factor(epoch, 30) for epoch in (2, 3)] == pytest.approx([1.0, 0.1])
