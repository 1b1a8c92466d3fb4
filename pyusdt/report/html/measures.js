// SPDX-License-Identifier: Apache-2.0
// What is measured: wall time, CPU time, or a class of wait, and what it was charged for; or memory. Kinds
// are numbers, places in `data.kinds`. No DOM.
"use strict";

const Measures = {};
{
  const CPU = ["user", "system"];
  const TITLES = {
    wall: "Wall time", cpu: "CPU", user: "User CPU", system: "System CPU", wait: "Waits",
    gil: "GIL", lock: "Lock", sleep: "Sleep", poll: "Poll", net: "Network", disk: "Disk",
    child: "Child process", runnable: "Ready, no CPU", other: "Other",
    peak: "Memory at peak", allocated: "Memory allocated", live: "Memory live at the end",
  };

  const title = (measure) => TITLES[measure] || measure;
  const titleOfTotal = (measure) => (measure === "wall" ? "Total" : `Total ${title(measure).replace("Memory ", "")}`);
  const isWait = (kind) => !CPU.includes(kind);

  // The kinds that make up a measure, as numbers.
  function kindsOf(data, measure) {
    const wanted = { cpu: (kind) => !isWait(kind), wait: isWait }[measure] || ((kind) => kind === measure);
    return data.kinds.map((kind, i) => (wanted(kind) ? i : -1)).filter((i) => i >= 0);
  }

  // Time and looks by kind, all 0.
  const none = (data) => ({ ns: data.kinds.map(() => 0), looks: data.kinds.map(() => 0) });

  function add(sums, kind, ns, looks) {
    sums.ns[kind] += ns;
    sums.looks[kind] += looks;
  }

  // What these threads were charged; null where that is not known of any.
  function together(data, threads) {
    const known = threads.filter((thread) => thread.charges);
    if (!known.length) return null;
    const sums = none(data);
    for (const { charges } of known) charges.ns.forEach((ns, kind) => add(sums, kind, ns, charges.looks[kind]));
    return sums;
  }

  // {ns, looks} of one measure.
  function of(data, sums, measure) {
    const kinds = kindsOf(data, measure);
    const sum = (column) => kinds.reduce((whole, kind) => whole + column[kind], 0);
    return { ns: sum(sums.ns), looks: sum(sums.looks) };
  }

  // What a time is made of: CPU, and each class of wait that there is, [{kind, ns, looks}].
  function parts(data, sums) {
    const kinds = ["cpu", ...data.kinds.filter(isWait)];
    return kinds.map((kind) => ({ kind, ...of(data, sums, kind) })).filter((part) => part.ns > 0);
  }

  // The kernel's account of waits, [count, ns, bytes, errors] by reason, as parts: it is exact.
  function ofKernel(data, account) {
    const parts = Object.entries(account).map(([reason, [, ns]]) => ({ kind: data.kinds.includes(reason) ? reason : "other", ns, looks: null }));
    return parts.filter((part) => part.ns > 0).sort((a, b) => data.kinds.indexOf(a.kind) - data.kinds.indexOf(b.kind));
  }

  // The measures that the recording has: wall time always, others where something was charged.
  function offered(data) {
    const whole = together(data, data.threads) || none(data);
    const waits = parts(data, whole).map((part) => part.kind).filter((kind) => kind !== "cpu");
    const cpu = of(data, whole, "cpu").ns ? ["cpu"] : [];
    const memory = data.memory ? Memory.offered(data) : [];
    return ["wall", ...cpu, ...(waits.length > 1 ? ["wait"] : []), ...waits, ...memory];
  }

  Object.assign(Measures, { title, titleOfTotal, isWait, kindsOf, none, add, together, of, parts, ofKernel, offered });
}
