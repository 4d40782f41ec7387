"""Tasks and methods in files of the user's own run like the suite's, and their records say where they come from."""

import json
import subprocess
import sys

import pytest

from benchmarks.plan import outside
from leaderboard.command import UsageError
from methods import METHODS
from tasks import TASKS
from tests.benchmarks.sweep.grids import ROOT, finish, kill_when, start

TASK = '''
"""A recurrent net with dropout on scikit-learn's digits."""
import dataclasses
from flax import linen as nn
from tasks.vision.digits import TASK as DIGITS

class Rnn(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = False):
        y = nn.Dropout(0.2, deterministic=not train)(nn.RNN(nn.GRUCell(16), name="rnn")(x[..., 0])[:, -1])
        return nn.Dense(10, name="head")(y)

RNN = dataclasses.replace(DIGITS, name="rnn", net=Rnn())
'''
METHOD = '''
"""Every weight is halved."""
import jax
from methods.base import Description, Entry, Knob, Method, State
from methods.paths import with_params

def half():
    def init(key, problem, variables, strength):
        return problem.net, variables, State(fixed=strength[0])
    def view(state, params):
        return jax.tree.map(lambda w: state.fixed.astype(w.dtype) * w, params)
    def export(state, shipped):
        params = view(state, shipped.variables["params"])
        return shipped._replace(variables=with_params(shipped.variables, params))
    return Method(init=init, view=view, export=export)

HALF = Entry(half, Description("pruning", (Knob("factor", 0, 1),), ((0.5,),), changes=frozenset({"weights"})))
'''


@pytest.fixture
def files(tmp_path):
    """The two files, and flags for a grid of them that is small."""
    (tmp_path / "my_task.py").write_text(TASK)
    (tmp_path / "my_method.py").write_text(METHOD)
    small = ["--seeds=0", "--set=budget.dense=0.1", "--set=loop.log_every=10", "--set=loop.checkpoint_s=0"]
    return [f"--task={tmp_path / 'my_task.py'}", f"--method={tmp_path / 'my_method.py'}", *small]


@pytest.fixture
def forgotten():
    """What a test adds to the suite's tables is taken out again."""
    before = dict(TASKS), dict(METHODS)
    outside._ADDED.clear()
    yield
    for table, rows in zip((TASKS, METHODS), before, strict=True):
        table.clear()
        table.update(rows)
    outside._ADDED.clear()


@pytest.mark.slow
def test_a_killed_run_of_them_equals_an_unbroken_one_and_the_record_names_the_files(files, tmp_path):
    config, whole, broken = ROOT / "configs" / "board.py", tmp_path / "whole", tmp_path / "broken"
    finish(whole, config, *files)
    kill_when(broken, config, "rnn/dense-net-*/seed0/checkpoints/40", *files)
    finish(broken, config, *files)
    found = []
    for work in (whole, broken):
        (path,) = (work / "records" / "rnn").glob("half-*.json")
        found.append(json.loads(path.read_text()))
    assert found[0]["dense"][0]["checkpoint"] == found[1]["dense"][0]["checkpoint"]
    artifacts = [one["points"][0]["runs"][0]["result"]["artifact"] for one in found]
    assert artifacts[0] == artifacts[1]
    record = found[0]
    named = {run["provenance"] for point in record["points"] for run in point["runs"]}
    assert [record["provenance"][name]["outside"] for name in named] == [["my_method.py", "my_task.py"]]
    submit = [sys.executable, "-m", "leaderboard.submit", str(whole), f"--out={tmp_path / 'board'}"]
    done = subprocess.run(submit, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "my_task.py" in done.stderr or "dirty" in done.stderr  # of an uncommitted clone, that is said first


@pytest.mark.slow
def test_results_are_defined_whatever_the_environment_says(tmp_path):
    """With 64 bits asked for, as scientists have it, nets and methods compute in 32 as ever."""
    sets = [
        "--set=tuning=False",
        "--set=budget.dense=0.005",
        "--set=budget.recovery=0.005",
        "--set=budget.examples=0.1",
    ]
    flags = ["--task=digits", "--method=rtn_static,lsq,magnitude,channels", "--seeds=0", *sets]
    strengths = "{'rtn_static': ((8,),), 'lsq': ((4,),), 'magnitude': ((0.5,),), 'channels': ((0.5,),)}"
    found = []
    config = ROOT / "configs" / "board.py"
    for name, more in (("plain", {}), ("x64", {"JAX_ENABLE_X64": "1"})):
        process = start(tmp_path / name, config, *flags, f"--set=strengths={strengths}", env=more)
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        runs = sorted((tmp_path / name).glob("digits/*/*/seed0/artifact.slim"))
        found.append([run.read_bytes() for run in runs])
    assert len(found[0]) == 4
    assert found[0] == found[1]


@pytest.mark.usefixtures("forgotten")
def test_a_file_adds_its_tasks_and_entries_once(tmp_path):
    (tmp_path / "both.py").write_text(TASK + METHOD)
    assert outside.add(str(tmp_path / "both.py")) == (["rnn"], ["half"])
    assert outside.add(str(tmp_path / "both.py")) == (["rnn"], ["half"])
    assert METHODS["half"].about.knobs[0].name == "factor"
    assert TASKS["rnn"].net.__class__.__name__ == "Rnn"


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\n", "defines neither a Task nor an Entry"),
        ("import nothing_of_that_name\n", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        ("def broken(:\n", "SyntaxError"),
        ("import sys\nsys.exit('bye')\n", "SystemExit: bye"),
        (METHOD.replace("HALF", "RTN"), "defines 'rtn', a name that the suite or another file has"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line(tmp_path, text, said):
    file = tmp_path / "mine.py"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        outside.add(str(file), "--method")
    assert str(caught.value).startswith(f"--method: {file}")
    assert said in str(caught.value)
