"""Outcomes and batches count examples, whatever the batch size."""

import dataclasses

import numpy as np
import pytest

from benchmarks.measure.quality import Calibration, batches, outcomes, quality


def test_batches_are_full_and_say_how_many_are_examples(tiny, tiny_data):
    seen = [(batch["x"].shape[0], count) for batch, count in batches(tiny, tiny_data.test)]
    assert seen == [(4, 4), (4, 4), (4, 3)]  # 11 rows in batches of 4
    *_, (last, _) = batches(tiny, tiny_data.test)
    np.testing.assert_array_equal(last["y"], np.arange(11)[[8, 9, 10, 10]] % 3)


@pytest.mark.parametrize("eval_batch", [1, 3, 4, 11, 50])
@pytest.mark.parametrize("tree", [False, True])
def test_outcomes_by_hand(tiny, tiny_data, eval_batch, tree):
    """A net that always says class 1 is right on rows 1, 4, 7 and 10."""
    said = np.eye(3, dtype=np.float32)[1]
    run = lambda x: {"logits": np.tile(said, (len(x), 1))} if tree else np.tile(said, (len(x), 1))  # noqa: E731
    score = (lambda out, batch: tiny.outcomes(out["logits"], batch)) if tree else tiny.outcomes
    task = dataclasses.replace(tiny, eval_batch=eval_batch, outcomes=score)
    values = outcomes(task, run, tiny_data.test)
    assert values.dtype == np.float32
    assert values.tolist() == [0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1]
    assert quality(values) == pytest.approx(4 / 11, abs=1e-15)


def test_each_seed_draws_its_own_calibration_examples(tiny, tiny_data):
    """Five of the pool of eight: the same for the same seed, others for another; each once, in the pool's order."""
    task = dataclasses.replace(tiny, calibration=5, eval_batch=4)

    def drawn(seed):
        batches = [batch["x"] for batch in Calibration(task, tiny_data.calibration, seed)]
        assert [len(batch) for batch in batches] == [4, 1]
        pool = np.asarray(tiny_data.calibration["x"])
        rows = [int(np.flatnonzero((pool == x).all((1, 2, 3)))[0]) for x in np.concatenate(batches)]
        assert rows == sorted(set(rows))
        return rows

    assert drawn(0) == drawn(0)
    assert len({tuple(drawn(seed)) for seed in range(10)}) > 5
    assert set().union(*(drawn(seed) for seed in range(10))) == set(range(8))
