"""Hessians of a layer's squared error: damped, and factored for elimination row by row. NumPy, float64.

The Hessian of Σ ‖w x − ŵ x‖² in the weights of an output is 2 H, with the Gram matrix H = Σ x xᵀ of what enters. Where
weights are rounded one after another and the rest makes up for it, as in the optimal brain surgeon (Hassibi and Stork
1993), all that is needed of H is the upper triangular U of H⁻¹ = Uᵀ U (Frantar et al. 2022, arXiv 2210.17323, §3.3).
"""

import numpy as np
from scipy.linalg import LinAlgError, cholesky, solve_triangular

TRIES = 5
"""Dampings that are tried, each ten times the one before."""


def eliminations(gram: np.ndarray, damping: float) -> tuple[np.ndarray, float]:
    """Returns (U, damping): U [G, n, n] upper triangular, UᵀU = (H + damping · mean diagonal · I)⁻¹.

    Inputs that are always 0 are set apart: nothing is known of them, and nothing makes up for them. While H is not
    positive definite for all that, the damping is made ten times as large; the one that was used is returned.

    Args:
      gram: H, float64 [G, n, n], finite.
      damping: what is added to the diagonal, as a share of its mean.

    Raises:
      LinAlgError: H is not positive definite under the largest damping either, 10⁴ times the first.
    """
    for share in damping * 10.0 ** np.arange(TRIES - 1):
        try:
            return np.stack([_factor(h, share) for h in gram]), float(share)
        except LinAlgError:
            continue
    last = damping * 10.0 ** (TRIES - 1)
    return np.stack([_factor(h, last) for h in gram]), last


def _factor(h: np.ndarray, damping: float) -> np.ndarray:
    diagonal = np.diagonal(h)
    h = h + np.diag(np.where(diagonal > 0, damping * np.mean(diagonal), 1.0))
    lower = cholesky(h[::-1, ::-1], lower=True)  # so that H = R Rᵀ with R = lower[::-1, ::-1], and U = R⁻¹
    return solve_triangular(lower, np.eye(len(h)), lower=True)[::-1, ::-1]
