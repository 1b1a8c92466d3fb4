// SPDX-License-Identifier: Apache-2.0
// The selected function: its figures, its callers and callees, the kernel's account of it, its lines
// or its source.
"use strict";

const Details = {};
{
  const { element, duration, time, reading, count } = Format;
  const FIRST_NEIGHBOURS = 10;
  const KERNEL = {
    syscall: "System calls", offcpu: "Off the CPU", fault: "Page faults", read: "Read", write: "Written",
    block: "Block I/O", migration: "Moves between CPUs",
  };

  // Of this measure, with what was called; the longest first.
  function neighbourTable(page, title, rows, whole) {
    if (!rows.length) return [];
    const line = (entry) =>
      Tables.pickable(page, entry.fn, false, [
        Tables.nameCell(page, entry.fn),
        element("td", {}, page.amount(entry.total, entry.looks)),
        Tables.shareCell(entry.total, whole, whole, entry.looks),
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

  // Of a function whose lines were recorded, with the hottest in sight: each leads to the file.
  function lines(page, fn) {
    const view = page.lined(fn, true);
    if (!view) return [];
    const shown = new LineView(page.lineView, `Lines of ${page.functionName(fn)}`);
    shown.show(view, 0);
    const whole = element("button", { class: "more", type: "button", onclick: () => page.lineView.onLine(0) }, "Show them in the file");
    return [element("h3", {}, "Lines"), element("p", { class: "quiet about" }, page.about(view)), shown.box, whole];
  }

  function source(page, fn) {
    const text = page.source(fn);
    if (!text) return [];
    const lines = text.replace(/\n$/, "").split("\n");
    const shown = lines.map((line, i) => element("span", { "data-line": page.line(fn) + i }, line || " "));
    return [element("h3", {}, "Source, as the file is now"), element("pre", {}, ...shown), element("p", { class: "quiet how" }, page.howTo(fn))];
  }

  // What the kernel has counted while this function ran, in all threads: [count, ns, bytes, errors].
  function kernel(page, fn) {
    const account = page.kernel(fn);
    if (!account) return [];
    const rows = Object.entries(KERNEL).flatMap(([kind, title]) =>
      Object.entries(account[kind] || {}).sort(([, a], [, b]) => b[1] - a[1] || b[0] - a[0]).map(([name, [n, ns, bytes, errors]]) =>
        element(
          "tr", {},
          element("td", { class: "name" }, element("b", {}, title), element("span", {}, Format.name(name, 40))),
          element("td", {}, n ? `${count(n)}×` : ""),
          element("td", {}, ns ? duration(ns) : ""),
          element("td", {}, [bytes && `${count(bytes)} bytes`, errors && `${count(errors)} errors`].filter(Boolean).join(", ")),
        ),
      ),
    );
    return [element("h3", {}, "The kernel's account, of all threads"), element("table", { "data-side": "Kernel" }, element("tbody", {}, ...rows))];
  }

  function figures(page, entry) {
    const { looks } = entry;
    const waits = entry.parts.filter((part) => part.kind !== "cpu");
    return [
      ["Self", reading(entry, "self")], [Measures.titleOfTotal(entry.measure), page.amount(entry.total, entry.looks.total)],
      ["CPU", reading(entry, "cpu")],
      ...(entry.cpu ? [["User", reading(entry, "user")], ["System", reading(entry, "system")]] : []),
      ...waits.map((part) => [Measures.title(part.kind), time(part.ns, part.looks)]),
      ["Native", reading(entry, "native")], ["Calls", count(entry.calls)],
      ["Per call", entry.calls && !looks.self ? duration(entry.elapsed / entry.calls) : ""],
      ["p50", duration(entry.p50)], ["p99", duration(entry.p99)],
      ["Latency p50", duration(entry.latency50)], ["Latency p99", duration(entry.latency99)],
      ["Errors", count(entry.errors)], ["Resumes", count(entry.resumes)],
      ...(page.memory ? Memory.facts(entry) : []),
    ].filter(([, value]) => !["", "0", "-", "0 ns"].includes(value));
  }

  function show(page, fn, entry, neighbours) {
    const panel = document.getElementById("details");
    if (!entry) {
      const hint = fn < 0 ? "Select a function to see its callers, its callees and its source." : "The selected function was not called in this thread.";
      panel.replaceChildren(element("p", { class: "empty" }, hint));
      return;
    }
    const facts = figures(page, entry).map(([term, value]) => element("div", {}, element("dt", {}, term), element("dd", {}, value)));
    panel.replaceChildren(
      element("div", { class: "head" }, element("h2", {}, page.functionName(fn)), element("div", { class: "where", title: page.file(fn) }, page.where(fn)), element("dl", {}, ...facts)),
      ...lines(page, fn),
      ...neighbourTable(page, "Callers", neighbours.callers, entry.total),
      ...neighbourTable(page, "Callees", neighbours.callees, entry.total),
      ...kernel(page, fn),
      ...source(page, fn),
    );
    panel.scrollTop = 0;
  }

  Object.assign(Details, { show });
}
