"""One pinned core, CPU time, and the quartiles of paired ratios."""

import os
import time

import pytest

from benchmarks.speed.turns import Ratio, pinned, ratio, seconds


def test_a_ratio_is_that_of_a_round():
    found = ratio([2, 4, 6, 8, 100], [1, 2, 2, 2, 10])
    assert found == (3, 2, 4)
    assert str(found) == "3.00 (2.00-4.00)"
    assert ratio([1, 1], [2, 2]) == Ratio(0.5, 0.5, 0.5)


def test_waiting_is_not_work():
    assert seconds(lambda: time.sleep(0.05)) < 0.04
    assert seconds(lambda: sum(range(300_000))) > 0.0005


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not pin threads")
def test_a_pinned_thread_has_one_core_and_gets_all_back():
    before = os.sched_getaffinity(0)
    with pinned():
        assert os.sched_getaffinity(0) == {max(before)}
    assert os.sched_getaffinity(0) == before
