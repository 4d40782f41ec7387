"""Artifacts that are damaged, foreign or crafted are refused on reading, and what cannot ship on writing."""

import hashlib
import json
import zlib
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from safetensors.numpy import save_file

from benchmarks.artifact import file
from benchmarks.artifact.body import Source, number
from benchmarks.artifact.file import ArtifactError, read_artifact, write_artifact
from benchmarks.artifact.header import Input, initialized
from methods.transforms.grids import Quantizer
from methods.transforms.transform import decoded
from tasks.nets.spec import NETS
from tests.benchmarks.artifact.leaves import assert_same, flipped, quantized
from tests.benchmarks.artifact.nets import EXAMPLE, Holder, Tiny, held, tiny


def test_any_flipped_bit_is_noticed(written, tmp_path):
    for broken in flipped(written.read_bytes(), 3):
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
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "newer").write_bytes(b"SLIM\3" + bytes(100))
    (tmp_path / "magic").write_bytes(b"SLIM")
    save_file({"w": np.zeros(3, np.float32)}, tmp_path / "other", {"format": "np"})
    for name, why in (
        ("text", "text: "),
        ("empty", "empty: "),
        ("newer", "version is 3, this code reads 1 and 2"),
        ("magic", "version is missing, this code"),
        ("other", "no slimbench artifact"),
    ):
        with pytest.raises(ArtifactError, match=why):
            read_artifact(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        read_artifact(tmp_path / "missing")


def parts(path):
    """(layout, header, body) of a file."""
    data = path.read_bytes()
    source = Source(data, 25)
    text = file._text(source)
    return data[21:25], json.loads(text), source.take(len(data) - source._at).tobytes()


def test_a_file_that_was_written_before_there_were_kinds(tmp_path):
    """It is read as it was, and written again without a byte more."""
    old = Path(__file__).with_name("version2.slim")
    assert_same(read_artifact(old).shipped.variables, tiny().variables)
    assert_same(read_artifact(old).shipped.inputs, tiny().inputs)
    write_artifact(tmp_path / "a", tiny(), EXAMPLE)
    assert parts(tmp_path / "a") == parts(old)


def forge(path, layout, text, body):
    """Writes a file with a digest that fits its parts; what is no text becomes JSON."""
    text = text if isinstance(text, bytes) else json.dumps(text).encode()
    rest = layout + number(2 * len(text)) + text + body
    path.write_bytes(b"SLIM\2" + hashlib.sha256(b"SLIM\2" + rest).digest()[:16] + rest)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (lambda body: body[:-1], "ends 1 bytes too early"),
        (lambda body: body + b"\0", "1 bytes follow the last value"),
        (lambda body: b"", "batch_stats/norm/mean: ends within its description"),
        (lambda body: b"\3" + body[1:], "batch_stats/norm/mean: there is no form 3"),
        (lambda body: b"\x08" + body[1:], "batch_stats/norm/mean: codes are 1 to 32 bits wide, not 0"),
        (lambda body: b"\1\5" + body[1:], "batch_stats/norm/mean: keeps 5 of 4 values"),
    ],
)
def test_bodies_that_do_not_fit_are_refused(written, body, why):
    layout, header, old = parts(written)
    forge(written, layout, header, body(old))
    with pytest.raises(ArtifactError, match=f"{written.name}: .*{why}"):
        read_artifact(written)


def test_any_body_is_read_or_refused(tmp_path):
    """Bytes at random places become others, with a digest that fits: an ArtifactError or another net, nothing else."""
    codes = np.clip(np.round(np.random.default_rng(0).normal(size=900)), -4, 3)
    grids = {"": tiny().inputs["up"]}
    shipped = held(quantized(codes, 3, -4, zero_point=1.0), quantized(codes * (codes > 1), 3, -4), names=("a", "b"))
    write_artifact(tmp_path / "a", shipped._replace(inputs=grids), EXAMPLE)
    layout, header, body = parts(tmp_path / "a")
    rng, refused = np.random.default_rng(1), 0
    for _ in range(150):
        broken = bytearray(body)
        broken[rng.integers(60 if rng.random() < 0.8 else len(body))] = rng.integers(256)
        forge(tmp_path / "b", layout, header, bytes(broken))
        try:
            found = decoded(read_artifact(tmp_path / "b").shipped.variables["params"])
            assert found["a"].shape == found["b"].shape == (900,)
        except ArtifactError:
            refused += 1
    assert refused > 50


def test_a_head_that_bursts_is_refused(written):
    layout, _, body = parts(written)
    text = zlib.compress(bytes(1 << 24), 9)
    rest = layout + number(2 * len(text) + 1) + text + body
    written.write_bytes(b"SLIM\2" + hashlib.sha256(b"SLIM\2" + rest).digest()[:16] + rest)
    with pytest.raises(ArtifactError, match="the head is damaged, or has more than 1048576 bytes"):
        read_artifact(written)


def test_a_net_that_is_too_large_for_its_file_is_refused(written):
    """Of 2⁴⁰ zeros, which take no byte: nothing of them is made."""
    net = Holder((2**20, 2**20))
    layout = file._layout(initialized(net, Input((6,), "float32")))
    text = {"net": {"name": "Holder", "fields": {"shape": [2**20, 2**20]}}, "input": {"shape": [6], "dtype": "float32"}}
    forge(written, layout, text, bytes([1, 0, 0, 0, 0, 0]))
    with pytest.raises(ArtifactError, match=r"\d+ bytes hold no net of 1099511627776 weights"):
        read_artifact(written)


def test_a_net_that_was_changed_is_refused(written, monkeypatch):
    """Another layer of the same size, renamed so that it sorts elsewhere: its weights would go astray."""

    class Tiny(nn.Module):
        width: int = 4
        sizes: tuple[int, ...] = (3,)

        @nn.compact
        def __call__(self, x, train: bool):
            x = nn.Dense(self.width, name="zoom")(x)
            return nn.Dense(self.sizes[0], name="down")(nn.BatchNorm(not train, name="norm")(x))

    monkeypatch.setitem(NETS, "Tiny", Tiny)
    with pytest.raises(ArtifactError, match="net Tiny has other variables by now than those that the file holds"):
        read_artifact(written)


def set_net(**fields):
    return lambda header: header["net"]["fields"].update(fields)


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
    "another width": (set_net(width=5), "net Tiny has other variables"),
    "input of a negative length": (lambda m: m["input"].update(shape=[-6]), "Expected `int` >= 0"),
    "input of an unknown dtype": (lambda m: m["input"].update(dtype="float99"), "float99"),
    "input of objects": (lambda m: m["input"].update(dtype="object"), "dtype.'O'. is not a valid dtype"),
    "input without a shape": (lambda m: m.update(input={"dtype": "float32"}), "missing required field `shape`"),
    "input is a number": (lambda m: m.update(input=3), "Expected `object`, got `int`"),
    "input is nothing": (lambda m: m.update(input=None), "."),
    "input is a deep tree": (lambda m: m.update(input=nested(300)), "."),
    "another input": (lambda m: m["input"].update(shape=[7]), "net Tiny has other variables"),
    "more fields": (lambda m: m.update(version=1), "unknown field `version`"),
    "modules are a text": (lambda m: m.update(modules="up"), "Expected `array`, got `str`"),
}


@pytest.mark.parametrize("craft", CRAFTS)
def test_a_crafted_file_with_a_valid_digest_is_refused(written, craft):
    change, why = CRAFTS[craft]
    layout, header, body = parts(written)
    change(header)
    forge(written, layout, header, body)
    with pytest.raises(ArtifactError, match=f"{written.name}: .*{why}"):
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
        attempt({"w": jnp.zeros(2)}, inputs={"up": (Quantizer(*(jnp.float32(v) for v in (np.nan, 0, 0, 15))),)})
    with pytest.raises(ValueError, match=r"field sizes has a list, \[3\]; it must be a tuple, \(3,\)"):
        attempt({}, net=Tiny(sizes=[3]))
    monkeypatch.delitem(NETS, "Tiny")
    with pytest.raises(ValueError, match="unknown net 'Tiny'"):
        attempt({}, net=Tiny())
    assert list(tmp_path.iterdir()) == []
