"""What ran, as a digest: an edited helper changes it; a moved file, a docstring, a comment or another line does not."""

import importlib.util
import itertools

import pytest

from benchmarks.identity.source import Sources
from methods.transforms.grids import fake_quant

BASE = '''
"""A module."""
import functools
import jax
import jax.numpy as jnp
from typing import NamedTuple

RATE = 0.5
NAMES = {"b", "a"}

class Pair(NamedTuple):
    x: float
    y: float = 1.0

class Base:
    def scale(self):
        return 2

class Net(Base):
    """A net."""
    width = 8
    def run(self, x):
        return helper(x) * self.scale()

def helper(x):
    """Helps."""
    # why
    if x > 0:
        return x * RATE
    return x in ("a", "b") or x in {"c", "d"}

@jax.jit
def jitted(x):
    return helper(x)

@functools.lru_cache
def cached(x):
    return keyword(x, first=1)

def keyword(x, first=0, second=0):
    return x + first - second

@jax.custom_vjp
def custom(x):
    return x
custom.defvjp(lambda x: (x, None), lambda _, g: (backward(g),))

def backward(g):
    return 3 * g

def closure(temperature):
    def inner(x):
        return x / temperature
    return inner

def nested(x):
    return [helper(y) for y in (lambda z: z + 1, x)]
'''
ROOTS = ("Net", "jitted", "cached", "custom", "nested", "Pair")
counter = itertools.count()


@pytest.fixture
def digest(tmp_path):
    """digest(text) -> of all roots in a module of that text, in a file of another name and folder each time."""

    def of(text, make=lambda module: [getattr(module, name) for name in ROOTS]):
        file = tmp_path / f"folder{next(counter)}" / f"module{next(counter)}.py"
        file.parent.mkdir()
        file.write_text(text)
        spec = importlib.util.spec_from_file_location(file.stem, file)
        module = importlib.util.module_from_spec(spec)
        __import__("sys").modules[file.stem] = module
        spec.loader.exec_module(module)
        return Sources(*make(module)).digest()

    return of


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", "\n\n# a line above\n"),
        ('"""Helps."""', '"""Helps a lot.\n\n    More.\n    """'),
        ('    """Helps."""\n', ""),
        ("# why", "# because"),
        ('"""A net."""', '"""Another."""'),
        ("def keyword", "def unused(x):\n    return 7\n\ndef keyword"),
        ("import functools\n", "import functools\nimport math\n"),
    ],
)
def test_what_changes_nothing(digest, old, new):
    assert old in BASE
    assert digest(BASE.replace(old, new, 1)) == digest(BASE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x * RATE", "x / RATE"),
        ("RATE = 0.5", "RATE = 0.25"),
        ("x > 0", "x >= 0"),
        ("return 2", "return 4"),
        ("width = 8", "width = 9"),
        ('x in ("a", "b")', 'x in ("a", "c")'),
        ('{"c", "d"}', '{"c", "e"}'),
        ("first=1)", "second=1)"),
        ("x, first=0", "x, first=5"),
        ("x + first", "x * first"),
        ("3 * g", "5 * g"),
        ("y: float = 1.0", "y: float = 2.0"),
        ("lambda z: z + 1", "lambda z: z + 2"),
        ("        return x * RATE\n    return", "        x = x * RATE\n    return"),
    ],
)
def test_what_changes_it(digest, old, new):
    assert old in BASE
    assert digest(BASE.replace(old, new, 1)) != digest(BASE)


def test_a_closure_is_known_by_what_it_holds(digest):
    of = [digest(BASE, lambda module, t=t: [module.closure(t)]) for t in (2.0, 2.0, 4.0)]
    assert of[0] == of[1] != of[2]


def test_a_rule_of_a_derivative_is_reached():
    assert {"grids.py"} == {file.name for file in Sources(fake_quant).files}
    assert any("_summed" in line for line in Sources(fake_quant)._lines.values())


def test_sets_do_not_depend_on_the_order_of_hashes(tmp_path):
    """Strings hash differently in each process."""
    import os
    import subprocess
    import sys

    (tmp_path / "module.py").write_text(BASE)
    script = (
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}]; import module;"
        "from benchmarks.identity.source import Sources;"
        "print(Sources(module.helper, module.Net).digest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(found) == 1
