"""The twins in PyTorch are the nets that they are compared with."""

import re

import jax
import pytest

from benchmarks.speed import against_torch as versus

torch = pytest.importorskip("torch", reason="PyTorch is not installed; it is only compared with")


@pytest.mark.parametrize("name", versus.CASES)
def test_twins_have_the_same_parameters_and_outputs(name):
    from benchmarks.speed.torch_nets import TWINS

    net, shape, classes = versus.CASES[name]
    shape = (2, *shape[1:])
    x, _ = versus._batch(shape, classes)
    out, variables = jax.eval_shape(lambda: net.init_with_output(jax.random.key(0), x))
    twin = TWINS[name]()
    ours = sorted(leaf.size for leaf in jax.tree.leaves(variables["params"]))
    assert sum(p.numel() for p in twin.parameters()) == sum(ours)
    x = torch.from_numpy(x)
    assert tuple(twin(x.permute(0, 3, 1, 2) if x.ndim == 4 else x).shape) == out.shape


def test_a_line_is_two_times_and_the_quartiles_of_their_ratio(monkeypatch):
    monkeypatch.setattr(versus, "CASES", {"LeNet-300-100": versus.CASES["LeNet-300-100"]})
    head, line = versus.lines(length=0.01)
    assert head.startswith("net ")
    found = re.fullmatch(r"LeNet-300-100 +[\d.]+ ms +[\d.]+ ms +([\d.]+) \(([\d.]+)-([\d.]+)\)", line)
    median, low, high = map(float, found.groups())
    assert 0 < low <= median <= high
