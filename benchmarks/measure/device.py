"""The device that runs."""

import os
import platform
from pathlib import Path

import jax


def device() -> str:
    """Returns "cpu AMD EPYC 7B13, 2 cores" or "gpu NVIDIA H100 80GB HBM3 ×1". Cores are those this process may use."""
    devices = jax.devices()
    if devices[0].platform != "cpu":
        return f"{devices[0].platform} {devices[0].device_kind} ×{len(devices)}"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"cpu {_cpu()}, {cores} core{'s' * (cores != 1)}"


def _cpu() -> str:
    """Returns the processor's model where Linux tells it, else its architecture."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
