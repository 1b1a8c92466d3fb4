// SPDX-License-Identifier: Apache-2.0
// From the recording's columns to a tree with places, totals by function, and searches. No DOM.
"use strict";

const TOP = -1;

// One tree of the given threads; calling contexts that are alike become one. Node 0 is the top.
function mergeThreads(data, threads) {
  const tree = { fn: [TOP], parent: [-1], calls: [0], resumes: [0], errors: [0], self: [0] };
  const known = new Map();
  const width = data.functions.line.length + 1;
  for (const thread of threads) {
    const path = [0];
    for (let i = thread.first; i < thread.end; i++) {
      const depth = data.nodes.depth[i];
      const fn = data.nodes.function[i];
      const parent = path[depth];
      let node = known.get(parent * width + fn);
      if (node === undefined) {
        node = tree.fn.length;
        known.set(parent * width + fn, node);
        tree.fn.push(fn);
        tree.parent.push(parent);
        for (const name of ["calls", "resumes", "errors", "self"]) tree[name].push(0);
      }
      for (const name of ["calls", "resumes", "errors", "self"]) {
        tree[name][node] += data.nodes[name][i];
      }
      path[depth + 1] = node;
    }
  }
  return tree;
}

// Adds children (the heaviest first), total, start and depth. Parents come before their children.
function layOut(tree) {
  const n = tree.fn.length;
  tree.total = Float64Array.from(tree.self);
  tree.start = new Float64Array(n);
  tree.depth = new Int32Array(n);
  tree.children = Array.from({ length: n }, () => []);
  for (let i = n - 1; i > 0; i--) tree.total[tree.parent[i]] += tree.total[i];
  for (let i = 1; i < n; i++) tree.children[tree.parent[i]].push(i);
  tree.deepest = 0;
  for (let i = 0; i < n; i++) {
    tree.children[i].sort((a, b) => tree.total[b] - tree.total[a] || a - b);
    let at = tree.start[i];
    for (const child of tree.children[i]) {
      tree.start[child] = at;
      tree.depth[child] = tree.depth[i] + 1;
      tree.deepest = Math.max(tree.deepest, tree.depth[child]);
      at += tree.total[child];
    }
  }
  return tree;
}

// The tree of one thread, or of all for index -1.
function build(data, thread) {
  const chosen = thread < 0 ? data.threads : [data.threads[thread]];
  return layOut(mergeThreads(data, chosen));
}

// Calls enter(node) before a node's children and leave(node) after them; from `first` on, or from
// what is below the top.
function walk(tree, enter, leave, first = tree.children[0]) {
  const stack = [...first].reverse();
  while (stack.length) {
    const node = stack.pop();
    if (node < 0) {
      leave(~node);
      continue;
    }
    enter(node);
    stack.push(~node);
    for (let i = tree.children[node].length - 1; i >= 0; i--) stack.push(tree.children[node][i]);
  }
}

// Totals by function, of one thread, or of all for -1; exact also where the tree is not.
function totals(data, thread) {
  const { functions, totals: columns } = data;
  const rows = new Map();
  columns.function.forEach((fn, i) => {
    if (thread >= 0 && columns.thread[i] !== thread) return;
    let row = rows.get(fn);
    if (!row) {
      row = { fn, calls: 0, resumes: 0, errors: 0, self: 0, total: 0 };
      row.p50 = functions.p50[fn];
      row.p99 = functions.p99[fn];
      row.latency50 = functions.latency50[fn];
      row.latency99 = functions.latency99[fn];
      rows.set(fn, row);
    }
    for (const name of ["calls", "resumes", "errors", "self", "total"]) row[name] += columns[name][i];
  });
  return rows;
}

// Totals by function of what is below `top`, itself too. Recursion counts once.
function totalsBelow(data, tree, top) {
  const { p50, p99 } = data.functions;
  const rows = new Map();
  const active = new Map();
  walk(
    tree,
    (node) => {
      const fn = tree.fn[node];
      const row = rows.get(fn) || { fn, calls: 0, resumes: 0, errors: 0, self: 0, total: 0, p50: p50[fn], p99: p99[fn] };
      rows.set(fn, row);
      for (const name of ["calls", "resumes", "errors", "self"]) row[name] += tree[name][node];
      const inside = active.get(fn) || 0;
      if (!inside) row.total += tree.total[node];
      active.set(fn, inside + 1);
    },
    (node) => active.set(tree.fn[node], active.get(tree.fn[node]) - 1),
    [top],
  );
  return rows;
}

// Who calls `fn` and whom it calls: [{fn, calls, total}], the most time first.
function neighbours(tree, fn) {
  const sides = { callers: new Map(), callees: new Map() };
  const active = { callers: new Map(), callees: new Map() };
  const edges = (node) => {
    const above = tree.fn[tree.parent[node]];
    const found = [];
    if (tree.fn[node] === fn && above !== TOP) found.push(["callers", above]);
    if (above === fn) found.push(["callees", tree.fn[node]]);
    return found;
  };
  walk(
    tree,
    (node) => {
      for (const [side, other] of edges(node)) {
        const row = sides[side].get(other) || { fn: other, calls: 0, total: 0 };
        sides[side].set(other, row);
        row.calls += tree.calls[node];
        const inside = active[side].get(other) || 0;
        if (!inside) row.total += tree.total[node];
        active[side].set(other, inside + 1);
      }
    },
    (node) => {
      for (const [side, other] of edges(node)) active[side].set(other, active[side].get(other) - 1);
    },
  );
  const sorted = (rows) => [...rows.values()].sort((a, b) => b.total - a.total || b.calls - a.calls);
  return { callers: sorted(sides.callers), callees: sorted(sides.callees) };
}

// Which functions match `text` in module:name or file, whatever the case; null for no text.
function search(data, text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return null;
  const { module, name, file } = data.functions;
  return module.map((_, fn) => {
    const label = `${data.strings[module[fn]]}:${data.strings[name[fn]]}\n${data.strings[file[fn]]}`;
    return label.toLowerCase().includes(wanted);
  });
}

// The time in matching functions and all below them.
function matchedTime(tree, matches) {
  let inside = 0;
  let time = 0;
  walk(
    tree,
    (node) => {
      if (matches[tree.fn[node]] && !inside++) time += tree.total[node];
    },
    (node) => {
      if (matches[tree.fn[node]]) inside--;
    },
  );
  return time;
}

// The rows by `key`, numbers downwards (nothing last) and names upwards, or the other way round.
function sortRows(rows, key, reverse, label) {
  const sign = reverse ? -1 : 1;
  const order =
    key === "name"
      ? (a, b) => sign * label(a.fn).localeCompare(label(b.fn))
      : (a, b) => (a[key] == null) - (b[key] == null) || sign * (b[key] - a[key]) || a.fn - b.fn;
  return [...rows].sort(order);
}

// What a link to this page says, and back: {thread, zoom, search, sort, reverse, fn}.
function readHash(hash) {
  const params = new URLSearchParams(hash.replace(/^#/, ""));
  const number = (name, otherwise) => {
    const value = parseInt(params.get(name), 10);
    return Number.isNaN(value) ? otherwise : value;
  };
  return {
    thread: number("thread", -1),
    zoom: number("zoom", 0),
    fn: number("function", -1),
    search: params.get("search") || "",
    sort: params.get("sort") || "self",
    reverse: params.get("order") === "reverse",
  };
}

function writeHash(state) {
  const params = new URLSearchParams();
  if (state.thread >= 0) params.set("thread", state.thread);
  if (state.zoom) params.set("zoom", state.zoom);
  if (state.fn >= 0) params.set("function", state.fn);
  if (state.search) params.set("search", state.search);
  if (state.sort !== "self") params.set("sort", state.sort);
  if (state.reverse) params.set("order", "reverse");
  return params.toString();
}

const Model = { build, walk, totals, totalsBelow, neighbours, search, matchedTime, sortRows, readHash, writeHash };

if (typeof module !== "undefined") module.exports = Model;
