"""Scores of curves by hand, and that no entry moves another's. The toy's reference is 0.5."""

import numpy as np
import pytest

from leaderboard.board.board import boards
from leaderboard.board.scores import scores
from leaderboard.record.schema import Latencies, Latency


def score(record, axis="bytes"):
    return next(found for found in scores(record) if found.axis == axis)


def curve(toy, points, task=None, **changes):
    """`points`: (quality, quality on valid, bytes); the dense net has 0.9 and 40,000 bytes."""
    made = {i: {0: toy.result(q, size, valid_quality=valid)} for i, (q, valid, size) in enumerate(points)}
    return toy(made, **({"task": task} if task else {}), **changes)


def test_dense_as_it_is_scores_0(toy):
    assert score(curve(toy, [(0.9, 0.9, 40_000)])).value == 0


def test_dense_quality_at_the_least_budget_scores_1(toy):
    """1/64 of 40,000 bytes is 625; what is smaller still counts as that."""
    assert score(curve(toy, [(0.9, 0.9, 625)])).value == pytest.approx(1)
    assert score(curve(toy, [(1.0, 0.9, 100)])).value == pytest.approx(1)


def test_a_curve_by_hand(toy):
    """64 = 2⁶. 0.7 at 1/16 keeps half of dense's 0.4 above 0.5, for 2 of 6 doublings; 0.9 at 1/4 keeps all, for 2."""
    found = score(curve(toy, [(0.7, 0.7, 2500), (0.9, 0.9, 10_000)]))
    assert found.value == pytest.approx((0.5 * 2 + 1.0 * 2) / 6)
    assert found.valid == pytest.approx((0.5 * 2 + 1.0 * 2) / 6)
    assert (found.low, found.high, len(found.seeds)) == (None, None, 1)


def test_valid_picks_and_test_counts(toy):
    """The larger artifact is better on test, yet on valid it is worse: the smaller one is kept, at half."""
    assert score(curve(toy, [(0.7, 0.8, 2500), (0.9, 0.7, 10_000)])).value == pytest.approx(0.5 * 4 / 6)


def test_below_the_reference_counts_as_nothing_and_above_dense_as_dense(toy):
    assert score(curve(toy, [(0.1, 0.9, 625)])).value == 0
    assert score(curve(toy, [(1.0, 0.9, 10_000)])).value == pytest.approx(2 / 6)


def test_a_loss(toy):
    """Reference 3, dense 2: 2.25 keeps ¾; at 1/8 for 3 of 6 doublings."""
    made = toy({0: {0: toy.result(2.25, 5000, "loss", valid_quality=2.25)}}, task=toy.loss, dense={0: 2.0})
    assert score(made).value == pytest.approx(0.75 / 2)


def test_latency_is_relative_to_dense_and_deployed(toy):
    """Four times as fast is 2 of the 3 doublings of 8. Simulated artifacts have no score."""
    fast = Latency(batch=8, median_ms=0.25, p95_ms=1, dense_median_ms=1.0, compile_s=0)
    one = toy.result(0.9, 40_000, execution="deployed", latency=Latencies(one=fast, batch=fast))
    assert score(toy({4: {0: one}}), "latency").value == pytest.approx(2 / 3)
    assert (
        score(toy({4: {0: toy.result(0.9, 40_000, latency=Latencies(one=fast, batch=fast))}}), "latency").value is None
    )


def test_seeds_are_averaged_and_failures_keep_nothing(toy):
    """Seed 0: 0.7 at 1/64, so half. Seed 1 failed there: 0. Seed 2 ran at one strength only and is left out."""
    low = {0: toy.result(0.7, 625), 1: "no room"}
    high = {0: toy.result(0.7, 40_000), 1: toy.result(0.9, 40_000), 2: toy.result(0.9, 40_000)}
    found = score(toy({2: low, 8: high}))
    assert found.seeds == (pytest.approx(0.5), 0)
    assert found.value == pytest.approx(0.25)
    assert found.low == pytest.approx(0.25 - 12.7062 * 0.25, abs=1e-4)


def test_all_failed_or_no_better_than_the_reference(toy):
    assert score(toy({4: {0: "no room"}})).value is None
    assert score(toy({4: {0: (0.9, 625)}}, dense={0: 0.5})).value == 0


def test_a_skipped_point_keeps_nothing_and_hides_no_seed(toy):
    """Of 6 doublings, the 2 above 1/4 are kept whole; where all is skipped there is no score."""
    skipped = toy({2: {0: ["needs groups"]}, 8: {0: toy.result(0.9, 10_000)}})
    assert score(skipped).value == pytest.approx(2 / 6)
    assert score(toy({2: {0: ["needs groups"]}})).value is None


@pytest.mark.parametrize("seed", range(5))
def test_adding_entries_never_moves_a_score(toy, seed):
    """Random curves, the new ones better and worse than what is there."""
    rng = np.random.default_rng(seed)

    def entry(digest):
        sizes = rng.integers(1, 50_000, 4).tolist()
        points = [(q, q, size) for q, size in zip(rng.integers(11, size=4) / 10, sizes, strict=True)]
        return curve(toy, points, digest=digest)

    records = [entry(f"a{i}") for i in range(3)]
    before = {(s.digest, s.axis): s for s in boards(records)[0].divisions[0].scores}
    after = {
        (s.digest, s.axis): s for s in boards([*records, *(entry(f"b{i}") for i in range(4))])[0].divisions[0].scores
    }
    assert len(after) == 14
    assert {key: after[key] for key in before} == before
