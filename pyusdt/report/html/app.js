// SPDX-License-Identifier: Apache-2.0
// Wires the page: its state is in the address, everything shown follows from it.
"use strict";

(() => {
  const { element, duration, time, count, shareOf, name } = Format;
  const data = Model.read(JSON.parse(document.getElementById("data").textContent));
  const at = (id) => document.getElementById(id);
  const { functions, strings } = data;
  const measures = Measures.offered(data);
  const known = {
    cpu: data.threads.some((thread) => thread.charges),
    memory: !!data.memory,
    native: data.native.known,
    percentiles: functions.p50.some((ns) => ns != null),
  };
  const byProcess = known.memory && data.processes.length > 1; // each has a peak of its own
  let state = Model.readHash(location.hash);
  let tree;
  let rows; // by function, of the thread
  let below; // the same, of what the flame graph shows
  let all = false;
  let callees; // of functions by name, in the tree
  const trail = []; // where calls were followed from: {fn, line}
  const lines = Lines.read(data);

  // Where a function's code comes from, as far as its path shows.
  function kindOf(fn) {
    if (fn < 0) return "top";
    const file = strings[functions.file[fn]];
    if (/[/\\](site|dist)-packages[/\\]/.test(file)) return "library";
    if (/^<frozen |[/\\]lib(64)?[/\\]python\d/.test(file)) return "standard";
    return file.startsWith("<") || !file ? "other" : "program";
  }
  const kinds = functions.line.map((_, fn) => kindOf(fn));
  const names = functions.name.map((place) => name(strings[place]) || "(nameless)");

  const page = {
    colour: colourOf,
    label: (fn) => (fn < 0 ? topLabel() : names[fn]),
    functionName: (fn) => names[fn],
    module: (fn) => name(strings[functions.module[fn]], 80),
    where: (fn) => `${name(strings[functions.module[fn]])}  ${name(strings[functions.place[fn]])}`,
    file: (fn) => name(strings[functions.file[fn]]),
    line: (fn) => functions.line[fn],
    kernel: (fn) => data.kernel[fn],
    memory: known.memory,
    amount: (n, looks) => (isMemory() ? Memory.bytes : time)(n, looks),
    tip: placeTip,
    source: (fn) => (data.sources[fn] === undefined ? "" : strings[data.sources[fn]]),
    pick,
    lined: (fn, part) => Lines.view(data, lines, fn, part),
    about: (view) => `${Lines.stateOf(view)}${data.threads.length > 1 ? "; figures of all threads" : ""}`,
    howTo: (fn) => (functions.c[fn] ? "It is written in C and has no lines." : Lines.howTo(patternOf(fn))),
    sort: (key) => change({ sort: key, reverse: order() === key && !state.reverse }),
    onZoom: (node) => change({ zoom: node }),
    onPick: (node) => tree.fn[node] >= 0 && pick(tree.fn[node]),
    onHover: showTip,
  };
  page.lineView = {
    known: lines?.known || {},
    names: (fn) => (callees ||= Lines.calleesOf(data, tree)).get(fn),
    describe: (fn) => page.where(fn),
    pick: follow,
    onLine: (line) => change({ line }),
  };
  const listing = new Listing({ ...page, ...page.lineView, follow, back, close });
  const flame = new Flame(at("canvas"), at("flame"), at("flame-space"), page);

  // Another function; an open file becomes that of the function, at its hottest line.
  function pick(fn) {
    change({ fn, line: state.line < 0 ? -1 : 0 });
  }

  // As pick(), from a call in a line: there is a way back.
  function follow(fn) {
    trail.push({ fn: state.fn, line: state.line < 0 ? -1 : listing.line });
    pick(fn);
    focusLines();
  }

  function back() {
    change(trail.pop());
    focusLines();
  }

  function close() {
    change({ line: -1 });
    focusLines();
  }

  // What had the focus is not there any more.
  function focusLines() {
    if (state.line >= 0) listing.focus();
    else at("details").querySelector(".lines")?.focus({ preventScroll: true });
  }

  // Whether memory is shown, and not time.
  const isMemory = () => known.memory && Memory.MEASURES.includes(state.measure);

  // Memory neither runs nor waits.
  const colours = () => (state.colours === "state" && isMemory() ? "origin" : state.colours);

  const patternOf = (fn) => `${name(strings[functions.module[fn]])}:${names[fn]}`;

  function colourOf(node, dark) {
    const fn = tree.fn[node];
    if (fn < 0) return Colours.origin("top", fn, dark);
    if (colours() === "module") return Colours.module(functions.module[fn], fn, dark);
    if (colours() === "state") return Colours.state(waitingShare(node), dark);
    return Colours.origin(kinds[fn], fn, dark);
  }

  // How much of what the flame graph shows of a frame is waiting.
  function waitingShare(node) {
    if (state.measure === "wall") return tree.waiting ? tree.waiting.total[node] / (tree.total[node] || 1) : 0;
    return state.measure === "cpu" ? 0 : 1;
  }

  function topLabel() {
    if (state.thread < -1) return `process ${data.processes[Model.processOf(data, state.thread)].pid}`;
    return state.thread < 0 ? (data.threads.length === 1 ? name(data.threads[0].name) : "all threads") : name(data.threads[state.thread].name);
  }

  function change(wanted, remember = true) {
    const before = state;
    const first = !tree;
    state = { ...state, ...wanted };
    if (!Model.threadsOf(data, state.thread)[0] || (state.thread < -1 && !byProcess)) state.thread = -1;
    if (!measures.includes(state.measure)) state.measure = "wall";
    if (!(state.colours in Colours.MODES)) state.colours = "origin";
    const changed = (...keys) => keys.some((key) => state[key] !== before[key]);
    if (changed("thread", "measure") || !tree) {
      if (tree && changed("thread")) state.zoom = wanted.zoom || 0;
      showTree(!tree || changed("thread"));
    } else if (changed("zoom")) {
      if (!(state.zoom < tree.fn.length) || state.zoom < 0) state.zoom = 0;
      flame.zoom(state.zoom);
      narrow();
      showCrumbs();
    }
    if (lines && (changed("measure") || first)) lines.weight = Lines.weightOf(data, lines.rows, state.measure);
    if (changed("search")) all = false;
    showSearch();
    if (changed("colours", "measure", "thread") || !rows.shown) showLegend();
    if (changed("thread", "measure", "zoom", "sort", "reverse", "search") || !rows.shown) showFunctions();
    if (changed("fn", "thread", "measure") || !rows.detailed) showDetails();
    if (changed("fn", "line", "thread", "measure") || first) showListing(changed("thread", "measure"), remember);
    if (known.memory) Held.say(data, state.thread, state.measure);
    if (remember) history.replaceState(null, "", `#${Model.writeHash(state)}`);
  }

  function showTree(anew) {
    callees = null;
    tree = anew ? Model.build(data, state.thread, state.measure) : Model.measure(data, tree, state.measure);
    rows = Totals.whole(data, tree, state.thread, state.measure);
    state.zoom = Model.seen(tree, state.zoom);
    narrow();
    flame.show(tree, state.zoom);
    at("thread").value = state.thread;
    at("measure").value = state.measure;
    showCrumbs();
  }

  function narrow() {
    below = state.zoom ? Totals.below(data, tree, state.zoom, state.measure) : rows;
  }

  function showCrumbs() {
    const path = [];
    for (let node = state.zoom; node > 0 && path.length < 4; node = tree.parent[node]) path.unshift(node);
    const buttons = [0, ...path].map((node) =>
      element("button", { type: "button", onclick: () => change({ zoom: node }) }, node ? names[tree.fn[node]] : topLabel()),
    );
    const left = path.length && tree.depth[path[0]] > 1 ? ["› … ›"] : ["›"];
    at("crumbs").replaceChildren(...buttons.flatMap((button, i) => [...(i > 1 ? ["›"] : i ? left : []), button]));
  }

  function showSearch() {
    const matches = Model.search(data, state.search);
    flame.matches = matches;
    flame.request();
    if (at("search").value !== state.search) at("search").value = state.search;
    const { ns, looks } = matches ? Model.matched(tree, matches) : {};
    const known = tree.exact ? null : looks;
    at("matched").textContent = matches ? `${shareOf(ns, tree.total[0], known)} matched (${page.amount(ns, known)})` : "";
  }

  // By what functions are ordered: own CPU time where it is known, or what the flame graph shows.
  function order() {
    const columns = Tables.columnsOf(known, state.measure);
    if (state.sort in columns) return state.sort;
    return state.measure !== "wall" ? state.measure : known.cpu ? "cpu" : "self";
  }

  // What shares are shares of: the own time that orders the table, or that by which it would be ordered.
  function weightOf(sort) {
    if (sort === "self" || measures.includes(sort)) return sort;
    return state.measure !== "wall" ? state.measure : known.cpu ? "cpu" : "self";
  }

  // What is shared: of a thread all that it was charged, in functions or not.
  function wholeOf(weight, rows) {
    if (weight === "self") return tree.elapsed[state.zoom];
    const sum = (of) => rows.reduce((ns, row) => ns + of(row), 0);
    if (tree.held?.[weight]) return state.zoom ? sum((row) => row[weight]) : Memory.whole(data, state.thread)[weight];
    const threads = Model.threadsOf(data, state.thread);
    const known = Measures.together(data, threads) || Measures.none(data);
    const charged = state.zoom ? sum((row) => Measures.of(data, row.charged || Measures.none(data), weight).ns) : Measures.of(data, known, weight).ns;
    return Math.max(charged, sum((row) => row[weight] || 0));
  }

  function showFunctions() {
    const label = (fn) => `${strings[functions.name[fn]]} ${strings[functions.module[fn]]}`;
    const sort = order();
    const weight = weightOf(sort);
    const every = [...below.values()];
    const found = every.filter((row) => !flame.matches || flame.matches[row.fn]);
    const look = {
      page,
      columns: Tables.columnsOf(known, state.measure),
      sort,
      reverse: state.reverse,
      fn: state.fn,
      weight,
      weightTitle: weight === "self" ? "own wall time" : Measures.title(weight),
      whole: wholeOf(weight, every),
      // Of all rows, whatever is searched for: a bar keeps its length.
      most: every.reduce((longest, row) => Math.max(longest, row[weight] || 0), 0),
      where: state.zoom ? names[tree.fn[state.zoom]] : "",
      all,
    };
    const sorted = Model.sortRows(found, sort === "share" ? weight : sort, state.reverse, label);
    Tables.showFunctions(state.sort || state.measure !== "wall" ? sorted : Model.idleLast(sorted), look);
    rows.shown = true;
  }

  function showDetails() {
    Tables.markSelected(state.fn);
    const entry = rows.get(state.fn);
    Details.show(page, state.fn, entry, entry && Model.neighbours(tree, state.fn));
    rows.detailed = true;
  }

  function showListing(anew, focus) {
    const opened = listing.show(state.fn, state.line, trail.length > 0, anew);
    if (opened && focus) listing.focus();
  }

  function showTip(node, event) {
    if (node < 0) return placeTip();
    const fn = tree.fn[node];
    const errors = tree.errors[node] ? ` · ${count(tree.errors[node])} errors` : "";
    // The CPU time of a whole thread is read from its clock.
    const looks = tree.exact || (!node && state.measure === "cpu") ? null : tree.looks[node];
    const part = shareOf(tree.total[node], tree.total[0], looks);
    const own = tree.exact ? ` · self ${page.amount(tree.own[node])}` : "";
    const facts = `${page.amount(tree.total[node], looks)} (${part})${own} · ${count(tree.calls[node])} calls${errors}`;
    const title = [element("b", {}, page.label(fn)), node ? element("span", { class: "quiet" }, page.where(fn)) : null];
    placeTip([...title.filter(Boolean), node ? facts : facts.split(" · ")[0], ...tipBelow(node, fn)], event);
  }

  // Beside the mouse; nothing hides it.
  function placeTip(children, event) {
    const tip = at("tip");
    tip.hidden = !children;
    if (tip.hidden) return;
    tip.replaceChildren(...children);
    const { offsetWidth: width, offsetHeight: height } = tip;
    tip.style.left = `${Math.max(8, Math.min(event.clientX + 14, innerWidth - width - 8))}px`;
    tip.style.top = `${event.clientY + 18 + height > innerHeight ? event.clientY - height - 10 : event.clientY + 18}px`;
  }

  // What the time of a frame itself was, and what the kernel has counted of its function.
  function tipBelow(node, fn) {
    if (isMemory()) return [element("span", { class: "quiet" }, `Itself: ${Memory.factsOfNode(data, tree, node).map((fact) => fact.join(" ")).join(" · ") || "nothing"}`)];
    const lines = [];
    const sums = Measures.none(data);
    tree.charged.ns.forEach((column, kind) => column && Measures.add(sums, kind, column[node], tree.charged.looks[kind][node]));
    const parts = Measures.parts(data, sums);
    if (parts.length) lines.push(element("span", { class: "made" }, `Itself: ${Parts.text(parts)}`, Parts.bar(parts)));
    const { syscall = {}, offcpu = {} } = data.kernel[fn] || {};
    const most = (account) => Object.entries(account).sort(([, a], [, b]) => b[1] - a[1]).slice(0, 4);
    const calls = most(syscall).map(([call, [n, ns]]) => `${name(call, 40)} ${count(n)}× ${duration(ns)}`);
    const off = most(offcpu).map(([reason, [, ns]]) => `${name(reason, 40)} ${duration(ns)}`);
    if (calls.length) lines.push(element("span", { class: "quiet" }, `System calls of the function: ${calls.join(", ")}`));
    if (off.length) lines.push(element("span", { class: "quiet" }, `Off the CPU: ${off.join(", ")}`));
    return lines;
  }

  function setTheme(theme) {
    document.documentElement.dataset.theme = theme;
    flame.dark = theme === "dark";
    flame.request();
    listing.map.draw();
    showLegend();
  }

  // What the colours mean; of modules, those with the most time.
  function showLegend() {
    at("colours").value = state.colours;
    const swatch = (colour, text) => element("li", {}, element("i", { style: `background: ${colour}` }), text);
    const { dark } = flame;
    const waiting = element("li", {}, element("i", { class: "waiting" }), "waiting");
    let items = [];
    if (colours() === "module" && rows) items = heaviestModules(6).map((module) => swatch(Colours.module(module, 3, dark), name(strings[module], 40) || "(none)"));
    else if (colours() === "state") items = [swatch(Colours.state(0, dark), "running")];
    else {
      const used = Object.keys(Colours.ORIGINS).filter((kind) => kinds.includes(kind));
      items = used.map((kind) => swatch(Colours.origin(kind, 3, dark), Colours.ORIGINS[kind]));
    }
    if (tree?.waiting || colours() === "state") items.push(waiting);
    at("legend").replaceChildren(...items);
  }

  function heaviestModules(n) {
    const own = new Map();
    const weight = weightOf(order());
    for (const row of rows.values()) own.set(functions.module[row.fn], (own.get(functions.module[row.fn]) || 0) + (row[weight] || 0));
    return [...own].sort(([, a], [, b]) => b - a).slice(0, n).map(([module]) => module);
  }

  const toggleTheme = () => setTheme(flame.dark ? "light" : "dark");

  function onKey(event) {
    const typing = /^(INPUT|SELECT)$/.test(event.target.tagName);
    if (event.key === "Escape" && at("listing").contains(event.target)) close();
    else if (event.key === "Escape") {
      if (typing && state.search) change({ search: "" });
      else if (state.zoom) change({ zoom: tree.parent[state.zoom] });
      event.target.blur?.();
    } else if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    else if (event.key === "/") at("search").focus();
    else if (event.key === "t") toggleTheme();
    else return;
    event.preventDefault();
  }

  function showHead() {
    const [first] = data.processes;
    const elapsed = Math.max(0, ...data.threads.map((thread) => thread.elapsed));
    const threads = data.threads.reduce((sum, thread) => sum + thread.count, 0);
    at("title").textContent = name((data.processes.length === 1 && first.command) || data.title);
    document.title = `${name(data.title, 60)} – pyusdt`;
    const facts = [
      duration(elapsed), `${count(threads)} thread${threads === 1 ? "" : "s"}`,
      data.processes.length > 1 ? `${count(data.processes.length)} processes` : `pid ${first.pid}`,
      first.python && `Python ${name(first.python)}`, name(first.host),
      first.started && new Date(first.started).toLocaleString(), name(data.title),
    ];
    at("facts").textContent = facts.filter(Boolean).join("  ·  ");
    at("losses").hidden = !data.losses.length;
    at("losses").textContent = data.losses.join("; ");
    const options = data.threads.map((thread, i) => element("option", { value: i }, name(thread.name, 60)));
    if (byProcess) options.unshift(...data.processes.map(({ pid }, i) => element("option", { value: -2 - i }, `process ${pid}`)));
    at("thread").replaceChildren(element("option", { value: -1 }, `all ${data.threads.length} as one`), ...options);
    at("measure").replaceChildren(...measures.map((measure) => element("option", { value: measure }, Measures.title(measure))));
    at("measure").parentElement.hidden = measures.length < 2;
    at("tables").classList.toggle("wide", known.cpu || known.memory);
    const modes = Object.entries(Colours.MODES).filter(([mode]) => known.cpu || mode !== "state");
    at("colours").replaceChildren(...modes.map(([mode, title]) => element("option", { value: mode }, title)));
  }

  showHead();
  Account.show(data, (thread) => change({ thread }));
  if (known.memory) Held.show(data, page, (thread) => change({ thread, measure: "peak", zoom: 0 }));
  Tables.showSteps(data.steps);
  Tables.showSources(data.files);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  setTheme(dark.matches ? "dark" : "light");
  dark.addEventListener("change", () => setTheme(dark.matches ? "dark" : "light"));
  at("theme").addEventListener("click", toggleTheme);
  at("thread").addEventListener("change", (event) => change({ thread: Number(event.target.value) }));
  at("measure").addEventListener("change", (event) => change({ measure: event.target.value }));
  at("colours").addEventListener("change", (event) => change({ colours: event.target.value }));
  at("search").addEventListener("input", (event) => change({ search: event.target.value }));
  at("more").addEventListener("click", () => { all = true; showFunctions(); });
  document.addEventListener("keydown", onKey);
  addEventListener("hashchange", () => change(Model.readHash(location.hash), false));
  if (lines) Lines.unpack(data).then(() => change({}));
  else change({});
})();
