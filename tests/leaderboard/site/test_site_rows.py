"""The site in a real browser: the page of a record, two rows side by side, keys and colours."""

from tests.leaderboard.site.browser import LSQ, RTN


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
    assert browser.column("n") == ["1/2 †"]


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
    assert cells[1] == ["1", "0.7000", "0.7000", "+0.0000", "0", "0", "10"]
    browser.click("button", "Swap")
    browser.until("document.getElementById('difference')?.textContent === '+0.0500'")


def test_compares_losses(browser, path):
    """Where less is better the changes are counted: 2.0 against 2.5 on all four examples."""
    browser.open(path, f"#/compare/text?a={RTN}@8&b={RTN}@4")
    browser.until("document.getElementById('difference')")
    assert browser.texts('[aria-label="Seed by seed"] tbody tr > *')[3:] == ["−0.5000", "40, 1, 2, 3", "0", "4"]
    assert "A is better" in browser.texts(".answer")[0]


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
