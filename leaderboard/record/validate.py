"""Contradictions inside a record: what types and ranges cannot say."""

import json
import math
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from leaderboard.record import plausible, protocol
from leaderboard.record.canonical import digest
from leaderboard.record.layout import strength_text
from leaderboard.record.schema import GREATEST_FLOAT, GREATEST_INT, Name, Record, Size

TOLERANCE = 1e-5
"""Relative; outcomes that are not right or wrong are stored with six significant digits."""
MOST_CONFIG, DEEPEST = 20_000, 8
"""Characters of `config` as JSON, and how deep its lists and objects may nest: pages show all of it."""
Positive = Annotated[float, Meta(gt=0, le=GREATEST_FLOAT)]


class _Net(msgspec.Struct, forbid_unknown_fields=True):
    name: Name
    fields: dict[str, Any]


class _Budget(msgspec.Struct, forbid_unknown_fields=True):
    """Shares of what the task asks for; the closed division has 1.0 of each."""

    dense: Positive
    recovery: Positive
    batch: Positive
    examples: Positive


class _Config(msgspec.Struct):
    """What the `config` of every record holds; the rest of it is the method's and the task's."""

    task: Name
    task_version: Size
    method: Name
    net: _Net
    eval_batch: Size
    budget: _Budget
    trajectory: list | None = None  # of a curve whose strengths go on from each other, with a whole training for each


def problems(record: Record) -> Iterator[tuple[str, str]]:
    """Yields (what is wrong, field) for each contradiction in a record."""
    yield from _size(record.config)
    yield from _config(record)
    if "test" not in record.task.rows:
        yield "the number of test examples is missing", "$.task.rows"
        return
    yield from _provenance(record)
    yield from _repeated("seed", [dense.seed for dense in record.dense], "$.dense")
    yield from _strengths(record)
    nets = {dense.seed: dense for dense in record.dense}
    for i, point in enumerate(record.points):
        yield from _repeated("seed", [run.seed for run in point.runs], f"$.points[{i}].runs")
        for j, run in enumerate(point.runs):
            yield from _run(record, nets.get(run.seed), run, f"$.points[{i}].runs[{j}]")
    yield from protocol.problems(record)
    yield from plausible.problems(record)
    if digest(record.config) != record.method.digest:
        yield f"the digest of `$.config` is {digest(record.config)}", "$.method.digest"


def _size(config):
    level = [config]
    for _ in range(DEEPEST):
        values = [item for node in level for item in (node.values() if isinstance(node, dict) else node)]
        level = [value for value in values if isinstance(value, dict | list)]
        for value in values:
            greatest = GREATEST_INT if isinstance(value, int) else GREATEST_FLOAT
            if isinstance(value, int | float) and abs(value) > greatest:
                yield f"{value} is out of range", "$.config"
    if level:
        yield f"nested more than {DEEPEST} deep", "$.config"
    elif len(json.dumps(config)) > MOST_CONFIG:
        yield f"more than {MOST_CONFIG} characters", "$.config"


def _config(record):
    try:
        config = msgspec.convert(record.config, type=_Config)
    except msgspec.ValidationError as error:
        what, _, field = str(error).partition(" - at `$")
        yield what, "$.config" + field.rstrip("`")
        return
    if config.eval_batch != record.task.eval_batch:
        yield f"is {config.eval_batch}, but the task's is {record.task.eval_batch}", "$.config.eval_batch"
    said = {"task": record.task.name, "task_version": record.task.version, "method": record.method.name}
    for field, value in said.items():
        if getattr(config, field) != value:
            yield f"must be {value!r}", f"$.config.{field}"
    whole = set(msgspec.structs.astuple(config.budget)) == {1.0}
    wanted = "closed" if whole and config.trajectory is None else "open"
    if record.division != wanted:
        by = "`$.config.trajectory`" if whole and config.trajectory else "the shares of `$.config.budget`"
        yield f"must be {wanted!r} by {by}", "$.division"


def _provenance(record):
    for name, made in record.provenance.items():
        found = digest(msgspec.to_builtins(made))
        if name != found:
            yield f"the digest of this entry is {found}", f"$.provenance.{name}"
    named = {f"$.dense[{i}]": net.provenance for i, net in enumerate(record.dense)}
    for i, point in enumerate(record.points):
        named |= {f"$.points[{i}].runs[{j}]": run.provenance for j, run in enumerate(point.runs)}
    for field, name in named.items():
        if name not in record.provenance:
            yield f"there is no {name} in `$.provenance`", f"{field}.provenance"
    for name in sorted(record.provenance.keys() - set(named.values())):
        yield "no dense net and no run names it", f"$.provenance.{name}"


def _strengths(record):
    knobs = len(record.method.knobs)
    for i, point in enumerate(record.points):
        if len(point.strength) != knobs:
            yield f"{len(point.strength)} numbers for {knobs} knobs", f"$.points[{i}].strength"
    yield from _repeated("strength", [strength_text(point.strength) for point in record.points], "$.points")


def _repeated(name, values, field):
    for value, count in Counter(values).items():
        if count > 1:
            yield f"{name} {value} occurs {count} times", field


def _run(record, net, run, field):
    if net is None:
        yield f"seed {run.seed} has no dense net in `$.dense`", f"{field}.seed"
    elif run.dense != net.checkpoint:
        wanted = net.checkpoint
        yield f"started from {run.dense}, but the dense net of seed {run.seed} is {wanted}", f"{field}.dense"
    if [run.result, run.failure, run.skipped].count(None) != 2:
        yield "a run has a result, a failure or a reason why it was skipped; the other two are null", field
    elif run.result is not None:
        yield from _result(record.task, run.result, f"{field}.result")
        if record.method.name == "dense" and net is not None and run.result.quality != net.quality:
            yield f"is {run.result.quality!r}, but in `$.dense` it is {net.quality!r}", f"{field}.result.quality"


def _result(task, result, field):
    yield from _outcomes(task, result, field)
    for name, wanted in (("one", 1), ("batch", task.eval_batch)):
        batch = getattr(result.latency, name).batch
        if batch != wanted:
            yield f"is {batch}, it must be {wanted}", f"{field}.latency.{name}.batch"


def _outcomes(task, result, field):
    """Checks outcomes by counting characters: there may be 10,000 examples in each of very many runs."""
    outcomes, text = result.outcomes, isinstance(result.outcomes, str)
    right = outcomes.count("1") if text else 0
    if text != (task.outcome == "correct") or (text and right + outcomes.count("0") != len(outcomes)):
        wanted = "a string of 0 and 1" if task.outcome == "correct" else "a list of numbers"
        yield f"outcomes of kind {task.outcome!r} must be {wanted}", f"{field}.outcomes"
    elif len(outcomes) != task.rows["test"]:
        yield f"{len(outcomes)} outcomes for {task.rows['test']} test examples", f"{field}.outcomes"
    else:
        total, size = (right, right) if text else (math.fsum(outcomes), math.fsum(map(abs, outcomes)))
        yield from _mean(total / len(outcomes), TOLERANCE * size / len(outcomes), result.quality, field)


def _mean(mean, allowed, quality, field):
    if abs(mean - quality) > allowed:
        yield f"quality is {quality:g}, but the mean of outcomes is {mean:g}", f"{field}.quality"
