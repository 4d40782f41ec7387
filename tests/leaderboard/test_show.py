"""What is best under a budget, in the terminal."""

import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from leaderboard import show
from leaderboard.board.board import boards
from leaderboard.record import files
from leaderboard.record.canonical import digest
from leaderboard.render import pages, terminal


@pytest.fixture
def run(toy, tmp_path, capsys):
    """run(records, *argv) -> (exit code, lines of stdout, stderr)."""

    def call(records, *argv):
        for one in records:
            files.write(files.place(tmp_path, one), one)
        code = show.main([f"--results={tmp_path}", *argv])
        out, err = capsys.readouterr()
        return code, out.splitlines(), err

    return call


def timed(toy, ms, macs):
    """Of quality 0.7: a run with this latency at batch 1 and so many MACs, half of them by zeros."""
    known = toy.result(0.7, 1).latency
    latency = msgspec.structs.replace(known, one=toy.timed(1, ms, 0.9))
    return toy.result(0.7, 6000, latency=latency, macs=macs, effective_macs=macs / 2, bops=64.0 * macs)


@pytest.fixture
def records(toy):
    """0.6 at 2 kB, 0.8 at 3 kB, 0.9 at 5 kB; another 0.8 at 2.5 kB; one seed of two is 1.0 at 1 kB."""
    return [
        toy({2: {0: (0.6, 2000)}, 4: {0: (0.8, 3000)}, 8: {0: (0.9, 5000)}}),
        toy({0.5: {0: (0.8, 2500)}}, method="magnitude", knobs=("sparsity",)),
        toy({1: {0: (1.0, 1000), 1: "diverged"}, 2: {0: "no room"}}, method="lsq", dense={0: 0.9, 1: 0.9}),
        toy({2: {0: (1.0, 10)}}, method="rtn", division="open"),
    ]


def strengths(lines):
    """ "method strength" of the rows of each table."""
    tables, columns = [], None
    for line in lines:
        if " method " in line:
            columns = line.index("method"), line.index("strength"), line.index("quality")
            tables.append([])
        elif columns and line:
            tables[-1].append(" ".join(line[columns[0] : columns[2]].split()))
        else:
            columns = None
    return tables


def test_best_under_a_budget_is_on_top(run, records):
    """Equal quality: the smaller first. A failed seed: last. Bytes bound inclusively."""
    code, lines, err = run(records, "--task=toy", "--under=3kB")
    assert (code, err) == (0, "")
    assert strengths(lines) == [
        ["magnitude sparsity 0.5", "rtn bits 4", "rtn bits 2", "lsq bits 1"],
        ["rtn bits 2"],
    ]
    assert lines[0].startswith("toy, closed division; accuracy; dense 0.9000 (n=2), 40 kB; bar ≥ 0.85")
    assert [line.split()[0] == "●" for line in lines[2:6]] == [True, False, True, False]


@pytest.mark.parametrize(("under", "count"), [("2999B", 3), ("0.003MB", 4), ("5 kB", 5), (".001MB", 1)])
def test_units_of_bytes(run, records, under, count):
    assert len(strengths(run(records, "--task=toy", f"--under={under}")[1])[0]) == count


def test_without_a_budget_every_row_that_has_figures(run, records):
    assert len(strengths(run(records, "--task=toy")[1])[0]) == 5


@pytest.mark.parametrize(
    ("by", "under", "expected"),
    [
        ("latency", "2ms", ["rtn bits 2", "rtn bits 4"]),
        ("latency", "1500us", ["rtn bits 4"]),
        ("latency", "1s", ["rtn bits 2", "rtn bits 4", "rtn bits 8"]),
        ("macs", "1k", ["rtn bits 2"]),
        ("macs", "0.5M", ["rtn bits 4", "rtn bits 2"]),
        ("macs", "1G", ["rtn bits 4", "rtn bits 8", "rtn bits 2"]),
    ],
)
def test_other_costs(run, toy, by, under, expected):
    """Latencies 2, 1.5 and 900 ms; MACs 1 k, 1 M and 2 G of which half are by nonzero weights."""
    runs = {2: (2.0, 2000), 4: (1.5, 1_000_000), 8: (900.0, 2_000_000_000)}
    one = toy({bits: {0: timed(toy, *values)} for bits, values in runs.items()})
    (rows,) = strengths(run([one], "--task=toy", f"--by={by}", f"--under={under}")[1])
    assert sorted(rows) == sorted(expected)


def test_lower_is_better_for_a_loss(run, toy):
    one = toy({2: {0: (2.5, 10)}, 4: {0: (2.1, 20)}, 8: {0: (2.2, 30)}}, task=toy.loss, dense={0: 2.0})
    assert strengths(run([one], "--task=text")[1]) == [["rtn bits 4", "rtn bits 8", "rtn bits 2"]]


@pytest.mark.parametrize(
    ("flags", "least"),
    [(["--under=9B"], "10 B"), (["--by=latency", "--under=1us"], "0.5 ms"), (["--by=macs", "--under=1k"], "1.23 M")],
)
def test_nothing_under_the_budget_names_the_least(run, toy, flags, least):
    code, lines, _ = run([toy({2: {0: (0.9, 10)}})], "--task=toy", *flags)
    assert (code, lines[1:]) == (0, [f"nothing is under this; the least is {least}"])


def test_no_run_finished(run, toy):
    for outcome in ("no room", ["needs groups"]):
        assert run([toy({2: {0: outcome}})], "--task=toy")[1][1:] == ["no run finished"]


def test_tasks_are_listed(run, toy, records):
    text = toy({2: {0: (2.5, 10)}}, task=toy.loss, dense={0: 2.0})
    code, lines, _ = run([*records, text], *[])
    assert code == 0
    assert [line.split("  ")[:1] for line in lines] == [["text"], ["toy"]]
    assert "bits, lower is better" in lines[0]
    assert "accuracy, higher is better  3 methods, 7 rows  dense 0.9000 (n=2), 40 kB; bar ≥ 0.85" in lines[1]


def test_stale_records_are_counted(run, toy):
    new = toy({2: {0: (0.9, 10)}}, task=toy.task | {"version": 2}, method="b")
    lines = run([new, toy({2: {0: (0.9, 10)}})], "--task=toy")[1]
    assert lines[-1] == "stale, not ranked: 1 records; leaderboard/README.md says why"


def shown(folder, *flags, **env):
    """The command in a process of its own, called from elsewhere."""
    root = Path(show.__file__).parents[1]
    command = [sys.executable, "-m", "leaderboard.show", f"--results={folder}", *flags]
    return subprocess.run(
        command, cwd="/", env={"PYTHONPATH": str(root)} | env, capture_output=True, text=True, check=False
    )


def test_a_finished_run_is_printed_and_written(records, tmp_path, capsys):
    show.print_run(records, tmp_path / "board.md")
    assert capsys.readouterr().out == terminal.text(boards(records)) + "\n"
    assert (tmp_path / "board.md").read_text("utf-8") == pages.markdown(boards(records), [])


def test_a_terminal_of_ascii_shows_everything(records, tmp_path):
    """The board's signs have stand-ins, a minus above all; what a record says is escaped."""
    for one in records:
        files.write(files.place(tmp_path, one), one)
    odd = toy_named(records[0], "rtn", metric="µ")
    files.write(files.place(tmp_path, odd), odd)
    done = shown(tmp_path, "--task=toy", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    best, other = (re.split(" {2,}", line.strip()) for line in done.stdout.splitlines()[2:4])
    assert [*best[:1], *best[2:5]] == ["*", "rtn", "bits 8", "0.9000 [0.3644, 0.9930]"]
    assert "-0.1000" in " ".join(other)
    assert "\\xb5, " in shown(tmp_path, PYTHONIOENCODING="ascii").stdout


def toy_named(one, method, metric):
    """A record like `one` on a task of its own, "odd"."""
    task = msgspec.structs.replace(one.task, name="odd", metric=metric)
    config = one.config | {"task": "odd", "method": method}
    about = msgspec.structs.replace(one.method, name=method, digest=digest(config))
    return msgspec.structs.replace(one, task=task, method=about, config=config)


def test_no_records(run):
    assert run([]) == (0, ["no records"], "")


def test_a_bad_record_is_one_line_and_the_others_are_shown(run, records, tmp_path):
    (tmp_path / "x.json").write_text("{}")
    code, lines, err = run(records, "--task=toy")
    assert code == 2
    assert len(strengths(lines)[0]) == 5
    assert err == f"error: {tmp_path / 'x.json'}: Object missing required field `schema`\n"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--task=tou"], "--task: there are no records of 'tou'; there are of toy"),
        (["--task=toy", "--by=size"], "--by=size: value should be one of <bytes|"),
        (["--task=toy", "--under=3"], "--under: '3' is not an amount of bytes; it must be a number and B, kB or MB"),
        (["--task=toy", "--under=3ms"], "'3ms' is not an amount of bytes"),
        (["--task=toy", "--under=-3kB"], "'-3kB' is not an amount of bytes"),
        (["--task=toy", "--under=nankB"], "'nankB' is not an amount of bytes"),
        (["--task=toy", "--by=latency", "--under=3kB"], "it must be a number and us, ms or s"),
        (["--task=toy", "--by=macs", "--under=3m"], "it must be a number and k, M or G"),
        (["--task=toy", "--under=٣kB"], "'٣kB' is not an amount of bytes"),
        (["--task=toy", "--under="], "--under: is empty; give it a value or leave it out"),
        (["--task="], "--task: is empty"),
        (["--results="], "--results: is empty"),
        (["--under=3kB"], "--under: needs --task"),
        (["toy"], "'toy' is not a flag"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(run, records, flags, said):
    code, lines, err = run(records, *flags)
    assert (code, lines) == (2, [])
    assert err.startswith("error: ")
    assert said in err
    assert err.count("\n") == 1
