"""One training step: how a method's functions, the task's loss and the recipe's optimizer fit together."""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from benchmarks.train.optimizers import optimizer, update
from methods.base import Method, PyTree, State
from methods.flaxnet import forward
from tasks.base import Recipe, Task


class TrainState(NamedTuple):
    """What one step hands to the next."""

    step: jax.Array  # [] int32, steps done
    params: PyTree
    rest: PyTree  # other collections: running statistics
    state: State
    moments: PyTree  # the optimizer's state
    keep: PyTree | None  # False where moments are forgotten before the next step, or None
    rate: jax.Array  # [] float32, factor on the recipe's learning rate


@dataclasses.dataclass(frozen=True)
class StepSpec:
    """All that is static in a training step; equal ones share one compiled step."""

    task: Task
    net: nn.Module
    method: Method  # only what runs in a step: see `in_graph`
    recipe: Recipe


def in_graph(method: Method) -> Method:
    """Returns what of the method runs in a step: methods that differ only outside share what is compiled."""
    return Method(view=method.view, tap=method.tap, loss=method.loss, update=method.update)


def start(spec: StepSpec, variables: PyTree, state: State, rate: float = 1.0) -> TrainState:
    """Returns the state before the first step. Leaves are copied: the step donates them.

    Args:
      spec: of the step.
      variables: the net's.
      state: the method's.
      rate: factor on the recipe's learning rate: data, so that one compiled step serves all rates.
    """
    params = variables["params"]
    rest = {name: c for name, c in variables.items() if name != "params"}
    moments = jax.jit(optimizer(spec.recipe).init)({"params": params, "train": state.train})
    *_, keep = jax.eval_shape(spec.method.update, state, params, params, jnp.int32(1))
    keep = jax.tree.map(lambda k: jnp.ones(k.shape, k.dtype), keep)
    return jax.tree.map(jnp.array, TrainState(jnp.int32(0), params, rest, state, moments, keep, jnp.float32(rate)))


def make_step(spec: StepSpec, mesh: Mesh) -> Callable:
    """Returns the pure function step(carry, arrays, rows [B], key) -> (carry, loss []), not jitted."""
    task, net, method = spec.task, spec.net, spec.method
    tx = optimizer(spec.recipe)
    shard = NamedSharding(mesh, P("data"))

    def step(carry, arrays, batch_rows, key):
        step_key, drop_key = jax.random.split(jax.random.fold_in(key, carry.step))
        batch = task.batch(arrays, batch_rows, step_key)
        batch = jax.tree.map(lambda a: jax.lax.with_sharding_constraint(a, shard), batch)
        fixed = carry.state.fixed

        def weights(train, params):
            return method.view(State(train, fixed), params)

        def objective(train, seen):
            own = State(train, fixed)
            variables = {"params": seen, **carry.rest}
            out, renewed = forward(net, variables, batch["x"], tap=method.tap(own), train=True, key=drop_key)
            loss = method.loss(own, batch, out, jnp.mean(task.loss(out, batch)))
            return loss, {name: renewed[name] for name in carry.rest}

        seen, pull = jax.vjp(weights, carry.state.train, carry.params)
        differentiate = jax.value_and_grad(objective, argnums=(0, 1), has_aux=True)
        (loss, rest), (direct, dense_grads) = differentiate(carry.state.train, seen)
        through, param_grads = pull(dense_grads)
        leaves = {"params": carry.params, "train": carry.state.train}
        grads = {"params": param_grads, "train": jax.tree.map(jnp.add, direct, through)}
        leaves, moments = update(tx, carry.moments, leaves, grads, carry.keep, carry.rate)
        state = State(leaves["train"], fixed)
        state, params, keep = method.update(state, leaves["params"], dense_grads, carry.step + 1)
        return TrainState(carry.step + 1, params, rest, state, moments, keep, carry.rate), loss

    return step
