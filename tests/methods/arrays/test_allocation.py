"""How many weights each layer keeps, by hand: exact counts, and what each rule promises."""

from fractions import Fraction
from math import prod

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from methods.arrays.allocation import RULES, allocate, explicit, kept_count, partway

LENET300 = {"dense1": (784, 300), "dense2": (300, 100), "head": (100, 10)}
DSCNN = {"conv": (10, 4, 1, 64), "depthwise": (3, 3, 1, 64), "pointwise": (1, 1, 64, 64), "head": (64, 12)}
SPARSITIES = (0.0, 0.1, 0.33, 0.5, 0.9, 0.95, 0.98, 0.999, 1.0)


def counts(allocation):
    return {path: int(count) for path, count in allocation.least.items()}, int(allocation.rest)


@pytest.mark.parametrize(
    ("sparsity", "size", "kept"),
    [
        (0.9, 15, 15 - 14),  # 13.5, to even; float32's 0.9 is smaller
        (0.5, 5, 5 - 2),  # 2.5, to even
        (0.1, 2**25 + 5, 2**25 + 5 - 3355444),  # 3355443.7; float32 has steps of 4 here
        (0.5, 2**25 + 2, 2**24 + 1),
        (0.9, 266_200, 26_620),
        (0.0, 2**30 + 1, 2**30 + 1),
        (1.0, 2**30 + 1, 0),
    ],
)
def test_the_total_is_counted_in_whole_numbers(sparsity, size, kept):
    assert kept_count(jnp.float32(sparsity), size) == kept


@pytest.mark.parametrize("shapes", [LENET300, DSCNN], ids=["LeNet-300-100", "DS-CNN"])
@pytest.mark.parametrize("rule", RULES)
def test_every_rule_hits_the_total_and_empties_no_layer(rule, shapes):
    size = sum(map(prod, shapes.values()))
    for sparsity in SPARSITIES:
        least, rest = counts(allocate(shapes, jnp.float32(sparsity), rule))
        assert sum(least.values()) + rest == size - round(Fraction(str(sparsity)) * size)
        assert all(0 <= count <= prod(shapes[path]) for path, count in least.items())
        assert sparsity == 1 or min(least.values()) >= 1
        assert rest == 0 or rule == "global"


def test_global_leaves_each_layer_a_tenth_of_the_overall_density():
    """At .98, 5324 of 266200 weights are kept, .02; of the head .002 · 1000 = 2 at least."""
    least, rest = counts(allocate(LENET300, 0.98))
    assert least == {"dense1": 471, "dense2": 60, "head": 2}  # 470.4, 60, 2
    assert rest == 5324 - 533


def test_uniform_is_the_same_share_of_each_layer_and_the_largest_remainders_round_up():
    assert counts(allocate(LENET300, 0.98, "uniform")) == ({"dense1": 4704, "dense2": 600, "head": 20}, 0)
    # 12 of 30 kept: 2.8, 3.2, 6 of 7, 8, 15
    assert counts(allocate({"a": (7,), "b": (8,), "c": (15,)}, 0.6, "uniform"))[0] == {"a": 3, "b": 3, "c": 6}
    # 3 of 60: 2.5, .25, .25, and no layer is left with none
    assert counts(allocate({"a": (50,), "b": (5,), "c": (5,)}, 0.95, "uniform"))[0] == {"a": 1, "b": 1, "c": 1}


def test_erk_goes_by_the_sums_of_dimensions():
    """Dense [4, 6] and a 3x3 convolution of 2 to 8: sums 10 and 16; of 168 weights 26 are kept: ε = 1."""
    shapes = {"dense": (4, 6), "conv": (3, 3, 2, 8)}
    assert counts(allocate(shapes, 1 - 26 / 168, "erk"))[0] == {"dense": 10, "conv": 16}


def test_erk_keeps_a_layer_dense_where_its_share_is_more_and_the_others_share_the_rest():
    """Half of 168 is 84: dense would get 84 · 10/26 = 32 of 24, so it keeps 24 and the convolution the other 60."""
    shapes = {"dense": (4, 6), "conv": (3, 3, 2, 8)}
    assert counts(allocate(shapes, 0.5, "erk"))[0] == {"dense": 24, "conv": 60}
    # one step further: b [2, 2] is capped only after a [1, 1] was: 9 of 105, sums 2, 4, 20
    assert counts(allocate({"a": (1, 1), "b": (2, 2), "c": (10, 10)}, 1 - 29 / 105, "erk"))[0] == {
        "a": 1,
        "b": 4,
        "c": 24,
    }


def test_erk_densities_are_those_of_rigl():
    """Evci et al. 2020: ε · (in + out + height + width) / (in · out · height · width), ε from the total."""
    least, _ = counts(allocate(DSCNN, 0.9, "erk"))
    kept, sums = sum(least.values()), {path: sum(shape) for path, shape in DSCNN.items()}
    epsilon = kept / sum(sums.values())
    for path, shape in DSCNN.items():
        assert least[path] / prod(shape) == pytest.approx(epsilon * sums[path] / prod(shape), abs=1 / prod(shape))


@pytest.mark.parametrize("rule", RULES)
def test_fewer_weights_than_layers_are_still_the_total(rule):
    least, rest = counts(allocate(dict.fromkeys("abcdefgh", (125,)), 0.995, rule))
    assert sum(least.values()) + rest == 5


def test_explicit_counts_are_taken_or_refused_by_name():
    shapes = {"a": (4, 2), "b": (3,)}
    assert counts(explicit(shapes, {"b": 0, "a": 8, "other": 5})) == ({"a": 8, "b": 0}, 0)
    for given in ({"a": 8}, {"a": 8, "b": 4}, {"a": 8, "b": -1}):
        with pytest.raises(ValueError, match=rf"^b keeps {given.get('b')} weights; .* from 0 to 3$"):
            explicit(shapes, given)


def test_partway_each_layer_comes_down_in_proportion():
    final, sizes = explicit({"a": (100,), "b": (10,)}, {"a": 20, "b": 6}), {"a": 100, "b": 10}
    at = jax.jit(lambda done: partway(final, sizes, done))
    for done, expected in ((0.0, (100, 10)), (0.25, (80, 9)), (0.5, (60, 8)), (1.0, (20, 6))):
        assert counts(at(jnp.float32(done))) == (dict(zip("ab", expected, strict=True)), 0)


def test_partway_the_total_comes_down_where_scores_decide():
    final, sizes = allocate({"a": (100,), "b": (10,)}, 0.9), {"a": 100, "b": 10}
    for done, total in ((0.0, 110), (0.5, 110 - 50), (1.0, 11)):  # 49.5 is rounded to even
        least, rest = counts(partway(final, sizes, jnp.float32(done)))
        assert least == {"a": 1, "b": 1}
        assert sum(least.values()) + rest == total


def test_partway_ends_at_the_very_counts_above_two_to_the_24():
    size = 2**26 + 1
    least, rest = counts(partway(allocate({"a": (size,)}, 0.0), {"a": size}, jnp.float32(1)))
    assert least["a"] + rest == size
    least, rest = counts(partway(explicit({"a": (size,)}, {"a": 2**25 + 3}), {"a": size}, jnp.float32(1)))
    assert (least["a"], rest) == (2**25 + 3, 0)
    nearly = partway(explicit({"a": (size,)}, {"a": 0}), {"a": size}, jnp.float32(np.nextafter(1, 0, dtype=np.float32)))
    assert 0 <= int(nearly.least["a"]) < 100
