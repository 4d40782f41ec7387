"""What a run is asked to do. Configs are frozen structs, made by plain Python files and checked by their types."""

import inspect
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from benchmarks.plan import outside
from leaderboard.command import UsageError
from methods import METHODS
from methods.base import Description
from tasks import TASKS

Strength = tuple[float, ...]
Share = Annotated[float, Meta(gt=0, le=1)]
Seed = Annotated[int, Meta(ge=0, lt=2**31)]  # above that, JAX's keys repeat


class _Struct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Loop(_Struct, frozen=True):
    """How a training loop reports and keeps its state; nothing here changes a result."""

    log_every: Annotated[int, Meta(ge=1)] = 50  # steps between reports, the most that a compiled chunk holds
    checkpoint_s: Annotated[float, Meta(ge=0)] = 300.0  # seconds between checkpoints
    keep: Annotated[int, Meta(ge=1)] = 2  # checkpoints of an unfinished run


class Budget(_Struct, frozen=True):
    """Shares of the task's steps, batches and examples. Where one is below 1, the division is open."""

    dense: Share = 1.0
    recovery: Share = 1.0
    batch: Share = 1.0  # of the examples in a batch, in training and in evaluation
    examples: Share = 1.0  # of train, valid and test


class Config(_Struct, frozen=True):
    """A grid of curves: every method on every task at every strength and seed."""

    tasks: tuple[str, ...]
    methods: tuple[str, ...]
    strengths: Mapping[str, tuple[Strength, ...]] = {}  # by method; else the task's, else the method's own sweep
    options: Mapping[str, Mapping[str, Any]] = {}  # by method; keyword arguments
    seeds: tuple[Seed, ...] = ()  # without one, as many as each task asks for, from 0 on
    tuning: bool = True  # whether methods try the settings that they declare; else they take their defaults
    budget: Budget = Budget()
    loop: Loop = Loop()
    files: tuple[str, ...] = ()  # Python files outside the suite that define tasks and methods


def check(config: Config) -> Config:
    """Returns the config, its values converted to the types of its fields.

    Raises:
      UsageError: a name is unknown or given twice, a value is of the wrong type or out of its bounds.
    """
    for name, values in _mapping("strengths", config.strengths).items():
        _convert(
            f"strengths.{name}", values, tuple[Strength, ...], "must be strengths, each with its numbers: ((8,), (4,))"
        )
    for name, values in _mapping("options", config.options).items():
        _convert(f"options.{name}", values, dict[str, Any], "must be keyword arguments: {'temperature': 2.0}")
    config = _convert("", config, Config)
    for file in config.files:
        outside.add(file)
    _check_names("--task", config.tasks, TASKS)
    _check_names("--method", config.methods, METHODS)
    _check_names("strengths", config.strengths, METHODS)
    _check_names("options", config.options, METHODS)
    for field in ("tasks", "methods", *(("seeds",) if config.seeds else ())):
        _check_distinct(field, getattr(config, field))
    for name, values in config.strengths.items():
        _check_distinct(f"strengths.{name}", values)
        for value in values:
            check_strength(name, METHODS[name].about, value)
    for name in config.options:
        options(config, name)
    return config


def _mapping(field: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UsageError(f"{field}: {value!r} must be a mapping by method")
    return value


def _convert(field: str, value: Any, kind: Any, wanted: str = "") -> Any:
    """Returns `value` as a `kind`. Raises UsageError, which says what is `wanted`, else what is wrong."""
    try:
        return msgspec.convert(msgspec.to_builtins(value), kind)
    except (msgspec.ValidationError, TypeError) as error:
        said = f"{value!r} {wanted}" if wanted else _plain(error)
        raise UsageError(f"{field}: {said}" if field else said) from None


def _plain(error: Exception) -> str:
    """The message with its field first: "loop.log_every: Expected `int`, got `str`"."""
    what, at, field = str(error).partition(" - at `$.")
    return f"{field.rstrip('`')}: {what}" if at else what


def _check_names(where: str, names: Iterable[str], table: Mapping[str, Any]) -> None:
    for name in names:
        if name not in table:
            raise UsageError(f"{where}: unknown name {name!r}; known are {', '.join(table)}")


def _check_distinct(field: str, values: tuple) -> None:
    if not values or len(set(values)) < len(values):
        raise UsageError(f"{field}: {values} must name at least one, and none twice")


def check_strength(name: str, about: Description, strength: Strength) -> None:
    """Raises UsageError unless a strength has one number for each knob of the method, within its bounds.

    Args:
      name: of the method.
      about: the method.
      strength: its numbers.
    """
    knobs = ", ".join(knob.name for knob in about.knobs) or "none"
    if len(strength) != len(about.knobs):
        raise UsageError(f"strengths of {name}: {strength} must have {len(about.knobs)} number(s): {knobs}")
    for value, knob in zip(strength, about.knobs, strict=True):
        if not knob.low <= value <= knob.high:
            raise UsageError(f"strengths of {name}: {value:g} must be from {knob.low:g} to {knob.high:g}: {knob.name}")
        if knob.whole and value != round(value):
            raise UsageError(f"strengths of {name}: {value:g} must be a whole number: {knob.name}")


def strengths(config: Config, task: str, method: str) -> tuple[Strength, ...]:
    """Returns the strengths that a curve is asked for: the config's, else its sweep; a control's are those it copies.

    Those of a nested method are in the order of its sweep, mildest first, in whichever a config names them.

    Args:
      config: the grid.
      task: name.
      method: name.
    """
    about = METHODS[method].about
    asked = config.strengths.get(method) or config.strengths.get(about.copies or "") or sweep(task, method)
    return tuple(sorted(asked, reverse=about.sweep[0] > about.sweep[-1])) if about.nested else asked


def sweep(task: str, method: str) -> tuple[Strength, ...]:
    """Returns the strengths of a method on a task, whatever a config asks for: the task's, else the method's own."""
    about = METHODS[method].about
    return TASKS[task].sweeps.get(method) or (sweep(task, about.copies) if about.copies else about.sweep)


def seeds(config: Config, task: str) -> tuple[int, ...]:
    """Returns the seeds that a task is run with: the config's, else as many as the task asks for."""
    return config.seeds or tuple(range(TASKS[task].seeds))


def trials(config: Config, method: str) -> tuple[dict[str, float], ...]:
    """Returns the settings that are tried for a method, the default first; none where there is nothing to choose.

    An option that the config gives is no longer a setting.
    """
    given = config.options.get(method, {})
    left = [{name: value for name, value in one if name not in given} for one in METHODS[method].about.trials]
    distinct = tuple(one for i, one in enumerate(left) if one not in left[:i])
    return distinct if config.tuning and len(distinct) > 1 else ()


def options(config: Config, method: str) -> dict[str, Any]:
    """Returns all keyword arguments of a method, the config's and its defaults. Raises UsageError."""
    parameters = inspect.signature(METHODS[method].make).parameters
    values = {name: parameter.default for name, parameter in parameters.items()}
    for name, value in config.options.get(method, {}).items():
        where = f"options.{method}.{name}"
        if name not in values:
            raise UsageError(f"{where}: unknown; {method} takes {', '.join(values) or 'no options'}")
        kind = type(values[name])
        values[name] = _convert(where, value, kind, f"must be of type {kind.__name__}")
        if isinstance(value, float) and not abs(value) < 1e100:
            raise UsageError(f"{where}: {value!r} is not a finite number")
    return values
