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
from methods.base import Method, PyTree, Seen, State
from methods.flaxnet import batch_size, observed
from tasks.base import Arrays, Recipe, Task


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


def start(spec: StepSpec, variables: PyTree, state: State, arrays: Arrays, rate: float = 1.0) -> TrainState:
    """Returns the state before the first step. Leaves are copied: the step donates them.

    Args:
      spec: of the step.
      variables: the net's.
      state: the method's.
      arrays: the train split, for its shapes and dtypes.
      rate: factor on the recipe's learning rate: data, so that one compiled step serves all rates.
    """
    params = variables["params"]
    rest = {name: c for name, c in variables.items() if name != "params"}
    moments = jax.jit(optimizer(spec.recipe).init)({"params": params, "train": state.train})
    keep = jax.tree.map(lambda k: jnp.ones(k.shape, k.dtype), _kept(spec, params, rest, state, arrays))
    return jax.tree.map(jnp.array, TrainState(jnp.int32(0), params, rest, state, moments, keep, jnp.float32(rate)))


def _kept(spec: StepSpec, params: PyTree, rest: PyTree, state: State, arrays: Arrays) -> PyTree | None:
    """Returns shapes and dtypes of what the method's `update` says is kept."""

    def once(params, state, arrays, key):
        batch = spec.task.batch(arrays, jnp.zeros(spec.recipe.batch_size, jnp.int32), key)
        _, (_, seen) = _loss(spec, state, params, rest, batch, key)
        return spec.method.update(state, seen, params, params, jnp.int32(1))[2]

    return jax.eval_shape(once, params, state, arrays, jax.random.key(0))


def _loss(
    spec: StepSpec, state: State, params: PyTree, rest: PyTree, batch: PyTree, key: jax.Array
) -> tuple[jax.Array, tuple[PyTree, Seen]]:
    """Returns (loss [], (other collections renewed, what the forward pass was)) with the weights that run."""
    tap, variables = spec.method.tap(state), {"params": params, **rest}
    out, renewed, watched = observed(spec.net, variables, batch["x"], tap=tap, train=True, key=key)
    seen = Seen(batch, out, params, watched, _places(batch))
    loss = spec.method.loss(state, seen, jnp.mean(spec.task.loss(out, batch)))
    return loss, ({name: renewed[name] for name in rest}, seen)


def _places(batch: PyTree) -> jax.Array:
    """Returns the weight of each output place, float32 [B, ...]; ones [B] where the batch gives none."""
    return jnp.asarray(batch["weight"] if "weight" in batch else jnp.ones(batch_size(batch["x"])), jnp.float32)


def make_step(spec: StepSpec, mesh: Mesh) -> Callable:
    """Returns the pure function step(carry, arrays, rows [B], key) -> (carry, loss []), not jitted."""
    task, method = spec.task, spec.method
    tx = optimizer(spec.recipe)
    shard = NamedSharding(mesh, P("data"))

    def step(carry, arrays, batch_rows, key):
        step_key, drop_key = jax.random.split(jax.random.fold_in(key, carry.step))
        batch = task.batch(arrays, batch_rows, step_key)
        batch = jax.tree.map(lambda a: jax.lax.with_sharding_constraint(a, shard), batch)
        fixed = carry.state.fixed

        def weights(train, params):
            return method.view(State(train, fixed), {"params": params, **carry.rest})["params"]

        def objective(train, params):
            return _loss(spec, State(train, fixed), params, carry.rest, batch, drop_key)

        ran, pull = jax.vjp(weights, carry.state.train, carry.params)
        differentiate = jax.value_and_grad(objective, argnums=(0, 1), has_aux=True)
        (loss, (rest, seen)), (direct, dense_grads) = differentiate(carry.state.train, ran)
        through, param_grads = pull(dense_grads)
        leaves = {"params": carry.params, "train": carry.state.train}
        grads = {"params": param_grads, "train": jax.tree.map(jnp.add, direct, through)}
        leaves, moments = update(tx, carry.moments, leaves, grads, carry.keep, carry.rate)
        state = State(leaves["train"], fixed)
        state, params, keep = method.update(state, seen, leaves["params"], dense_grads, carry.step + 1)
        return TrainState(carry.step + 1, params, rest, state, moments, keep, carry.rate), loss

    return step
