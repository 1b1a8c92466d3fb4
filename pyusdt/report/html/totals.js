// SPDX-License-Identifier: Apache-2.0
// Totals by function: a row has the exact counts and wall times, what was charged, and the total of the
// measure. No DOM.
"use strict";

const Totals = (() => {
  const NAMES = ["calls", "resumes", "errors", "self"];

  // Rows by function, each made when it is first asked for.
  function table(data) {
    const { p50, p99, latency50, latency99 } = data.functions;
    const rows = new Map();
    const at = (fn) => {
      let row = rows.get(fn);
      if (!row) {
        row = { fn, calls: 0, resumes: 0, errors: 0, self: 0, elapsed: 0, total: 0, native: null, charged: null, inTree: 0, totalLooks: 0 };
        Object.assign(row, { p50: p50[fn], p99: p99[fn], latency50: latency50[fn], latency99: latency99[fn] });
        rows.set(fn, row);
      }
      return row;
    };
    return { rows, at };
  }

  // Adds cpu and wait, and each class of wait, as sortable figures; null where no sampler ran.
  function finish(data, rows) {
    const measures = ["cpu", "user", "system", "wait", ...data.kinds.filter(Measures.isWait)];
    for (const row of rows.values()) {
      row.looks = {};
      for (const measure of measures) {
        const { ns, looks } = row.charged ? Measures.of(data, row.charged, measure) : { ns: null, looks: 0 };
        row[measure] = ns;
        row.looks[measure] = looks;
      }
    }
    return rows;
  }

  // Of one thread, or of all for -1; counts, wall times and charges are exact also where the tree is not.
  function whole(data, tree, thread, wanted) {
    const { rows, at } = table(data);
    const { totals, charged } = data;
    const here = (i, column) => thread < 0 || column.thread[i] === thread;
    totals.function.forEach((fn, i) => {
      if (!here(i, totals)) return;
      const row = at(fn);
      for (const name of NAMES) row[name] += totals[name][i];
      row.elapsed += totals.total[i];
      const known = row.charged !== undefined && data.threads[totals.thread[i]].charges;
      row.charged = known ? row.charged || Measures.none(data) : undefined;
    });
    charged.function.forEach((fn, i) => {
      const row = here(i, charged) && rows.get(fn);
      if (row?.charged) Measures.add(row.charged, charged.kind[i], charged.ns[i], charged.looks[i]);
    });
    finish(data, rows);
    addTotals(tree, tree.children[0], at);
    for (const row of rows.values()) row.total = wanted === "wall" ? row.elapsed : row.total + beyond(row, wanted);
    addNative(data, tree, rows, tree.children[0]);
    return rows;
  }

  // What a function has of a measure beyond the tree: of contexts that were given up.
  const beyond = (row, wanted) => Math.max((row[wanted] || 0) - row.inTree, 0);

  // Of what is below `top`, itself too.
  function below(data, tree, top) {
    const { rows, at } = table(data);
    const { ns, looks } = tree.charged;
    const kinds = data.kinds.map((_, kind) => kind).filter((kind) => ns[kind]);
    const active = new Map();
    const enter = (node) => {
      const row = at(tree.fn[node]);
      for (const name of NAMES) row[name] += tree[name][node];
      if (tree.sampled) row.charged ||= Measures.none(data);
      for (const kind of kinds) Measures.add(row.charged, kind, ns[kind][node], looks[kind][node]);
      if (!active.get(row.fn)) row.elapsed += tree.elapsed[node];
      active.set(row.fn, (active.get(row.fn) || 0) + 1);
    };
    Model.walk(tree, enter, (node) => active.set(tree.fn[node], active.get(tree.fn[node]) - 1), [top]);
    addTotals(tree, [top], at);
    addNative(data, tree, rows, tree.children[top]);
    return finish(data, rows);
  }

  // Adds the total of the measure below these nodes. Recursion counts once.
  function addTotals(tree, first, at) {
    const active = new Map();
    const enter = (node) => {
      const fn = tree.fn[node];
      const row = at(fn);
      row.inTree += tree.own[node];
      if (!active.get(fn)) {
        row.total += tree.total[node];
        row.totalLooks += tree.looks[node];
      }
      active.set(fn, (active.get(fn) || 0) + 1);
    };
    Model.walk(tree, enter, (node) => active.set(tree.fn[node], active.get(tree.fn[node]) - 1), first);
  }

  // Adds the time of C functions that Python functions called, where all of these have contexts.
  function addNative(data, tree, rows, first) {
    if (!data.native.known) return;
    const { c } = data.functions;
    for (const row of rows.values()) row.native = c[row.fn] ? null : 0;
    const enter = (node) => {
      const fn = tree.fn[node];
      const row = rows.get(tree.fn[tree.parent[node]]);
      if (!row || row.native == null) return;
      if (c[fn]) row.native += tree.self[node];
      else if (data.native.others.includes(fn)) row.native = null;
    };
    Model.walk(tree, enter, () => {}, first);
  }

  return { whole, below };
})();
