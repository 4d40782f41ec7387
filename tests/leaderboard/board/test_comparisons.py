"""Which rows are compared with which, on what, and what the table says of it."""

import re

import pytest

from leaderboard.board.board import boards
from leaderboard.board.comparisons import within
from leaderboard.render import pages, terminal
from leaderboard.site import details
from leaderboard.stats.paired import CROSSED, GIVEN_SEED, Finding


def outcome(toy, outcomes, size=4000):
    return toy.result(outcomes.count("1") / len(outcomes), size, outcomes=outcomes)


def rows(records):
    return {row.record.method.name: row for row in boards(records)[0].divisions[0].rows}


def test_rows_meet_dense_and_control(toy):
    dense = toy({(): {0: outcome(toy, "1111111110", 40_000)}}, method="dense", knobs=())
    control = toy({4: {0: outcome(toy, "1" * 4 + "0" * 6)}, 8: {0: outcome(toy, "1" * 10, 8000)}}, method="rtn")
    new = toy({4: {0: outcome(toy, "1" * 9 + "0")}}, method="lsq", control="rtn")
    (_, lsq, *_) = boards([dense, control, new])[0].divisions[0].rows
    met = {kind: (c.against, round(c.found.difference, 6)) for kind, c in lsq.comparisons.items()}
    assert met == {"dense": ("dense", 0.0), "reference": ("dense", 0.0), "control": ("rtn, bits 4", 0.5)}
    assert {c.found.about for c in lsq.comparisons.values()} == {GIVEN_SEED}
    assert rows([dense, control, new])["dense"].comparisons == {}
    assert "dense" not in rows([control, new])["lsq"].comparisons  # one seed, and nothing to pair its examples with


def test_p_is_corrected_over_the_record(toy):
    """Three sizes against the control: of p₁ < p₂ < p₃, Holm makes 3 · p₁, 2 · p₂ and p₃, in order."""
    control = toy({1: {0: outcome(toy, "1" + "0" * 9)}}, method="rtn")
    rights = {2: "1" * 10, 4: "1" * 8 + "00", 8: "1" * 6 + "0" * 4}
    new = toy({bits: {0: outcome(toy, right)} for bits, right in rights.items()}, method="lsq", control="rtn")
    found = [row.comparisons["control"] for row in boards([control, new])[0].divisions[0].rows[:3]]
    ps = [c.found.p for c in found]
    assert ps == sorted(ps)
    assert [c.corrected for c in found] == pytest.approx([3 * ps[0], max(3 * ps[0], 2 * ps[1]), max(2 * ps[1], ps[2])])


def test_entries_of_others_move_no_comparison(toy):
    """Ten more records, of other methods and of other configurations of this one."""
    dense = toy({(): {s: outcome(toy, "1111111110", 40_000) for s in (0, 1)}}, method="dense", knobs=())
    control = toy({4: {s: outcome(toy, "1111110000") for s in (0, 1)}}, method="rtn")
    new = toy({4: {s: outcome(toy, "1111111100") for s in (0, 1)}}, method="lsq", control="rtn", digest="aa")
    points = {b: {s: outcome(toy, "1111100000", 3000 + b) for s in (0, 1)} for b in (1, 2, 3)}
    others = [toy(points, method=name, control="rtn") for name in "abcde"]
    others += [toy(points, method="lsq", control="rtn", digest=f"bb{i}") for i in range(5)]

    def told(records):
        found = [row for row in boards(records)[0].divisions[0].rows if row.record is new]
        return [{k: (c.found, c.corrected, c.against) for k, c in row.comparisons.items()} for row in found]

    assert told([dense, control, new]) == told([dense, control, new, *others])


def test_a_row_that_does_not_beat_its_control_says_so(toy):
    """6 of 10 examples more: t is 0.6 / √((6 - 3.6 + 2) / 90) with 9 degrees of freedom, p 0.024; of three, 0.072."""
    control = toy({4: {0: outcome(toy, "1000100000")}}, method="rtn")
    new = toy({4: {0: outcome(toy, "1111111100")}}, method="lsq", control="rtn")
    assert "| +0.6000, p 0.024 †, rtn, bits 4 at 4 kB |" in pages.markdown(boards([control, new]), [])
    three = toy({b: {0: outcome(toy, "1111111100")} for b in (2, 4, 8)}, method="lsq", control="rtn")
    page = pages.markdown(boards([control, three]), [])
    assert page.count("| not beaten: +0.6000, p 0.024 † (0.072 corrected), rtn, bits 4 at 4 kB |") == 3
    many = {"task": toy.task | {"rows": {"test": 20}}}
    control = toy({4: {0: outcome(toy, "0" * 20)}}, method="rtn", **many)
    new = toy({4: {0: outcome(toy, "1" * 20)}}, method="lsq", control="rtn", **many)
    page = pages.markdown(boards([control, new]), [])
    assert "| +1.0000, p &lt; 0.001 †, rtn, bits 4 at 4 kB |" in page
    assert "not beaten:" not in page.partition("## toy")[2]


@pytest.mark.parametrize(("higher", "least", "most", "wanted"), [(True, -0.01, 0.5, True), (True, -0.011, 0.5, False)])
def test_within_the_margin_is_a_matter_of_the_worse_end(higher, least, most, wanted):
    found = Finding(0.0, -1.0, 1.0, least, most, 1.0, 3, CROSSED)
    assert within(found, 0.01, higher_is_better=higher) == wanted
    mirrored = Finding(0.0, -1.0, 1.0, -most, -least, 1.0, 3, CROSSED)
    assert within(mirrored, 0.01, higher_is_better=not higher) == wanted
    assert not within(Finding(0.0, None, None, None, None, 1.0, 1, CROSSED), 0.01, higher_is_better=higher)


def test_within_the_margin_is_told(toy):
    """400 examples, of which one differs: the one-sided bound is 0.0025 + 1.65 · √(1 + 2) / 400 = 0.0096."""
    task = toy.task | {"rows": {"test": 400}}
    right = "1" * 360 + "0" * 40
    dense = toy({(): {0: outcome(toy, right, 40_000)}}, method="dense", knobs=(), task=task)
    one, two = (outcome(toy, "0" * lost + right[lost:]) for lost in (1, 2))
    points = {4: {0: one}, 2: {0: two}}
    page = pages.markdown(boards([dense, toy(points, task=task)]), [])
    assert page.count(", p 0.15 †, within margin |") == 0
    assert page.count(", p 0.56 †, within margin |") == 1
    assert page.partition("## toy")[2].count("within margin") == 1


def control_of(size, toy, records):
    """What a row of 5 right and so many bytes is compared with, and whether its control has no row of that size."""
    new = toy({3: {0: outcome(toy, "1111100000", size)}}, method="lsq", control="rtn")
    row = rows([*records, new])["lsq"]
    found = row.comparisons.get("control")
    return found and (found.against, round(found.found.difference, 6)), row.uncontrolled


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
        name: {kind: (c.against, round(c.found.difference, 6)) for kind, c in row.comparisons.items()}
        for name, row in found.items()
    }
    assert met == {
        "dense": {},
        "finetuned": {"dense": ("dense", 0.2), "reference": ("dense", 0.2)},
        "lsq": {"dense": ("dense", 0.1), "reference": ("finetuned", -0.1)},
        "rtn": {"dense": ("dense", -0.05), "reference": ("dense", -0.05)},
    }


def test_examples_of_one_cluster_are_one_unit(toy):
    """8 of 10 examples are won: t with 9 degrees of freedom. As clusters of 4, 4 and 2, sums 4, 4 and 0 less 0.8 · size
    each are 0.8, 0.8 and -1.6, with 3/2 · (3.84 + 2) for their squares, and 2 degrees of freedom.
    """
    for clusters, p in ((None, 0.0031), ([7] * 4 + [3] * 4 + [5] * 2, 0.1140)):
        task = toy.task | {"clusters": clusters}
        control = toy({4: {0: outcome(toy, "0" * 10)}}, method="rtn", task=task)
        new = toy({4: {0: outcome(toy, "1111111100")}}, method="lsq", control="rtn", task=task)
        assert rows([control, new])["lsq"].comparisons["control"].found.p == pytest.approx(p, abs=1e-4)


def test_dense_outcomes_are_those_of_the_same_checkpoint(toy):
    """The dense record of the closed division started from c0; the open row's net is another."""
    dense = toy({(): {0: outcome(toy, "1" * 9 + "0")}}, method="dense", knobs=())
    same = toy({4: {0: outcome(toy, "1" * 10)}}, method="rtn", division="open", digest="aa")
    other = toy({4: {0: outcome(toy, "1" * 10)}}, method="rtn", division="open", digest="aa", nets="d")
    assert boards([dense, same])[0].divisions[1].rows[0].comparisons["dense"].found.about == GIVEN_SEED
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
    assert len(compared) == 7
    assert {(c.corrected, c.found.p, c.found.low, c.found.high) for c in compared} == {(1.0, 1.0, None, None)}
    assert {place.rank for row in found[0].divisions[0].rows for place in row.places} == {(1, 1), (1, 3)}
    shown = pages.markdown(found, []) + terminal.text(found) + str(details.records(found[0]))
    assert not re.search(r"\bnan\b|\binf|< 0\.001|&lt; 0\.001", shown, re.IGNORECASE)
