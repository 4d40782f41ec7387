"""Speech Commands: the hash split, the twelve classes, silence."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tasks.data import speech_commands
from tasks.data.store.dataset import DataError
from tests.tasks import small
from tests.tasks.files import one_line


# The first names of the publisher's validation_list.txt and testing_list.txt
@pytest.mark.parametrize(
    ("speaker", "part"),
    [
        ("026290a7", "valid"),
        ("060cd039", "valid"),
        ("099d52ad", "valid"),
        ("0c40e715", "test"),
        ("0ea0e2f4", "test"),
        ("a69b9b3e", "valid"),
        ("00176480", "train"),
    ],
)
def test_speech_commands_are_split_by_speaker(speaker, part):
    for take in (0, 7):
        assert speech_commands.which_set(Path(f"bed/{speaker}_nohash_{take}.wav")) == part


@pytest.fixture
def small_speech_commands(root, monkeypatch):
    return small.commands(root, monkeypatch)


def test_speech_commands(small_speech_commands, monkeypatch):
    monkeypatch.setattr(speech_commands, "_stretch", lambda rng, noise: noise[-16000:])  # at full volume
    data = speech_commands.load()
    seen = []
    for part, split, tenth in zip(speech_commands.PARTS, data, (7, 8, 9), strict=False):
        speakers = {s + 1 for s in range(60) if speech_commands.which_set(Path(f"{s:08x}_nohash_0.wav")) == part}
        seen.append(speakers)
        few = -(-2 * len(speakers) // 10)
        y, first = split["y"], split["audio"][:, 0].astype(int)
        assert split["audio"].shape == (2 * len(speakers) + 2 * few, 16000)
        assert split["audio"].dtype == np.int16
        assert (y == speech_commands.SILENCE).sum() == (y == speech_commands.UNKNOWN).sum() == few
        assert set(first[y == 2]) == speakers
        assert set(first[y == 2 + speech_commands.WORDS.index("go")]) == {100 + s for s in speakers}
        assert set(first[y == speech_commands.UNKNOWN]) <= {200 + s for s in speakers}
        spoken = split["audio"][y != speech_commands.SILENCE]
        assert_array_equal(spoken[:, 9000:], 0)
        assert_array_equal(spoken[:, 8999], spoken[:, 0])
        assert set(first[y == speech_commands.SILENCE]) <= {10000 + tenth, 10010 + tenth}
    assert not seen[0] & seen[1]
    assert not seen[0] & seen[2]
    assert min(map(len, seen)) > 0


def test_speech_commands_silence_lies_in_its_part_of_the_noise():
    noise = np.arange(20000)
    rng = np.random.Generator(np.random.PCG64(0))
    starts = []
    for _ in range(200):
        stretch = speech_commands._stretch(rng, noise)
        volume = (stretch[-1] - stretch[0]) / (len(stretch) - 1)
        assert 0 <= volume <= 1
        starts.append(stretch[0] / volume if volume > 0.1 else 0)
    assert 3000 < max(starts) < 4010


def test_a_wrong_number_of_recordings_is_one_line(small_speech_commands):
    next((small_speech_commands / "go").iterdir()).unlink()
    with pytest.raises(DataError) as error:
        speech_commands.load()
    one_line(error, small_speech_commands, "179 recordings", "must be 180")
    assert len(speech_commands.OTHERS) == 25
    assert len({*speech_commands.OTHERS, *speech_commands.WORDS}) == 35
