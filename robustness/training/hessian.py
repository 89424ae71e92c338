"""Top eigenvalues and trace of a loss's Hessian, from its products with vectors: the matrix is never formed.

Sources: products by differentiating twice, Pearlmutter, Fast Exact Multiplication by the Hessian, Neural Computation
1994; eigenvalues by the implicitly restarted Lanczos method, Lehoucq, Sorensen and Yang, ARPACK Users' Guide, 1998;
the trace, Hutchinson, A Stochastic Estimator of the Trace of the Influence Matrix, 1990.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh
from torch.nn.attention import SDPBackend, sdpa_kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from torch import Tensor

    Loss = Callable[[], Iterable[Tensor]]

_KRYLOV = 20
"""Least size of the Lanczos basis, eigsh's own default."""


class _NotFiniteError(ArithmeticError):
    """A product of the Hessian has infinite or undefined entries."""


def top_eigenvalues(
    loss: Loss,
    parameters: Sequence[Tensor],
    count: int,
    *,
    seed: int = 0,
    tolerance: float = 1e-3,
    restarts: int = 100,
) -> np.ndarray:
    """Return (count,) the algebraically largest eigenvalues of the Hessian, in descending order.

    Up to some 20 parameters the Hessian is formed as a whole. Beyond, at least as many products are taken, and
    max(2 count + 1, 20) float64 vectors of the parameters' size are held in the CPU's memory.

    Args:
        loss: yields the parts of the loss, scalars whose sum it is, the same ones at each call; only one part's graph
            is held at a time. The network is to be in the mode that is meant: of BatchNorm in training mode the
            parts see only their own batch.
        parameters: what the Hessian is taken with respect to; those that require no gradient are left out.
        count: how many, at least 1.
        seed: of the vector that the iteration starts from.
        tolerance: greatest residual ||H v - lambda v|| over |lambda| of an eigenvalue and its unit vector, which
            bounds the relative error. In float32 below 1e-5 it may not be reached.
        restarts: how often the iteration may begin anew; each takes up to max(2 count + 1, 20) products.

    Returns:
        NaN stands for eigenvalues that did not converge or do not exist for want of parameters, which come last;
        all are NaN if a product is not finite.

    Raises:
        ValueError: count is less than 1.
    """
    if count < 1:
        raise ValueError(f"count must be at least 1, got {count}")
    product = _Product(loss, parameters)
    found = np.empty(0)
    try:
        with _twice_differentiable(product.parameters):
            if product.size <= max(2 * count + 1, _KRYLOV):
                found = _all_eigenvalues(product)
            else:
                found = _lanczos(product, count, seed, tolerance, restarts)
    except _NotFiniteError:
        pass
    values = np.full(count, np.nan)
    found = np.sort(found)[::-1][:count]
    values[: len(found)] = found
    return values


def trace(loss: Loss, parameters: Sequence[Tensor], probes: int, *, seed: int = 0) -> tuple[float, float]:
    """Return an unbiased estimate of the Hessian's trace and its standard error.

    The estimate is the mean of z' H z over random vectors z of -1 and 1 (Rademacher). Its error comes from the
    entries off the diagonal alone, so that a diagonal Hessian's trace is exact.

    Args:
        loss: yields the parts of the loss; see `top_eigenvalues`.
        parameters: what the Hessian is taken with respect to; those that require no gradient are left out.
        probes: how many random vectors, each of which costs one product; at least 1.
        seed: of the random vectors.

    Returns:
        The standard error is NaN for a single probe, both are NaN if a product is not finite.

    Raises:
        ValueError: probes is less than 1.
    """
    if probes < 1:
        raise ValueError(f"probes must be at least 1, got {probes}")
    product = _Product(loss, parameters)
    generator = np.random.default_rng(seed)
    forms = np.empty(probes)
    try:
        with _twice_differentiable(product.parameters):
            for probe in range(probes):
                signs = generator.integers(0, 2, product.size, dtype=np.int8) * 2.0 - 1
                forms[probe] = signs @ product(signs)
    except _NotFiniteError:
        return np.nan, np.nan
    error = float(forms.std(ddof=1) / np.sqrt(probes)) if probes > 1 else np.nan
    return float(forms.mean()), error


class _Product:
    """The map v -> H v, vectors being float64 arrays (size,)."""

    def __init__(self, loss: Loss, parameters: Sequence[Tensor]) -> None:
        self._loss = loss
        self.parameters = [p for p in parameters if p.requires_grad]
        self.size = sum(p.numel() for p in self.parameters)

    def __call__(self, vector: np.ndarray) -> np.ndarray:
        flat = torch.tensor(vector)
        pieces = flat.split([p.numel() for p in self.parameters])
        direction = [piece.view(p.shape).to(p) for piece, p in zip(pieces, self.parameters, strict=True)]
        total = [torch.zeros_like(p) for p in self.parameters]
        for part in self._loss():
            self._add(total, part, direction)
            # Else the loss's next part would be computed while the graph of this one is still held.
            del part
        result = torch.cat([entry.detach().flatten().to(flat) for entry in (*total, flat[:0])]).numpy()
        if not np.isfinite(result).all():
            raise _NotFiniteError
        return result

    def _add(self, total: list[Tensor], part: Tensor, direction: list[Tensor]) -> None:
        """Add the product of one part of the loss to `total`: the gradient of its gradient along `direction`."""
        slope = _slope(part, self.parameters, direction)
        if slope is None:
            return
        products = torch.autograd.grad(slope, self.parameters, materialize_grads=True)
        for entry, gradient in zip(total, products, strict=True):
            entry.add_(gradient)


def _slope(part: Tensor, parameters: list[Tensor], direction: list[Tensor]) -> Tensor | None:
    """Return the part's derivative along `direction`, or nothing if that is constant."""
    if not (parameters and part.requires_grad):
        return None
    gradients = torch.autograd.grad(part, parameters, create_graph=True, allow_unused=True)
    # A gradient that depends on no parameter, as a linear loss has, has no graph.
    slopes = [(g * v).sum() for g, v in zip(gradients, direction, strict=True) if g is not None and g.requires_grad]
    return torch.stack([slope.to(part) for slope in slopes]).sum() if slopes else None


def _all_eigenvalues(product: _Product) -> np.ndarray:
    rows = [product(unit) for unit in np.eye(product.size)]
    # Symmetric but for rounding, of which the mean of both halves has less.
    matrix = np.array(rows).reshape(product.size, product.size)
    return np.linalg.eigvalsh((matrix + matrix.T) / 2)


def _lanczos(product: _Product, count: int, seed: int, tolerance: float, restarts: int) -> np.ndarray:
    """Return the eigenvalues that have converged."""
    generator = np.random.default_rng(seed)
    start = generator.standard_normal(product.size)
    if not product(start).any():  # ARPACK takes no matrix of zeros
        return np.zeros(count)
    operator = LinearOperator((product.size, product.size), matvec=product, dtype=np.float64)
    try:
        values: np.ndarray = eigsh(
            operator,
            count,
            which="LA",
            v0=start,
            ncv=max(2 * count + 1, _KRYLOV),
            maxiter=restarts,
            tol=tolerance,
            return_eigenvectors=False,
            rng=generator,
        )
    except ArpackError as error:
        # It has the converged ones where too few restarts were allowed, none where the iteration broke down.
        values = getattr(error, "eigenvalues", np.empty(0))
    return values


@contextmanager
def _twice_differentiable(parameters: list[Tensor]) -> Iterator[None]:
    """Choose kernels whose backward pass can be differentiated again.

    cuDNN's recurrent networks and the fused kernels of attention cannot.
    """
    with ExitStack() as stack:
        stack.enter_context(torch.enable_grad())
        stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        if any(p.is_cuda for p in parameters):
            stack.enter_context(torch.backends.cudnn.flags(enabled=False))
        yield
