"""Sparsities 0 and 1 through the whole bench: exact artifacts and finite records, also where nothing is left."""

import pytest

from benchmarks.plan.config import Config
from benchmarks.sweep.sweep import sweep
from leaderboard.record import files as record
from tasks import TASKS


def test_sparsity_zero_and_one_are_exact(tiny, monkeypatch, tmp_path):
    monkeypatch.setitem(TASKS, "tiny", tiny)
    strengths = {**dict.fromkeys(("magnitude", "random@magnitude"), ((0.0,), (1.0,))), "magnitude_rtn": ((1.0, 4.0),)}
    config = Config(("tiny",), ("dense", *strengths), strengths, seeds=(0,), tuning=False)
    done = sweep(config, tmp_path, "test")
    assert done.failed == []
    found = {r.method.name: [point.runs[0].result for point in r.points] for r in map(record.read, done.records)}
    for name in ("magnitude", "random@magnitude"):
        assert [result.density for result in found[name]] == [pytest.approx(1, abs=1e-3), 0]
    for result in (found["magnitude"][1], found["random@magnitude"][1], found["magnitude_rtn"][0]):
        assert (result.density, result.effective_macs, result.bops) == (0, 0, 0)
        assert 0 <= result.quality <= 1
        assert result.bytes < found["dense"][0].bytes
