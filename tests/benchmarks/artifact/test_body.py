import numpy as np
import pytest

from benchmarks.artifact.body import Sink, Source, number


def test_numbers_by_hand():
    assert [list(number(n)) for n in (0, 127, 128, 300, 2**21)] == [[0], [127], [128, 1], [172, 2], [128, 128, 128, 1]]


def test_parts_come_back_in_order():
    sink = Sink()
    sink.number(300)
    for n in (0, -1, 1, -128, 2**31):
        sink.signed(n)
    sink.plain(np.array([1, 258], np.uint16))
    sink.coded(np.array([0, 1, 1, 0]), np.array([63, 63]))
    sink.plain(np.array([1.5], np.float32))
    body = sink.close()
    assert body.startswith(bytes([172, 2, 0, 1, 2, 255, 1]))
    assert body.endswith(bytes([1, 0, 2, 1]) + np.float32(1.5).tobytes())
    source = Source(b"head" + body, 4)
    assert source.number() == 300
    assert [source.signed() for _ in range(5)] == [0, -1, 1, -128, 2**31]
    source.expect(4, 2)
    assert source.open() == 2 + 4 + 4 + 4  # two levels of 6 bits, a state, four bytes, four bytes
    assert source.symbols().tolist() == [0, 1, 1, 0]
    assert source.array(np.dtype("uint16"), (2, 1)).tolist() == [[1], [258]]
    assert source.array(np.dtype("float32"), (1,)).tolist() == [1.5]
    source.close()


def test_what_is_not_there_is_refused():
    with pytest.raises(ValueError, match="ends within its description"):
        Source(b"\x80", 0).number()
    with pytest.raises(ValueError, match="more than 63 bits"):
        Source(b"\xff" * 20, 0).number()
    with pytest.raises(ValueError, match="ends 3 bytes too early"):
        Source(b"1", 0).take(4)
    with pytest.raises(ValueError, match="1 bytes follow the last value"):
        Source(b"1", 0).close()
    for count, size in ((0, 3), (3, 0), (3, 257)):
        with pytest.raises(ValueError, match="cannot be coded"):
            Source(b"", 0).expect(count, size)
