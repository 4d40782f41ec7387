"""Contradictions inside a record: what types and ranges cannot say."""

import json
import math
from collections import Counter

TOLERANCE = 1e-5
"""Relative; outcomes that are not right or wrong are stored with six significant digits."""
GREATEST_INT = 2**53 - 1
"""The largest integer up to which every reader of JSON, a browser too, holds all of them (RFC 8259 §6)."""
GREATEST_FLOAT = 1e100
"""float32, in which nets compute, ends at 3.4e38; and squares and ratios of what is smaller are finite."""
MOST_CONFIG, DEEPEST = 20_000, 8
"""Characters of `config` as JSON, and how deep its lists and objects may nest: pages show all of it."""


def problems(record):
    """Yields (what is wrong, field) of each contradiction in a `Record`."""
    yield from _config(record.config)
    if "test" not in record.task.rows:
        yield "the number of test examples is missing", "$.task.rows"
        return
    yield from _repeated("seed", [dense.seed for dense in record.dense], "$.dense")
    strengths = [_parts(point.strength) for point in record.points]
    yield from _repeated("strength", strengths, "$.points")
    if len({len(parts) for parts in strengths}) > 1:
        yield "strengths differ in their number of parts", "$.points"
    checkpoints = {dense.seed: dense.checkpoint for dense in record.dense}
    for i, point in enumerate(record.points):
        yield from _repeated("seed", [run.seed for run in point.runs], f"$.points[{i}].runs")
        for j, run in enumerate(point.runs):
            yield from _run(record.task, checkpoints, run, f"$.points[{i}].runs[{j}]")
    yield from _verified(record)


def _config(config):
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


def _parts(strength):
    return tuple(strength)


def _repeated(name, values, field):
    for value, count in Counter(values).items():
        if count > 1:
            text = "+".join(f"{part:g}" for part in value) if isinstance(value, tuple) else value
            yield f"{name} {text} occurs {count} times", field


def _run(task, checkpoints, run, field):
    if run.seed not in checkpoints:
        yield f"seed {run.seed} has no dense net in `$.dense`", f"{field}.seed"
    elif run.dense != checkpoints[run.seed]:
        wanted = checkpoints[run.seed]
        yield f"started from {run.dense}, but the dense net of seed {run.seed} is {wanted}", f"{field}.dense"
    if sum(x is not None for x in (run.result, run.failure, run.skipped)) != 1:
        yield "a run has either a result or a failure, the other is null", field
    if run.result is not None:
        yield from _outcomes(task, run.result, f"{field}.result")
        yield from _latency(task, run.result, f"{field}.result")


def _verified(record):
    runs = {(_parts(point.strength), run.seed): run.result for point in record.points for run in point.runs}
    for i, found in enumerate(record.verified):
        result = runs.get((_parts(found.strength), found.seed))
        if result is None:
            yield "there is no finished run of this strength and seed", f"$.verified[{i}]"
        elif abs(found.quality - result.quality) > found.tolerance:
            yield (
                f"quality {found.quality:g} is not within {found.tolerance:g} of {result.quality:g}",
                f"$.verified[{i}]",
            )


def _outcomes(task, result, field):
    """A string is counted, not taken apart: there may be 10,000 examples in each of very many runs."""
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


def _latency(task, result, field):
    batches = [result.latency.one.batch, result.latency.batch.batch]
    if batches != [1, task.eval_batch]:
        yield f"latency is of batches {batches}, it must be of {[1, task.eval_batch]}", f"{field}.latency"
