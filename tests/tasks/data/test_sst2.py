"""SST-2: whole sentences are held out, pieces are learned from train only."""

import jax
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tasks.base import count
from tasks.data import sst2
from tasks.data.store.dataset import DataError
from tasks.data.store.files import sha256
from tasks.language.sst2 import WORD_DROPOUT, batch
from tests.tasks.files import one_line, put


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
    known = {file: (sha256(root / "sst2" / file), counts[file]) for file in sst2.FILES}
    monkeypatch.setattr(sst2, "FILES", known)
    monkeypatch.setattr(sst2, "VOCABULARY", 60)
    data = sst2.load()
    assert count(data.train) + count(data.valid) == 64
    assert count(data.valid) > 0
    for split in data:
        assert split["ids"].shape == split["mask"].shape == (count(split), 48)
        assert (split["ids"].dtype, split["mask"].dtype, split["y"].dtype) == (np.int32, bool, np.int32)
        assert_array_equal(split["mask"], split["ids"] > 0)
        assert (np.diff(split["mask"].astype(int)) <= 0).all()  # padding at the end only
    assert_array_equal(data.test["y"], [1, 0])
    assert (data.test["ids"][0] == sst2.UNKNOWN).any()  # Ü
    assert 50 < data.train["ids"].max() < 60


def test_pieces_are_padded_and_cut():
    tokenizer = sst2.learn(["ab ab ab"])
    arrays = sst2.pieces(tokenizer, ["ab", "ab " * 99])
    assert_array_equal(arrays["mask"].sum(1), [1, 48])
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


def test_training_hides_pieces_but_no_padding():
    ids = np.full((50, 48), 7, np.int32)
    ids[:, 40:] = sst2.PADDING
    x = np.asarray(batch({"ids": ids, "y": np.zeros(50, np.int32)}, np.arange(50), jax.random.key(0))["x"])
    assert (x[:, 40:] == sst2.PADDING).all()
    assert set(np.unique(x[:, :40])) == {sst2.UNKNOWN, 7}
    assert abs((x[:, :40] == sst2.UNKNOWN).mean() - WORD_DROPOUT) < 0.04  # four standard errors
