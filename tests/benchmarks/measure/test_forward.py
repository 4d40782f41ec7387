import numpy as np
import pytest

from benchmarks.measure.forward import compile_forward
from tests.benchmarks.measure.nets import X, net


def test_artifacts_of_one_curve_share_one_program():
    first, second = compile_forward(net(1.0, scale=0.25), X), compile_forward(net(2.0, scale=0.5), X + 1)
    assert first.compiled is second.compiled
    assert 0 < first.seconds == second.seconds
    # 0.3 rounds to 0.25 on a grid of step 0.25, to 0.5 on one of step 0.5
    np.testing.assert_array_equal(first.run(X), np.full((3, 4), 8 * 0.25))
    np.testing.assert_array_equal(second.run(X), np.full((3, 4), 8 * 2 * 0.5))


@pytest.mark.parametrize(
    "other",
    [
        (net(), X),
        (net(width=5, scale=0.25), X),
        (net(scale=0.25), X[:2]),
        (net(scale=0.25, module=""), X),
    ],
    ids=["no grid", "net", "batch", "another module"],
)
def test_another_structure_is_another_program(other):
    assert compile_forward(*other).compiled is not compile_forward(net(scale=0.25), X).compiled


def test_a_program_without_grids_computes_in_float():
    np.testing.assert_allclose(compile_forward(net(), X).run(X), np.full((3, 4), 2.4), rtol=1e-6)
