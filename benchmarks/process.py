"""What a process that trains sets up before it loads any data: the platform, what defines results, caches."""

import os
from pathlib import Path

import jax

from benchmarks.identity import identity
from benchmarks.train.allocator import keep_freed
from leaderboard.command import UsageError


def set_up(workdir: Path) -> None:
    """Sets up this process; programs that JAX compiles are kept in the workdir. Raises UsageError."""
    check_platform()
    identity.pin()
    keep_freed()
    keep_compiled(workdir)


def check_platform() -> None:
    """Raises UsageError if JAX cannot run on the platform that it is told."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # XLA logs as TensorFlow does
    try:
        jax.devices()
    except (RuntimeError, AssertionError) as error:  # an assertion: JAX's answer to "cuda" where there is none
        said = str(error) or "there is no such device, or this JAX is not built for it"
        raise UsageError(f"JAX_PLATFORMS={os.environ.get('JAX_PLATFORMS', '')}: {said}") from None


def keep_compiled(workdir: Path) -> None:
    """Keeps JAX's compiled programs in the workdir."""
    jax.config.update("jax_compilation_cache_dir", str((workdir / "compiled").absolute()))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
