"""Loaders on small files in their publishers' formats, and on the real ones where SLIMBENCH_DATA has them."""

import dataclasses
import gzip
import hashlib
import os
import struct
import wave
from pathlib import Path

import numpy as np
import pytest
import tokenizers
from numpy.testing import assert_array_equal

from tasks.base import fingerprint, rows
from tasks.data import DATASETS, cifar, fsdd, mnist, shakespeare, speech_commands, sst2, store, text, wav, wikitext
from tasks.data.store import DataError


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A data directory of this test's own."""
    monkeypatch.setenv("SLIMBENCH_DATA", str(tmp_path))
    return tmp_path


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def one_line(error, *said):
    assert "\n" not in str(error.value)
    assert all(str(part) in str(error.value) for part in said), error.value


# MNIST


def idx(array):
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def small_mnist(root, monkeypatch):
    """30 images to train on, of which 10 are valid, and 4 of test; image i is all i."""
    arrays = []
    for count in (30, 4):
        arrays += [np.repeat(np.arange(count, dtype=np.uint8), 784).reshape(count, 28, 28)]
        arrays += [(np.arange(count) % 10).astype(np.uint8)]
    known = {
        name: (0, None, hashlib.sha256(idx(array)).hexdigest(), array.shape)
        for name, array in zip(mnist.FILES, arrays, strict=True)
    }
    for name, array in zip(mnist.FILES, arrays, strict=True):
        put(root / "mnist" / name, gzip.compress(idx(array)))
    monkeypatch.setattr(mnist, "FILES", known)
    monkeypatch.setattr(mnist, "VALID", 10)
    monkeypatch.setattr(mnist, "CALIBRATION", 5)
    return root / "mnist"


def test_mnist(small_mnist):
    data = mnist.load()
    assert [rows(split) for split in data] == [20, 10, 4, 5]
    assert data.train["x"].shape == (20, 28, 28, 1)
    assert data.train["x"].dtype == np.uint8
    assert data.train["y"].dtype == np.int32
    assert_array_equal(data.valid["x"][:, 5, 7, 0], np.arange(20, 30))
    assert_array_equal(data.valid["y"], np.arange(10))
    assert_array_equal(data.calibration["y"], [0, 4, 8, 2, 6])
    assert mnist.load() is data
    mnist._load.cache_clear()
    assert fingerprint(mnist.load()) == fingerprint(data)  # from the npz


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda raw: gzip.compress(raw)[:-40], ["cannot be unzipped", "delete it"]),
        (lambda raw: b"no gzip", ["cannot be unzipped"]),
        (lambda raw: gzip.compress(raw[:-3]), ["holds 23517 bytes of data, must be 23520"]),
        (lambda raw: gzip.compress(raw[:7] + b"\x1f" + raw[8:]), ["is not an idx file of (30, 28, 28) bytes"]),
        (lambda raw: gzip.compress(raw[:-1] + b"?"), ["SHA-256 is", "must be"]),
    ],
)
def test_a_spoilt_idx_file_is_one_line(small_mnist, spoil, said):
    path = small_mnist / "train-images-idx3-ubyte.gz"
    path.write_bytes(spoil(gzip.decompress(path.read_bytes())))
    with pytest.raises(DataError) as error:
        mnist.load()
    one_line(error, path, *said)


# CIFAR


def cifar_record(labels, pixel):
    """An image whose red, green and blue are pixel, pixel + 1 and pixel + 2, but red's second is 99."""
    image = np.repeat(np.arange(pixel, pixel + 3, dtype=np.uint8), 1024)
    image[1] = 99
    return bytes(labels) + image.tobytes()


@pytest.fixture
def small_cifar(root, monkeypatch):
    for i, file in enumerate(cifar.TEN):
        put(root / "cifar10" / file, b"".join(cifar_record([j], 10 * i + j) for j in range(4)))
    put(root / "cifar100/cifar-100-binary/train.bin", b"".join(cifar_record([j, 50 + j], j) for j in range(20)))
    put(root / "cifar100/cifar-100-binary/test.bin", b"".join(cifar_record([9, j], j) for j in range(4)))
    for name, value in (("ROWS", 4), ("VALID", 5), ("CALIBRATION", 3)):
        monkeypatch.setattr(cifar, name, value)
    return root


def test_cifar10(small_cifar):
    data = cifar.load10()
    assert [rows(split) for split in data] == [15, 5, 4, 3]
    assert data.train["x"].dtype == np.uint8
    assert data.train["x"].shape == (15, 32, 32, 3)
    assert_array_equal(data.train["x"][6, 0, 1], [99, 13, 14])  # batch 2, third image; row 0, column 1
    assert_array_equal(data.train["x"][6, 1, 0], [12, 13, 14])
    assert_array_equal(data.valid["y"], [3, 0, 1, 2, 3])
    assert_array_equal(data.test["x"][:, 5, 5, 2], [52, 53, 54, 55])
    assert_array_equal(data.calibration["x"][:, 9, 9, 0], [0, 11, 22])


def test_cifar100_takes_the_fine_label(small_cifar):
    data = cifar.load100()
    assert [rows(split) for split in data] == [15, 5, 4, 3]
    assert_array_equal(data.train["y"], 50 + np.arange(15))
    assert_array_equal(data.train["x"][3, 0, 1], [99, 4, 5])
    assert_array_equal(data.test["y"], np.arange(4))


def test_variant_is_told_by_content(small_cifar, monkeypatch):
    assert cifar.variant10() == "cifar10-jpeg"
    assert cifar.variant100() == "cifar100-jpeg"
    hashes = {file: store.sha256(small_cifar / "cifar10" / file) for file in cifar.TEN}
    monkeypatch.setattr(cifar, "TEN", hashes)
    assert cifar.variant10() == "cifar10"


def test_a_cifar_file_of_wrong_size_is_one_line(small_cifar):
    path = small_cifar / "cifar10/cifar-10-batches-bin/data_batch_3.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError) as error:
        cifar.load10()
    one_line(error, path, "12291 bytes, must be 12292, 4 images of 3073")


# Text


def test_windows_of_a_text():
    train, valid, test = text.rows(np.arange(13), np.arange(9), np.arange(8), 4)
    assert_array_equal(train["tokens"], [np.arange(9), 4 + np.arange(9)])
    assert_array_equal(valid["tokens"], [np.arange(5), 4 + np.arange(5)])
    assert_array_equal(test["tokens"], [np.arange(5)])


@pytest.fixture
def small_shakespeare(root, monkeypatch):
    def put_text(content, sha256=None):
        path = put(root / "shakespeare_char/input.txt", content)
        monkeypatch.setattr(shakespeare, "SHA256", sha256 or store.sha256(path))
        monkeypatch.setattr(shakespeare, "VALID", 10)
        monkeypatch.setattr(shakespeare, "CALIBRATION", 2)
        return path

    return put_text


def test_shakespeare(small_shakespeare):
    assert len(set(shakespeare.CHARACTERS)) == shakespeare.VOCABULARY == 65
    assert list(shakespeare.CHARACTERS) == sorted(shakespeare.CHARACTERS)
    small_shakespeare(b"To be, or\nnot to be: " * 5)  # 105 characters: 84 train, 10 valid, 11 test
    data = shakespeare.load(4)
    assert [split["tokens"].shape for split in data] == [(19, 9), (2, 5), (2, 5), (2, 9)]
    assert data.train["tokens"].dtype == np.int32
    decoded = ["".join(shakespeare.CHARACTERS[t] for t in split["tokens"][0]) for split in data]
    assert decoded == ["To be, or", "To be", "not t", "To be, or"]
    assert_array_equal(data.train["tokens"][0, :4], [32, 53, 1, 40])
    assert_array_equal(data.train["tokens"][1, :5], data.train["tokens"][0, 4:])


def test_a_wrong_text_is_one_line(small_shakespeare):
    path = small_shakespeare(b"To be, or not" * 9, "0" * 64)
    with pytest.raises(DataError) as error:
        shakespeare.load(4)
    one_line(error, path, "SHA-256 is", "must be 0000")
    small_shakespeare(b"To be, or n\xc3\xb6t" * 9)
    with pytest.raises(DataError) as error:
        shakespeare.load(4)
    one_line(error, path, "byte 11 is none of the 65 characters")


@pytest.fixture
def small_wikitext(root, monkeypatch):
    texts = (" \n = Sea = \n the <unk> sea is the sea \n", " the sea \n", " a sea \n is \n")
    for file, content in zip(wikitext.FILES, texts, strict=True):
        put(root / "wikitext2" / file, content.encode())
    monkeypatch.setattr(wikitext, "TOKENS", (12, 3, 5))
    monkeypatch.setattr(wikitext, "CALIBRATION", 2)
    return root / "wikitext2"


def test_wikitext(small_wikitext):
    train, valid, test = wikitext.encode(small_wikitext, wikitext.TOKENS)
    # <eos> 0, = 1, Sea 2, the 3, <unk> 4, sea 5, is 6; "a" is not in train
    assert_array_equal(train, [0, 1, 2, 1, 0, 3, 4, 5, 6, 3, 5, 0])
    assert_array_equal(valid, [3, 5, 0])
    assert_array_equal(test, [4, 5, 0, 6, 0])
    data = wikitext.load(2)
    assert_array_equal(data.train["tokens"][1], [2, 1, 0, 3, 4])
    assert_array_equal(data.test["tokens"], [[4, 5, 0], [0, 6, 0]])
    assert data.train["tokens"].dtype == np.int32


def test_a_wrong_number_of_words_is_one_line(small_wikitext):
    path = small_wikitext / wikitext.FILES[1]
    path.write_bytes(b" the\n")
    with pytest.raises(DataError) as error:
        wikitext.load(2)
    one_line(error, path, "2 words, must be 3")
    path.write_bytes(b" th\xe9\n")
    with pytest.raises(DataError) as error:
        wikitext.load(2)
    one_line(error, path, "is not UTF-8")


def test_a_strange_word_without_unknown_is_one_line(small_wikitext):
    path = small_wikitext / wikitext.FILES[0]
    path.write_bytes(path.read_bytes().replace(b"<unk>", b"big"))
    with pytest.raises(DataError) as error:
        wikitext.load(2)
    one_line(error, small_wikitext / wikitext.FILES[2], "'a' is not in train")


# SST-2


def test_valid_sentences_share_no_phrase_of_their_own_with_train(monkeypatch):
    phrases = ["a good film", "good film", "good", "a dull plot", "dull plot", "dull", "good", "plot twist is good"]
    # The sentences are "a good film", "a dull plot" and "plot twist is good"; hold out the second.
    crc = {"a good film": 1, "a dull plot": 0, "plot twist is good": 1}
    monkeypatch.setattr(sst2.zlib, "crc32", lambda sentence: crc[sentence.decode()])
    train, valid = sst2.split(phrases)
    assert [phrases[i] for i in valid] == ["a dull plot"]
    assert [phrases[i] for i in train] == ["a good film", "good film", "good", "good", "plot twist is good"]


def test_parts_of_a_sentence_are_runs_of_whole_words():
    known = {"so so good", "so", "so good", "good", "o", "so so", "oo", "bad"}
    assert sst2.parts("so so good", known) == {"so so good", "so", "so good", "good", "so so"}


def tsv(*lines):
    return "".join(f"{line}\n" for line in ("sentence\tlabel", *lines)).encode()


def test_sst2(root, monkeypatch):
    words = ["dull", "good", "long", "bright", "slow", "warm", "flat", "sharp"]
    lines = [f"a {a} and {b} film . \t{i % 2}" for i, a in enumerate(words) for b in words]
    dev = [f'the "{words[0]}" Ümlaut \t1', "\t0".join(["a good film", ""])]
    put(root / "sst2" / sst2.TRAIN, tsv(*lines))
    put(root / "sst2" / sst2.DEV, tsv(*dev))
    counts = {sst2.TRAIN: len(lines), sst2.DEV: 2}
    known = {file: (store.sha256(root / "sst2" / file), counts[file]) for file in sst2.FILES}
    monkeypatch.setattr(sst2, "FILES", known)
    monkeypatch.setattr(sst2, "VOCABULARY", 60)
    monkeypatch.setattr(sst2, "CALIBRATION", 4)
    data = sst2.load()
    assert rows(data.train) + rows(data.valid) == 64
    assert rows(data.valid) > 0
    for split in data:
        assert split["ids"].shape == split["mask"].shape == (rows(split), 64)
        assert (split["ids"].dtype, split["mask"].dtype, split["y"].dtype) == (np.int32, bool, np.int32)
        assert_array_equal(split["mask"], split["ids"] > 0)
        assert (np.diff(split["mask"].astype(int)) <= 0).all()  # padding at the end only
    assert_array_equal(data.test["y"], [1, 0])
    assert (data.test["ids"][0] == sst2.UNKNOWN).any()  # Ü
    assert 50 < data.train["ids"].max() < 60


def test_pieces_are_padded_and_cut():
    tokenizer = sst2.learn(["ab ab ab"])
    arrays = sst2.pieces(tokenizer, ["ab", "ab " * 99])
    assert_array_equal(arrays["mask"].sum(1), [1, 64])
    assert_array_equal(arrays["ids"][0, 1:], 0)
    assert len(set(arrays["ids"][1])) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (tsv("good\t1", "bad\t0")[:-3], "line 3 is not a sentence, a tab and 0 or 1"),
        (tsv("good\t1", "bad\t2"), "line 3 is not"),
        (tsv("good\t1"), "1 sentences, must be 2"),
        (b"good\t1\n", "starts with 'good\\t1'"),
    ],
)
def test_a_spoilt_tsv_is_one_line(tmp_path, content, said):
    path = put(tmp_path / "train.tsv", content)
    with pytest.raises(DataError) as error:
        sst2.read(path, 2)
    one_line(error, path, said)


# Recordings


def sound(path, samples, rate=8000, width=2, channels=1):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(np.asarray(samples, f"<i{width}").tobytes())
    return path


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
    known = dataclasses.replace(fsdd.DATASET, content=store.content(root / "fsdd", fsdd.FILES))
    monkeypatch.setattr(fsdd, "DATASET", known)
    return root / "fsdd"


def test_fsdd(small_fsdd):
    data = fsdd.load()
    assert [rows(split) for split in data] == [2400, 300, 300, 200]
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
    assert [rows(split) for split in data] == [2250, 250, 500, 200]
    assert set(data.test["speaker"]) == {2}
    assert set(data.train["speaker"]) == set(data.valid["speaker"]) == {0, 1, 3, 4, 5}
    assert set(data.valid["length"] - 400) == set(range(5))
    assert set(data.train["length"] - 400) == set(range(5, 50))


def joined(data):
    """Each utterance is taken apart again into recordings of its speaker and part."""
    assert [rows(split) for split in data] == [3000, 300, 300, 200]
    assert data.train["audio"].shape == (3000, 32000)
    assert data.train["y"].shape == (3000, 6)
    assert set(data.train["digits"]) == {2, 3, 4, 5, 6}
    assert_array_equal(np.bincount(data.train["speaker"]), 500)
    for split, takes in zip(data[:3], (range(10, 50), range(5, 10), range(5)), strict=True):
        for i in range(40):
            audio = split["audio"][i].astype(int)
            starts = np.flatnonzero(np.diff(audio, prepend=0) * (audio != 0))
            ends = np.flatnonzero(np.diff(audio, append=0) * (audio != 0)) + 1
            count = split["digits"][i]
            assert len(starts) == len(ends) == count
            assert split["length"][i] == ends[-1]
            found = audio[starts]
            assert_array_equal(split["y"][i], [*(found // 1000), *[0] * (6 - count)])
            assert set(found // 100 % 10) == {split["speaker"][i]}
            assert set(found % 100) <= set(takes)
            assert len(set(found)) == count
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
    """60 speakers say three words, of which one is unknown; word w of speaker s is all 100 · w + s."""
    folder = root / "speech_commands"
    for word in DATASETS["speech_commands"].files:
        (folder / word).mkdir(parents=True)
    for speaker in range(60):
        for w, word in enumerate(("yes", "go", "bird")):
            sound(folder / word / f"{speaker:08x}_nohash_0.wav", [100 * w + speaker + 1] * 9000, 16000)
    for i in range(2):
        sound(folder / speech_commands.NOISE / f"n{i}.wav", np.arange(170000) // 17000 + 10000 + 10 * i, 16000)
    monkeypatch.setattr(speech_commands, "RECORDINGS", 180)
    monkeypatch.setattr(speech_commands, "CALIBRATION", 3)
    return folder


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


# The real ones

REAL = os.environ.get("SLIMBENCH_DATA")
LOADERS = {
    "mnist": (mnist.load, (55000, 5000, 10000, 250), "8e96628f72463889"),
    "cifar10": (cifar.load10, (45000, 5000, 10000, 240), None),
    "cifar100": (cifar.load100, (45000, 5000, 10000, 240), None),
    "shakespeare": (lambda: shakespeare.load(64), (14902, 781, 1742, 256), "012d0c2616764c68"),
    "sst2": (sst2.load, (60935, 697, 872, 250), "7c76c1237448b906"),
    "fsdd": (fsdd.load, (2400, 300, 300, 200), "ed7cde933c6d1245"),
    "wikitext2": (lambda: wikitext.load(64), (32633, 3400, 3837, 256), None),
    "speech_commands": (speech_commands.load, None, None),
}
each_real = pytest.mark.parametrize("name", LOADERS)


@pytest.fixture
def real(name):
    """The loaded dataset."""
    if not REAL:
        pytest.skip("SLIMBENCH_DATA is not set")
    if store.missing(DATASETS[name], Path(REAL)):
        pytest.skip(f"{name} is not in {REAL}")
    return LOADERS[name][0]()


@each_real
def test_real_split_sizes(name, real):
    assert LOADERS[name][1] in (None, tuple(rows(split) for split in real))


@each_real
def test_real_fingerprint(name, real):
    if name == "sst2" and tokenizers.__version__ != "0.23.3":
        pytest.skip("the pieces may differ between versions of tokenizers")
    assert LOADERS[name][2] in (None, fingerprint(real))


# Not CIFAR: its train and test parts hold images twice as published (Barz & Denzler 2020, arXiv 1902.00423).
@pytest.mark.parametrize("name", ["mnist", "shakespeare", "sst2", "fsdd"])
def test_no_real_example_lies_in_two_splits(name, real):
    def examples(split):
        return {row.tobytes() for row in max(split.values(), key=lambda leaf: leaf.ndim)}

    train, valid, test, _ = map(examples, real)
    assert not train & valid
    assert not train & test
    assert not valid & test


@each_real
def test_real_calibration_is_a_slice_with_every_class(name, real):
    stride = rows(real.train) // rows(real.calibration)
    for leaf, slice_ in zip(real.train.values(), real.calibration.values(), strict=True):
        assert_array_equal(slice_, leaf[::stride][: len(slice_)])
    assert 128 <= rows(real.calibration) <= 256
    if name != "cifar100" and "y" in real.train:
        assert set(real.calibration["y"]) == set(real.train["y"])


@pytest.mark.parametrize("name", ["mnist"])
def test_real_mnist_is_exact(name, real):
    images = np.concatenate([real.train["x"], real.valid["x"]])
    assert hashlib.md5(idx(images[..., 0])).hexdigest() == "6bbc9ace898e44ae57da46a324031adb"
    assert hashlib.md5(idx(real.test["x"][..., 0])).hexdigest() == "2646ac647ad5339dbf082846283269ea"
    labels = np.concatenate([real.train["y"], real.valid["y"]]).astype(np.uint8)
    assert hashlib.md5(idx(labels)).hexdigest() == "a25bea736e30d166cdddb491f175f624"
    assert hashlib.md5(idx(real.test["y"].astype(np.uint8))).hexdigest() == "27ae3e4e09519cfbb04c329615203637"


@pytest.mark.parametrize("name", ["cifar10"])
def test_real_cifar10_is_named_by_its_content(name, real):
    exact = store.sha256(Path(REAL) / "cifar10/cifar-10-batches-bin/test_batch.bin").startswith("8e2eb146ae34")
    assert cifar.variant10() == ("cifar10" if exact else "cifar10-jpeg")
    assert_array_equal(np.bincount(real.test["y"]), 1000)


@pytest.mark.parametrize("name", ["shakespeare"])
def test_real_shakespeare_is_exact(name, real):
    tokens = shakespeare.encode(Path(REAL) / "shakespeare_char/input.txt")
    characters = "".join(shakespeare.CHARACTERS[token] for token in tokens)
    assert hashlib.md5(characters.encode()).hexdigest() == "6fb458f1232090904fb40fe944165e91"
    assert [len(part) for part in shakespeare.split(tokens)] == [953854, 50000, 111540]
    assert set(tokens) == set(range(65))


@pytest.mark.parametrize("name", ["sst2"])
def test_real_sst2_holds_out_whole_sentences(name, real):
    phrases, labels = sst2.read(Path(REAL) / "sst2/SST-2/train.tsv", 67349)
    train, valid = sst2.split(phrases)
    assert_array_equal(labels[valid], real.valid["y"])
    running = "\n".join(f" {phrases[i]} " for i in train)
    assert not [phrases[i] for i in valid if f" {phrases[i]} " in running]
    assert not set(train) & set(valid)
    assert real.train["ids"].max() == sst2.VOCABULARY - 1


@pytest.mark.parametrize("name", ["fsdd"])
def test_real_fsdd_without_a_speaker_and_connected(name, real):
    assert fingerprint(fsdd.load_without("theo")) == "bf412468dc2fbc0d"
    assert fingerprint(fsdd.load_connected()) == "4581942b735dac33"
    assert_array_equal(np.bincount(real.test["y"]), 30)
    assert_array_equal(np.bincount(real.train["speaker"]), 400)
