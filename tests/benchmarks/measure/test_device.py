import jax
import pytest

from benchmarks.measure import device as module
from benchmarks.measure.device import device


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="an accelerator names itself")
@pytest.mark.parametrize(("cores", "said"), [(1, "1 core"), (2, "2 cores")])
def test_device_is_named_with_the_cores_that_it_may_use(monkeypatch, cores, said):
    monkeypatch.setattr(module, "_cpu", lambda: "Z80")
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(cores)), raising=False)
    assert device() == f"cpu Z80, {said}"
