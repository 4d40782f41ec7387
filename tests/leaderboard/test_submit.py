"""Records of a workdir are checked against its files and placed."""

import hashlib
import json
from pathlib import Path

import msgspec
import pytest

from leaderboard import submit
from leaderboard.record import files
from leaderboard.record.schema import Verification
from tests.leaderboard.conftest import NET, PROVENANCE, WHOLE

CONFIG = {"task": "toy", "task_version": 1, "method": "rtn", "options": {}}
CONFIG |= {"net": NET, "eval_batch": 8, "budget": WHOLE}
DIGEST = hashlib.sha256(json.dumps(CONFIG, sort_keys=True).encode()).hexdigest()[:8]


@pytest.fixture
def entered(toy):
    """entered({strength: {seed: artifact content, a failure or [why it was skipped]}}) -> record.

    Content n has n bytes and quality 0.n.
    """

    def make(points, **changes):
        def outcome(size):
            content = bytes(range(size))
            return toy.result(size / 10, size, artifact=hashlib.sha256(content).hexdigest())

        runs = {
            strength: {seed: outcome(ran) if isinstance(ran, int) else ran for seed, ran in seeds.items()}
            for strength, seeds in points.items()
        }
        return toy(runs, **{"config": CONFIG, "digest": DIGEST} | changes)

    return make


@pytest.fixture
def workdir(tmp_path):
    """workdir(record, name) -> the folder that `benchmarks.run` would have left."""

    def make(one, name="run"):
        folder = tmp_path / name
        files.write(files.place(folder / "records", one), one)
        for net in one.dense:
            seed = folder / "toy" / "dense-net-1d" / f"seed{net.seed}"
            put(seed / "artifact.slim", bytes(net.bytes))
            facts = {"bytes": net.bytes, "checkpoint": net.checkpoint, "quality": net.quality}
            put(seed / "dense.json", json.dumps(facts).encode())
        for point in one.points:
            label = "+".join(f"{part:g}" for part in point.strength) or "none"
            for run in point.runs:
                place = folder / "toy" / "rtn-1d" / label / f"seed{run.seed}"
                if run.skipped is None:
                    put(place / "run.json", b"{}")
                if run.result:
                    put(place / "artifact.slim", bytes(range(run.result.bytes)))
        return folder

    return make


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@pytest.fixture
def run(tmp_path, capsys):
    """run(workdir) -> (exit code, stdout, stderr); records go to tmp_path/board."""

    def call(folder):
        code = submit.main([str(folder), f"--out={tmp_path / 'board'}"])
        return code, *capsys.readouterr()

    call.board = tmp_path / "board" / "toy" / f"rtn-{DIGEST}.json"
    return call


def test_a_record_is_placed_and_then_unchanged(entered, workdir, run):
    one = entered({4: {0: 8, 1: 9}, 2: {0: "no room", 1: 5}})
    folder = workdir(one)
    assert run(folder) == (0, f"placed     {run.board}\n", "")
    assert files.read(run.board) == one
    assert run.board.read_bytes() == (folder / "records" / "toy" / run.board.name).read_bytes()
    assert run(folder) == (0, f"unchanged  {run.board}\n", "")
    assert [path.name for path in run.board.parent.iterdir()] == [run.board.name]


def test_a_chain_is_found_by_its_strengths(entered, workdir, run):
    assert run(workdir(entered({(0.5, 8): {0: 8}}, knobs=("sparsity", "bits"))))[0] == 0


def test_a_record_with_more_runs_replaces_one_with_fewer_and_keeps_its_verifications(entered, workdir, run):
    verified = Verification(seed=0, strength=[4.0], quality=0.8, tolerance=0.01, device="cpu", commit="1" * 40)
    files.write(run.board, msgspec.structs.replace(entered({4: {0: 8}}), verified=[verified]))
    more = entered({4: {0: 8, 1: 9}, 2: {0: 5, 1: 5}})
    assert run(workdir(more)) == (0, f"replaced   {run.board}\n", "")
    assert files.read(run.board) == msgspec.structs.replace(more, verified=[verified])
    assert run(workdir(more)) == (0, f"unchanged  {run.board}\n", "")


def test_newer_timings_of_the_same_artifacts_replace(entered, workdir, run):
    files.write(run.board, entered({4: {0: 8}}))
    one = entered({4: {0: 8}})
    slower = json.loads(msgspec.json.encode(one))
    slower["points"][0]["runs"][0]["result"]["memory_bytes"] = 5000
    assert run(workdir(msgspec.convert(slower, files.Record)))[1] == f"replaced   {run.board}\n"
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


def config(**changes):
    return {"config": CONFIG | changes}


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
        (config(task="other"), "must be 'toy' - at `$.config.task`"),
        (config(task_version=2), "must be 1 - at `$.config.task_version`"),
        (config(method="lsq"), "must be 'rtn' - at `$.config.method`"),
        (config(options={"a": 1}), "the digest of `$.config` is "),
    ],
)
def test_what_nobody_can_run_again_is_refused(entered, workdir, run, change, what):
    folder = workdir(entered({4: {0: 8}}, **change))
    code, out, err = run(folder)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {folder}/records/toy/rtn-{DIGEST}.json: {what}")
    assert err.count("\n") == 1
    assert not run.board.exists()


RUN, DENSE = Path("toy", "rtn-1d", "4", "seed0"), Path("toy", "dense-net-1d", "seed0")


@pytest.mark.parametrize(
    ("file", "content", "what"),
    [
        (RUN / "run.json", None, "run.json is missing"),
        (RUN / "artifact.slim", None, "is missing"),
        (RUN / "artifact.slim", bytes(9), "has 9 bytes, not 8"),
        (RUN / "artifact.slim", bytes(8), f"has SHA-256 {hashlib.sha256(bytes(8)).hexdigest()}, not "),
        (DENSE / "artifact.slim", None, "is missing"),
        (DENSE / "artifact.slim", bytes(9), "has 9 bytes, not 40000"),
        (DENSE / "dense.json", None, "dense.json is missing or cannot be read"),
        (DENSE / "dense.json", b"{", "dense.json is missing or cannot be read"),
        (
            DENSE / "dense.json",
            b'{"bytes": 40000, "checkpoint": "d0", "quality": 0.9}',
            "dense.json has d0, quality 0.9 and 40000 bytes, not c0, 0.9 and 40000 - at `$.dense[0]`",
        ),
        (
            DENSE / "dense.json",
            b'{"bytes": 40000, "checkpoint": "c0", "quality": 0.5}',
            "has c0, quality 0.5 and 40000 bytes",
        ),
        (
            DENSE / "dense.json",
            b'{"bytes": 40, "checkpoint": "c0", "quality": 0.9}',
            "has c0, quality 0.9 and 40 bytes",
        ),
    ],
)
def test_a_record_that_its_files_contradict_is_refused(entered, workdir, run, file, content, what):
    folder = workdir(entered({4: {0: 8}}))
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_bytes(content)
    code, out, err = run(folder)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {folder}/records/toy/rtn-{DIGEST}.json: ")
    assert what in err
    assert err.count("\n") == 1
    assert not run.board.exists()


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
    assert run(workdir(entered({4: {0: 8}, 2: {0: 5}}), "later"))[1] == f"replaced   {run.board}\n"


def test_the_good_ones_of_a_workdir_are_placed(entered, workdir, run):
    folder = workdir(entered({4: {0: 8}}))
    (folder / "records" / "toy" / "lsq-00.json").write_text("{}")
    code, out, err = run(folder)
    assert (code, out) == (2, f"placed     {run.board}\n")
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
