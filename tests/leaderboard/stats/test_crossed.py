"""The crossed model: by hand, against SciPy and statsmodels, and by how often it is wrong."""

import itertools

import numpy as np
import pytest
from scipy import stats

from leaderboard.stats.crossed import crossed
from leaderboard.stats.significance import t_tail


def drawn(seeds, units, of_seed=0.0, of_unit=0.0, rest=1.0, *, rng, mean=0.0):
    """Values [seeds, units] of the model, with standard deviations of its effects."""
    effects = of_seed * rng.normal(size=(seeds, 1)) + of_unit * rng.normal(size=(1, units))
    return mean + effects + rest * rng.normal(size=(seeds, units))


def test_by_hand():
    """1 2 / 5 9 / 3 4: mean 4; rows 1.5, 7, 3.5; columns 3, 5. MS of rows 2 · (6.25 + 9 + 0.25) / 2 = 15.5, of columns
    3 · 2 / 1 = 6, of the rest (0.5² · 2 + 1² · 2 + 0.5² · 2) / 2 = 1.5. So (15.5 + 6 - 1.5) / 6 = 20 / 6, with
    20² / (15.5² / 2 + 6² / 1 + 1.5² / 2) degrees of freedom.
    """
    found = crossed(np.array([[1.0, 2.0], [5.0, 9.0], [3.0, 4.0]]))
    assert found == pytest.approx((4.0, (20 / 6) ** 0.5, 400 / (15.5**2 / 2 + 36 + 1.5**2 / 2)))


def test_one_seed_is_a_t_test():
    values = np.random.default_rng(0).normal(0.2, size=(1, 30))
    found = crossed(values)
    assert t_tail(*found) == pytest.approx(stats.ttest_1samp(values[0], 0).pvalue)
    assert found.df == 29


def test_where_seeds_vary_alone_it_is_a_t_test_over_seeds():
    """No effect of units and no rest: what is left is the mean square of seeds."""
    values = np.repeat([[0.1], [0.4], [0.3]], 50, axis=1)
    found = crossed(values)
    assert t_tail(*found) == pytest.approx(stats.ttest_1samp([0.1, 0.4, 0.3], 0).pvalue)
    assert found.df == pytest.approx(2)


def test_where_seeds_agree_it_is_a_t_test_over_units():
    unit = np.random.default_rng(0).normal(0.2, size=30)
    found = crossed(np.stack([unit] * 3))
    assert t_tail(*found) == pytest.approx(stats.ttest_1samp(unit, 0).pvalue)


def test_components_below_zero_are_zero():
    """1 and -1 in turn: rows and columns average 0, and all is rest: MS 1 · 16 / 9, 9 degrees of freedom."""
    found = crossed(np.array([[(-1.0) ** (i + j) for j in range(4)] for i in range(4)]))
    assert found == pytest.approx((0.0, (16 / 9 / 16) ** 0.5, 9.0))


def test_a_step_is_one_more_unit_won_and_one_lost():
    """4 of 100 are won: the sum of squares 4 - 4² / 100 becomes two more."""
    values = np.zeros((1, 100))
    values[0, :4] = 1
    assert crossed(values, 1.0).error == pytest.approx(((4 - 0.16 + 2) / 99 / 100) ** 0.5)


def test_nothing_but_zeros():
    assert crossed(np.zeros((3, 5))) == (0.0, 0.0, 4)


def test_mean_squares_like_statsmodels():
    formula = pytest.importorskip("statsmodels.formula.api")
    anova = pytest.importorskip("statsmodels.stats.anova")
    pandas = pytest.importorskip("pandas")
    values = drawn(3, 12, 0.5, 1.0, 0.3, rng=np.random.default_rng(5))
    places = list(itertools.product(range(3), range(12)))
    frame = pandas.DataFrame({"y": values.ravel(), "s": [s for s, _ in places], "u": [u for _, u in places]})
    table = anova.anova_lm(formula.ols("y ~ C(s) + C(u)", frame).fit())
    squares = (table["sum_sq"] / table["df"]).to_numpy()
    total = squares @ np.array([1, 1, -1])
    assert crossed(values).error == pytest.approx((total / 36) ** 0.5)
    assert crossed(values).df == pytest.approx(total**2 / float((squares**2 / table["df"]).sum()))


@pytest.mark.parametrize(
    ("seeds", "units", "effects"),
    [(3, 300, (0.0, 1.0, 1.0)), (3, 300, (0.06, 1.0, 1.0)), (3, 16, (0.0, 1.0, 0.4)), (10, 100, (0.1, 0.5, 1.0))],
)
def test_it_is_wrong_once_in_twenty(seeds, units, effects):
    """Of 2,000 draws without a difference, 3 % to 7 % are told apart at 5 %."""
    rng = np.random.default_rng(0)
    found = [crossed(drawn(seeds, units, *effects, rng=rng)) for _ in range(2000)]
    wrong = np.mean([t_tail(*one) < 0.05 for one in found])
    assert 0.03 < wrong < 0.07


def test_tests_over_examples_alone_would_be_wrong_far_more_often():
    """Seeds that vary as in the second case above; the t over examples takes them as given."""
    rng = np.random.default_rng(0)
    values = [drawn(3, 300, 0.06, 0.3, 0.3, rng=rng) for _ in range(400)]
    over_examples = np.mean([stats.ttest_1samp(one.mean(0), 0).pvalue < 0.05 for one in values])
    both = np.mean([t_tail(*crossed(one)) < 0.05 for one in values])
    assert both < 0.1 < 0.3 < over_examples
