# SPDX-License-Identifier: Apache-2.0
"""Lines on the HTML page: from a frame to its hot line, the file with figures, calls and map."""

import pytest
from recordings import HOSTILE, LINED_SOURCE, MS, charged, lined, snapshot_of
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from pyusdt import report
from pyusdt.recording import Recording, load, write
from pyusdt.recording.lines import Source
from pyusdt.report import Options
from pyusdt.report.readings import sampled
from pyusdt.report.text import duration, number

pytestmark = [pytest.mark.once, pytest.mark.browser, pytest.mark.apart]

CURRENT = "{} .lines [aria-selected=true]"
IN_SIGHT = """const edges = (it) => document.querySelector(it).getBoundingClientRect();
const [row, box] = [...arguments].map(edges);
return row.top >= box.top && row.bottom <= box.bottom;"""


def opened(page, data, fragment=""):
    """The page, once it has unpacked its texts and drawn them."""
    page.open(data, fragment)
    page.until(True, lambda: bool(page.texts("#crumbs button")))
    return page


def current(page, where="#listing"):
    """The number of the line at which the keyboard is."""
    return int(page.find(CURRENT.format(where)).get_attribute("data-line"))


def shown(page, where="#listing"):
    """The texts of the lines in the document, by number."""
    rows = page.browser.execute_script(
        "return [...document.querySelectorAll(arguments[0])]"
        ".map((row) => [Number(row.dataset.line), row.querySelector('code').textContent])",
        f"{where} .line[data-line]",
    )
    return dict(rows)


def cells(page, line):
    """The figures of a line, by column."""
    found = page.browser.find_elements(By.CSS_SELECTOR, f"#listing [data-line='{line}'] .figure")
    return {cell.get_attribute("class").split()[1]: cell.text for cell in found}


def is_in_sight(page, where="#listing"):
    box = f"{where} .lines"
    return page.browser.execute_script(IN_SIGHT, CURRENT.format(where), box)


def test_from_the_flame_graph_to_the_hot_line_in_two_clicks(page):
    opened(page, lined(charges=True))
    page.canvas_at(2, 0.4).click().perform()  # main > work: 90 of 120 ms, at the left
    page.until("work", lambda: page.find("#details h2").text)
    assert shown(page, "#details") == dict(enumerate(LINED_SOURCE.splitlines()[5:], 6))
    assert current(page, "#details") == 9
    assert is_in_sight(page, "#details")
    page.find(CURRENT.format("#details")).click()
    assert page.find("#listing h2").text == "/srv/lined.py"
    assert current(page) == 9
    assert is_in_sight(page)
    assert page.fragment() == "#zoom=2&function=1&line=9"
    assert page.find("#listing .now").text == (
        "Line 9 · 3 hits · time 80.0 ms · self 80.0 ms · CPU ~70 ms · wait ~10 ms"
        " · 26.7 ms per hit · work"
    )


def figures(it, charges):
    """What the cells of a line have to show."""
    names = ["hits", "total", "self", *["cpu", "wait"] * charges, "errors"]
    if it is None:
        return dict.fromkeys(names, "")
    exact = [number(it.hits), duration(it.total_ns), duration(it.self_ns)]
    looked = [str(sampled(it.charges, measure, it.self_ns)) for measure in ("cpu", "wait")]
    errors = number(it.errors) if it.errors else ""
    return dict(zip(names, [*exact, *looked * charges, errors], strict=True))


@pytest.mark.parametrize("charges", [False, True])
def test_figures_are_those_of_load(page, tmp_path, charges):
    write(tmp_path / "it.pyusdt", lined(charges))
    recording = load(tmp_path / "it.pyusdt")
    opened(page, lined(charges), "#function=0&line=0")
    assert shown(page) == dict(enumerate(LINED_SOURCE.splitlines(), 1))
    lines = {line.line: line for line in recording.line_rows}
    assert len(lines) == 6
    for line in range(1, 11):
        assert cells(page, line) == figures(lines.get(line), charges)
    heat = page.browser.execute_script(
        "return [...document.querySelectorAll('#listing .line[data-line] .gutter')]"
        ".map((it) => Number(getComputedStyle(it).getPropertyValue('--heat')))"
    )
    by = (lambda it: it.cpu_ns) if charges else (lambda it: it.self_ns)
    order = sorted(lines.values(), key=by)
    assert sorted(range(1, 11), key=lambda line: heat[line - 1])[-3:] == [
        it.line for it in order[-3:]
    ]
    assert max(heat) == 1


def test_a_call_leads_to_its_function_and_back(page):
    opened(page, lined(), "#function=0&line=3")
    assert page.texts("#listing .call") == ["work"]
    assert page.find("#listing .call").get_attribute("title") == "lined  lined.py:6"
    page.find("#listing .call").click()
    page.until("work", lambda: page.find("#details h2").text)
    assert (current(page), page.fragment()) == (9, "#function=1&line=0")
    page.find("#listing .back").click()
    page.until("main", lambda: page.find("#details h2").text)
    assert (current(page), page.fragment()) == (3, "#function=0&line=3")
    assert not page.find("#listing .back").is_displayed()
    # From the lines beside the table too.
    page.find("#listing .close").click()
    page.find("#details .call").click()
    page.until("work", lambda: page.find("#details h2").text)


def test_the_keyboard_alone(page):
    opened(page, lined(), "#function=1")
    page.browser.execute_script("document.querySelector('#details .lines').focus()")
    page.press(Keys.ENTER)
    page.until(9, lambda: current(page))
    seen = []
    for key in ("n", "n", "p", Keys.HOME, Keys.ARROW_DOWN, Keys.END, Keys.ARROW_UP, Keys.PAGE_UP):
        page.press(key)
        seen.append(current(page))
    assert seen == [8, 10, 8, 1, 2, 10, 9, 1]
    focused = page.browser.switch_to.active_element
    assert focused.get_attribute("aria-activedescendant") == page.find(
        CURRENT.format("#listing")
    ).get_attribute("id")
    page.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.TAB)
    assert page.browser.switch_to.active_element.text == "work"
    page.press(Keys.ENTER)
    page.until("9 work", lambda: f"{current(page)} {page.find('#details h2').text}")
    page.press(Keys.ESCAPE)
    page.until(False, lambda: page.find("#listing").is_displayed())


def test_what_a_screen_reader_reads(page):
    opened(page, lined(), "#function=0&line=0")
    assert page.find("#listing").accessible_name == "Source of the file"
    grid = page.find("#listing .lines")
    assert (grid.aria_role, grid.accessible_name) == ("grid", "Lines of the file")
    assert grid.get_attribute("aria-rowcount") == "11"
    assert page.find("#details .lines").accessible_name == "Lines of main"
    assert page.find("#listing [data-line='3'] .number").accessible_name == "line 3"
    named = page.find("#listing canvas").accessible_name
    assert named == "Map of the file, 10 lines; the hottest: 9, 8, 10"
    assert page.find("#listing .close").accessible_name == "Close the source"


def state_of(page, data):
    opened(page, data, "#function=0&line=0")
    return page.find("#listing .state").text.partition(";")[0]


def test_which_text_it_is(page, tmp_path):
    file = tmp_path / "lined.py"
    file.write_text(LINED_SOURCE)
    data = lined(file=str(file))
    assert state_of(page, data) == "the text as it was recorded"
    file.write_text(LINED_SOURCE.replace("item", "thing"))
    assert state_of(page, data).startswith("the file has changed since")
    assert shown(page)[3] == "        work(item)"
    data.sources.clear()
    assert state_of(page, data).startswith("the text as the file is now")
    assert shown(page)[3] == "        work(thing)"
    page.find("#sources summary").click()
    assert page.texts("#sources li") == [str(file)]
    file.unlink()
    assert state_of(page, data) == "without text"
    assert sorted(shown(page)) == [2, 3, 7, 8, 9, 10]


def test_lines_that_were_not_recorded_and_how_to(page, tmp_path):
    file = tmp_path / "app.py"
    file.write_text("def main():\n    return 1\n")
    data = charged()
    data.functions[0] = data.functions[0]._replace(file=str(file))
    opened(page, data, "#function=0&line=0")
    how = "Lines were not recorded; --lines 'app:main' records them."
    assert page.find("#details .how").text == how
    assert page.texts("#details .lines") == []
    assert page.find("#listing .empty").text == how
    page.go("#function=3&line=0")
    assert page.find("#listing .empty").text == "It is written in C and has no lines."


def long_file():
    """20,000 lines, in each twentieth a function begins."""
    text = [f"    value = work(value, {line})\n" for line in range(1, 20_001)]
    text[::20] = [f"def f{line // 20}(value):\n" for line in range(0, 20_000, 20)]
    data = snapshot_of(
        threads=[(1, "MainThread", 1000 * MS)],
        functions=[(i, "long", f"f{i}", f"f{i}", "/srv/long.py", i * 20 + 1) for i in range(1000)],
        nodes=[(0, i, -1, i, 1, 0, 0, MS, MS) for i in range(1000)],
        lines=[
            (0, line // 20, line + 1, 1 + line % 7, 0, 100 + line % 999, 100 + line % 999)
            for line in range(20_000)
            if line % 20
        ],
        sources={"/srv/long.py": "".join(text)},
    )
    data.lines[15_000] = data.lines[15_000]._replace(total_ns=MS, self_ns=MS)
    return data


def test_a_file_of_20_000_lines(page):
    data = long_file()
    hot = data.lines[15_000].line
    opened(page, data, "#function=0&line=10")
    bare = page.path.with_name("bare.html")
    recording = Recording.from_snapshot(data)
    report.write(recording, str(bare), report.FORMATS["html"], Options(source=False))
    assert page.path.stat().st_size - bare.stat().st_size < 200_000  # of 600,000 characters, once
    box = page.find("#listing .lines")

    def lines():
        return sorted(shown(page))

    assert lines()[0] == 1
    assert len(lines()) < 100
    script = "arguments[0].scrollTop = arguments[1]"
    page.browser.execute_script(script, box, 1e9)
    page.until(20_000, lambda: lines()[-1])
    assert len(lines()) < 100
    assert shown(page)[20_000] == "    value = work(value, 20000)"
    # Through all of it, a screen at a time: no line is missing, whatever is in sight.
    for top in range(0, 400_000, 40_000):
        page.browser.execute_script(script, box, top)
        page.until(True, lambda top=top: top // 20 + 10 in lines())
        assert lines() == [*range(lines()[0], lines()[-1] + 1)]
    page.press(Keys.HOME, "n")  # from what did not run to the hottest of all
    page.until(hot, lambda: current(page))
    assert is_in_sight(page)
    canvas = page.find("#listing canvas")
    quarter = -canvas.size["height"] // 4
    ActionChains(page.browser).move_to_element_with_offset(canvas, 0, quarter).click().perform()
    page.until(True, lambda: 5000 in lines())


def test_hostile_texts_are_text(page):
    text = "".join(f"f({name!r})\n" for name in HOSTILE) + "".join(HOSTILE).replace("\n", "")
    data = lined()
    data.sources["/srv/lined.py"] = Source.of(text)
    data.lines.append(data.lines[0]._replace(line=2**31 - 1))  # the text has none such
    data.functions[1] = data.functions[1]._replace(qualname="</script>", name="<b>")
    opened(page, data, "#function=0&line=0")
    assert page.browser.execute_script("return document.scripts.length") == 2
    assert shown(page)[3] == "f('</script><script>alert(1)</script>')"
    assert "</script>" in page.texts("#functions tbody td.name b")
    assert "\\u202e" in "".join(shown(page).values())
    page.press(Keys.END)
    page.until(2**31 - 1, lambda: current(page))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_fit_a_phone(phone, theme):
    opened(phone, lined(charges=True), "#function=1&line=0")
    if theme == "dark":
        phone.press("t")
        phone.until("dark", lambda: phone.find("html").get_attribute("data-theme"))
    assert phone.browser.execute_script("return document.documentElement.scrollWidth") <= 400
    assert cells(phone, 9) == {
        "hits": "3", "cpu": "~70 ms", "total": "", "self": "", "wait": "", "errors": "",
    }  # fmt: skip
    for where in ("#details", "#listing"):
        code = phone.find(f"{where} [data-line='9'] code").rect
        assert 0 < code["x"] < 250  # some of the text is beside the figures
