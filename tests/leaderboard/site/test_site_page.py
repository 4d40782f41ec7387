"""The page of the site as a whole: what a record's strings cannot do, what is left out, and what it is made of."""

import base64
import gzip
import json
import random
import re

import msgspec

from leaderboard.board.board import boards
from leaderboard.record import registry
from leaderboard.record.schema import Verification
from leaderboard.site import details, page
from tests.leaderboard.site.browser import LSQ, RTN, site

EVIL = "<img src=x onerror=\"document.title='owned'\">'\"</script><b>&amp;\x1b[31m\u202e"
SEEN = "<img src=x onerror=\"document.title='owned'\">'\"</script><b>&amp; [31m"
"""What is left of it: control and direction characters are none of a line."""


def test_hostile_strings_are_shown_and_do_nothing(browser, toy, tmp_path):
    """In every free text of a record, on every view; the page gains no element and no title by it."""
    task = toy.task | {"metric": EVIL, "source": EVIL, "modality": EVIL, "controls": {EVIL: 1.0}}
    texts = {"command": EVIL, "commit": EVIL, "device": EVIL, "libraries": {EVIL: EVIL}}
    made = msgspec.structs.replace(toy.provenance, outside=[EVIL], settings={EVIL: EVIL}, **texts)
    points = {4: {0: toy.result(0.8, 4000, notes=[EVIL]), 1: EVIL, 2: [EVIL]}}
    one = toy(points, task=task, knobs=(EVIL,), config={EVIL: [EVIL]}, made=made)
    opened, key = site(tmp_path, [one]), f"rtn-{one.method.digest}"
    for place in ("#/", "#/task/toy", f"#/record/toy/{key}", f"#/compare/toy?a={key}@4&b={EVIL}"):
        browser.open(opened, place)
        assert SEEN in browser.run("return document.body.textContent")
        assert browser.run("return [...document.querySelectorAll('main img, main script, aside img')].length") == 0
        assert browser.driver.title.startswith("slimbench")
        assert browser.complaints() == []


STATISTICS = {
    "aggregate": [
        {
            "method": "rtn",
            "axis": "bytes",
            "tasks": 2,
            "missing": [],
            "value": 0.4,
            "low": 0.3,
            "high": 0.5,
            "rank": "1–2",
        },
        {
            "method": "lsq",
            "axis": "bytes",
            "tasks": 1,
            "missing": ["text"],
            "value": 0.6,
            "low": None,
            "high": None,
            "rank": None,
        },
    ],
    "critical": {"bytes": {"ranks": {"lsq": 1.25, "rtn": 2.5}, "difference": 1.5, "p": 0.031}, "latency": None},
    "claims": [
        {
            "task": "toy",
            "method": "rtn",
            "strength": "4",
            "metric": "accuracy",
            "value": 0.76,
            "tolerance": 0.02,
            "paper": EVIL,
            "arxiv": None,
            "where": "table 1",
            "status": "matched",
            "reproduced": [0.75, 0.07, 2, 0.1, 1.4],
        }
    ],
}


def test_statistics_on_the_overview(browser, records, tmp_path, monkeypatch):
    """Scores in the heat map, missing ones as such; who lacks a task is named; claims stand beside what was found."""

    def overview(found):
        made = payload_overview(found) | STATISTICS
        toys = made["tasks"][1]["groups"][0]["records"]
        scores = {"lsq": {"bytes": [0.6, 0.5, 0.7]}, "rtn": {"bytes": [0.4, None, None]}}
        for record in toys:
            record["scores"] = scores.get(record["method"], {})
            record["chosen"] = list(record["scores"])
        return made

    payload_overview = page.payload.overview
    monkeypatch.setattr(page.payload, "overview", overview)
    opened = site(tmp_path, records)
    browser.open(opened)
    assert browser.texts(".heat thead th")[1:] == ["lsq", "random", "rtn"]
    assert browser.texts(".heat tbody:nth-of-type(1) tr:last-child td") == ["0.60", "–", "0.40"]
    assert browser.texts("details li") == ["lsq has 1, lacks text"]
    assert {"lsq", "rtn", "rtn  1–2", "mean rank, 1 is the best"} <= set(browser.texts(".plot svg text"))
    assert "the critical difference is 1.50 (Nemenyi; Friedman p 0.031)" in " ".join(browser.texts(".note"))
    (claim,) = browser.texts('[aria-label="Claimed and reproduced"] tbody tr')
    assert claim == f"toyrtn40.76 ± 0.02accuracy0.7500[0.1000, 1.4000] n 2matched{EVIL}table 1"
    browser.click(".choice button", "latency")
    browser.until("document.querySelectorAll('.heat td a').length === 0")
    assert browser.complaints() == []


def test_what_does_not_fit_is_left_out_and_said(browser, records, tmp_path, monkeypatch):
    monkeypatch.setattr(page, "LARGEST", 200_000)
    opened = site(tmp_path, records)
    browser.open(opened, f"#/record/toy/{RTN}")
    assert "had no room" in browser.texts(".none")[0]
    browser.open(opened, f"#/compare/toy?a={RTN}@4&b={LSQ}@4")
    assert "had no room" in browser.texts(".none")[0]
    assert browser.complaints() == []


def blocks(text, kind):
    """Of a page: {task: what its block holds}."""
    found = re.findall(rf'id="{kind}/([^"]*)">([^<]*)<', page.unpacked(text))
    return {name: json.loads(html) for name, html in found}


def heavy(toy, task, **changes):
    """A record of few runs and much text that does not pack well."""
    draw = random.Random(0)
    notes = [f"{draw.getrandbits(1600):0400x}" for _ in range(100)]
    return toy({8: {0: toy.result(0.9, 5000, notes=notes)}}, task=task, **changes)


def test_one_large_record_takes_no_room_of_the_others(toy, records, monkeypatch):
    """It is ranked, and what it says is left out; the blocks of the others hold what they did."""
    monkeypatch.setattr(details, "MOST", 30_000)
    known = registry.said(records)
    one = heavy(toy, toy.task | {"version": 2}, method="heavy")
    before, after = (page.build(boards(found, known)) for found in (records, [*records, one]))
    assert blocks(after, "details") == blocks(before, "details")
    outcomes = blocks(after, "outcomes")
    assert outcomes["toy"].pop(f"heavy-{one.method.digest}") == [["1111111110"]]
    assert outcomes == blocks(before, "outcomes")
    assert f"heavy-{one.method.digest}" in blocks(after, "rows")["toy"]["record"]


def test_a_large_task_takes_no_room_of_the_others(toy, records, monkeypatch):
    """It has the fewest runs, so that its turn is first; nothing of it fits, and the others are there."""
    one = heavy(toy, toy.task | {"name": "large"})
    found, before = boards([*records, one]), page.build(boards(records))
    monkeypatch.setattr(page, "LARGEST", len(before) + 60_000)
    after = page.build(found)
    assert blocks(after, "details") == blocks(before, "details")
    assert blocks(after, "outcomes").keys() == {"large", "text", "toy"}


def test_stale_records_take_no_room_for_their_outcomes(records):
    """magnitude is of an older version."""
    assert [name.partition("-")[0] for name in blocks(page.build(boards(records)), "outcomes")["toy"]] == [
        *("dense", "lsq", "random", "rtn")
    ]


def test_an_unregistered_task_is_named_on_the_overview(toy, records, browser, tmp_path):
    """It is no task of the page, takes no block, and has no mark."""
    known = registry.said(records)
    odd = toy({8: {0: (0.9, 5000)}}, task=toy.task | {"name": "odd"}, method="strange")
    before, after = page.build(boards(records, known)), page.build(boards([*records, odd], known))
    for kind in ("rows", "details", "outcomes"):
        assert blocks(after, kind) == blocks(before, kind)
    (tmp_path / "index.html").write_text(after, "utf-8")
    browser.open(tmp_path / "index.html")
    assert browser.texts(".lead")[0].startswith("2 tasks, ")
    (line,) = [text for text in browser.texts("section li") if text.startswith("odd: ")]
    assert line.startswith(f"odd: strange-{odd.method.digest} (closed): leaderboard/tasks.json has no such task; ")
    assert browser.complaints() == []


def test_a_stamp_stands_at_the_point_that_was_made_again(toy, records, browser, tmp_path):
    stamp = Verification(
        seed=1, strength=[4.0], quality=0.7, tolerance=0.2, device="cpu", commit="1" * 40, date="2026-01-31"
    )
    one = msgspec.structs.replace(records[0], verified=[stamp])
    assert one.method.name == "rtn"
    opened = site(tmp_path, [one, *records[1:]])
    browser.open(opened, "#/task/toy")
    found = browser.run(
        "return [...document.querySelectorAll('.stamp.good')].map(s => [s.title, s.closest('tr').textContent])"
    )
    ((title, row),) = found
    assert title == "made again: seed 1"
    assert "bits 4" in row or "4" in row
    browser.open(opened, f"#/record/toy/{RTN}")
    assert "✓ strength 4, seed 1 verified on cpu, 2026-01-31" in browser.texts(".stamps .stamp")
    assert browser.complaints() == []


def test_an_empty_board(browser, tmp_path):
    opened = site(tmp_path, [])
    browser.open(opened)
    assert browser.texts(".lead")[0].startswith("0 tasks, 0 methods, 0 records.")
    assert browser.complaints() == []


def test_the_page_is_the_same_each_time_and_small(records):
    """Also where its blocks were packed by another zlib, what it holds is the same."""
    first = page.build(boards(records))
    assert page.build(boards(list(reversed(records)))) == first
    assert len(first.encode()) < 700_000

    def repacked(match):
        data = gzip.compress(gzip.decompress(base64.b64decode(match[2])), 1, mtime=0)
        return match[1] + base64.b64encode(data).decode()

    other = page.BLOCK.sub(repacked, first)
    assert other != first
    assert page.unpacked(other) == page.unpacked(first)
    assert page.unpacked(first.replace("slimbench", "slimbanch", 1)) != page.unpacked(first)


def test_the_policy_names_every_script(records):
    text = page.build(boards(records))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert not re.search(r"<[a-z]+[^>]* on[a-z]+=", text.partition("<script")[0])
    assert "//" not in re.sub(r"<style>.*</style>", "", text.partition("<script")[0], flags=re.DOTALL).replace("</", "")
