"""A task and its methods, tried on one batch before anything is trained: what is wrong is one line that names it."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import jax
import numpy as np

from benchmarks.measure.forward import compile_forward
from benchmarks.measure.quality import gather
from benchmarks.plan.job import Job
from benchmarks.sweep.fallbacks import collected
from benchmarks.sweep.places import method_of
from benchmarks.sweep.setting import Setting
from benchmarks.train.optimize import example, prepare, problem_of
from leaderboard.command import UsageError
from methods import METHODS
from methods.base import OptionError, PyTree, Shipped, Teacher
from methods.flaxnet import first_example, forward, fresh
from methods.paths import flatten
from tasks.base import Arrays, Data, Task, count
from tasks.nets import groups
from tasks.nets.spec import check_net

KEY = 0
"""Of the untrained net that is tried."""


def check_task(here: Setting, jobs: Sequence[Job]) -> None:
    """Tries a task and the methods of `jobs` on one batch of each split.

    Args:
      here: the task and its data.
      jobs: those that are not finished.

    Raises:
      UsageError: names the task's field, or the method's option, and says what would be right.
    """
    task = here.task
    try:
        check_nets(task)
        for split in Data._fields:
            check_split(task, split, getattr(here.data, split))
        x = example(task, here.data)
        variables = fresh(task.net, jax.random.key(KEY), first_example(x))
        if any("groups" in METHODS[job.method].about.needs for job in jobs):
            check_groups(task, x)
        check_forward(task, variables, x)
        check_outcomes(task, variables, here.data.test)
    except ValueError as error:
        raise UsageError(f"task {task.name}: {error}") from None
    check_methods(here, jobs, variables)


def check_nets(task: Task) -> None:
    """Raises ValueError unless the nets are hashable and can be built again from their JSON."""
    for field, net in (("net", task.net), ("teacher", task.teacher)):
        try:
            if net is not None:
                check_net(net)
        except ValueError as error:
            raise ValueError(f"{field}: {error}") from None


def check_groups(task: Task, x: PyTree) -> None:
    """Raises ValueError unless the net's groups of channels are where `groups()` says."""

    def shapes(net):
        return jax.eval_shape(partial(net.init, train=False), jax.random.key(KEY), first_example(x))

    for problem in groups.problems(task.net, shapes):
        raise ValueError(f"net: {problem}")


def check_split(task: Task, name: str, arrays: Arrays) -> None:
    """Raises ValueError unless a split has rows, enough for a batch of training, and `batch` takes them.

    Args:
      task: whose data these are.
      name: of the split.
      arrays: of the split, as `task.batch` takes them.
    """
    counts = {leaf: len(array) for leaf, array in arrays.items()}
    if len(set(counts.values())) != 1 or not min(counts.values()):
        raise ValueError(f"data.{name}: every array must have the same number of rows, at least 1; they have {counts}")
    size = count(arrays)
    wanted = max(task.dense.batch_size, task.recovery.batch_size) if name == "train" else 1
    if size < wanted:
        raise ValueError(f"data.{name}: {size} rows are less than a batch of {wanted}; lower batch_size")
    keys = (None, jax.random.key(0)) if name == "train" else (None,)
    for key in keys:
        made = jax.eval_shape(task.batch, arrays, np.zeros(2, np.int32), key)
        if not isinstance(made, dict) or "x" not in made:
            raise ValueError(f"batch: must return a dict with 'x', the net's input; it returns {_brief(made)}")
        wrong = {path: leaf.shape for path, leaf in flatten(made).items() if leaf.shape[:1] != (2,)}
        if wrong:
            raise ValueError(f"batch: the first axis of every array must be the batch, here 2; shapes are {wrong}")


def check_forward(task: Task, variables: PyTree, x: PyTree) -> None:
    """Raises ValueError unless the net trains: its collections keep their structure, its loss is one number an example.

    Args:
      task: whose net runs.
      variables: of the net.
      x: one input batch.
    """
    train = partial(forward, task.net, train=True, key=jax.random.key(0))
    try:
        _, renewed = jax.eval_shape(train, variables, x)
    except Exception as error:
        raise ValueError(f"net: fails in training on {_brief(x)}: {type(error).__name__}: {_line(error)}") from None
    for name in variables:
        if jax.tree.structure(renewed.get(name)) != jax.tree.structure(variables[name]):
            raise ValueError(f"net: collection {name!r} changes its structure from one call to the next")


def check_outcomes(task: Task, variables: PyTree, test: Arrays) -> None:
    """Raises ValueError unless loss and outcomes are one number for each example, of the metric's kind.

    Args:
      task: whose functions run.
      variables: of the net.
      test: the split.
    """
    batch = gather(task, test, np.minimum(np.arange(task.eval_batch), count(test) - 1))
    out = compile_forward(Shipped(task.net, variables), batch["x"]).run(batch["x"])
    for field, function in (("loss", task.loss), ("outcomes", task.outcomes)):
        made = _called(field, function, out, batch)
        if made.shape != (task.eval_batch,):
            raise ValueError(f"{field}: must be one number an example, [{task.eval_batch}]; it is {_brief(made)}")
    scored = np.asarray(task.outcomes(out, batch), np.float32)
    if task.metric.outcome == "correct" and not np.isin(scored, (0, 1)).all():
        example = scored[~np.isin(scored, (0, 1))][0]
        raise ValueError(f"outcomes: metric.outcome is 'correct', so each must be 0 or 1, not {example:g}")


def _called(field: str, function: Callable, out, batch):
    try:
        return jax.eval_shape(function, out, batch)
    except Exception as error:
        raise ValueError(f"{field}: fails on {_brief(out)}: {type(error).__name__}: {_line(error)}") from None


def check_methods(here: Setting, jobs: Iterable[Job], variables: PyTree) -> None:
    """Runs each method's `init` and `settle` on the untrained net and one batch of calibration data.

    Args:
      here: the task and its data.
      jobs: those that are not finished.
      variables: of the untrained net.

    Raises:
      UsageError: an option fits nothing in the net. Whatever else goes wrong will be recorded when the points run.
    """
    tried = set()
    teacher = Teacher(here.task.net, variables)
    for job in jobs:
        if job.kind != "point" or job.method in tried:
            continue
        tried.add(job.method)
        copied = {path: leaf.size for path, leaf in flatten(variables["params"]).items()} if job.copied else None
        try:
            problem = problem_of(here.task, here.data, job.steps, dense=variables, teacher=teacher, copied=copied)
            problem = problem._replace(calibration=[next(iter(problem.calibration))], pay=_enough)
            method = method_of(job)
            with collected([]):  # fallbacks are noted when the points run
                net, prepared, state = prepare(method, problem, variables, job.strength, job.seed)
                method.settle(
                    jax.random.key(KEY), problem._replace(net=net), prepared, state, METHODS[job.method].about.rounds
                )
        except OptionError as error:
            raise UsageError(f"options.{job.method}: on task {job.task}: {error}") from None
        except Exception:
            continue


def _enough(steps: int, examples: int) -> None:
    """Ends the trial of a method that is about to train by itself, which takes seconds and refuses nothing."""
    raise RuntimeError("enough is known")


def _brief(tree) -> str:
    """Dtype and shape, such as "float32[2,8,8,1]"; of a tree, its leaves' by path."""
    if hasattr(tree, "shape"):
        return f"{tree.dtype}[{','.join(map(str, tree.shape))}]"
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return ", ".join(f"{jax.tree_util.keystr(path)} {_brief(leaf)}" for path, leaf in leaves) or repr(tree)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
