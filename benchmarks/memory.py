"""The C allocator: what a step frees is kept for the next one."""

import ctypes

TRIM_THRESHOLD, MMAP_MAX = -1, -4  # of glibc's <malloc.h>


def keep_freed() -> bool:
    """Whether the allocator was told to keep freed memory. Call it before JAX's first computation.

    On a CPU, XLA takes the memory of every step from malloc and gives it back. glibc returns blocks this large to the
    system, and each step pays for thousands of page faults: a seventh of the time of a ResNet-20's step, a quarter of
    a small GPT's. Where there is no glibc, nothing happens.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return all([mallopt(MMAP_MAX, 0), mallopt(TRIM_THRESHOLD, 2**31 - 1)])
