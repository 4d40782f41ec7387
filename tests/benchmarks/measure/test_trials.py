"""Trials: numbers as NumPy has them, every call counted."""

import dataclasses

import jax
import numpy as np
import pytest

from benchmarks.artifact.file import write_artifact
from benchmarks.measure.counts import count
from benchmarks.train.optimize import problem_of
from methods.base import Shipped
from methods.flaxnet import forward
from methods.paths import with_params


@pytest.fixture(scope="module")
def dense(tiny_dense):
    return tiny_dense[0].variables


def halved(variables):
    """Other weights, half of them zero in the largest kernel."""
    params = jax.tree.map(lambda leaf: 0.5 * leaf, variables["params"])
    kernel = params["dense1"]["kernel"]
    params["dense1"]["kernel"] = kernel.at[: len(kernel) // 2].set(0)
    return with_params(variables, params)


def log_softmax(net, variables, x):
    """Of what the net makes of x, in float64."""
    out = np.float64(forward(net, variables, x)[0])
    return out - np.log(np.exp(out).sum(-1, keepdims=True))


@pytest.mark.parametrize("split", ["calibration", "valid"])
def test_loss_and_divergence_are_means_over_examples(tiny, tiny_data, dense, split):
    """Of 8 or 10 in batches of 4: the last may be padded."""
    problem, arrays = problem_of(tiny, tiny_data, 0, dense=dense), jax.device_get(getattr(tiny_data, split))
    tried = problem.trial(Shipped(tiny.net, halved(dense)), split)
    log_p, log_q = (log_softmax(tiny.net, v, arrays["x"]) for v in (dense, halved(dense)))
    assert tried.loss == pytest.approx(-np.mean(log_q[np.arange(len(arrays["y"])), arrays["y"]]), rel=1e-5)
    assert tried.divergence == pytest.approx(np.mean(np.sum(np.exp(log_p) * (log_p - log_q), -1)), rel=1e-4)
    assert problem.trial(Shipped(tiny.net, dense), split).divergence == 0


def test_places_that_do_not_count_do_not_diverge(tiny, tiny_data, dense):
    def batch(arrays, rows, key):
        made = tiny.batch(arrays, rows, key)
        return made | {"weight": (made["y"] == 1).astype("float32")}

    task = dataclasses.replace(tiny, batch=batch)
    tried = problem_of(task, tiny_data, 0, dense=dense).trial(Shipped(tiny.net, halved(dense)), "valid")
    arrays = jax.device_get(tiny_data.valid)
    log_p, log_q = (log_softmax(tiny.net, v, arrays["x"]) for v in (dense, halved(dense)))
    places = np.sum(np.exp(log_p) * (log_p - log_q), -1)[arrays["y"] == 1]
    assert tried.divergence == pytest.approx(places.mean(), rel=1e-4)


def test_size_and_operations_are_those_of_the_artifact(tiny, tiny_data, dense, tmp_path):
    problem, shipped = problem_of(tiny, tiny_data, 0, dense=dense), Shipped(tiny.net, halved(dense))
    tried, counts = problem.trial(shipped, "valid"), count(shipped, problem.example)
    write_artifact(tmp_path / "a", shipped, problem.example)
    assert tried.bytes == (tmp_path / "a").stat().st_size
    assert tried.macs == np.ceil(counts.effective_macs) < counts.macs
    assert tried.bops == counts.bops
    assert sum(problem.macs.values()) == counts.macs
    assert problem.macs["dense1/kernel"] == 16 * 8


def test_every_call_is_counted(tiny, tiny_data, dense):
    problem = problem_of(tiny, tiny_data, 0, dense=dense)
    taken = problem.calibration.taken
    for split, counted in (("valid", (0, 0, 10)), ("calibration", (8, 8, 18)), ("calibration", (8, 16, 26))):
        problem.trial(Shipped(tiny.net, dense), split)
        assert (taken.examples, taken.drawn, taken.labelled) == counted


def test_outputs_that_are_no_logits_have_no_divergence(tiny, tiny_data, dense):
    task = dataclasses.replace(tiny, offers=frozenset())
    tried = problem_of(task, tiny_data, 0, dense=dense).trial(Shipped(tiny.net, dense), "valid")
    assert np.isnan(tried.divergence)
    assert np.isfinite(tried.loss)


def test_there_is_no_trial_on_test(tiny, tiny_data, dense):
    with pytest.raises(ValueError, match="split is 'test'"):
        problem_of(tiny, tiny_data, 0, dense=dense).trial(Shipped(tiny.net, dense), "test")
    assert problem_of(tiny, tiny_data, 0).trial is None
