"""What stands in the files of a run, and only that, is placed."""

import hashlib
import json
from pathlib import Path

import msgspec
import pytest

from leaderboard.record.schema import Tuning
from tests.leaderboard.submitted import DIGEST, put

RUN, DENSE = Path("toy", "rtn-1d", "4", "seed0"), Path("toy", "dense-net-1d", "seed0")


@pytest.mark.parametrize(
    ("file", "content", "what"),
    [
        (RUN / "run.json", None, "run.json is missing or cannot be read"),
        (RUN / "run.json", b"{}", "run.json is missing or cannot be read"),
        (RUN / "artifact.slim", None, "is missing"),
        (RUN / "artifact.slim", bytes(9), "has 9 bytes, not 8"),
        (RUN / "artifact.slim", bytes(8), f"has SHA-256 {hashlib.sha256(bytes(8)).hexdigest()}, not "),
        (DENSE / "artifact.slim", None, "is missing"),
        (DENSE / "artifact.slim", bytes(9), "has 9 bytes, not 40000"),
        (DENSE / "dense.json", None, "dense.json is missing or cannot be read"),
        (DENSE / "dense.json", b"{", "dense.json is missing or cannot be read"),
    ],
)
def test_a_record_whose_files_are_not_there_is_refused(entered, workdir, run, file, content, what):
    folder = workdir(entered({4: {0: 8}}))
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_bytes(content)
    refused(run, folder, what)


def refused(run, folder, what):
    code, out, err = run(folder)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {folder}/records/toy/rtn-{DIGEST}.json: ")
    assert what in err
    assert err.count("\n") == 1
    assert not run.board.exists()


SAID = {  # in a file of the run: where, what stands there, and what is said
    "quality": (RUN / "run.json", ("run", "result", "quality"), 0.7, "has 0.7, not 0.8", "runs[0].result.quality"),
    "outcomes": (RUN / "run.json", ("run", "result", "outcomes"), "0" * 10, 'has "0000000000", not', "result.outcomes"),
    "MACs": (RUN / "run.json", ("run", "result", "macs"), 5, "has 5, not 1234000", "runs[0].result.macs"),
    "density": (RUN / "run.json", ("run", "result", "density"), 0.5, "has 0.5, not 1.0", "runs[0].result.density"),
    "time": (
        RUN / "run.json",
        ("run", "result", "latency", "one", "median_ms"),
        7.0,
        "has 7.0, not 0.5",
        "result.latency.one.median_ms",
    ),
    "method": (RUN / "run.json", ("method",), "lsq", 'has "lsq", not "rtn"', "runs[0].method"),
    "strength": (RUN / "run.json", ("strength",), [2.0], "has [2.0], not [4.0]", "runs[0].strength"),
    "seed": (RUN / "run.json", ("run", "seed"), 1, "has 1, not 0", "runs[0].seed"),
    "commit": (RUN / "run.json", ("provenance", "commit"), "1" * 40, "has ", "runs[0].provenance"),
    "checkpoint": (DENSE / "dense.json", ("checkpoint",), "d0", 'has "d0", not "c0"', "$.dense[0].checkpoint"),
    "dense quality": (DENSE / "dense.json", ("quality",), 0.5, "has 0.5, not 0.9", "$.dense[0].quality"),
    "dense bytes": (DENSE / "dense.json", ("bytes",), 40, "has 40, not 40000", "$.dense[0].bytes"),
    "dense device": (DENSE / "dense.json", ("provenance", "device"), "x", "has ", "$.dense[0].provenance"),
}


@pytest.mark.parametrize(("file", "path", "value", "what", "where"), SAID.values(), ids=SAID)
def test_a_record_that_its_files_contradict_is_refused(entered, workdir, run, file, path, value, what, where):
    """Whatever the field: one line with the file, both values and the place in the record."""
    folder = workdir(entered({4: {0: 8}}))
    values = json.loads((folder / file).read_text())
    *heads, last = path
    node = values
    for head in heads:
        node = node[head]
    node[last] = value
    (folder / file).write_text(json.dumps(values))
    refused(run, folder, f"{folder / file} {what}")
    assert run(folder)[2].rstrip("`\n").endswith(where)


@pytest.mark.parametrize("loss", [0.5, 0.25, None])
def test_trials_are_those_of_the_workdir(entered, workdir, run, loss):
    """What was tried says 0.5."""
    trial = {"settings": {"rate": 0.3}, "loss": loss}
    facts = {"seed": 0, "strength": [4.0], "settings": {"rate": 0.3}, "trials": [trial]}
    spent = {"seconds": 1.0, "steps": 2, "labelled_examples": 3}
    folder = workdir(entered({4: {0: 8}}, tuning=msgspec.convert(facts | spent, Tuning)))
    put(folder / "toy/rtn-tuning-1e/rate=0.3/trial.json", json.dumps(trial | {"loss": 0.5}).encode())
    if loss == 0.5:
        assert run(folder)[0] == 0
    else:
        refused(run, folder, "rtn-tuning-*/rate=0.3/trial.json says this - at `$.tuning.trials[0]`")
