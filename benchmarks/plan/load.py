"""Configs from files, and fields changed from the command line."""

import ast
import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.plan import outside
from benchmarks.plan.config import Config
from leaderboard.command import UsageError

CONFIGS = Path(__file__).parents[2] / "configs"


def load(path: str) -> Config:
    """Returns the config of `path[:arg]`: a Python file whose `get_config(arg)` makes it. Raises UsageError."""
    file, arg = (path, "") if Path(path).is_file() else path.rpartition(":")[::2]
    file, arg = (file, arg) if file else (arg, "")
    if not Path(file).is_file() and (CONFIGS.parent / file).is_file():
        file = str(CONFIGS.parent / file)
    if not Path(file).is_file():
        known = ", ".join(sorted(f"configs/{found.name}" for found in CONFIGS.glob("[!_]*.py")))
        raise UsageError(f"--config: no file {file}; there are {known}")
    module = outside.load(file, "--config")
    try:
        config = module.get_config(arg) if arg else module.get_config()
    except (Exception, SystemExit) as error:
        raise UsageError(f"--config={path}: {type(error).__name__}: {error}") from None
    if not isinstance(config, Config):
        raise UsageError(f"--config={path}: get_config returned {type(config).__name__}; it must return a Config")
    return config


def with_value(config: Config, assignment: str) -> Config:
    """Returns `config` with `path.to.field=value` from --set; the value is a Python literal or plain text.

    Raises:
      UsageError: no such field, or a value of the wrong type.
    """
    path, equals, text = assignment.partition("=")
    where = f"--set={path}"
    if not equals:
        raise UsageError(f"--set={assignment}: must be path.to.field=value")
    try:
        tree = _set(msgspec.to_builtins(config), path.split("."), _literal(text), where)
        return msgspec.convert(tree, Config)
    except (msgspec.ValidationError, TypeError) as error:
        raise UsageError(f"{where}: {text!r}: {str(error).partition(' - at ')[0]}") from None


def _set(node: Any, path: list[str], value: Any, where: str) -> Any:
    head, *rest = path
    if not isinstance(node, Mapping):
        raise UsageError(f"{where}: {head!r} is below a field that has no fields")
    if head not in node and where.split("=")[1].split(".")[0] not in ("strengths", "options"):
        raise UsageError(f"{where}: unknown field {head!r}; known are {', '.join(node)}")
    if not rest and isinstance(node.get(head), list | tuple) and not isinstance(value, list | tuple):
        value = [value]
    return {**node, head: _set(node.get(head, {}), rest, value, where) if rest else value}


def _literal(text: str) -> Any:
    with contextlib.suppress(ValueError, SyntaxError):
        return ast.literal_eval(text)
    return text
