"""Artifacts that are damaged, foreign or crafted are refused on reading, and what cannot ship on writing."""

import hashlib
import json

import jax.numpy as jnp
import msgspec
import numpy as np
import pytest
from safetensors.numpy import save, save_file

from benchmarks.artifact import file
from benchmarks.artifact import metadata as meta
from benchmarks.artifact.file import ArtifactError, read_artifact, write_artifact
from methods.arrays.uniform import Quantizer
from methods.paths import flatten
from tasks.nets.spec import NETS
from tests.benchmarks.artifact.leaves import quantized
from tests.benchmarks.artifact.nets import EXAMPLE, Tiny, held


def test_any_flipped_bit_is_noticed(written, tmp_path):
    data = written.read_bytes()
    for i in range(0, len(data), 3):
        broken = bytearray(data)
        broken[i] ^= 1 << (i % 5)  # below 0x20, which would only turn the e of an exponent into E
        (tmp_path / "broken").write_bytes(broken)
        with pytest.raises(ArtifactError, match=r"broken: \S"):
            read_artifact(tmp_path / "broken")


def test_a_truncated_file_is_noticed(written, tmp_path):
    data = written.read_bytes()
    for length in [*range(0, len(data), 97), len(data) - 1]:
        (tmp_path / "short").write_bytes(data[:length])
        with pytest.raises(ArtifactError, match=r"short: \S"):
            read_artifact(tmp_path / "short")
    (tmp_path / "long").write_bytes(data + b"\0")
    with pytest.raises(ArtifactError, match="long: "):
        read_artifact(tmp_path / "long")


def test_foreign_files_are_refused(tmp_path):
    (tmp_path / "text").write_text("accuracy 0.99\n" * 100)
    save_file({"w": np.zeros(3, np.float32)}, tmp_path / "other", {"format": "np"})
    save_file({"w": np.zeros(3, np.float32)}, tmp_path / "newer", {"slimbench": '{"version": 2}'})
    for name, why in (("text", "text: "), ("other", "no slimbench artifact"), ("newer", "version is 2, this code")):
        with pytest.raises(ArtifactError, match=why):
            read_artifact(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        read_artifact(tmp_path / "missing")


def forge(path, change, tensors=lambda t: t):
    """Rewrites the file with changed metadata and tensors and a digest that fits them."""
    old, contents = file._load(path)
    metadata = json.loads(meta.to_json(old)) | {"sha256": ""}
    change(metadata)
    contents = tensors(contents)
    digest = hashlib.sha256(meta.to_json(metadata_of(metadata)))
    for name, tensor in sorted(contents.items()):
        digest.update(f"{name} {tensor.dtype.str} {tensor.shape}\n".encode() + tensor.tobytes())
    text = json.dumps(metadata | {"sha256": digest.hexdigest()})
    path.write_bytes(save(contents, {"slimbench": text}))


def metadata_of(builtins):
    try:
        metadata = msgspec.convert(builtins, meta.Metadata)
        return msgspec.structs.replace(metadata, input=meta.typed_specs(metadata.input))
    except msgspec.ValidationError:
        return builtins  # `read` refuses these before it compares digests


KERNEL = "params/up/kernel"


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("bits", 4, "24 codes of 4 bits are 12 bytes, not 9"),
        ("shape", [6, 5], r"is float32 of shape \(6, 5\); in the net it is float32 of \(6, 4\)"),
        ("dtype", "bfloat16", r"is bfloat16 of shape \(6, 4\); in the net it is float32"),
        ("form", "mask", r"should have parts \['', 'mask', 'scale'\], has \['', 'scale'\]"),
    ],
)
def test_descriptions_that_do_not_fit_are_refused(written, field, value, why):
    forge(written, lambda metadata: metadata["leaves"][KERNEL].update({field: value}))
    with pytest.raises(ArtifactError, match=f"{written.name}: {KERNEL}: .*{why}"):
        read_artifact(written)


@pytest.mark.parametrize(
    ("tensors", "why"),
    [
        (lambda t: {k: v for k, v in t.items() if k != KERNEL}, f"{KERNEL}: should have parts"),
        (
            lambda t: t | {f"{KERNEL}:scale": np.ones((1, 4), np.float64)},
            f"{KERNEL}: scale should be float32, not float64",
        ),
        (
            lambda t: t | {"params/up/bias": np.ones(4, np.int32)},
            r"params/up/bias: is int32 of shape \(4,\); in the net",
        ),
        (lambda t: t | {"params/up/bias": np.ones(4, np.int64)}, "params/up/bias: is int64"),
        (lambda t: t | {f"{KERNEL}:zero_point": np.ones((1, 4), np.complex64)}, f"{KERNEL}: zero_point should be"),
        (
            lambda t: t | {"params/other": np.ones(4, np.float32)},
            r"variables \['params/other'\] are not those of the net",
        ),
        (lambda t: {k: v for k, v in t.items() if k != "params/up/bias"}, r"variables \['params/up/bias'\] are not"),
        (lambda t: t | {"params/up/bias:mask": np.ones(4, np.uint8)}, "params/up/bias: should have parts"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(written, tensors, why):
    forge(written, lambda metadata: None, tensors)
    with pytest.raises(ArtifactError, match=f"{written.name}: {why}"):
        read_artifact(written)


def set_net(**fields):
    return lambda metadata: metadata["net"]["fields"].update(fields)


def set_grid(**fields):
    return lambda metadata: metadata["activations"]["up"].update(fields)


def nested(depth):
    return json.loads("[" * depth + "]" * depth)


CRAFTS = {
    "no net": (lambda m: m.update(net={}), "missing required field"),
    "net is a list": (lambda m: m.update(net=[1]), "Expected `object`, got `array`"),
    "unknown net": (lambda m: m["net"].update(name="os.system"), "unknown net 'os.system'"),
    "unknown field": (set_net(colour=1), "net Tiny: unknown field 'colour'"),
    "field of another type": (set_net(width="wide"), "."),
    "field that cannot be hashed": (
        set_net(width={"a": 1}),
        "field width is .*neither a known dtype nor a known function",
    ),
    "negative field": (set_net(width=-1), "."),
    "another width": (set_net(width=5), r"in the net it is float32 of \(5"),
    "input of a negative length": (lambda m: m["input"].update(shape=[-6]), "Expected `int` >= 0"),
    "input of an unknown dtype": (lambda m: m["input"].update(dtype="float99"), "float99"),
    "input of objects": (lambda m: m["input"].update(dtype="object"), "dtype.'O'. is not a valid dtype"),
    "input without a shape": (lambda m: m.update(input={"dtype": "float32"}), "missing required field `shape`"),
    "input is a number": (lambda m: m.update(input=3), "Expected `object`, got `int`"),
    "input is nothing": (lambda m: m.update(input=None), "."),
    "input is a deep tree": (lambda m: m.update(input=nested(300)), "."),
    "32 GB of zeros": (
        lambda m: m["leaves"].update({KERNEL: {"shape": [2**33], "form": "gaps", "kept": 0, "gap_bits": 1}}),
        rf"{KERNEL}: is float32 of shape \(8589934592,\); in the net",
    ),
    "no weights": (lambda m: m["leaves"].update({"params": {"shape": [1]}}), "variables .'params'. are not those"),
    "ragged grid": (set_grid(scale=[[1.0], [1.0, 2.0]]), "activations/up: "),
    "grid of words": (set_grid(scale=["a"]), "activations/up: "),
    "grid that is too large": (set_grid(high=10**30), "."),
    "grid of other bits": (set_grid(bits=3), "activations/up: bits, bounds and signs contradict one another"),
    "grid of another sign": (set_grid(signed=True), "activations/up: bits, bounds and signs contradict one another"),
}


@pytest.mark.parametrize("craft", CRAFTS)
def test_a_crafted_file_with_a_valid_digest_is_refused(written, craft):
    change, why = CRAFTS[craft]
    forge(written, change)
    with pytest.raises(ArtifactError, match=f"{written.name}: .*{why}"):
        read_artifact(written)


def test_tensors_that_numpy_cannot_hold_are_refused(written):
    data = written.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header["params/down/bias"] |= {"dtype": "F8_E4M3", "shape": [12]}
    text = json.dumps(header).encode()
    written.write_bytes(len(text).to_bytes(8, "little") + text + data[start:])
    with pytest.raises(ArtifactError, match=f"{written.name}: AttributeError: .*float8"):
        read_artifact(written)


def test_what_cannot_ship_is_refused_on_writing(tmp_path, monkeypatch):
    def attempt(params, **more):
        write_artifact(tmp_path / "a", held(jnp.zeros(2))._replace(variables={"params": params}, **more), EXAMPLE)

    with pytest.raises(ValueError, match=r"params/w: is int32 of shape \(2,\); in the net it is float32 of \(2,\)"):
        attempt({"w": jnp.zeros(2, jnp.int32)})
    with pytest.raises(ValueError, match=r"variables \['params/v', 'params/w'\] are not those of the net, or missing"):
        attempt({"v": jnp.zeros(2)})
    with pytest.raises(ValueError, match="params/w: codes from 0 to 4 do not fit in 2 bits"):
        attempt({"w": quantized([0, 4], 2, 0)})
    with pytest.raises(ValueError, match="activations/up: grid is not finite"):
        attempt({"w": jnp.zeros(2)}, inputs={"up": Quantizer(*(jnp.float32(v) for v in (np.nan, 0, 0, 15)))})
    with pytest.raises(ValueError, match=r"field sizes has a list, \[3\]; it must be a tuple, \(3,\)"):
        attempt({}, net=Tiny(sizes=[3]))
    monkeypatch.delitem(NETS, "Tiny")
    with pytest.raises(ValueError, match="unknown net 'Tiny'"):
        attempt({}, net=Tiny())
    assert list(tmp_path.iterdir()) == []


def test_three_bits_are_ten_times_smaller(tmp_path):
    """Bytes by arithmetic: the quantized file holds 3 of 32 bits of the kernel; the rest is header."""
    kernel = np.random.default_rng(5).integers(-3, 4, (256, 256))
    write_artifact(tmp_path / "q", held(quantized(kernel, 3, -3)), EXAMPLE)
    write_artifact(tmp_path / "f", held(jnp.asarray(kernel, jnp.float32) + 0.5), EXAMPLE)
    header = {name: (tmp_path / name).stat().st_size - payload for name, payload in (("q", 24576 + 4), ("f", 262144))}
    assert 0 < header["f"] < header["q"] < 700
    assert flatten(read_artifact(tmp_path / "q").shipped.variables)["params/w"].bits == 3
