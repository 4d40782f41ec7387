"""Which rows are compared with which, on what, and what the table says of it."""

import re

import numpy as np
import pytest
from scipy import stats

from leaderboard.board.board import boards
from leaderboard.render import pages, terminal
from leaderboard.site import details
from leaderboard.stats import paired
from leaderboard.stats.paired import findings, sample

TEN = {"rows": {"test": 10}}


def outcome(toy, outcomes, size=4000):
    return toy.result(outcomes.count("1") / len(outcomes), size, outcomes=outcomes)


def rows(records):
    return {row.record.method.name: row for row in boards(records)[0].divisions[0].rows}


def test_one_seed_is_mcnemar():
    """a alone is right twice, b alone four times: 2 · (1 + 6 + 15) / 64 = 0.6875; 1.96 · √(6 - 10 · 0.2²) / 10."""
    a, b = sample([(0, 0.5, "1110011100")]), sample([(0, 0.8, "1001111111")])
    (found,) = findings([(a, b)])
    assert found.test == paired.MCNEMAR
    assert found.difference == pytest.approx(-0.3)
    assert found.p == pytest.approx(0.6875)
    half = 1.96 * (6 - 10 * 0.2**2) ** 0.5 / 10
    assert (found.low, found.high) == (pytest.approx(-0.3 - half), pytest.approx(-0.3 + half))


def test_seeds_are_pooled_within_an_example():
    """Three seeds of four examples: a wins the first under three seeds and loses the second under one; the third is
    won and lost. So one example against one, p = 1, where counting pairs would say 4 against 2."""
    a = sample([(0, 0.5, "1010"), (1, 0.5, "1100"), (2, 0.75, "1110")])
    b = sample([(0, 0.25, "0100"), (1, 0.5, "0110"), (2, 0.5, "0110")])
    (found,) = findings([(a, b)])
    assert found.p == 1.0
    assert found.difference == pytest.approx((0.25 + 0 + 0.25) / 3)


def test_only_shared_seeds_count():
    a = sample([(0, 1.0, "1111"), (1, 0.0, "0000")])
    b = sample([(1, 0.75, "1110"), (2, 0.0, "0000")])
    (found,) = findings([(a, b)])
    assert (found.difference, found.p) == (-0.75, pytest.approx(0.25))
    assert findings([(a, sample([(5, 1.0, "1111")]))]) == [None]


def test_losses_are_bootstrapped_over_examples():
    """The seeds' mean of each example; p against the z of a plain t statistic, n - 1 replaced by n."""
    losses = np.random.default_rng(0).normal(size=(2, 2, 200)) + np.array([0.2, 0.0])[:, None, None]
    a, b = (sample([(seed, float(side[seed].mean()), side[seed].tolist()) for seed in (0, 1)]) for side in losses)
    (found,) = findings([(a, b)])
    d = (losses[0] - losses[1]).mean(0)
    z = d.mean() / (d.std() / len(d) ** 0.5)
    assert found.test == paired.BOOTSTRAP
    assert found.p == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-6)
    wanted = stats.bootstrap((d,), np.mean, method="percentile", rng=np.random.default_rng(3)).confidence_interval
    assert (found.low, found.high) == (pytest.approx(wanted.low, abs=0.02), pytest.approx(wanted.high, abs=0.02))


def test_ten_seeds_are_tested_over_seeds():
    qualities = np.random.default_rng(0).uniform(0.4, 0.6, size=(2, 10)).round(1)
    right = [[f"{'1' * round(10 * q):0<10}" for q in side] for side in qualities]
    a, b = (sample(zip(range(10), side.tolist(), o, strict=True)) for side, o in zip(qualities, right, strict=True))
    (found,) = findings([(a, b)])
    assert found.test == paired.STUDENT
    assert found.p == pytest.approx(stats.ttest_rel(*qualities).pvalue, rel=1e-6)


def test_without_outcomes_of_the_other_it_is_over_seeds():
    a = sample([(0, 0.5, "10"), (1, 1.0, "11")])
    (found,) = findings([(a, sample([(0, 0.5, None), (1, 0.5, None)]))])
    assert (found.test, found.difference, found.p) == (paired.STUDENT, 0.25, pytest.approx(0.5))
    assert findings([(sample([(0, 0.5, "10")]), sample([(0, 0.5, None)]))]) == [None]


def test_rows_meet_dense_control_and_the_best(toy):
    dense = toy({(): {0: outcome(toy, "1111111110", 40_000)}}, method="dense", knobs=())
    control = toy({4: {0: outcome(toy, "1" * 4 + "0" * 6)}, 8: {0: outcome(toy, "1" * 10, 8000)}}, method="rtn")
    new = toy({4: {0: outcome(toy, "1" * 9 + "0")}}, method="lsq", control="rtn")
    (_, lsq, *_) = boards([dense, control, new])[0].divisions[0].rows
    found = lsq.comparisons
    assert {kind: (c.against, round(c.difference, 6)) for kind, c in found.items()} == {
        "dense": ("dense", 0.0),
        "reference": ("dense", 0.0),
        "control": ("rtn, bits 4", 0.5),
        "best": ("rtn, bits 8", -0.1),
    }
    assert {c.test for c in found.values()} == {paired.MCNEMAR}
    assert rows([dense, control, new])["dense"].comparisons.keys() == {"best"}
    assert "dense" not in rows([control, new])["lsq"].comparisons  # one seed, and nothing to pair its examples with


def test_p_is_corrected_over_the_table(toy):
    """Alone, lsq's 6 examples against none have 2 / 2⁶ = 0.03125. Of rtn, at its control's place, the best is lsq
    with the same p: of the family of two, Holm makes both 0.0625."""
    control = toy({4: {0: outcome(toy, "1000100000")}}, method="rtn")
    new = toy({4: {0: outcome(toy, "1111111100")}}, method="lsq", control="rtn")
    found = rows([control, new])
    assert found["lsq"].comparisons["control"].p == pytest.approx(0.0625)
    assert found["rtn"].comparisons["best"].p == pytest.approx(0.0625)


def test_a_row_that_does_not_beat_its_control_says_so(toy):
    control = toy({4: {0: outcome(toy, "1000100000")}}, method="rtn")
    new = toy({4: {0: outcome(toy, "1111111100")}}, method="lsq", control="rtn")
    assert "not beaten: +0.6000, p 0.062" in pages.markdown(boards([control, new]), [])
    many = {"task": toy.task | {"rows": {"test": 20}}}
    control = toy({4: {0: outcome(toy, "0" * 20)}}, method="rtn", **many)
    new = toy({4: {0: outcome(toy, "1" * 20)}}, method="lsq", control="rtn", **many)
    page = pages.markdown(boards([control, new]), [])
    assert "| +1.0000, p &lt; 0.001, rtn, bits 4 at 4 kB |" in page
    assert "not beaten:" not in page


def control_of(size, toy, records):
    """What a row of 5 right and so many bytes is compared with, and whether its control has no row of that size."""
    new = toy({3: {0: outcome(toy, "1111100000", size)}}, method="lsq", control="rtn")
    row = rows([*records, new])["lsq"]
    found = row.comparisons.get("control")
    return found and (found.against, round(found.difference, 6)), row.uncontrolled


def test_the_control_is_of_equal_size_and_chosen_on_valid(toy):
    """On valid, 4 bits are better than 2; 6 bits are better on test alone. 8 bits are larger than 5 kB."""

    def ran(right, size, valid):
        result = outcome(toy, "1" * right + "0" * (10 - right), size)
        return {0: toy.result(result.quality, size, outcomes=result.outcomes, valid_quality=valid)}

    points = {2: ran(1, 2000, 0.5), 4: ran(4, 4000, 0.6), 6: ran(9, 5000, 0.3), 8: ran(10, 8000, 0.9)}
    control = [toy(points, method="rtn")]
    assert control_of(1989, toy, control) == (None, True)
    assert control_of(2000, toy, control) == (("rtn, bits 2", 0.4), False)
    assert control_of(5000, toy, control) == (("rtn, bits 4", 0.1), False)
    assert control_of(8000, toy, control) == (("rtn, bits 8", -0.5), False)


def test_a_control_may_be_half_a_percent_larger(toy):
    """2010 / 2000 is 1.005; its positions cost the coder a little more or less."""
    for size, met in ((2010, True), (2011, False)):
        control = [toy({4: {0: outcome(toy, "1" * 10, size)}}, method="rtn")]
        found, uncontrolled = control_of(2000, toy, control)
        assert (found is not None, uncontrolled) == (met, not met)


def test_a_control_that_did_not_run_or_failed_is_not_too_large(toy):
    assert control_of(5000, toy, []) == (None, False)
    failed = toy({4: {0: outcome(toy, "1" * 9 + "0"), 1: "no room"}}, method="rtn")
    assert control_of(5000, toy, [failed]) == (None, False)
    large = toy({4: {0: outcome(toy, "1" * 10, 9000)}}, method="rtn")
    new = toy({3: {0: outcome(toy, "1111100000", 5000)}}, method="lsq", control="rtn")
    assert "| no control of that size |" in pages.markdown(boards([large, new]), [])


def test_of_two_configurations_of_the_control_the_better_on_valid_is_met(toy):
    weak = toy({4: {0: toy.result(0.9, 4000, valid_quality=0.4)}}, method="rtn", digest="aa")
    good = toy({4: {0: toy.result(0.4, 4000, valid_quality=0.6)}}, method="rtn", digest="bb")
    assert control_of(5000, toy, [weak, good]) == (("rtn (bb), bits 4", 0.1), False)


def test_the_reference_of_what_trains_is_dense_plus_recovery(toy):
    """lsq is better than dense by 0.1 and worse than its reference by 0.1, seed by seed; dense is rtn's."""
    dense = toy({(): {0: (0.7, 40_000), 1: (0.8, 40_000)}}, method="dense", knobs=(), dense={0: 0.7, 1: 0.8})
    runs = {(): {0: (0.9, 40_000), 1: (1.0, 40_000)}}
    finetuned = toy(runs, method="finetuned", knobs=(), budget="recovery", dense={0: 0.7, 1: 0.8})
    lsq = toy({4: {0: (0.8, 5000), 1: (0.9, 5000)}}, method="lsq", budget="full", dense={0: 0.7, 1: 0.8})
    rtn = toy({4: {0: (0.7, 5000), 1: (0.7, 5000)}}, dense={0: 0.7, 1: 0.8})
    found = rows([dense, finetuned, lsq, rtn])
    met = {
        name: {kind: (c.against, round(c.difference, 6)) for kind, c in row.comparisons.items() if kind != "best"}
        for name, row in found.items()
    }
    assert met == {
        "dense": {},
        "finetuned": {"dense": ("dense", 0.2), "reference": ("dense", 0.2)},
        "lsq": {"dense": ("dense", 0.1), "reference": ("finetuned", -0.1)},
        "rtn": {"dense": ("dense", -0.05), "reference": ("dense", -0.05)},
    }


def test_examples_of_one_cluster_are_one_unit(toy):
    """8 examples against none are p = 2 / 2⁸ one by one, 2 / 2² as two clusters; the tie is one more. Both are doubled:
    lsq is the best of rtn's table.
    """
    for clusters, p in ((None, 2 * 2 / 2**8), ([7] * 4 + [3] * 4 + [5] * 2, 2 * 2 / 2**2)):
        task = toy.task | {"clusters": clusters}
        control = toy({4: {0: outcome(toy, "0" * 10)}}, method="rtn", task=task)
        new = toy({4: {0: outcome(toy, "1111111100")}}, method="lsq", control="rtn", task=task)
        assert rows([control, new])["lsq"].comparisons["control"].p == pytest.approx(p)


def test_dense_outcomes_are_those_of_the_same_checkpoint(toy):
    """The dense record of the closed division started from c0; the open row's net is another."""
    dense = toy({(): {0: outcome(toy, "1" * 9 + "0")}}, method="dense", knobs=())
    same = toy({4: {0: outcome(toy, "1" * 10)}}, method="rtn", division="open", digest="aa")
    other = toy({4: {0: outcome(toy, "1" * 10)}}, method="rtn", division="open", digest="aa", nets="d")
    assert boards([dense, same])[0].divisions[1].rows[0].comparisons["dense"].test == paired.MCNEMAR
    assert boards([dense, other])[0].divisions[1].rows[0].comparisons == {}


@pytest.mark.parametrize("task", [{"outcome": "correct"}, {"outcome": "loss", "higher_is_better": False}])
@pytest.mark.parametrize("clusters", [None, [0]])
def test_a_board_of_one_example_and_one_seed_is_certain_of_nothing(toy, task, clusters):
    """Rows differ by all that there is, or tie; no text has an interval or a p below 1, and none is not a number."""
    task = toy.task | {"rows": {"test": 1}, "clusters": clusters} | task

    def ran(quality, size):
        outcomes = str(quality) if task["outcome"] == "correct" else [float(quality)]
        return {0: toy.result(float(quality), size, outcomes=outcomes)}

    dense = toy({(): ran(1, 40_000)}, task=task, method="dense", knobs=(), dense={0: 1.0})
    rtn = toy({8: ran(1, 9000), 2: ran(0, 3000)}, task=task, dense={0: 1.0})
    lsq = toy({4: ran(0, 9000)}, task=task, method="lsq", control="rtn", dense={0: 1.0})
    found = boards([dense, rtn, lsq])
    compared = [c for row in found[0].divisions[0].rows for c in row.comparisons.values()]
    assert len(compared) == 10
    assert {(c.p, c.low, c.high) for c in compared} == {(1.0, None, None)}
    assert {row.rank for row in found[0].divisions[0].rows} == {(1, 4)}
    shown = pages.markdown(found, []) + terminal.text(found) + str(details.records(found[0]))
    assert not re.search(r"\bnan\b|\binf|< 0\.001|&lt; 0\.001", shown, re.IGNORECASE)
