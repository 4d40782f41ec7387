"""The site in a real browser: the page of a record, two rows side by side, keys and colours."""

from leaderboard.board.display import ends, p_value
from leaderboard.board.rows import sample_of
from leaderboard.stats.paired import compare
from tests.leaderboard.site.browser import LSQ, RTN, TEXT


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
    browser.open(path, "#/record/toy/random-ac58ebf6")
    assert browser.texts(".remarks li") == ["0.5, seed 1 failed: diverged at step 7"]
    browser.open(path, "#/task/toy?find=random")
    assert browser.column("n") == ["1/2 †"]


def test_stale_rows_are_apart_and_stamped(browser, path):
    browser.open(path, "#/task/toy")
    ranked, stale = browser.run(
        "return [...document.querySelectorAll('.gridbox')].map(box => box.querySelectorAll('tbody tr').length)"
    )
    assert (ranked, stale) == (5, 1)
    assert browser.texts(".stale .stamp") == ["task.version is 1, the board's is 2"]


def test_compares_two_rows(browser, path, records):
    """Seed 0: rtn alone is right on 0, lsq on 8 and 9; seed 1: no difference. Mean of 0.8 − 0.9 and 0 is −0.05.
    Interval and p are the board's.
    """
    browser.open(path, "#/task/toy?sort=bytes")
    for row in (f"{RTN}@4", f"{LSQ}@4"):
        browser.click(f'input[data-id="{row}"]')
    browser.click(".tray a", "Compare")
    browser.until("document.getElementById('difference')")
    assert browser.place == f"#/compare/toy?a={RTN}%404&b={LSQ}%404"
    assert browser.texts("#difference") == ["−0.0500"]
    a, b = (next(r for r in records if r.method.name == name) for name in ("rtn", "lsq"))
    found = compare(*(sample_of(record.points[-1], None) for record in (a, b)))
    assert browser.texts("#test") == [f" {ends(found.low, found.high, signed=True)}, {p_value(found.p)}"]
    assert browser.texts(".answer")[0].endswith(": they cannot be told apart.")
    lines = '[aria-label="Seed by seed"] tbody tr'
    cells = [browser.texts(f"{lines}:nth-child({i}) > *") for i in (1, 2)]
    assert cells[0] == ["0", "0.8000", "0.9000", "−0.1000", "10", "28, 9", "10"]
    assert cells[1] == ["1", "0.7000", "0.7000", "+0.0000", "0", "0", "10"]
    browser.click("button", "Swap")
    browser.until("document.getElementById('difference')?.textContent === '+0.0500'")


def test_compares_losses(browser, path):
    """Where less is better the changes are counted: 2.0 against 2.5 on all four examples. With two more, 0.5 either
    way, the error is √(0.5 / 12), and t has 3 degrees of freedom.
    """
    browser.open(path, f"#/compare/text?a={TEXT}@8&b={TEXT}@4")
    browser.until("document.getElementById('difference')")
    assert browser.texts('[aria-label="Seed by seed"] tbody tr > *')[3:] == ["−0.5000", "40, 1, 2, 3", "0", "4"]
    (answer,) = browser.texts(".answer")
    assert answer.endswith("[−1.1496, +0.1496], p 0.092: they cannot be told apart, as far as this seed’s nets go.")


def test_headers_and_rows_are_reached_by_keyboard(browser, path):
    """Everything that acts is a link, a button or a field: Enter on a header sorts."""
    browser.open(path, "#/task/toy")
    header = browser.driver.find_element("css selector", "th[data-column=bytes] button")
    header.send_keys("\ue007")
    assert browser.column("bytes")[0] == "5 kB"
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
