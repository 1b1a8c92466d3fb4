// SPDX-License-Identifier: Apache-2.0
// Lines that were recorded: a row for each line of a function, how hot lines are, the calls in a line, and
// files as a view shows them. They are of all threads. No DOM.
"use strict";

const Lines = {};
{
  const { duration, reading, count } = Format;
  const WORD = /[\p{L}_][\p{L}\p{N}_]*(?=\s*\()/gu;
  const DEFINED = /(?:def|class)\s+$/;
  const MADE = /^__(init|new|call)__$/;

  // A row: exact counts, wall times (exact too unless sampled), and what the sampler has charged to the line
  // itself; null where it charged nothing to anything.
  function rowsOf(data) {
    const { rows, charges, times } = data.lined;
    const made = Array.from(rows.line, (line, i) =>
      rowOf(data, { fn: rows.function[i], line, hits: rows.hits[i], errors: rows.errors[i], total: rows.total[i], self: rows.self[i] }),
    );
    charges.row.forEach((row, i) => Measures.add(made[row].charged, charges.kind[i], charges.ns[i], charges.looks[i]));
    for (const row of made) {
      for (const measure of ["cpu", "wait"]) {
        const { ns, looks } = row.charged ? Measures.of(data, row.charged, measure) : { ns: null, looks: 0 };
        row[measure] = ns;
        row.looks[measure] = looks;
      }
      row.parts = row.charged ? Measures.parts(data, row.charged) : [];
      if (!times) row.self = row.total = null;
    }
    if (times) Totals.limit(made);
    if (data.memory) Memory.addToLines(data, made);
    return made;
  }

  // One with these figures, and nothing charged to it.
  function rowOf(data, figures) {
    const looks = data.lined.times ? null : 0;
    return { ...figures, parts: [], charged: data.lined.sampled ? Measures.none(data) : null, looks: { self: looks, total: looks }, limited: new Set() };
  }

  function grouped(rows, keyOf) {
    const groups = new Map();
    for (const row of rows) {
      const key = keyOf(row);
      if (groups.has(key)) groups.get(key).push(row);
      else groups.set(key, [row]);
    }
    return groups;
  }

  // By what lines are hot: the memory that is shown, own CPU time, or what is known best without it.
  function weightOf(data, rows, measure) {
    if (data.memory && Memory.MEASURES.includes(measure) && rows.some((row) => row[measure] > 0)) return measure;
    return ["cpu", "self"].find((key) => rows.some((row) => row[key] > 0)) || "hits";
  }

  // All of it: {rows, weight, known, byFunction, byFile}; null where no lines were recorded.
  function read(data) {
    if (!data.lined) return null;
    const rows = rowsOf(data);
    const byFunction = grouped(rows, (row) => row.fn);
    const byFile = grouped(rows, (row) => data.lined.functions[row.fn][0]);
    const has = (key) => rows.some((row) => row[key] > 0);
    const known = { total: data.lined.times, self: data.lined.times, cpu: has("cpu"), wait: has("wait"), errors: has("errors"), memory: has("allocated") };
    return { rows, weight: weightOf(data, rows), known, byFunction, byFile };
  }

  // The hottest first.
  const hottest = (rows, weight) => [...rows].sort((a, b) => (b[weight] || 0) - (a[weight] || 0) || b.hits - a.hits || a.line - b.line);

  // What a view shows of a function's file: {file, title, state, why, numbers, texts, rows (by line), hot (lines,
  // the hottest first), start (the hottest of `fn`), most}. Where functions share a line it is `fn`'s, or the hotter one's. `part`: only of
  // the function. Without text only lines that have a row are there.
  function view(data, lines, fn, part) {
    const span = data.lined?.functions[fn];
    if (!span) return null;
    const [number, begin, end] = span;
    const file = data.lined.files[number];
    const own = lines.byFunction.get(fn) || [];
    const all = hottest(part ? own : lines.byFile.get(number), lines.weight);
    const rows = new Map();
    for (const row of all) {
      if (row.fn === fn || !rows.has(row.line)) rows.set(row.line, row);
    }
    const used = [...rows.keys()].sort((a, b) => a - b);
    const text = file.lines;
    const [first, last] = part ? [begin, Math.min(end, text?.length)] : [1, text?.length];
    const there = Array.from({ length: text ? Math.max(last - first + 1, 0) : 0 }, (_, i) => first + i);
    // With those of another text than this.
    const numbers = [...used.filter((line) => line < there[0]), ...there, ...used.filter((line) => !(line <= there.at(-1)))];
    const texts = numbers.map((line) => text?.[line - 1] ?? "");
    const most = {};
    for (const key of ["hits", "total", "self", "cpu", "wait", ...(lines.known.memory ? Memory.MEASURES : [])]) most[key] = all.reduce((max, row) => Math.max(max, row[key] || 0), 0);
    const hot = hottest(rows.values(), lines.weight).map((row) => row.line);
    return { file: number, title: data.strings[file.file], state: file.state, why: file.why, numbers, texts, rows, hot, start: hot.find((line) => rows.get(line).fn === fn) ?? hot[0], most, weight: lines.weight };
  }

  // Unpacks the texts of all files; where that fails, views have none.
  async function unpack(data) {
    for (const file of data.lined?.files || []) {
      try {
        if (file.text) file.lines = (await Columns.text(file.text)).replace(/\n$/, "").split("\n");
      } catch (fault) {
        Object.assign(file, { state: "missing", why: `this browser cannot unpack it: ${fault.message}` });
      }
    }
  }

  // From 0 to 1: cold lines differ from hot ones, and from those that only ran.
  const heat = (view, row) => (row && view.most[view.weight] ? Math.sqrt((row[view.weight] || 0) / view.most[view.weight]) : 0);

  // By function whom it calls in this tree: by the name that a line has for it. Of those with one name it is
  // the one with the most time.
  function calleesOf(data, tree) {
    const sums = new Map();
    for (let node = 1; node < tree.fn.length; node++) {
      const caller = tree.fn[tree.parent[node]];
      if (caller < 0) continue;
      if (!sums.has(caller)) sums.set(caller, new Map());
      const of = sums.get(caller);
      of.set(tree.fn[node], (of.get(tree.fn[node]) || 0) + tree.elapsed[node]);
    }
    const callees = new Map();
    for (const [caller, of] of sums) {
      const names = new Map();
      const sorted = [...of].sort(([, a], [, b]) => b - a);
      for (const [fn] of sorted) {
        const name = calledAs(data.strings[data.functions.name[fn]]);
        if (!names.has(name)) names.set(name, fn);
      }
      callees.set(caller, names);
    }
    return callees;
  }

  // The last part of a qualified name, or the class whose instance is made.
  function calledAs(qualname) {
    const parts = qualname.split(".").filter((part) => part !== "<locals>");
    const last = parts.pop();
    return (MADE.test(last) && parts.pop()) || last;
  }

  // Pieces of a line: texts, and {text, fn} of calls whose callee is known.
  function pieces(text, names) {
    if (!names?.size) return [text];
    const found = [];
    let at = 0;
    for (const match of text.matchAll(WORD)) {
      const fn = names.get(match[0]);
      if (fn === undefined || DEFINED.test(text.slice(0, match.index))) continue;
      found.push(text.slice(at, match.index), { text: match[0], fn });
      at = match.index + match[0].length;
    }
    return [...found, text.slice(at)].filter((piece) => piece !== "");
  }

  // All figures of a line as a sentence.
  function facts(line, row, known) {
    if (!row) return `Line ${line} · not run`;
    const times = [["total", "time"], ["self", "self"], ["cpu", "CPU"], ["wait", "wait"]].filter(([key]) => known[key] && row[key]).map(([key, title]) => `${title} ${reading(row, key)}`);
    const each = known.total && row.hits ? [`${duration(row.total / row.hits)} per hit`] : [];
    const errors = row.errors ? [`${count(row.errors)} errors`] : [];
    const memory = known.memory ? Memory.facts(row).map(([title, text]) => `${title.toLowerCase()} ${text}`) : [];
    return [`Line ${line}`, `${count(row.hits)} hits`, ...times, ...each, ...errors, ...memory].join(" · ");
  }

  const STATES = {
    recorded: "the text as it was recorded",
    changed: "the file has changed since: this is the text as it was recorded",
    now: "the text as the file is now: none was recorded",
    missing: "without text",
  };
  const stateOf = ({ state, why }) => (why ? `${STATES[state]}: ${why}` : STATES[state]);

  // What has to be done to have lines of a function.
  const howTo = (name) => `Lines were not recorded; --lines '${name}' records them.`;

  Object.assign(Lines, { read, weightOf, rowOf, unpack, view, heat, calleesOf, pieces, facts, stateOf, howTo });
}
