"""Files are about as small as information theory lets them be, and what describes the values is a small share."""

import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from benchmarks.artifact import values
from benchmarks.artifact.body import Source, number
from benchmarks.artifact.file import read_artifact, write_artifact
from methods.base import Shipped
from methods.flaxnet import fresh
from methods.paths import replace, select
from methods.transforms.grids import symmetric
from tasks.nets.spec import NETS
from tests.benchmarks.artifact.leaves import quantized, sparse
from tests.benchmarks.artifact.nets import EXAMPLE, held

LEAVES = 8


def body_bytes(path):
    """Bytes behind digests and head."""
    data = path.read_bytes()
    source = Source(data, 25)
    length = source.number()
    return len(data) - 25 - len(number(length)) - length // 2


def shares(bits, shape, sparsity):
    """(codes, their probabilities): a bell, sharp peak or clipped bell, and zeros that were pruned."""
    codes = np.arange(-(2 ** (bits - 1)), 2 ** (bits - 1))
    place = codes / max(2 ** (bits - 1) / 4, 0.5)
    share = {
        "bell": np.exp(-(place**2) / 2),
        "peak": np.exp(-np.abs(place)),
        "clipped": np.exp(-(place**2) / 8) + 4 * (np.abs(place) > 3.9),
        "any": np.random.default_rng(bits).dirichlet(np.ones(codes.size)),
    }[shape]
    return codes, (1 - sparsity) * share / share.sum() + sparsity * (codes == 0)


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 6, 8])
@pytest.mark.parametrize("sparsity", [0, 0.5, 0.8, 0.9, 0.98])
def test_no_file_is_much_larger_than_its_information(tmp_path, bits, sparsity):
    """At most 1.05 · -log2 of the probability of its codes, and 16 bytes a leaf."""
    for shape in ("bell", "peak", "clipped", "any") if bits < 6 else ("bell", "peak", "clipped"):
        codes, share = shares(bits, shape, sparsity)
        for size in (1000, 12000):
            rng = np.random.default_rng(size)
            drawn = [rng.choice(codes.size, size, p=share) for _ in range(LEAVES)]
            leaves = [quantized(codes[one], bits, int(codes[0])) for one in drawn]
            write_artifact(tmp_path / "a", held(*leaves, names=tuple("abcdefgh")), EXAMPLE)
            information = -sum(np.log2(share[one]).sum() for one in drawn) / 8 + 4 * LEAVES
            found = body_bytes(tmp_path / "a")
            assert information * 0.95 < found + 16, shape  # or it could not be decoded
            assert found <= 1.05 * information + 16 * LEAVES, (shape, size)


def test_large_leaves_cost_nearly_their_information(tmp_path):
    for bits, sparsity in ((8, 0), (4, 0.9), (2, 0)):
        codes, share = shares(bits, "bell", sparsity)
        drawn = np.random.default_rng(0).choice(codes.size, 200_000, p=share)
        write_artifact(tmp_path / "a", held(quantized(codes[drawn], bits, int(codes[0]))), EXAMPLE)
        assert body_bytes(tmp_path / "a") < 1.015 * -np.log2(share[drawn]).sum() / 8


def test_a_million_codes_take_no_two_seconds(tmp_path):
    codes, share = shares(4, "bell", 0)
    shipped = held(quantized(codes[np.random.default_rng(0).choice(codes.size, 1_000_000, p=share)], 4, -8))
    write_artifact(tmp_path / "a", shipped, EXAMPLE)  # what is compiled is kept
    read_artifact(tmp_path / "a")
    start = time.process_time()
    write_artifact(tmp_path / "a", shipped, EXAMPLE)
    written = time.process_time()
    read_artifact(tmp_path / "a")
    assert written - start < 2
    assert time.process_time() - written < 2


def masks(kept):
    """Of LeNet-300's first layer [784, 300]: where 6 pixels of each border are dead, and anywhere."""
    rng, border = np.random.default_rng(0), np.ones((28, 28), bool)
    border[6:-6, 6:-6] = False
    alive = np.flatnonzero(np.repeat(~border.reshape(-1), 300))
    return [rng.choice(places, kept, replace=False) for places in (alive, np.arange(784 * 300))]


@pytest.mark.parametrize("kept", [4704, 18816, 70000])
@pytest.mark.parametrize("codes", [False, True])
def test_dead_pixels_make_no_file_larger(tmp_path, kept, codes):
    """One gap of thousands of zeros is nothing beside as many short ones."""
    sizes = []
    for places in masks(kept):
        values = np.zeros(784 * 300, np.float32)
        values[places] = np.random.default_rng(1).normal(size=kept)
        weight = jnp.asarray(values.reshape(784, 300))
        shipped = held(symmetric(weight, 4.0).pack(weight) if codes else weight)
        write_artifact(tmp_path / "a", shipped, EXAMPLE)
        sizes.append((tmp_path / "a").stat().st_size)
    assert sizes[0] <= 1.005 * sizes[1]


def biased(function, by):
    def other(*args):
        size, coding = function(*args)
        return size + by, coding

    return other


FORCED = {"best": {}, "dense": {"riced": 1e9, "celled": 1e9}, "rice": {"riced": -1e9}, "coded": {"celled": -1e9}}


@pytest.mark.parametrize("leaf", [jnp.asarray, lambda values: quantized(values * 2, 3, -4)], ids=["floats", "codes"])
@pytest.mark.parametrize("kept", [0, 5, 100, 900, 1930, 1940, 2000])
def test_chosen_form_really_makes_the_smallest_file(tmp_path, monkeypatch, leaf, kept):
    """At densities on both sides of each border, forcing another form never gives a smaller file, but for one state."""
    sizes = {}
    for form, biases in FORCED.items():
        with monkeypatch.context() as patch:
            for name, by in biases.items():
                patch.setattr(values, name, biased(getattr(values, name), by))
            write_artifact(tmp_path / "a", held(leaf(sparse(2000, kept))), EXAMPLE)
        sizes[form] = (tmp_path / "a").stat().st_size
    assert sizes["best"] <= min(sizes.values()) + 4
    assert sizes["best"] < max(sizes.values())


class Recurrent(nn.Module):
    """Many small leaves."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        x = nn.RNN(nn.OptimizedLSTMCell(24))(nn.RNN(nn.GRUCell(20))(x))
        return nn.Dense(4, name="head")(x.mean(1))


def test_a_small_net_is_not_mostly_description(tmp_path, monkeypatch):
    """An LSTM, a GRU and a head at 4 bits: names, shapes and fields are below a tenth of the file."""
    monkeypatch.setitem(NETS, "Recurrent", Recurrent)
    x = jnp.ones((1, 20, 8))
    shapes, rng = fresh.eval_shape(Recurrent(), jax.random.key(0), x), np.random.default_rng(0)
    variables = jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape), jnp.float32), shapes)
    kernels = {path: symmetric(w, 4.0, (-1,)).pack(w) for path, w in select(variables["params"]).items()}
    small = Shipped(Recurrent(), {"params": replace(variables["params"], kernels)})
    sizes = []
    for shipped in (Shipped(Recurrent(), variables), small):
        write_artifact(tmp_path / "a", shipped, x)
        size, payload = (tmp_path / "a").stat().st_size, read_artifact(tmp_path / "a").payload
        assert payload > 0.9 * size
        sizes.append((size, payload))
    assert sizes[0][0] / sizes[1][0] > 0.9 * sizes[0][1] / sizes[1][1]
