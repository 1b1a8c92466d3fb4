# SPDX-License-Identifier: Apache-2.0
"""Memory on the HTML page: the flame graph by it, its columns, lines, and the chart of RAM."""

import os
from collections import defaultdict

import pytest
from held_program import held, hostile_held, two_processes
from recordings import HOSTILE, charged
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

import pyusdt
from pyusdt.recording import load, write
from pyusdt.recording.memory import NOTHING

pytestmark = [pytest.mark.once, pytest.mark.browser, pytest.mark.apart]

MEASURES = ["Memory at peak", "Memory allocated", "Memory live at the end"]
CELL = "#functions tbody td.{}"
PEAK = ".timeline .peak"
CONTRAST = """
const rgb = (colour) => {
  const pen = document.createElement('canvas').getContext('2d');
  pen.fillStyle = colour;
  pen.fillRect(0, 0, 1, 1);
  return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3).map((it) => it / 255)
    .map((it) => (it <= 0.03928 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4));
};
const light = (colour) => {
  const [red, green, blue] = rgb(colour);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const style = getComputedStyle(document.querySelector(arguments[0]));
const [a, b] = [light(style.color), light(style.backgroundColor)].sort((x, y) => y - x);
return (a + 0.05) / (b + 0.05);
"""


def size(n):
    """As the page shows bytes that were counted."""
    for factor, unit in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if n >= factor * 0.9995:
            value = n / factor
            return f"{value:,.{2 if value < 9.995 else 1 if value < 99.95 else 0}f} {unit}"
    return f"{n} B"


def choose(page, name, text):
    Select(page.find(f"#{name}")).select_by_visible_text(text)


def chosen(page, name):
    return Select(page.find(f"#{name}")).first_selected_option.text


def offered(page, name):
    return [option.text for option in Select(page.find(f"#{name}")).options]


def by_function(recording):
    sums = defaultdict(lambda: NOTHING)
    for row in recording.memory:
        if row.function >= 0:
            name = recording.records[row.function].name
            sums[name] = sums[name].plus(row.figures)
    return sums


def plot_at(page, share, selector=".timeline .plot"):
    """The mouse over that share of the width of a chart."""
    plot = page.find(selector)
    return ActionChains(page.browser).move_to_element_with_offset(
        plot, int((share - 0.5) * plot.size["width"]), 0
    )


def scrolled_to(page, selector):
    page.browser.execute_script(
        "document.querySelector(arguments[0]).scrollIntoView({ block: 'center' })", selector
    )


@pytest.mark.parametrize(
    ("measure", "figure"),
    [*zip(MEASURES, ["peak_bytes", "allocated_bytes", "live_bytes"], strict=True)],
)
def test_flame_graph_and_table_have_the_figures_of_load(page, tmp_path, measure, figure):
    write(tmp_path / "it.pyusdt", held())
    recording = load(tmp_path / "it.pyusdt")
    page.open(held())
    choose(page, "measure", measure)
    scrolled_to(page, "#canvas")
    page.canvas_at(0, 0.5).perform()
    whole = f"{size(getattr(recording.memory_totals, figure))} (100.0%)"
    page.until(True, lambda: whole in page.find("#tip").text)
    expected = by_function(recording)
    names = sorted(expected, key=lambda name: -getattr(expected[name], figure))
    assert page.functions() == names
    for key, of in (
        ("peak", lambda it: size(it.peak_bytes)),
        ("allocated", lambda it: size(it.allocated_bytes)),
        ("live", lambda it: size(it.live_bytes)),
        ("temporary", lambda it: size(it.temporary_bytes)),
        ("allocatedBlocks", lambda it: f"{it.allocated_blocks:,}"),
    ):
        assert page.texts(CELL.format(key)) == [of(expected[name]) for name in names]
    titles = ["Function", "At peak", "Allocated", "Live", "Temporary", "Blocks", "Share"]
    assert page.texts("#functions th")[:7] == titles
    top = {node.function: node for node in recording.threads[0].root.children}
    (main,) = top.values()
    below = getattr(main.memory, figure) + getattr(main.children[0].memory, figure)
    page.canvas_at(1, 0.01).perform()
    page.until(True, lambda: f"{size(below)} (" in page.find("#tip").text)
    assert page.find("#tip b").text == "main"


def test_a_recording_is_shown_as_it_was_made(page, tmp_path):
    path = tmp_path / "out.pyusdt"

    def build():
        return [bytes(1_000) for _ in range(1_000)]

    with pyusdt.record(path, memory=True):
        kept = build()
    recording = load(path)
    page.open_recording(recording, "#measure=live")
    expected = by_function(load(path))["build"]
    assert len(kept) == 1_000
    assert expected.live_bytes > 1_000_000
    (at,) = [i for i, name in enumerate(page.functions()) if name.endswith(".build")]
    assert page.texts(CELL.format("live"))[at] == size(expected.live_bytes)


def test_beside_times_there_is_what_was_at_the_peak(page):
    page.open(held())
    assert chosen(page, "measure") == "Wall time"
    assert page.texts("#functions th")[-1] == "At peak"
    page.find("#functions th.peak button").click()
    assert page.functions() == ["work", "main"]
    assert page.texts(CELL.format("peak")) == ["80.3 MB", "2.00 MB"]
    assert page.texts(CELL.format("share")) == ["86.1%", "2.1%"]
    assert page.fragment() == "#sort=peak"


def test_the_panel_has_the_whole(page):
    page.open(held())
    facts = page.find("#memory .facts").text
    assert facts == (
        "At peak 93.3 MB in 2,045 blocks · Allocated 115 MB in 3,069 blocks"
        " · Live at the end 14.2 MB in 3,023 blocks · Temporary 100 MB in 3 blocks"
        " · Biggest block 60.0 MB"
    )
    assert page.find("#memory .quiet").text == (
        "every block of Python's allocators and of native memory;"
        " of no function at the peak: (native) 11.0 MB and (outside of functions) 800 B"
    )


def test_a_function_has_its_memory(page):
    page.open(held(), "#function=1&measure=allocated")
    terms = dict(zip(page.texts("#details dt"), page.texts("#details dd"), strict=True))
    assert terms["Total allocated"] == "101 MB"
    assert terms["At peak"] == "80.3 MB in 36 blocks"
    assert terms["Temporary"] == "100 MB in 2 blocks"
    assert terms["Biggest block"] == "60.0 MB"


def test_lines_have_their_bytes(page):
    page.open(held(), "#function=1&line=0&measure=peak")
    page.until(True, lambda: bool(page.texts("#listing .line[data-line]")))
    cells = page.texts("#listing [data-line='9'] .figure")
    assert cells[-3:] == ["80.3 MB", "101 MB", "200 kB"]
    assert page.texts("#listing [data-line='3'] .figure")[-3:] == ["2.00 MB", "3.00 MB", "3.00 MB"]
    assert page.texts("#listing .headings .figure")[-3:] == ["At peak", "Allocated", "Live"]
    assert page.find("#listing [aria-selected=true]").get_attribute("data-line") == "9"
    assert "at peak 80.3 MB in 31 blocks" in page.find("#listing .now").text
    choose(page, "measure", MEASURES[2])
    page.find("#listing .lines").click()
    page.press("p", "p", "p", "p")  # to the hottest
    page.until("3", lambda: page.find("#listing [aria-selected=true]").get_attribute("data-line"))


def test_the_peak_leads_to_its_flame_graph(page):
    page.open(held())
    peak = page.find(PEAK)
    assert peak.text == "▼ peak 150 MB"
    assert peak.accessible_name == (
        f"Peak of process {os.getpid()}: 150 MB in RAM at 70.0 ms."
        " Show what was allocated at the peak."
    )
    assert not page.find("#moment").is_displayed()
    peak.click()
    page.until("Memory at peak", lambda: chosen(page, "measure"))
    assert page.fragment() == "#measure=peak"
    assert page.functions() == ["work", "main"]
    assert "150 MB at 70.0 ms, in step load" in page.find("#moment").text
    choose(page, "measure", "CPU")
    assert not page.find("#moment").is_displayed()


@pytest.mark.parametrize("way", ["button", "point", "click"])
def test_the_peak_is_in_reach_of_keyboard_and_mouse(page, way):
    page.open(held())
    if way == "click":
        plot_at(page, 0.7).click().perform()
    else:
        selector = PEAK if way == "button" else ".timeline .plot"
        page.browser.execute_script("document.querySelector(arguments[0]).focus()", selector)
        page.press(Keys.ENTER)
    page.until("Memory at peak", lambda: chosen(page, "measure"))
    assert page.find("#moment").is_displayed()


def test_a_click_elsewhere_in_the_chart_changes_nothing(page):
    page.open(held())
    plot_at(page, 0.3).click().perform()
    page.until(True, lambda: page.find("#tip").is_displayed())
    assert chosen(page, "measure") == "Wall time"


def test_the_chart_is_read_by_mouse_and_arrow_keys(page):
    page.open(held())
    plot_at(page, 0.51).perform()
    page.until("60.0 MB in RAM\nat 50.0 ms\nin step load", lambda: page.find("#tip").text)
    plot_at(page, 0.9).perform()
    page.until("90.0 MB in RAM\nat 90.0 ms\n9.00 MB swapped out", lambda: page.find("#tip").text)
    page.browser.execute_script("document.querySelector('.timeline .plot').focus()")
    page.press(Keys.HOME)
    value = lambda: page.find(".timeline .plot").get_attribute("aria-valuetext")  # noqa: E731
    page.until("30.0 MB in RAM, at 0 ns", value)
    page.press(Keys.ARROW_RIGHT)
    page.until("40.0 MB in RAM, at 20.0 ms", value)
    page.press(Keys.ENTER)  # not the peak
    page.press(Keys.END)
    page.until("50.0 MB in RAM, at 100 ms", value)
    assert chosen(page, "measure") == "Wall time"


def test_the_chart_has_steps_marks_and_axes(page):
    page.open(held())
    assert page.texts(".timeline .lane > span") == ["load", "loaded"]
    assert page.texts(".timeline .grid span") == ["0 B", "50 MB", "100 MB", "150 MB"]
    assert page.texts("#memory .times span") == [
        "0", "20 ms", "40 ms", "60 ms", "80 ms", "100 ms",
    ]  # fmt: skip
    # From 40 to 80 of 100 ms, and at 90.
    path = "return document.querySelector(arguments[0]).getAttribute('d')"
    assert page.browser.execute_script(path, ".lane path.step") == "M400.00 5H800.00"
    assert page.browser.execute_script(path, ".lane path.mark") == "M900.00 0V10"
    line = page.browser.execute_script(path, "path.rss")
    assert line.startswith("M0.00 81.48L200.00 ")
    assert line.endswith("L1000.00 69.14")


def test_a_process_has_a_chart_and_a_peak_of_its_own(page):
    recording = two_processes()
    page.open_recording(recording)
    assert page.texts(".timeline figcaption") == ["process 700", "process 701"]
    assert offered(page, "thread")[:3] == ["all 4 as one", "process 700", "process 701"]
    page.browser.find_elements("css selector", PEAK)[1].click()
    page.until("#thread=-3&measure=peak", page.fragment)
    assert chosen(page, "thread") == "process 701"
    assert "process 701 had most of it" in page.find("#moment").text
    assert "150 MB at 1.07 s" in page.find("#moment").text
    one = recording.select(process=lambda it: it.pid == 701)
    page.canvas_at(0, 0.5).perform()
    whole = f"{size(one.memory_totals.peak_bytes)} (100.0%)"
    page.until(True, lambda: whole in page.find("#tip").text)
    choose(page, "thread", "all 4 as one")
    assert "peak of each of 2 processes" in page.find("#moment").text
    page.go("#thread=-9&measure=peak")
    assert chosen(page, "thread") == "all 4 as one"


def test_samples_are_marked(page):
    page.open(held("sampled"), "#measure=peak")
    assert page.texts(CELL.format("peak")) == ["~80 MB", "~2 MB"]
    assert page.texts(CELL.format("total")) == ["~80 MB", "~82 MB"]
    assert page.texts(CELL.format("live")) == ["~200 kB", "~3 MB"]
    assert "samples of" in page.find("#memory .quiet").text
    page.canvas_at(1, 0.1).perform()
    page.until(True, lambda: "~82 MB (~88%)" in page.find("#tip").text)
    assert page.find("#tip b").text == "main"


def test_without_memory_there_is_nothing_of_it(page):
    page.open(charged())
    assert not set(MEASURES) & set(offered(page, "measure"))
    assert page.texts("#memory, .timeline, #moment, th.peak") == []
    page.go("#measure=peak&sort=allocated&thread=-2")
    assert chosen(page, "measure") == "Wall time"
    assert chosen(page, "thread") == "all 2 as one"


def test_python_alone_and_no_points(page):
    data = held("python")
    data.resident.clear()
    page.open(data, "#measure=peak")
    assert page.find("#memory .quiet").text.startswith("every block of Python's allocators; ")
    assert page.texts(PEAK) == []
    assert "not known: it was never read" in page.find("#memory").text
    assert page.find("#moment").text.endswith("had most of it.")


def test_hostile_names_of_steps_are_texts(page):
    page.open(hostile_held(), "#measure=peak")
    assert len(page.texts(".timeline .lane")) == 6
    assert f"{2 * len(HOSTILE) - 6} more names" in page.find(".timeline figcaption").text
    assert page.browser.execute_script("return document.scripts.length") == 2


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_themes_can_be_read(page, theme):
    page.open(held())
    if page.browser.execute_script("return document.documentElement.dataset.theme") != theme:
        page.find("#theme").click()
    assert page.browser.execute_script(CONTRAST, PEAK) >= 4.5
    grounds = page.browser.execute_script(
        "return [...document.querySelectorAll('#memory, path.rss')]"
        ".map((it) => getComputedStyle(it)).map((it) => [it.backgroundColor, it.stroke])"
    )
    assert grounds[0][0] != grounds[1][1]


@pytest.mark.parametrize("fragment", ["", "#measure=peak&function=1&line=0"])
def test_memory_fits_a_phone(phone, fragment):
    phone.open(held(), fragment)
    assert phone.browser.execute_script("return document.documentElement.scrollWidth") <= 400
    peak = phone.find(PEAK).rect
    assert peak["x"] >= 0
    assert peak["x"] + peak["width"] <= 400
