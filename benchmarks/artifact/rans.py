"""An entropy coder: range asymmetric numeral systems, static and interleaved (Duda 2013, arXiv 1311.2540, §2-3).

A state x in [2¹⁶, 2³²) takes in a symbol of frequency f, of TOTAL, whose predecessors' frequencies sum to s, by

    x ← x // f · TOTAL + s + x mod f

after its low 16 bits were moved to the stream if it would grow too large. So x holds the symbols in log2(TOTAL / f)
bits each, and decoding undoes step by step what encoding did. Symbol i is taken in by state `i mod lanes`, so that
NumPy works on all lanes at once.

All that a file codes is one sequence, in which every symbol may come from another table: the states are paid for once.
"""

from collections.abc import Sequence

import numpy as np

from benchmarks.artifact.table import TOTAL, TOTAL_BITS

LOW = 1 << 16
"""The least state between two symbols, and the first."""
STEPS = 2048
"""Symbols of a lane, at most: a lane costs 3 bytes beyond its symbols, a step some microseconds."""


def lanes(count: int) -> int:
    """Returns how many states code `count` symbols."""
    return -(-count // STEPS)


def share(count: int) -> float:
    """Returns the bytes, on average, that states cost `count` symbols beyond their information."""
    return 3 * count / STEPS


def encode(symbols: Sequence[np.ndarray], tables: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the last states, uint32 [lanes(N)], and the stream, uint16 [any].

    Args:
        symbols: N in all, integers; each array is coded by the table at its place.
        tables: frequencies [S], integers; each sums to TOTAL.
    """
    frequency = _by_step([table[own] for own, table in zip(symbols, tables, strict=True)], TOTAL)
    start = _by_step([(np.cumsum(table) - table)[own] for own, table in zip(symbols, tables, strict=True)], 0)
    x = np.full(frequency.shape[1], LOW, np.uint64)
    stream = []
    for f, s in zip(frequency[::-1], start[::-1], strict=True):
        full = x >= f << np.uint64(32 - TOTAL_BITS)
        stream.append(x[full].astype(np.uint16))
        x = np.where(full, x >> np.uint64(16), x)
        share, rest = np.divmod(x, f)
        x = (share << np.uint64(TOTAL_BITS)) + s + rest
    return x.astype(np.uint32), np.concatenate([np.zeros(0, np.uint16), *stream[::-1]])


def decode(
    states: np.ndarray, stream: np.ndarray, counts: Sequence[int], tables: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """Returns the symbols, uint8 [n] for each n of `counts`.

    Args:
        states: uint32 [lanes(N)].
        stream: uint16 [any].
        counts: of symbols of each table, N in all.
        tables: frequencies [S], integers; each sums to TOTAL.

    Raises ValueError if these are not what `encode` returns.
    """
    symbol, frequency, offset = _lookup(tables)
    base = _by_step([np.full(n, i * TOTAL) for i, n in enumerate(counts)], len(tables) * TOTAL).astype(np.int64)
    found = np.zeros(base.shape, np.uint8)
    x, at = states.astype(np.uint64), 0
    for step, first in enumerate(base):
        place = first + (x & np.uint64(TOTAL - 1)).astype(np.int64)
        found[step] = symbol[place]
        x = frequency[place] * (x >> np.uint64(TOTAL_BITS)) + offset[place]
        low = np.flatnonzero(x < LOW)
        if at + low.size > stream.size:
            raise ValueError("the entropy-coded stream ends too early")
        x[low] = (x[low] << np.uint64(16)) | stream[at : at + low.size]
        at += low.size
    if at != stream.size or (x != LOW).any():
        raise ValueError("the entropy-coded stream does not end where its symbols do")
    return [] if not counts else np.split(found.reshape(-1)[: sum(counts)], np.cumsum(counts)[:-1])


def _by_step(parts: Sequence[np.ndarray], filling: int) -> np.ndarray:
    """Returns uint64 [steps, lanes]; a filling symbol of frequency TOTAL leaves a state as it is."""
    flat = np.concatenate([np.zeros(0, np.uint64), *parts]).astype(np.uint64)
    width = lanes(flat.size)
    steps = -(-flat.size // max(width, 1))
    filled = np.full(steps * width, filling, np.uint64)
    filled[: flat.size] = flat
    return filled.reshape(steps, width)


def _lookup(tables: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns symbol, frequency and (slot - start) of each of the TOTAL slots of each table, then of the filling."""
    slots, filling = np.arange(TOTAL), np.array([TOTAL])
    rows = [
        (np.repeat(np.arange(t.size), t), np.repeat(t, t), np.repeat(np.cumsum(t) - t, t)) for t in [*tables, filling]
    ]
    symbol, frequency, start = (np.concatenate(column) for column in zip(*rows, strict=True))
    return symbol.astype(np.uint8), frequency.astype(np.uint64), (np.tile(slots, len(rows)) - start).astype(np.uint64)
