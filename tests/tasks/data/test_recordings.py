"""Recordings: wav files, FSDD by split and by speaker, connected digits."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tasks.base import count
from tasks.data import fsdd, wav
from tasks.data.store import files
from tasks.data.store.dataset import DataError
from tests.tasks.files import one_line, sound


def test_a_recording_is_padded_or_keeps_its_loudest_stretch(tmp_path):
    path = sound(tmp_path / "a.wav", [1, -2, 3000, -32768])
    samples = wav.read(path, 8000)
    assert samples.dtype == np.int16
    assert_array_equal(samples, [1, -2, 3000, -32768])
    assert_array_equal(wav.fit(samples, 6), [1, -2, 3000, -32768, 0, 0])
    assert_array_equal(wav.fit(samples, 2), [3000, -32768])
    assert_array_equal(wav.fit(np.array([1, 9, -9, 2], np.int16), 2), [9, -9])


def test_a_spoilt_recording_is_one_line(tmp_path):
    path = sound(tmp_path / "a.wav", range(1000))
    whole = path.read_bytes()
    for content, said in (
        (whole[:1044], "500 samples, must be 1000: cut short"),
        (whole[:20], "is not a wav file"),
        (b"", "is not a wav file"),
        (b"ID3" + whole, "is not a wav file"),
    ):
        path.write_bytes(content)
        with pytest.raises(DataError) as error:
            wav.read(path, 8000)
        one_line(error, path, said)
    for wrong in ({"rate": 16000}, {"width": 4}, {"channels": 2}):
        with pytest.raises(DataError) as error:
            wav.read(sound(path, [1, 2], **wrong), 8000)
        one_line(error, path, "must be 1, 2 and 8000")


@pytest.fixture
def small_fsdd(root, monkeypatch):
    """Recordings of 400 + take samples, all 1000 · (digit + 1) + 100 · speaker + take."""
    for file in fsdd.FILES:
        digit, speaker, take = file.removeprefix("recordings/").removesuffix(".wav").split("_")
        value = 1000 * int(digit) + 1000 + 100 * fsdd.SPEAKERS.index(speaker) + int(take)
        sound(root / "fsdd" / file, [value] * (400 + int(take)))
    known = dataclasses.replace(fsdd.DATASET, content=files.content(root / "fsdd", fsdd.FILES))
    monkeypatch.setattr(fsdd, "DATASET", known)
    return root / "fsdd"


def test_fsdd(small_fsdd):
    data = fsdd.load()
    assert [count(split) for split in data] == [2400, 300, 300, 1000]
    assert data.train["audio"].shape == (2400, 8000)
    assert data.train["audio"].dtype == np.int16
    takes = []
    for split in data:
        take = split["length"] - 400
        assert_array_equal(split["audio"][:, 0], 1000 * split["y"] + 1000 + 100 * split["speaker"] + take)
        assert_array_equal((split["audio"] != 0).sum(1), split["length"])
        takes.append(set(take.tolist()))
    assert takes == [set(range(10, 50)), set(range(5, 10)), set(range(5)), takes[3]]
    one_out(fsdd.load_without("lucas"))
    joined(fsdd.load_connected())


def one_out(data):
    assert [count(split) for split in data] == [2250, 250, 500, 1000]
    assert set(data.test["speaker"]) == {2}
    assert set(data.train["speaker"]) == set(data.valid["speaker"]) == {0, 1, 3, 4, 5}
    assert set(data.valid["length"] - 400) == set(range(5))
    assert set(data.train["length"] - 400) == set(range(5, 50))


def joined(data):
    """Each utterance is taken apart again into recordings of its speaker and part."""
    assert [count(split) for split in data] == [3000, 300, 300, 1000]
    assert data.train["audio"].shape == (3000, 32000)
    assert data.train["y"].shape == (3000, 6)
    assert set(data.train["digits"]) == {2, 3, 4, 5, 6}
    assert_array_equal(np.bincount(data.train["speaker"]), 500)
    for split, takes in zip(data[:3], (range(10, 50), range(5, 10), range(5)), strict=True):
        for i in range(40):
            audio = split["audio"][i].astype(int)
            starts = np.flatnonzero(np.diff(audio, prepend=0) * (audio != 0))
            ends = np.flatnonzero(np.diff(audio, append=0) * (audio != 0)) + 1
            digits = split["digits"][i]
            assert len(starts) == len(ends) == digits
            assert split["length"][i] == ends[-1]
            found = audio[starts]
            assert_array_equal(split["y"][i], [*(found // 1000), *[0] * (6 - digits)])
            assert set(found // 100 % 10) == {split["speaker"][i]}
            assert set(found % 100) <= set(takes)
            assert len(set(found)) == digits
            assert_array_equal(ends - starts, 400 + found % 100)
            gaps = starts - np.array([0, *ends[:-1]])
            assert gaps.min() >= 400
            assert gaps.max() <= 1600


def test_connected_digits_follow_the_seed():
    arrays = {
        "audio": np.ones((60, 8000), np.int16),
        "length": np.full(60, 8000, np.int32),
        "y": np.arange(60, dtype=np.int32) % 10,
        "speaker": np.arange(60, dtype=np.int32) // 10,
    }
    first, again, other = (fsdd.join(np.random.Generator(np.random.PCG64(seed)), 12, arrays) for seed in (0, 0, 1))
    for name in first:
        assert_array_equal(first[name], again[name])
    assert not np.array_equal(first["y"], other["y"])
    assert first["digits"].max() == 3  # no more of 1 s fit into 4 s with their gaps
    assert (first["length"] <= 32000).all()


def test_other_recordings_are_one_line(small_fsdd):
    sound(small_fsdd / fsdd.FILES[7], [5] * 100)
    with pytest.raises(DataError) as error:
        fsdd.load()
    one_line(error, small_fsdd, "differ from those of release 1.0.10")
    with pytest.raises(DataError, match="no speaker 'nobody'; there are george, jackson"):
        fsdd.load_without("nobody")


def test_a_missing_recording_is_one_line(small_fsdd):
    (small_fsdd / fsdd.FILES[7]).unlink()
    with pytest.raises(DataError) as error:
        fsdd.load()
    one_line(error, small_fsdd, "lacks recordings/0_george_7.wav", "or delete")
