"""A run of a record is made again: what agrees is written down, what does not leaves the record as it is."""

import json
import math
from datetime import UTC, datetime

import msgspec
import pytest

from benchmarks.identity import provenance
from benchmarks.measure import latency
from benchmarks.measure.device import device
from benchmarks.plan.config import Budget, Config
from benchmarks.sweep.sweep import sweep
from benchmarks.verify import __main__ as verify
from benchmarks.verify.tolerances import checks
from leaderboard.record import canonical, files
from leaderboard.record.schema import Dense
from tasks import TASKS

GRID = Config(
    tasks=("tiny",),
    methods=("magnitude",),
    strengths={"magnitude": ((0.5,), (0.75,))},
    seeds=(0,),
    budget=Budget(dense=0.5, recovery=0.5),
)


@pytest.fixture
def here(tiny, monkeypatch):
    """The tiny task is known, the code is that of a commit, latency is timed briefly, JAX's cache stays where it is."""
    monkeypatch.setitem(TASKS, "tiny", tiny)
    monkeypatch.setattr(provenance, "_state", lambda: ("c" * 40, False))
    monkeypatch.setattr(verify, "set_up", lambda workdir: None)
    monkeypatch.setattr(latency, "TRIES", 1)


@pytest.fixture(scope="module")
def swept(tiny, tmp_path_factory):
    """What a record file of two strengths holds: half the task's budgets, 6 dense and 3 recovery steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(TASKS, "tiny", tiny)
        patch.setattr(latency, "TRIES", 1)
        (path,) = sweep(GRID, tmp_path_factory.mktemp("swept"), "test").records
    return path.read_bytes()


@pytest.fixture
def run(here, swept, tmp_path, capsys):
    """run(edit, *flags) -> (exit code, stdout, stderr, bytes before and after); the record's values edited first."""

    def call(edit, *flags):
        path = tmp_path / "record.json"
        values = json.loads(swept)
        edit(values)
        path.write_text(canonical.dumps(values) + "\n", "utf-8")
        before = path.read_bytes()
        code = verify.main([str(path), f"--workdir={tmp_path / 'work'}", *flags])
        return code, *capsys.readouterr(), before, path.read_bytes()

    return call


def nothing(values):
    pass


def result(values, point=0):
    return values["points"][point]["runs"][0]["result"]


@pytest.fixture
def remade(swept, monkeypatch):
    """The run made again is the recorded one: nothing runs."""
    monkeypatch.setattr(verify, "run_again", lambda *args: msgspec.json.decode(swept, type=files.Record))


def test_the_same_run_is_verified_once_and_again(run, tmp_path):
    code, out, _, before, after = run(nothing, "--seed=0", "--strength=0.75")
    recorded = result(json.loads(before), point=1)
    q, n = recorded["quality"], 11
    assert code == 0
    assert [line.split()[:2] for line in out.replace("dense net", "dense").splitlines()[:-1]] == [
        [name, "ok"] for name in ("dense", "quality", "bytes", "MACs", "artifact")
    ]
    assert "bit for bit the same" in out
    assert out.splitlines()[-1] == f"verified on {device()}: {tmp_path / 'record.json'}"
    values = json.loads(before)
    values["verified"] = [
        {
            "seed": 0,
            "strength": [0.75],
            "quality": q,
            "tolerance": float(f"{2 * max(math.sqrt(q * (1 - q) / n), 1 / n):.6g}"),
            "device": device(),
            "commit": "c" * 40,
            "date": datetime.now(UTC).date().isoformat(),
        }
    ]
    assert json.loads(after) == values
    files.read(tmp_path / "record.json")
    check_again(after, tmp_path)


def check_again(first, tmp_path):
    """The run, not the dense net, is really made again, and the record's bytes stay."""
    (run_file,) = (tmp_path / "work").rglob("run.json")
    run_file.write_text("not what was measured")
    path = tmp_path / "record.json"
    assert verify.main([str(path), f"--workdir={tmp_path / 'work'}", "--strength=0.75"]) == 0
    assert path.read_bytes() == first
    assert json.loads(run_file.read_text())["run"]["seed"] == 0


def other_quality(values):
    """All wrong, or all right, whichever is farther."""
    one = result(values)
    one["quality"] = 0.0 if one["quality"] > 0.5 else 1.0
    one["outcomes"] = f"{one['quality']:.0f}" * 11


def smaller(values):
    result(values)["bytes"] -= 1


def fewer_macs(values):
    result(values)["macs"] -= 1


def better_dense(values):
    values["dense"][0]["quality"] += 0.001


@pytest.mark.parametrize(
    ("edit", "differs"),
    [(other_quality, "quality"), (smaller, "bytes"), (fewer_macs, "MACs"), (better_dense, "dense net")],
)
def test_a_record_that_says_otherwise_is_not_verified(run, remade, tmp_path, edit, differs):
    code, out, _, before, after = run(edit)
    assert code == 1
    assert [line for line in out.splitlines() if "DIFFERS" in line and line.startswith(differs)]
    assert out.count("DIFFERS") == 1
    assert out.endswith(f"not verified, the record is left as it is: {tmp_path / 'record.json'}\n")
    assert before == after


def test_a_run_that_fails_is_not_verified(run, swept, monkeypatch):
    failed = msgspec.json.decode(swept)
    failed["points"][0]["runs"][0].update(result=None, failure="loss is nan at step 2")
    monkeypatch.setattr(verify, "run_again", lambda *args: msgspec.convert(failed, files.Record))
    code, out, _, before, after = run(nothing)
    assert (code, out.splitlines()[0]) == (1, "run       DIFFERS  loss is nan at step 2")
    assert before == after


def config(**changes):
    """Of a record that agrees with itself: the digest, and what else says the same, change with the config."""

    def edit(values):
        values["config"].update(changes)
        values["task"]["version"] = values["config"]["task_version"]
        values["task"]["name"], values["method"]["name"] = (values["config"][name] for name in ("task", "method"))
        values["method"]["digest"] = canonical.digest(values["config"])

    return edit


def fingerprint(values):
    values["task"]["fingerprint"] = "beef"


def dense(**changes):
    return lambda values: config(dense=values["config"]["dense"] | changes)(values)


def failed(values):
    values["points"][0]["runs"][0].update(result=None, failure="diverged")


@pytest.mark.parametrize(
    ("edit", "flags", "said"),
    [
        (nothing, ["--seed=7"], "--seed: strength 0.5 has no finished run of seed 7; it has 0"),
        (failed, [], "--seed: strength 0.5 has no finished run of seed 0; it has none"),
        (nothing, ["--strength=0.50"], "--strength: the record has no '0.50'; it has 0.5, 0.75"),
        (nothing, ["--seed=x"], "seed=x"),
        (nothing, ["more"], "'more' is not a flag"),
        (fingerprint, [], "the record is of data beef, here they are "),
        (config(task="digits", task_version=2), [], "; they differ in dense, eval_batch, net, training"),
        (config(task="toy"), [], "unknown name 'toy'"),
        (config(method="new"), [], "unknown name 'new'"),
        (config(options={"a": 1}), [], "options.magnitude.a: unknown"),
        (config(options=3), [], "Expected `object`, got `int` - at `$.options`"),
        (config(extra=1), [], "; they differ in extra"),
        (config(task_version=2), [], "; they differ in task_version"),
        (lambda values: values["method"].update(digest="00"), [], "the digest of `$.config` is "),
        (lambda values: values.update(division="closed"), [], "must be 'open' by the shares of `$.config.budget`"),
        (dense(steps=24), [], "; they differ in dense"),
        (dense(learning_rate=1), [], "; they differ in dense"),
        (lambda values: values.update(schema=1), [], "schema is 1, this code reads 4"),
    ],
)
def test_what_cannot_be_made_again_is_one_line_and_exit_2(run, tmp_path, edit, flags, said):
    code, out, err, before, after = run(edit, *flags)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert said in err
    assert err.count("\n") == 1
    assert before == after
    assert not (tmp_path / "work").exists()


def test_a_record_must_be_named(here, capsys):
    assert verify.main([]) == 2
    assert capsys.readouterr().err == "error: RECORD: must be given; see --help\n"


def test_uncommitted_code_verifies_nothing(run, monkeypatch):
    monkeypatch.setattr(provenance, "_state", lambda: ("c" * 40, True))
    code, _, err, before, after = run(nothing)
    assert (code, before) == (2, after)
    assert "the code is not that of a commit" in err


def test_the_strength_of_a_chain_is_given_as_its_label(swept):
    values = json.loads(swept)
    values["method"].update(name="magnitude_rtn", digest="00")
    values["points"][1]["strength"] = [0.75, 4.0]
    chain = msgspec.convert(values, files.Record, strict=False)
    point, run = verify.find(chain, "0.75+4", 0)
    assert (point.strength, run) == ([0.75, 4.0], chain.points[1].runs[0])


def net(checkpoint, quality, bytes):
    facts = {"seed": 0, "identity": None, "provenance": "00"}
    return Dense(checkpoint=checkpoint, quality=quality, bytes=bytes, **facts)


@pytest.mark.parametrize(
    ("artifact", "size", "dense", "passed"),
    [
        ("a", 1000, net(checkpoint="c", quality=0.9, bytes=9), [True, True, True, True, True]),
        ("a", 1001, net(checkpoint="c", quality=0.9, bytes=9), [True, True, False, True, True]),
        ("b", 1050, net(checkpoint="d", quality=0.88, bytes=9), [True, True, True, True, True]),
        ("b", 1051, net(checkpoint="d", quality=0.86, bytes=9), [False, True, False, True, True]),
        ("b", 949, net(checkpoint="c", quality=0.88, bytes=9), [False, True, False, True, True]),
    ],
)
def test_bytes_may_differ_where_the_artifact_does(swept, artifact, size, dense, passed):
    """Of 1000 recorded bytes and a dense net of 0.9, within 0.03."""
    one = msgspec.json.decode(swept, type=files.Record).points[0].runs[0].result
    first = msgspec.structs.replace(one, artifact="a", bytes=1000)
    again = msgspec.structs.replace(one, artifact=artifact, bytes=size)
    made = checks(0.03, (net(checkpoint="c", quality=0.9, bytes=9), first), (dense, again))
    assert [check.passed for check in made] == passed
