"""The site in a real browser: what is seen, what can be clicked, what a record's strings cannot do."""

import base64
import gzip
import re

import pytest

from leaderboard.board import boards
from leaderboard.site import page
from tests.leaderboard.browser import Browser

RTN, LSQ = "rtn-0a1b2c3d", "lsq-0a1b2c3d"
EVIL = "<img src=x onerror=\"document.title='owned'\">'\"</script><b>&amp;\x1b[31m\u202e"
SEEN = "<img src=x onerror=\"document.title='owned'\">'\"</script><b>&amp; [31m"
"""What is left of it: control and direction characters are none of a line."""


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.driver.quit()


def site(folder, records):
    path = folder / "index.html"
    path.write_text(page.build(boards(records)), "utf-8")
    return path


@pytest.fixture(scope="session")
def records(toy):
    """By hand. toy: rtn at 8 and 4 bits, lsq at 4, random pruning, dense, and magnitude of an older version."""
    task = toy.task | {"version": 2}
    right = {("rtn", 0): "1111111100", ("rtn", 1): "1111111000", ("lsq", 0): "0111111111", ("lsq", 1): "1111111000"}

    def run(method, seed, size, **changes):
        outcomes = right[method, seed]
        return toy.result(outcomes.count("1") / 10, size, outcomes=outcomes, **changes)

    rtn = {8: {0: (0.9, 9000), 1: (0.9, 9000)}, 4: {s: run("rtn", s, 5000, effective_macs=2e6) for s in (0, 1)}}
    return [
        toy(rtn, task=task),
        toy({4: {s: run("lsq", s, 5500) for s in (0, 1)}}, task=task, method="lsq"),
        toy({0.5: {0: (0.6, 20_000), 1: "diverged at step 7"}}, task=task, method="random", knob="sparsity"),
        toy({32: {0: (0.9, 40_000), 1: (0.9, 40_000)}}, task=task, method="dense", knob="none"),
        toy({0.5: {0: (0.5, 20_000)}}, method="magnitude", knob="sparsity"),
        toy({8: {0: (2.0, 5000)}, 4: {0: (2.5, 3000)}}, task=toy.loss),
    ]


@pytest.fixture(scope="session")
def path(records, tmp_path_factory):
    return site(tmp_path_factory.mktemp("site"), records)


VIEWS = {
    "overview": "#/",
    "task": "#/task/toy",
    "record": f"#/record/toy/{RTN}",
    "stale record": "#/record/toy/magnitude-0a1b2c3d",
    "comparison": f"#/compare/toy?a={RTN}@4&b={LSQ}@4",
    "comparison of losses": f"#/compare/text?a={RTN}@8&b={RTN}@4",
    "nowhere": "#/task/atlantis",
}


@pytest.mark.parametrize("place", VIEWS.values(), ids=VIEWS)
def test_loads_without_complaint_at_any_width(browser, path, place):
    """No error, no warning, no violation of the policy; the page itself never scrolls sideways."""
    try:
        for width in (1440, 390):
            browser.width(width)
            browser.open(path, place)
            assert browser.complaints() == []
            assert browser.run("return document.documentElement.scrollWidth") <= width
    finally:
        browser.width(1440)


def test_overview_leads_to_the_task(browser, path):
    browser.open(path)
    assert browser.texts(".heat tbody th a") == ["text", "toy"]
    browser.click(".heat tbody th a", "toy")
    browser.until("document.querySelector('h1')?.textContent === 'toy'")
    assert browser.place == "#/task/toy"


def column(browser, name):
    names = browser.run(
        "return [...document.querySelectorAll('section:not(.stale) thead th')].map(th => th.dataset.column)"
    )
    return browser.texts(f"section:not(.stale) > .gridbox tbody tr > :nth-child({names.index(name) + 1})")


def test_sorts_by_any_header(browser, path):
    """The best first to begin with; of bytes, the smallest; a second click turns it round."""
    browser.open(path, "#/task/toy")
    assert [text[:6] for text in column(browser, "quality")] == ["0.9000", "0.9000", "0.8000", "0.7500", "0.6000"]
    for order, sizes in (("ascending", ["5 kB", "5.5 kB", "9 kB", "20 kB", "40 kB"]), ("descending", ["40 kB"])):
        browser.click("th[data-column=bytes] button")
        assert column(browser, "bytes")[: len(sizes)] == sizes
        header = "document.querySelector('th[data-column=bytes]').getAttribute('aria-sort')"
        assert browser.run(f"return {header}") == order
    assert browser.place == "#/task/toy?sort=-bytes"


def test_filters_rows(browser, path):
    browser.open(path, "#/task/toy")
    browser.type(".head input", "rtn 4")
    assert column(browser, "strength") == ["bits 4"]
    assert browser.place == "#/task/toy?find=rtn+4"


def test_families_and_methods_are_chosen_in_the_legend(browser, path):
    browser.open(path, "#/task/toy")
    browser.click(".legend button", "lsq")
    assert len(column(browser, "method")) == 1
    browser.click(".legend button", "lsq")
    assert len(column(browser, "method")) == 5
    browser.click(".legend input")
    assert column(browser, "method") == []
    assert browser.place == "#/task/toy?off=quantization"


def test_switches_axes(browser, path):
    """Of bytes, three rows are in the plot's Pareto front; the axis says what it shows."""
    browser.open(path, "#/task/toy")
    assert "artifact, bytes" in browser.texts(".plot svg text")
    browser.click(".choice button", "MACs")
    browser.until("[...document.querySelectorAll('.plot svg text')].some(t => t.textContent.includes('MACs'))")
    assert browser.place == "#/task/toy?x=macs"
    assert browser.texts('[data-value="macs"][aria-pressed="true"]') == ["MACs"]
    assert browser.complaints() == []


def test_marks_show_their_figures(browser, path):
    """Pointing at a mark opens a card with a link to its record; a click keeps it there."""
    browser.open(path, "#/task/toy")
    chains = pytest.importorskip("selenium.webdriver").ActionChains
    mark = browser.driver.find_elements("css selector", ".plot svg .mark-symbol path")[1]
    browser.run("arguments[0].scrollIntoView({block: 'center'})", mark)
    chains(browser.driver).move_to_element(mark).perform()
    browser.until("document.querySelector('.card')?.hidden === false")
    assert browser.texts(".card b") == ["lsq · bits 4"]
    chains(browser.driver).click().move_to_element(browser.driver.find_element("css selector", "h1")).perform()
    assert browser.run("return document.querySelector('.card').hidden") is False
    browser.click(".card a")
    browser.until("document.querySelector('.command pre')")
    assert browser.place == f"#/record/toy/{LSQ}"


def test_answers_what_is_best_under_a_budget(browser, path):
    """Under 6 kB: lsq, 0.8, at 5.5 kB; rtn at 4 bits, 0.75, is next. Under 10 B there is nothing."""
    browser.open(path, "#/task/toy?under=6kB")
    best, following = browser.texts(".answer p")
    assert best.startswith("Under 6 kB, best is lsq, bits 4 at 5.5 kB: accuracy 0.8000")
    assert following.startswith("Next is rtn, bits 4, −0.0500.")
    assert column(browser, "bytes") == ["5.5 kB", "5 kB"]
    browser.type(".controls input", "10 B")
    assert browser.texts(".answer") == ["Under 10 B: nothing on the board fits."]
    browser.type(".controls input", "much")
    assert browser.run("return document.querySelector('.controls .wrong') !== null")


def test_a_deep_link_keeps_the_view(browser, path):
    place = "#/task/toy?x=bops&only=rtn&find=bits&sort=bytes"
    browser.open(path, place, afresh=True)
    assert "bit operations of one example" in browser.texts(".plot svg text")
    assert column(browser, "bytes") == ["5 kB", "9 kB"]
    assert browser.run("return document.querySelector('.head input').value") == "bits"
    assert browser.place == place


def test_opens_a_record(browser, path):
    """From the row to the record: its seeds, its command, its configuration."""
    browser.open(path, "#/task/toy")
    browser.click(".gridbox tbody a", "rtn ●")
    browser.until("document.querySelector('.command pre')")
    assert browser.place == f"#/record/toy/{RTN}"
    assert browser.texts(".command pre, .command button") == ["python", "Copy"]
    seeds = browser.texts('[aria-label="Every seed"] tbody tr > :nth-child(3)')
    assert seeds == ["0.9000", "0.9000", "0.8000", "0.7000"]
    assert '"names": [' in browser.texts(".config")[0]
    assert f"leaderboard/results/toy/{RTN}.json" in browser.texts(".facts a")


def test_failures_are_shown(browser, path):
    browser.open(path, "#/record/toy/random-0a1b2c3d")
    assert browser.texts(".remarks li") == ["0.5, seed 1 failed: diverged at step 7"]
    browser.open(path, "#/task/toy?find=random")
    assert column(browser, "n") == ["1/2 †"]


def test_stale_rows_are_apart_and_stamped(browser, path):
    browser.open(path, "#/task/toy")
    ranked, stale = browser.run(
        "return [...document.querySelectorAll('.gridbox')].map(box => box.querySelectorAll('tbody tr').length)"
    )
    assert (ranked, stale) == (5, 1)
    assert browser.texts(".stale .stamp") == ["task version 1, the newest is 2"]


def test_compares_two_rows(browser, path):
    """Seed 0: rtn alone is right on 0, lsq on 8 and 9; seed 1: no difference. Mean of 0.8 − 0.9 and 0 is −0.05."""
    browser.open(path, "#/task/toy?sort=bytes")
    for row in (f"{RTN}@4", f"{LSQ}@4"):
        browser.click(f'input[data-id="{row}"]')
    browser.click(".tray a", "Compare")
    browser.until("document.getElementById('difference')")
    assert browser.place == f"#/compare/toy?a={RTN}%404&b={LSQ}%404"
    assert browser.texts("#difference") == ["−0.0500"]
    lines = '[aria-label="Seed by seed"] tbody tr'
    cells = [browser.texts(f"{lines}:nth-child({i}) > *") for i in (1, 2)]
    assert cells[0] == ["0", "0.8000", "0.9000", "−0.1000", "10", "28, 9", "10"]
    assert cells[1] == ["1", "0.7000", "0.7000", "0.0000", "0", "0", "10"]
    browser.click("button", "Swap")
    browser.until("document.getElementById('difference')?.textContent === '+0.0500'")


def test_compares_losses(browser, path):
    """Where less is better the changes are counted: 2.0 against 2.5 on all four examples."""
    browser.open(path, VIEWS["comparison of losses"])
    browser.until("document.getElementById('difference')")
    assert browser.texts('[aria-label="Seed by seed"] tbody tr > *')[3:] == ["−0.5000", "40, 1, 2, 3", "0", "4"]
    assert "A is better" in browser.texts(".answer")[0]


def test_headers_and_rows_are_reached_by_keyboard(browser, path):
    """Everything that acts is a link, a button or a field: Enter on a header sorts."""
    browser.open(path, "#/task/toy")
    header = browser.driver.find_element("css selector", "th[data-column=bytes] button")
    header.send_keys("\ue007")
    assert column(browser, "bytes")[0] == "5 kB"
    assert (
        browser.run("return document.querySelectorAll('main [onclick], main [tabindex]:not([tabindex=\"0\"])').length")
        == 0
    )


def test_colours_can_be_switched(browser, path):
    browser.open(path)
    before = browser.run("return getComputedStyle(document.body).backgroundColor")
    browser.click("#theme")
    assert browser.run("return getComputedStyle(document.body).backgroundColor") != before
    browser.click("#theme")
    assert browser.run("return getComputedStyle(document.body).backgroundColor") == before


def test_hostile_strings_are_shown_and_do_nothing(browser, toy, tmp_path):
    """In every free text of a record, on every view; the page gains no element and no title by it."""
    task = toy.task | {"metric": EVIL, "source": EVIL, "modality": EVIL, "controls": {EVIL: 1.0}}
    one = toy({4: {0: toy.result(0.8, 4000, notes=[EVIL]), 1: EVIL}}, task=task, knob=EVIL, config={EVIL: [EVIL]})
    made = one.provenance
    fields = {name: getattr(made, name) for name in made.__struct_fields__}
    there = type(made)(**fields | {"command": EVIL, "commit": EVIL, "device": EVIL, "libraries": {EVIL: EVIL}})
    hostile = type(one)(**{name: getattr(one, name) for name in one.__struct_fields__} | {"provenance": there})
    opened = site(tmp_path, [hostile])
    for place in ("#/", "#/task/toy", f"#/record/toy/{RTN}", f"#/compare/toy?a={RTN}@4&b={EVIL}"):
        browser.open(opened, place)
        assert SEEN in browser.run("return document.body.textContent")
        assert browser.run("return [...document.querySelectorAll('main img, main script, aside img')].length") == 0
        assert browser.driver.title.startswith("slimbench")
        assert browser.complaints() == []


STATISTICS = {
    "aggregate": [
        {"method": "rtn", "axis": "bytes", "tasks": 2, "missing": [], "value": 0.4, "low": 0.3, "high": 0.5},
        {"method": "lsq", "axis": "bytes", "tasks": 1, "missing": ["text"], "value": 0.6, "low": None, "high": None},
    ],
    "profiles": {"lsq": [[0, 1], [0.5, 0.5]], "rtn": [[0, 1], [0.5, 0]]},
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
        scores = {"lsq": {"bytes": [0.6, 0.5, 0.7, 0.6]}, "rtn": {"bytes": [0.4, None, None, 0.4]}}
        for record in toys:
            record["scores"] = scores.get(record["method"], {})
        return made

    payload_overview = page.payload.overview
    monkeypatch.setattr(page.payload, "overview", overview)
    opened = site(tmp_path, records)
    browser.open(opened)
    assert browser.texts(".heat thead th")[1:] == ["lsq", "random", "rtn"]
    assert browser.texts(".heat tbody:nth-of-type(1) tr:last-child td") == ["0.60", "–", "0.40"]
    assert browser.texts("details li") == ["lsq has 1, lacks text"]
    assert {"lsq", "rtn"} <= set(browser.texts(".plot svg text"))
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
    browser.open(opened, VIEWS["comparison"])
    assert "had no room" in browser.texts(".none")[0]
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
