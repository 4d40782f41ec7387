"""The command that writes the plots."""

from pathlib import Path

import pytest

from leaderboard import plots
from leaderboard.record import files


def test_writes_both_files_of_each_division(toy, tmp_path, capsys):
    for division in ("closed", "open"):
        one = toy({8: {0: (0.9, 5000)}, 4: {0: "no room"}}, division=division)
        files.write(files.place(tmp_path / "results", one), one)
    assert plots.main([f"--results={tmp_path / 'results'}", f"--out={tmp_path / 'out'}"]) == 0
    assert capsys.readouterr() == ("", "")
    written = {path.name: path.read_bytes() for path in sorted(Path(tmp_path / "out").iterdir())}
    assert list(written) == [f"toy-{d}-bytes.{kind}" for d in ("closed", "open") for kind in ("png", "svg")]
    assert written["toy-closed-bytes.png"].startswith(b"\x89PNG")
    assert b"artifact, bytes" in written["toy-closed-bytes.svg"]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--out=x", "--task=atlantis"], "--task: there are no records of 'atlantis'; there are of toy"),
        (["--out=x", "--by=colour"], "--by=colour: value should be one of <bytes|"),
        ([], "--out: must be given"),
        (["--out="], "--out: is empty"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(toy, tmp_path, capsys, argv, message):
    files.write(tmp_path / "toy/rtn-3dd6fc4b.json", toy({8: {0: (0.9, 5000)}}))
    assert plots.main([f"--results={tmp_path}", *argv]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
