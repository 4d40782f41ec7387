"""README's promise: a task is one file, one row in TASKS and one row in EXPECTED, and nothing else."""

import subprocess
import sys

from tests.clone import clone, edit

TOY = '''
"""Two noisy classes, told apart by a net of the task's own."""
import numpy as np
from flax import linen as nn
from tasks.base import Metric, Recipe, Task, pooled
from tasks.classification import correct, cross_entropy


class Own(nn.Module):
    hidden: int

    @nn.compact
    def __call__(self, x, train: bool = False):
        return nn.Dense(2, name="head")(nn.relu(nn.Dense(self.hidden, name="hidden")(x)))


def load():
    rng = np.random.default_rng(0)
    y = lambda n: (np.arange(n) % 2).astype(np.int32)
    split = lambda n: {"x": (rng.normal(size=(n, 6)) + y(n)[:, None]).astype(np.float32), "y": y(n)}
    return pooled(split(1300), split(50), split(60))


def batch(arrays, rows, key):
    return {"x": arrays["x"][rows], "y": arrays["y"][rows]}


TASK = Task(
    name="toy",
    version=1,
    modality="vision",
    source="synthetic",
    net=Own(8),
    load=load,
    batch=batch,
    loss=cross_entropy,
    outcomes=correct,
    metric=Metric("accuracy", "correct", higher_is_better=True),
    dense=Recipe(steps=20, batch_size=16, learning_rate=1e-2),
    recovery=Recipe(steps=20, batch_size=16, learning_rate=1e-2),
    eval_batch=32,
    reach=0.6,
    reference=0.5,
)
'''


def test_a_task_of_one_file_and_two_rows_passes_every_test_of_tasks(tmp_path):
    """Also in the board's smoke mode, with its own net."""
    copy = clone(tmp_path / "clone")
    (copy / "tasks/vision/toy.py").write_text(TOY.lstrip())
    edit(copy / "tasks/__init__.py", "import cifar, digits, mnist", "import cifar, digits, mnist, toy")
    edit(copy / "tasks/__init__.py", "    digits.TASK,", "    digits.TASK,\n    toy.TASK,")
    row = 'EXPECTED = {\n    "toy": Expected(None, (6,), np.float32, 74, augments=False),'
    edit(copy / "tests/contracts/test_tasks.py", "EXPECTED = {", row)
    files = [f"tests/{name}.py" for name in ("contracts/test_tasks", "tasks/nets/test_spec", "benchmarks/test_configs")]
    flags = ["-vv", "-p", "no:cacheprovider", "-k", "toy or every_task"]
    done = subprocess.run([sys.executable, "-m", "pytest", *files, *flags], cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "test_a_task_of_each_net_and_dataset_runs_in_smoke_mode[toy] PASSED" in done.stdout
