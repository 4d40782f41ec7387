"""Latency and memory of the compiled forward.

Weights and the grids of module inputs are arguments of the compiled program, not constants in it: the artifacts of
a curve that share a net, shapes and quantized modules share one program, and only the first of them compiles.
"""

import os
import platform
import time
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from methods.activations import quantize_inputs
from methods.arrays.quantizer import decoded
from methods.base import Shipped, forward

ROUNDS = (7, 100)
"""At least and at most so many timed runs of each net."""
BUDGET = 0.1
"""Seconds of timing after which no round is added to the least number."""


class Latency(NamedTuple):
    """Milliseconds per batch."""

    median_ms: float
    p95_ms: float
    dense_median_ms: float


class Forward(NamedTuple):
    """What ships, compiled to run on batches of one shape."""

    run: Callable[[Any], Any]  # batch -> out
    compiled: Any  # the program beneath, (variables, input grids, batch) -> out
    seconds: float  # that it took to compile, when it was first needed


def compile_forward(shipped: Shipped, batch) -> Forward:
    """Compiles `shipped`, its weights decoded, for batches like `batch [B, ...]`.

    What has the same net, quantized inputs and shapes as another shares its program.
    """
    arguments = decoded(shipped.variables), dict(shipped.inputs)
    leaves, structure = jax.tree.flatten((*arguments, batch))
    specs = tuple((np.shape(leaf), np.dtype(leaf.dtype)) for leaf in leaves)
    compiled, seconds = _compile(shipped.net, structure, specs)
    return Forward(partial(compiled, *arguments), compiled, seconds)


@lru_cache(maxsize=64)
def _compile(net, structure, specs):
    arguments = jax.tree.unflatten(structure, [jax.ShapeDtypeStruct(*spec) for spec in specs])
    start = time.perf_counter()
    compiled = jax.jit(_forward, static_argnums=0).lower(net, *arguments).compile()
    return compiled, time.perf_counter() - start


def forget() -> None:
    """Frees the compiled programs."""
    _compile.cache_clear()


def _forward(net, variables, inputs, batch):
    return forward(net, variables, batch, tap=quantize_inputs(inputs) if inputs else None)[0]


def latency(run: Callable[[Any], Any], dense_run: Callable[[Any], Any], batch) -> Latency:
    """Times `run(batch)` and `dense_run(batch)` in turn, so that what else the machine does hits both alike.

    `batch` is on the device before the clock starts; a run ends when its output is ready.
    """
    batch = jax.device_put(batch)
    for warm in (run, dense_run) * 2:
        jax.block_until_ready(warm(batch))
    times, least, most = [], *ROUNDS
    start = time.perf_counter()
    while len(times) < least or (len(times) < most and time.perf_counter() - start < BUDGET):
        times.append((_seconds(run, batch), _seconds(dense_run, batch)))
    ours, dense = 1e3 * np.array(times).T
    return Latency(float(np.median(ours)), float(np.percentile(ours, 95)), float(np.median(dense)))


def _seconds(run, batch) -> float:
    start = time.perf_counter()
    jax.block_until_ready(run(batch))
    return time.perf_counter() - start


def memory(compiled) -> int:
    """Peak bytes of a compiled program: arguments + outputs + temporaries - what aliases.

    The temporaries are those of XLA's buffer assignment, after reuse. XLA's own peak field is not used: it means
    different things on different backends.
    """
    stats = compiled.memory_analysis()
    held = stats.argument_size_in_bytes + stats.output_size_in_bytes + stats.temp_size_in_bytes
    return int(held - stats.alias_size_in_bytes)


def device() -> str:
    """What runs: "cpu AMD EPYC 7B13, 2 cores", "gpu NVIDIA H100 80GB HBM3 ×1". Cores are those this process may use."""
    devices = jax.devices()
    if devices[0].platform != "cpu":
        return f"{devices[0].platform} {devices[0].device_kind} ×{len(devices)}"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"cpu {_cpu()}, {cores} core{'s' * (cores != 1)}"


def _cpu() -> str:
    """Its model where Linux tells, else its architecture."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
