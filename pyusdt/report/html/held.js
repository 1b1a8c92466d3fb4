// SPDX-License-Identifier: Apache-2.0
// What was allocated at all, and what each process had in RAM over time; and of which moment the flame graph is
// while it shows the peak. It is in pages whose recording has memory.
"use strict";

const Held = {};
{
  const { element, duration, count, name } = Format;
  const FIRST_CHARTS = 4;
  const KINDS = {
    all: "every block of Python's allocators and of native memory",
    python: "every block of Python's allocators",
    sampled: "samples of Python's allocators and of native memory (~)",
    "python, sampled": "samples of Python's allocators (~)",
  };
  let charts = []; // the most RAM first

  // `page` has tip(children, place); `pick(choice)` shows what these threads had allocated at the peak.
  function show(data, page, pick) {
    const { resident, lanes } = data.memory;
    const span = spanOf(data.memory);
    charts = resident.map(({ process, most, points }, i) => {
      const choice = data.processes.length > 1 ? -2 - process : -1;
      const named = lanes[i].lanes.map((lane) => ({ ...lane, name: name(data.strings[lane.name], 60) || "(nameless)" }));
      const it = { title: `process ${data.processes[process].pid}`, points, span, lanes: named };
      const toPeak = () => {
        pick(choice);
        document.getElementById("flame").scrollIntoView({ block: "nearest" });
      };
      return { process, most, others: lanes[i].others, chart: new Timeline(it, { tip: page.tip, pick: toPeak }) };
    });
    charts.sort((a, b) => b.most - a.most);
    document.getElementById("account").after(panel(data, span));
    document.querySelector("#flame").before(element("p", { id: "moment", class: "hint", "aria-live": "polite", hidden: "" }));
  }

  // How long the axis is: to the last point, or the end of the last step.
  function spanOf({ resident, lanes }) {
    let last = 1;
    for (const { points } of resident) last = Math.max(last, points.at.at(-1));
    for (const { spans } of lanes.flatMap((one) => one.lanes)) spans.start.forEach((ns, i) => { last = Math.max(last, ns + spans.elapsed[i]); });
    return last;
  }

  function panel(data, span) {
    const kinds = [...new Set(data.memory.kinds)].filter((kind) => kind != null);
    const facts = Memory.factsOfWhole(data, -1).map((fact) => fact.join(" ")).join("  ·  ");
    const several = data.processes.length > 1 && "the peak is the sum of each process's own";
    const elsewhere = Memory.elsewhere(data).map((fact) => fact.join(" ")).join(" and ");
    const about = [...kinds.map((kind) => KINDS[kind]), several, elsewhere && `of no function at the peak: ${elsewhere}`].filter(Boolean).join("; ");
    const head = element("div", { class: "bar" }, element("h2", {}, "Memory"), element("p", { class: "facts" }, facts), element("p", { class: "quiet" }, about));
    const shown = charts.slice(0, FIRST_CHARTS).map(figure);
    const left = charts.slice(FIRST_CHARTS);
    const more = element("button", { class: "more", type: "button", onclick: () => more.replaceWith(...left.map(figure)) }, `Show all ${count(charts.length)} processes`);
    const axis = charts.length ? [times(span)] : [element("p", { class: "hint" }, "How much was in RAM is not known: it was never read.")];
    const hint = element("p", { class: "hint" }, "RAM as the kernel counts it, with what pyusdt itself takes · click the peak, or ", element("kbd", {}, "Enter"), " on it, to see what was allocated then · arrow keys read the chart");
    return element("section", { class: "panel", id: "memory", "aria-label": "Memory" }, head, element("div", { class: "timelines" }, ...shown, ...(left.length ? [more] : []), ...axis), ...(charts.length ? [hint] : []));
  }

  function figure({ most, others, chart }) {
    const seen = chart.points.rss[chart.peak];
    const notes = [
      // What the kernel keeps is of each moment, also of those before and between the points.
      most > seen * 1.01 && `at most ${Memory.bytes(most)} since the process began`,
      others && `${count(others)} more names of steps and marks are not drawn`,
    ].filter(Boolean);
    if (notes.length) chart.element.querySelector("figcaption").append(element("span", { class: "quiet" }, notes.join("; ")));
    return chart.element;
  }

  // The axis, below all charts.
  function times(span) {
    const step = Timeline.nice(span, 5);
    const ticks = [];
    for (let ns = 0; ns <= span; ns += step) ticks.push(ns);
    const tick = (ns) => {
      const at = (100 * ns) / span;
      // In the middle below its place, but within the chart.
      const shift = at < 5 ? 0 : at > 95 ? 100 : 50;
      return element("span", { style: `left: ${at.toFixed(3)}%; translate: -${shift}%` }, ns ? Timeline.short(duration(ns)) : "0");
    };
    return element("div", { class: "times", "aria-hidden": "true" }, ...ticks.map(tick));
  }

  // Of which moment the flame graph of these threads is.
  function say(data, choice, measure) {
    const line = document.getElementById("moment");
    line.hidden = measure !== "peak";
    if (!line.hidden) line.textContent = moment(data, choice);
  }

  function moment(data, choice) {
    if (choice === -1 && data.processes.length > 1) return `What was allocated and alive at the peak of each of ${count(data.processes.length)} processes; these are moments of their own.`;
    const process = choice === -1 ? 0 : Model.processOf(data, choice);
    const of = charts.find((one) => one.process === process);
    const alive = `What was allocated and alive when process ${data.processes[process].pid} had most of it.`;
    if (!of) return alive;
    const [most, ...where] = of.chart.facts(of.chart.peak);
    const time = new Date(data.memory.began + of.chart.points.at[of.chart.peak] / 1e6).toLocaleTimeString();
    return `${alive} Most in RAM: ${most.replace(" in RAM", "")} ${where.join(", ")} (${time}); that may be another moment.`;
  }

  Object.assign(Held, { show, say });
}
