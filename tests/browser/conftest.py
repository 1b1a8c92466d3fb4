# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium that fails the test on any console error and on anything fetched."""

import json

import pytest
from selenium import webdriver

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
