"""What the tests of artifacts share: nets that are known by name, and a file."""

import pytest

from benchmarks.artifact.file import write_artifact
from tasks.nets.spec import NETS
from tests.benchmarks.artifact.nets import EXAMPLE, Holder, Tiny, tiny


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    for net in (Tiny, Holder):
        monkeypatch.setitem(NETS, net.__name__, net)


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "a.slim"
    write_artifact(path, tiny(net=Tiny(sizes=(3,))), EXAMPLE)
    return path
