"""What a run is asked to do, and how flags change it. Configs are frozen dataclasses made by plain Python files."""

import ast
import dataclasses
import importlib.util
import inspect
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from methods import METHODS
from methods.base import Method
from tasks import TASKS
from tasks.base import Recipe, Task
from tasks.nets.spec import net_to_json


class UsageError(ValueError):
    """The user's mistake: one line that names the flag, file or field, and what would be right."""


@dataclasses.dataclass(frozen=True)
class Loop:
    log_every: int = 50  # steps between reports; also the length of a compiled chunk
    checkpoint_every: int = 500  # steps
    keep: int = 2  # checkpoints of an unfinished run


@dataclasses.dataclass(frozen=True)
class Budget:
    """Shares of the task's steps, batches and examples. Where one is below 1, the division is open."""

    dense: float = 1.0
    recovery: float = 1.0
    batch: float = 1.0  # of the examples in a batch, in training and in evaluation
    examples: float = 1.0  # of train, valid and test


@dataclasses.dataclass(frozen=True)
class Config:
    """A grid of curves. Every method runs on every task at every strength and seed."""

    tasks: tuple[str, ...]
    methods: tuple[str, ...]
    strengths: Mapping[str, tuple] = dataclasses.field(default_factory=dict)  # by method; else its own sweep
    options: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)  # by method; keyword arguments
    seeds: tuple[int, ...] = (0, 1, 2)
    budget: Budget = Budget()
    loop: Loop = Loop()


def load(path: str) -> Config:
    """The config of `path[:arg]`: a Python file whose `get_config(arg)` returns a Config. Raises UsageError."""
    name, _, arg = str(path).partition(":")
    if not Path(name).is_file():
        raise UsageError(f"--config: no file {name}; there are {sorted(map(str, Path('configs').glob('[!_]*.py')))}")
    spec = importlib.util.spec_from_file_location(Path(name).stem, name)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        config = module.get_config(arg) if arg else module.get_config()
    except Exception as error:
        raise UsageError(f"--config={path}: {type(error).__name__}: {error}") from None
    if not isinstance(config, Config):
        raise UsageError(f"--config={path}: get_config returned {type(config).__name__}; it must return a Config")
    return check(config)


def check(config: Config) -> Config:
    """The config if its names, types and options are known and right. Raises UsageError."""
    _known("--task", config.tasks, TASKS)
    _known("--method", config.methods, METHODS)
    _known("strengths", config.strengths, METHODS)
    _known("options", config.options, METHODS)
    for field in ("tasks", "methods", "seeds"):
        values = getattr(config, field)
        if not values or len(set(values)) < len(values):
            raise UsageError(f"{field}: {values} must name at least one, and none twice")
    if any(not isinstance(seed, int) or seed < 0 for seed in config.seeds):
        raise UsageError(f"seeds: {config.seeds} must be integers, 0 or more")
    for field, share in dataclasses.asdict(config.budget).items():
        if not 0 < share <= 1:
            raise UsageError(f"budget.{field}: {share} must be above 0 and at most 1")
    for field in dataclasses.fields(Loop):
        if getattr(config.loop, field.name) < 1:
            raise UsageError(f"loop.{field.name}: {getattr(config.loop, field.name)} must be at least 1")
    for name in config.methods:
        for task in config.tasks:
            _check_strengths(name, method(config, name), strengths(config, task, name))
    return config


def _known(where, names, table):
    for name in names:
        if name not in table:
            raise UsageError(f"{where}: unknown name {name!r}; known are {', '.join(table)}")


def _check_strengths(name, made, values):
    bounds = made.bounds if isinstance(made.bounds[0], tuple) else (made.bounds,)
    for value in values:
        given = value if isinstance(value, tuple) else (value,)
        if len(given) != len(bounds) or any(isinstance(v, bool) or not isinstance(v, int | float) for v in given):
            raise UsageError(f"strengths of {name}: {value!r} must be {len(bounds)} number(s): {made.knob}")
        for part, (least, greatest) in zip(given, bounds, strict=True):
            if not least <= part <= greatest:
                raise UsageError(f"strengths of {name}: {part:g} must be from {least:g} to {greatest:g}: {made.knob}")


def options(config: Config, name: str) -> dict[str, Any]:
    """The method's keyword arguments, all of them, checked against its signature. Raises UsageError."""
    parameters = inspect.signature(METHODS[name]).parameters
    values = {key: p.default for key, p in parameters.items()}
    for key, value in config.options.get(name, {}).items():
        if key not in values:
            raise UsageError(f"options.{name}.{key}: unknown; {name} takes {', '.join(values) or 'no options'}")
        values[key] = _typed(f"options.{name}.{key}", value, type(parameters[key].default))
    return values


def method(config: Config, name: str) -> Method:
    return METHODS[name](**options(config, name))


def strengths(config: Config, task: str, name: str) -> tuple:
    """Returns the config's strengths of a method, else the task's for it, else the method's own."""
    values = config.strengths.get(name) or TASKS[task].sweeps.get(name) or method(config, name).strengths
    # until strengths are tuples everywhere
    return tuple(value[0] if isinstance(value, tuple) and len(value) == 1 else value for value in values)


def task_of(config: Config, name: str) -> Task:
    """The task under the config's budget."""
    task, budget = TASKS[name], config.budget
    return dataclasses.replace(
        task,
        dense=scaled(task.dense, budget.dense, budget.batch),
        recovery=scaled(task.recovery, budget.recovery, budget.batch),
        eval_batch=_share(task.eval_batch, budget.batch),
    )


def scaled(recipe: Recipe, share: float, batch: float = 1.0) -> Recipe:
    """`recipe` with a share of its steps, and of its batch."""
    return dataclasses.replace(
        recipe,
        steps=_share(recipe.steps, share),
        warmup=round(recipe.warmup * share),
        batch_size=_share(recipe.batch_size, batch),
    )


def _share(count, share):
    return max(1, round(count * share))


def resolved(config: Config, task_name: str, name: str) -> dict[str, Any]:
    """Everything that can change the curve's numbers, as plain JSON values."""
    task, made = task_of(config, task_name), method(config, name)
    recovery = task.recovery if made.recovers else None
    teacher = {"teacher": net_to_json(task.teacher)} if made.taught and task.teacher else {}
    return teacher | {
        "task": task_name,
        "task_version": task.version,
        "method": name,
        "options": options(config, name),
        "dense": dataclasses.asdict(task.dense),
        "recovery": recovery and dataclasses.asdict(recovery),
    }


def with_value(config: Config, assignment: str) -> Config:
    """`config` with `path.to.field=value` from --set; the value is a Python literal or a bare string."""
    path, equals, text = assignment.partition("=")
    if not equals:
        raise UsageError(f"--set={assignment}: must be path.to.field=value")
    return _set(config, path.split("."), _literal(text), f"--set={path}")


def _set(node, path, value, where):
    head, *rest = path
    if isinstance(node, Mapping):
        return {**node, head: _set(node.get(head, {}), rest, value, where) if rest else value}
    fields = typing.get_type_hints(type(node)) if dataclasses.is_dataclass(node) else {}
    if head not in fields:
        raise UsageError(f"{where}: unknown field {head!r}; known are {', '.join(fields) or 'none'}")
    if rest:
        return dataclasses.replace(node, **{head: _set(getattr(node, head), rest, value, where)})
    return dataclasses.replace(node, **{head: _typed(where, value, fields[head])})


def _literal(text):
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _typed(where, value, wanted):
    """`value` if it is of type `wanted`; an int passes for a float and one item for a tuple of it."""
    origin = typing.get_origin(wanted) or wanted
    if origin is tuple:
        items = value if isinstance(value, tuple | list) else (value,)
        return tuple(_typed(where, item, typing.get_args(wanted)[0]) for item in items)
    if origin is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if (
        not isinstance(origin, types.UnionType)
        and type(value) is not origin
        and not (origin is Mapping and isinstance(value, Mapping))
    ):
        raise UsageError(
            f"{where}: {value!r} is a {type(value).__name__}; it must be a {getattr(origin, '__name__', origin)}"
        )
    return value
