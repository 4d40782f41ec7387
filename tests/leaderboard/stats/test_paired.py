"""Paired tests over clusters of examples, by hand, by their definition and against independent implementations."""

import itertools

import numpy as np
import pytest
from scipy import stats

from leaderboard.stats import paired
from leaderboard.stats.paired import clusters, findings, sample
from leaderboard.stats.significance import randomization_test, sign_test, standard_error, t_tail


def found(a, b, labels):
    """Of one seed: what is right, or losses."""
    units = clusters(labels)
    one, two = (sample([(0, float(np.mean([float(x) for x in side])), side)], units) for side in (a, b))
    (finding,) = findings([(one, two)])
    return finding


def test_clusters_are_numbered_by_label():
    units = clusters([30, 10, 30, 20])
    assert (units.of.tolist(), units.sizes.tolist()) == ([2, 0, 2, 1], [1, 1, 2])
    assert clusters(None) is None


def test_right_or_wrong_by_hand():
    """Clusters of 3, 2 and 1 with differences +3, +1 and -1. Of 8 ways to swap them, |±3 ±1 ±1| is at least 3 in 6: in
    all but +3 -1 -1 and -3 +1 +1. The mean is 3 / 6, the residuals 3 - 1.5, 1 - 1 and -1 - 0.5: an error of
    √(3/2 · 4.5) / 6, and t with 2 degrees of freedom.
    """
    finding = found("111100", "000001", [0, 0, 0, 1, 1, 2])
    assert finding.test == paired.SWAPS
    assert finding.p == pytest.approx(6 / 8)
    half = 4.302653 * (1.5 * 4.5) ** 0.5 / 6
    assert (finding.low, finding.high) == (pytest.approx(0.5 - half), pytest.approx(0.5 + half))


def test_swapping_by_its_definition():
    for sums in np.random.default_rng(0).integers(-4, 5, size=(20, 7)):
        ways = [abs(int(np.dot(signs, sums))) >= abs(int(sums.sum())) for signs in itertools.product((-1, 1), repeat=7)]
        assert randomization_test(sums) == pytest.approx(np.mean(ways))


def test_clusters_of_one_example_are_mcnemars_test():
    rng = np.random.default_rng(0)
    a, b = ("".join(map(str, side)) for side in rng.integers(0, 2, size=(2, 60)))
    with_clusters, without = found(a, b, list(range(60))), found(a, b, None)
    assert with_clusters.p == pytest.approx(without.p)
    assert (without.test, with_clusters.test) == (paired.MCNEMAR, paired.SWAPS)
    assert randomization_test(np.array([1] * 7 + [-1] * 2)) == pytest.approx(sign_test(7, 2))


def test_copies_of_an_example_prove_nothing_more():
    """12 examples, each five times: p is that of the 12."""
    a, b = "111111111100", "000000001111"
    labels = [i for i in range(12) for _ in range(5)]
    copied = found("".join(c * 5 for c in a), "".join(c * 5 for c in b), labels)
    assert copied.p == pytest.approx(found(a, b, None).p)


def test_losses_are_bootstrapped_over_clusters():
    """Against a bootstrap that draws whole clusters, one by one; p against a t of the cluster-robust error."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(25), rng.integers(1, 9, size=25))
    a = rng.normal(size=25)[labels] + 0.3 * rng.normal(size=len(labels)) + 0.2
    finding = found(a.tolist(), [0.0] * len(a), labels.tolist())
    of = [a[labels == k] for k in range(25)]
    drawn = [np.concatenate([of[k] for k in rng.integers(25, size=25)]).mean() for _ in range(4000)]
    assert finding.test == paired.CLUSTERED
    assert (finding.low, finding.high) == pytest.approx(np.quantile(drawn, (0.025, 0.975)).tolist(), abs=0.04)
    residuals = [float((values - a.mean()).sum()) for values in of]
    error = (25 / 24 * sum(r * r for r in residuals)) ** 0.5 / len(a)
    assert finding.p == pytest.approx(2 * stats.t.sf(abs(a.mean() / error), 24))
    assert error > 1.5 * a.std() / len(a) ** 0.5


def test_clusters_of_equal_size_are_a_t_test_of_their_means():
    values = np.random.default_rng(0).normal(size=(8, 5))
    error = standard_error(values.sum(1), np.full(8, 5))
    assert t_tail(float(values.mean()), error, 8) == pytest.approx(stats.ttest_1samp(values.mean(1), 0).pvalue)


@pytest.mark.parametrize(("a", "b"), [("1", "0"), ([1.0], [2.0]), ("0", "0"), ([1.0], [1.0])])
@pytest.mark.parametrize("labels", [None, [0]])
def test_one_example_of_one_seed_is_certain_of_nothing(a, b, labels):
    finding = found(a, b, labels)
    assert (finding.p, finding.low, finding.high) == (1.0, None, None)


@pytest.mark.parametrize(("a", "b"), [("1111", "0000"), ([1.0, 2.0, 3.0, 4.0], [2.0, 3.0, 4.0, 5.0])])
def test_one_cluster_is_certain_of_nothing(a, b):
    finding = found(a, b, [3, 3, 3, 3])
    assert (finding.p, finding.low, finding.high) == (1.0, None, None)


def test_seeds_are_pooled_within_a_cluster():
    """Two seeds, two clusters of two: +2 and +1, and of the other seed +1 and +2. Both clusters have 3."""
    units = clusters([0, 0, 1, 1])
    a = sample([(0, 0.75, "1110"), (1, 0.75, "1011")], units)
    b = sample([(0, 0.0, "0000"), (1, 0.0, "0000")], units)
    (finding,) = findings([(a, b)])
    assert finding.difference == 0.75
    assert finding.p == pytest.approx(2 / 4)
    only = sample([(1, 0.0, "0000")], units)
    assert findings([(a, only)])[0].difference == 0.75
