"""Bounds across fields: what no measurement says is refused in one line that names file and field."""

import math
from types import SimpleNamespace

import msgspec
import pytest

from leaderboard.record import files
from leaderboard.record.files import RecordError
from leaderboard.record.plausible import tolerance

RESULT = ("points", 0, "runs", 0, "result")
ONE = (*RESULT, "latency", "one")
FIELD = "$.points[0].runs[0].result"
STAMP = {"seed": 0, "strength": [4.0], "quality": 0.8, "device": "cpu", "commit": "0" * 40, "date": None}


def put(values, changes):
    for (*heads, last), value in changes.items():
        node = values
        for head in heads:
            node = node[head]
        node[last] = value


REFUSED = {
    "a control that is itself": (
        {("method", "control"): "rtn"},
        "a method is no control of itself",
        "$.method.control",
    ),
    "dense accuracy": ({("dense", 0, "quality"): 1.1}, "is 1.1; a mean of outcomes", "$.dense[0].quality"),
    "accuracy on valid": ({(*RESULT, "valid_quality"): 1.7}, "is within 0 and 1", f"{FIELD}.valid_quality"),
    "accuracy below 0": ({(*RESULT, "valid_quality"): -1e100}, "is within 0 and 1", f"{FIELD}.valid_quality"),
    "no weight": ({(*RESULT, "parameters"): 0}, "is 0; a net has some", f"{FIELD}.parameters"),
    "no MAC": ({(*RESULT, "macs"): 0, (*RESULT, "effective_macs"): 0}, "is 0; a net has some", f"{FIELD}.macs"),
    "more MACs by nonzero weights": (
        {(*RESULT, "effective_macs"): 1_234_002.5},
        "is 1.234e+06, more than 1.234e+06, `macs`",
        f"{FIELD}.effective_macs",
    ),
    "BOPs": ({(*RESULT, "bops"): 6e9}, "more than 5.05446e+09, 64 × 64 bits a MAC", f"{FIELD}.bops"),
    "bits of a weight": ({(*RESULT, "weight_bits"): 65.0}, "is 65, more than 64", f"{FIELD}.weight_bits"),
    "another net ships": ({(*RESULT, "output_error"): 1e-3}, "is 0.001, more than 0.0001", f"{FIELD}.output_error"),
    "a file of three bytes": (
        {(*RESULT, "bytes"): 3, (*RESULT, "payload"): 2},
        "is 3, less than 1 / 10000 of the dense net's 40000",
        f"{FIELD}.bytes",
    ),
    "median above p95": ({(*ONE, "p95_ms"): 0.4}, "is 0.5, more than 0.4, `p95_ms`", f"{FIELD}.latency.one.median_ms"),
    "speed-up": (
        {(*ONE, "speedup"): {"median": 2e3, "low": 2e3, "high": 2e3}},
        "2000 times as fast as dense is beyond 1000",
        f"{FIELD}.latency.one",
    ),
    "speed-up of other times": (
        {(*ONE, "dense_median_ms"): 1e99},
        "the median is 1.8, but that of dense over that of this is 2e+99",
        f"{FIELD}.latency.one.speedup",
    ),
    "verified as far as one likes": (
        {("verified",): [STAMP | {"tolerance": 1e100}]},
        "is 1e+100, more than 0.252982, that of its outcomes",
        "$.verified[0].tolerance",
    ),
    "verified on no day": (
        {("verified",): [STAMP | {"tolerance": 0.1, "date": "today"}]},
        "regex",
        "$.verified[0].date",
    ),
}


@pytest.mark.parametrize(("changes", "what", "field"), REFUSED.values(), ids=REFUSED)
def test_refused_in_one_line(toy, tmp_path, changes, what, field):
    one = toy({4: {0: (0.8, 5000)}})
    values = msgspec.to_builtins(one)
    put(values, changes)
    (tmp_path / "a.json").write_bytes(msgspec.json.encode(values))
    with pytest.raises(RecordError) as caught:
        files.read(tmp_path / "a.json")
    assert what in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / 'a.json'}: ")
    assert f"- at `{field}`" in str(caught.value)


def test_bounds_are_believed(toy, tmp_path):
    one = toy({4: {0: (0.8, 5000)}})
    values = msgspec.to_builtins(one)
    ends = {"valid_quality": 1.0, "effective_macs": 1_234_000.0, "output_error": 1e-4, "bytes": 4, "payload": 4}
    put(values, {(*RESULT, name): value for name, value in ends.items()})
    put(values, {(*ONE, "p95_ms"): 0.5, ("verified",): [STAMP | {"tolerance": 0.252982, "date": "2026-01-31"}]})
    (tmp_path / "a.json").write_bytes(msgspec.json.encode(values))
    assert files.read(tmp_path / "a.json").verified[0].date == "2026-01-31"


@pytest.mark.parametrize("valid", [3.5, -0.1])
def test_a_loss_may_be_above_1_and_below_0(toy, tmp_path, valid):
    """As that of a density is."""
    one = toy({4: {0: toy.result(2.0, 5000, "loss", valid_quality=valid)}}, task=toy.loss, dense={0: 1.9})
    files.write(tmp_path / "a.json", one)


def test_edits_are_not_below_0(toy, tmp_path):
    task = toy.loss | {"outcome": "edits"}
    one = toy({4: {0: toy.result(2.0, 5000, "loss", valid_quality=-0.1)}}, task=task, dense={0: 1.9})
    with pytest.raises(RecordError, match=r"is -0\.1; a mean of outcomes of kind 'edits' is 0 or more"):
        files.write(tmp_path / "a.json", one)


@pytest.mark.parametrize(
    ("outcome", "quality", "outcomes", "expected"),
    [
        ("correct", 0.8, "1111111100", 0.252982),  # 2 √(0.8 · 0.2 / 10)
        ("correct", 1.0, "1" * 10, 0.2),  # 2 of 10 examples
        ("edits", 0.25, [0.0, 0.0, 0.0, 1.0] * 4, 0.216506),  # 2 √(3/16 / 16)
        ("loss", 2.5, [2.0, 3.0], 0.05),  # 2 %
    ],
)
def test_tolerance_by_hand(outcome, quality, outcomes, expected):
    task, result = SimpleNamespace(outcome=outcome), SimpleNamespace(quality=quality, outcomes=outcomes)
    assert math.isclose(tolerance(task, result), expected)
