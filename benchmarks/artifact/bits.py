"""Bit packing: codes as one contiguous little-endian bit stream.

Where all codes have the same width, bit j of code i is bit `i · bits + j` of the stream. Bit k of the stream is bit
`k mod 8` (from the lowest) of byte `k // 8`. The last byte is filled up with zeros.
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

    Raises ValueError if the width is neither one of 1..32 nor 64, or a code does not fit in it.
    """
    _check_width(bits)
    if codes.size and not 0 <= int(codes.min()) <= int(codes.max()) < 2**bits:
        raise ValueError(f"codes from {codes.min()} to {codes.max()} do not fit in {bits} bits")
    if bits in WHOLE:
        return codes.astype(f"<u{bits // 8}").view(np.uint8)
    return np.packbits(_spread(codes)[:, :bits], bitorder="little")


def unpack(stream: np.ndarray, bits: int, count: int) -> np.ndarray:
    """Returns the codes, uint32 [count], uint64 of 64 bits, that `pack` took.

    Args:
        stream: uint8 [packed_bytes(count, bits)].
        bits: of one code, 1 to 32 or 64.
        count: of codes.

    Raises ValueError if the stream is not exactly as long as `count` codes, or its filling is not zeros.
    """
    _check_width(bits)
    if stream.size != packed_bytes(count, bits):
        raise ValueError(f"{count} codes of {bits} bits are {packed_bytes(count, bits)} bytes, not {stream.size}")
    if bits in WHOLE:
        return np.frombuffer(stream.tobytes(), f"<u{bits // 8}").astype(np.uint64 if bits == 64 else np.uint32)
    flat = np.unpackbits(stream, bitorder="little")
    if flat[count * bits :].any():
        raise ValueError(f"bits are set behind the last of {count} codes of {bits} bits")
    spread = np.zeros((count, 32), np.uint8)
    spread[:, :bits] = flat[: count * bits].reshape(count, bits)
    return _gathered(spread)


def pack_each(codes: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """Returns the stream, uint8, of `codes`, integers [N], of which each has a width of its own, 0 to 32: [N]."""
    return np.packbits(_spread(codes)[np.arange(32) < widths[:, None]], bitorder="little")


def unpack_each(stream: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """Returns the codes, uint32 [N], that `pack_each` took. Raises ValueError if the filling is not zeros."""
    flat = np.unpackbits(stream, bitorder="little")
    total = int(widths.sum())
    if flat[total:].any():
        raise ValueError(f"bits are set behind the last of {total}")
    spread = np.zeros((widths.size, 32), np.uint8)
    spread[np.arange(32) < widths[:, None]] = flat[:total]
    return _gathered(spread)


WHOLE = (8, 16, 32, 64)
"""Widths of codes whose stream is that of little-endian integers."""


def _spread(codes: np.ndarray) -> np.ndarray:
    """Returns the bits of each code, the lowest first: uint8 [N, 32]."""
    return np.unpackbits(codes.astype("<u4").view(np.uint8).reshape(-1, 4), axis=1, bitorder="little")


def _gathered(spread: np.ndarray) -> np.ndarray:
    return np.packbits(spread, axis=1, bitorder="little").view("<u4").reshape(len(spread)).astype(np.uint32)


def _check_width(bits: int) -> None:
    if bits != 64 and not 1 <= bits <= 32:
        raise ValueError(f"codes are 1 to 32 bits wide, not {bits}")
