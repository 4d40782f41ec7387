"""SST-2 as in GLUE: sentences of film reviews, positive or negative, as ids of pieces of words.

Test is GLUE's dev part, which papers report on, since the labels of its test part are not public. GLUE's train part
holds not only sentences but also the phrases they are made of, so valid is cut by sentences: a phrase that is part of
no other is taken for a sentence, every tenth sentence by CRC-32 is valid, and train keeps the phrases that are part of
one of the other sentences. So no valid sentence, and no phrase that occurs in valid sentences only, is trained on.
"""

import functools
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tasks.base import Arrays, Data
from tasks.data.store.cache import Splits, decoded
from tasks.data.store.dataset import DataError, Dataset, Download, data_dir
from tasks.data.store.fetch import fetch
from tasks.data.store.files import digest, sha256, verify

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TRAIN, DEV = "SST-2/train.tsv", "SST-2/dev.tsv"
# SHA-256 and number of sentences of the files. Computed from an exact copy.
FILES = {
    TRAIN: ("5c47819a1d04cfabc7afcc79a919c97b0b367101ad42d3ff148d67bf501384c2", 67349),
    DEV: ("54a9c12c77e402fc14d6a66a506f24d999f596b0176eb777c972cccc2f9cc4b0", 872),
}
DATASET = Dataset(
    name="sst2",
    folder="sst2",
    downloads=(
        Download(
            "https://dl.fbaipublicfiles.com/glue/data/SST-2.zip",
            7439277,  # this and SHA-256: from TensorFlow Datasets' url_checksums/glue.txt
            "d67e16fb55739c1b32cdce9877596db1c127dc322d93c082281f64057c16deaa",
        ),
    ),
    files=tuple(FILES),
    licence="none stated; cite the paper",
    citation="Socher et al. 2013, EMNLP; Wang et al. 2019, arXiv 1804.07461",
)
VERSION = 2  # of the rules below
HELD_OUT = 10  # one sentence in so many is valid
VOCABULARY = 8000
PADDING, UNKNOWN = 0, 1
LENGTH = 48  # pieces; 20 of the 872 sentences of dev are longer, and cut; in train, 188 of 60,935

Labelled = tuple[list[str], np.ndarray]  # sentences; labels [N] int32, 1 is positive


def load() -> Data:
    """Returns ids [N, 48] int32, padded with 0; mask [N, 48] bool, True on pieces; y [N] int32, 1 is positive.

    Raises DataError where the files are missing or not GLUE's.
    """
    return _load(data_dir())


@functools.cache
def _load(root: Path) -> Data:
    import tokenizers

    folder = fetch(DATASET, root)
    hashes = {file: sha256(folder / file) for file in FILES}
    key = f"{VERSION} {tokenizers.__version__} {digest(hashes)}"

    def decode():
        for file, (known, _) in FILES.items():
            verify(folder / file, hashes[file], known)
        return encode(*(read(folder / file, count) for file, (_, count) in FILES.items()))

    return decoded("sst2", root, key, decode)


def read(path: Path, count: int) -> Labelled:
    """Returns the sentences and labels of a GLUE tsv: a line of names, then `<sentence> <tab> <0 or 1>` each.

    Raises DataError, naming the line, for another format, and unless there are `count` sentences.
    """
    head, *lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    if head != "sentence\tlabel":
        raise DataError(f"{path}: starts with {head[:40]!r}, must with 'sentence\\tlabel'; put GLUE's there")
    rows = [line.split("\t") for line in lines]
    for number, row in enumerate(rows, 2):
        if len(row) != 2 or row[1] not in ("0", "1"):
            raise DataError(f"{path}: line {number} is not a sentence, a tab and 0 or 1")
    if len(rows) != count:
        raise DataError(f"{path}: {len(rows)} sentences, must be {count}; delete its folder to fetch it again")
    return [sentence.strip() for sentence, _ in rows], np.array([int(label) for _, label in rows], np.int32)


def encode(train: Labelled, dev: Labelled) -> Splits:
    """Returns train, valid and test as in `load`; pieces are learned from train, test is dev."""
    phrases, labels = train
    kept, held_out = split(phrases)
    tokenizer = learn(phrases[i] for i in kept)

    def part(rows: list[int]) -> Arrays:
        return {**pieces(tokenizer, [phrases[i] for i in rows]), "y": labels[rows]}

    sentences, y = dev
    return part(kept), part(held_out), {**pieces(tokenizer, sentences), "y": y}


def split(phrases: list[str]) -> tuple[list[int], list[int]]:
    """Returns the rows of train and of valid, by the rule that this module's docstring states."""
    known = set(phrases)
    whole, inside = [], set()
    for phrase in sorted(known, key=len, reverse=True):
        if phrase not in inside:
            whole.append(phrase)
            inside |= parts(phrase, known)
    valid = {sentence for sentence in whole if zlib.crc32(sentence.encode()) % HELD_OUT == 0}
    train = set().union(*(parts(sentence, known) for sentence in whole if sentence not in valid))
    return [i for i, p in enumerate(phrases) if p in train], [i for i, p in enumerate(phrases) if p in valid]


def parts(sentence: str, known: set[str]) -> set[str]:
    """Returns those of the phrases `known` that are a run of the sentence's words; the sentence, too, if known."""
    gaps = [i for i, letter in enumerate(sentence) if letter == " "]
    starts, ends = [0, *(i + 1 for i in gaps)], [*gaps, len(sentence)]
    return {run for i, start in enumerate(starts) for end in ends[i:] if (run := sentence[start:end]) in known}


def learn(sentences: Iterable[str]) -> "Tokenizer":
    """Returns a byte-pair encoding of `VOCABULARY` pieces (Sennrich et al. 2016, arXiv 1508.07909).

    ▁ marks starts of words. Neither WordPiece nor prefixes for pieces inside words are used: with them the library
    learns other pieces in every run.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=["[PAD]", "[UNK]"], show_progress=False)
    tokenizer.train_from_iterator(sentences, trainer)
    return tokenizer


def pieces(tokenizer: "Tokenizer", sentences: list[str]) -> Arrays:
    """Returns ids [N, 48] int32 and mask [N, 48] bool, True on pieces; a longer sentence is cut."""
    ids = np.full((len(sentences), LENGTH), PADDING, np.int32)
    for row, encoding in zip(ids, tokenizer.encode_batch(sentences), strict=True):
        row[: len(encoding.ids)] = encoding.ids[:LENGTH]
    return {"ids": ids, "mask": ids != PADDING}
