"""Microscaling and double scales against torchao's own. It is no dependency: skipped without it."""

import warnings

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from methods.arrays.blocks import Blocks
from methods.transforms.double_scales import DoubleScaled
from methods.transforms.microscaling import Microscaled

torch = pytest.importorskip("torch", reason="PyTorch is not installed; it is only compared with")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    mx = pytest.importorskip("torchao.prototype.mx_formats.mx_tensor", reason="torchao is only compared with")
    nv = pytest.importorskip("torchao.prototype.mx_formats.nvfp4_tensor", reason="torchao is only compared with")

RNG = np.random.default_rng(0)
X = np.float32(RNG.normal(size=(64, 96)) * 2.0 ** RNG.integers(-15, 15, (64, 1)))
X[0, :32] = 0


def unpacked(codes):
    """Codes of four bits, two in a byte, the first in the lower half."""
    return np.stack([codes & 15, codes >> 4], axis=-1).reshape(*codes.shape[:-1], -1)


@pytest.mark.parametrize(
    ("name", "theirs"),
    [("e2m1", torch.float4_e2m1fn_x2), ("e4m3fn", torch.float8_e4m3fn), ("e5m2", torch.float8_e5m2)],
)
def test_microscaling(name, theirs):
    scale, numbers = mx.to_mx(torch.tensor(X), theirs, 32, mx.ScaleCalculationMode.FLOOR)
    packed = Microscaled(name, Blocks((-1,), 32)).pack(jnp.asarray(X))
    assert_array_equal(packed.scale.values.T, scale.view(torch.uint8).numpy())
    codes = numbers.view(torch.uint8).numpy()
    assert_array_equal(packed.codes.values, unpacked(codes) if name == "e2m1" else codes)


def test_double_scales():
    """Where theirs has the smallest normal scale at least, and ours none at all: compared are blocks of larger ones."""
    x = np.float32(RNG.normal(size=(64, 96)))
    total = np.float32(np.abs(x).max() / (6 * 448))
    scale, numbers = nv.nvfp4_quantize(torch.tensor(x), 16, torch.tensor(total))
    packed = DoubleScaled(jnp.float32(total), "e2m1", "e4m3fn", Blocks((-1,), 16)).pack(jnp.asarray(x))
    same = scale.view(torch.uint8).numpy().reshape(64, 6) == np.asarray(packed.scale.values).T
    assert same.mean() > 0.999  # they divide twice, so that a tie may fall to the other side
    equal = np.asarray(packed.codes.values) == unpacked(numbers.view(torch.uint8).numpy())
    assert equal[np.repeat(same, 16, 1)].mean() > 0.999
