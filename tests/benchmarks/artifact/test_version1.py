"""Files of version 1 are read as they were written; damaged and crafted ones are refused."""

import contextlib
import json
from pathlib import Path

import jax.numpy as jnp
import msgspec
import numpy as np
import pytest
from safetensors.numpy import load, save

from benchmarks.artifact import version1
from benchmarks.artifact.file import ArtifactError, read_artifact
from benchmarks.artifact.header import typed_specs
from methods.transforms.grids import Quantized
from tests.benchmarks.artifact.leaves import assert_same, flipped, quantized
from tests.benchmarks.artifact.nets import Tiny, tiny

FILE = Path(__file__).with_name("version1.safetensors")
"""`tiny()` as the last code that wrote version 1 has written it."""


def test_a_file_that_was_written_then():
    found = read_artifact(FILE)
    assert found.shipped.net == Tiny(width=4, sizes=(3,))
    assert_same(found.shipped.variables, tiny().variables)
    assert_same(found.shipped.inputs, tiny().inputs)
    assert (found.example.shape, found.example.dtype) == ((1, 6), np.float32)
    assert found.payload == FILE.stat().st_size - 8 - int.from_bytes(FILE.read_bytes()[:8], "little")


def literal(path, net, leaves, tensors, **more):
    """Writes a file of version 1 whose digest fits."""
    metadata = {"version": 1, "net": net, "input": {"shape": [6], "dtype": "float32"}, "leaves": leaves}
    metadata |= {"activations": {}, "sha256": ""} | more
    with contextlib.suppress(msgspec.ValidationError):  # what is refused before digests are compared needs none
        typed = msgspec.convert(metadata, version1.Metadata)
        typed = msgspec.structs.replace(typed, input=typed_specs(typed.input))
        metadata["sha256"] = version1.digest(typed, tensors)
    text = json.dumps(metadata)
    path.write_bytes(save(tensors, {"slimbench": text}))


def holder(*shape, dtype="float32"):
    return {"name": "Holder", "fields": {"shape": list(shape), "dtype": dtype, "names": ["w"]}}


def test_mask_and_gaps_by_hand(tmp_path):
    """Kept are the places 1 and 4 of 6: mask 010010; gaps 1 and 2 of two bits each, the first in the lowest: 10 01."""
    kept, values = np.float32([2.5, -0.0]), jnp.asarray(np.float32([[0, 2.5, 0], [0, -0.0, 0]]))
    for form, part, more in (("mask", 0b010010, {}), ("gaps", 0b1001, {"gap_bits": 2})):
        leaf = {"shape": [2, 3], "form": form, "kept": 2} | more
        tensors = {"params/w": kept, f"params/w:{form}": np.array([part], np.uint8)}
        literal(tmp_path / "a", holder(2, 3), {"params/w": leaf}, tensors)
        assert_same(read_artifact(tmp_path / "a").shipped.variables, {"params": {"w": values}})


def test_sparse_codes_by_hand(tmp_path):
    """Codes 5 3 5 5 around the zero point 5, of 3 bits from 0 on, in bfloat16."""
    leaf = {"shape": [4], "form": "gaps", "kept": 1, "gap_bits": 1, "bits": 3, "dtype": "bfloat16"}
    tensors = {"": np.array([3], np.uint8), ":gaps": np.array([1], np.uint8)}
    tensors |= {":scale": np.float32([0.5]), ":zero_point": np.int8([5])}
    tensors = {f"params/w{part}": tensor for part, tensor in tensors.items()}
    literal(tmp_path / "a", holder(4, dtype="bfloat16"), {"params/w": leaf}, tensors)
    expected = quantized([5, 3, 5, 5], 3, 0, [0.5], 5.0).replace(dtype="bfloat16")
    found = read_artifact(tmp_path / "a").shipped.variables["params"]["w"]
    assert isinstance(found, Quantized)
    assert found.pruned is None
    assert_same(found, expected)


LEAF = {"shape": [4], "bits": 2, "low": -1}
TENSORS = {"params/w": np.array([0], np.uint8), "params/w:scale": np.float32([1])}
GRID = {"bits": 4, "low": 0, "high": 15, "signed": False, "rounding": "half_even", "scale": 1.0, "zero_point": 0.0}


@pytest.mark.parametrize(
    ("leaf", "tensors", "why"),
    [
        ({"bits": 3}, {}, "params/w: 4 codes of 3 bits are 2 bytes, not 1"),
        ({"bits": 33}, {}, "Expected `int` <= 32"),
        ({"shape": [2**33]}, {}, r"params/w: is float32 of shape \(8589934592,\); in the net it is float32 of \(4,\)"),
        ({"form": "mask"}, {}, r"params/w: should have parts \['', 'mask', 'scale'\], has \['', 'scale'\]"),
        ({}, {"params/w:scale": np.ones(1)}, "params/w: scale should be float32, not float64"),
        ({}, {"params/w:scale": np.ones(3, np.float32)}, r"params/w: scale of shape \(3,\) does not broadcast"),
        ({}, {"params/w:zero_point": np.ones(1, np.complex64)}, "params/w: zero_point should be numbers"),
        ({}, {"params/v": np.zeros(1, np.float32)}, r"variables \['params/v'\] are not those of the net"),
        (
            {"form": "gaps", "gap_bits": 3, "kept": 1},
            {"params/w:gaps": np.array([7], np.uint8)},
            "params/w: gaps does not place 1 values among 4",
        ),
        (
            {"form": "mask", "kept": 2},
            {"params/w:mask": np.array([1], np.uint8)},
            "params/w: mask does not place 2 values among 4",
        ),
        ({"form": "mask"}, {"params/w:mask": np.array([1], np.uint8)}, "does not say how many values are kept"),
        (
            {"form": "mask", "kept": 1},
            {"params/w:mask": np.array([1], np.uint8), "params/w:zero_point": np.int8([9])},
            "params/w: is sparse but has no code for zero",
        ),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, leaf, tensors, why):
    literal(tmp_path / "a", holder(4), {"params/w": LEAF | leaf}, TENSORS | tensors)
    with pytest.raises(ArtifactError, match=why):
        read_artifact(tmp_path / "a")


@pytest.mark.parametrize(
    "change", [{"bits": 3}, {"signed": True}, {"scale": [[1.0], [1.0, 2.0]]}, {"scale": ["a"]}, {"high": 10**18}]
)
def test_grids_that_contradict_themselves_are_refused(tmp_path, change):
    literal(tmp_path / "a", holder(4), {"params/w": LEAF}, TENSORS, activations={"up": GRID | change})
    with pytest.raises(ArtifactError, match="a: activations/up: "):
        read_artifact(tmp_path / "a")


def test_damage_is_noticed(tmp_path):
    data = FILE.read_bytes()
    for broken in flipped(data, 7):
        (tmp_path / "broken").write_bytes(broken)
        with pytest.raises(ArtifactError, match=r"broken: \S"):
            read_artifact(tmp_path / "broken")
    for i in range(0, len(data), 7):
        (tmp_path / "short").write_bytes(data[:i])
        with pytest.raises(ArtifactError, match=r"short: \S"):
            read_artifact(tmp_path / "short")


def test_tensors_that_numpy_cannot_hold_are_refused(tmp_path):
    data = FILE.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header["params/down/bias"] |= {"dtype": "F8_E4M3", "shape": [12]}
    text = json.dumps(header).encode()
    (tmp_path / "a").write_bytes(len(text).to_bytes(8, "little") + text + data[start:])
    with pytest.raises(ArtifactError, match=r"a: AttributeError: .*float8"):
        read_artifact(tmp_path / "a")


def test_the_file_is_safetensors():
    assert load(FILE.read_bytes())["params/up/kernel"].nbytes == 6 * 4 * 3 // 8
