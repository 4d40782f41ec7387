"""The command line: bad input is one line that says what is wrong and what would be right, and exit code 2."""

import dataclasses
import errno
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from benchmarks import run
from benchmarks.plan.config import Budget, Config, check, options
from benchmarks.plan.load import with_value
from benchmarks.plan.plan import plan
from benchmarks.plan.recipes import curve_config, scaled, under
from benchmarks.sweep.sweep import Swept, sweep
from leaderboard.command import UsageError
from leaderboard.record.canonical import digest
from methods import METHODS
from tasks import TASKS
from tasks.base import Recipe
from tasks.data.store.dataset import DataError, data_dir

CONFIG = Config(tasks=("digits",), methods=("rtn", "kd"))


@pytest.fixture
def cli(capsys, monkeypatch):
    """cli(*args) -> (exit code, stdout, stderr); nothing is run, `swept` has configs, `calls` workdirs and commands."""
    swept, calls = [], []

    def sweep(config, workdir, command, **_):
        swept.append(config)
        calls.append((workdir, command))
        return Swept([], [])

    monkeypatch.setattr(run, "sweep", sweep)
    monkeypatch.setattr(run, "set_up", lambda workdir: None)

    def call(*args):
        code = run.main(args)
        out, err = capsys.readouterr()
        return code, out, err

    call.swept, call.calls = swept, calls
    return call


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--config=nowhere.py"], ["--config", "nowhere.py", "configs/quickstart.py"]),
        (["--task=digitz"], ["--task", "'digitz'", "digits, pydoc, spoken_digits"]),
        (["--method=rtm"], ["--method", "'rtm'", "rtn_static"]),
        (["--method=rtn", "--strengths=8,x"], ["--strengths", "'x'", "number"]),
        (["--method=rtn", "--strengths=0.5+8"], ["strengths of rtn", "1 number", "bits"]),
        (["--method=magnitude_rtn", "--strengths=0.5"], ["strengths of magnitude_rtn", "2 number", "sparsity, bits"]),
        (["--strengths=8"], ["--strengths", "--method"]),
        (["--method=rtn", "--strengths=1"], ["strengths of rtn", "1 must be from 2 to 32", "bits"]),
        (["--method=kd", "--strengths=nan"], ["strengths of kd", "nan must be from 0 to 1", "kept fraction"]),
        (["--method=rtn", "--strengths=2.5"], ["strengths of rtn", "2.5 must be a whole number", "bits"]),
        (["--method=rtn", "--strengths=4,4.0"], ["strengths.rtn", "none twice"]),
        (["--seeds=4294967296"], ["seeds", "2147483647"]),
        (["--seeds="], ["--seeds", "empty"]),
        (["--task="], ["--task", "empty"]),
        (["--set=strengths.rtn=4"], ["--set=strengths.rtn", "'4'", "array"]),
        (["--set=strengths.rtn=[]"], ["strengths.rtn", "at least one"]),
        (["--set=options.rtn=5"], ["--set=options.rtn", "object"]),
        (["--set=options.kd.temperature=1e400"], ["options.kd.temperature", "finite"]),
        (["--set=loop.log_every=2.5"], ["--set=loop.log_every", "int"]),
        (["--set=budget=None"], ["--set=budget", "null"]),
        (["--config=README.md"], ["--config", "README.md", "Python file"]),
        (["--config=configs/quickstart.py:smoke"], ["--config=configs/quickstart.py:smoke", "TypeError"]),
        (["--method=nowhere.py"], ["--method", "no file nowhere.py"]),
        (["--list=maybe"], ["--list=maybe", "true or false"]),
        (["--set="], ["--set", "empty"]),
        (["--data_dir="], ["--data_dir", "empty"]),
        (["--workdir="], ["--workdir", "empty"]),
        (["--workdir", ""], ["empty"]),
        (["--retry="], ["--retry", "empty"]),
        (["--list="], ["--list", "empty"]),
        (["--task=digits,"], ["--task", "unknown name ''"]),
        (["--flagfile=flags.txt"], ["'flagfile'"]),
        (["--undefok=x"], ["'undefok'"]),
        (["--retry=all"], ["--retry=all", "<failed>"]),
        (
            ["--method=magnitude_rtn", "--strengths=8+0.5"],
            ["strengths of magnitude_rtn", "8 must be from 0 to 1: sparsity"],
        ),
        (["--seeds=0,a"], ["--seeds", "'a'", "integer"]),
        (["--seeds=1,1"], ["seeds", "twice"]),
        (["--seeds=-1"], ["seeds", ">= 0"]),
        (["--set=loop.log_evry=5"], ["--set=loop.log_evry", "'log_evry'", "log_every"]),
        (["--set=loop.log_every=often"], ["--set=loop.log_every", "'often'", "int"]),
        (["--set=loop.log_every=0"], ["loop.log_every", ">= 1"]),
        (["--set=budget.recovery=2"], ["budget.recovery", "<= 1"]),
        (["--set=budget=2"], ["--set=budget", "object"]),
        (["--set=budget"], ["--set=budget", "path.to.field=value"]),
        (["--set=options.kd.temprature=2"], ["options.kd.temprature", "temperature, alpha"]),
        (["--set=options.kd.temperature=hot"], ["options.kd.temperature", "'hot'", "float"]),
        (["--stength=8"], ["'stength'", "strengths"]),
        (["digits"], ["'digits'", "not a flag"]),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(cli, args, said):
    code, out, err = cli(*args)
    assert code == 2
    assert out == ""
    assert err.startswith("error: ")
    assert len(err.strip().splitlines()) == 1
    assert all(part in err for part in said), err
    assert cli.swept == []


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("sys.exit('bye')", "SystemExit: bye"),
        ("None", "get_config returned NoneType; it must return a Config"),
        ("Config(task=1)", "nexpected keyword argument 'task'"),
        ("Config(('digits',), ('rtn',), budget=None)", "budget: Expected `object`, got `null`"),
        ("Config(('digits',), ('rtn',), strengths={'rtn': 4})", "strengths.rtn: 4 must be strengths, each with"),
        ("Config(('digits',), ('rtn',), strengths=4)", "strengths: 4 must be a mapping by method"),
        ("Config(('digits',), ('kd',), options={'kd': 4})", "options.kd: 4 must be keyword arguments"),
        ("Config(('digits',), ('rtn',), loop=Loop(log_every=2.5))", "loop.log_every: Expected `int`, got `float`"),
        ("Config('digits', ('rtn',))", "tasks: Expected `array`, got `str`"),
    ],
)
def test_a_config_that_is_wrong_is_one_line(cli, tmp_path, made, said):
    head = "import sys\nfrom benchmarks.plan.config import Config, Loop\n\n\ndef get_config():\n    return "
    (tmp_path / "bad.py").write_text(f"{head}{made}\n")
    code, out, err = cli(f"--config={tmp_path / 'bad.py'}")
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    assert cli.swept == []


@pytest.mark.parametrize("text", ["def get_config(:", "import nowhere", "x = 1"])
def test_a_file_that_is_no_config_is_one_line(cli, tmp_path, text):
    (tmp_path / "bad.py").write_text(text)
    code, out, err = cli(f"--config={tmp_path / 'bad.py'}")
    assert (code, out) == (2, "")
    assert err.startswith("error: --config")
    assert str(tmp_path / "bad.py") in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("where", ["file", "file/below", "x" * 300, "/proc/slimbench"])
def test_a_workdir_that_cannot_be_made_is_one_line_before_data_are_loaded(cli, tmp_path, monkeypatch, where):
    def load():
        pytest.fail("data were loaded")

    monkeypatch.setattr(run, "sweep", sweep)
    monkeypatch.setitem(TASKS, "digits", dataclasses.replace(TASKS["digits"], load=load))
    (tmp_path / "file").touch()
    workdir = tmp_path / where
    code, out, err = cli("--task=digits", "--method=rtn", f"--workdir={workdir}")
    assert (code, out) == (2, "")
    assert err.startswith(f"error: --workdir: {workdir}: ")
    assert err.endswith("; it must be a folder that can be written\n")
    assert err.count("\n") == 1


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.ENOENT, errno.EROFS, errno.EACCES])
def test_a_disk_that_fails_is_one_line_that_names_the_file(cli, tmp_path, monkeypatch, number):
    """Full, too large a file, the workdir removed meanwhile, not to be written."""

    def sweep(*_, **__):
        raise OSError(number, os.strerror(number), "work/digits/run.json")

    monkeypatch.setattr(run, "sweep", sweep)
    said = f"error: work/digits/run.json: {os.strerror(number)}\n"
    assert cli("--task=digits", f"--workdir={tmp_path}") == (2, "", said)


def test_configs_are_found_and_the_workdir_is_made_wherever_it_is_called(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli("--task=digits")[0] == 0
    assert cli("--config=configs/quickstart.py", "--workdir=sp ace")[0] == 0
    assert cli.calls == [
        (Path("runs/board"), "python -m benchmarks.run --task=digits"),
        (Path("sp ace"), "python -m benchmarks.run --config=configs/quickstart.py '--workdir=sp ace'"),
    ]
    assert Path("runs/board/board.md").is_file()
    assert cli("--config=configs/nowhere.py")[2].count("configs/quickstart.py") == 1


def test_flags_narrow_the_grid(cli, tmp_path):
    flags = [
        "--task=digits",
        "--method=magnitude_rtn",
        "--strengths=0.5+8,0.9+4",
        "--seeds=3,4",
        "--set=budget.dense=0.5",
    ]
    assert cli(*flags, f"--workdir={tmp_path}")[0] == 0
    (config,) = cli.swept
    assert config.tasks == ("digits",)
    assert config.methods == ("magnitude_rtn",)
    assert config.strengths == {"magnitude_rtn": ((0.5, 8.0), (0.9, 4.0))}
    assert config.seeds == (3, 4)
    assert config.budget == Budget(dense=0.5, recovery=1.0)


def test_data_dir_is_set(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("SLIMBENCH_DATA", "elsewhere")
    assert cli("--task=digits", f"--data_dir={tmp_path}", f"--workdir={tmp_path}")[0] == 0
    assert data_dir() == tmp_path


def test_a_dataset_that_cannot_be_had_is_one_line(cli, tmp_path, monkeypatch):
    def sweep(*_, **__):
        raise DataError("x.bin: 3 bytes, must be 4")

    monkeypatch.setattr(run, "sweep", sweep)
    assert cli("--task=digits", f"--workdir={tmp_path}") == (2, "", "error: x.bin: 3 bytes, must be 4\n")


def test_help_is_printed_and_nothing_is_run(cli):
    code, out, err = cli("--help")
    assert (code, err) == (0, "")
    assert out.startswith("usage: python -m benchmarks.run [flags]\n\nRuns the grid of a config, ")
    assert "--workdir" in out
    assert cli.swept == []


def test_list_names_every_task_and_method_with_knob_and_strengths(cli):
    code, out, _ = cli("--list")
    assert code == 0
    for name in (*TASKS, *METHODS):
        assert f"\n  {name} " in out
    assert any(line.split() == ["rtn", "bits", "8,", "6,", "5,", "4,", "3,", "2"] for line in out.splitlines())
    assert "0.5+8" in out


def test_values_are_set_by_path_and_typed():
    config = with_value(CONFIG, "loop.checkpoint_s=7")
    assert config.loop.checkpoint_s == 7.0
    assert config.loop.log_every == CONFIG.loop.log_every
    assert isinstance(with_value(CONFIG, "budget.recovery=1").budget.recovery, float)
    assert with_value(CONFIG, "seeds=5").seeds == (5,)
    assert options(with_value(CONFIG, "options.kd.alpha=1"), "kd") == {"temperature": 2.0, "alpha": 1.0}
    with pytest.raises(UsageError, match="tasks"):
        check(with_value(CONFIG, "tasks=()"))


def test_digest_knows_options_and_budget_but_not_grid():
    def of(config):
        return digest(curve_config(plan(replace(config, tasks=("digits",), methods=("kd",))).jobs[-1]))

    base = of(CONFIG)
    assert of(replace(CONFIG, seeds=(7,), strengths={"kd": ((0.5,),)})) == base
    assert of(replace(CONFIG, budget=Budget(recovery=0.5))) != base
    assert of(replace(CONFIG, options={"kd": {"alpha": 0.5}})) != base


def test_scaled_recipe():
    recipe = Recipe(steps=300, batch_size=8, learning_rate=0.1, warmup=15)
    assert dataclasses.asdict(scaled(recipe, 0.25)) | {"steps": 75, "warmup": 4} == dataclasses.asdict(
        scaled(recipe, 0.25)
    )
    assert scaled(recipe, 0.001).steps == 1


def test_a_share_of_the_batch_counts_in_training_and_in_evaluation():
    task = under(TASKS["digits"], Budget(batch=0.25))
    whole = TASKS["digits"]
    assert dataclasses.replace(task.dense, batch_size=whole.dense.batch_size) == whole.dense
    assert (task.dense.batch_size, task.recovery.batch_size, task.eval_batch) == (16, 16, 50)
