"""The cell by which an optimizer is judged, and that its score is not too good to be true."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from analysis.landscapes.basin import Place, least_of
from analysis.landscapes.by_seed import Replicates
from analysis.measures.chosen_cell import choose
from analysis.statistics.bootstrap import moved, multipliers
from robustness.results.best import first_least
from tests.support.landscapes import contrasts, one, paraboloid, without

if TYPE_CHECKING:
    from analysis.measures.chosen_cell import Choice
    from tests.support.landscapes import Floats

NAN = float("nan")


def landscape(test: Floats, validation: Floats | None = None, diverged: Floats | None = None) -> Replicates:
    """Errors (S, W, L) of a study."""
    test = np.asarray(test, dtype=np.float64)
    values = {"test_error": test, "validation_error": np.full(test.shape, NAN) if validation is None else validation}
    lost = np.where(np.isfinite(test), 0.0, NAN) if diverged is None else diverged
    shape = test.shape
    axes = [np.logspace(0, count - 1, count) for count in shape[1:]]
    return Replicates("a", axes[1], axes[0], np.arange(shape[0]), values, lost)


def chosen(one: Replicates) -> Choice:
    found = choose(one, "test_error", "validation_error")
    assert found is not None
    return found


def test_validation_chooses_and_the_test_error_of_all_seeds_scores() -> None:
    random = np.random.default_rng(0)
    test, validation = random.normal(5, 1, (2, 4, 3, 6))
    found = chosen(landscape(test, validation))
    cell = np.unravel_index(validation.mean(axis=0).argmin(), (3, 6))
    assert found.cell == cell
    assert cell != np.unravel_index(test.mean(axis=0).argmin(), (3, 6))
    np.testing.assert_array_equal(found.scores, test[:, *cell])
    assert found.error == pytest.approx(test[:, *cell].mean())
    assert found.by == "validation"


@pytest.mark.parametrize(("seeds", "half"), [(2, 1), (3, 1), (4, 2), (5, 2)])
def test_without_validation_the_first_half_chooses_and_the_second_scores(seeds: int, half: int) -> None:
    test = np.random.default_rng(seeds).normal(5, 1, (seeds, 3, 6))
    found = chosen(landscape(test))
    cell = np.unravel_index(test[:half].mean(axis=0).argmin(), (3, 6))
    assert found.cell == cell
    assert found.by == "half"
    np.testing.assert_array_equal(found.scores[:half], NAN)
    np.testing.assert_array_equal(found.scores[half:], test[half:, *cell])
    assert found.error == pytest.approx(test[half:, *cell].mean())
    # What the other half says has no part in the choice.
    changed = test.copy()
    changed[half:] = np.random.default_rng(9).normal(5, 1, changed[half:].shape)
    assert chosen(landscape(changed)).cell == cell


def test_a_single_seed_does_both() -> None:
    test = np.random.default_rng(0).normal(5, 1, (1, 3, 6))
    found = chosen(landscape(test))
    assert (found.by, found.error) == ("test", test.min())


@pytest.mark.parametrize("own", [(1,), (2, 3), (0, 2), (1, 2, 4)])
def test_the_halves_are_those_of_the_optimizers_own_seeds(own: tuple[int, ...]) -> None:
    test = np.random.default_rng(3).normal(5, 1, (5, 3, 6))
    missing = [seed for seed in range(5) if seed not in own]
    found, alone = chosen(without(landscape(test), missing)), chosen(landscape(test[list(own)]))
    assert (found.cell, found.by, found.error) == (alone.cell, alone.by, alone.error)
    np.testing.assert_array_equal(found.scores[list(own)], alone.scores)
    assert np.isnan(found.scores[missing]).all()


@pytest.mark.parametrize("validation", [True, False])
def test_a_cell_without_a_score_is_not_chosen(validation: bool) -> None:
    test = np.full((4, 2, 3), 5.0)
    test[:, 1, 1], test[:, 0, 2] = 1.0, 2.0
    test[2:, 1, 1] = NAN
    if validation:
        test[:, 1, 1] = NAN
    check = np.nan_to_num(test, nan=1.0) if validation else None
    found = chosen(landscape(test, check, np.where(np.isfinite(test), 0.0, NAN)))
    assert found.cell == Place(0, 2)
    assert found.error == 2.0


def test_cells_that_diverged_or_were_not_validated_are_not_chosen() -> None:
    test = np.full((2, 2, 3), 5.0)
    check = test.copy()
    check[:, 0, 0], check[:, 0, 1], check[:, 1, 2], check[0, 1, 0] = 1.0, NAN, 3.0, 2.9
    diverged = np.zeros(test.shape)
    diverged[:, 0, 0] = 1.0
    assert chosen(landscape(test, check, diverged)).cell == Place(1, 2)
    assert choose(landscape(test, check, np.ones(test.shape)), "test_error", "validation_error") is None
    # One seed of two diverged: the other one's error counts by half.
    diverged[1, 0, 0], check[1, 0, 0] = 0.0, 4.0
    assert chosen(landscape(test, check, diverged)).cell == Place(0, 0)


def test_ties_go_to_the_least_weight_decay_and_then_learning_rate() -> None:
    test = np.full((2, 3, 4), 5.0)
    test[:, 1, 2] = test[:, 1, 3] = test[:, 2, 0] = 1.0
    assert chosen(landscape(test, test)).cell == Place(1, 2)


@pytest.mark.parametrize("validation", [True, False])
def test_of_pure_noise_the_least_mean_is_biased_and_the_chosen_score_is_not(validation: bool) -> None:
    studies, seeds = 400, 4
    scores, least = [], []
    for study in range(studies):
        noisy = one(lambda u, v: 5 + 0 * u, points=6, seeds=seeds, noise=1.0, validation=validation, stream=study)
        found = contrasts(noisy)
        scores.append(found.depth("a"))
        least.append(noisy.values["test_error"].mean(axis=0).min())
    error = np.std(scores, ddof=1) / np.sqrt(studies)
    assert np.mean(scores) == pytest.approx(5, abs=3 * error)
    assert 3 * error < 0.2
    # The least of 36 means of 4: about 2.1 standard deviations of such a mean.
    assert np.mean(least) == pytest.approx(5 - 2.1 / 2, abs=0.05)


def test_the_best_optimizer_is_the_one_that_validation_says() -> None:
    a, b = (one(paraboloid(depth=depth), name, points=8, seeds=2) for name, depth in (("a", 2.0), ("b", 2.5)))
    assert contrasts(a, b).best == "a"
    better = replace(b, values={**b.values, "validation_error": b.values["validation_error"] - 1})
    found = contrasts(a, better)
    assert found.best == "b"
    # Its test error is the reference, whatever that of the others.
    area = found.value("basin_area_absolute", "a", delta=1.0)
    assert area == contrasts(a, one(paraboloid(depth=9.0), "b", points=8, seeds=2)).value("basin_area", "a", delta=1.5)


def test_each_draw_chooses_a_cell_of_its_own() -> None:
    noisy = one(paraboloid(a=3.0, b=3.0), points=6, seeds=4, noise=1.0)
    found = contrasts(noisy, draws=256)
    validation = moved(noisy.values["validation_error"], multipliers(4, 3, 256))
    expected = [np.unravel_index(draw.argmin(), draw.shape) for draw in validation]
    np.testing.assert_array_equal(found.draws("a", 4).picked, expected)
    assert len({tuple(cell) for cell in expected}) > 1
    np.testing.assert_array_equal(found.means["a"].picked, [found.chosen["a"]])


@pytest.mark.parametrize("random", range(20))
def test_means_of_the_same_errors_tie_whatever_the_order_of_their_sum(random: int) -> None:
    numbers = np.random.default_rng(random)
    wrong = numbers.integers(1, 450, 7)
    # In every cell the same errors of k / 450, in an order of its own: as rationals all means are equal.
    errors = np.stack([100 * numbers.permutation(wrong) / 450 for _ in range(12)], axis=1).reshape(7, 3, 4)
    zeros = np.zeros_like(errors)
    assert chosen(landscape(errors, errors, zeros)).cell == Place(0, 0)
    means = errors.mean(axis=0)
    assert first_least(means.ravel()) == 0
    assert least_of(means, means > 0) == Place(0, 0)
    later = means > 0
    later[0] = False
    assert least_of(means, later) == Place(1, 0)
