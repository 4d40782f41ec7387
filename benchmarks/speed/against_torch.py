"""Train steps of our nets and of their twins in PyTorch, by turns, on one core of this machine's CPU.

The aim is a ratio of 1.0. What stops convolutional nets on a core of an AMD EPYC is the convolutions themselves. Of 3×3
ones at batch 128, the gradients of kernels take 1.6 to 2.5 times PyTorch's time, those of a first layer, of 1 or 3
channels, 6 times: a matrix product is as fast as PyTorch's kernel, but what it multiplies has to be copied together
first. Forward they take 1.0 to 1.3 times as long, a first layer of 3 channels 4 times; gradients of inputs 1.0 to 1.7
times; norms and pools are as fast or faster.
"""

import statistics
from collections.abc import Callable
from functools import partial

import jax
import numpy as np
import optax

from benchmarks.speed.turns import ratio, seconds
from benchmarks.train.allocator import keep_freed
from methods.flaxnet import forward, fresh
from tasks.nets.convnet import lenet5
from tasks.nets.gpt import gpt
from tasks.nets.mlp import MLP
from tasks.nets.resnet import resnet, resnet8

CASES = {  # our net, shape of a batch, classes
    "LeNet-300-100": (MLP(784, (300, 100), 10), (100, 784), 10),
    "LeNet-5-Caffe": (lenet5(), (100, 28, 28, 1), 10),
    "resnet8": (resnet8(), (128, 32, 32, 3), 10),
    "ResNet-20": (resnet(20, 10), (128, 32, 32, 3), 10),
    "GPT 4 × 128": (gpt(65, 64, 4, 128, 4), (12, 64), 65),
}
WARM, TIMED, LEAST = 2, 3, 6
"""Steps of a round that are not timed and that are, and the least number of rounds."""


def lines(length: float = 4.0) -> list[str]:
    """Returns one line per net: the medians of both steps and the quartiles of their ratio over rounds.

    A step is forward, backward and SGD with momentum on one batch; `length` is the CPU seconds of timing for each net.
    Raises ModuleNotFoundError without PyTorch.
    """
    try:
        import torch
    except ModuleNotFoundError:
        raise ModuleNotFoundError("PyTorch is not installed: pip install torch (any CPU build)") from None
    torch.set_num_threads(1)
    keep_freed()
    head = f"{'net':16} {'ours':>9} {'torch':>9}  ratio   (jax {jax.__version__}, torch {torch.__version__})"
    return [head, *(_line(name, length) for name in CASES)]


def _line(name: str, length: float) -> str:
    net, shape, classes = CASES[name]
    x, y = _batch(shape, classes)
    times = _by_turns(_ours(net, x, y), _theirs(name, x, y), length)
    ours, theirs = (1e3 * statistics.median(side) for side in times)
    return f"{name:16} {ours:6.1f} ms {theirs:6.1f} ms  {ratio(*times)}"


def _batch(shape, classes):
    rng = np.random.default_rng(0)
    if len(shape) == 2 and shape[1] < 100:  # tokens
        return (rng.integers(0, classes, shape, dtype=np.int32) for _ in "xy")
    return rng.normal(size=shape).astype(np.float32), rng.integers(0, classes, shape[0], dtype=np.int32)


def _by_turns(ours: Callable, theirs: Callable, length: float) -> tuple[list[float], list[float]]:
    """CPU seconds of a step of either, round by round: the median of a few in a row, after WARM that are not timed."""
    times: tuple[list[float], list[float]] = [], []
    while sum(map(sum, times)) * TIMED < length or len(times[0]) < LEAST:
        for step, own in zip((ours, theirs), times, strict=True):
            for _ in range(WARM):
                step()
            own.append(statistics.median(seconds(step) for _ in range(TIMED)))
    return times


def _ours(net, x, y) -> Callable:
    tx = optax.sgd(0.01, 0.9)
    x, y = jax.device_put((x, y))
    variables = fresh(net, jax.random.key(0), x)

    @partial(jax.jit, donate_argnums=(0, 1))
    def advance(variables, moments):
        params = variables["params"]

        def loss(params):
            out, renewed = forward(net, {**variables, "params": params}, x, train=True)
            return optax.softmax_cross_entropy_with_integer_labels(out, y).mean(), renewed

        grads, renewed = jax.grad(loss, has_aux=True)(params)
        updates, moments = tx.update(grads, moments, params)
        return {**renewed, "params": optax.apply_updates(params, updates)}, moments

    carry = variables, jax.jit(tx.init)(variables["params"])

    def step():
        nonlocal carry
        carry = jax.block_until_ready(advance(*carry))

    return step


def _theirs(name, x, y) -> Callable:
    import torch

    from benchmarks.speed.torch_nets import TWINS

    net = TWINS[name]()
    tx = torch.optim.SGD(net.parameters(), 0.01, 0.9)
    x, y = torch.from_numpy(x), torch.from_numpy(y).long()
    x = x.permute(0, 3, 1, 2).contiguous() if x.ndim == 4 else x

    def step():
        tx.zero_grad()
        torch.nn.functional.cross_entropy(net(x).flatten(0, -2), y.flatten()).backward()
        tx.step()

    return step
