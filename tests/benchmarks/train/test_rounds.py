"""Rounds share a budget evenly, each is settled, and a run that is killed in any of them ends with the same bits."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.measure.clock import Clock
from benchmarks.plan.config import Loop
from benchmarks.plan.recipes import steps, training
from benchmarks.train import loop
from benchmarks.train.checkpoints import Checkpoints, leaves_hash
from benchmarks.train.loop import Marks, train
from benchmarks.train.optimize import Keeper, Watch, optimize, problem_of
from benchmarks.train.step import StepSpec, in_graph, start
from leaderboard.command import Stopped
from methods import METHODS
from methods.base import Description, Method, State
from methods.structure import l1_norms, shrink
from tasks.base import Recipe
from tasks.nets.mlp import MLP

ROUNDS, STEPS = 3, 4


@pytest.fixture
def task(tiny):
    return dataclasses.replace(tiny, dense=dataclasses.replace(tiny.dense, steps=STEPS, warmup=1))


def shrinking(calls):
    """Removes half of the channels after the first round, draws calibration after each, and counts its own steps."""

    def settle(key, problem, variables, state, round):
        calls.append((round, problem.net.hidden, sum(1 for _ in problem.calibration)))
        rounds = {"rounds": state.fixed["rounds"] + round}
        if round == 1:
            net, variables = shrink(problem.net, variables, jnp.float32(0.5), problem.example, l1_norms)
            return net, variables, State(fixed=rounds)
        noise = 1e-3 * jax.random.normal(key, ())
        params = jax.tree.map(lambda leaf: leaf + noise, variables["params"])
        return problem.net, {**variables, "params": params}, State(fixed=rounds)

    return Method(
        lambda key, problem, v, strength: (problem.net, v, State(fixed={"rounds": jnp.int32(0)})), settle=settle
    )


class Interrupted(Keeper):
    """Saves after every chunk, and ends the process, as it were, after so many of them."""

    def __init__(self, folder, chunks, told):
        self.left, self.clock = chunks, Clock()
        self.checkpoints = Checkpoints(folder, every_s=0, keep=1, round_steps=STEPS)
        super().__init__(self.checkpoints, self.clock, told.append)

    def save(self, step, carry):
        super().save(step, carry)
        self.left -= 1
        if not self.left:
            self.checkpoints.close()
            raise Stopped("killed", 9)


def run(task, data, method, keeper=None, losses=None):
    """(what the method has optimized, examples that it drew); each chunk's last step and its losses go to `losses`."""
    losses = [] if losses is None else losses
    clock = keeper.clock if keeper else Clock()
    problem = problem_of(task, data, ROUNDS * STEPS)
    watch = Watch(Loop(log_every=2), clock, lambda step, new: losses.append((step, *new)), keeper)
    done = optimize(task, method, problem, problem.born, (), 5, task.dense, data.train, watch, ROUNDS)
    return done, problem.calibration.taken.drawn


def same(a, b):
    assert a.net == b.net
    jax.tree.map(np.testing.assert_array_equal, a[1:], b[1:])


def test_each_round_is_settled_and_the_last_net_is_what_comes_back(task, tiny_data):
    calls, losses = [], []
    done, drawn = run(task, tiny_data, shrinking(calls), losses=losses)
    assert calls == [(1, 8, 2), (2, 4, 2), (3, 4, 2)]
    assert done.net.hidden == 4
    assert done.state.fixed["rounds"] == 1 + 2 + 3
    assert drawn == 3 * 8
    assert [step for step, *_ in losses] == [2, 4, 6, 8, 10, 12]
    assert len({loss for _, *new in losses for loss in new}) == 12


@pytest.mark.parametrize("kills", [(1,), (2,), (3,), (4, 1), (1, 1, 1, 1, 1)])
def test_killed_in_any_round_it_ends_with_the_same_bits(task, tiny_data, tmp_path, kills):
    """Five times it saves: within a round, and at the end of all but the last; each kill comes after so many more."""
    whole, drawn = run(task, tiny_data, shrinking([]))
    for chunks in kills:
        with pytest.raises(Stopped):
            run(task, tiny_data, shrinking([]), Interrupted(tmp_path, chunks, []))
    told = []
    keeper = Interrupted(tmp_path, 100, told)
    resumed, drawn_again = run(task, tiny_data, shrinking([]), keeper)
    same(resumed, whole)
    assert drawn_again == drawn
    reached = 2 * sum(kills)
    assert told == [*range(STEPS, reached, STEPS), reached]
    assert keeper.clock.starts == 1 + len(kills)


def test_rounds_of_one_shape_compile_one_step(task, tiny_data):
    clock, method = Clock(), Method(settle=lambda key, problem, v, state, round: (problem.net, problem.born, state))
    problem = problem_of(task, tiny_data, ROUNDS * STEPS)
    own = dataclasses.replace(task.dense, clip=0.123)  # no other test compiles this one
    optimize(task, method, problem, problem.born, (), 5, own, tiny_data.train, Watch(Loop(), clock), ROUNDS)
    assert clock.steps_compiled == 1


def test_data_go_on_from_round_to_round_and_each_has_a_key_of_its_own(task, tiny_data, monkeypatch):
    seen, rows = [], loop.batch_rows
    monkeypatch.setattr(loop, "batch_rows", lambda seed, first, *rest: seen.append(first) or rows(seed, first, *rest))
    born = Method(settle=lambda key, problem, v, state, round: (problem.net, problem.born, state))
    losses = []
    run(task, tiny_data, born, losses=losses)
    assert seen == [0, 2, 4, 6, 8, 10]
    first, second = losses[0][1], losses[2][1]
    assert first != second  # of the same weights, on other examples


def test_a_round_has_a_whole_schedule_and_all_share_the_budget(tiny):
    about = Description("pruning", (), ((),), budget="full", rounds=4)
    recipes = {"dense": Recipe(steps=900, batch_size=8, learning_rate=1.0, warmup=100)}
    task = dataclasses.replace(tiny, **recipes, recovery=dataclasses.replace(tiny.recovery, steps=153))
    found = training(task, about)
    assert (found.steps, found.warmup) == (1053 // 4, 25)
    assert steps(task, about) == 4 * 263
    assert steps(task, about._replace(rounds=1)) == 1053
    assert training(task, about._replace(rounds=1)).warmup == 100
    assert steps(task, METHODS["rtn"].about) == 0


@pytest.mark.parametrize("net", [None, MLP(64, (16, 8), 3)], ids=["looped", "scanned"])
def test_marks_are_called_and_change_no_bit(tiny, tiny_data, net):
    """On a CPU, steps of a net with convolutions are a loop anyhow; those of another one are scanned."""
    task = dataclasses.replace(tiny, net=net or tiny.net)
    spec = StepSpec(task, task.net, in_graph(METHODS["dense"].make()), task.dense)
    problem, seen = problem_of(task, tiny_data, 12), {}

    def trained(marks):
        carry = start(spec, problem.born, State(), tiny_data.train, 1e-2)
        return train(spec, carry, tiny_data.train, 0, log_every=6, clock=Clock(), marks=marks)

    def call(step, carry):
        seen[step] = leaves_hash(jax.tree.leaves(carry))

    marked = trained(Marks((1, 6, 7), call))
    jax.tree.map(np.testing.assert_array_equal, marked, trained(None))
    assert list(seen) == [1, 6, 7]
    by_one = {}
    trained(Marks(tuple(range(1, 13)), lambda step, carry: by_one.update({step: leaves_hash(jax.tree.leaves(carry))})))
    assert seen == {step: by_one[step] for step in (1, 6, 7)}
    assert by_one[12] == leaves_hash(jax.tree.leaves(marked))
