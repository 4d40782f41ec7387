"""Tasks and methods that live outside the suite, in a Python file of the user's."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from leaderboard.command import UsageError
from methods import METHODS
from methods.base import Entry
from tasks import TASKS
from tasks.base import Task


def load(path: str, where: str) -> ModuleType:
    """Returns the module in a Python file.

    Args:
      path: of the file.
      where: the flag or field that named it.

    Raises:
      UsageError: there is no such file, it is not Python, or it fails.
    """
    name = f"outside_{Path(path).resolve()}"
    if not Path(path).is_file():
        raise UsageError(f"{where}: no file {path}")
    if Path(path).suffix != ".py":
        raise UsageError(f"{where}: {path} must be a Python file, named *.py")
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{where}: {path} cannot be loaded as Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up there
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise UsageError(f"{where}: {path}: {type(error).__name__}: {error}") from None
    return module


def add(path: str, where: str = "files") -> tuple[list[str], list[str]]:
    """Adds every `Task` and `Entry` of a file to `TASKS` and `METHODS`; an entry has its variable's name in lower case.

    Args:
      path: of the Python file.
      where: the flag or field that named it.

    Returns:
      Names of the tasks and of the methods in the file.

    Raises:
      UsageError: the file cannot be loaded, defines neither, or a name is another's.
    """
    known = Path(path).resolve()
    if known not in _ADDED:
        _ADDED[known] = _add(path, where)
    return _ADDED[known]


_ADDED: dict[Path, tuple[list[str], list[str]]] = {}


def _add(path: str, where: str) -> tuple[list[str], list[str]]:
    values = vars(load(path, where))
    tasks = {value.name: value for value in values.values() if isinstance(value, Task) and _own(value, TASKS)}
    methods = {
        name.lower(): value for name, value in values.items() if isinstance(value, Entry) and _own(value, METHODS)
    }
    if not tasks and not methods:
        raise UsageError(f"{where}: {path} defines neither a Task nor an Entry")
    for name in (*(tasks.keys() & TASKS.keys()), *(methods.keys() & METHODS.keys())):
        raise UsageError(f"{where}: {path} defines {name!r}, a name that the suite or another file has")
    TASKS.update(tasks)
    METHODS.update(methods)
    return list(tasks), list(methods)


def _own(value, table) -> bool:
    """Whether a file defines a value rather than imports a row of the suite."""
    return not any(value is row for row in table.values())
