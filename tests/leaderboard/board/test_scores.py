"""Scores of curves by hand, and that no entry moves another's. The reference is 0.5, its window 625 B to 40 kB."""

import numpy as np
import pytest

from leaderboard.board.board import boards
from leaderboard.board.scores import scores
from leaderboard.record.schema import Latencies

LARGE = [(0.5, 0.0, 40_000 + i) for i in range(4)]
"""Sizes at the window's end that nobody picks on valid: they cover it, and count for nothing."""
SMALL = (0.5, 0.1, 625)
"""A size at the window's begin that keeps nothing."""


def score(record, axis="bytes"):
    return next(found for found in scores(record) if found.axis == axis)


def curve(toy, points, task=None, **changes):
    """`points`: (quality, quality on valid, bytes); the dense net has 0.9 and 40,000 bytes."""
    made = {i: {0: toy.result(q, size, valid_quality=valid)} for i, (q, valid, size) in enumerate(points)}
    return toy(made, **({"task": task} if task else {}), **changes)


def test_dense_quality_at_the_least_budget_scores_1(toy):
    """What is smaller than the window still counts as its begin."""
    assert score(curve(toy, [(0.9, 0.9, 625), *LARGE])).value == pytest.approx(1)
    assert score(curve(toy, [(1.0, 0.9, 100), *LARGE])).value == pytest.approx(1)


def test_a_curve_by_hand(toy):
    """The window is 2⁶. 0.7 at 1/16 of its end keeps half of dense's 0.4 above 0.5, for 2 of 6 doublings; 0.9 at 1/4
    keeps all, for 2.
    """
    found = score(curve(toy, [SMALL, (0.7, 0.7, 2500), (0.9, 0.9, 10_000), *LARGE[:2]]))
    assert found.value == pytest.approx((0.5 * 2 + 1.0 * 2) / 6)
    assert found.valid == pytest.approx((0.5 * 2 + 1.0 * 2) / 6)
    assert (found.low, found.high, len(found.seeds), found.partial) == (None, None, 1, False)


def test_another_window(toy):
    """From 2,500 to 20,000 B are 3 doublings: half is kept for the first 2 of them, all for the third."""
    task = toy.task | {"window": [2500, 20_000]}
    points = [(0.7, 0.7, 2000), (0.9, 0.9, 10_000), *LARGE[:3]]
    assert score(curve(toy, points, task)).value == pytest.approx((0.5 * 2 + 1.0) / 3)


@pytest.mark.parametrize(
    ("points", "partial"),
    [
        ([(0.9, 0.9, 625), *LARGE], False),
        ([(0.9, 0.9, 626), *LARGE], True),
        ([*[(0.9, 0.9, 625 + i) for i in range(4)], (0.9, 0.9, 39_999)], True),
        ([(0.9, 0.9, 625), *LARGE[:3]], True),
        ([(0.9, 0.9, 625), (0.8, 0.9, 625), *LARGE[:3]], True),
    ],
    ids=["covered", "too large", "too small", "four sizes", "four different sizes"],
)
def test_a_curve_that_says_too_little_has_no_score(toy, points, partial):
    found = score(curve(toy, points))
    assert (found.partial, found.value is None, not found.seeds) == (partial, partial, partial)


def test_sizes_are_means_over_seeds(toy):
    """600 and 650 are 625 on average: the second seed's smallest artifact is larger than the window's begin."""
    low = {0: toy.result(0.9, 600), 1: toy.result(0.9, 650)}
    rest = {i: {s: toy.result(0.9, 40_000 + i, valid_quality=0.0) for s in (0, 1)} for i in range(4)}
    found = score(toy({9: low, **rest}))
    assert found.seeds == pytest.approx({0: 1, 1: 1 - np.log2(650 / 625) / 6})


def test_a_method_without_a_knob_is_no_curve_and_a_task_without_a_window_has_no_scores(toy):
    assert not score(toy({(): {0: (0.9, 40_000)}}, method="dense", knobs=())).partial
    task = toy.task | {"window": None}
    found = [score(curve(toy, [(0.9, 0.9, 625), *LARGE], task), axis) for axis in ("bytes", "latency")]
    assert [(s.value, s.partial) for s in found] == [(None, False)] * 2


def test_valid_picks_and_test_counts(toy):
    """The larger artifact is better on test, yet on valid it is worse: the smaller one is kept, at half."""
    points = [SMALL, (0.7, 0.8, 2500), (0.9, 0.7, 10_000), *LARGE[:2]]
    assert score(curve(toy, points)).value == pytest.approx(0.5 * 4 / 6)


def test_below_the_reference_counts_as_nothing_and_above_dense_as_dense(toy):
    assert score(curve(toy, [(0.1, 0.9, 625), *LARGE])).value == 0
    assert score(curve(toy, [SMALL, (1.0, 0.9, 10_000), *LARGE[:3]])).value == pytest.approx(2 / 6)


def test_a_loss(toy):
    """Reference 3, dense 2: 2.25 keeps ¾; at 1/8 for 3 of 6 doublings."""
    sizes = {625: 3.0, 5000: 2.25, **{40_000 + i: 3.0 for i in range(3)}}
    made = {i: {0: toy.result(q, size, "loss", valid_quality=q)} for i, (size, q) in enumerate(sizes.items())}
    assert score(toy(made, task=toy.loss, dense={0: 2.0})).value == pytest.approx(0.75 / 2)


def test_latency_is_relative_to_dense_and_deployed(toy):
    """Four times as fast is 2 of the 3 doublings of 8. Simulated artifacts have no score, four sizes neither."""
    fast = Latencies(one=toy.timed(1, 1.0, 4.0), batch=toy.timed(8, 1.0, 4.0))

    def timed(sizes, **changes):
        return toy({i: {0: toy.result(0.9, 100 + i, latency=fast, **changes)} for i in range(sizes)})

    assert score(timed(5, execution="deployed"), "latency").value == pytest.approx(2 / 3)
    assert score(timed(5), "latency").value is None
    few = score(timed(4, execution="deployed"), "latency")
    assert (few.value, few.partial) == (None, True)


def test_seeds_are_averaged_and_failures_keep_nothing(toy):
    """Seed 0: 0.7 at the window's begin, so half. Seed 1 failed there: 0. Seed 2 did not run there and is left out."""
    low = {0: toy.result(0.7, 625), 1: "no room"}
    high = {i: {s: toy.result(0.5, 40_000 + i, valid_quality=0.0) for s in (0, 1, 2)} for i in range(4)}
    found = score(toy({9: low, **high}))
    assert found.seeds == pytest.approx({0: 0.5, 1: 0})
    assert found.value == pytest.approx(0.25)
    assert (found.low, found.high) == (0, 1)  # of 0.25 ± 12.7 · 0.25, what can be


def test_all_failed_or_no_better_than_the_reference(toy):
    failed = score(toy({4: {0: "no room"}}))
    assert (failed.value, failed.partial) == (None, False)
    assert score(curve(toy, [(0.9, 0.9, 625), *LARGE], dense={0: 0.5})).value == 0


def test_a_skipped_point_keeps_nothing_and_hides_no_seed(toy):
    """Of 6 doublings, the 2 above 1/4 are kept whole; where all is skipped there is no score."""
    made = {i: {0: toy.result(q, size, valid_quality=v)} for i, (q, v, size) in enumerate([SMALL, *LARGE[:3]])}
    skipped = toy({11: {0: ["needs groups"]}, 12: {0: toy.result(0.9, 10_000)}, **made})
    assert score(skipped).value == pytest.approx(2 / 6)
    assert score(toy({2: {0: ["needs groups"]}})).value is None


@pytest.mark.parametrize("seed", range(5))
def test_adding_entries_never_moves_a_score(toy, seed):
    """Random curves, the new ones better and worse than what is there."""
    rng = np.random.default_rng(seed)

    def entry(digest):
        sizes = [600, *rng.integers(1, 50_000, 4).tolist(), 45_000]
        points = [(q, q, size) for q, size in zip(rng.integers(11, size=6) / 10, sizes, strict=True)]
        return curve(toy, points, digest=digest)

    def found(records):
        return {(s.digest, s.axis): s for s in boards(records)[0].divisions[0].scores}

    records = [entry(f"a{i}") for i in range(3)]
    before = found(records)
    after = found([*records, *(entry(f"b{i}") for i in range(4))])
    assert len(after) == 14
    assert all(before[f"a{i}", "bytes"].value is not None for i in range(3))
    assert {key: after[key] for key in before} == before
