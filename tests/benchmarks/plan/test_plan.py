"""From a config to jobs: in order, each after the nets that it starts from; what cannot run is left out, and why."""

import dataclasses
import json

import msgspec
import pytest

from benchmarks.plan.config import Budget, Config, Loop, seeds, trials
from benchmarks.plan.estimate import described
from benchmarks.plan.job import Job, Trials
from benchmarks.plan.plan import lacks, needed, plan
from benchmarks.plan.recipes import curve_config, training
from methods import METHODS
from tasks import TASKS

GRID = Config(
    ("digits",),
    ("dense", "kd"),
    {"kd": ((0.5,), (0.25,))},
    seeds=(3, 4),
    tuning=False,
    budget=Budget(recovery=0.5),
)


def point(method, **facts):
    """A point of the digits task under half its recovery."""
    facts = {"seed": 0, "budget": Budget(recovery=0.5), "loop": Loop()} | facts
    return Job(kind="point", task="digits", method=method, **facts)


def test_jobs_are_in_order_and_wait_for_the_nets_of_their_seed():
    jobs, skipped = plan(GRID)
    assert skipped == ()
    assert [job.name for job in jobs] == [
        "digits/dense net/seed3",
        "digits/dense net/seed4",
        "digits/dense/seed3",
        "digits/dense/seed4",
        "digits/kd/0.5/seed3",
        "digits/kd/0.5/seed4",
        "digits/kd/0.25/seed3",
        "digits/kd/0.25/seed4",
    ]
    assert [job.steps for job in jobs] == [900, 900, 0, 0, 1350, 1350, 1350, 1350]
    assert jobs[4].after == ("digits/dense net/seed3",)
    assert jobs[4].options == {"temperature": 2.0, "alpha": 0.3}


def test_teachers_are_jobs_where_a_method_wants_them(monkeypatch):
    digits = TASKS["digits"]
    teacher = digits.net.clone(hidden=256)
    monkeypatch.setitem(TASKS, "digits", dataclasses.replace(digits, teacher=teacher))
    jobs = plan(GRID).jobs
    assert [job.name for job in jobs if job.kind == "teacher"] == ["digits/teacher/seed3", "digits/teacher/seed4"]
    kd, dense = (next(job for job in jobs if job.kind == "point" and job.method == name) for name in ("kd", "dense"))
    assert kd.after == ("digits/dense net/seed3", "digits/teacher/seed3")
    assert dense.after == ("digits/dense net/seed3",)
    assert not [job for job in plan(msgspec.structs.replace(GRID, methods=("rtn",))).jobs if job.kind == "teacher"]


def test_a_job_is_names_and_numbers_that_survive_json():
    for job in plan(GRID).jobs:
        assert msgspec.json.decode(msgspec.json.encode(job), type=Job) == job


def test_what_a_task_does_not_offer_is_said(monkeypatch):
    task = dataclasses.replace(TASKS["digits"], offers=frozenset())
    assert lacks(task, METHODS["kd"].about) == "its outputs are not logits of two or more classes"
    assert lacks(task, METHODS["channels"].about) is None
    monkeypatch.setitem(TASKS, "digits", task)
    jobs, (left_out,) = plan(GRID)
    assert {job.method for job in jobs} == {"dense"}
    assert left_out.jobs[0].name == "digits/kd/0.5/seed3"


def test_the_config_of_a_curve_says_what_was_asked_and_nothing_of_the_grid():
    config = curve_config(point("lsq", options={"edge_bits": 8}))
    assert json.loads(json.dumps(config)) == config
    assert (config["dense"]["steps"], config["training"]["steps"], config["eval_batch"]) == (900, 450, 200)
    assert (config["options"], config["tuning"]) == ({"edge_bits": 8}, None)
    assert config["budget"] == {"dense": 1.0, "recovery": 0.5, "batch": 1.0, "examples": 1.0}
    assert config["net"]["name"] == "ConvNet"
    assert curve_config(point("rtn"))["training"] is None


def test_a_full_budget_is_one_schedule_of_the_dense_recipe_over_all_steps():
    dense, about = TASKS["digits"].dense, METHODS["student"].about
    assert about.budget == METHODS["kd"].about.budget == "full"
    found = curve_config(point("student"))["training"]
    assert found == {**dataclasses.asdict(dense), "steps": 900 + 450}
    assert training(TASKS["digits"], about) == dataclasses.replace(dense, steps=1800)
    assert training(TASKS["digits"], METHODS["finetuned"].about) == TASKS["digits"].recovery
    assert training(TASKS["digits"], METHODS["dense"].about) is None


def test_chosen_settings_are_options_and_a_rate():
    default, chosen = (
        curve_config(point("kd", options={"temperature": 4.0, "alpha": 0.9}, settings=settings))
        for settings in (None, {"temperature": 1.0, "rate": 0.5})
    )
    assert default["options"] == {"temperature": 4.0, "alpha": 0.9}
    assert chosen["options"] == {"temperature": 1.0, "alpha": 0.9}
    assert chosen["training"]["learning_rate"] == 0.5 * default["training"]["learning_rate"]


def test_trials_come_before_the_curve_at_the_middle_of_its_sweep_and_seed_0():
    jobs, _ = plan(msgspec.structs.replace(GRID, tuning=True))
    assert [job.name for job in jobs if job.kind == "dense"] == [f"digits/dense net/seed{seed}" for seed in (3, 4, 0)]
    tried = [job for job in jobs if job.kind == "trial"]
    assert [job.name for job in tried[:2]] == [
        "digits/kd/trial rate=1,temperature=2",
        "digits/kd/trial rate=2,temperature=1",
    ]
    assert {(job.strength, job.seed, job.steps, job.after) for job in tried} == {
        ((0.375,), 0, 1350, ("digits/dense net/seed0",))
    }
    assert (tried[1].rate, tried[1].arguments) == (2.0, {"temperature": 1.0, "alpha": 0.3})
    (first, *_) = [job for job in jobs if job.name == "digits/kd/0.5/seed3"]
    assert first.after == ("digits/dense net/seed3", *(job.name for job in tried))
    assert first.tuning == Trials(0, (0.375,), tuple(job.settings for job in tried))
    assert jobs.index(tried[-1]) + 1 == jobs.index(first)


def test_an_option_that_is_given_is_not_tuned():
    def tried(**given):
        return trials(msgspec.structs.replace(GRID, tuning=True, options={"kd": given}), "kd")

    assert len(tried()) == 5
    assert tried(alpha=0.9) == tried()
    assert tried(temperature=3.0) == ({"rate": 1.0}, {"rate": 2.0}, {"rate": 4.0})
    assert trials(GRID, "kd") == ()
    assert trials(GRID, "rtn") == ()


@pytest.fixture
def copying(monkeypatch):
    """A control that copies magnitude pruning, another that needs what no task offers, and one that copies that."""
    about = METHODS["magnitude"].about
    for name, changes in {
        "random@m": {"copies": "magnitude"},
        "odd": {"needs": frozenset({"luck"})},
        "random@odd": {"copies": "odd"},
    }.items():
        monkeypatch.setitem(METHODS, name, METHODS["magnitude"]._replace(about=about._replace(**changes)))


def test_a_control_waits_for_the_run_that_it_copies_which_is_added(copying):
    grid = msgspec.structs.replace(GRID, methods=("random@m",), strengths={"magnitude": ((0.5,),)}, seeds=(3,))
    dense, copied, control = plan(grid).jobs
    assert (copied.name, control.name) == ("digits/magnitude/0.5/seed3", "digits/random@m/0.5/seed3")
    assert control.after == (dense.name, copied.name)
    assert control.copied.name == copied.name
    assert copied.copied is None


def test_what_the_trials_of_a_control_copy_is_added(copying):
    grid = msgspec.structs.replace(GRID, methods=("random@m",), strengths={"random@m": ((0.5,),)}, tuning=True)
    jobs, _ = plan(grid)
    names = [job.name for job in jobs]
    assert [job.name for job in jobs if job.kind == "point" and job.method == "magnitude"] == [
        "digits/magnitude/0.5/seed3",
        "digits/magnitude/0.5/seed4",
        "digits/magnitude/0.9/seed0",
    ]
    (first, *_) = [job for job in jobs if job.kind == "trial" and job.method == "random@m"]
    assert first.after == ("digits/dense net/seed0", "digits/magnitude/0.9/seed0")
    assert all(names.index(earlier) < i for i, job in enumerate(jobs) for earlier in job.after)


def test_a_control_of_what_is_skipped_is_skipped_with_its_reason(copying):
    jobs, skipped = plan(msgspec.structs.replace(GRID, methods=("dense", "random@odd")))
    assert {job.method for job in jobs} == {"dense"}
    assert [left.reason for left in skipped] == ["it does not offer luck"]


def test_what_one_job_needs_of_a_plan(copying):
    whole = plan(msgspec.structs.replace(GRID, methods=("dense", "random@m", "kd"), seeds=(3,)))
    (job,) = [job for job in whole.jobs if job.name == "digits/random@m/0.5/seed3"]
    assert [one.name for one in needed(whole, job)] == [
        "digits/dense net/seed3",
        "digits/magnitude/0.5/seed3",
        "digits/random@m/0.5/seed3",
    ]


def test_seeds_are_the_task_s_unless_the_config_says():
    none = msgspec.structs.replace(GRID, seeds=())
    assert seeds(none, "digits") == tuple(range(TASKS["digits"].seeds))
    assert seeds(GRID, "digits") == (3, 4)


def test_a_plan_is_described_with_counts_and_an_estimate():
    lines = described(plan(msgspec.structs.replace(GRID, loop=Loop(log_every=7)))).splitlines()
    assert lines[0].split() == ["digits", "dense", "net", "2", "jobs", "1800", "steps", "seeds", "3,4"]
    assert lines[2].split("  ")[-1] == "strengths 0.5, 0.25; seeds 3,4"
    assert lines[-1].startswith("8 jobs (2 dense, 6 point), 7200 steps; about ")
    assert lines[-1].endswith(" minutes of training by the board's records, compiling and measuring apart")


def test_a_task_without_records_has_no_estimate(tiny, monkeypatch):
    monkeypatch.setitem(TASKS, "tiny", tiny)
    said = described(plan(Config(("tiny",), ("dense",), seeds=(0,))))
    assert said.endswith("; unknown for tiny")


@pytest.mark.parametrize("method", METHODS)
def test_every_method_runs_on_every_task_that_has_what_it_needs(method):
    """Batch norm and blocks of a transformer are in some nets only; all else is in every task of the suite."""
    about = METHODS[method].about
    reasons = {lacks(task, about) for task in TASKS.values()}
    assert None in reasons
    assert len(reasons) == (2 if about.needs & {"batch_norm", "blocks"} else 1)
