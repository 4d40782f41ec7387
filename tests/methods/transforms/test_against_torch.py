"""Our grids and their gradients against PyTorch's fake quantization. PyTorch is no dependency: skipped without it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from methods.transforms.grids import Quantizer, affine, code_range, fake_quant, symmetric

torch = pytest.importorskip("torch", reason="PyTorch is not installed; it is only compared with")

X = np.float32(np.random.default_rng(0).normal(size=(64, 8)))


@pytest.mark.parametrize("bits", [8, 4, 2])
def test_per_channel_values(bits):
    q = symmetric(X, bits, (-1,))
    scale, zero = torch.tensor(np.asarray(q.scale[0])), torch.zeros(8, dtype=torch.int32)
    theirs = torch.fake_quantize_per_channel_affine(torch.tensor(X), scale, zero, 1, int(q.low), int(q.high))
    assert_allclose(fake_quant(X, q), theirs.numpy(), rtol=1e-6, atol=1e-6)


def test_affine_values():
    q = affine(X.min(), X.max(), 8)
    theirs = torch.fake_quantize_per_tensor_affine(torch.tensor(X), float(q.scale), int(q.zero_point), 0, 255)
    assert_allclose(fake_quant(X, q), theirs.numpy(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("bits", [4, 2])
def test_gradients_of_a_learned_step(bits):
    low, high = code_range(bits)
    step = np.float32(0.25)
    # PyTorch stops the gradient half a step beyond the last code, LSQ at it: leave that half step out.
    ratio = X / step
    x = X[((ratio > low) & (ratio < high)) | (ratio < low - 0.5) | (ratio > high + 0.5)]
    assert (x / step > high).sum() > 5
    weight = np.linspace(1, 2, len(x), dtype=np.float32)

    def ours(x, step):
        return (weight * fake_quant(x, Quantizer(step, jnp.float32(0), low, high))).sum()

    their_x, their_step = torch.tensor(x, requires_grad=True), torch.tensor([step], requires_grad=True)
    out = torch._fake_quantize_learnable_per_tensor_affine(
        their_x, their_step, torch.zeros(1), int(low), int(high), 1.0
    )
    (torch.tensor(weight) * out).sum().backward()
    to_x, to_step = jax.grad(ours, (0, 1))(x, jnp.float32(step))
    assert_array_equal(to_x, their_x.grad.numpy())
    assert_allclose(to_step, their_step.grad.item(), rtol=1e-4)
