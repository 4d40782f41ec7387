"""Artifacts: what is read is what was written, or the file is refused."""

import hashlib
import json
import zlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.artifact.file import read_artifact, write_artifact
from benchmarks.artifact.leaf import DTYPES
from benchmarks.measure.forward import compile_forward
from methods.transforms.grids import Quantizer, fake_quant, symmetric
from methods.transforms.transform import decoded
from tests.benchmarks.artifact.leaves import assert_same, quantized
from tests.benchmarks.artifact.nets import EXAMPLE, Tiny, held, tiny, tiny_variables


def test_what_is_read_is_what_was_written(written):
    shipped, example, _ = read_artifact(written)
    assert shipped.net == Tiny(width=4, sizes=(3,))
    assert (example.shape, example.dtype) == ((1, 6), np.float32)
    assert_same(shipped.variables, tiny_variables())
    assert_same(shipped.inputs, tiny().inputs)
    assert [p.name for p in written.parent.iterdir()] == [written.name]


def test_same_input_same_bytes(written, tmp_path):
    for i in range(3):
        write_artifact(tmp_path / f"{i}", tiny(), EXAMPLE[:1])
        assert (tmp_path / f"{i}").read_bytes() == written.read_bytes()


def test_what_is_read_computes_what_numpy_computes(written):
    shipped = read_artifact(written).shipped
    x = np.random.default_rng(1).normal(size=(5, 6)).astype(np.float32)
    p, stats = decoded(shipped.variables["params"]), shipped.variables["batch_stats"]["norm"]
    seen = (np.clip(np.round(x / np.float32(0.1)) + 7, 0, 15) - 7) * np.float32(0.1)
    hidden = np.maximum(seen @ p["up"]["kernel"] + p["up"]["bias"], 0)
    hidden = (hidden - stats["mean"]) / np.sqrt(stats["var"] + 1e-5)
    expected = hidden @ p["down"]["kernel"]
    np.testing.assert_allclose(compile_forward(shipped, x).run(x), expected, atol=1e-5)


def test_without_quantized_inputs_there_are_no_grids(tmp_path):
    write_artifact(tmp_path / "a", tiny(inputs={}), EXAMPLE)
    assert read_artifact(tmp_path / "a").shipped.inputs == {}


def test_the_layout_by_hand(tmp_path):
    """Magic and version, digest, layout, head, then the body: two leaves, no grid, no word; their values."""
    shipped = held(jnp.array([1.5, -2.0]), jnp.array([0.0, 0.25]), names=("b", "a"))
    write_artifact(tmp_path / "a", shipped, EXAMPLE)
    data = (tmp_path / "a").read_bytes()
    layout = hashlib.sha256(b"params/a float32 (2,)\nparams/b float32 (2,)\n").digest()[:4]
    length, zipped = divmod(data[25] - 128 + 128 * data[26], 2)
    head, body = data[27 : 27 + length], data[27 + length :]
    assert data[:5] == b"SLIM\2"
    assert data[5:21] == hashlib.sha256(data[:5] + data[21:]).digest()[:16]
    assert data[21:25] == layout
    assert json.loads(zlib.decompress(head) if zipped else head) == {
        "input": {"dtype": "float32", "shape": [6]},
        "net": {"fields": {"dtype": "float32", "names": ["b", "a"], "shape": [2]}, "name": "Holder"},
    }
    assert body == bytes([0, 0, 0, 0]) + np.float32([0, 0.25, 1.5, -2]).tobytes()
    assert read_artifact(tmp_path / "a").payload == 16


def test_payload_is_what_is_no_description(tmp_path):
    """24 codes of 3 bits and 4 scales; of the other leaves the five that are not all zero; scale and zero point."""
    write_artifact(tmp_path / "a", tiny(), EXAMPLE)
    assert read_artifact(tmp_path / "a").payload == 9 + 4 * 4 + 4 * (4 + 12 + 4 + 4 + 4) + (4 + 1)


def test_modules_without_weights_are_named(tmp_path):
    grids = {"up": tiny().inputs["up"], "a/scores": tiny().inputs["up"]}
    write_artifact(tmp_path / "a", tiny(inputs=grids), EXAMPLE)
    assert_same(read_artifact(tmp_path / "a").shipped.inputs, grids)


def test_scalar_and_empty_leaves(tmp_path):
    for weights in ((jnp.float32(2.5), quantized(1, 2, -1)), (jnp.zeros((0, 3)),)):
        shipped = held(*weights, names=("a", "b")[: len(weights)])
        write_artifact(tmp_path / "a", shipped, EXAMPLE)
        assert_same(read_artifact(tmp_path / "a").shipped.variables, shipped.variables)


@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_of_any_dtype_are_stored_as_they_are(tmp_path, dtype):
    shipped = held(jnp.arange(1, 7).reshape(2, 3).astype(dtype))
    write_artifact(tmp_path / "a", shipped, EXAMPLE)
    assert_same(read_artifact(tmp_path / "a").shipped.variables, shipped.variables)
    assert (tmp_path / "a").read_bytes().endswith(np.asarray(shipped.variables["params"]["w"]).tobytes())


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_codes_decode_to_the_dtype_of_their_weight(tmp_path, dtype):
    weight = jnp.linspace(-1, 1, 600).reshape(30, 20).astype(dtype)
    grid = symmetric(weight, jnp.float32(3), (-1,))
    write_artifact(tmp_path / "a", held(grid.pack(weight)), EXAMPLE)
    shipped = read_artifact(tmp_path / "a").shipped.variables["params"]["w"]
    assert shipped.bits == 3
    assert_same(decoded(shipped), fake_quant(weight, grid))


@pytest.mark.parametrize("name", ["dot.name", "été", "a b", "stage/1", "head:aux", "100%", "%2F", "a/b:c%3A"])
def test_weights_may_have_any_name(tmp_path, name):
    shipped = held(jnp.arange(3.0), jnp.arange(3.0) + 1, names=(name, "stage"))
    write_artifact(tmp_path / "a", shipped, EXAMPLE)
    assert read_artifact(tmp_path / "a").shipped.net == shipped.net
    assert_same(read_artifact(tmp_path / "a").shipped.variables, shipped.variables)


@pytest.mark.parametrize(
    "x",
    [
        {"image": np.zeros((2, 8, 8), np.uint8), "meta": np.zeros((2, 3), np.float32)},
        (np.zeros((2, 5), np.int32), {"mask": np.zeros((2, 5), bool)}, None),
        {"shape": np.zeros((2, 1), np.float32), "dtype": np.zeros((2, 2), np.float32)},  # a trap for whoever reads it
    ],
)
def test_inputs_may_be_trees(tmp_path, x):
    write_artifact(tmp_path / "a", held(jnp.ones(2)), x)
    example = read_artifact(tmp_path / "a").example
    assert jax.tree.structure(example) == jax.tree.structure(x)
    for ours, theirs in zip(jax.tree.leaves(example), jax.tree.leaves(x), strict=True):
        assert (ours.shape, ours.dtype) == ((1, *theirs.shape[1:]), theirs.dtype)


def test_activation_grids_keep_shape_and_every_bit(tmp_path):
    grid = Quantizer(jnp.asarray([[0.1, 1 / 3]]), jnp.asarray([[-0.0, 3.0]]), jnp.float32(-8), jnp.float32(7))
    write_artifact(tmp_path / "a", tiny(inputs={"a/b": (grid,)}), EXAMPLE)
    shipped = read_artifact(tmp_path / "a").shipped.inputs["a/b"]
    assert_same(shipped, (grid,))
    np.testing.assert_array_equal(fake_quant(jnp.ones(2), shipped[0]), fake_quant(jnp.ones(2), grid))
