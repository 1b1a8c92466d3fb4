// SPDX-License-Identifier: Apache-2.0
// The function table, the selected function, and the steps.
"use strict";

const Tables = (() => {
  const { element, duration, count, share, name } = Format;
  const FIRST_ROWS = 300;
  const FIRST_NEIGHBOURS = 10;
  const COLUMNS = [
    ["name", "Function", null],
    ["self", "Self", duration],
    ["share", "Share", null],
    ["total", "Total", duration],
    ["calls", "Calls", count],
    ["p50", "p50", duration],
    ["p99", "p99", duration],
    ["errors", "Errors", (n) => (n ? count(n) : "")],
  ];

  function heading(state, onSort) {
    return element(
      "tr",
      {},
      ...COLUMNS.map(([key, title]) => {
        const sorted = key === state.sort && (state.reverse !== (key === "name") ? "ascending" : "descending");
        const order = key === "name" ? (state.reverse ? "descending" : "ascending") : sorted;
        return element(
          "th",
          { class: key, scope: "col", "aria-sort": key === state.sort ? order : null },
          element("button", { type: "button", "data-sort": key, onclick: () => onSort(key) }, title),
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

  function row(page, entry, whole, most, selected) {
    const cells = COLUMNS.map(([key, , format]) => {
      if (key === "name") return nameCell(page, entry.fn);
      if (key !== "share") return element("td", { class: key }, format(entry[key]));
      return shareCell(entry.self, whole, most);
    });
    return pickable(page, entry.fn, selected, cells);
  }

  // `part` of `whole` in percent, over a bar that is full for `most`.
  function shareCell(part, whole, most) {
    const length = Math.min((100 * part) / (most || 1), 100);
    return element("td", { class: "share", style: `--part: ${length.toFixed(1)}%` }, share(part, whole));
  }

  function pickable(page, fn, selected, cells) {
    return element(
      "tr",
      {
        tabindex: 0,
        "data-fn": fn,
        "aria-selected": fn === selected,
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

  // `rows` are sorted and searched already, `where` is the frame that they are below; a bar is full
  // for `most`; `all` shows more than the first 300.
  function showFunctions(page, rows, whole, most, where, state, all) {
    const table = document.getElementById("functions");
    const shown = all ? rows : rows.slice(0, FIRST_ROWS);
    const focused = document.activeElement?.dataset?.sort;
    table.tHead.replaceChildren(heading(state, page.sort));
    table.tBodies[0].replaceChildren(...shown.map((entry) => row(page, entry, whole, most, state.fn)));
    if (focused) table.querySelector(`[data-sort="${focused}"]`)?.focus();
    const more = document.getElementById("more");
    more.hidden = shown.length === rows.length;
    more.textContent = `Show all ${count(rows.length)} functions`;
    document.getElementById("count").textContent = where ? `${count(rows.length)} in ${where}` : count(rows.length);
  }

  function markSelected(fn) {
    for (const line of document.querySelectorAll("#functions tbody tr")) {
      line.setAttribute("aria-selected", Number(line.dataset.fn) === fn);
    }
  }

  function neighbourTable(page, title, rows, whole) {
    if (!rows.length) return [];
    const line = (entry) =>
      pickable(page, entry.fn, -1, [
        nameCell(page, entry.fn),
        element("td", {}, duration(entry.total)),
        shareCell(entry.total, whole, whole),
        element("td", {}, `${count(entry.calls)}×`),
      ]);
    const body = element("tbody", {}, ...rows.slice(0, FIRST_NEIGHBOURS).map(line));
    const showAll = (event) => {
      body.append(...rows.slice(FIRST_NEIGHBOURS).map(line));
      event.target.remove();
    };
    const more = rows.length > FIRST_NEIGHBOURS && element("button", { class: "more", type: "button", onclick: showAll }, `Show all ${rows.length}`);
    return [element("h3", {}, title), element("table", { "data-side": title }, body), more || ""];
  }

  function source(page, fn) {
    const text = page.source(fn);
    if (!text) return [];
    const lines = text.replace(/\n$/, "").split("\n");
    const shown = lines.map((line, i) => element("span", { "data-line": page.line(fn) + i }, line || " "));
    return [element("h3", {}, "Source, as the file is now"), element("pre", {}, ...shown)];
  }

  function showDetails(page, fn, entry, neighbours) {
    const panel = document.getElementById("details");
    if (!entry) {
      const hint = fn < 0 ? "Select a function to see its callers, its callees and its source." : "The selected function was not called in this thread.";
      panel.replaceChildren(element("p", { class: "empty" }, hint));
      return;
    }
    const figures = [
      ["Self", duration(entry.self)], ["Total", duration(entry.total)], ["Calls", count(entry.calls)],
      ["Per call", duration(entry.total / (entry.calls || 1))],
      ["p50", duration(entry.p50)], ["p99", duration(entry.p99)],
      ["Latency p50", duration(entry.latency50)], ["Latency p99", duration(entry.latency99)],
      ["Errors", count(entry.errors)], ["Resumes", count(entry.resumes)],
    ].filter(([, value]) => value !== "" && value !== "0");
    const facts = figures.map(([term, value]) => element("div", {}, element("dt", {}, term), element("dd", {}, value)));
    panel.replaceChildren(
      element("div", { class: "head" }, element("h2", {}, page.functionName(fn)), element("div", { class: "where" }, page.where(fn)), element("dl", {}, ...facts)),
      ...neighbourTable(page, "Callers", neighbours.callers, entry.total),
      ...neighbourTable(page, "Callees", neighbours.callees, entry.total),
      ...source(page, fn),
    );
    panel.scrollTop = 0;
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

  return { showFunctions, markSelected, showDetails, showSteps, showSources };
})();
