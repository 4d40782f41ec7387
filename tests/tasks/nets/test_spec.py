"""Nets as JSON: what is written builds the same net again; what cannot be written is refused by its field's name."""

import importlib
import json
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from numpy.testing import assert_array_equal

from tasks import TASKS
from tasks.nets import spec
from tasks.nets.encoder import Encoder
from tasks.nets.mlp import MLP
from tasks.nets.spec import NETS, check_net, net_from_json, net_to_json, register


class Field(nn.Module):
    extra: Any = None

    @nn.compact
    def __call__(self, x, train: bool = False):
        return self.extra(nn.Dense(2, name="head")(x))


@pytest.fixture(autouse=True)
def _known(monkeypatch):
    monkeypatch.setattr(spec, "NETS", dict(NETS))
    monkeypatch.setitem(spec.NETS, "Field", Field)


def again(net):
    return net_from_json(json.loads(json.dumps(net_to_json(net))))


@pytest.mark.parametrize("name", sorted(TASKS))
def test_nets_of_tasks_build_again(name):
    check_net(TASKS[name].net)
    check_net(TASKS[name].teacher or TASKS[name].net)


def test_json_of_nets_by_hand():
    """Digests of records depend on it."""
    assert json.dumps(net_to_json(MLP(784, (300, 100), 10))) == (
        '{"name": "MLP", "fields": {"features": 784, "hidden": [300, 100], "classes": 10}}'
    )
    assert json.dumps(net_to_json(TASKS["pydoc"].net)["fields"]) == (
        '{"vocabulary": 97, "context": 64, "width": 48, "head_width": 16, "heads": [3, 3], "mlp": [192, 192], '
        '"dropout": 0.0}'
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, None),
        (True, True),
        (3, 3),
        (2.0, 2.0),
        ("valid", "valid"),
        ((), []),
        ((8, (1, 2.5), ("a", None)), [8, [1, 2.5], ["a", None]]),
        (jnp.bfloat16, {"dtype": "bfloat16"}),
        (np.float32, {"dtype": "float32"}),
        (nn.relu, {"function": "jax.nn.relu"}),
        (jax.nn.relu6, {"function": "jax.nn.relu6"}),
        (jnp.sin, {"function": "jax.numpy.sin"}),
        (nn.make_causal_mask, {"function": "flax.linen.make_causal_mask"}),
        ((nn.gelu, (jnp.int8, 4)), [{"function": "jax.nn.gelu"}, [{"dtype": "int8"}, 4]]),
    ],
)
def test_fields_build_again_as_they_were(value, written):
    assert net_to_json(Field(value)) == {"name": "Field", "fields": {"extra": written}}
    back = again(Field(value))
    assert back.extra == value
    assert type(back.extra) is type(value) or written == {"dtype": "float32"}
    assert hash(back) == hash(Field(value))
    check_net(Field(value))


def test_a_function_that_is_built_again_computes_the_same():
    net, x = Field(jax.nn.relu6), jnp.linspace(-9, 9, 12).reshape(4, 3)
    variables = net.init(jax.random.key(0), x)
    assert_array_equal(again(net).apply(variables, x), net.apply(variables, x))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([8, 16], ["a list, [8, 16]", "must be a tuple, (8, 16)"]),
        ((1, [2]), ["a list, [2]", "must be a tuple, (2,)"]),
        ({"width": 8}, ["a dict, {'width': 8}", "tuples"]),
        (lambda x: x, ["a function, <function", "public functions of jax.nn, flax.linen, jax.numpy"]),
        (again, ["a function", "public functions"]),
        (np.dtype("float32"), ["dtype('float32')", "dtypes such as jnp.bfloat16"]),
        (np.float32(1), ["a float32", "numbers"]),
        (float("nan"), ["a float, nan"]),
        (float("inf"), ["a float, inf"]),
        (nn.Dense, ["a type, <class", "public functions"]),
        (float, ["a type, <class 'float'>"]),
        (b"x", ["a bytes, b'x'"]),
    ],
)
def test_other_fields_are_refused_by_name(value, said):
    with pytest.raises(ValueError, match="net Field: field extra has ") as error:
        check_net(Field(value))
    assert "\n" not in str(error.value)
    assert all(part in str(error.value) for part in said), error.value


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"name": "AlexNet", "fields": {}}, "unknown net 'AlexNet'; known are \\['BCResNet'"),
        ({"name": "MLP", "fields": {"wide": 3}}, "net MLP: unknown field 'wide'; its fields are features, hidden, cl"),
        ({"name": "MLP", "fields": {"features": 3}}, "net MLP: .*missing 2 .*'hidden' and 'classes'"),
        ({"name": "Field", "fields": {"parent": None}}, "net Field: unknown field 'parent'"),
        *(
            ({"name": "Field", "fields": {"extra": value}}, "net Field: field extra is .*neither a known dtype nor")
            for value in (
                {"dtype": "float31"},
                {"dtype": "sin"},
                {"function": "jax.nn.relu7"},
                {"function": "os.system"},
                {"function": "jax.nn._jax"},
                {"function": "flax.linen.Dense"},
                {"function": 5},
                {"function": "jax.nn.relu", "dtype": "int8"},
                {},
            )
        ),
    ],
)
def test_json_that_fits_no_net_is_refused_by_field(written, said):
    with pytest.raises(ValueError, match=said):
        net_from_json(written)


def test_a_net_that_is_not_built_again_as_it_was_is_refused():
    class Doubled(nn.Module):
        width: int = 4

        def __post_init__(self):
            self.width *= 2
            super().__post_init__()

    class Unhashable(nn.Module):
        __hash__ = None

    for net, said in ((Doubled(), "field width is built again as 16"), (Unhashable(), "Unhashable cannot be hashed")):
        spec.register(type(net))
        with pytest.raises(ValueError, match=said):
            check_net(net)


def test_a_name_that_another_class_has_is_refused():
    mine = type("Encoder", (nn.Module,), {"__module__": __name__})
    with pytest.raises(
        ValueError, match=r"here: there is a net tasks.nets.encoder.Encoder already; tests.*Encoder must"
    ):
        register(mine, "here")
    with pytest.raises(ValueError, match=r"Encoder is not the net of that name, tasks.nets.encoder.Encoder"):
        check_net(mine())
    register(Encoder)
    assert spec.NETS["Encoder"] is Encoder


def test_a_module_that_is_loaded_again_takes_its_own_place(tmp_path, monkeypatch):
    (tmp_path / "reloaded.py").write_text("from flax import linen as nn\nclass Own(nn.Module):\n    width: int = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("reloaded")
    register(module.Own)
    register(importlib.reload(module).Own)
    assert spec.NETS["Own"] is module.Own
    assert net_from_json({"name": "Own", "fields": {"width": 3}}) == module.Own(3)
    del sys.modules["reloaded"]
