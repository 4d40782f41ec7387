"""Bit packing: codes of any width from 1 to 32 bits as one contiguous little-endian bit stream.

Bit j of code i is bit `i · bits + j` of the stream, and bit k of the stream is bit `k mod 8` (from the lowest) of byte
`k // 8`. The last byte is filled up with zeros.
"""

import numpy as np


def width(levels: int) -> int:
    """Returns how many bits tell `levels` codes apart, at least 1."""
    return max(1, (int(levels) - 1).bit_length())


def packed_bytes(count: int, bits: int) -> int:
    """Returns the bytes of the stream of `count` codes."""
    return -(-count * bits // 8)


def pack(codes: np.ndarray, bits: int) -> np.ndarray:
    """Returns the stream, uint8 [packed_bytes(N, bits)], of `codes`, integers [N] in [0, 2**bits).

    Raises ValueError if the width is not one of 1..32 or a code does not fit in it.
    """
    _check_width(bits)
    if codes.size and not 0 <= int(codes.min()) <= int(codes.max()) < 2**bits:
        raise ValueError(f"codes from {codes.min()} to {codes.max()} do not fit in {bits} bits")
    spread = np.unpackbits(codes.astype("<u4").view(np.uint8).reshape(-1, 4), axis=1, bitorder="little")
    return np.packbits(spread[:, :bits], bitorder="little")


def unpack(stream: np.ndarray, bits: int, count: int) -> np.ndarray:
    """Returns the codes, uint32 [count], that `pack` took.

    Args:
        stream: uint8 [packed_bytes(count, bits)].
        bits: of one code, 1 to 32.
        count: of codes.

    Raises ValueError if the stream is not exactly as long as `count` codes, or its filling is not zeros.
    """
    _check_width(bits)
    if stream.size != packed_bytes(count, bits):
        raise ValueError(f"{count} codes of {bits} bits are {packed_bytes(count, bits)} bytes, not {stream.size}")
    flat = np.unpackbits(stream, bitorder="little")
    if flat[count * bits :].any():
        raise ValueError(f"bits are set behind the last of {count} codes of {bits} bits")
    spread = np.zeros((count, 32), np.uint8)
    spread[:, :bits] = flat[: count * bits].reshape(count, bits)
    return np.packbits(spread, axis=1, bitorder="little").view("<u4").reshape(count).astype(np.uint32)


def _check_width(bits: int) -> None:
    if not 1 <= bits <= 32:
        raise ValueError(f"codes are 1 to 32 bits wide, not {bits}")
