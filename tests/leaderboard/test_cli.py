"""What all commands of the board do alike: pipes, full disks, faults, and the folder that they are called from."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from leaderboard import build, cli, export, migrate, plots, show, submit
from leaderboard.cli import Parser, call
from leaderboard.record import files

ROOT = Path(cli.__file__).parents[1]
CODE = """
import sys
from leaderboard.cli import Parser, call

def program(args):
    print("x" * 100_000)
    return 0

sys.exit(call(program, Parser("test", "test: a test"), []))
"""


def run(stdout):
    """A command that prints 100 kB: (exit code, stderr)."""
    done = subprocess.run(
        [sys.executable, "-c", CODE], env={"PYTHONPATH": str(ROOT)}, stdout=stdout, stderr=subprocess.PIPE, text=True
    )
    return done.returncode, done.stderr


def test_a_closed_pipe_ends_quietly():
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert run(writer) == (141, "")
    finally:
        os.close(writer)


def test_a_closed_terminal_is_silent(toy, tmp_path):
    """`>&-`: there is no stdout at all."""
    one = toy({4: {0: (0.8, 4000)}})
    files.write(files.place(tmp_path, one), one)
    command = f"{sys.executable} -m leaderboard.show --results={tmp_path} >&-"
    done = subprocess.run(command, shell=True, env={"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_full_disk_is_one_line():
    with open("/dev/full", "w") as full:
        assert run(full) == (2, "error: stdout: No space left on device\n")


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [(KeyboardInterrupt(), 130, ""), (ZeroDivisionError("oh"), 70, "python -m leaderboard.test has a fault; please")],
)
def test_interrupts_and_faults_of_ours(capsys, error, code, said):
    def program(args):
        raise error

    assert call(program, Parser("test", "test: a test"), []) == code
    err = capsys.readouterr().err
    assert said in err
    assert ("ZeroDivisionError: oh" in err) == (code == 70)


@pytest.mark.parametrize("argv", [["--results="], ["--results", ""], [""]])
def test_empty_values_are_refused(capsys, argv):
    for command in (build, export, migrate, plots, show, submit):
        assert command.main(argv) == 2
        err = capsys.readouterr().err
        assert "is empty; give it a value or leave it out\n" in err
        assert err.count("\n") == 1


def test_defaults_are_those_of_the_clone_wherever_it_is_called(tmp_path):
    """Records are read of, and placed on, the board of this clone; pages are written there."""
    assert (cli.RESULTS, build.OUT) == (ROOT / "leaderboard" / "results", ROOT / "leaderboard" / "README.md")
    assert build.README == ROOT / "README.md"
    assert submit._parser().parse(["run"]).out == cli.RESULTS
    done = subprocess.run(
        [sys.executable, "-m", "leaderboard.show"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "digits" in done.stdout
    assert list(tmp_path.iterdir()) == []
