"""What a task refuses by itself, and its reference."""

import dataclasses
import math

import numpy as np
import pytest
from flax import linen as nn

from tasks import TASKS
from tasks.base import Data, Metric, Recipe, pooled, reference
from tasks.language_model import unigram
from tasks.nets import spec

DIGITS = TASKS["digits"]
RECIPE = Recipe(steps=10, batch_size=2, learning_rate=0.1, warmup=9)


def with_recipe(**changes):
    return dataclasses.replace(RECIPE, **changes)


def test_the_fields_at_their_bounds_are_taken():
    task = dataclasses.replace(DIGITS, name="A.b-c+1", version=1, eval_batch=1, dense=RECIPE, recovery=RECIPE)
    assert hash(dataclasses.replace(task, sweeps={"lsq": ((4.0,), (2.0,)), "chain": ((0.5, 8.0),)})) == hash(task)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        *(({"name": name}, "name must be a letter") for name in ("", "a/b", "a,b", ".a", "a b", "é", "a" * 101)),
        ({"name": None}, "name is a NoneType; it must be an instance of str"),
        ({"modality": "touch"}, "modality is 'touch'; it must be one of vision, language, speech"),
        ({"version": 0}, "version is 0; it must be a whole number, 1 or more"),
        ({"version": True}, "version is True"),
        ({"eval_batch": 0}, "eval_batch is 0"),
        ({"eval_batch": 2.0}, "eval_batch is 2.0"),
        ({"dense": with_recipe(steps=0)}, r"dense\.steps is 0"),
        ({"recovery": with_recipe(steps=0)}, r"recovery\.steps is 0"),
        ({"dense": with_recipe(batch_size=0)}, r"dense\.batch_size is 0"),
        ({"recovery": with_recipe(batch_size=-1)}, r"recovery\.batch_size is -1"),
        ({"dense": with_recipe(warmup=10)}, r"dense\.warmup is 10; it must be from 0 to dense\.steps - 1, 9"),
        ({"recovery": with_recipe(warmup=-1)}, r"recovery\.warmup is -1"),
        ({"reach": math.nan}, "reach is nan; it must be a finite number"),
        ({"reference": None}, "reference is None; it must be a finite number"),
        ({"net": nn.Dense}, "net is a type; it must be an instance of Module"),
        ({"net": None}, "net is a NoneType"),
        ({"teacher": 3}, r"teacher is a int; it must be an instance of .*Module \| None"),
        ({"dense": {"steps": 3}}, "dense is a dict; it must be an instance of Recipe"),
        ({"metric": "accuracy"}, "metric is a str; it must be an instance of Metric"),
        (
            {"metric": Metric("accuracy", "right", True)},
            r"metric\.outcome is 'right'; it must be one of correct, loss, ",
        ),
        ({"batch": None}, "batch is a NoneType; it must be an instance of Callable"),
        ({"sweeps": ((4.0,),)}, "sweeps is a tuple; it must be an instance of Mapping"),
        *(
            ({"sweeps": {"lsq": sweep}}, r"sweeps\.lsq is .* it must be a tuple of tuples of floats")
            for sweep in ((), 4.0, (4.0,), [(4.0,)], ((),), ((4,),), ([4.0],))
        ),
    ],
)
def test_a_wrong_field_is_one_line_that_names_it(changes, said):
    with pytest.raises(ValueError, match=said) as error:
        dataclasses.replace(DIGITS, **changes)
    assert str(error.value).startswith(f"task {changes.get('name', 'digits')!r}: ")
    assert "\n" not in str(error.value)


def test_the_nets_of_a_task_are_known(monkeypatch):
    class Own(nn.Module):
        width: int = 3

    class Larger(nn.Module):
        pass

    monkeypatch.setattr(spec, "NETS", dict(spec.NETS))
    dataclasses.replace(DIGITS, net=Own(), teacher=Larger())
    assert (spec.NETS["Own"], spec.NETS["Larger"]) == (Own, Larger)
    assert spec.net_from_json({"name": "Own", "fields": {"width": 5}}) == Own(5)
    dataclasses.replace(DIGITS, name="other", net=Own(4))


@pytest.mark.parametrize("field", ["net", "teacher"])
def test_a_net_named_as_another_is_refused_by_name(monkeypatch, field):
    class Encoder(nn.Module):
        pass

    monkeypatch.setattr(spec, "NETS", dict(spec.NETS))
    said = (
        rf"task 'mine': {field}: there is a net tasks\.nets\.encoder\.Encoder already; tests.*Encoder must have a name"
    )
    with pytest.raises(ValueError, match=said):
        dataclasses.replace(DIGITS, name="mine", **{field: Encoder()})


def test_the_pool_of_calibration_is_spread_over_train():
    small, large = {"y": np.arange(7)}, {"y": np.arange(10000)}
    assert pooled(small, {}, {}).calibration["y"].tolist() == list(range(7))
    rows = pooled(large, {}, {}).calibration["y"]
    assert (len(rows), len(set(rows)), sorted(rows)) == (1000, 1000, rows.tolist())
    assert np.bincount(rows // 1000).min() > 60  # of a hundred in each tenth
    assert np.bincount(rows % 10).min() > 60


def test_a_reference_is_a_number_or_a_function_of_the_data():
    data = Data({"y": np.arange(4)}, {}, {}, {})
    assert reference(dataclasses.replace(DIGITS, reference=0.25), data) == 0.25
    assert reference(dataclasses.replace(DIGITS, reference=lambda data: 1 / len(data.train["y"])), data) == 0.25


def test_unigram_by_hand():
    """Train, in windows of 2: 0 0 | 0 1, so counts 3, 1 and 0 of 4 tokens; two distinct ones stand for 2 more of all:
    shares (3 + 2/3) / 6, (1 + 2/3) / 6 and (2/3) / 6. Targets of test: 0, 1, 0 and 2."""
    train = np.array([[0, 0, 0, 1, 9], [0, 1, 9, 9, 9]])
    test = np.array([[9, 0, 1], [9, 0, 2]])
    shares = np.array([11, 5, 2]) / 18
    expected = -np.log(shares[[0, 1, 0, 2]]).mean()
    data = Data({"tokens": train}, {}, {"tokens": test}, {})
    assert unigram(data, length=2, vocabulary=3) == pytest.approx(expected, rel=1e-12)
