# SPDX-License-Identifier: Apache-2.0
"""The HTML page in a real browser: what a user clicks, types and sees."""

import random

import pytest
from recordings import HOSTILE, MS, hostile, snapshot, snapshot_of
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from pyusdt.recording.snapshot import clean

pytestmark = [pytest.mark.once, pytest.mark.browser, pytest.mark.apart]


def test_what_is_shown_at_first(page):
    page.open(snapshot())
    assert page.functions() == ["read", "run", "Parser.parse", "main"]
    assert page.texts("#functions tbody tr:nth-child(3) td")[1:] == [
        "40.0 ms", "26.7%", "60.0 ms", "7", "10.0 ms", "10.0 ms", "1",
    ]  # fmt: skip
    assert page.find("#losses").text == "lost: 3 nodes"
    assert page.texts("#steps tbody td.name b") == ["load", "size", "state"]
    assert page.texts("#crumbs button") == ["all threads"]


def test_sorting(page):
    page.open(snapshot())
    page.find("[data-sort=total]").click()
    assert page.functions() == ["main", "Parser.parse", "read", "run"]
    assert page.find("th.total").get_attribute("aria-sort") == "descending"
    page.find("[data-sort=total]").click()
    assert page.functions() == ["run", "read", "Parser.parse", "main"]
    page.find("[data-sort=name]").click()
    assert page.functions() == ["main", "Parser.parse", "read", "run"]
    assert page.fragment() == "#sort=name"


def test_searching(page):
    page.open(snapshot())
    page.press("/")
    page.press("PARSE")
    page.until(["Parser.parse"], page.functions)
    assert page.find("#matched").text == "40.0% matched (60.0 ms)"
    assert page.fragment() == "#search=PARSE"
    page.press(Keys.ESCAPE)
    page.until(4, lambda: len(page.functions()))
    assert page.find("#matched").text == ""


def test_zooming_by_mouse_and_key(page):
    page.open(snapshot())
    page.canvas_at(2, 0.1).click().perform()  # main > parse: 60 of 150 ms, at the left
    page.until(["all threads", "main", "Parser.parse"], lambda: page.texts("#crumbs button"))
    assert page.find("#details h2").text == "Parser.parse"
    page.press(Keys.ESCAPE)
    page.until(["all threads", "main"], lambda: page.texts("#crumbs button"))
    page.find("#crumbs button").click()
    page.until(["all threads"], lambda: page.texts("#crumbs button"))


def test_zooming_narrows_the_table(page):
    page.open(snapshot())
    page.canvas_at(2, 0.1).click().perform()
    page.until(["Parser.parse", "read"], page.functions)
    assert page.find("#count").text == "2 in Parser.parse"
    # Its own 40 of 60 ms, recursion counted once; 20 of the 55 ms of `read` are below it.
    cells = "#functions tbody tr:nth-child({}) td"
    assert page.texts(cells.format(1))[1:5] == ["40.0 ms", "66.7%", "60.0 ms", "7"]
    assert page.texts(cells.format(2))[1:5] == ["20.0 ms", "33.3%", "20.0 ms", "11"]
    # The selected function is still that of the whole thread.
    page.find("#functions tbody tr:nth-child(2)").click()
    assert "55.0 ms" in page.find("#details dl").text
    page.find("#crumbs button").click()
    page.until(["read", "run", "Parser.parse", "main"], page.functions)
    assert page.find("#count").text == "4"


def test_bars_keep_their_length_when_searching(page):
    page.open(snapshot())

    def parts():
        rows = page.browser.find_elements(By.CSS_SELECTOR, "#functions tbody tr")
        return {
            row.find_element(By.CSS_SELECTOR, "td.name b").text: row.find_element(
                By.CSS_SELECTOR, "td.share"
            ).get_attribute("style")
            for row in rows
        }

    every = parts()
    assert len(every) == 4
    page.press("/")
    page.press("parse")
    page.until({"Parser.parse": every["Parser.parse"]}, parts)


@pytest.mark.parametrize("table", ["#functions", "[data-side=Callees]", "#steps table"])
def test_names_are_on_the_screen_of_a_phone(phone, table):
    data = snapshot()
    data.functions[0] = data.functions[0]._replace(qualname="Application.main_with_a_long_name")
    data.functions[2] = data.functions[2]._replace(qualname="Reader.read_with_a_long_name_too")
    phone.open(data, "#function=1")

    def edges():
        return phone.browser.execute_script(
            """const cells = [...document.querySelectorAll(arguments[0] + " tbody td.name")];
            return cells.map((cell) => {
                const all = document.createRange();
                all.selectNodeContents(cell.querySelector("b"));
                const [box, text] = [cell.getBoundingClientRect(), all.getBoundingClientRect()];
                return [box.left, Math.max(box.right, text.right), text.width];
            });""",
            table,
        )

    first = edges()
    assert first
    phone.browser.execute_script(
        """let box = document.querySelector(arguments[0]);
        while (box && box.scrollWidth <= box.clientWidth) box = box.parentElement;
        if (box) box.scrollLeft = 10_000;""",
        table,
    )
    for left, right, width in (*first, *edges()):
        assert 0 <= left < right <= 400
        assert width > 20
    assert phone.browser.execute_script("return document.documentElement.scrollWidth") <= 400


def test_the_tip_names_what_is_below_the_mouse(page):
    page.open(snapshot())
    page.canvas_at(1, 0.9).perform()  # the worker's 50 ms come after main's 100
    page.until("run", lambda: page.find("#tip b").text)
    assert "50.0 ms (33.3%) · self 45.0 ms · 1 calls" in page.find("#tip").text


def test_walking_the_tree_by_keyboard(page):
    page.open(snapshot())
    page.browser.execute_script("document.getElementById('canvas').focus()")
    page.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_RIGHT)
    page.until("read", lambda: page.find("#details h2").text)
    page.press(Keys.ENTER)
    page.until(["all threads", "main", "read"], lambda: page.texts("#crumbs button"))


def test_callers_and_callees(page):
    page.open(snapshot())
    page.find("#functions tbody tr:nth-child(3)").click()
    assert page.texts("[data-side=Callers] td.name b") == ["main", "Parser.parse"]
    assert page.texts("[data-side=Callees] td.name b") == ["Parser.parse", "read"]
    page.find("[data-side=Callees] tr:nth-child(2)").click()
    assert page.find("#details h2").text == "read"
    assert page.texts("[data-side=Callers] td:nth-child(2)") == ["30.0 ms", "20.0 ms", "5.00 ms"]
    page.find("#functions tbody tr").send_keys(Keys.ARROW_DOWN)
    page.press(Keys.ENTER)
    assert page.find("#details h2").text == "run"


def test_one_thread(page):
    page.open(snapshot())
    Select(page.find("#thread")).select_by_visible_text("worker-1")
    assert page.functions() == ["run", "read"]
    assert page.texts("#crumbs button") == ["worker-1"]


def test_a_link_shows_what_was_found(page):
    page.open(snapshot(), "#thread=0&zoom=2&function=2&search=app&sort=calls&order=reverse")
    assert page.texts("#crumbs button") == ["MainThread", "main", "Parser.parse"]
    assert page.find("#details h2").text == "read"
    assert page.functions() == ["Parser.parse", "read"]
    page.go("#thread=99&zoom=-3&function=1e9&search=&sort=%3C")
    assert len(page.functions()) == 4


def test_source_lines(page, tmp_path):
    file = tmp_path / "app.py"
    file.write_text(
        "import os\n\ndef main():\n    if '<b>':\n        return '</script>'\n\nx = 1\n"
    )
    secret = tmp_path / "secret.txt"
    secret.write_text("one\ntwo\nthree\n")
    data = snapshot()
    data.functions[0] = data.functions[0]._replace(
        id=7, module="app", qualname="main", name="main", file=str(file), line=3
    )
    data.functions[2] = data.functions[2]._replace(
        id=9, module="app.io", qualname="read", name="read", file=str(secret), line=1
    )
    page.open(data, "#function=0")
    assert page.texts("#details pre span") == [
        "def main():", "    if '<b>':", "        return '</script>'",
    ]  # fmt: skip
    assert page.find("#details pre span").get_attribute("data-line") == "3"
    page.go("#function=2")
    assert page.texts("#details pre span") == []
    assert "three" not in page.path.read_text()
    assert page.find("#sources summary").text == "Sources embedded: 1"
    page.find("#sources summary").click()
    assert page.texts("#sources li") == [str(file)]


def test_themes(page):
    page.open(snapshot())

    def ground():
        return page.find("body").value_of_css_property("background-color")

    light = ground()
    page.press("t")
    page.until("dark", lambda: page.find("html").get_attribute("data-theme"))
    assert ground() != light
    page.find("#theme").click()
    assert ground() == light


def test_hostile_names_are_text(page):
    page.open(hostile())
    assert page.browser.execute_script("return document.scripts.length") == 2
    shown = page.functions()
    assert len(shown) == len(HOSTILE)
    assert "</script><script>alert(1)</script>" in shown
    assert "(nameless)" in shown
    assert "new\\u000aline\\u000d\\u000a" in shown
    strings = page.browser.execute_script(
        "return JSON.parse(document.getElementById('data').textContent).strings"
    )
    assert {clean(name) for name in HOSTILE} <= set(strings)
    for fn in range(len(HOSTILE)):
        page.browser.execute_script("location.hash = arguments[0]", f"#function={fn}")
    last = HOSTILE[-1]
    page.until(clean(last)[:20], lambda: page.find("#details h2").text[:20])


def large(n):
    """A tree of n nodes, three children each, over 500 functions."""
    rng = random.Random(1)
    functions = [(i, f"app.m{i % 20}", f"f{i}", f"f{i}", f"/a/m{i % 20}.py", i) for i in range(500)]
    own = [rng.randrange(MS) for _ in range(n)]
    total = own[:]
    for i in range(n - 1, 0, -1):
        total[(i - 1) // 3] += total[i]
    nodes = [
        (0, i, (i - 1) // 3 if i else -1, rng.randrange(500), 1, 0, 0, total[i], own[i])
        for i in range(n)
    ]
    return snapshot_of([(1, "MainThread", total[0])], functions, nodes)


def test_100_000_nodes(page):
    page.open(large(100_000))
    ready = page.browser.execute_script(
        "return performance.getEntriesByType('navigation')[0].domInteractive"
    )
    assert ready < 60_000  # ms; on an idle machine half a second
    page.browser.execute_script("document.getElementById('search').focus()")
    page.press("f499")
    page.until(["f499"], page.functions)
    drawing = page.browser.execute_script(
        """const began = performance.now();
        document.getElementById('flame').dispatchEvent(new Event('scroll'));
        return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(
            () => done(performance.now() - began))));"""
    )
    assert drawing < 20_000


def test_a_stack_20_000_deep(page):
    n = 20_000
    nodes = [(0, i, i - 1, i % 3, 1, 0, 0, (n - i) * 1000, 1000) for i in range(n)]
    functions = [(i, "m", f"f{i}", f"f{i}", "f.py", i) for i in range(3)]
    page.open(snapshot_of([(1, "t", n * 1000)], functions, nodes), f"#zoom={n - 5}")
    assert page.texts("#crumbs button")[0] == "t"
    assert len(page.texts("#crumbs button")) == 5
    assert page.functions() == ["f0", "f1", "f2"]
