// SPDX-License-Identifier: Apache-2.0
// The function table, the steps, and the sources.
"use strict";

const Tables = {};
{
  const { element, duration, reading, count, share, shareOf, name } = Format;
  const FIRST_ROWS = 300;
  const figure = (key) => (entry) => reading(entry, key);
  const COLUMNS = {
    name: ["Function", (entry, look) => nameCell(look.page, entry.fn)],
    cpu: ["CPU", figure("cpu"), "own time on a CPU"],
    wait: ["Wait", (entry) => waitCell(entry), "own time that it waited, and what its own time is made of"],
    native: ["Native", figure("native"), "own time of the C functions that it called"],
    self: ["Self", figure("self"), "own wall time"],
    share: ["Share", (entry, look) => ownShare(entry, look)],
    total: ["Total", figure("total"), "with all that it called"],
    calls: ["Calls", (entry) => count(entry.calls)],
    p50: ["p50", (entry) => duration(entry.p50)],
    p99: ["p99", (entry) => duration(entry.p99)],
    errors: ["Errors", (entry) => (entry.errors ? count(entry.errors) : "")],
  };

  // The columns that a recording has, by key; a class of wait has one while the flame graph shows it. While it
  // shows memory they are of memory.
  function columnsOf(known, measure) {
    if (known.memory && Memory.MEASURES.includes(measure)) return memoryColumns(measure);
    const own = ["wall", "cpu", "wait"].includes(measure) ? {} : { [measure]: [Measures.title(measure), figure(measure)] };
    const there = { cpu: known.cpu, wait: known.cpu, native: known.native, p50: known.percentiles, p99: known.percentiles };
    const [first, ...rest] = Object.entries(COLUMNS).filter(([key]) => there[key] !== false);
    const memory = known.memory ? { peak: Memory.COLUMNS.peak } : {};
    const columns = Object.fromEntries([first, ...Object.entries(own), ...rest, ...Object.entries(memory)]);
    columns.total = [Measures.titleOfTotal(measure), ...COLUMNS.total.slice(1)];
    return columns;
  }

  function memoryColumns(measure) {
    const { name, share, calls } = COLUMNS;
    const total = [Measures.titleOfTotal(measure), (entry) => Memory.bytes(entry.total, entry.looks.total), COLUMNS.total[2]];
    return { name, ...Memory.COLUMNS, share, total, calls };
  }

  function heading(columns, look) {
    return element(
      "tr",
      {},
      ...Object.entries(columns).map(([key, [title, , hint]]) => {
        const ascending = look.reverse !== (key === "name");
        const order = key === look.sort ? (ascending ? "ascending" : "descending") : null;
        const about = key === "share" ? `of ${look.weightTitle}` : hint;
        return element(
          "th",
          { class: key, scope: "col", "aria-sort": order },
          element("button", { type: "button", "data-sort": key, title: about, onclick: () => look.page.sort(key) }, title),
        );
      }),
    );
  }

  function nameCell(page, fn) {
    return element(
      "td",
      { class: "name", title: page.where(fn) },
      element("b", {}, page.functionName(fn)),
      element("span", {}, page.module(fn)),
    );
  }

  function row(columns, look, entry) {
    const cells = Object.entries(columns).map(([key, [, cell]]) => {
      const made = cell(entry, look);
      return typeof made === "string" ? element("td", { class: key }, made) : made;
    });
    return pickable(look.page, entry.fn, look.fn === entry.fn, cells);
  }

  // How long it waited, and a bar of all that its own time is made of.
  function waitCell(entry) {
    return element("td", { class: "wait" }, element("span", {}, reading(entry, "wait")), Parts.bar(entry.parts));
  }

  function ownShare(entry, { weight, whole, most }) {
    const cell = shareCell(entry[weight], whole, most, entry.looks[weight]);
    if (entry.limited.has(weight)) cell.textContent = `<${share(entry[weight], whole)}`;
    return cell;
  }

  // `part` of `whole` in percent, over a bar that is full for `most`.
  function shareCell(part, whole, most, looks = null) {
    const length = Math.min((100 * (part || 0)) / (most || 1), 100);
    return element("td", { class: "share", style: `--part: ${length.toFixed(1)}%` }, shareOf(part, whole, looks));
  }

  function pickable(page, fn, selected, cells) {
    return element(
      "tr",
      {
        tabindex: 0,
        "data-fn": fn,
        "aria-selected": selected,
        onclick: () => page.pick(fn),
        onkeydown: (event) => rowKey(event, () => page.pick(fn)),
      },
      ...cells,
    );
  }

  function rowKey(event, pick) {
    const other = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    if (event.key === "Enter" || event.key === " ") pick();
    else if (other) event.currentTarget[other]?.focus();
    else return;
    event.preventDefault();
  }

  // `rows` are sorted and searched already. `look` has what is shown and how: page, columns, sort,
  // reverse, fn (which is selected), whole and most (what a share is of, and of what a bar is full),
  // weight (the figure of shares), where (the frame that rows are below), all (not the first 300 only).
  function showFunctions(rows, look) {
    const table = document.getElementById("functions");
    const shown = look.all ? rows : rows.slice(0, FIRST_ROWS);
    const focused = document.activeElement?.dataset?.sort;
    table.tHead.replaceChildren(heading(look.columns, look));
    table.tBodies[0].replaceChildren(...shown.map((entry) => row(look.columns, look, entry)));
    if (focused) table.querySelector(`[data-sort="${focused}"]`)?.focus();
    const more = document.getElementById("more");
    more.hidden = shown.length === rows.length;
    more.textContent = `Show all ${count(rows.length)} functions`;
    document.getElementById("count").textContent = look.where ? `${count(rows.length)} in ${look.where}` : count(rows.length);
  }

  function markSelected(fn) {
    for (const line of document.querySelectorAll("#functions tbody tr")) {
      line.setAttribute("aria-selected", Number(line.dataset.fn) === fn);
    }
  }

  function spark(series) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("class", "spark");
    svg.setAttribute("viewBox", "0 0 100 20");
    svg.setAttribute("preserveAspectRatio", "none");
    const low = Math.min(...series);
    const range = Math.max(...series) - low || 1;
    const points = series.map((v, i) => `${((100 * i) / (series.length - 1)).toFixed(2)},${(19 - (18 * (v - low)) / range).toFixed(2)}`);
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", `M${points.join("L")}`);
    svg.append(path);
    return svg;
  }

  function showSteps(steps) {
    const section = document.getElementById("steps");
    section.hidden = !steps.length;
    const titles = ["Step or mark", "Count", "Mean", "Spread", "Min", "p50", "p99", "Max", "Series"];
    const table = section.querySelector("table");
    table.tHead.replaceChildren(
      element("tr", {}, ...titles.map((title, i) => element("th", { scope: "col", class: i ? null : "name" }, element("span", {}, title)))),
    );
    table.tBodies[0].replaceChildren(
      ...steps.map((step) => {
        const format = step.kind === "step" ? duration : count;
        const figures = ["mean", "deviation", "min", "p50", "p99", "max"].map((key) => element("td", {}, format(step[key])));
        const series = step.series.length > 1 ? spark(step.series) : null;
        const label = element("td", { class: "name" }, element("b", {}, name(step.name) || "(nameless)"), element("span", {}, step.kind === "mark" ? "mark" : ""));
        return element("tr", {}, label, element("td", {}, count(step.count)), ...figures, element("td", {}, series));
      }),
    );
  }

  // Whose lines are in this page: it may be passed on.
  function showSources({ embedded, refused }) {
    const left = Object.entries(refused);
    const section = document.getElementById("sources");
    section.hidden = !embedded.length && !left.length;
    section.querySelector("summary").textContent = `Sources embedded: ${count(embedded.length)}` + (left.length ? `, left out: ${count(left.length)}` : "");
    section.querySelector("ul").replaceChildren(
      ...embedded.map((file) => element("li", {}, name(file))),
      ...left.map(([file, why]) => element("li", { class: "quiet" }, `${name(file)}: left out (${why})`)),
    );
  }

  Object.assign(Tables, { columnsOf, nameCell, shareCell, pickable, showFunctions, markSelected, showSteps, showSources });
}
