"""What all commands do alike: --help, mistakes, pipes, full disks, faults, signals, and any terminal."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from absl import flags

from leaderboard import build, command, export, migrate, plots, show, submit
from leaderboard.command import Command, Stopped, UsageError, call
from leaderboard.record.files import RecordError
from leaderboard.record.layout import RESULTS

ROOT = Path(command.__file__).parents[1]
CODE = """
import sys
from absl import flags
from leaderboard.command import Command, call

def program(values):
    print({printed})
    return 0

sys.exit(call(program, Command("`test`: a test", flags.FlagValues()), []))
"""


def run(printed, stdout=subprocess.PIPE, encoding="utf-8", **env):
    """A command that prints the value of an expression."""
    code = [sys.executable, "-c", CODE.format(printed=printed)]
    env = {"PYTHONPATH": str(ROOT)} | env
    return subprocess.run(code, env=env, stdout=stdout, stderr=subprocess.PIPE, encoding=encoding)


def asked():
    """One flag of each kind, and a file beside them."""
    values = flags.FlagValues()
    flags.DEFINE_string("name", "anna", "Who it is.", flag_values=values)
    flags.DEFINE_enum("size", None, ["small", "large"], "How large.", flag_values=values)
    flags.DEFINE_list("seeds", None, "Which seeds.", flag_values=values)
    flags.DEFINE_multi_string("set", [], "field=value.", flag_values=values)
    flags.DEFINE_integer("count", 3, "How many.", flag_values=values)
    flags.DEFINE_bool("dry", False, "Run nothing.", flag_values=values)
    return Command("`python -m test`: tests FILE.\n\nMore of it.", values, required=("size",), arguments=("FILE",))


def test_help_says_how_to_call_it_what_it_does_and_every_flag(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert call(lambda *_: pytest.fail("was run"), asked(), ["--help"]) == 0
    assert capsys.readouterr() == (
        """\
usage: python -m test --size=small|large [flags] FILE

Tests FILE.

More of it.

flags:
  --name=...
      Who it is. Default: anna.
  --size=small|large
      How large.
  --seeds=A,B,...
      Which seeds.
  --set=...
      field=value.
  --count=...
      How many. Default: 3.
  --dry
      Run nothing.
  --help
      Print this and stop.
""",
        "",
    )


def test_flags_and_arguments_in_any_order():
    seen = []
    argv = ["--size=small", "a.json", "--seeds=0,1", "--set=a=1", "--set=b=", "--count", "4", "--dry"]
    assert call(lambda values, file: seen.append((values, file)) or 1, asked(), argv) == 1
    ((values, file),) = seen
    assert file == "a.json"
    assert (values.name, values.size, values.count, values.dry) == ("anna", "small", 4, True)
    assert (values.seeds, values.set) == (["0", "1"], ["a=1", "b="])


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "--size: must be given; see --help"),
        (["--size=small"], "FILE: must be given; see --help"),
        (["--size=small", "a", "b"], "'b' is not a flag; see --help"),
        (["--size=huge", "a"], "--size=huge: value should be one of <small|large>; see --help"),
        (["--count=x", "a"], "--count=x: invalid literal for int() with base 10: 'x'; see --help"),
        (["--dry=maybe"], "--dry=maybe: must be true or false, or --dry alone"),
        (["--nodry=1"], "--nodry=1 does not take an argument; see --help"),
        (["--nmae=a"], "Unknown command line flag 'nmae'. Did you mean: name; see --help"),
        (["--n\nx=a"], "Unknown command line flag 'n x'; see --help"),
        (["--flagfile=a"], "Unknown command line flag 'flagfile'; see --help"),
        (["--undefok=b", "--b"], "Unknown command line flag 'undefok'; see --help"),
        (["--name"], "Missing value for flag --name; see --help"),
        (["--name="], "--name: is empty; give it a value or leave it out"),
        (["--seeds="], "--seeds: is empty; give it a value or leave it out"),
        (["--dry="], "--dry: is empty; give it a value or leave it out"),
        (["--name", ""], "an argument: is empty; give it a value or leave it out"),
    ],
)
def test_mistakes_in_flags_are_one_line_and_exit_2(capsys, argv, said):
    assert call(lambda *_: pytest.fail("was run"), asked(), argv) == 2
    assert capsys.readouterr() == ("", f"error: {said}\n")


class Missing(ValueError):
    """What a command names as a mistake of the user's."""


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UsageError("--x: is wrong"), 2, "error: --x: is wrong"),
        (UsageError("a\nb\x1b[2J\u202ec"), 2, "error: a b [2J c"),
        (RecordError("x.json: is wrong"), 2, "error: x.json: is wrong"),
        (Missing("no data"), 2, "error: no data"),
        (OSError(errno.EACCES, "Permission denied", "runs/a"), 2, "error: runs/a: Permission denied"),
        (OSError(errno.ENOSPC, "No space left on device", "runs/a"), 2, "error: runs/a: No space left on device"),
        (OSError(errno.EFBIG, "File too large", "runs/a"), 2, "error: runs/a: File too large"),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "error: No space left on device"),
        (OSError("30 requested and 0 written"), 2, "error: 30 requested and 0 written"),
        (Stopped("stopped at step 3", signal.SIGTERM), 143, "stopped at step 3; the same command goes on from there"),
        (Stopped("stopped at step 3", signal.SIGUSR1), 138, "stopped at step 3; the same command goes on from there"),
        (Stopped("stopped at step 3", signal.SIGINT), 130, "stopped at step 3; the same command goes on from there"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_every_end_is_one_line_and_an_exit_code(capsys, error, code, said):
    def program(values):
        raise error

    assert call(program, Command("`test`: a test", flags.FlagValues(), mistakes=(Missing,)), []) == code
    assert capsys.readouterr().err == f"{said}\n"


def test_a_fault_of_ours_has_a_traceback_and_asks_for_a_report(capsys):
    assert call(lambda values: 1 // 0, Command("`test`: a test", flags.FlagValues()), []) == 70
    first, *_, error, last = capsys.readouterr().err.splitlines()
    assert first == "Traceback (most recent call last):"
    assert error.startswith("ZeroDivisionError: ")
    assert last == "this is a fault of slimbench; please report it with the lines above"


def test_a_closed_pipe_ends_quietly():
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = run("'x' * 100_000", writer)
        assert (done.returncode, done.stderr) == (141, "")
    finally:
        os.close(writer)


def test_a_closed_standard_output_is_one_line():
    """`>&-`: there is none at all, and the next file that is opened would take its place."""
    command = f"{sys.executable} -m leaderboard.show >&-"
    done = subprocess.run(command, shell=True, env={"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True)
    said = "error: standard output is closed; send it to a file or to /dev/null\n"
    assert (done.returncode, done.stderr) == (2, said)


@pytest.mark.parametrize("count", [1, 100_000])
def test_a_full_disk_is_one_line(count):
    with open("/dev/full", "w") as full:
        done = run(f"'x' * {count}", full)
    assert (done.returncode, done.stderr) == (2, "error: standard output: No space left on device\n")


@pytest.mark.parametrize("closed", ["2>&-", "2>/dev/full"])
def test_where_nothing_can_be_said_the_exit_code_says_it(closed):
    command = f"{sys.executable} -m leaderboard.show --colour=1 {closed}"
    done = subprocess.run(command, shell=True, env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True)
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize(
    ("encoding", "shown"), [("ascii", "0.9 >= 0.85 x \\xb5 \\u202e"), ("latin-1", "0.9 >= 0.85 × µ \\u202e")]
)
def test_what_a_terminal_cannot_show_is_replaced(encoding, shown):
    done = run(ascii("0.9 ≥ 0.85 × µ \u202e"), encoding=encoding, PYTHONIOENCODING=f"{encoding}:strict")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{shown}\n", "")


@pytest.mark.parametrize("argv", [["--results="], ["--results", ""], [""]])
def test_empty_values_are_refused(capsys, argv):
    for one in (build, export, migrate, plots, show, submit):
        assert one.main(argv) == 2
        err = capsys.readouterr().err
        assert "is empty; give it a value or leave it out\n" in err
        assert err.count("\n") == 1


@pytest.mark.parametrize("one", [build, export, migrate, plots, show, submit])
def test_every_command_of_the_board_explains_itself(capsys, one):
    assert one.main(["--help"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"usage: python -m {one.__name__} ")
    assert out.endswith("  --help\n      Print this and stop.\n")
    assert err == ""


def test_defaults_are_those_of_the_clone_wherever_it_is_called(tmp_path):
    """Records are read of, and placed on, the board of this clone; pages are written there."""
    assert (RESULTS, build.OUT) == (ROOT / "leaderboard" / "results", ROOT / "leaderboard" / "README.md")
    assert build.README == ROOT / "README.md"
    assert submit._command().flags["out"].default == show._command().flags["results"].default == str(RESULTS)
    done = subprocess.run(
        [sys.executable, "-m", "leaderboard.show"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    tasks = [folder.name for folder in RESULTS.iterdir() if folder.is_dir()]
    assert [line.split()[0] for line in done.stdout.splitlines()] == (sorted(tasks) or ["no"])
    assert list(tmp_path.iterdir()) == []
