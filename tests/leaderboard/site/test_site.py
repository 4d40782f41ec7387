"""The site in a real browser: every view loads; the overview and the pages of tasks."""

import pytest

from tests.leaderboard.site.browser import LSQ, RTN, TEXT

VIEWS = {
    "overview": "#/",
    "task": "#/task/toy",
    "record": f"#/record/toy/{RTN}",
    "stale record": "#/record/toy/magnitude-1057d8d2",
    "comparison": f"#/compare/toy?a={RTN}@4&b={LSQ}@4",
    "comparison of losses": f"#/compare/text?a={TEXT}@8&b={TEXT}@4",
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


def test_sorts_by_any_header(browser, path):
    """The best first to begin with; of bytes, the smallest; a second click turns it round."""
    browser.open(path, "#/task/toy")
    assert [text[:6] for text in browser.column("quality")] == ["0.9000", "0.9000", "0.8000", "0.7500", "0.6000"]
    for order, sizes in (("ascending", ["5 kB", "5.5 kB", "9 kB", "20 kB", "40 kB"]), ("descending", ["40 kB"])):
        browser.click("th[data-column=bytes] button")
        assert browser.column("bytes")[: len(sizes)] == sizes
        header = "document.querySelector('th[data-column=bytes]').getAttribute('aria-sort')"
        assert browser.run(f"return {header}") == order
    assert browser.place == "#/task/toy?sort=-bytes"


def test_filters_rows(browser, path):
    browser.open(path, "#/task/toy")
    browser.type(".head input", "rtn 4")
    assert browser.column("strength") == ["bits 4"]
    assert browser.place == "#/task/toy?find=rtn+4"


def test_families_and_methods_are_chosen_in_the_legend(browser, path):
    browser.open(path, "#/task/toy")
    browser.click(".legend button", "lsq")
    assert len(browser.column("method")) == 1
    browser.click(".legend button", "lsq")
    assert len(browser.column("method")) == 5
    browser.click(".legend input")
    assert len(browser.column("method")) == 4
    assert browser.place == "#/task/toy?off=dense"


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
    best, following, smallest = browser.texts(".answer p")
    assert best.startswith("Under 6 kB, best is lsq, bits 4 at 5.5 kB: accuracy 0.8000")
    assert following == "Next is rtn, bits 4, −0.0500. Compare them"
    assert smallest == "None is sure not to be worse than dense by more than 0.01."
    assert browser.column("bytes") == ["5.5 kB", "5 kB"]
    browser.type(".controls input", "10 B")
    assert browser.texts(".answer") == ["Under 10 B: nothing on the board fits."]
    browser.type(".controls input", "much")
    assert browser.run("return document.querySelector('.controls .wrong') !== null")


def test_a_deep_link_keeps_the_view(browser, path):
    place = "#/task/toy?x=bops&only=rtn&find=bits&sort=bytes"
    browser.open(path, place, afresh=True)
    assert "bit operations of one example" in browser.texts(".plot svg text")
    assert browser.column("bytes") == ["5 kB", "9 kB"]
    assert browser.run("return document.querySelector('.head input').value") == "bits"
    assert browser.place == place
