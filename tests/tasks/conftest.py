"""What the tests of datasets share."""

import pytest


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A data directory of this test's own."""
    monkeypatch.setenv("SLIMBENCH_DATA", str(tmp_path))
    return tmp_path
