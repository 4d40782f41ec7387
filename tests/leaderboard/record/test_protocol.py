"""What protocol 2 brought contradicts nothing, and a record of it says all of it."""

import json

import msgspec
import pytest

from leaderboard.record import files
from leaderboard.record.canonical import digest
from leaderboard.record.files import RecordError

RESULT = ("points", 0, "runs", 0, "result")
TUNING = {
    "seed": 0,
    "strength": [4],
    "settings": {"rate": 0.3},
    "trials": [
        {"settings": {"rate": 1}, "loss": 0.75},
        {"settings": {"rate": 0.3}, "loss": 0.5},
        {"settings": {"rate": 9}, "loss": None},
    ],
    "seconds": 3.0,
    "steps": 600,
    "labelled_examples": 4800,
}
KNOWN = (
    ("task", "margin"),
    *((*RESULT, name) for name in ("payload", "weight_bits", "memory_bytes")),
    (*RESULT, "cost", "calibration_drawn"),
    *((*RESULT, "latency", batch, name) for batch in ("one", "batch") for name in ("speedup", "rounds")),
)
"""What every record of protocol 2 knows."""


@pytest.fixture
def read(toy, tmp_path):
    """read({path of keys: value}) -> the record with these changes, as it is read."""

    def changed(changes):
        values = msgspec.to_builtins(toy({4: {0: (0.8, 5000), 1: (0.9, 5100)}}))
        for (*heads, last), value in changes.items():
            node = values
            for head in heads:
                node = node[head]
            node[last] = value
        values["method"]["digest"] = digest(values["config"])
        path = tmp_path / "record.json"
        path.write_text(json.dumps(values))
        return files.read(path)

    return changed


def spelled(path):
    return "$" + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        (("task", "window"), [900, 900], "900 is not below 900"),
        (("task", "window"), [900], "Expected `array` of length"),
        (("task", "clusters"), [0] * 9, "9 clusters for 10 test examples"),
        ((*RESULT, "payload"), 5001, "is 5001, but the file has 5000 bytes"),
        (
            (*RESULT, "latency", "one", "speedup"),
            {"median": 1.0, "low": 1.5, "high": 2.0},
            "low, median and high are 1.5, 1, 2; they must rise",
        ),
        ((*RESULT, "compiled_memory_bytes"), 4096, "must be null: a simulated run says nothing of it"),
        *((path, None, "is null, but a record of protocol 2 knows it") for path in KNOWN),
    ],
)
def test_a_field_that_cannot_be_is_named(read, path, value, what):
    with pytest.raises(RecordError) as caught:
        read({path: value})
    assert what in str(caught.value)
    assert f"- at `{spelled(path)}`" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"settings": {"rate": 3}}, "must be the settings of one of the trials - at `$.tuning.settings`"),
        ({"settings": {"rate": 1}}, "have loss 0.75, but a trial has 0.5 - at `$.tuning.settings`"),
        ({"settings": {"rate": 9}}, "have loss inf, but a trial has 0.5 - at `$.tuning.settings`"),
        ({"trials": []}, "length >= 1 - at `$.tuning.trials`"),
    ],
)
def test_the_chosen_settings_are_those_of_the_least_loss(read, changes, what):
    assert read({("tuning",): TUNING}).tuning.settings == {"rate": 0.3}
    with pytest.raises(RecordError) as caught:
        read({("tuning",): TUNING | changes})
    assert what in str(caught.value)


@pytest.mark.parametrize(("budget", "reference"), [("none", "dense"), ("recovery", "finetuned"), ("full", "finetuned")])
def test_the_reference_has_equal_training(read, budget, reference):
    assert read({("method", "budget"): budget, ("method", "reference"): reference})
    for other in {"dense", "finetuned", "rtn"} - {reference}:
        with pytest.raises(RecordError) as caught:
            read({("method", "budget"): budget, ("method", "reference"): other})
        assert f"must be {reference!r} by `$.method.budget` - at `$.method.reference`" in str(caught.value)


def test_finetuned_itself_is_held_against_dense(read):
    facts = {("method", "name"): "finetuned", ("method", "budget"): "recovery", ("config", "method"): "finetuned"}
    assert read(facts | {("method", "reference"): "dense"})
    with pytest.raises(RecordError, match="must be 'dense' by"):
        read(facts | {("method", "reference"): "finetuned"})


def test_protocol_1_does_not_know_what_came_later(read):
    old = read({("protocol",): 1, ("method", "budget"): "full"} | dict.fromkeys(KNOWN))
    assert (old.task.margin, old.points[0].runs[0].result.payload, old.method.reference) == (None, None, "dense")


def test_memory_of_the_compiled_program_is_that_of_what_is_deployed(read):
    deployed = read({(*RESULT, "execution"): "deployed", (*RESULT, "compiled_memory_bytes"): 4096})
    assert deployed.points[0].runs[0].result.compiled_memory_bytes == 4096
