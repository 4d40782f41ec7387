"""What a process sets up before it loads data: a platform that is not there is one line."""

import jax
import pytest

from benchmarks.process import check_platform, set_up
from leaderboard.command import UsageError


@pytest.mark.parametrize(
    ("platform", "error", "said"),
    [
        ("cuda", AssertionError(), "JAX_PLATFORMS=cuda: there is no such device, or this JAX is not built for it"),
        ("bogus", RuntimeError("Unable to initialize"), "JAX_PLATFORMS=bogus: Unable to initialize"),
    ],
)
def test_a_platform_that_is_not_there_is_the_users_mistake(monkeypatch, tmp_path, platform, error, said):
    def devices():
        raise error

    monkeypatch.setenv("JAX_PLATFORMS", platform)
    monkeypatch.setattr(jax, "devices", devices)
    with pytest.raises(UsageError) as caught:
        set_up(tmp_path / "work")
    assert str(caught.value) == said
    assert not (tmp_path / "work").exists()


def test_a_platform_that_is_there_passes():
    check_platform()
