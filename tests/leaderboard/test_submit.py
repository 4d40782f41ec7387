"""Records of a workdir are checked against its files and placed."""

import json

import msgspec
import pytest

from leaderboard import inputs
from leaderboard.record import files, registry
from leaderboard.record.schema import Verification
from tests.leaderboard.conftest import PROVENANCE
from tests.leaderboard.submitted import DIGEST, NEXT, put


def test_a_record_is_placed_and_then_unchanged(entered, workdir, run):
    one = entered({4: {0: 8, 1: 9}, 2: {0: "no room", 1: 5}})
    folder = workdir(one)
    assert run(folder) == (0, f"placed     {run.board}: placed and ranked\n{NEXT}", "")
    assert files.read(run.board) == one
    assert run.board.read_bytes() == (folder / "records" / "toy" / run.board.name).read_bytes()
    assert run(folder) == (0, f"unchanged  {run.board}: placed and ranked\n{NEXT}", "")
    assert [path.name for path in run.board.parent.iterdir()] == [run.board.name]


def test_a_chain_is_found_by_its_strengths(entered, workdir, run):
    assert run(workdir(entered({(0.5, 8): {0: 8}}, knobs=("sparsity", "bits"))))[0] == 0


def test_a_record_with_more_runs_replaces_one_with_fewer_and_keeps_its_verifications(entered, workdir, run):
    verified = Verification(seed=0, strength=[4.0], quality=0.8, tolerance=0.01, device="cpu", commit="1" * 40)
    files.write(run.board, msgspec.structs.replace(entered({4: {0: 8}}), verified=[verified]))
    more = entered({4: {0: 8, 1: 9}, 2: {0: 5, 1: 5}})
    assert run(workdir(more)) == (0, f"replaced   {run.board}: placed and ranked\n{NEXT}", "")
    assert files.read(run.board) == msgspec.structs.replace(more, verified=[verified])
    assert run(workdir(more)) == (0, f"unchanged  {run.board}: placed and ranked\n{NEXT}", "")


def test_newer_timings_of_the_same_artifacts_replace(entered, workdir, run):
    files.write(run.board, entered({4: {0: 8}}))
    one = entered({4: {0: 8}})
    slower = json.loads(msgspec.json.encode(one))
    slower["points"][0]["runs"][0]["result"]["memory_bytes"] = 5000
    assert run(workdir(msgspec.convert(slower, files.Record)))[1].startswith(f"replaced   {run.board}: ")
    assert files.read(run.board).points[0].runs[0].result.memory_bytes == 5000


@pytest.mark.parametrize(
    ("there", "changes", "what"),
    [
        ({4: {0: 7}}, {}, "holds another run of seed 0 at strength 4"),
        ({4: {0: 8, 1: 8}}, {}, "holds another run of seed 1 at strength 4"),
        ({4: {0: 8}, 2: {0: 5}}, {}, "holds another run of seed 0 at strength 2"),
        ({4: {0: "diverged"}}, {}, "holds another run of seed 0 at strength 4"),
        ({4: {0: 8}}, {"nets": "d"}, "holds another run of seed 0 at strength 4"),
        ({4: {0: 8}}, {"fingerprint": "beef"}, "is of other data"),
    ],
)
def test_other_results_are_not_replaced(toy, entered, workdir, run, there, changes, what):
    if "fingerprint" in changes:
        changes = {"task": toy.task | changes}
    files.write(run.board, entered(there, **changes))
    before = run.board.read_bytes()
    code, out, err = run(workdir(entered({4: {0: 8}})))
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {run.board}: {what}; delete it first if it is to be replaced - at `$.")
    assert err.count("\n") == 1
    assert run.board.read_bytes() == before


def made(**changes):
    return {"made": msgspec.structs.replace(PROVENANCE, **changes)}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (
            made(dirty=True),
            "the code differed from its commit, nobody can run it again; commit, then run - at `$.provenance.",
        ),
        (made(commit="unknown"), "the commit is unknown"),
        (made(outside=["/home/me/m.py"]), "ran code that is in no commit, /home/me/m.py; commit it"),
        ({"protocol": 1}, "is of protocol 1, the board takes 2; run it again - at `$.protocol`"),
    ],
)
def test_what_nobody_can_run_again_is_refused(entered, workdir, run, change, what):
    folder = workdir(entered({4: {0: 8}}, **change))
    code, out, err = run(folder)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {folder}/records/toy/rtn-{DIGEST}.json: {what}")
    assert err.count("\n") == 1
    assert not run.board.exists()


def test_a_dry_run_writes_nothing_and_says_the_same(entered, workdir, run, tmp_path):
    folder = workdir(entered({4: {0: 8}}))
    told = f"placed     {run.board}: would be placed and ranked\nnothing was written, as --dry_run asks\n"
    assert run(folder, "--dry_run") == (0, told, "")
    assert not (tmp_path / "board").exists()
    assert run(folder)[0] == 0
    before = run.board.read_bytes()
    assert run(workdir(entered({4: {0: 8, 1: 9}}), "more"), "--dry_run")[1].startswith(f"replaced   {run.board}: would")
    assert run.board.read_bytes() == before


UNRANKED = {
    "another version": (
        {"version": 7},
        {4: {0: 8}},
        "task.version is 7, the board's is 1; run it again on the board's",
    ),
    "other data": ({"fingerprint": "beef"}, {4: {0: 8}}, "task.fingerprint is beef, the board's is f00d; run it again"),
    "no task of the board": ({"name": "mine"}, {4: {0: 8}}, "leaderboard/tasks.json has no such task; where the task"),
    "no run": ({}, {4: {0: "no room"}}, "no run finished; run with --retry=failed"),
    "a skipped curve": ({}, {4: {0: ["the net has no groups"]}}, "skipped: the net has no groups; nothing is to be"),
    "half of the runs": ({}, {4: {0: 8, 1: "no room"}}, "at no strength did every seed finish within 40000 bytes"),
}


@pytest.mark.parametrize(("task", "points", "what"), UNRANKED.values(), ids=UNRANKED)
def test_what_is_placed_and_not_ranked_says_why(toy, entered, workdir, run, monkeypatch, tmp_path, task, points, what):
    monkeypatch.setattr(inputs, "RESULTS", tmp_path / "board")
    monkeypatch.setattr(inputs, "TASKS", tmp_path / "tasks.json")
    registry.write(registry.said([toy({4: {0: (0.8, 8)}})]), inputs.TASKS)
    code, out, err = run(workdir(entered(points, task=toy.task | task)))
    assert (code, err) == (0, "")
    assert f": placed, not ranked: {what}" in out.splitlines()[0]


def test_several_commits_are_placed_if_all_are_clean(entered, workdir, run):
    """The dense net is of one commit, the run of another."""
    one, two = entered({4: {0: 8}}), entered({4: {0: 8}}, **made(commit="1" * 40))
    mixed = msgspec.structs.replace(one, provenance=one.provenance | two.provenance, points=two.points)
    assert run(workdir(mixed))[0] == 0
    three = entered({4: {0: 8}}, **made(dirty=True))
    mixed = msgspec.structs.replace(one, provenance=one.provenance | three.provenance, points=three.points)
    assert "the code differed from its commit" in run(workdir(mixed, "dirty"))[2]


@pytest.mark.parametrize("place", ["dense", "points"])
def test_a_record_of_unknown_identity_is_refused(entered, workdir, run, place):
    one = entered({4: {0: 8}})
    folder = workdir(one)
    values = msgspec.to_builtins(one)
    (values["dense"][0] if place == "dense" else values["points"][0]["runs"][0])["identity"] = None
    files.write(files.place(folder / "records", one), msgspec.convert(values, type(one)))
    assert "is unknown, so its files cannot be found; run it again - at `$." + place in run(folder)[2]


def test_skipped_points_are_placed_without_files_and_may_run_later(entered, workdir, run):
    skipped = entered({4: {0: 8}, 2: {0: ["needs groups"]}})
    assert run(workdir(skipped))[0] == 0
    assert files.read(run.board).points[1].runs[0].skipped == "needs groups"
    assert run(workdir(entered({4: {0: 8}, 2: {0: 5}}), "later"))[1].startswith(f"replaced   {run.board}: ")


def test_the_good_ones_of_a_workdir_are_placed(entered, workdir, run):
    folder = workdir(entered({4: {0: 8}}))
    (folder / "records" / "toy" / "lsq-00.json").write_text("{}")
    code, out, err = run(folder)
    assert (code, out) == (2, f"placed     {run.board}: placed and ranked\n{NEXT}")
    assert err == f"error: {folder}/records/toy/lsq-00.json: Object missing required field `schema`\n"


def test_a_bad_record_on_the_board_is_named(entered, workdir, run):
    put(run.board, b"{}")
    code, out, err = run(workdir(entered({4: {0: 8}})))
    assert (code, out) == (2, "")
    assert err == f"error: {run.board}: Object missing required field `schema`\n"


def test_no_workdir_is_one_line(run, tmp_path):
    code, out, err = run(tmp_path)
    assert (code, out) == (2, "")
    assert err == (
        f"error: {tmp_path}/records: no such folder; RUNDIR must be the --workdir of a finished benchmarks.run\n"
    )
