"""Chaining: in which order the parts act, what a later part sees of an earlier one, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from numpy.testing import assert_allclose, assert_array_equal

from methods import METHODS
from methods.base import Description, Entry, Knob, Method, Problem, Shipped, State, Teacher
from methods.chain import chain
from methods.flaxnet import forward
from methods.pruning.masked import by_rule, gradual
from methods.quantization.rtn import RTN
from tests.methods.conftest import seen_of

PARAMS = {"params": 3}


def keeps(key, problem, variables, strength):
    (number,) = strength
    return problem.net, variables, State(train=-number, fixed=number)


def entry(method, knob="number", **about):
    """A row of a method with one knob."""
    return Entry(lambda: method, Description("made in tests", (Knob(knob),), ((1,),), **about))


def joined(*parts):
    return chain(*parts, sweep=()).make()


def adds(number):
    """A method whose every function adds `number`, or its strength."""

    def tap(state):
        return lambda next_fun, args, kwargs, context: next_fun(args[0] + number)

    method = Method(
        init=keeps,
        view=lambda state, variables: {"params": variables["params"] + state.fixed},
        tap=tap,
        loss=lambda state, seen, base: base + number,
        export=lambda state, shipped: shipped._replace(variables=shipped.variables + number),
    )
    return entry(method, "addend")


def doubles():
    def tap(state):
        return lambda next_fun, args, kwargs, context: next_fun(2 * args[0])

    method = Method(
        init=keeps,
        view=lambda state, variables: {"params": 2 * variables["params"]},
        tap=tap,
        loss=lambda state, seen, base: 2 * base,
        export=lambda state, shipped: shipped._replace(variables=2 * shipped.variables),
    )
    return entry(method, "factor", budget="recovery", changes=frozenset({"weights"}))


@pytest.fixture
def state():
    return State(train=(-5, -7), fixed=(5, 7))


def test_strengths_of_the_parts_make_one_flat_tuple(state):
    made, about = chain(adds(1), doubles(), sweep=((5, 7),))
    assert [knob.name for knob in about.knobs] == ["addend", "factor"]
    assert (about.sweep, about.budget, about.changes) == (((5, 7),), "recovery", {"weights"})
    net = object()
    assert made().init(jax.random.key(0), Problem(net, None, (), None, 6), PARAMS, (5, 7)) == (net, PARAMS, state)


def test_a_chain_has_the_rounds_of_its_parts_unless_they_disagree():
    one, four, six = (entry(Method(), rounds=rounds) for rounds in (1, 4, 6))
    assert chain(one, four, one, sweep=()).about.rounds == 4
    assert chain(four, four, sweep=()).about.rounds == 4
    assert chain(one, entry(Method(), nested=True), sweep=()).about.nested
    assert not chain(one, one, sweep=()).about.nested
    with pytest.raises(ValueError, match="share the budget by 4 and 6 rounds"):
        chain(four, one, six, sweep=())


def test_a_chain_of_chains_hands_each_part_its_own():
    inner = chain(adds(1), doubles(), sweep=())
    _, _, state = joined(doubles(), inner).init(jax.random.key(0), Problem("net", None, (), None, 6), PARAMS, (2, 5, 7))
    assert state.fixed == (2, (5, 7))


def test_parts_act_left_to_right(state):
    method = joined(adds(1), doubles())
    assert method.view(state, {"params": 10}) == {"params": (10 + 5) * 2}
    assert method.loss(state, None, 10) == (10 + 1) * 2
    assert method.export(state, Shipped("net", 10)) == Shipped("net", (10 + 1) * 2)
    other = joined(doubles(), adds(1))
    assert other.view(state, {"params": 10}) == {"params": 10 * 2 + 7}
    assert other.loss(state, None, 10) == 10 * 2 + 1


def test_taps_act_left_to_right_on_what_enters(state):
    enters = lambda *parts: joined(*parts).tap(state)(lambda x: x, (10,), {}, None)  # noqa: E731
    assert enters(adds(1), doubles()) == (10 + 1) * 2
    assert enters(doubles(), adds(1)) == 10 * 2 + 1


def test_parts_without_taps_have_none(state):
    assert joined(entry(Method()), entry(Method())).tap(state) is None


def with_keep(keep):
    """A method that counts its updates, adds 1 to params, and answers `keep`."""
    update = lambda state, seen, params, grads, step: (state._replace(fixed=state.fixed + step), params + 1, keep)  # noqa: E731
    return entry(Method(update=update))


def test_keep_is_the_and_of_the_parts(state):
    a, b = (jnp.array(bits, bool) for bits in ([1, 1, 0, 0], [1, 0, 1, 0]))
    new, params, keep = joined(with_keep({"w": a}), with_keep({"w": b})).update(state, None, 10, None, 3)
    assert_array_equal(keep["w"], [True, False, False, False])
    assert params == 12
    assert new == State(train=(-5, -7), fixed=(8, 10))


@pytest.mark.parametrize("first", [True, False])
def test_keep_of_one_part_alone(state, first):
    keeps = [{"w": jnp.array([True, False])}, None]
    parts = [with_keep(keep) for keep in (keeps if first else keeps[::-1])]
    assert_array_equal(joined(*parts).update(state, None, 10, None, 3)[2]["w"], [True, False])
    neither = joined(with_keep(None), with_keep(None))
    assert neither.update(state, None, 10, None, 3)[2] is None


def largest():
    """Prunes the largest weights, so that the range of what is left differs."""
    score = lambda _, weights: {path: -jnp.abs(w) for path, w in weights.items()}  # noqa: E731
    return entry(gradual(lambda key, weights: (), score, by_rule("uniform")), "sparsity")


class Layer(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = False):
        return nn.Dense(2, use_bias=False, name="layer")(x)


def test_settling_sees_the_weights_that_run():
    params = {"layer": {"kernel": jnp.float32([[8, 1], [2, -4]])}}
    method = joined(largest(), RTN)
    problem = Problem(Layer(), jnp.ones((1, 2)), (), None, steps=0)
    strength = (jnp.float32(0.25), jnp.float32(8))
    net, variables, state = method.init(jax.random.key(0), problem, {"params": params}, strength)
    net, variables, state = method.settle(jax.random.key(0), problem, variables, state, 1)
    grid = state.fixed[1].grids.weights["layer/kernel"]
    assert_allclose(grid.scale, np.float32([[2, 4]]) / 127)  # 8 is pruned
    kernel = method.view(state, {"params": params})["params"]["layer"]["kernel"]
    assert_allclose(kernel, [[0, 32 * 4 / 127], [2, -4]], rtol=1e-6)  # 1 / (4/127) = 31.75
    shipped = method.export(state, Shipped(net, variables)).variables["params"]["layer"]["kernel"]
    assert_array_equal(shipped.codes, [[0, 32], [127, -127]])


@pytest.mark.parametrize("parts", [("rtn", "magnitude"), ("lsq", "rtn"), ("rtn_static", "dense", "magnitude")])
def test_nothing_may_change_weights_after_quantizing(parts):
    message = f"part {len(parts)} of the chain changes weights that part 1 has quantized: prune before"
    with pytest.raises(ValueError, match=message):
        chain(*(METHODS[name] for name in parts), sweep=())


def test_a_control_that_copies_another_run_is_run_alone():
    with pytest.raises(ValueError, match=r"^part 1 of the chain copies a run of magnitude: it is a control, to be run"):
        chain(METHODS["random@magnitude"], RTN, sweep=())


def test_a_chain_has_the_control_that_it_is_given():
    assert chain(METHODS["magnitude"], RTN, sweep=()).about.control is None
    assert chain(METHODS["magnitude"], RTN, sweep=(), control="rtn").about.control == "rtn"


def shrinks():
    return entry(Method(init=lambda key, problem, variables, strength: (problem.net + "-", variables, State())))


def test_only_the_first_part_that_does_anything_may_change_the_net():
    problem = Problem("net", None, (), None, steps=6)
    message = "part 2 of the chain changes the net that the parts before prepared: put it first"
    for before in (adds(1), shrinks()):
        with pytest.raises(ValueError, match=message):
            joined(before, shrinks()).init(jax.random.key(0), problem, PARAMS, (1, 1))
    for parts in ((shrinks(), adds(1)), (entry(Method()), shrinks())):
        assert joined(*parts).init(jax.random.key(0), problem, PARAMS, (1, 1))[0] == "net-"


def test_distilling_may_follow_quantizing(mlp):
    """kd at width 1 leaves the net alone, and distilling from itself costs nothing: (1 - 0.3) of the task's loss."""
    method = joined(METHODS["rtn"], METHODS["kd"])
    problem = Problem(mlp.net, mlp.x[:1], (), None, 6, Teacher(mlp.net, mlp.variables))
    net, _, state = method.init(jax.random.key(0), problem, mlp.variables, (4, 1.0))
    assert net is mlp.net
    out = forward(mlp.net, mlp.variables, mlp.x)[0]
    assert_allclose(method.loss(state, seen_of(mlp, out), jnp.float32(2)), 0.7 * 2, rtol=1e-4)
