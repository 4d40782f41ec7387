"""Everything that can change the bits of a dense net or of a run, as one JSON value: folders are named by its digest.

What differs in any of it is another net or run: it lies in another folder and is made anew, with the reason said.
"""

import dataclasses
import functools
import os
import platform
from importlib.metadata import version
from typing import Any

import jax
import msgspec
from flax import linen as nn

from benchmarks.artifact import content
from benchmarks.identity.source import Sources
from benchmarks.measure import counts, latency, memory, quality
from benchmarks.measure.device import device
from benchmarks.plan.config import Budget
from benchmarks.plan.recipes import early_steps, plain
from benchmarks.train import optimize, step
from methods.base import Method
from methods.flaxnet import fresh
from tasks.base import Task
from tasks.nets.spec import net_to_json

LIBRARIES = ("flax", "jax", "jaxlib", "numpy", "optax", "orbax-checkpoint", "safetensors", "scikit-learn", "scipy")
SETTINGS = ("enable_x64", "default_prng_impl", "threefry_partitionable", "default_matmul_precision")
"""Of JAX."""
VARIABLES = ("XLA_FLAGS", "LIBTPU_INIT_ARGS")
"""Of the environment."""
TRAINING = (optimize.optimize, step.make_step, fresh)
MEASURING = (
    optimize.problem_of,
    quality.outcomes,
    quality.quality,
    counts.count,
    content.encode,
    latency.latency,
    memory.memory,
)
"""With what a method sees: it may decide by it."""


class Facts(msgspec.Struct, frozen=True):
    """What data a run sees: SHA-256 of the decoded arrays, and examples in each split after the budget's share."""

    fingerprint: str
    rows: dict[str, int]


def of_net(task: Task, net: nn.Module, budget: Budget, data: Facts) -> dict[str, Any]:
    """Returns the identity of a dense net or teacher.

    Args:
      task: under the budget.
      net: the task's, or its teacher.
      budget: shares of steps, batches and examples.
      data: that it is trained on.
    """
    facts = {
        "task": {"name": task.name, "version": task.version, "eval_batch": task.eval_batch},
        "net": net_to_json(net),
        "data": msgspec.to_builtins(data),
        "budget": msgspec.to_builtins(budget),
        "dense": dataclasses.asdict(task.dense),
        "early": early_steps(task.dense.steps),
        "code": {"task": task_sources(task, net).digest(), "training": _digest(*TRAINING)},
    }
    return plain(facts | environment())


def of_run(
    net: dict[str, Any],
    method: Method,
    config: dict[str, Any],
    teacher: dict[str, Any] | None,
    copied: str | None = None,
) -> dict[str, Any]:
    """Returns the identity of a curve's runs.

    Args:
      net: the identity of the dense net.
      method: under its options.
      config: the curve's, as the record holds it.
      teacher: the identity of the teacher; None if the dense net teaches, or nobody does.
      copied: the digest of the identity of the curve that a control copies.
    """
    code = net["code"] | {"method": method_sources(method).digest(), "measuring": _digest(*MEASURING)}
    seen = {name: net[name] for name in ("data", "libraries", "settings", "device")}
    return {"config": config, "teacher": teacher, "copied": copied, "code": code, **seen}


@functools.lru_cache(maxsize=8)
def task_sources(task: Task, net: nn.Module) -> Sources:
    """Returns what a task's training and evaluation reach; its data are known by their fingerprint."""
    return Sources(task.batch, task.loss, task.outcomes, task.prepare, net)


@functools.lru_cache(maxsize=64)
def method_sources(method: Method) -> Sources:
    """Returns what a method reaches, the values of its options included."""
    return Sources(method)


@functools.cache
def _digest(*roots) -> str:
    return Sources(*roots).digest()


def environment() -> dict[str, Any]:
    """Returns what of this process and machine can change bits: versions, settings, device."""
    return {"libraries": libraries(), "settings": settings(), "device": device()}


@functools.cache
def libraries() -> dict[str, str]:
    """Returns versions by name, Python's among them."""
    return {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}


def settings() -> dict[str, str]:
    """Returns what JAX and XLA were told that can change a result, and the number of devices."""
    told = {name: str(getattr(jax.config, f"jax_{name}")) for name in SETTINGS}
    told |= {name: os.environ[name] for name in VARIABLES if os.environ.get(name)}
    return told | {"devices": str(len(jax.devices()))}


def pin() -> None:
    """Sets what the suite's results are defined by, whatever the environment says."""
    jax.config.update("jax_enable_x64", False)
    jax.config.update("jax_default_prng_impl", "threefry2x32")
    jax.config.update("jax_threefry_partitionable", True)
