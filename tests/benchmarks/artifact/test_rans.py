"""The entropy coder, worked by hand and against one of Python's integers."""

import numpy as np
import pytest

from benchmarks.artifact.rans import LOW, STEPS, decode, encode, lanes
from benchmarks.artifact.table import TOTAL


def test_states_by_hand():
    """Of shares 3/4 and 1/4; the last symbol is taken in first.

    0: 65536 = 21 · 3072 + 1024          -> 21 · 4096 + 0 + 1024   =  87040
    1: 87040 = 85 · 1024 + 0             -> 85 · 4096 + 3072 + 0   = 351232
    0: 351232 = 114 · 3072 + 1024        -> 114 · 4096 + 0 + 1024  = 467968
    """
    states, words = encode([np.array([0, 1, 0])], [np.array([3072, 1024])])
    assert (states.tolist(), words.tolist()) == ([467968], [])


def test_words_by_hand():
    """A symbol of frequency 1 of 4096, three times: 12 bits each, above 2²⁰ the low 16 bits leave.

    0x10000 -> 0x10000FFF; 0x0FFF leaves, 0x1000 -> 0x1000FFF; 0x0FFF leaves, 0x100 -> 0x100FFF
    """
    states, words = encode([np.array([1, 1, 1])], [np.array([4095, 1])])
    assert (states.tolist(), words.tolist()) == ([0x100FFF], [0x0FFF, 0x0FFF])
    assert decode(states, words, [3], [np.array([4095, 1])])[0].tolist() == [1, 1, 1]


def by_integers(symbols, frequency):
    """A whole message as one integer, without any words: state ← state // f · TOTAL + s + state mod f."""
    x = LOW
    for symbol in reversed(symbols):
        f, s = frequency[symbol], sum(frequency[:symbol])
        x = x // f * TOTAL + s + x % f
    return x


def test_nearly_as_short_as_one_integer():
    """Of 2000 symbols in one lane the state with its words has as many bits as the integer, but for 32."""
    frequency = [2000, 1000, 900, 150, 40, 6]
    symbols = np.random.default_rng(0).choice(6, 2000, p=np.array(frequency) / TOTAL)
    states, words = encode([symbols], [np.array(frequency)])
    assert states.size == 1
    assert abs(32 + 16 * words.size - by_integers(symbols.tolist(), frequency).bit_length()) <= 32


@pytest.mark.parametrize("sizes", [[1], [2048], [2049], [5, 0, 700], [40000, 3, 9999]])
def test_lists_of_several_tables_come_back(sizes):
    rng = np.random.default_rng(1)
    tables = [np.array(t) for t in ([4096], [1, 4095], [1000, 96, 3000])][: len(sizes)]
    symbols = [rng.choice(t.size, n, p=t / TOTAL) for t, n in zip(tables, sizes, strict=True)]
    states, words = encode(symbols, tables)
    assert states.size == lanes(sum(sizes)) == -(-sum(sizes) // STEPS)
    for found, own in zip(decode(states, words, sizes, tables), symbols, strict=True):
        np.testing.assert_array_equal(found, own)


def test_nothing_is_nothing():
    states, words = encode([], [])
    assert states.size == words.size == 0
    assert decode(states, words, [], []) == []


def test_damage_is_noticed():
    table = [np.array([1000, 96, 3000])]
    symbols = [np.random.default_rng(2).choice(3, 5000, p=table[0] / TOTAL)]
    states, words = encode(symbols, table)
    for wrong in (words[:-1], np.append(words, words[-1:])):
        with pytest.raises(ValueError, match="entropy-coded stream"):
            decode(states, wrong, [5000], table)
    with pytest.raises(ValueError, match="entropy-coded stream"):
        decode(states ^ np.uint32(1), words, [5000], table)
