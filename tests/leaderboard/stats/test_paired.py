"""Differences of two entries: interval and p by hand, against SciPy, with clusters, and at the edges."""

import itertools
import time

import numpy as np
import pytest
from scipy import stats

from leaderboard.stats.crossed import crossed
from leaderboard.stats.paired import CROSSED, GIVEN_EXAMPLES, GIVEN_SEED, clusters, compare, level, sample
from leaderboard.stats.significance import t_quantile, t_tail


def entry(*seeds, labels=None):
    """Of seeds 0, 1, …: "0110", or losses."""
    runs = [(seed, float(np.mean([float(x) for x in found])), found) for seed, found in enumerate(seeds)]
    return sample(runs, clusters(labels))


def array(*seeds):
    return np.array([[float(x) for x in found] for found in seeds])


def test_right_or_wrong_of_one_seed():
    """Of ten examples a alone is right on two and b alone on four: 6 changes, less 10 · 0.2², and two more."""
    found = compare(entry("1110011100"), entry("1001111001"))
    assert found.difference == pytest.approx(0.0)
    found = compare(entry("1110011100"), entry("1001111111"))
    error = ((6 - 10 * 0.2**2 + 2) / 9 / 10) ** 0.5
    assert (found.difference, found.seeds, found.about) == (pytest.approx(-0.2), 1, GIVEN_SEED)
    assert found.p == pytest.approx(2 * stats.t.sf(0.2 / error, 9))
    half = stats.t.ppf(0.975, 9) * error
    assert (found.low, found.high) == (pytest.approx(-0.2 - half), pytest.approx(-0.2 + half))
    assert found.most == pytest.approx(-0.2 + stats.t.ppf(0.95, 9) * error)


@pytest.mark.parametrize(("won", "lost"), [(5, 0), (8, 1), (20, 6), (60, 40)])
def test_few_changes_are_judged_about_as_by_the_exact_test(won, lost):
    """McNemar's exact test of 1,000 examples, and the same with half of what is as extreme (mid-p): near these."""
    a = "1" * won + "0" * lost + "1" * (1000 - won - lost)
    b = "0" * won + "1" * lost + "1" * (1000 - won - lost)
    exact = stats.binomtest(won, won + lost).pvalue
    middle = exact - stats.binom.pmf(won, won + lost, 0.5)
    assert 0.6 * middle < compare(entry(a), entry(b)).p < 1.7 * exact


def test_losses_of_one_seed_are_a_t_test():
    """But for the two examples that are added, of the size of the others: by their share."""
    a, b = np.random.default_rng(0).normal(2, 1, size=(2, 400)).round(3)
    found = compare(entry(a.tolist()), entry(b.tolist()))
    d = a - b
    error = ((((d - d.mean()) ** 2).sum() + 2 * (d**2).mean()) / 399 / 400) ** 0.5
    assert found.p == pytest.approx(2 * stats.t.sf(abs(d.mean()) / error, 399))
    assert found.p == pytest.approx(stats.ttest_rel(a, b).pvalue, rel=0.02)


@pytest.mark.parametrize("kind", ["right", "losses"])
def test_several_seeds_are_the_crossed_model(kind):
    rng = np.random.default_rng(0)
    if kind == "right":
        a, b = (["".join(map(str, rng.integers(0, 2, 50))) for _ in range(3)] for _ in range(2))
    else:
        a, b = (rng.exponential(size=(3, 50)).tolist() for _ in range(2))
    found, d = compare(entry(*a), entry(*b)), array(*a) - array(*b)
    step = (np.square(d).sum() / (d != 0).sum()) ** 0.5
    mean, error, df = crossed(d, step)
    assert (found.about, found.seeds, found.difference) == (CROSSED, 3, pytest.approx(mean))
    assert found.p == pytest.approx(t_tail(mean, error, df))
    assert found.high - found.low == pytest.approx(2 * t_quantile(df) * error)


def test_interval_and_p_are_one_test():
    """An end of the 95 % interval is 0 where p is 0.05: they never disagree."""
    rng = np.random.default_rng(1)
    for _ in range(200):
        a, b = (["".join(map(str, (rng.random(40) < share).astype(int))) for _ in range(3)] for share in (0.8, 0.6))
        found = compare(entry(*a), entry(*b))
        assert (found.p < 0.05) == (found.low > 0 or found.high < 0)
        assert found.low < found.least < found.most < found.high or 1.0 in (found.high, -found.low)


def test_only_common_seeds_count():
    a = sample([(0, 1.0, "1111"), (1, 0.0, "0000")])
    b = sample([(1, 0.75, "1110"), (2, 0.0, "0000")])
    found = compare(a, b)
    assert (found.difference, found.seeds, found.about) == (-0.75, 1, GIVEN_SEED)
    assert compare(a, sample([(5, 1.0, "1111")])) is None


def test_without_outcomes_of_the_other_it_is_over_seeds():
    a = sample([(0, 0.5, "10"), (1, 1.0, "11"), (2, 1.0, "11")])
    found = compare(a, sample([(0, 0.5, None), (1, 0.5, None), (2, 0.0, None)]))
    wanted = stats.ttest_rel([0.5, 1.0, 1.0], [0.5, 0.5, 0.0])
    assert (found.about, found.difference, found.p) == (GIVEN_EXAMPLES, 0.5, pytest.approx(wanted.pvalue))
    assert (found.low, found.high) == (pytest.approx(wanted.confidence_interval().low), 1.0)
    assert compare(entry("10"), sample([(0, 0.5, None)])) is None


def test_seeds_alone_that_agree_show_no_spread():
    """Three of one sign have 2 / 2³."""
    found = compare(sample([(s, 0.5, None) for s in range(3)]), sample([(s, 0.25, None) for s in range(3)]))
    assert (found.difference, found.p, found.low, found.high) == (0.25, 0.25, None, None)


@pytest.mark.parametrize("seeds", [1, 3])
def test_where_no_example_differs_the_bound_is_exact(seeds):
    """None of 8 differs: at most 1 - 0.025^(1/8) of new ones do; one is worth 1, of losses the greatest loss."""
    right, losses = ["11110000"] * seeds, [[1.0, 2.0, 0.5, 4.0, 1.0, 1.0, 1.0, 1.0]] * seeds
    room = stats.binomtest(0, 8).proportion_ci(0.95, method="exact").high
    found = compare(entry(*right), entry(*right))
    assert (found.p, found.low, found.high) == (1.0, pytest.approx(-room), pytest.approx(room))
    assert found.most == pytest.approx(1 - 0.05 ** (1 / 8))
    assert compare(entry(*losses), entry(*losses)).high == pytest.approx(4 * room)
    assert compare(entry([0.0] * 8), entry([0.0] * 8)).high == pytest.approx(room)


def test_an_interval_stays_in_the_possible_range():
    found = compare(entry("1111111110"), entry("0000000001"))
    assert (found.low < found.difference, found.high) == (True, 1.0)
    found = compare(entry("0000"), entry("1111"))
    assert (found.low, found.difference) == (-1.0, -1.0)
    assert found.high > -1.0


@pytest.mark.parametrize(("a", "b"), [("1", "0"), ([1.0], [2.0]), ("0", "0"), ([1.0], [1.0])])
@pytest.mark.parametrize("labels", [None, [0]])
def test_one_example_is_certain_of_nothing(a, b, labels):
    found = compare(entry(a, labels=labels), entry(b, labels=labels))
    assert (found.p, found.low, found.high, found.least, found.most) == (1.0, None, None, None, None)
    assert level(entry(a, labels=labels))[3:] == (None, None)


@pytest.mark.parametrize(("a", "b"), [("1111", "0000"), ([1.0, 2.0, 3.0, 4.0], [2.0, 3.0, 4.0, 5.0])])
def test_one_cluster_is_certain_of_nothing(a, b):
    found = compare(entry(a, labels=[3] * 4), entry(b, labels=[3] * 4))
    assert (found.p, found.low, found.high) == (1.0, None, None)


def test_clusters_are_in_the_order_of_their_labels():
    units = clusters([30, 10, 30, 20])
    assert (units.order.tolist(), units.starts.tolist(), units.sizes.tolist()) == ([1, 3, 0, 2], [0, 1, 2], [1, 1, 2])
    assert clusters(None) is None


def test_clusters_by_hand():
    """Clusters of 3, 2 and 1 with differences +1, +1 and 0, mean 1 / 3. Residuals 1 - 1, 1 - 2/3 and 0 - 1/3: an error
    of √(3/2 · (2/9 + 2)) / 6, where 2 is one example more either way, and t with 2 degrees of freedom.
    """
    a, b = (entry(right, labels=[0, 0, 0, 1, 1, 2]) for right in ("110101", "010001"))
    found, error = compare(a, b), (1.5 * (2 / 9 + 2)) ** 0.5 / 6
    assert (found.difference, found.p) == (pytest.approx(1 / 3), pytest.approx(2 * stats.t.sf(1 / 3 / error, 2)))
    assert (found.least, found.most) == (pytest.approx(1 / 3 - 2.919986 * error), 1.0)


def test_clusters_of_one_example_change_nothing():
    rng = np.random.default_rng(0)
    a, b = (["".join(map(str, side)) for side in rng.integers(0, 2, size=(3, 60))] for _ in range(2))
    labels = rng.permutation(60).tolist()
    assert compare(entry(*a, labels=labels), entry(*b, labels=labels)) == pytest.approx(compare(entry(*a), entry(*b)))


def test_copies_of_an_example_prove_nothing_more():
    """40 examples, each five times: about the p of the 40, and not that of 200."""
    rng = np.random.default_rng(0)
    a, b = rng.exponential(size=(2, 40)) + np.array([[0.0], [0.5]])
    labels = [i for i in range(40) for _ in range(5)]
    copied = compare(
        entry(np.repeat(a, 5).tolist(), labels=labels),
        entry(np.repeat(b, 5).tolist(), labels=labels),
    )
    once = compare(entry(a.tolist()), entry(b.tolist()))
    assert copied.p == pytest.approx(once.p, rel=0.25)
    assert compare(entry(np.repeat(a, 5).tolist()), entry(np.repeat(b, 5).tolist())).p < 0.1 * once.p


def test_cluster_robust_errors_like_statsmodels():
    """The cluster-robust error of a mean, clusters of 1 to 8 examples; the two examples more are taken off."""
    api = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(20), rng.integers(1, 9, 20))
    a = rng.normal(size=20)[labels] + rng.normal(size=len(labels))
    b = np.zeros(len(labels))
    found = compare(entry(a.tolist(), labels=labels), entry(b.tolist(), labels=labels))
    robust = api.OLS(a, np.ones(len(a))).fit(cov_type="cluster", cov_kwds={"groups": labels})
    n, k = len(a), 20
    error = robust.bse[0] * ((n - 1) / n) ** 0.5  # its correction is k / (k - 1) · (n - 1) / (n - 1)
    half = (found.high - found.low) / 2 / t_quantile(k - 1)
    assert half == pytest.approx(error, rel=0.05)


def test_a_level_is_the_crossed_model_on_the_log_odds():
    right = ["1" * 36 + "0" * 4, "0" + "1" * 37 + "00", "1" * 40]
    values = array(*right)
    q, error, df = crossed(values, float(values.std()))
    found = level(entry(*right))
    half = t_quantile(df) * error / (q * (1 - q))
    odds = np.log(q / (1 - q))
    assert (found.mean, found.n) == (pytest.approx(q), 3)
    assert (found.low, found.high) == pytest.approx((1 / (1 + np.exp(half - odds)), 1 / (1 + np.exp(-half - odds))))
    assert found.std == pytest.approx(np.std([0.9, 0.925, 1.0], ddof=1))


def test_a_level_of_losses_stays_above_zero():
    found = level(entry([0.0] * 30 + [5.0], [0.0] * 31))
    assert 0 < found.low < found.mean < found.high
    assert level(entry([0.0] * 8))[3:] == (0.0, pytest.approx(1 - 0.025 ** (1 / 8)))
    below = level(entry([-1.0, 1.0, 2.0]))
    assert below.high - below.mean == pytest.approx(below.mean - below.low)


@pytest.mark.parametrize("right", ["1" * 40, "0" * 40])
def test_a_level_of_all_or_none_has_the_exact_bound(right):
    wanted = stats.binomtest(right.count("1"), 40).proportion_ci(0.95, method="exact")
    assert level(entry(right, right))[3:] == pytest.approx((wanted.low, wanted.high))


def test_a_level_is_never_of_no_width():
    """Each cluster has one of two right under every seed: neither seeds nor clusters vary."""
    found = level(entry("1010", "1010", labels=[0, 0, 1, 1]))
    assert 0 < found.low < 0.5 < found.high < 1


def test_a_level_without_outcomes_is_over_seeds():
    found = level(sample([(0, 0.9, None), (1, 0.99, None)]), (0.0, 1.0))
    assert (found.mean, found.high) == (pytest.approx(0.945), 1.0)


@pytest.mark.parametrize("size", [1e100, 1e-170, -1e100])
@pytest.mark.parametrize("seeds", [1, 3])
def test_the_largest_and_smallest_numbers_are_numbers(size, seeds):
    """What a record may hold; squares of squares would be beyond floats."""
    rng = np.random.default_rng(0)
    a, b = (entry(*(size * rng.uniform(0.5, 1, (seeds, 6))).tolist()) for _ in range(2))
    found = compare(a, b)
    assert 0 <= found.p <= 1
    assert np.isfinite([found.low, found.high, *level(a)[3:]]).all()


def test_all_pairs_of_sixty_methods_take_a_moment():
    """1,770 pairs of three seeds on 1,000 examples: 0.1 s of a processor. Thirty tasks at three budgets: seconds."""
    right = np.random.default_rng(0).integers(0, 2, size=(60, 3, 1000))
    entries = [entry(*("".join(map(str, row)) for row in side)) for side in right.tolist()]
    begun = time.process_time()
    assert all(compare(a, b) is not None for a, b in itertools.combinations(entries, 2))
    assert time.process_time() - begun < 2
