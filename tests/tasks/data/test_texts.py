"""Texts: windows, Tiny Shakespeare and WikiText-2 from small files."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tasks.data import shakespeare, text, wikitext
from tasks.data.store import files
from tasks.data.store.dataset import DataError
from tests.tasks import small
from tests.tasks.files import one_line, put


def test_windows_of_a_text():
    train, valid, test = text.rows(np.arange(13), np.arange(9), np.arange(8), 4)
    assert_array_equal(train["tokens"], [np.arange(9), 4 + np.arange(9)])
    assert_array_equal(valid["tokens"], [np.arange(5), 4 + np.arange(5)])
    assert_array_equal(test["tokens"], [np.arange(5)])


@pytest.fixture
def small_shakespeare(root, monkeypatch):
    def put_text(content, sha256=None):
        path = put(root / "shakespeare_char/input.txt", content)
        monkeypatch.setattr(shakespeare, "SHA256", sha256 or files.sha256(path))
        monkeypatch.setattr(shakespeare, "VALID", 10)
        return path

    return put_text


def test_shakespeare(small_shakespeare):
    assert len(set(shakespeare.CHARACTERS)) == shakespeare.VOCABULARY == 65
    assert list(shakespeare.CHARACTERS) == sorted(shakespeare.CHARACTERS)
    small_shakespeare(b"To be, or\nnot to be: " * 5)  # 105 characters: 84 train, 10 valid, 11 test
    data = shakespeare.load(4)
    assert [split["tokens"].shape for split in data] == [(19, 9), (2, 5), (2, 5), (19, 9)]
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
    return small.wikitexts(root, monkeypatch, texts)


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
