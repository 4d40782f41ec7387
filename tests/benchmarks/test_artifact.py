"""Artifacts: what is read is what was written, or the file is refused."""

import hashlib
import json

import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from safetensors import safe_open
from safetensors.numpy import load, save, save_file

from benchmarks import artifact
from benchmarks.artifact import ArtifactError, read, write
from benchmarks.measure import compile_forward
from methods.arrays.quantizer import Quantizer, decoded, fake_quant
from methods.base import Shipped, flatten
from tasks.nets.spec import NETS
from tests.benchmarks.leaves import assert_same, quantized, sparse

EXAMPLE = np.zeros((2, 6), np.float32)


class Tiny(nn.Module):
    width: int = 4
    sizes: tuple[int, ...] = (3,)

    @nn.compact
    def __call__(self, x, train: bool):
        x = nn.relu(nn.Dense(self.width, name="up")(x))
        x = nn.BatchNorm(use_running_average=not train, name="norm")(x)
        return nn.Dense(self.sizes[0], name="down")(x)


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    monkeypatch.setitem(NETS, "Tiny", Tiny)


def tiny_variables():
    """Hand-made weights: a quantized kernel, float biases, running statistics."""
    rng = np.random.default_rng(0)
    floats = {n: jnp.asarray(rng.normal(size=s), jnp.float32) for n, s in (("b", 4), ("k", (4, 3)), ("m", 4))}
    codes = rng.integers(-3, 4, (6, 4))
    up = {"kernel": quantized(codes, 3, -3, np.full((1, 4), 0.1)), "bias": floats["b"]}
    down = {"kernel": floats["k"], "bias": jnp.zeros(3)}
    norm = {"scale": jnp.ones(4), "bias": jnp.zeros(4)}
    return {
        "params": {"up": up, "down": down, "norm": norm},
        "batch_stats": {"norm": {"mean": floats["m"], "var": jnp.ones(4)}},
    }


def tiny(**more):
    """Tiny with those weights and one quantized input."""
    grid = Quantizer(*(jnp.float32(v) for v in (0.1, 7.0, 0.0, 15.0)))
    return Shipped(**{"net": Tiny(), "variables": tiny_variables(), "inputs": {"up": grid}} | more)


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "a.safetensors"
    write(path, tiny(net=Tiny(sizes=(3,))), EXAMPLE)
    return path


def test_what_is_read_is_what_was_written(written):
    shipped, shape, dtype = read(written)
    assert shipped.net == Tiny(width=4, sizes=(3,))
    assert (shape, dtype) == ((6,), "float32")
    assert_same(shipped.variables, tiny_variables())
    assert_same(shipped.inputs, tiny().inputs)
    assert [p.name for p in written.parent.iterdir()] == [written.name]


def test_same_input_same_bytes(written, tmp_path):
    for i in range(3):
        write(tmp_path / f"{i}", tiny(), EXAMPLE[:1])
        assert (tmp_path / f"{i}").read_bytes() == written.read_bytes()


def test_what_is_read_computes_what_numpy_computes(written):
    shipped = read(written).shipped
    x = np.random.default_rng(1).normal(size=(5, 6)).astype(np.float32)
    p, stats = decoded(shipped.variables["params"]), shipped.variables["batch_stats"]["norm"]
    seen = (np.clip(np.round(x / np.float32(0.1)) + 7, 0, 15) - 7) * np.float32(0.1)
    hidden = np.maximum(seen @ p["up"]["kernel"] + p["up"]["bias"], 0)
    hidden = (hidden - stats["mean"]) / np.sqrt(stats["var"] + 1e-5)
    expected = hidden @ p["down"]["kernel"]
    np.testing.assert_allclose(compile_forward(shipped, x).run(x), expected, atol=1e-5)


def test_without_quantized_inputs_there_are_no_grids(tmp_path):
    write(tmp_path / "a", tiny(inputs={}), EXAMPLE)
    assert read(tmp_path / "a").shipped.inputs == {}


def test_metadata_is_enough_for_another_engine(written):
    with safe_open(written, framework="np") as file:
        metadata = json.loads(file.metadata()["slimbench"])
    grid = metadata["activations"]["up"]
    expected = {"bits": 4, "low": 0, "high": 15, "signed": False, "rounding": "half_even", "zero_point": 7.0}
    assert {k: grid[k] for k in expected} == expected
    assert np.float32(grid["scale"]) == np.float32(0.1)
    assert metadata["net"] == {"name": "Tiny", "fields": {"width": 4, "sizes": [3]}}
    assert metadata["leaves"] == {"params/up/kernel": {"shape": [6, 4], "bits": 3, "low": -3}}
    tensors = load(written.read_bytes())
    np.testing.assert_array_equal(tensors["params/down/kernel"], tiny_variables()["params"]["down"]["kernel"])
    assert tensors["params/up/kernel"].nbytes == 6 * 4 * 3 // 8
    assert "params/up/kernel:zero_point" not in tensors


def test_chosen_form_really_makes_the_smallest_file(tmp_path, monkeypatch):
    """At densities on both sides of each border, forcing another form never gives a smaller file."""
    sizes = {}
    for forced in (None, "dense", "mask", "gaps"):
        for kept in (5, 100, 900, 1990, 2000):
            with monkeypatch.context() as patch:
                if forced:
                    patch.setattr("benchmarks.leaf.min", lambda *a, f=forced, **k: f, raising=False)
                write(tmp_path / "a", Shipped(Tiny(), {"params": {"w": jnp.asarray(sparse(2000, kept))}}), EXAMPLE)
            sizes[forced, kept] = (tmp_path / "a").stat().st_size
    for kept in (5, 100, 900, 1990, 2000):
        assert sizes[None, kept] == min(sizes[form, kept] for form in ("dense", "mask", "gaps"))


def test_scalar_and_empty_leaves(tmp_path):
    variables = {"params": {"a": jnp.float32(2.5), "b": jnp.zeros((0, 3)), "c": quantized(1, 2, -1)}}
    write(tmp_path / "a", Shipped(Tiny(), variables), EXAMPLE)
    assert_same(read(tmp_path / "a").shipped.variables, variables)


def test_activation_grids_keep_shape_and_every_bit(tmp_path):
    grid = Quantizer(jnp.asarray([[0.1, 1 / 3]]), jnp.asarray([[-0.0, 3.0]]), jnp.float32(-8), jnp.float32(7))
    write(tmp_path / "a", tiny(inputs={"a/b": grid}), EXAMPLE)
    shipped = read(tmp_path / "a").shipped.inputs["a/b"]
    assert_same(shipped, grid)
    np.testing.assert_array_equal(fake_quant(jnp.ones(2), shipped), fake_quant(jnp.ones(2), grid))


def test_any_flipped_bit_is_noticed(written, tmp_path):
    data = written.read_bytes()
    for i in range(0, len(data), 3):
        broken = bytearray(data)
        broken[i] ^= 1 << (i % 5)  # below 0x20, which would only turn the e of an exponent into E
        (tmp_path / "broken").write_bytes(broken)
        with pytest.raises(ArtifactError, match=r"broken: \S"):
            read(tmp_path / "broken")


def test_a_truncated_file_is_noticed(written, tmp_path):
    data = written.read_bytes()
    for length in [*range(0, len(data), 97), len(data) - 1]:
        (tmp_path / "short").write_bytes(data[:length])
        with pytest.raises(ArtifactError, match=r"short: \S"):
            read(tmp_path / "short")
    (tmp_path / "long").write_bytes(data + b"\0")
    with pytest.raises(ArtifactError, match="long: "):
        read(tmp_path / "long")


def test_foreign_files_are_refused(tmp_path):
    (tmp_path / "text").write_text("accuracy 0.99\n" * 100)
    save_file({"w": np.zeros(3, np.float32)}, tmp_path / "other", {"format": "np"})
    save_file({"w": np.zeros(3, np.float32)}, tmp_path / "newer", {"slimbench": '{"version": 2}'})
    for name, why in (("text", "text: "), ("other", "no slimbench artifact"), ("newer", "version is 2, this code")):
        with pytest.raises(ArtifactError, match=why):
            read(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "missing")


def forge(path, change, tensors=lambda t: t):
    """Rewrites the file with changed metadata and tensors and a digest that fits them."""
    old, contents = artifact._load(path)
    metadata = json.loads(artifact._json(old)) | {"sha256": ""}
    change(metadata)
    contents = tensors(contents)
    digest = hashlib.sha256(artifact._json(metadata_of(metadata)))
    for name, tensor in sorted(contents.items()):
        digest.update(f"{name} {tensor.dtype.str} {tensor.shape}\n".encode() + tensor.tobytes())
    text = json.dumps(metadata | {"sha256": digest.hexdigest()})
    path.write_bytes(save(contents, {"slimbench": text}))


def metadata_of(builtins):
    return artifact.msgspec.convert(builtins, artifact._Metadata)


KERNEL = "params/up/kernel"


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("bits", 4, "24 codes of 4 bits are 12 bytes, not 9"),
        ("shape", [6, 5], "does not broadcast against"),
        ("shape", [3, 8], "does not broadcast against"),
        ("form", "mask", r"should have parts \['', 'mask', 'scale'\], has \['', 'scale'\]"),
    ],
)
def test_descriptions_that_do_not_fit_are_refused(written, field, value, why):
    forge(written, lambda metadata: metadata["leaves"][KERNEL].update({field: value}))
    with pytest.raises(ArtifactError, match=f"{written.name}: {KERNEL}: .*{why}"):
        read(written)


@pytest.mark.parametrize(
    ("tensors", "why"),
    [
        (lambda t: {k: v for k, v in t.items() if k != KERNEL}, f"{KERNEL}: should have parts"),
        (
            lambda t: t | {f"{KERNEL}:scale": np.ones((1, 4), np.float64)},
            f"{KERNEL}: scale should be float32, not float64",
        ),
        (lambda t: t | {"params/up/bias": np.ones(4, np.int32)}, "params/up/bias: values should be float32, not int32"),
        (lambda t: t | {"params/up/bias:mask": np.ones(4, np.uint8)}, "params/up/bias: should have parts"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(written, tensors, why):
    forge(written, lambda metadata: None, tensors)
    with pytest.raises(ArtifactError, match=f"{written.name}: {why}"):
        read(written)


def test_what_cannot_ship_is_refused_on_writing(tmp_path, monkeypatch):
    def attempt(params, **more):
        write(tmp_path / "a", tiny(variables={"params": params}, **more), EXAMPLE)

    with pytest.raises(ValueError, match="params/w: a leaf is float32 or Quantized, not int32"):
        attempt({"w": jnp.zeros(3, jnp.int32)})
    with pytest.raises(ValueError, match="params/w: codes from 0 to 4 do not fit in 2 bits"):
        attempt({"w": quantized([0, 4], 2, 0)})
    with pytest.raises(ValueError, match="activations/up: grid is not finite"):
        attempt({}, inputs={"up": Quantizer(*(jnp.float32(v) for v in (np.nan, 0, 0, 15)))})
    with pytest.raises(ValueError, match=r"field sizes has a list, \[3\]; it must be a tuple, \(3,\)"):
        attempt({}, net=Tiny(sizes=[3]))
    monkeypatch.delitem(NETS, "Tiny")
    with pytest.raises(ValueError, match="unknown net 'Tiny'"):
        attempt({})
    assert list(tmp_path.iterdir()) == []


def test_three_bits_are_ten_times_smaller(tmp_path):
    """Bytes by arithmetic: the quantized file holds 3 of 32 bits of the kernel; the rest is header."""
    kernel = np.random.default_rng(5).integers(-3, 4, (256, 256))
    write(tmp_path / "q", Shipped(Tiny(), {"params": {"w": quantized(kernel, 3, -3)}}), EXAMPLE)
    write(tmp_path / "f", Shipped(Tiny(), {"params": {"w": jnp.asarray(kernel, jnp.float32) + 0.5}}), EXAMPLE)
    header = {name: (tmp_path / name).stat().st_size - payload for name, payload in (("q", 24576 + 4), ("f", 262144))}
    assert 0 < header["f"] < header["q"] < 700
    assert flatten(read(tmp_path / "q").shipped.variables)["params/w"].bits == 3
