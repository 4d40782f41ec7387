"""A task and its methods are tried before anything is trained: what is wrong is one line that names the field."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from benchmarks.plan.config import Config
from benchmarks.sweep.sweep import sweep
from leaderboard.command import UsageError
from leaderboard.record import files as record
from methods import METHODS
from tasks import TASKS
from tasks.base import Data, Metric
from tasks.nets.groups import Group, read, sizes_after, written


@pytest.fixture
def refused(tiny, monkeypatch, tmp_path):
    """refused(methods, options, **changes) -> the line in which the changed tiny task is refused, nothing trained."""

    def line(*methods, options=None, **changes):
        monkeypatch.setitem(TASKS, "tiny", dataclasses.replace(tiny, **changes))
        config = Config(("tiny",), methods or ("dense",), options=options or {}, seeds=(0,))
        with pytest.raises(UsageError) as caught:
            sweep(config, tmp_path, "test")
        assert not list(tmp_path.rglob("*.json"))
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return line


def split(rows=11):
    return {"x": np.zeros((rows, 8, 8, 1), np.float32), "y": np.zeros(rows, np.int32)}


def data(**changes):
    return lambda: Data(**{name: split() for name in Data._fields} | changes)


def partly(out, batch):
    return jnp.full(len(out), 0.8)


class Forgets(nn.Module):
    """A collection that is there at first and not after."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        if self.is_initializing() or not train:
            self.variable("batch_stats", "seen", lambda: jnp.zeros(()))
        else:
            self.put_variable("batch_stats", "other", jnp.zeros(()))
        return nn.Dense(3, name="head")(x.reshape(len(x), -1))


class Fails(nn.Module):
    """A net that fails in training."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        x = x.reshape(len(x), -1)
        return nn.Dense(3, name="head")(x @ jnp.zeros((5, 5)) if train else x)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"outcomes": partly}, ["outcomes", "'correct'", "0 or 1, not 0.8"]),
        ({"outcomes": lambda out, batch: out}, ["outcomes", "one number an example, [4]", "float32[4,3]"]),
        ({"loss": lambda out, batch: jnp.sum(out)}, ["loss", "one number an example", "float32[]"]),
        ({"loss": lambda out, batch: out["logits"]}, ["loss", "fails on float32[4,3]", "TypeError"]),
        ({"batch": lambda arrays, rows, key: arrays["x"][rows]}, ["batch", "dict with 'x'", "float32[2,8,8,1]"]),
        ({"load": data(train=split(5))}, ["data.train", "5 rows", "batch of 8", "batch_size"]),
        ({"load": data(valid={**split(), "y": np.zeros(10, np.int32)})}, ["data.valid", "same number of rows", "10"]),
        ({"net": Forgets()}, ["net", "collection 'batch_stats' changes its structure"]),
        ({"net": Fails()}, ["net", "fails in training on float32[4,8,8,1]"]),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_task_is_refused_by_its_field(refused, changes, said):
    line = refused(**changes)
    assert line.startswith("task tiny: ")
    assert all(part in line for part in said), line


class Grouped(nn.Module):
    """Two layers with a group of channels that is described in several wrong ways."""

    wrong: str
    width: int = 8

    @nn.compact
    def __call__(self, x, train: bool = False):
        x = x.reshape(len(x), -1)
        return nn.Dense(3, name="head")(nn.relu(nn.Dense(self.width, name="hidden")(x)))

    def groups(self):
        axes = {
            "misspelt": (*written("hiden"), read("head")),
            "forgotten": written("hidden"),
            "bias left": (*written("hidden", bias=False), read("head")),
        }
        return {"hidden": Group(self.width, axes[self.wrong])}

    def resize(self, sizes):
        return self.clone(width=sizes_after(self.groups(), sizes)["hidden"])


@pytest.mark.parametrize("method", ["channels", "student"])
@pytest.mark.parametrize(
    ("wrong", "leaf"), [("misspelt", "hiden/kernel"), ("forgotten", "head/kernel"), ("bias left", "hidden/bias")]
)
def test_wrong_groups_are_named_where_a_method_needs_them(refused, method, wrong, leaf):
    line = refused(method, net=Grouped(wrong))
    assert "group 'hidden'" in line
    assert leaf in line


def test_a_net_without_groups_is_only_skipped_by_what_needs_them(tiny, monkeypatch, tmp_path):
    class Plain(nn.Module):
        @nn.compact
        def __call__(self, x, train: bool = False):
            return nn.Dense(3, name="head")(x.reshape(len(x), -1))

    monkeypatch.setitem(TASKS, "tiny", dataclasses.replace(tiny, net=Plain()))
    config = Config(("tiny",), ("channels", "rtn"), {"channels": ((0.5,),), "rtn": ((8,),)}, seeds=(0,))
    found = {r.method.name: r.points[0].runs[0] for r in map(record.read, sweep(config, tmp_path, "test").records)}
    assert found["rtn"].result is not None
    assert "no groups() and resize()" in found["channels"].skipped


def test_an_option_that_fits_nothing_is_named_before_training(refused):
    line = refused("rtn", options={"rtn": {"selector": "foo"}})
    assert line.startswith("options.rtn: on task tiny: selector 'foo' matches no weight; paths are ['conv1/bias'")


def test_two_of_a_name_are_not_taken_for_one(tiny):
    class ConvNet(nn.Module):
        @nn.compact
        def __call__(self, x, train: bool = False):
            return x

    with pytest.raises(ValueError, match="ConvNet"):
        dataclasses.replace(tiny, net=ConvNet())


@pytest.mark.parametrize("where", ["a file", "/proc/slimbench"])
def test_a_workdir_that_cannot_be_written_is_one_line(tiny, monkeypatch, tmp_path, where):
    monkeypatch.setitem(TASKS, "tiny", tiny)
    workdir = tmp_path / "file" if where == "a file" else type(tmp_path)(where)
    if where == "a file":
        workdir.touch()
    with pytest.raises(UsageError, match=f"--workdir: {workdir}: .*must be a folder that can be written"):
        sweep(Config(("tiny",), ("dense",), seeds=(0,)), workdir, "test")


def test_losses_below_zero_run_as_others(tiny, monkeypatch, tmp_path):
    def shifted(out, batch):
        return tiny.loss(out, batch) - 10.0

    metric = Metric("nats", "loss", higher_is_better=False)
    task = dataclasses.replace(tiny, loss=shifted, outcomes=shifted, metric=metric, reach=-9.0, reference=-8.0)
    monkeypatch.setitem(TASKS, "tiny", task)
    config = Config(("tiny",), ("dense", "rtn"), {"rtn": ((8,), (2,))}, seeds=(0,))
    done = sweep(config, tmp_path, "test")
    assert done.failed == []
    assert all(p.runs[0].result.quality < -8 for path in done.records for p in record.read(path).points)


def test_what_a_method_changes_in_init_is_tried_on_the_untrained_net(tiny, monkeypatch, tmp_path):
    """Each once, before the first step."""
    seen, entry = [], METHODS["magnitude"]
    made = entry.make()

    def init(key, problem, variables, strength):
        seen.append((problem.steps, jax.tree.leaves(variables)[0].shape))
        return made.init(key, problem, variables, strength)

    monkeypatch.setitem(TASKS, "tiny", tiny)
    monkeypatch.setitem(METHODS, "magnitude", entry._replace(make=lambda: made._replace(init=init)))
    config = Config(("tiny",), ("magnitude",), {"magnitude": ((0.5,), (0.9,))}, seeds=(0,), tuning=False)
    sweep(config, tmp_path, "test")
    assert len(seen) == 3
    assert {steps for steps, _ in seen} == {6}
