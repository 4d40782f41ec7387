"""WikiText-2 at the level of words: 2.5 million words of Wikipedia's good articles, on the publisher's split.

The publisher has cut the text into words and replaced rare ones by <unk>. As is usual, each line, also an empty one,
ends with <eos>.
"""

import functools
from pathlib import Path

import numpy as np

from tasks.base import Data
from tasks.data import text
from tasks.data.store.cache import decoded
from tasks.data.store.dataset import DataError, Dataset, Download, data_dir
from tasks.data.store.fetch import fetch
from tasks.data.store.files import content

PARTS = ("train", "valid", "test")
FILES = tuple(f"wikitext-2/wiki.{part}.tokens" for part in PARTS)
TOKENS = (2088628, 217646, 245569)  # of the parts with <eos>: as reported by PyTorch's word_language_model
VOCABULARY = 33278  # words, <unk> and <eos>; the same source
DATASET = Dataset(
    name="wikitext2",
    folder="wikitext2",
    downloads=(
        Download(
            # The author's own mirror: Salesforce's address answers 403 since 2024 (pytorch/text issue 2255).
            # SHA-256: from MLX Data's wikitext.py and CorpusLoaders.jl's WikiText.jl, which agree.
            "https://wikitext.smerity.com/wikitext-2-v1.zip",
            4475746,
            "92675f1d63015c1c8b51f1656a52d5bdbc33aafa60cc47a218a66e7ee817488c",
        ),
    ),
    files=FILES,
    licence="CC BY-SA 3.0",
    citation="Merity, Xiong, Bradbury & Socher 2016, arXiv 1609.07843",
)
VERSION = 1  # of the rules below


def load(length: int) -> Data:
    """Returns tokens [N, T + 1] int32 in valid and test, where T is `length`: windows whose targets meet end to end.

    In train and calibration they are [N, 2T + 1]: row i starts at token i·T and holds a window for each shift 0..T-1.
    Raises DataError where a file is missing or not the publisher's.
    """
    return _load(data_dir(), length)


@functools.cache
def _load(root: Path, length: int) -> Data:
    folder = fetch(DATASET, root)
    key = f"{VERSION} {content(folder, FILES)}"

    def decode():
        train, valid, test = encode(folder, TOKENS)
        return text.rows(train, valid, test, length)

    return decoded(f"wikitext2-{length}", root, key, decode)


def encode(folder: Path, counts: tuple[int, ...]) -> list[np.ndarray]:
    """Returns tokens [M] int32 of train, valid and test: a word's token is its rank of first appearance in train.

    Raises DataError unless the files have as many words as `counts` says, and for a word that train lacks if it has
    no <unk>.
    """
    texts = [words(folder / file) for file in FILES]
    for file, found, count in zip(FILES, texts, counts, strict=True):
        if len(found) != count:
            raise DataError(f"{folder / file}: {len(found)} words, must be {count}; put the publisher's there")
    vocabulary = {word: token for token, word in enumerate(dict.fromkeys(texts[0]))}
    unknown = vocabulary.get("<unk>")
    for file, found in zip(FILES, texts, strict=True):
        strange = set(found) - vocabulary.keys()
        if strange and unknown is None:
            raise DataError(f"{folder / file}: {min(strange)!r} is not in train, which has no <unk>")
    return [np.array([vocabulary.get(word, unknown) for word in found], np.int32) for found in texts]


def words(path: Path) -> list[str]:
    """Returns the words of each line, then <eos>. Raises DataError for a file that is not UTF-8."""
    try:
        with path.open(encoding="utf-8") as lines:
            return [word for line in lines for word in (*line.split(), "<eos>")]
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 ({error}); put the publisher's there") from None
