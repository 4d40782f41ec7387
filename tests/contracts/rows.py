"""What each method has to hit: one row for each. The contract is in test_methods.py."""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import numpy as np

from methods.paths import flatten, select
from methods.transforms.divisions import Divide
from methods.transforms.transform import decoded, is_packed


def has_sparsity(shipped, strength):
    (sparsity,) = strength
    weights = select(shipped.variables["params"])
    size = sum(map(weight_size, weights.values()))
    assert sum(np.count_nonzero(decoded(weight)) for weight in weights.values()) == size - round(sparsity * size)


def has_copied(shipped, strength):
    weights = select(shipped.variables["params"])
    found = {path: np.count_nonzero(decoded(weight)) for path, weight in weights.items()}
    assert found == copied_counts(shipped.variables["params"], strength)


def has_pattern(n, m):
    """Of every m weights that one output of the tiny net sums over, n are kept; of the 9 of conv1, one is left over."""

    def exact(shipped, strength):
        weights = select(shipped.variables["params"])
        for path, kernel in weights.items():
            assert (1 << kernel.places.bits, kernel.values.shape[1]) == (m, n), path
            rows = np.asarray(decoded(kernel)).reshape(-1, kernel.shape[-1])
            whole = len(rows) // m * m
            assert (np.count_nonzero(rows[:whole].reshape(-1, m, rows.shape[1]), axis=1) == n).all(), path
            assert rows[whole:].all()

    return exact


def copied_counts(params, strength):
    """Returns what a finished run might have kept, by path: all but the sparsity's share, rounded up in every layer."""
    (sparsity,) = strength
    return {path: int(np.ceil((1 - sparsity) * weight.size)) for path, weight in select(params).items()}


def has_bits(shipped, strength, edges=None):
    (strength,) = strength
    leaves = jax.tree.leaves(shipped.variables["params"], is_leaf=is_packed)
    found = [leaf.bits for leaf in leaves if is_packed(leaf)]
    middle = [strength] * (len(found) - 2)
    assert sorted(found) == sorted([edges or strength, edges or strength, *middle])
    for leaf in filter(is_packed, leaves):
        assert int(leaf.codes.max()) - leaf.low < 2**leaf.bits
        assert int(leaf.codes.min()) >= leaf.low


def has_input_bits(shipped, strength, divided=()):
    has_bits(shipped, strength)
    assert sorted(shipped.inputs) == ["conv1", "conv2", "dense1", "head"]
    have_input_bits(shipped.inputs, strength, divided)


def have_input_bits(inputs, strength, divided):
    """A grid each, behind a division where one is meant to be."""
    for path, (*before, grid) in inputs.items():
        assert grid.high - grid.low == 2 ** strength[0] - 1
        assert list(map(type, before)) == ([Divide] if path in divided else [])


def has_format(shipped, strength, bits, inputs=None):
    assert {leaf.bits for leaf in select(shipped.variables["params"]).values()} == {bits}
    found = {path: one.bits for path, (one,) in shipped.inputs.items()}
    assert found == (dict.fromkeys(["conv1", "conv2", "dense1", "head"], inputs) if inputs else {})


def has_block_bits(shipped, strength):
    """The six dense layers of the block, and nothing else."""
    (strength,) = strength
    leaves = flatten_quantized(shipped)
    assert {path: leaf.bits for path, leaf in leaves.items()} == {f"{path}/kernel": strength for path in BLOCK}
    for leaf in leaves.values():
        assert int(leaf.codes.max()) - leaf.low < 2**leaf.bits
        assert int(leaf.codes.min()) >= leaf.low


def has_block_input_bits(shipped, strength, divided=()):
    has_block_bits(shipped, strength)
    assert sorted(shipped.inputs) == sorted(BLOCK)
    have_input_bits(shipped.inputs, strength, divided)


def is_smoothed(shipped, strength):
    """All inputs but that of one channel are divided: no norm makes them."""
    has_input_bits(shipped, strength, divided=("conv2", "dense1", "head"))


def has_smooth_blocks(shipped, strength):
    """Two norms take the divisions of what they make."""
    has_block_input_bits(shipped, strength, divided=("block0/attention/out", "block0/down"))


def flatten_quantized(shipped):
    return {path: leaf for path, leaf in flatten(shipped.variables["params"]).items() if is_packed(leaf)}


BLOCK = [f"block0/{layer}" for layer in (*(f"attention/{p}" for p in ("query", "key", "value", "out")), "up", "down")]


def has_width(shipped, strength):
    (strength,) = strength
    assert (shipped.net.channels, shipped.net.hidden) == (
        (round(4 * strength), round(4 * strength)),
        round(8 * strength),
    )


def is_pruned_and_quantized(shipped, strength):
    sparsity, bits = strength
    leaves = select(shipped.variables["params"])
    assert {leaf.bits for leaf in leaves.values()} == {bits}
    size = sum(map(weight_size, leaves.values()))
    assert sum(np.count_nonzero(decoded(leaf)) for leaf in leaves.values()) <= size - round(sparsity * size)


def weight_size(leaf):
    return math.prod(leaf.shape)


class Row(NamedTuple):
    identity: tuple | None  # the strength that changes nothing; None where there is none, as of a format
    strengths: tuple  # two that do
    exact: Callable  # (shipped, strength): asserts that the strength was hit exactly
    copied: Callable = lambda params, strength: None  # what a control copies: weights kept, by path


ROWS = {
    "dense": Row((), ((), ()), lambda shipped, strength: None),
    "finetuned": Row((), ((), ()), lambda shipped, strength: None),
    "rtn": Row((32,), ((8,), (3,)), has_bits),
    "rtn_bn": Row((32,), ((8,), (3,)), has_bits),
    "gptq": Row((32,), ((8,), (3,)), has_bits),
    "adaround": Row((32,), ((8,), (3,)), has_bits),
    "rtn_static": Row((32,), ((8,), (4,)), has_input_bits),
    "smoothquant": Row((32,), ((8,), (4,)), is_smoothed),
    "smoothquant@blocks": Row((32,), ((8,), (4,)), has_smooth_blocks),
    "lsq": Row((32,), ((4,), (2,)), has_input_bits),
    "lsq@weights": Row((32,), ((4,), (2,)), has_bits),
    "lsq@edges8": Row((32,), ((4,), (2,)), lambda shipped, strength: has_bits(shipped, strength, edges=8)),
    "rtn@blocks": Row((32,), ((8,), (3,)), has_block_bits),
    "gptq@blocks": Row((32,), ((8,), (3,)), has_block_bits),
    "rtn_static@blocks": Row((32,), ((8,), (4,)), has_block_input_bits),
    "lsq@blocks": Row((32,), ((4,), (2,)), has_block_input_bits),
    "fp8_e4m3": Row(None, ((), ()), partial(has_format, bits=8)),
    "fp8_e5m2": Row(None, ((), ()), partial(has_format, bits=8)),
    "fp8_e4m3@inputs": Row(None, ((), ()), partial(has_format, bits=8, inputs=8)),
    "fp8_e5m2@inputs": Row(None, ((), ()), partial(has_format, bits=8, inputs=8)),
    "mxfp4": Row(None, ((), ()), partial(has_format, bits=4)),
    "mxfp4@inputs": Row(None, ((), ()), partial(has_format, bits=4, inputs=4)),
    "magnitude": Row((0.0,), ((0.5,), (0.9,)), has_sparsity),
    "random@magnitude": Row((0.0,), ((0.5,), (0.9,)), has_copied, copied_counts),
    "snip": Row((0.0,), ((0.5,), (0.9,)), has_sparsity),
    "random@snip": Row((0.0,), ((0.5,), (0.9,)), has_copied, copied_counts),
    "rigl": Row((0.0,), ((0.5,), (0.9,)), has_sparsity),
    "random@rigl": Row((0.0,), ((0.5,), (0.9,)), has_copied, copied_counts),
    **dict.fromkeys(("imp", "imp@reinit", "imp@open"), Row((0.0,), ((0.5,), (0.9,)), has_sparsity)),
    **{f"{name}_2_4": Row(None, ((), ()), has_pattern(2, 4)) for name in ("nm", "random@nm", "sr_ste")},
    **{f"{name}_4_8": Row(None, ((), ()), has_pattern(4, 8)) for name in ("nm", "random@nm", "sr_ste")},
    "channels": Row((1.0,), ((0.5,), (0.25,)), has_width),
    "random_channels": Row((1.0,), ((0.5,), (0.25,)), has_width),
    "fitnets": Row((1.0,), ((0.5,), (0.25,)), has_width),
    "kd": Row((1.0,), ((0.5,), (0.25,)), has_width),
    "student": Row((1.0,), ((0.5,), (0.25,)), has_width),
    "magnitude_rtn": Row((0.0, 32), ((0.5, 8), (0.9, 4)), is_pruned_and_quantized),
}
