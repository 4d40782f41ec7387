"""Names of files and folders, by hand."""

from pathlib import Path

import pytest

from leaderboard.record.layout import (
    dense_folder,
    record_file,
    run_folder,
    settings_text,
    strength_folder,
    strength_text,
)


@pytest.mark.parametrize(
    ("strength", "text"),
    [
        ([8.0], "8"),
        ((0.5, 8), "0.5+8"),
        ([1 / 3], "0.3333333333333333"),
        ([0.9999999], "0.9999999"),
        ([1_000_000], "1000000"),
        ([1e-7], "1e-07"),
        ([-0.0], "0"),
        ([], ""),
    ],
)
def test_strengths_are_exact(strength, text):
    assert strength_text(strength) == text
    assert strength_folder(strength) == (text or "none")


def test_settings_have_one_text_whatever_their_order():
    assert (
        settings_text({"rate": 1.0, "decay": 2e-4})
        == settings_text({"decay": 2e-4, "rate": 1.0})
        == "decay=0.0002,rate=1"
    )


def test_paths():
    assert record_file(Path("r"), "toy", "rtn", "0a1b") == Path("r/toy/rtn-0a1b.json")
    assert dense_folder(Path("w"), "toy", "1d", 3) == Path("w/toy/dense-net-1d/seed3")
    assert dense_folder(Path("w"), "toy", "1d", 3, teacher=True) == Path("w/toy/teacher-1d/seed3")
    assert run_folder(Path("w"), "toy", "chain", "1d", (0.5, 8), 0) == Path("w/toy/chain-1d/0.5+8/seed0")
    assert run_folder(Path("w"), "toy", "dense", "1d", (), 0) == Path("w/toy/dense-1d/none/seed0")
