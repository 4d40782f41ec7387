"""Records of a workdir are checked against its files and placed."""

import hashlib
import json
from pathlib import Path

import msgspec
import pytest

from leaderboard import record, submit
from leaderboard.schema import Verification

CONFIG = {"task": "toy", "task_version": 1, "method": "rtn", "options": {}}
DIGEST = hashlib.sha256(b'{"method": "rtn", "options": {}, "task": "toy", "task_version": 1}').hexdigest()[:8]


@pytest.fixture
def entered(toy):
    """entered({strength: {seed: artifact content or a failure}}) -> record; content n has n bytes and quality 0.n."""

    def make(points, **changes):
        def outcome(size):
            content = bytes(range(size))
            return toy.result(size / 10, size, artifact=hashlib.sha256(content).hexdigest())

        runs = {
            s: {k: v if isinstance(v, str) else outcome(v) for k, v in seeds.items()} for s, seeds in points.items()
        }
        return toy(runs, **{"config": CONFIG, "digest": DIGEST} | changes)

    return make


@pytest.fixture
def workdir(tmp_path):
    """workdir(record, name) -> the folder that `benchmarks.run` would have left."""

    def make(one, name="run"):
        folder = tmp_path / name
        record.write(record.place(folder / "records", one), one)
        for net in one.dense:
            seed = folder / "toy" / "dense-net-0123" / f"seed{net.seed}"
            put(seed / "artifact.safetensors", bytes(net.bytes))
            facts = {"bytes": net.bytes, "checkpoint": net.checkpoint, "quality": net.quality}
            put(seed / "dense.json", json.dumps(facts).encode())
        for point in one.points:
            parts = point.strength if isinstance(point.strength, list) else [point.strength]
            label = "+".join(f"{part:g}" for part in parts)
            for run in point.runs:
                if run.result:
                    place = folder / "toy" / f"rtn-{DIGEST}" / label / f"seed{run.seed}"
                    put(place / "artifact.safetensors", bytes(range(run.result.bytes)))
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
    assert record.read(run.board) == one
    assert run.board.read_bytes() == (folder / "records" / "toy" / run.board.name).read_bytes()
    assert run(folder) == (0, f"unchanged  {run.board}\n", "")
    assert [path.name for path in run.board.parent.iterdir()] == [run.board.name]


def test_a_chain_is_found_by_its_strengths(entered, workdir, run):
    assert run(workdir(entered({(0.5, 8): {0: 8}}, knob="sparsity, bits")))[0] == 0


def test_a_record_with_more_runs_replaces_one_with_fewer_and_keeps_its_verifications(entered, workdir, run):
    verified = Verification(seed=0, strength=4.0, quality=0.8, tolerance=0.01, device="cpu", commit="1" * 40)
    record.write(run.board, msgspec.structs.replace(entered({4: {0: 8}}), verified=[verified]))
    more = entered({4: {0: 8, 1: 9}, 2: {0: 5, 1: 5}})
    assert run(workdir(more)) == (0, f"replaced   {run.board}\n", "")
    assert record.read(run.board) == msgspec.structs.replace(more, verified=[verified])
    assert run(workdir(more)) == (0, f"unchanged  {run.board}\n", "")


def test_newer_timings_of_the_same_artifacts_replace(entered, workdir, run):
    record.write(run.board, entered({4: {0: 8}}))
    one = entered({4: {0: 8}})
    slower = json.loads(msgspec.json.encode(one))
    slower["points"][0]["runs"][0]["result"]["memory_bytes"] = 5000
    assert run(workdir(msgspec.convert(slower, record.Record)))[1] == f"replaced   {run.board}\n"
    assert record.read(run.board).points[0].runs[0].result.memory_bytes == 5000


@pytest.mark.parametrize(
    ("there", "changes", "what"),
    [
        ({4: {0: 7}}, {}, "holds another run of strength 4, seed 0"),
        ({4: {0: 8, 1: 8}}, {}, "holds another run of strength 4, seed 1"),
        ({4: {0: 8}, 2: {0: 5}}, {}, "holds another run of strength 2, seed 0"),
        ({4: {0: "diverged"}}, {}, "holds another run of strength 4, seed 0"),
        ({4: {0: 8}}, {"nets": "d"}, "holds another run of strength 4, seed 0"),
        ({4: {0: 8}}, {"division": "open"}, "is of the open division"),
        ({4: {0: 8}}, {"fingerprint": "beef"}, "is of other data"),
    ],
)
def test_other_results_are_not_replaced(toy, entered, workdir, run, there, changes, what):
    if "fingerprint" in changes:
        changes = {"task": toy.task | changes}
    record.write(run.board, entered(there, **changes))
    before = run.board.read_bytes()
    code, out, err = run(workdir(entered({4: {0: 8}})))
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {run.board}: {what}; delete it first if it is to be replaced - at `$.")
    assert err.count("\n") == 1
    assert run.board.read_bytes() == before


def dirty(one):
    return msgspec.structs.replace(one, provenance=msgspec.structs.replace(one.provenance, dirty=True))


def unknown(one):
    return msgspec.structs.replace(one, provenance=msgspec.structs.replace(one.provenance, commit="unknown"))


def config(**changes):
    return lambda one: msgspec.structs.replace(one, config=CONFIG | changes)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (
            dirty,
            "the code differed from its commit, nobody can run it again; commit, then run - at `$.provenance.dirty`",
        ),
        (unknown, "the commit is unknown"),
        (config(task="other"), "must be 'toy' - at `$.config.task`"),
        (config(task_version=2), "must be 1 - at `$.config.task_version`"),
        (config(method="lsq"), "must be 'rtn' - at `$.config.method`"),
        (config(options={"a": 1}), "the digest of `$.config` is "),
    ],
)
def test_what_nobody_can_run_again_is_refused(entered, workdir, run, change, what):
    folder = workdir(change(entered({4: {0: 8}})))
    code, out, err = run(folder)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {folder}/records/toy/rtn-{DIGEST}.json: {what}")
    assert err.count("\n") == 1
    assert not run.board.exists()


RUN, NET = Path("toy", f"rtn-{DIGEST}", "4", "seed0"), Path("toy", "dense-net-0123", "seed0")


@pytest.mark.parametrize(
    ("file", "content", "what"),
    [
        (RUN / "artifact.safetensors", None, "is missing"),
        (RUN / "artifact.safetensors", bytes(9), "has 9 bytes, not 8"),
        (RUN / "artifact.safetensors", bytes(8), f"has SHA-256 {hashlib.sha256(bytes(8)).hexdigest()}, not "),
        (NET / "artifact.safetensors", None, "is missing"),
        (NET / "artifact.safetensors", bytes(9), "has 9 bytes, not 40000"),
        (NET / "dense.json", None, "dense net c0 of seed 0 is not in "),
        (NET / "dense.json", b"{", "dense net c0 of seed 0 is not in "),
        (
            NET / "dense.json",
            b'{"bytes": 40000, "checkpoint": "d0", "quality": 0.9}',
            "dense net c0 of seed 0 is not in",
        ),
        (
            NET / "dense.json",
            b'{"bytes": 40000, "checkpoint": "c0", "quality": 0.5}',
            "has quality 0.5 and 40000 bytes",
        ),
        (NET / "dense.json", b'{"bytes": 40, "checkpoint": "c0", "quality": 0.9}', "has quality 0.9 and 40 bytes"),
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
