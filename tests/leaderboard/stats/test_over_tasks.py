"""Methods over tasks: means, bootstraps, ranks and critical differences, against printed tables and SciPy."""

import numpy as np
import pytest
from scipy import stats

from leaderboard.stats.over_tasks import critical, intervals, means, standings


def table(scores):
    """{method: [[score of each seed] of each task]} with names."""
    return {m: {f"t{k}": dict(enumerate(seeds)) for k, seeds in enumerate(row)} for m, row in scores.items()}


def test_each_task_weighs_the_same():
    """3 seeds of 0.9 and one of 0.1 are 0.5."""
    assert means(table({"a": [[0.9, 0.9, 0.9], [0.1]]})) == {"a": pytest.approx(0.5)}


def test_the_interval_draws_tasks():
    """Seeds that agree: what is left is the bootstrap of the means of tasks."""
    values = np.random.default_rng(0).uniform(size=12)
    low, high = intervals(table({"a": [[v, v] for v in values]}))["a"]
    wanted = stats.bootstrap((values,), np.mean, method="percentile", rng=np.random.default_rng(1)).confidence_interval
    assert (low, high) == (pytest.approx(wanted.low, abs=0.02), pytest.approx(wanted.high, abs=0.02))


def test_the_interval_draws_seeds_within_tasks():
    """Tasks that agree, seeds that do not: the variance is that of six means of two seeds each."""
    seeds = [[0.3, 0.7]] * 6
    low, high = intervals(table({"a": seeds}))["a"]
    half = 1.96 * (0.04 / 2 / 6) ** 0.5
    assert (low, high) == (pytest.approx(0.5 - half, abs=0.015), pytest.approx(0.5 + half, abs=0.015))


def test_draws_are_the_same_for_all():
    """b is a plus 0.1 on every task and seed; so is its interval. A single task shows no spread."""
    a = np.random.default_rng(0).uniform(0, 0.5, size=(5, 3))
    found = intervals(table({"a": a.tolist(), "b": (a + 0.1).tolist()}))
    assert found["b"] == pytest.approx([end + 0.1 for end in found["a"]])
    assert intervals(table({"a": [[0.1, 0.2]]})) == {"a": None}
    assert intervals({}) == {}


def test_a_seed_that_a_method_lacks_is_not_drawn_for_it():
    found = intervals({"a": {"t0": {0: 0.2}, "t1": {0: 0.4}}, "b": {"t0": {0: 0.2, 1: 0.3}, "t1": {1: 0.5}}})
    assert found["a"] == pytest.approx((0.2, 0.4))


def test_ranks_are_t_tests_over_tasks():
    """b is below a by 0.09 to 0.11 on eight tasks, c anywhere."""
    rng = np.random.default_rng(0)
    a = rng.uniform(0.5, 0.6, size=(8, 2))
    scores = {"a": a, "b": a - rng.uniform(0.09, 0.11, size=(8, 1)), "c": rng.uniform(0, 1, size=(8, 2))}
    found = standings(table({name: values.tolist() for name, values in scores.items()}))
    assert found == {"a": (1, 2), "b": (2, 3), "c": (1, 3)}
    d = (scores["a"] - scores["c"]).mean(1)
    assert stats.ttest_1samp(d, 0).pvalue > 0.05


def test_few_tasks_tell_nobody_apart():
    """Differences of 0.1, 0.2 and 0.3: t is 3.5 with 2 degrees of freedom, p 0.07."""
    found = standings(table({"a": [[0.9], [0.8], [0.7]], "b": [[0.8], [0.6], [0.4]]}))
    assert found == {"a": (1, 2), "b": (1, 2)}
    assert standings(table({"a": [[0.9]], "b": [[0.1]]})) == {"a": (1, 2), "b": (1, 2)}


def test_ranks_are_of_common_seeds():
    """On seed 0, which both have, they agree to the last digit; without a common seed nothing is said."""
    a = {f"t{k}": {0: 0.5, 1: 0.9} for k in range(9)}
    b = {f"t{k}": {0: 0.5} for k in range(9)}
    c = {f"t{k}": {2: 0.1} for k in range(9)}
    assert set(standings({"a": a, "b": b, "c": c}).values()) == {(1, 3)}


def test_critical_difference_of_demsar():
    """Table 6 of Demšar 2006: C4.5, C4.5+m, C4.5+cf and C4.5+m+cf on 14 datasets. Mean ranks 3.143, 2.000, 2.893,
    1.964; with q = 2.569, CD = 2.569 · √(4 · 5 / (6 · 14)) = 1.25. Friedman's χ² is 9.28, over 1 - 78 / 840 for its
    ties: three pairs and one of four.
    """
    auc = np.array(
        [
            *([0.763, 0.768, 0.771, 0.798], [0.599, 0.591, 0.590, 0.569], [0.954, 0.971, 0.968, 0.967]),
            *([0.628, 0.661, 0.654, 0.657], [0.882, 0.888, 0.886, 0.898], [0.936, 0.931, 0.916, 0.931]),
            *([0.661, 0.668, 0.609, 0.685], [0.583, 0.583, 0.563, 0.625], [0.775, 0.838, 0.866, 0.875]),
            *([1.000, 1.000, 1.000, 1.000], [0.940, 0.962, 0.965, 0.962], [0.619, 0.666, 0.614, 0.669]),
            *([0.972, 0.981, 0.9751, 0.975], [0.957, 0.978, 0.946, 0.970]),
        ]
    ).T
    found = critical(table({name: [[v] for v in row] for name, row in zip("abcd", auc.tolist(), strict=True)}))
    assert [round(rank, 3) for rank in found.ranks.values()] == [3.143, 2.0, 2.893, 1.964]
    assert found.difference == pytest.approx(1.25, abs=0.005)
    assert found.p == pytest.approx(stats.chi2.sf(9.28 / (1 - 78 / 840), 3), rel=1e-3)


@pytest.mark.parametrize(("methods", "q"), [(3, 2.343), (5, 2.728), (10, 3.164)])
def test_critical_values_by_demsars_table(methods, q):
    scores = {f"m{i}": [[0.1 * i], [0.1 * i]] for i in range(methods)}
    assert critical(table(scores)).difference == pytest.approx(q * (methods * (methods + 1) / 12) ** 0.5, rel=5e-4)


def test_ranks_that_all_agree_and_too_few():
    assert critical(table({m: [[0.5], [0.5]] for m in "abc"})).p == 1.0
    assert critical(table({m: [[0.5], [0.5]] for m in "ab"})) is None
    assert critical(table({m: [[0.5]] for m in "abc"})) is None
    assert critical({}) is None
