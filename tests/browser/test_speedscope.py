# SPDX-License-Identifier: Apache-2.0
"""speedscope itself (from npm) opens what we write for it, for pprof and for FlameGraph."""

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from recordings import charged, hostile, snapshot
from selenium.webdriver.support.ui import WebDriverWait

from pyusdt import report
from pyusdt.recording import Recording
from pyusdt.report import Options

pytestmark = [pytest.mark.once, pytest.mark.browser, pytest.mark.apart]

VERSION = "1.25.0"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "pyusdt-tests"


@pytest.fixture(scope="session")
def speedscope(tool):
    """The directory of speedscope's page, fetched once and kept outside of the tree."""
    place = CACHE / f"speedscope-{VERSION}"
    page = place / "node_modules/speedscope/dist/release"
    if not page.exists():
        place.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=CACHE) as fresh:  # whole or not at all
            options = ["--no-audit", "--no-fund", "--fetch-retries=5", "--fetch-timeout=40000"]
            command = [tool("npm"), "install", *options, "--prefix", fresh]
            command.append(f"speedscope@{VERSION}")
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            shutil.rmtree(place / "node_modules", ignore_errors=True)
            os.rename(f"{fresh}/node_modules", place / "node_modules")
    return page


@pytest.mark.parametrize(
    "data", [snapshot(), hostile(), charged()], ids=["sample", "hostile", "charged"]
)
@pytest.mark.parametrize("name", ["speedscope", "pprof", "folded"])
def test_speedscope_opens_it(browser, speedscope, tmp_path, name, data):
    chosen = report.FORMATS[name]
    path = tmp_path / f"a recording{chosen.suffixes[0]}"
    report.write(Recording.from_snapshot(data), str(path), chosen, Options())
    content = base64.b64encode(path.read_bytes()).decode()
    script = tmp_path / "load.js"  # as speedscope's own command line does it
    script.write_text(f"speedscope.loadFileFromBase64({json.dumps(path.name)}, '{content}')")
    browser.get("about:blank")
    browser.get(f"{(speedscope / 'index.html').as_uri()}#localProfilePath={script.as_posix()}")

    def opened(driver):
        # It names the page after the profile, and says so when it cannot read one.
        body = driver.execute_script("return document.body.innerText")
        return "Something went wrong" in body or driver.title not in ("", "speedscope")

    WebDriverWait(browser, 20, poll_frequency=0.05).until(opened)
    assert "Something went wrong" not in browser.execute_script("return document.body.innerText")
    assert browser.title.endswith("speedscope")
