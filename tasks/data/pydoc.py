"""Characters of Python's language reference, as shipped in every Python: `pydoc_data.topics.topics`.

Topics overlap: a parent section repeats its children, and on Python 3.11 a fifth of the characters occur more than
once. So only the first occurrence of each paragraph is kept (compared with white space normalized) before topics are
split, by CRC-32 of their names: 465k characters become 373k on Python 3.11. The text differs between Python versions;
the task's fingerprint says so.
"""

import functools
import re
import zlib

import numpy as np

from tasks.base import Arrays, Data, pooled
from tasks.data.text import windows as cut

LENGTH = 64  # T, characters predicted per window
VOCABULARY = 97  # 95 printable ASCII characters, newline, any other
NEWLINE, OTHER = 95, 96
GAP = "\n\n"  # between topics
TEST, VALID = (1, 6), (3, 4)  # crc32(topic) mod 10


@functools.cache
def load() -> Data:
    """Returns tokens [N, T + 1] int32 in valid and test: windows whose targets meet end to end.

    In train and calibration they are [N, 2T + 1]: row i starts at character i·T and holds a window for each shift
    0..T-1. Whole topics are train, valid or test, see `split_of`. Test has topic [N] int32 as well: in which of its
    topics a window starts.
    """
    from pydoc_data.topics import topics  # here, since importing it loads the text

    texts = {"train": [], "valid": [], "test": []}
    for topic, text in distinct(topics).items():
        texts[split_of(topic)].append(text)
    train, valid, test = (encode(GAP.join(part)) for part in texts.values())
    test = windows(test, LENGTH + 1)
    topic = topics_at(texts["test"], LENGTH * np.arange(len(test["tokens"])))
    return pooled(windows(train, 2 * LENGTH + 1), windows(valid, LENGTH + 1), {**test, "topic": topic})


def topics_at(texts: list[str], places: np.ndarray) -> np.ndarray:
    """Returns the number, int32 [N], of the text in which each character lies.

    Args:
        texts: joined by GAP, which counts to the text before it.
        places: int [N], indices of characters in all of it.
    """
    ends = np.cumsum([len(text) + len(GAP) for text in texts])
    return np.searchsorted(ends, places, side="right").astype(np.int32)


def split_of(topic: str) -> str:
    """Returns "train", "valid" or "test" by the CRC-32 of a topic's name."""
    part = zlib.crc32(topic.encode()) % 10
    return "test" if part in TEST else "valid" if part in VALID else "train"


def distinct(texts: dict[str, str]) -> dict[str, str]:
    """Returns the texts without any paragraph that occurred before; a text of which nothing is left is dropped."""
    seen, kept = set(), {}
    for name, text in texts.items():
        new = []
        for paragraph in re.split(r"\n\s*\n", text.strip()):
            normalized = " ".join(paragraph.split())
            if normalized not in seen:
                new.append(paragraph)
            seen.add(normalized)
        if new:
            kept[name] = "\n\n".join(new)
    return kept


def encode(text: str) -> np.ndarray:
    """Returns tokens [len(text)] int32 in 0..96."""
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32).astype(np.int64)
    tokens = np.where((codes >= 32) & (codes < 127), codes - 32, OTHER)
    return np.where(codes == ord("\n"), NEWLINE, tokens).astype(np.int32)


def windows(tokens: np.ndarray, length: int) -> Arrays:
    """Returns windows [N, length] of tokens [M] int32 that start every T tokens, as the leaf "tokens"."""
    return {"tokens": cut(tokens, length, LENGTH)}
