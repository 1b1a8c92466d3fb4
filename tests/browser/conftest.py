# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium that fails the test on any console error and on anything fetched; the page
of a report in it."""

import json

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from pyusdt import report
from pyusdt.recording import Recording
from pyusdt.report import Options

ROW = 22

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,1000",
)


@pytest.fixture(scope="session")
def _driver(tmp_path_factory, tool):
    binary, driver = tool("chromium"), tool("chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(driver)
    browser = webdriver.Chrome(options=options, service=service)
    yield browser
    browser.quit()


@pytest.fixture
def browser(_driver):
    """The browser. After the test: no console message, and nothing but files was asked for."""
    _driver.get("about:blank")  # away from the browser's own first page
    for log in ("browser", "performance"):
        _driver.get_log(log)
    yield _driver
    messages = [
        entry["message"]
        for entry in _driver.get_log("browser")
        # Not the browser's own remarks on drawing, nor what a page is merely proud of.
        if entry["source"] != "rendering" and entry["level"] in ("WARNING", "SEVERE")
    ]
    requests = [json.loads(entry["message"])["message"] for entry in _driver.get_log("performance")]
    urls = {
        message["params"]["request"]["url"].partition("#")[0]
        for message in requests
        if message["method"] == "Network.requestWillBeSent"
    }
    _driver.get("about:blank")
    assert messages == []
    assert {url for url in urls if not url.startswith(("file:", "data:", "blob:"))} == set()


class Page:
    def __init__(self, browser, tmp_path):
        self.browser = browser
        self.path = tmp_path / "page.html"

    def open(self, data, fragment=""):
        return self.open_recording(Recording.from_snapshot(data), fragment)

    def open_recording(self, recording, fragment=""):
        report.write(recording, str(self.path), report.FORMATS["html"], Options())
        self.go(fragment)
        return self

    def go(self, fragment):
        self.browser.get("about:blank")
        self.browser.get(f"{self.path.as_uri()}{fragment}")
        # What is below the mouse is known once it has been drawn.
        self.browser.execute_script(
            "return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    def find(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector):
        return [e.text for e in self.browser.find_elements(By.CSS_SELECTOR, selector)]

    def until(self, expected, seen):
        """Wait until `seen()` is what is expected; say what it was if that never comes."""
        last = []

        def same(_):
            last[:] = [seen()]
            return last == [expected]

        try:
            WebDriverWait(self.browser, 10, poll_frequency=0.02).until(same)
        except Exception:
            assert last[0] == expected
            raise

    def functions(self):
        return self.texts("#functions tbody td.name b")

    def fragment(self):
        return self.browser.execute_script("return location.hash")

    def canvas_at(self, depth, share):
        """A point in the row of that depth, that share of the width from the left."""
        canvas = self.find("#canvas")
        size = canvas.size
        x = size["width"] * share - size["width"] / 2
        y = depth * ROW + ROW / 2 - size["height"] / 2
        return ActionChains(self.browser).move_to_element_with_offset(canvas, int(x), int(y))

    def press(self, *keys):
        ActionChains(self.browser).send_keys(*keys).perform()


@pytest.fixture
def page(browser, tmp_path):
    return Page(browser, tmp_path)


@pytest.fixture
def phone(page):
    page.browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 400, "height": 800, "deviceScaleFactor": 2, "mobile": True},
    )
    yield page
    page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
