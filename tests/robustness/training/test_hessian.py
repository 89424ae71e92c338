"""Curvature: against Hessians formed as a whole by other means, and in the cases where there is little to find."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from scipy.sparse.linalg import ArpackError

from robustness.training import hessian
from robustness.training.hessian import top_eigenvalues, trace
from tests.support.curvature import Case, conv, descending, language, mlp, quadratic
from tests.support.noted import noted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("make", [mlp, conv])
def test_eigenvalues_are_those_of_the_whole_matrix(make: Callable[..., Case], dtype: torch.dtype) -> None:
    case = make(dtype)
    found = top_eigenvalues(case.loss, case.parameters, 5)
    exact = descending(case.exact())
    assert exact[-1] < -1e-3 * exact[0], "it is indefinite"
    assert exact[0] < 1e3 * exact[4], "all five are well above rounding"
    np.testing.assert_allclose(found, exact[:5], rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("attention", [False, True])
def test_language_networks(attention: bool, dtype: torch.dtype) -> None:
    case = language(attention, dtype)
    found = top_eigenvalues(case.loss, case.parameters, 3)
    case.net.double()
    np.testing.assert_allclose(found, descending(case.by_differences())[:3], rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("make", [mlp, conv])
def test_trace_lies_within_its_standard_error_which_is_right(make: Callable[..., Case]) -> None:
    case = make()
    estimate, error = trace(case.loss, case.parameters, 400)
    exact = case.exact()
    off_diagonal = exact - np.diag(np.diag(exact))
    assert error == pytest.approx(np.sqrt(2 * (off_diagonal**2).sum() / 400), rel=0.2)
    assert abs(estimate - np.trace(exact)) < 3 * error
    assert error < 0.2 * abs(np.trace(exact))


def test_the_standard_error_of_two_probes_is_half_their_distance() -> None:
    case = mlp()
    first, _ = trace(case.loss, case.parameters, 1)
    mean, error = trace(case.loss, case.parameters, 2)
    assert error == pytest.approx(abs(mean - first))


def test_a_diagonal_hessians_trace_is_exact() -> None:
    diagonal = np.linspace(-3, 7, 30)
    weights, loss = quadratic(np.diag(diagonal))
    estimate, error = trace(loss, [weights], 5)
    assert estimate == pytest.approx(diagonal.sum(), rel=1e-12)
    assert error == pytest.approx(0, abs=1e-12)
    single, unknown = trace(loss, [weights], 1)
    assert single == pytest.approx(diagonal.sum(), rel=1e-12)
    assert np.isnan(unknown)


@pytest.mark.parametrize("size", [10, 60])
def test_the_largest_are_not_the_greatest_in_size(size: int) -> None:
    weights, loss = quadratic(np.diag(np.linspace(-100, 3, size)))
    np.testing.assert_allclose(top_eigenvalues(loss, [weights], 3), np.linspace(3, -100, size)[:3], rtol=1e-6)
    weights, loss = quadratic(-np.diag(np.arange(1.0, size + 1)))
    np.testing.assert_allclose(top_eigenvalues(loss, [weights], 3), [-1, -2, -3], rtol=1e-6)


def test_batches_make_no_difference() -> None:
    case = conv()
    whole, parts = (lambda: case.loss(24)), (lambda: case.loss(5))
    np.testing.assert_allclose(
        top_eigenvalues(whole, case.parameters, 3), top_eigenvalues(parts, case.parameters, 3), rtol=1e-9
    )
    assert trace(whole, case.parameters, 3) == pytest.approx(trace(parts, case.parameters, 3), rel=1e-9)


def test_one_parts_graph_is_held_at_a_time() -> None:
    weights = torch.ones(30, dtype=torch.float64, requires_grad=True)
    parts: list[weakref.ref[torch.Tensor]] = []

    def part() -> torch.Tensor:
        assert all(reference() is None for reference in parts)
        made = (weights**3).sum()
        parts.append(weakref.ref(made))
        return made

    assert trace(lambda: (part() for _ in range(3)), [weights], 2)[0] == pytest.approx(3 * 6 * 30)
    assert len(parts) == 6


@pytest.mark.slow
def test_a_seed_decides_everything() -> None:
    case = conv(torch.float32)

    def both(seed: int) -> list[float]:
        values = top_eigenvalues(case.loss, case.parameters, 3, seed=seed)
        return [*values, *trace(case.loss, case.parameters, 5, seed=seed)]

    assert both(1) == both(1)
    one, two = both(1), both(2)
    assert all(a != b for a, b in zip(one, two, strict=True))
    np.testing.assert_allclose(one[:3], two[:3], rtol=1e-4)


def test_a_hessian_of_low_rank() -> None:
    generator = np.random.default_rng(0)
    factor = generator.standard_normal((4, 100))
    weights, loss = quadratic(factor.T @ factor)
    found = top_eigenvalues(loss, [weights], 7)
    np.testing.assert_allclose(found[:4], descending(factor @ factor.T), rtol=1e-6)
    np.testing.assert_allclose(found[4:], 0, atol=1e-6 * found[0])


def test_a_seed_decides_even_what_is_left_of_zeros() -> None:
    # Where the iteration runs out of directions, as in the weights that no example uses, it draws new ones.
    weights, loss = quadratic(np.diag([3.3, 3.3, 3.3, 2.2] + [0.0] * 60))
    first, *others = (top_eigenvalues(loss, [weights], 5) for _ in range(4))
    assert all(np.array_equal(first, other) for other in others)


def test_nothing_else_changes() -> None:
    case = mlp()
    case.parameters[0].grad = torch.full_like(case.parameters[0], 7.0)
    gradients = [p.grad for p in case.parameters]
    weights = [p.detach().clone() for p in case.parameters]
    buffers = [b.clone() for b in case.net.buffers()]
    torch_state = torch.get_rng_state()
    numpy_state: Any = np.random.get_state()  # noqa: NPY002
    usual = top_eigenvalues(case.loss, case.parameters, 2), trace(case.loss, case.parameters, 2)
    with torch.no_grad():
        ungraded = top_eigenvalues(case.loss, case.parameters, 2), trace(case.loss, case.parameters, 2)
        assert not torch.is_grad_enabled()
    assert str(usual) == str(ungraded)
    assert min(usual[0]) > 0
    assert all(p.grad is g for p, g in zip(case.parameters, gradients, strict=True))
    assert (case.parameters[0].grad == 7).all()
    assert all(torch.equal(p, w) for p, w in zip(case.parameters, weights, strict=True))
    assert all(torch.equal(b, kept) for b, kept in zip(case.net.buffers(), buffers, strict=True))
    assert not any(m.training for m in case.net.modules())
    assert torch.equal(torch.get_rng_state(), torch_state)
    after: Any = np.random.get_state()  # noqa: NPY002
    np.testing.assert_array_equal(after[1], numpy_state[1])
    assert after[2:] == numpy_state[2:]
    assert torch.backends.cuda.flash_sdp_enabled()


def test_fewer_parameters_than_eigenvalues() -> None:
    weights, loss = quadratic([[2.0, 1.0], [1.0, 2.0]])
    np.testing.assert_allclose(top_eigenvalues(loss, [weights], 4), [3, 1, np.nan, np.nan])
    assert top_eigenvalues(loss, [weights], 1) == pytest.approx([3])


@pytest.mark.parametrize("size", [3, 40])
def test_parameters_that_are_frozen_or_unused(size: int) -> None:
    weights, loss = quadratic(np.diag(np.arange(1.0, size + 1)))
    frozen = torch.ones(5, dtype=torch.float64)
    unused = torch.ones(4, dtype=torch.float32, requires_grad=True)
    found = top_eigenvalues(lambda: [(1 + frozen.sum()) * part for part in loss()], [frozen, unused, weights], 2)
    np.testing.assert_allclose(found, [6 * size, 6 * (size - 1)], rtol=1e-6)
    assert trace(loss, [frozen, unused, weights], 2)[0] == pytest.approx(size * (size + 1) / 2)
    assert np.isnan(top_eigenvalues(loss, [frozen], 2)).all()
    assert trace(loss, [frozen], 2) == (0.0, 0.0)


@pytest.mark.parametrize("size", [3, 40])
def test_no_curvature(size: int) -> None:
    weights = torch.ones(size, requires_grad=True)
    for loss in (lambda: [weights.sum()], lambda: [torch.tensor(1.0)], list, lambda: [weights.relu().sum()]):
        assert top_eigenvalues(loss, [weights], 2).tolist() == [0, 0]
        assert trace(loss, [weights], 2) == (0.0, 0.0)


@pytest.mark.parametrize("size", [3, 40])
def test_a_product_that_is_not_finite(size: int) -> None:
    weights = torch.zeros(size, requires_grad=True)

    def loss() -> Iterator[torch.Tensor]:
        yield weights.pow(2).sum()
        yield weights.abs().sqrt().sum()

    assert np.isnan(top_eigenvalues(loss, [weights], 2)).all()
    assert np.isnan(trace(loss, [weights], 2)).all()


def test_what_has_not_converged_is_nan_and_comes_last() -> None:
    spectrum = np.concatenate([[10.0, 5.0], np.linspace(0.99, 1, 400)])
    weights, loss = quadratic(np.diag(spectrum))
    found = top_eigenvalues(loss, [weights], 6, tolerance=1e-10, restarts=1)
    np.testing.assert_allclose(found[:2], [10, 5], rtol=1e-9)
    assert np.isnan(found[-1])


def test_an_iteration_that_breaks_down_leaves_nan(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise ArpackError(-9999)

    weights, loss = quadratic(np.eye(40))
    monkeypatch.setattr(hessian, "eigsh", broken)
    assert np.isnan(top_eigenvalues(loss, [weights], 2)).all()


def test_a_tighter_tolerance_takes_more_products() -> None:
    spectrum = np.concatenate([np.linspace(0, 1, 300), [1.02, 1.03]])
    weights, loss = quadratic(np.diag(spectrum))
    products: list[int] = []

    def count(tolerance: float) -> int:
        products.clear()
        found = top_eigenvalues(
            lambda: (noted(products, 1, part) for part in loss()), [weights], 1, tolerance=tolerance
        )
        assert found == pytest.approx([1.03], rel=tolerance)
        return len(products)

    assert count(1e-1) < count(1e-3) < count(1e-8)


def test_counts_below_one_are_refused() -> None:
    weights, loss = quadratic(np.eye(2))
    with pytest.raises(ValueError, match="count must be at least 1, got 0"):
        top_eigenvalues(loss, [weights], 0)
    with pytest.raises(ValueError, match="probes must be at least 1, got 0"):
        trace(loss, [weights], 0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("make", [conv, lambda dtype: language(False, dtype), lambda dtype: language(True, dtype)])
def test_a_gpu_finds_the_same(make: Callable[..., Case]) -> None:
    case = make(torch.float64)
    expected = top_eigenvalues(case.loss, case.parameters, 3)
    case.net.cuda()
    case.inputs, case.targets = case.inputs.cuda(), case.targets.cuda()
    np.testing.assert_allclose(top_eigenvalues(case.loss, case.parameters, 3), expected, rtol=1e-4)
    assert torch.backends.cudnn.enabled
