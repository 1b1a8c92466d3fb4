// SPDX-License-Identifier: Apache-2.0
// Totals by function: a row has the exact counts and wall times, what was charged, and the total of the
// measure. No DOM.
"use strict";

const Totals = {};
{
  // As in order.py: what is seen to do little but to wait until there is something to do.
  const IDLE = ["lock", "sleep", "poll", "child"];
  const WANTING = ["gil", "runnable"];
  const FEWEST_LOOKS = 10;
  const MOST_OF_IT = 0.9;
  const NAMES = ["calls", "resumes", "errors", "self"];

  // Rows by function, each made when it is first asked for.
  function table(data) {
    const { p50, p99, latency50, latency99 } = data.functions;
    const rows = new Map();
    const at = (fn) => {
      let row = rows.get(fn);
      if (!row) {
        row = { fn, calls: 0, resumes: 0, errors: 0, self: 0, elapsed: 0, total: 0, native: null, charged: null, inTree: { ns: 0, looks: 0 }, totalLooks: 0 };
        Object.assign(row, { p50: p50[fn], p99: p99[fn], latency50: latency50[fn], latency99: latency99[fn] });
        rows.set(fn, row);
      }
      return row;
    };
    return { rows, at };
  }

  // Adds figures that rest on looks, each of them null where it does not: cpu and wait, each class of wait,
  // and what own time is made of. Without a sampler these are null.
  function finish(data, tree, rows, wanted) {
    const measures = ["cpu", "user", "system", "wait", ...data.kinds.filter(Measures.isWait)];
    for (const row of rows.values()) {
      row.measure = wanted;
      row.parts = row.charged ? Measures.parts(data, row.charged) : [];
      const all = row.charged ? row.charged.looks.reduce((a, b) => a + b, 0) : 0;
      row.looks = { self: tree.estimated ? all : null, total: tree.exact ? null : row.totalLooks };
      for (const measure of measures) {
        const { ns, looks } = row.charged ? Measures.of(data, row.charged, measure) : { ns: null, looks: 0 };
        row[measure] = ns;
        row.looks[measure] = looks;
      }
      row.idle = idles(row);
      row.limited = new Set();
    }
    return rows;
  }

  function idles(row) {
    if (!row.charged || row.looks.cpu + row.looks.wait < FEWEST_LOOKS) return false;
    const sum = (kinds) => kinds.reduce((ns, kind) => ns + row[kind], 0);
    return sum(IDLE) > MOST_OF_IT * (row.cpu + row.wait - sum(WANTING));
  }

  // Of the chosen threads; counts, wall times, charges and memory are exact also where the tree is not.
  function whole(data, tree, choice, wanted) {
    const { rows, at } = table(data);
    const { totals, charged } = data;
    const chosen = new Set(Model.threadsOf(data, choice));
    const here = (i, column) => chosen.has(data.threads[column.thread[i]]);
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
    if (data.memory) Memory.addTo(data, choice, at);
    addTotals(tree, tree.children[0], at);
    finish(data, tree, rows, wanted);
    for (const row of rows.values()) addBeyond(row);
    limit(rows);
    addNative(data, tree, rows, tree.children[0]);
    if (choice === -1) addKernel(data, rows);
    if (data.memory) Memory.finish(data, rows.values(), tree.heldSampled, wanted);
    return rows;
  }

  // CPU and waits are no more than own wall time, where that is exact.
  function limit(rows) {
    for (const row of rows.values()) {
      if (row.looks.self != null) continue;
      for (const key of Object.keys(row.looks)) {
        if (key === "total" || !(row[key] > row.self)) continue;
        // As report/readings.py: what is more by no more than its looks may be off, is that.
        if (!(row.looks[key] >= 1) || row[key] > row.self * (1 + row.looks[key] ** -0.5)) row.limited.add(key);
        row[key] = row.self;
      }
    }
  }

  // The kernel's waits, which are exact, in place of the sampled ones.
  function addKernel(data, rows) {
    for (const [fn, { offcpu }] of Object.entries(data.kernel)) {
      const row = offcpu && rows.get(Number(fn));
      if (!row) continue;
      const waits = Measures.ofKernel(data, offcpu);
      for (const kind of data.kinds.filter(Measures.isWait)) {
        row[kind] = waits.filter((part) => part.kind === kind).reduce((sum, part) => sum + part.ns, 0);
        row.looks[kind] = null;
        row.limited.delete(kind);
      }
      row.limited.delete("wait");
      row.wait = waits.reduce((sum, part) => sum + part.ns, 0);
      row.looks.wait = null;
      row.parts = [...row.parts.filter((part) => part.kind === "cpu"), ...waits];
    }
  }

  // Adds what a function has beyond the tree: of contexts that were given up. Wall times have it, and
  // memory.js adds bytes.
  function addBeyond(row) {
    const { measure, looks, inTree } = row;
    if (measure !== "wall" && !(measure in looks)) return;
    if (measure === "wall") row.total = row.elapsed;
    else row.total += Math.max((row[measure] || 0) - inTree.ns, 0);
    const own = measure === "wall" ? looks.self : looks[measure];
    if (looks.total != null) looks.total += Math.max(own - inTree.looks, 0);
  }

  // Of what is below `top`, itself too.
  function below(data, tree, top, wanted) {
    const { rows, at } = table(data);
    const { ns, looks } = tree.charged;
    const kinds = data.kinds.map((_, kind) => kind).filter((kind) => ns[kind]);
    const active = new Map();
    const enter = (node) => {
      const row = at(tree.fn[node]);
      for (const name of NAMES) row[name] += tree[name][node];
      if (tree.sampled) row.charged ||= Measures.none(data);
      for (const kind of kinds) Measures.add(row.charged, kind, ns[kind][node], looks[kind][node]);
      if (tree.held) Memory.addNode(tree, node, row);
      if (!active.get(row.fn)) row.elapsed += tree.elapsed[node];
      active.set(row.fn, (active.get(row.fn) || 0) + 1);
    };
    Model.walk(tree, enter, (node) => active.set(tree.fn[node], active.get(tree.fn[node]) - 1), [top]);
    addTotals(tree, [top], at);
    finish(data, tree, rows, wanted);
    limit(rows);
    addNative(data, tree, rows, tree.children[top]);
    if (tree.held) Memory.finish(data, rows.values(), tree.heldSampled, wanted);
    return rows;
  }

  // Adds the total of the measure below these nodes. Recursion counts once.
  function addTotals(tree, first, at) {
    const active = new Map();
    const enter = (node) => {
      const fn = tree.fn[node];
      const row = at(fn);
      row.inTree.ns += tree.own[node];
      row.inTree.looks += tree.ownLooks[node];
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
    const looksOf = (node) => tree.charged.looks.reduce((sum, column) => sum + (column ? column[node] : 0), 0);
    for (const row of rows.values()) {
      row.native = c[row.fn] ? null : 0;
      row.looks.native = tree.estimated ? 0 : null;
    }
    const enter = (node) => {
      const fn = tree.fn[node];
      const row = rows.get(tree.fn[tree.parent[node]]);
      if (!row || row.native == null) return;
      if (c[fn]) {
        row.native += tree.self[node];
        if (tree.estimated) row.looks.native += looksOf(node);
      } else if (data.native.others.includes(fn)) row.native = null;
    };
    Model.walk(tree, enter, () => {}, first);
  }

  Object.assign(Totals, { whole, below, limit });
}
