"""Our hints and their gradients against PyTorch's. PyTorch is no dependency: skipped without it."""

import jax
import numpy as np
import pytest
from numpy.testing import assert_allclose

from methods.distillation.fitnets import fitnets
from tests.methods.distillation.lesson import hinted

torch = pytest.importorskip("torch", reason="PyTorch is not installed; it is only compared with")


def test_hints_and_their_gradients(mlp):
    """As RepDistiller has them: a convolution of width 1 as regressor, and `MSELoss`, here of [10, 4] features."""
    rng = np.random.default_rng(1)
    made = np.float32(rng.normal(size=(10, 4)))
    method, state, seen, wanted = hinted(mlp, fitnets("dense1", beta=1.0, alpha=0.0), made)
    loss = jax.value_and_grad(lambda r, v: method.loss(state._replace(train=r), seen(v), 0.0), argnums=(0, 1))
    value, (of_regressor, of_made) = loss(state.train, made)

    regressor = torch.nn.Conv1d(4, 4, 1, bias=False)
    regressor.weight.data = torch.tensor(np.asarray(state.train).T[..., None].copy())
    features = torch.tensor(made, requires_grad=True)
    theirs = torch.nn.MSELoss()(regressor(features.T[None])[0].T, torch.tensor(wanted))
    theirs.backward()
    assert_allclose(value, theirs.item(), rtol=1e-5)
    assert_allclose(of_made, features.grad.numpy(), rtol=1e-4, atol=1e-7)
    assert_allclose(of_regressor, regressor.weight.grad.numpy()[..., 0].T, rtol=1e-4, atol=1e-7)
