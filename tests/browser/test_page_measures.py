# SPDX-License-Identifier: Apache-2.0
"""CPU and waits on the HTML page: the flame graph by them, their columns, and the account above."""

import pytest
from recordings import HOSTILE, charged, snapshot
from selenium.webdriver.support.ui import Select

from pyusdt.recording import Recording
from pyusdt.recording.account import account

pytestmark = [pytest.mark.once, pytest.mark.browser, pytest.mark.apart]

CELL = "#functions tbody td.{}"
BARS = "return [...document.querySelectorAll(arguments[0])].map((it) => it.ariaLabel)"


def headings(page):
    return page.texts("#functions th")


def choose(page, name, text):
    Select(page.find(f"#{name}")).select_by_visible_text(text)


def offered(page, name):
    return [option.text for option in Select(page.find(f"#{name}")).options]


def test_cpu_is_the_order_and_waits_are_bars(page):
    page.open(charged())
    assert page.functions() == ["work", "sorted", "main", "read", "_worker"]
    assert page.find("th.cpu").get_attribute("aria-sort") == "descending"
    assert page.texts(CELL.format("cpu")) == ["~30 ms", "~20 ms", "~9 ms", "~5 ms", "~1 ms"]
    assert page.texts(CELL.format("wait")) == ["~7 ms", "-", "~1 ms", "~30 ms", "~200 ms"]
    assert page.texts(CELL.format("self")) == [
        "40.0 ms", "20.0 ms", "10.0 ms", "30.0 ms", "200 ms",
    ]  # fmt: skip
    assert page.texts(CELL.format("native")) == ["20.0 ms", "", "0 ns", "0 ns", "0 ns"]
    bars = page.browser.execute_script(BARS, "#functions .parts")
    assert bars[0] == "CPU ~30 ms, GIL ~7 ms"
    assert bars[3] == "CPU ~5 ms, Poll ~9 ms, Network ~10 ms, Disk ~10 ms, Other ~1 ms"


def test_the_account_of_process_and_threads(page):
    page.open(charged())
    whole = account(Recording.from_snapshot(charged()))
    assert (whole.wall_ns, whole.charges.cpu_ns) == (200_000_000, 69_000_000)
    facts = page.find("#account .facts").text
    assert facts == "Wall 200 ms · CPU 69.0 ms (34.5% of one CPU) · GIL contention ~9%"
    legend = ["CPU 69.0 ms", "GIL ~7 ms", "Lock ~200 ms", "Poll ~9 ms", "Network ~10 ms"]
    assert page.texts("#account .legend li")[:5] == legend
    page.find("#account summary").click()
    assert page.texts("#account tbody tr:nth-child(3) td")[1:] == ["200 ms", "2.00 ms", "", ""]
    page.find("#account tbody tr:nth-child(3) button").click()
    assert page.functions() == ["_worker"]


def test_the_flame_graph_by_cpu(page):
    page.open(charged())
    choose(page, "measure", "CPU")
    page.canvas_at(0, 0.5).perform()
    page.until(True, lambda: "69.0 ms (100.0%)" in page.find("#tip").text)  # as load() has it
    page.canvas_at(1, 0.5).perform()
    page.until("main", lambda: page.find("#tip b").text)
    assert "~60 ms (~90%)" in page.find("#tip").text
    assert page.texts(CELL.format("total")) == ["~50 ms", "~20 ms", "~60 ms", "~5 ms", "~1 ms"]
    assert page.fragment() == "#measure=cpu"
    page.canvas_at(2, 0.1).click().perform()  # work, twice, and sorted
    page.until(["work", "sorted"], page.functions)
    assert page.texts(CELL.format("cpu")) == ["~30 ms", "~20 ms"]
    assert page.texts(CELL.format("native")) == ["20.0 ms", ""]


def test_a_link_has_the_measure(page):
    page.open(charged(), "#measure=lock&colours=state")
    assert Select(page.find("#measure")).first_selected_option.text == "Lock"
    assert Select(page.find("#colours")).first_selected_option.text == "running or waiting"
    assert page.functions()[0] == "_worker"
    assert page.texts("#legend li") == ["running", "waiting"]
    assert headings(page)[1] == "Lock"
    assert page.find("th.lock").get_attribute("aria-sort") == "descending"
    choose(page, "colours", "module")
    assert page.fragment() == "#measure=lock&colours=module"
    assert page.texts("#legend li")[0] == "concurrent.futures.thread"
    page.go("#measure=%3Cb&colours=constructor&zoom=1")
    assert Select(page.find("#measure")).first_selected_option.text == "Wall time"


def test_what_is_not_known_is_not_there(page):
    page.open(charged())
    assert offered(page, "measure") == [
        "Wall time", "CPU", "Waits", "GIL", "Lock", "Poll", "Network", "Disk", "Ready, no CPU",
        "Other",
    ]  # fmt: skip
    page.open(snapshot())
    assert headings(page) == [
        "Function", "Self", "Share", "Total", "Calls", "p50", "p99", "Errors",
    ]  # fmt: skip
    assert not page.find("#measure").is_displayed()
    assert not page.find("#account").is_displayed()
    assert offered(page, "colours") == ["origin of code", "module"]


def test_the_kernels_account_and_its_hostile_names(page):
    data = charged(kernel=True)
    data.kernel_rows += [
        data.kernel_rows[0]._replace(name=name, events=1, ns=1 + i)
        for i, name in enumerate(HOSTILE)
    ]
    page.open(data, "#function=2&measure=disk")
    assert page.texts(CELL.format("wait"))[0] == "11.0 ms"  # not the sampled 30
    legend = ["CPU 69.0 ms", "Lock 199 ms", "Disk 11.0 ms"]
    assert page.texts("#account .legend li") == legend
    first = page.texts("[data-side=Kernel] tr:first-child td")
    assert first == ["System callsread", "7\xd7", "21.0 ms", "1 errors"]
    names = page.texts("[data-side=Kernel] td.name")
    assert "Off the CPUdisk" in names
    assert "System calls<!--" in names
    assert page.browser.execute_script("return document.scripts.length") == 2
    page.canvas_at(2, 0.5).perform()
    page.until("read", lambda: page.find("#tip b").text)
    assert "System calls of the function: read 7\xd7 21.0 ms" in page.find("#tip").text
    assert "Off the CPU: disk 11.0 ms" in page.find("#tip").text


@pytest.mark.parametrize("fragment", ["", "#measure=cpu&function=2"])
def test_charges_fit_a_phone(phone, fragment):
    phone.open(charged(kernel=True), fragment)
    phone.find("#account summary").click()
    assert phone.browser.execute_script("return document.documentElement.scrollWidth") <= 400
