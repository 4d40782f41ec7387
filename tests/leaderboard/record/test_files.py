"""Reading is strict, writing is byte-stable."""

import json

import msgspec
import pytest

from leaderboard.record import files
from leaderboard.record.canonical import digest
from leaderboard.record.files import RecordError
from tests.leaderboard.conftest import MADE, PROVENANCE

RUN = "$.points[0].runs[0]"
RESULT = RUN + ".result"


@pytest.fixture
def good(toy):
    return toy({4: {0: (0.8, 5000), 1: (0.9, 5100)}, 2: {0: "diverged at step 7", 1: (0.4, 2500)}})


def test_what_is_written_is_read_back(good, tmp_path):
    files.write(tmp_path / "a.json", good)
    assert files.read(tmp_path / "a.json") == good


def test_writing_what_was_read_gives_the_same_bytes(good, toy, tmp_path):
    """Also where a float was given as an int, a chain has a list of strengths and outcomes are numbers."""
    chain = toy({(0.5, 8): {0: (1.25, 900)}}, task=toy.loss, knobs=("sparsity", "bits"))
    for one in (good, chain):
        files.write(tmp_path / "a.json", one)
        files.write(tmp_path / "b.json", files.read(tmp_path / "a.json"))
        assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_layout(good, tmp_path):
    """Sorted keys, a scalar list a line, a newline at the end, no leftover temporary file."""
    files.write(tmp_path / "a.json", good)
    text = (tmp_path / "a.json").read_text("utf-8")
    assert text.startswith('{\n "config": {\n  "budget": {\n   "batch": 1.0,\n')
    assert '\n  "options": {\n   "axis": -1,\n   "names": ["ä", "b"],\n' in text
    assert text.endswith('"verified": []\n}\n')
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def change(path, value):
    """An edit of a record's plain values: sets the field at a path of keys."""

    def edit(values):
        *heads, last = path
        for head in heads:
            values = values[head]
        values[last] = value

    return edit


FIRST = ("points", 0, "runs", 0)
FIRST_RESULT = (*FIRST, "result")
VERIFIED = {"seed": 0, "strength": [4], "quality": 0.8, "tolerance": 0.01, "device": "cpu", "commit": "0" * 40}
OTHER = digest(msgspec.to_builtins(PROVENANCE) | {"command": "other"})


def dense(values):
    """The record of the method `dense`, whose net has quality 0.9 elsewhere."""
    values["config"]["method"] = "dense"
    values["method"] |= {"name": "dense", "knobs": [], "digest": digest(values["config"])}
    values["points"] = values["points"][:1]
    values["points"][0]["strength"] = []


BAD = {
    "schema": (change(("schema",), 1), "schema is 1, this code reads 4 - at", "$.schema"),
    "schema of yesterday": (change(("schema",), 3), "mend it: python -m leaderboard.migrate", "$.schema"),
    "unknown key": (change(("task", "colour"), 1), "unknown field `colour`", "$.task"),
    "missing key": (lambda values: values["task"].pop("metric"), "missing required field `metric`", "$.task"),
    "wrong type": (change((*FIRST_RESULT, "macs"), 1.5), "Expected `int`, got `float`", RESULT + ".macs"),
    "number as text": (change((*FIRST_RESULT, "quality"), "0.8"), "got `str`", RESULT + ".quality"),
    "density": (change((*FIRST_RESULT, "density"), 1.01), "`float` <= 1.0", RESULT + ".density"),
    "bytes": (change((*FIRST_RESULT, "bytes"), 0), "`int` >= 1", RESULT + ".bytes"),
    "dense bytes": (change(("dense", 1, "bytes"), -3), "`int` >= 1", "$.dense[1].bytes"),
    "division": (change(("division",), "half"), "'half'", "$.division"),
    "name with a slash": (change(("method", "name"), "a/b"), "regex", "$.method.name"),
    "no points": (change(("points",), []), "length >= 1", "$.points"),
    "strength of no list": (change(("points", 0, "strength"), 4), "Expected `array`", "$.points[0].strength"),
    "no test rows": (change(("task", "rows"), {"train": 1}), "test examples is missing", "$.task.rows"),
    "mean": (
        change((*FIRST_RESULT, "quality"), 0.8001),
        "0.8001, but the mean of outcomes is 0.8",
        RESULT + ".quality",
    ),
    "too few outcomes": (change((*FIRST_RESULT, "outcomes"), "1" * 9), "9 outcomes for 10", RESULT + ".outcomes"),
    "neither right nor wrong": (
        change((*FIRST_RESULT, "outcomes"), "12" * 5),
        "must be a string of 0 and 1",
        RESULT + ".outcomes",
    ),
    "outcomes of another kind": (
        change(("task", "outcome"), "loss"),
        "must be a list of numbers",
        RESULT + ".outcomes",
    ),
    "strength twice": (change(("points", 1, "strength"), [4]), "strength 4 occurs 2 times", "$.points"),
    "strength of other knobs": (change(("points", 1, "strength"), [4, 2]), "2 numbers for 1 knobs", "$.points[1]"),
    "seed twice": (change((*FIRST[:3], 1, "seed"), 0), "seed 0 occurs 2 times", "$.points[0].runs"),
    "dense seed twice": (change(("dense", 1, "seed"), 0), "seed 0 occurs 2 times", "$.dense"),
    "neither result nor failure": (change((*FIRST, "result"), None), "the other two are null", RUN),
    "both result and failure": (change((*FIRST, "failure"), "why"), "the other two are null", RUN),
    "both result and skipped": (change((*FIRST, "skipped"), "why"), "the other two are null", RUN),
    "provenance of another digest": (
        change(("provenance", MADE, "dirty"), True),
        "the digest of this entry is ",
        f"$.provenance.{MADE}",
    ),
    "dense net of no provenance": (
        change(("dense", 1, "provenance"), "ab"),
        "there is no ab in `$.provenance`",
        "$.dense[1].provenance",
    ),
    "run of no provenance": (
        change((*FIRST, "provenance"), "ab"),
        "there is no ab in `$.provenance`",
        RUN + ".provenance",
    ),
    "provenance of nothing": (
        lambda values: values["provenance"].update({OTHER: values["provenance"][MADE] | {"command": "other"}}),
        "no dense net and no run names it",
        f"$.provenance.{OTHER}",
    ),
    "config without a net": (lambda values: values["config"].pop("net"), "required field `net`", "$.config"),
    "config of a negative share": (
        change(("config", "budget", "dense"), -1.0),
        "Expected `float` > 0.0",
        "$.config.budget.dense",
    ),
    "config of another task": (change(("config", "task"), "other"), "must be 'toy'", "$.config.task"),
    "config of another version": (change(("config", "task_version"), 2), "must be 1", "$.config.task_version"),
    "config of another method": (change(("config", "method"), "lsq"), "must be 'rtn'", "$.config.method"),
    "config of another digest": (change(("config", "options"), {}), "the digest of `$.config` is ", "$.method.digest"),
    "config of another batch": (
        change(("config", "eval_batch"), 9),
        "is 9, but the task's is 8",
        "$.config.eval_batch",
    ),
    "closed with a tenth of the examples": (
        change(("config", "budget", "examples"), 0.1),
        "must be 'open' by the shares of `$.config.budget`",
        "$.division",
    ),
    "open with the whole budget": (change(("division",), "open"), "must be 'closed' by the shares", "$.division"),
    "dense of another quality": (dense, "is 0.8, but in `$.dense` it is 0.9", RESULT + ".quality"),
    "no dense net": (change((*FIRST, "seed"), 5), "seed 5 has no dense net", RUN + ".seed"),
    "another dense net": (change((*FIRST, "dense"), "x"), "started from x, but the dense net of seed 0 is c0", RUN),
    "verified what is not there": (change(("verified",), [VERIFIED | {"seed": 7}]), "no finished run", "$.verified[0]"),
    "verified with another quality": (
        change(("verified",), [VERIFIED | {"quality": 0.85}]),
        "quality 0.85 is not within 0.01 of 0.8",
        "$.verified[0]",
    ),
    "latency": (
        change((*FIRST_RESULT, "latency", "batch", "batch"), 9),
        "is 9, it must be 8",
        RESULT + ".latency.batch.batch",
    ),
    "latency at batch 1": (
        change((*FIRST_RESULT, "latency", "one", "batch"), 2),
        "is 2, it must be 1",
        RESULT + ".latency.one.batch",
    ),
}


@pytest.mark.parametrize(("edit", "what", "field"), BAD.values(), ids=BAD)
def test_bad_records_are_refused_in_one_line(good, tmp_path, edit, what, field):
    values = msgspec.to_builtins(good)
    edit(values)
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(values))
    with pytest.raises(RecordError) as caught:
        files.read(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert what in message
    assert f"- at `{field}" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b'"seed": 1', b'"seed": 1, "seed": 1', "key 'seed' occurs twice"),
        (b'"bops": 4', b'"bops": NaN, "x": 4', "NaN is not a number"),
        (b'"axis": -1', b'"axis": [0, -Infinity]', "-Infinity is not a number"),
        (
            b'"bops": 4',
            b'"bops": 1e999, "x": 4',
            r"Number out of range - at `\$\.points\[0\]\.runs\[0\]\.result\.bops`",
        ),
        (b'"toy"', b'"toy', "not JSON: Invalid control character"),
        (b'"toy"', b'"t\xff"', "not UTF-8 at byte"),
        (b'"modality"', b'"a\\nb\\u001b"', r"unknown field `a b `"),
        (b"{", b"\xef\xbb\xbf{", "not JSON: Unexpected UTF-8 BOM"),
        (b"{", b"[" * 100_000, "nested too deeply"),
        (b'"toy"', b'"\\ud800"', "truncated|surrogate"),
    ],
)
def test_bad_json_is_refused_in_one_line(good, tmp_path, old, new, message):
    path = tmp_path / "bad.json"
    files.write(path, good)
    data = path.read_bytes()
    changed = data.replace(old, new, 1)
    assert changed != data
    path.write_bytes(changed)
    with pytest.raises(RecordError, match=message) as caught:
        files.read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "null", "3", "[]"])
def test_not_an_object(tmp_path, text):
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(RecordError, match=r"bad\.json: (not JSON|Expected `object`)"):
        files.read(tmp_path / "bad.json")


def test_no_file(tmp_path):
    with pytest.raises(RecordError, match=r"none\.json: No such file"):
        files.read(tmp_path / "none.json")


def test_losses_are_compared_relatively(toy, tmp_path):
    """Outcomes 1, 2, 3, 4 have mean 2.5; 1e-5 of it is 2.5e-5."""
    for quality, fits in ((2.50002, True), (2.50003, False)):
        outcome = toy.result(quality, 10, outcomes=[1.0, 2.0, 3.0, 4.0])
        one = toy({4: {0: outcome}}, task=toy.loss)
        if fits:
            files.write(tmp_path / "a.json", one)
        else:
            with pytest.raises(RecordError, match="the mean of outcomes is"):
                files.write(tmp_path / "a.json", one)


def test_a_bad_record_is_not_written(toy, tmp_path):
    files.write(tmp_path / "a.json", toy({4: {0: (0.8, 5000)}}))
    before = (tmp_path / "a.json").read_bytes()
    nan = toy({4: {0: toy.result(0.8, 5000, bops=float("nan"))}})
    with pytest.raises(RecordError, match=r"a\.json: NaN is not a number"):
        files.write(tmp_path / "a.json", nan)
    assert (tmp_path / "a.json").read_bytes() == before


def test_read_all_sorts_by_task_method_and_digest(toy, tmp_path):
    runs = {4: {0: (1.0, 10)}}
    for task, method, mark in (("text", "a", 1), ("toy", "b", 2), ("toy", "b", 1), ("toy", "a", 9)):
        one = toy(runs, task=(toy.loss if task == "text" else toy.task), method=method, config={"mark": mark})
        files.write(files.place(tmp_path, one), one)
    (tmp_path / "notes.txt").write_text("not a record")
    found = [(r.task.name, r.method.name, r.method.digest) for r in files.read_all(tmp_path)[0]]
    assert [one[:2] for one in found] == [("text", "a"), ("toy", "a"), ("toy", "b"), ("toy", "b")]
    assert found[2][2] < found[3][2]


@pytest.mark.parametrize("place", ["toy/rtn.json", "text/rtn-3dd6fc4b.json", "rtn-3dd6fc4b.json"])
def test_read_all_refuses_a_misplaced_file(good, tmp_path, place):
    files.write(tmp_path / place, good)
    records, (error,) = files.read_all(tmp_path)
    assert records == []
    wanted = "at `$.task.name`, `$.method.name`, `$.method.digest`"
    assert str(error) == f"{tmp_path / place}: must be named {tmp_path}/toy/rtn-3dd6fc4b.json - {wanted}"


def test_read_all_needs_a_folder(tmp_path):
    with pytest.raises(RecordError, match="nowhere: no such folder"):
        files.read_all(tmp_path / "nowhere")
