// SPDX-License-Identifier: Apache-2.0
// What was allocated, of contexts, functions and lines: bytes and blocks, and those of them that were alive. It
// is in pages whose recording has it. No DOM.
"use strict";

const Memory = {};
{
  const { count, figure, time } = Format;
  const UNITS = [[1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "kB"], [1, "B"]];
  const MEASURES = ["peak", "allocated", "live"];
  const SUMS = ["peak", "peakBlocks", "allocated", "allocatedBlocks", "live", "liveBlocks", "temporary", "temporaryBlocks"];

  // Bytes that were counted, or, with looks, that so many samples stand for.
  const bytes = (n, looks) => time(n, looks, UNITS);
  const blocks = (n, looks) => (looks == null ? count(n) : figure(n, looks, [[1, ""]]).trim());

  const reading = (row, key) => (key.endsWith("Blocks") ? blocks : bytes)(row[key], row.looks[key]);
  const column = (key, title, hint) => [title, (row) => reading(row, key), hint];
  const COLUMNS = {
    peak: column("peak", "At peak", "bytes of its own that were alive when most of the process's were"),
    allocated: column("allocated", "Allocated", "bytes of its own"),
    live: column("live", "Live", "bytes of its own that were alive at the end"),
    temporary: column("temporary", "Temporary", "bytes of its own that the same call freed"),
    allocatedBlocks: column("allocatedBlocks", "Blocks", "that it allocated itself"),
  };

  function read(data) {
    for (const name of ["nodes", "functions", "lines"]) data.memory[name] = Columns.table(data.memory[name]);
    for (const one of data.memory.resident) one.points = Columns.table(one.points);
    for (const { lanes } of data.memory.lanes) for (const lane of lanes) lane.spans = Columns.table(lane.spans);
  }

  // Whether a row of `data.memory.functions` is of the chosen threads, or of none but of their processes.
  function isOf(data, choice) {
    const { process, thread } = data.memory.functions;
    if (choice === -1) return () => true;
    return choice < -1 ? (i) => process[i] === Model.processOf(data, choice) : (i) => thread[i] - 1 === choice;
  }

  const isSampled = (data, choice) =>
    data.memory.kinds.some((kind, process) => kind?.includes("sampled") && (choice === -1 || process === Model.processOf(data, choice)));

  // On how many samples so many bytes rest; null where each block is counted.
  const looksOf = (data, n, sampled) => (!sampled ? null : n ? Math.max(n / data.memory.sample, 1) : 0);

  function addRow(sums, rows, i) {
    for (const name of SUMS) sums[name] = (sums[name] || 0) + rows[name][i];
    sums.biggest = Math.max(sums.biggest || 0, rows.biggest[i]);
  }

  const nothing = () => Object.fromEntries([...SUMS, "biggest"].map((name) => [name, 0]));

  // All that the chosen threads have.
  function whole(data, choice) {
    const sums = nothing();
    const here = isOf(data, choice);
    data.memory.functions.function.forEach((_, i) => here(i) && addRow(sums, data.memory.functions, i));
    return sums;
  }

  // Adds `held` to a tree: of each figure a column over the nodes. The top has the rest: what threads have outside
  // of all functions, or in contexts that were given up, and what is of no thread.
  function hold(data, tree, choice) {
    const rows = data.memory.nodes;
    const rest = whole(data, choice);
    tree.held = Object.fromEntries([...SUMS, "biggest"].map((name) => [name, new Float64Array(tree.fn.length)]));
    rows.node.forEach((row, i) => {
      const node = tree.place[row];
      if (node < 0) return;
      for (const name of SUMS) {
        tree.held[name][node] += rows[name][i];
        rest[name] -= rows[name][i];
      }
      tree.held.biggest[node] = Math.max(tree.held.biggest[node], rows.biggest[i]);
    });
    for (const name of SUMS) tree.held[name][0] = Math.max(rest[name], 0);
    tree.heldSampled = isSampled(data, choice);
  }

  // As weigh() of times.
  function weigh(data, tree, wanted) {
    const own = tree.held[wanted];
    const total = withBelow(tree, own);
    const looks = (column) => column.map((n) => looksOf(data, n, true));
    return { own, total, ownLooks: looks(own), looks: looks(total), exact: !tree.heldSampled, waiting: null };
  }

  // Adds to rows of functions what is their own.
  function addTo(data, choice, at) {
    const rows = data.memory.functions;
    const here = isOf(data, choice);
    rows.function.forEach((fn, i) => fn && here(i) && addRow(at(fn - 1), rows, i));
  }

  // The same of what nodes have.
  function addNode(tree, node, row) {
    addRow(row, tree.held, node);
  }

  // On how many samples each figure of these rows rests, and what they have beyond the tree.
  function finish(data, rows, sampled, wanted) {
    for (const row of rows) {
      for (const name of SUMS) {
        row[name] ||= 0;
        // Blocks rest on as many as their bytes.
        row.looks[name] = looksOf(data, row[name.replace("Blocks", "")] || 0, sampled);
      }
      if (!MEASURES.includes(wanted)) continue;
      row.total += Math.max(row[wanted] - row.inTree.ns, 0);
      row.looks.total = looksOf(data, row.total, sampled);
    }
  }

  // Adds to rows of lines what is theirs, and the lines that only have memory.
  function addToLines(data, made) {
    const rows = data.memory.lines;
    const places = new Map(made.map((row) => [`${row.fn}:${row.line}`, row]));
    rows.line.forEach((line, i) => {
      const fn = rows.function[i];
      if (!data.lined.functions[fn]) return;
      let row = places.get(`${fn}:${line}`);
      if (!row) made.push((row = Lines.rowOf(data, { fn, line, hits: 0, errors: 0, total: 0, self: 0 })));
      addRow(row, rows, i);
    });
    finish(data, made, isSampled(data, -1));
  }

  const TITLES = { peak: "At peak", allocated: "Allocated", live: "Live at the end", temporary: "Temporary" };

  function sized(row, key) {
    if (!row[key]) return row.looks[key] == null ? "nothing" : "in no sample";
    return `${reading(row, key)} in ${reading(row, `${key}Blocks`)} block${row[`${key}Blocks`] === 1 ? "" : "s"}`;
  }

  // What a row, or a node, has of its own: [title, text] of each figure that is not 0, or of all.
  function facts(row, all = false) {
    const found = Object.entries(TITLES).filter(([key]) => all || row[key]).map(([key, title]) => [title, sized(row, key)]);
    // A bigger one may be in no sample.
    return row.biggest ? [...found, ["Biggest block", `${row.looks.peak == null ? "" : "≥ "}${bytes(row.biggest)}`]] : found;
  }

  function factsOfNode(data, tree, node) {
    const row = { ...nothing(), looks: {}, inTree: { ns: 0 } };
    addNode(tree, node, row);
    finish(data, [row], tree.heldSampled);
    return facts(row);
  }

  function factsOfWhole(data, choice) {
    const row = { ...whole(data, choice), looks: {} };
    finish(data, [row], isSampled(data, choice));
    return facts(row, true);
  }

  // What of the peak is of no function, as [title, text].
  function elsewhere(data) {
    const { thread, function: fn, peak } = data.memory.functions;
    const sums = { "(native)": 0, "(outside of functions)": 0 };
    peak.forEach((n, i) => { if (!fn[i]) sums[thread[i] ? "(outside of functions)" : "(native)"] += n; });
    return Object.entries(sums).filter(([, n]) => n).map(([title, n]) => [title, bytes(n, looksOf(data, n, isSampled(data, -1)))]);
  }

  // The measures of which there is anything.
  function offered(data) {
    const all = whole(data, -1);
    return MEASURES.filter((measure) => all[measure] > 0);
  }

  Object.assign(Memory, {
    MEASURES, COLUMNS, read, bytes, reading, isSampled, whole, hold, weigh, addTo, addNode, finish, addToLines, facts, factsOfNode, factsOfWhole, elsewhere, offered,
  });
}
