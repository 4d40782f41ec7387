"""Runs as `benchmarks.run` leaves them, of records made by hand, and the command that submits them."""

import hashlib

import msgspec
import pytest

from leaderboard import submit
from leaderboard.record import files

NEXT = "next: python -m leaderboard.build makes the pages; python -m benchmarks.verify makes a run again\n"
DIGEST = "a1d6638b"
"""Of the records that `entered` makes."""


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
        return toy(runs, **{"config": {"options": {}}} | changes)

    return make


@pytest.fixture
def workdir(tmp_path):
    """workdir(record, name) -> the folder that `benchmarks.run` would have left."""

    def make(one, name="run"):
        folder = tmp_path / name
        files.write(files.place(folder / "records", one), one)
        for net in one.dense:
            seed = folder / one.task.name / "dense-net-1d" / f"seed{net.seed}"
            put(seed / "artifact.slim", bytes(net.bytes))
            made = {"task": one.task.name, "provenance": one.provenance[net.provenance]}
            put(seed / "dense.json", msgspec.json.encode(msgspec.to_builtins(net) | made))
        for point in one.points:
            label = "+".join(f"{part:g}" for part in point.strength) or "none"
            for run in point.runs:
                place = folder / one.task.name / "rtn-1d" / label / f"seed{run.seed}"
                if run.skipped is None:
                    named = {"task": one.task.name, "method": one.method.name, "strength": point.strength, "run": run}
                    put(place / "run.json", msgspec.json.encode(named | {"provenance": one.provenance[run.provenance]}))
                if run.result:
                    put(place / "artifact.slim", bytes(range(run.result.bytes)))
        return folder

    return make


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@pytest.fixture
def run(tmp_path, capsys):
    """run(workdir, *argv) -> (exit code, stdout, stderr); records go to tmp_path/board."""

    def call(folder, *argv):
        code = submit.main([str(folder), f"--out={tmp_path / 'board'}", *argv])
        return code, *capsys.readouterr()

    call.board = tmp_path / "board" / "toy" / f"rtn-{DIGEST}.json"
    return call
