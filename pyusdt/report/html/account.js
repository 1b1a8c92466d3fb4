// SPDX-License-Identifier: Apache-2.0
// Where the time went: of everything, and of each process and thread.
"use strict";

const Account = {};
{
  const { element, duration, percentage, share, count, name } = Format;

  // CPU is read from each thread's own clock, so it is exact here; waits are not.
  function partsOf(data, sums) {
    return Measures.parts(data, sums).map((part) => (part.kind === "cpu" ? { ...part, looks: null } : part));
  }

  // What part of the time in which threads wanted the GIL they waited for it.
  function contention(data, sums) {
    const [gil, cpu] = ["gil", "cpu"].map((measure) => Measures.of(data, sums, measure));
    return gil.ns ? percentage(gil.ns, gil.ns + cpu.ns, gil.looks) : "";
  }

  function row(data, title, wall, sums, pick) {
    const cells = [element("td", {}, duration(wall))];
    if (sums) {
      const parts = partsOf(data, sums);
      const { ns } = Measures.of(data, sums, "cpu");
      cells.push(element("td", {}, duration(ns)), element("td", { class: "made" }, Parts.bar(parts)), element("td", {}, contention(data, sums)));
    } else cells.push(element("td", { colspan: 3, class: "quiet" }, "CPU and waits are not known"));
    const label = pick ? element("button", { type: "button", onclick: pick }, title) : title;
    return element("tr", {}, element("td", { class: "name" }, label), ...cells);
  }

  function table(data, pick) {
    const titles = ["Process or thread", "Wall", "CPU", "CPU and waits", "GIL contention"];
    const head = element("thead", {}, element("tr", {}, ...titles.map((title, i) => element("th", { scope: "col", class: i ? null : "name" }, element("span", {}, title)))));
    const rows = data.processes.flatMap((process, number) => {
      const threads = data.threads.map((thread, i) => [thread, i]).filter(([thread]) => thread.process === number);
      const title = `Process ${process.pid} ${name(process.command, 60)}`.trim();
      return [
        row(data, title, process.wall, Measures.together(data, threads.map(([thread]) => thread))),
        ...threads.map(([thread, i]) => row(data, name(thread.name, 60), thread.elapsed, Measures.together(data, [thread]), () => pick(i))),
      ];
    });
    return element("table", {}, head, element("tbody", {}, ...rows));
  }

  // `pick(i)` chooses a thread.
  function show(data, pick) {
    const sums = Measures.together(data, data.threads);
    const section = document.getElementById("account");
    section.hidden = !sums;
    if (!sums) return;
    const sampled = partsOf(data, sums);
    const kernel = Measures.ofKernel(data, data.offcpu);
    const parts = kernel.length ? [...sampled.filter((part) => part.kind === "cpu"), ...kernel] : sampled;
    const cpu = Measures.of(data, sums, "cpu").ns;
    const gil = contention(data, sums);
    const facts = [
      `Wall ${duration(data.wall)}`,
      `CPU ${duration(cpu)} (${share(cpu, data.wall)} of one CPU)`,
      gil && `GIL contention ${gil}`,
    ];
    const estimated = data.threads.some((thread) => thread.estimated);
    const n = data.processes.length + data.threads.length;
    section.querySelector(".facts").textContent = facts.filter(Boolean).join("  ·  ");
    const times = estimated ? "times, CPU and waits are sampled (~), calls exact" : "CPU and waits are sampled (~), calls and wall times exact, and their limit (<)";
    section.querySelector(".quiet").textContent = kernel.length ? `${times}; waits without ~ are the kernel's own account` : times;
    section.querySelector(".made").replaceChildren(Parts.bar(parts), Parts.legend(parts));
    section.querySelector("summary").textContent = `Each process and thread (${count(n)})`;
    section.querySelector(".scroll").replaceChildren(table(data, pick));
  }

  Object.assign(Account, { show });
}
