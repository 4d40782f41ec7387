"""Small datasets in the formats of their publishers. Each is laid out under `root`, and its loader told of its size."""

import numpy as np

from tasks.data import DATASETS, cifar, speech_commands, wikitext
from tasks.data.store.files import sha256
from tests.tasks.files import put, sound


def cifars(root, monkeypatch):
    """20 images of CIFAR-10 and of CIFAR-100 to learn from, 5 of them valid, and 4 to test."""
    for i, file in enumerate(cifar.TEN):
        put(root / "cifar10" / file, b"".join(cifar_record([j], 10 * i + j) for j in range(4)))
    put(root / "cifar100/cifar-100-binary/train.bin", b"".join(cifar_record([j, 50 + j], j) for j in range(20)))
    put(root / "cifar100/cifar-100-binary/test.bin", b"".join(cifar_record([9, j], j) for j in range(4)))
    for name, value in (("ROWS", 4), ("VALID", 5)):
        monkeypatch.setattr(cifar, name, value)
    for name, dataset in (("TEN", cifar.CIFAR10), ("HUNDRED", cifar.CIFAR100)):
        monkeypatch.setattr(cifar, name, {f: sha256(root / dataset.folder / f) for f in dataset.files})
    return root


def cifar_record(labels, pixel):
    """An image whose red, green and blue are pixel, pixel + 1 and pixel + 2, but red's second is 99."""
    image = np.repeat(np.arange(pixel, pixel + 3, dtype=np.uint8), 1024)
    image[1] = 99
    return bytes(labels) + image.tobytes()


def wikitexts(root, monkeypatch, texts=("the <unk> sea\n" * 99,) * 3):
    """The texts as train, valid and test."""
    for file, text in zip(wikitext.FILES, texts, strict=True):
        put(root / "wikitext2" / file, text.encode())
    counts = tuple(len(text.split()) + text.count("\n") for text in texts)
    monkeypatch.setattr(wikitext, "TOKENS", counts)
    return root / "wikitext2"


def commands(root, monkeypatch):
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
    return folder
