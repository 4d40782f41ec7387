"""What ships is compared with what was simulated: where it can be compared, and by the right measure."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from benchmarks.measure.shipped import Mismatch, agreement, execution, output_error
from methods import METHODS
from methods.base import Shipped, State
from methods.transforms.grids import Quantizer, symmetric

INF, NAN = np.inf, np.nan


@pytest.mark.parametrize(
    ("simulated", "shipped", "error"),
    [
        ([1.0, -4.0], [1.0, -4.0], 0.0),
        ([1.0, -4.0], [1.5, -4.0], 0.2),  # of the typical, 2.5
        ([1.0, -4.0], [1.0, -5.0], 0.25),  # of itself
        ([1.0, 2.0, 4.0, 1000.0], [1.0, 2.0, 4.5, 1000.0], 0.125),  # of itself; of the typical, 3, it is a sixth
        ([1.0, 1.0, 1.0, 1000.0], [1.0, 1.0, 1.5, 1000.0], 0.5),  # a large output hides nothing
        ([0.0, 0.0, 0.0, 2.0], [0.5, 0.0, 0.0, 2.0], 0.25),  # zeros are not typical
        ([1.0, -1e9], [1.5, -1e9], 0.5),  # not of 1e9
        ([1.0, -1e9], [1.0, -2e9], 1.0),  # of itself
        ([1.0, 3.4e38], [1.0, 3.4e38], 0.0),
        ([1.0, INF, -INF, NAN], [1.25, INF, -INF, NAN], 0.25),
        ([NAN, INF], [NAN, INF], 0.0),
        ([0.0, 0.0], [0.0, 0.0], 0.0),
        ([[]], [[]], 0.0),
        ([7, 8], [7, 6], 0.25),
        ([7, 8], [4, 8], 0.4),
        ([True, False], [True, True], 1.0),
    ],
)
def test_error_by_hand(simulated, shipped, error):
    assert output_error(np.array(simulated), np.array(shipped)) == pytest.approx(error, abs=1e-12)


def test_each_array_of_a_tree_has_its_own_scale():
    simulated = {"logits": jnp.float32([1, 2]), "features": (jnp.float32([1000]),)}
    shipped = {"logits": jnp.float32([1, 2.5]), "features": (jnp.float32([1000]),)}
    assert output_error(simulated, shipped) == 0.25
    assert output_error(shipped, simulated) == 0.2
    with pytest.raises(Mismatch, match=r"shipped outputs are PyTreeDef.*simulated ones PyTreeDef"):
        output_error(simulated, simulated["logits"])
    with pytest.raises(Mismatch, match=r"shipped outputs are of shape \(2,\), simulated ones \(1,\)"):
        output_error(jnp.zeros(1), jnp.zeros(2))


@pytest.mark.parametrize("shipped", [[1, INF, NAN], [1, -INF, INF], [NAN, -INF, NAN], [1, -INF, 0], [1, 0, NAN]])
def test_what_is_not_finite_must_be_the_same(shipped):
    with pytest.raises(Mismatch, match="not NaN or infinite where"):
        output_error(np.array([1, -INF, NAN]), np.array(shipped))


class Masked(nn.Module):
    """Logits of twelve classes, of which the last two are never allowed."""

    mark: float = -1e9
    bug: float = 0.0

    @nn.compact
    def __call__(self, x, train: bool = False):
        out = nn.Dense(12, name="head")(x)
        return jnp.where(jnp.arange(12) < 10, out * (1 + self.bug), self.mark)


X = jnp.linspace(-1, 1, 40).reshape(5, 8)


def masked(**fields):
    return Shipped(Masked(**fields), Masked().init(jax.random.key(0), X))


@pytest.mark.parametrize("mark", [-1e9, -1e4, -INF, NAN, float(jnp.finfo(jnp.float32).min)])
def test_marks_neither_differ_nor_hide_what_does(mark):
    dense, trained = METHODS["dense"].make(), masked(mark=mark)
    assert agreement(dense, State(), trained, trained, X) == 0.0
    with pytest.raises(Mismatch, match=r"shipped outputs differ from simulated ones by 0.5, more than 0.0001"):
        agreement(dense, State(), trained, masked(mark=mark, bug=0.5), X)


def test_weights_are_compared_bit_for_bit():
    dense, trained = METHODS["dense"].make(), masked()
    head = trained.variables["params"]["head"]
    nudged = {"params": {"head": {**head, "kernel": head["kernel"].at[0, 0].multiply(1 + 1e-6)}}}
    with pytest.raises(Mismatch, match="head/kernel: the shipped weights differ from those that ran"):
        agreement(dense, State(), trained, Shipped(Masked(), nudged), X)
    with pytest.raises(Mismatch, match=r"weights \['head/bias'\] ran and do not ship"):
        agreement(dense, State(), trained, Shipped(Masked(), {"params": {"head": {"kernel": head["kernel"]}}}), X)


def test_execution_by_hand():
    weight = jnp.linspace(-1, 1, 12).reshape(4, 3)
    grid = Quantizer(*(jnp.float32(v) for v in (0.1, 7, 0, 15)))
    packed = symmetric(weight, 4, (-1,)).pack(weight)
    assert execution(Shipped(None, {"params": {"w": weight}}), 1.0) == "deployed"
    assert execution(Shipped(None, {"params": {"w": weight}}), 0.98) == "simulated"
    assert execution(Shipped(None, {"params": {"w": packed}}), 1.0) == "simulated"
    assert execution(Shipped(None, {"params": {"w": weight}}, {"up": (grid,)}), 1.0) == "simulated"
