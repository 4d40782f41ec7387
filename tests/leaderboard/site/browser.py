"""A real Chromium for the tests of the site, driven by Selenium: Debian's packages chromium and chromium-driver."""

import shutil
import time
from pathlib import Path

import pytest

from leaderboard.board.board import boards
from leaderboard.site import page

RTN, LSQ, TEXT = (
    "rtn-101b75b7",
    "lsq-34d2af50",
    "rtn-f7a14e6c",
)  # the records that the tests compare: two of toy, one of text

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
PATIENCE = 20.0
"""Seconds."""


class Browser:
    """Shows pages from the disk at a width of 1440 pixels unless told otherwise."""

    def __init__(self, profile: Path):
        webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
        found = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
        for name, path in found.items():
            if path is None:
                pytest.skip(f"there is no {name}; on Debian: apt-get install chromium chromium-driver")
        options = webdriver.ChromeOptions()
        options.binary_location = found["chromium"]
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = webdriver.ChromeService(executable_path=found["chromedriver"])
        self.driver = webdriver.Chrome(options=options, service=service)
        self.width(1440)

    def width(self, pixels: int) -> None:
        size = {"width": pixels, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def open(self, page: Path, place: str = "#/", *, afresh: bool = False) -> None:
        """Until the view and its plots are there. A page that is open already moves to the place."""
        if afresh or self.driver.current_url.partition("#")[0] != page.as_uri() or self.place == place:
            self.driver.get("about:blank")
        else:
            self.run("document.getElementById('main').dataset.ready = ''")
        self.driver.get(page.as_uri() + place)
        self.until("document.getElementById('main').dataset.ready")
        self.until("[...document.querySelectorAll('.plot')].every(p => p.dataset.drawn || p.querySelector('.none'))")

    def until(self, condition: str) -> None:
        end = time.monotonic() + PATIENCE
        while not self.run(f"return Boolean({condition})"):
            assert time.monotonic() < end, f"never true: {condition}; {self.complaints()}"
            time.sleep(0.02)

    def run(self, script: str, *arguments):
        return self.driver.execute_script(script, *arguments)

    def texts(self, selector: str) -> list[str]:
        script = "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)"
        return self.run(script, selector)

    def click(self, selector: str, text: str = "") -> None:
        """The first element of these with that text, which must be seen."""
        for element in self.driver.find_elements("css selector", selector):
            if element.text.strip() == text or not text:
                self.run("arguments[0].scrollIntoView({block: 'center'})", element)
                element.click()
                return
        raise AssertionError(f"no {selector} says {text!r}")

    def type(self, selector: str, text: str) -> None:
        box = self.driver.find_element("css selector", selector)
        box.clear()
        box.send_keys(text)

    @property
    def place(self) -> str:
        return self.run("return location.hash")

    def column(self, name: str) -> list[str]:
        """The cells of a column of a task's table."""
        names = self.run(
            "return [...document.querySelectorAll('section:not(.stale) thead th')].map(th => th.dataset.column)"
        )
        return self.texts(f"section:not(.stale) > .gridbox tbody tr > :nth-child({names.index(name) + 1})")

    def complaints(self) -> list[str]:
        """What the browser logged since this was last asked: errors, warnings, violations of the policy."""
        return [entry["message"] for entry in self.driver.get_log("browser")]


def site(folder: Path, records) -> Path:
    """The site of `records`, in `folder`."""
    path = folder / "index.html"
    path.write_text(page.build(boards(records)), "utf-8")
    return path
