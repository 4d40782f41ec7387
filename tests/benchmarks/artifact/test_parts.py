"""Packed weights and transforms of every kind in an artifact: all of them come back, crafted ones are refused."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import struct

from benchmarks.artifact.file import ArtifactError, read_artifact, write_artifact
from benchmarks.measure.counts import count
from benchmarks.measure.memory import weights
from methods.arrays.blocks import Blocks
from methods.transforms import PACKED, TRANSFORMS
from methods.transforms.patterned import Patterned
from methods.transforms.transform import Packed, Transform, is_packed
from tests.benchmarks.artifact.leaves import assert_same
from tests.benchmarks.artifact.nets import EXAMPLE, held, tiny
from tests.benchmarks.artifact.test_refused import forge, parts
from tests.methods.transforms.kinds import INPUTS, WEIGHTS, X

WEIGHT = jnp.asarray(np.random.default_rng(0).normal(size=(70, 12)), jnp.float32).at[3].set(0)


def test_every_kind_is_tried():
    assert {type(one) for one in INPUTS.values()} | {type(one) for one in WEIGHTS(WEIGHT).values()} == {
        *TRANSFORMS.values()
    }
    packed = {type(one.pack(WEIGHT)) for one in WEIGHTS(WEIGHT).values()}
    made = {kind for kind in packed if issubclass(kind, Packed)}
    assert made | {Patterned} == set(PACKED.values())  # which pruning makes: see test_patterned.py


@pytest.mark.parametrize("name", WEIGHTS(WEIGHT))
def test_a_packed_weight_comes_back(tmp_path, name):
    transform = WEIGHTS(WEIGHT)[name]
    packed = transform.pack(WEIGHT)
    write_artifact(tmp_path / "a", held(packed), EXAMPLE)
    found = read_artifact(tmp_path / "a").shipped.variables["params"]["w"]
    assert_same(found, packed)
    if is_packed(found):
        assert_same(found.unpack(), jax.jit(lambda one, x: one(x))(transform, WEIGHT))
        assert (tmp_path / "a").stat().st_size <= found.nbytes + 260  # of which most is the head
        assert weights({"params": {"w": found}}) == found.nbytes
        assert count(held(packed), EXAMPLE).parameters == WEIGHT.size


@pytest.mark.parametrize("name", INPUTS)
def test_transforms_of_inputs_come_back(tmp_path, name):
    one = INPUTS[name]
    inputs = {"up": (one,), "down": (one, one), "a/scores:1": (one, INPUTS["divide"])}
    write_artifact(tmp_path / "a", tiny(inputs=inputs), EXAMPLE)
    found = read_artifact(tmp_path / "a").shipped
    assert_same(dict(found.inputs), inputs)
    assert_same(found.variables, tiny().variables)
    assert_same(found.inputs["up"][0](X), one(X))


def test_an_input_that_goes_through_nothing_is_left_out(tmp_path):
    write_artifact(tmp_path / "a", tiny(inputs={"up": ()}), EXAMPLE)
    assert read_artifact(tmp_path / "a").shipped.inputs == {}


@struct.dataclass
class Foreign(Transform):
    by: jax.Array


def test_what_is_not_registered_or_not_finite_is_refused(tmp_path):
    with pytest.raises(ValueError, match="Foreign has no row in methods/transforms"):
        write_artifact(tmp_path / "a", tiny(inputs={"up": (Foreign(jnp.ones(3)),)}), EXAMPLE)
    broken = INPUTS["divide"].replace(by=jnp.float32([1, np.nan]))
    with pytest.raises(ValueError, match="activations/up: a transform is not finite"):
        write_artifact(tmp_path / "a", tiny(inputs={"up": (broken,)}), EXAMPLE)


def grouped():
    return WEIGHTS(WEIGHT)["groups of 32"].pack(WEIGHT)


def test_facts_are_in_the_head_once(tmp_path):
    write_artifact(tmp_path / "a", held(grouped(), grouped(), names=("a", "b")), EXAMPLE)
    (kind,) = parts(tmp_path / "a")[1]["kinds"]
    assert kind == {"name": "grouped", "facts": {"low": -3, "blocks": [[0], 32], "dtype": "float32"}}


KINDS = {
    "no such kind": (lambda kind: kind.update(name="grip"), "params/w: there is no kind 0 among grip"),
    "a fact is missing": (lambda kind: kind["facts"].pop("low"), "grouped has the facts .*, not"),
    "a fact more": (lambda kind: kind["facts"].update(more=1), "grouped has the facts"),
    "a fact of another type": (lambda kind: kind["facts"].update(low="a"), "Expected `int`, got `str`"),
    "another block": (lambda kind: kind["facts"].update(blocks=[[0], 40]), "params/w: its parts do not fit together"),
    "no block": (lambda kind: kind["facts"].update(blocks=[[0], 0]), "params/w: its parts do not fit together"),
    "another axis": (lambda kind: kind["facts"].update(blocks=[[7], 32]), "params/w: its parts do not fit together"),
    "another dtype": (lambda kind: kind["facts"].update(dtype="float16"), "make float16 of .*, not float32"),
    "no dtype": (lambda kind: kind["facts"].update(dtype="wide"), "params/w: its parts do not fit together"),
    "more fields": (lambda kind: kind.update(more=1), "unknown field"),
}


@pytest.mark.parametrize("craft", KINDS)
def test_crafted_kinds_are_refused(tmp_path, craft):
    change, why = KINDS[craft]
    write_artifact(tmp_path / "a", held(grouped()), EXAMPLE)
    layout, header, body = parts(tmp_path / "a")
    change(header["kinds"][0])
    forge(tmp_path / "a", layout, header, body)
    with pytest.raises(ArtifactError, match=why):
        read_artifact(tmp_path / "a")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ([64, 1], "there is no kind 1 among grouped"),
        ([64, 0, 3, 70, 12, 99], "a part has no dtype 99"),
        ([64, 0, 3, 255, 255, 255, 255, 255, 1, 12, 8], "bytes hold no array of shape"),
        ([64, 0, 0, 0, 0, 0], "its parts do not fit together"),
        ([64, 0, 3, 70, 12], "ends within its description"),
    ],
)
def test_crafted_parts_are_refused(tmp_path, body, why):
    write_artifact(tmp_path / "a", held(grouped()), EXAMPLE)
    layout, header, _ = parts(tmp_path / "a")
    forge(tmp_path / "a", layout, header, bytes(body))
    with pytest.raises(ArtifactError, match=f"params/w: .*{why}"):
        read_artifact(tmp_path / "a")


def test_any_body_of_packed_parts_is_read_or_refused(tmp_path):
    """Bytes at random places become others, with a digest that fits: an ArtifactError or another net, nothing else."""
    packed = {name: one.pack(WEIGHT) for name, one in WEIGHTS(WEIGHT).items()}
    packed = {name: one for name, one in packed.items() if is_packed(one)}
    shipped = held(*packed.values(), names=tuple("abcdefghijklmnop"[: len(packed)]))
    write_artifact(tmp_path / "a", shipped._replace(inputs={"": tuple(INPUTS.values())}), EXAMPLE)
    layout, header, body = parts(tmp_path / "a")
    rng, refused = np.random.default_rng(1), 0
    for _ in range(40):
        broken = bytearray(body)
        broken[rng.integers(150 if rng.random() < 0.8 else len(body))] = rng.integers(256)
        forge(tmp_path / "b", layout, header, bytes(broken))
        try:
            found = read_artifact(tmp_path / "b").shipped.variables["params"]
            assert {leaf.shape for leaf in found.values()} == {(70, 12)}
        except ArtifactError:
            refused += 1
    assert refused > 10


def test_blocks_are_facts_and_arrays_are_parts():
    assert [field.name for field in dataclasses.fields(grouped())][-3:] == ["low", "blocks", "dtype"]
    assert grouped().blocks == Blocks((0,), 32)
