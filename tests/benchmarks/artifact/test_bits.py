import numpy as np
import pytest

from benchmarks.artifact.bits import pack, pack_each, packed_bytes, unpack, unpack_each, width


def test_stream_is_little_endian_by_hand():
    # 3 bits: 5, 1, 7 -> 101 001 111, first code in the lowest bits: 0b11_001_101, then 0b1
    assert pack(np.array([5, 1, 7]), 3).tolist() == [0b11001101, 0b00000001]
    assert pack(np.array([1, 2, 3, 0]), 2).tolist() == [0b00111001]
    assert pack(np.array([0x1234, 0xABCD]), 16).tolist() == [0x34, 0x12, 0xCD, 0xAB]


@pytest.mark.parametrize("bits", range(1, 33))
def test_every_width_comes_back(bits):
    codes = np.random.default_rng(bits).integers(0, 2**bits, 37, dtype=np.uint32)
    codes[:2] = 0, 2**bits - 1
    stream = pack(codes, bits)
    assert stream.size == packed_bytes(37, bits) == int(np.ceil(37 * bits / 8))
    np.testing.assert_array_equal(unpack(stream, bits, 37), codes)
    # an independent reading: the stream as one big integer
    number = int.from_bytes(stream.tobytes(), "little")
    assert [(number >> (i * bits)) & (2**bits - 1) for i in range(37)] == codes.tolist()


def test_nothing_packs_to_nothing():
    assert pack(np.zeros(0, np.int64), 5).size == 0
    assert unpack(np.zeros(0, np.uint8), 5, 0).size == 0


def test_width():
    assert [width(n) for n in (1, 2, 3, 4, 5, 256, 257)] == [1, 1, 2, 2, 3, 8, 9]


@pytest.mark.parametrize(("codes", "bits"), [([4], 2), ([-1, 0], 2), ([0], 0), ([0], 33)])
def test_what_does_not_fit_is_refused(codes, bits):
    with pytest.raises(ValueError, match=r"fit in 2 bits|not 0|not 33"):
        pack(np.array(codes), bits)


def test_wrong_streams_are_refused():
    with pytest.raises(ValueError, match="3 codes of 3 bits are 2 bytes, not 3"):
        unpack(np.zeros(3, np.uint8), 3, 3)
    with pytest.raises(ValueError, match="behind the last of 3 codes"):
        unpack(np.array([0, 2], np.uint8), 3, 3)


def test_widths_of_one_code_each_by_hand():
    # 1 bit, 3 bits, none, 5 bits: 1, 101, -, 10011 -> 10011 101 1 from the highest, then nothing
    codes, widths = np.array([1, 5, 0, 19]), np.array([1, 3, 0, 5])
    assert pack_each(codes, widths).tolist() == [0b00111011, 0b1]
    np.testing.assert_array_equal(unpack_each(pack_each(codes, widths), widths), codes)
    with pytest.raises(ValueError, match="behind the last of 9"):
        unpack_each(np.array([0, 2], np.uint8), widths)


def test_whole_bytes_are_little_endian_integers():
    assert pack(np.array([2**64 - 2], np.uint64), 64).tolist() == [254] + 7 * [255]
    assert unpack(pack(np.array([2**40], np.uint64), 64), 64, 1).tolist() == [2**40]
