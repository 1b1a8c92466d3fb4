// SPDX-License-Identifier: Apache-2.0
// From the recording's columns to a tree with places, totals by function, and searches. No DOM.
"use strict";

const TOP = -1;
const COUNTS = ["calls", "resumes", "errors", "self"];

// One tree of the given threads; calling contexts that are alike become one. Node 0 is the top.
// `charged` has time and looks by kind: of each kind that there is, a column over the nodes.
function mergeThreads(data, threads) {
  const tree = { fn: [TOP], parent: [-1], calls: [0], resumes: [0], errors: [0], self: [0] };
  const known = new Map();
  const width = data.functions.line.length + 1;
  const place = new Int32Array(data.nodes.depth.length).fill(-1);
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
        for (const name of COUNTS) tree[name].push(0);
      }
      for (const name of COUNTS) tree[name][node] += data.nodes[name][i];
      path[depth + 1] = node;
      place[i] = node;
    }
  }
  charge(data, threads, tree, place);
  tree.place = place;
  return tree;
}

// Adds `charged`: what was charged to the contexts; the top has the rest, what threads did outside of all
// functions, or in contexts that were given up.
function charge(data, threads, tree, place) {
  const column = () => new Float64Array(tree.fn.length);
  const ns = data.kinds.map(() => null);
  const looks = data.kinds.map(() => null);
  const add = (node, kind, time, samples) => {
    ns[kind] ||= column();
    looks[kind] ||= column();
    ns[kind][node] += time;
    looks[kind][node] += samples;
  };
  const rest = Measures.together(data, threads) || Measures.none(data);
  const rows = data.charges;
  const all = threads.length === data.threads.length;
  rows.node.forEach((row, i) => {
    if (!all && !threads.some(({ first, end }) => first <= row && row < end)) return;
    add(place[row], rows.kind[i], rows.ns[i], rows.looks[i]);
    Measures.add(rest, rows.kind[i], -rows.ns[i], -rows.looks[i]);
  });
  rest.ns.forEach((time, kind) => time > 0 && add(0, kind, time, Math.max(rest.looks[kind], 0)));
  tree.charged = { ns, looks };
  tree.sampled = threads.every((thread) => thread.charges);
  tree.estimated = threads.some((thread) => thread.estimated);
}

// Of each node what it has of these kinds, itself alone: `columns` are charged.ns or charged.looks.
function sumOfKinds(tree, columns, kinds) {
  const sum = new Float64Array(tree.fn.length);
  for (const kind of kinds) columns[kind]?.forEach((value, node) => { sum[node] += value; });
  return sum;
}

// With what is below each node.
function withBelow(tree, own) {
  const total = Float64Array.from(own);
  for (let i = total.length - 1; i > 0; i--) total[tree.parent[i]] += total[i];
  return total;
}

// Of one measure of time: own and total, and the looks that these rest on.
function weigh(data, tree, wanted) {
  const { ns, looks } = tree.charged;
  const wall = wanted === "wall";
  const kinds = wall ? data.kinds.map((_, kind) => kind) : Measures.kindsOf(data, wanted);
  const own = wall ? Float64Array.from(tree.self) : sumOfKinds(tree, ns, kinds);
  const total = wall ? tree.elapsed : withBelow(tree, own);
  const ownLooks = sumOfKinds(tree, looks, kinds);
  return { own, total, ownLooks, looks: withBelow(tree, ownLooks), exact: wall && !tree.estimated, waiting: wall ? waiting(data, tree) : null };
}

// Adds what a flame graph of one measure needs: what weigh() finds, start and children (the heaviest
// first). `elapsed` is wall time whatever the measure; parents come before their children.
function measure(data, tree, wanted) {
  const n = tree.fn.length;
  tree.elapsed ||= withBelow(tree, tree.self);
  Object.assign(tree, tree.held?.[wanted] ? Memory.weigh(data, tree, wanted) : weigh(data, tree, wanted));
  tree.start = new Float64Array(n);
  tree.depth = new Int32Array(n);
  tree.children = Array.from({ length: n }, () => []);
  for (let i = 1; i < n; i++) tree.children[tree.parent[i]].push(i);
  tree.deepest = 0;
  for (let i = 0; i < n; i++) {
    tree.children[i].sort((a, b) => tree.total[b] - tree.total[a] || a - b);
    let at = tree.start[i];
    for (const child of tree.children[i]) {
      tree.start[child] = at;
      tree.depth[child] = tree.depth[i] + 1;
      if (tree.total[child]) tree.deepest = Math.max(tree.deepest, tree.depth[child]);
      at += tree.total[child];
    }
  }
  return tree;
}

// How much of its wall time each node waited: {own, total}; null where that is not known. Waits are
// sampled, so that they may come out as more than the time in which they were.
function waiting(data, tree) {
  const waits = sumOfKinds(tree, tree.charged.ns, Measures.kindsOf(data, "wait"));
  if (!waits.some(Boolean)) return null;
  const own = waits.map((ns, node) => Math.min(ns, tree.self[node]));
  return { own, total: withBelow(tree, own) };
}

// A choice of threads is the place of one, -1 for all, or -2 and less for those of a process.
const processOf = (data, choice) => (choice < -1 ? -2 - choice : data.threads[choice]?.process);

function threadsOf(data, choice) {
  if (choice === -1) return data.threads;
  return choice < -1 ? data.threads.filter(({ process }) => process === processOf(data, choice)) : [data.threads[choice]];
}

// The tree of these threads.
function build(data, choice, wanted = "wall") {
  const tree = mergeThreads(data, threadsOf(data, choice));
  if (data.memory) Memory.hold(data, tree, choice);
  return measure(data, tree, wanted);
}

// What is in place of `node` in a flame graph: it, or the nearest above that has any of the measure.
function seen(tree, node) {
  let at = node in tree.fn ? node : 0;
  while (at > 0 && !tree.total[at]) at = tree.parent[at];
  return at;
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

// Who calls `fn` and whom it calls: [{fn, calls, total, looks}], the most time
// of the measure first.
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
        const row = sides[side].get(other) || { fn: other, calls: 0, total: 0, looks: tree.exact ? null : 0 };
        sides[side].set(other, row);
        row.calls += tree.calls[node];
        const inside = active[side].get(other) || 0;
        if (!inside) row.total += tree.total[node];
        if (!inside && !tree.exact) row.looks += tree.looks[node];
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

// {ns, looks} in matching functions and all below them.
function matched(tree, matches) {
  let inside = 0;
  const found = { ns: 0, looks: 0 };
  walk(
    tree,
    (node) => {
      if (!matches[tree.fn[node]] || inside++) return;
      found.ns += tree.total[node];
      found.looks += tree.looks[node];
    },
    (node) => {
      if (matches[tree.fn[node]]) inside--;
    },
  );
  return found;
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

// With those that idle at the end, the longest first.
function idleLast(rows) {
  const idle = rows.filter((row) => row.idle).sort((a, b) => b.wait - a.wait);
  return [...rows.filter((row) => !row.idle), ...idle];
}

// What a link to this page says, and back: {thread, zoom, search, sort, reverse, fn, line, measure, colours}.
// No order is the best for what is known; the line is where the file of the function is open, 0 for its hottest.
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
    line: number("line", -1),
    search: params.get("search") || "",
    sort: params.get("sort") || "",
    reverse: params.get("order") === "reverse",
    measure: params.get("measure") || "wall",
    colours: params.get("colours") || "origin",
  };
}

function writeHash(state) {
  const params = new URLSearchParams();
  if (state.thread !== -1) params.set("thread", state.thread);
  if (state.zoom) params.set("zoom", state.zoom);
  if (state.fn >= 0) params.set("function", state.fn);
  if (state.line >= 0) params.set("line", state.line);
  if (state.search) params.set("search", state.search);
  if (state.sort) params.set("sort", state.sort);
  if (state.reverse) params.set("order", "reverse");
  if (state.measure !== "wall") params.set("measure", state.measure);
  if (state.colours !== "origin") params.set("colours", state.colours);
  return params.toString();
}

// The data of a page: what comes as packed columns becomes arrays.
function read(data) {
  for (const name of ["nodes", "charges", "totals", "charged"]) data[name] = Columns.table(data[name]);
  for (const name of data.lined ? ["rows", "charges"] : []) data.lined[name] = Columns.table(data.lined[name]);
  if (data.memory) Memory.read(data);
  return data;
}

const Model = { read, processOf, threadsOf, build, measure, seen, walk, neighbours, search, matched, sortRows, idleLast, readHash, writeHash };
