from benchmarks.measure.forward import compile_forward
from benchmarks.measure.memory import memory
from tests.benchmarks.measure.nets import X, net


def test_memory_by_hand():
    program = compile_forward(net(), X).compiled
    floats = 8 * 4 + 4 + 3 * 8 + 3 * 4  # kernel, bias, input, output
    assert (
        4 * floats <= memory(program) <= 4 * floats + 4 * 3 * 4 + 64
    )  # and at most one temporary as large as the output
