"""How the page and the terminal show rows, heads, failures and notes."""

import re

import msgspec

from leaderboard.board.rows import rows_of
from leaderboard.record.schema import Trial, Tuning
from tests.leaderboard.shown import cells, page_markdown, page_text

TIMED = "0.5 ms ×1.80 [1.62, 1.98]"
RUNS = {8: {0: (0.8, 5000), 1: (0.9, 5000)}}


def test_row_of_the_page(toy):
    """All examples but two are right, one wrong under both seeds and one under one. Mean squares are 0.05 of seeds,
    2.56 / 9 of examples with two more, and 0.05 of the rest: log-odds 1.735 ± 2.262 · √(0.2844 / 20) / 0.1275. Against
    dense, of which nothing but the qualities is known, t = -0.05 / 0.05 with 1 degree: p = ½.
    """
    page = page_markdown([toy({4: {0: (0.8, 4000), 1: (0.9, 6000)}})])
    assert cells(page, "rtn") == [
        {
            "": "●",
            "rank": "1 at 5 kB, 1 at 40 kB",
            "method": "rtn",
            "strength": "bits 4",
            "quality": "0.8500 [0.4058, 0.9792]",
            "against dense": "−0.0500 [−0.6853, +0.5853], p 0.5 ‡",
            "against reference": "−0.0500, p 0.5 ‡",
            "against control": "–",
            "bytes": "5 kB",
            "ratio": "×8",
            "bits a weight": "4",
            "payload": "4.8 kB",
            "memory": "4.1 kB",
            "MACs": "1.23 M",
            "BOPs": "4 G",
            "latency, batch 1": "0.5 ms ×1.80 [1.62, 1.98]",
            "latency, batch 8": "2 ms ×0.50 [0.45, 0.55]",
            "run as": "simulated",
            "training": "none",
            "cost": "12 s, 300 steps",
            "n": "2",
        }
    ]


def test_sparse_distilled_chain_of_one_seed(toy):
    cost = toy.result(1.0, 1).cost
    distilled = toy.result(
        0.9,
        4000,
        density=0.5,
        effective_macs=617_000.0,
        execution="deployed",
        cost=type(cost)(**{f: getattr(cost, f) for f in cost.__struct_fields__} | {"teacher_forwards": 9600}),
    )
    one = toy({(0.5, 8): {0: distilled}}, method="chain", knobs=("sparsity", "bits"))
    (row,) = cells(page_markdown([one]), "chain")
    assert row["strength"] == "sparsity, bits 0.5+8"
    assert row["MACs"] == "617 k of 1.23 M"
    assert row["cost"] == "12 s, 300 steps, 9.6 k teacher"
    assert (row["quality"], row["n"], row["run as"]) == ("0.9000 [0.3644, 0.9930]", "1 †", "deployed")


def test_failed_seeds_are_shown_with_the_reason(toy):
    one = toy({4: {0: (0.8, 4000), 1: "loss is nan | step 3", 2: (0.9, 4000)}, 2: {0: "no room", 1: "no room"}})
    page = page_markdown([one])
    some, none = cells(page, "rtn")
    assert (some["quality"], some["n"]) == ("0.8500 [0.4058, 0.9792]", "2/3")
    assert (none["quality"], none["bytes"], none["n"], none[""]) == ("failed", "–", "0/2", "")
    assert (none["rank"], none["against dense"], none["against control"]) == ("–", "–", "–")
    assert "- rtn, bits 4, seed 1 failed: loss is nan \\| step 3\n- rtn, bits 2, seed 0 failed: no room\n" in page
    assert "rtn, bits 4, seed 1 failed: loss is nan | step 3" in page_text([one])


def test_fallbacks_are_shown(toy):
    one = toy({4: {0: toy.result(0.8, 4000, notes=["conv1: Hessian damped"])}})
    assert "- rtn, bits 4, seed 0: conv1: Hessian damped\n" in page_markdown([one])


def test_what_was_tuned_is_said(toy):
    trials = [Trial(settings={"rate": rate}, loss=loss) for rate, loss in ((1.0, 0.7), (0.3, 0.5), (3.0, None))]
    spent = {"seconds": 3.0, "steps": 600, "labelled_examples": 9}
    tuning = Tuning(seed=0, strength=[4.0], settings={"rate": 0.3}, trials=trials, **spent)
    page = page_markdown([toy({4: {0: (0.8, 4000)}}, tuning=tuning)])
    assert "- rtn: tuned to rate 0.3, best on valid of 3 trials at bits 4, seed 0\n" in page


def test_timing_on_a_busy_machine_is_shown(toy):
    """Dense takes 1 ms at batch 8 and 1.6 there in two of three seeds; 1.5 is not enough, nor a single seed of 9."""

    def taking(*dense):
        known = toy.result(0.8, 4000).latency
        batches = [msgspec.structs.replace(known.batch, dense_median_ms=ms) for ms in dense]
        latencies = [msgspec.structs.replace(known, batch=batch) for batch in batches]
        return {seed: toy.result(0.8, 4000, latency=latency) for seed, latency in enumerate(latencies)}

    record = toy({8: taking(1.0, 1.5, 1.5), 4: taking(1.6, 1.0, 1.6), 2: taking(1.0, 1.0, 9.0), 1: {0: "no room"}})
    assert [row.remarks for row in rows_of(record)] == [
        [],
        ["batch 8 timed on a busy machine: dense took 1.6 ms, elsewhere 1 ms"],
        [],
        ["seed 0 failed: no room"],
    ]


def test_head_of_a_task(toy):
    page = page_markdown([toy(RUNS, dense={0: 0.9, 1: 0.8})])
    assert "## toy\n\n- metric: accuracy, higher is better; vision; task version 1\n" in page
    assert (
        "- data: synthetic: drawn in a test; 10 test examples; fingerprint f00d\n"
        "- scores over 625 B to 40 kB; margin 0.01\n- controls: nearest mean 0.5000\n" in page
    )
    assert (
        "- dense 0.8500 \\[0.2147, 1.0000\\] (n=2), 40 kB; bar ≥ 0.85, missed by 1 of 2 seeds\n"
        "- device: cpu x86_64 ×1\n" in page
    )


def test_bar_where_lower_is_better(toy):
    page = page_markdown([toy({8: {0: (2.0, 5)}}, task=toy.loss, dense={0: 2.1})])
    assert "- dense 2.1000 (n=1), 40 kB; bar ≤ 2.1, reached\n" in page


def test_latency_names_the_device_where_there_are_several(toy):
    here = toy(RUNS, method="a")
    there = toy(RUNS, method="b", made=msgspec.structs.replace(toy.provenance, device="gpu X ×1"))
    page = page_markdown([here, there])
    assert "- device: cpu x86_64 ×1 \\[1\\], gpu X ×1 \\[2\\]\n" in page
    assert [cells(page, m)[0]["latency, batch 1"] for m in "ab"] == [f"{TIMED} [1]", f"{TIMED} [2]"]


def test_a_skipped_point_is_a_remark_and_no_failure(toy):
    one = toy({4: {0: (0.8, 4000), 1: ["needs a teacher"]}, 2: {0: ["needs a teacher"], 1: ["needs a teacher"]}})
    page = page_markdown([one])
    half, none = cells(page, "rtn")
    assert (half["quality"], half["n"], half[""]) == ("0.8000 [0.3365, 0.9693]", "1 †", "●")
    assert (none["quality"], none["n"], none["bytes"], none[""]) == ("skipped", "0", "–", "")
    assert "- rtn, bits 4, seed 1 skipped: needs a teacher\n" in page
    assert "failed" not in page.partition("## toy")[2]


def test_a_record_of_several_commits_and_devices_says_so(toy):
    """The runs of seed 1 were made at another commit and on another device than the dense nets and seed 0."""
    other = msgspec.structs.replace(toy.provenance, commit="1" * 40, device="gpu X ×1")
    one, two = toy({4: {0: (0.8, 4000), 1: (0.8, 4000)}}), toy({4: {1: (0.8, 4000)}}, made=other)
    (point,) = one.points
    mixed = msgspec.structs.replace(
        one,
        provenance=one.provenance | two.provenance,
        points=[msgspec.structs.replace(point, runs=[point.runs[0], two.points[0].runs[0]])],
    )
    page = page_markdown([mixed])
    assert f"- rtn: made at several commits, {'0' * 40}, {'1' * 40}\n" in page
    assert f"- rtn: made at several commits, {'0' * 40}, {'1' * 40}" in page_text([mixed])
    assert cells(page, "rtn")[0]["latency, batch 1"] == f"{TIMED} [1, 2]"
    assert "several commits" not in page_markdown([one])


def test_two_configurations_of_a_method_are_told_apart(toy):
    page = page_markdown([toy({8: {0: (0.8, 5000)}}, digest=digest) for digest in ("aa", "bb")])
    assert [len(cells(page, name)) for name in ("rtn (aa)", "rtn (bb)", "rtn")] == [1, 1, 0]


def test_strings_of_records_are_escaped(toy):
    """A hostile string shows in 4 places above the table, 1 in it and 4 below; it never becomes markup, row or line."""
    evil = "<b>|`x`\n## y\x1b[31m"
    task = toy.task | {"metric": evil, "source": evil, "modality": evil, "controls": {evil: 1.0}}
    one = toy({4: {0: toy.result(0.8, 4000, notes=[evil]), 1: evil}}, task=task, knobs=(evil,))
    page = page_markdown([one])
    assert page.count("&lt;b&gt;\\|\\`x\\` ## y \\[31m") == 9
    assert "<b>" not in page
    assert not re.search(r"^## y|\x1b", page, re.MULTILINE)
    assert cells(page, "rtn")[0]["strength"] == "<b>|`x` ## y [31m 4"
    assert "\x1b" not in page_text([one])


def test_text_is_aligned(toy):
    one = toy({8: {0: (0.9, 12_345), 1: (0.9, 12_345)}, 4: {0: (0.8, 900), 1: "no room"}})
    head, *lines = page_text([one]).splitlines()
    dense = "dense 0.9000 (n=2), 40 kB; bar ≥ 0.85, reached"
    assert head == f"toy, closed division; accuracy; {dense}; device: cpu x86_64 ×1"
    of_all = ["4", "2 ms ×0.50 [0.45, 0.55]", "simulated", "none", "12 s, 300 steps"]
    titles = ["method", "strength", "quality", "against dense", "against reference", "bytes", "ratio", "bits a weight"]
    titles += ["latency, batch 8", "run as", "training", "cost", "n"]
    same = ["+0.0000, p 1 ‡", "+0.0000, p 1 ‡", "12.3 kB", "×3.24"]
    assert [re.split(" {2,}", line.strip()) for line in lines[:3]] == [
        titles,
        ["●", "rtn", "bits 8", "0.9000 [0.3644, 0.9930]", *same, *of_all, "2"],
        ["rtn", "bits 4", "0.8000 [0.3365, 0.9693]", "−0.1000", "−0.1000", "900 B", "×44.4", *of_all, "1/2 †"],
    ]
    assert lines[0].index("run as") == lines[1].index("simulated") == lines[2].index("simulated")
    assert lines[3:] == [
        "",
        "Failures and notes:",
        "",
        "- rtn, bits 4, seed 1 failed: no room",
    ]


def test_no_records():
    assert page_markdown([]).endswith("\nThere are no records yet.\n")
    assert page_text([]) == "no records"
