"""Whole runs of nets and tasks as users have them, from the dense net to what is measured of the artifact."""

import dataclasses

import jax.numpy as jnp
import pytest
from flax import linen as nn

from benchmarks.artifact.file import read_artifact
from benchmarks.plan.config import Config
from benchmarks.sweep.sweep import sweep
from leaderboard.record import files as record
from methods import METHODS
from tasks import TASKS

STRENGTHS = {"dense": ((),), "rtn": ((4,),), "rtn_static": ((4,),), "lsq": ((4,),), "magnitude": ((0.5,),)}


def flat(x):
    return x.reshape(len(x), -1)


class Half(nn.Module):
    """Weights in bfloat16."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        x = nn.relu(nn.Dense(32, param_dtype=jnp.bfloat16, name="hidden")(flat(x)))
        return nn.Dense(3, param_dtype=jnp.bfloat16, name="head")(x)


class TwoInputs(nn.Module):
    """An image and its row means."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        image, meta = nn.Dense(8, name="image")(flat(x["image"])), nn.Dense(4, name="meta")(x["meta"])
        return nn.Dense(3, name="head")(nn.relu(jnp.concatenate([image, meta], -1)))


class TwoOutputs(nn.Module):
    """Logits and the features that they are made of."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        features = nn.relu(nn.Dense(8, name="hidden")(flat(x)))
        return {"logits": nn.Dense(3, name="head")(features), "features": features}


class Masked(nn.Module):
    """Of five classes two are never allowed."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        return jnp.where(jnp.arange(5) < 3, nn.Dense(5, name="head")(flat(x)), -jnp.inf)


class Stateful(nn.Module):
    """A counter among the running statistics, a random stream of its own, a sown loss, a name with a slash."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        seen = self.variable("batch_stats", "batches", lambda: jnp.zeros((), jnp.int32))
        if train and not self.is_initializing():
            seen.value += 1
        x = nn.relu(nn.Dense(8, name="stage/1")(flat(x)))
        x = nn.Dropout(0.5, rng_collection="drop_path", deterministic=not train)(x)
        self.sow("losses", "size", jnp.mean(jnp.square(x)))
        return nn.Dense(3, name="head:aux")(x)


def two_inputs(tiny):
    def batch(arrays, rows, key):
        x = arrays["x"][rows]
        return {"x": {"image": x, "meta": x.mean((2, 3))}, "y": arrays["y"][rows]}

    return {"batch": batch}


def two_outputs(tiny):
    return {
        "loss": lambda out, batch: tiny.loss(out["logits"], batch),
        "outcomes": lambda out, batch: tiny.outcomes(out["logits"], batch),
    }


def as_it_is(tiny):
    return {}


CASES = [
    (Half, as_it_is, ("dense", "rtn", "lsq", "magnitude")),
    (TwoInputs, two_inputs, ("rtn_static",)),
    (TwoOutputs, two_outputs, ("rtn", "magnitude")),
    (Masked, as_it_is, ("dense", "rtn")),
    (Stateful, as_it_is, ("dense", "lsq")),
]


@pytest.mark.parametrize(("net", "changes", "methods"), CASES, ids=[case[0].__name__ for case in CASES])
def test_they_train_ship_and_are_measured(net, changes, methods, tiny, tmp_path, monkeypatch):
    task = dataclasses.replace(tiny, net=net(), **changes(tiny))
    monkeypatch.setitem(TASKS, "tiny", task)
    config = Config(("tiny",), methods, {name: STRENGTHS[name] for name in methods}, seeds=(0,), tuning=False)
    done = sweep(config, tmp_path, "test")
    assert done.failed == []
    for path in done.records:
        found = record.read(path)
        name, result = found.method.name, found.points[0].runs[0].result
        assert result.output_error < 1e-6, name
        assert result.macs > 0
        (file,) = (tmp_path / "tiny").glob(f"{name}-*/*/seed0/artifact.safetensors")
        shipped = read_artifact(file).shipped
        assert bool(shipped.inputs) == (name in ("rtn_static", "lsq"))
        if net is Stateful:
            assert set(shipped.variables) == {"params", "batch_stats"}
            steps = task.dense.steps + (0 if METHODS[name].about.budget == "none" else task.recovery.steps)
            assert shipped.variables["batch_stats"]["batches"] == steps
