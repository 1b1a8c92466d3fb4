// SPDX-License-Identifier: Apache-2.0
// Wires the page: its state is in the address, everything shown follows from it.
"use strict";

(() => {
  const { element, duration, count, share, name } = Format;
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const { functions, strings } = data;
  let state = Model.readHash(location.hash);
  let tree;
  let rows; // by function, of the thread
  let below; // the same, of what the flame graph shows
  let all = false;

  // Where a function's code comes from, as far as its path shows.
  function kindOf(fn) {
    if (fn < 0) return "top";
    const file = strings[functions.file[fn]];
    if (/[/\\](site|dist)-packages[/\\]/.test(file)) return "library";
    if (/^<frozen |[/\\]lib(64)?[/\\]python\d/.test(file)) return "standard";
    return file.startsWith("<") || !file ? "other" : "program";
  }
  // A function in C has no place.
  function placeOf(fn) {
    const [file, line] = [strings[functions.file[fn]], functions.line[fn]];
    return file || line ? `${name(file)}:${line}` : "C";
  }
  const kinds = functions.line.map((_, fn) => kindOf(fn));
  const names = functions.name.map((place) => name(strings[place]) || "(nameless)");

  const page = {
    kind: (fn) => (fn < 0 ? "top" : kinds[fn]),
    label: (fn) => (fn < 0 ? topLabel() : names[fn]),
    functionName: (fn) => names[fn],
    module: (fn) => name(strings[functions.module[fn]], 80),
    where: (fn) => `${name(strings[functions.module[fn]])}  ${placeOf(fn)}`,
    line: (fn) => functions.line[fn],
    source: (fn) => (data.sources[fn] === undefined ? "" : strings[data.sources[fn]]),
    pick: (fn) => change({ fn }),
    sort: (key) => change({ sort: key, reverse: state.sort === key && !state.reverse }),
    onZoom: (node) => change({ zoom: node }),
    onPick: (node) => tree.fn[node] >= 0 && change({ fn: tree.fn[node] }),
    onHover: showTip,
  };
  const flame = new Flame(at("canvas"), at("flame"), at("flame-space"), page);

  function topLabel() {
    return state.thread < 0 ? (data.threads.length === 1 ? name(data.threads[0].name) : "all threads") : name(data.threads[state.thread].name);
  }

  function change(wanted, remember = true) {
    const before = state;
    state = { ...state, ...wanted };
    if (state.thread >= data.threads.length) state.thread = -1;
    if (state.thread !== before.thread || !tree) {
      if (tree) state.zoom = wanted.zoom || 0;
      showThread();
    } else if (state.zoom !== before.zoom) {
      if (!(state.zoom < tree.fn.length) || state.zoom < 0) state.zoom = 0;
      flame.zoom(state.zoom);
      narrow();
      showCrumbs();
    }
    if (state.search !== before.search) all = false;
    showSearch();
    if (["thread", "zoom", "sort", "reverse", "search"].some((key) => state[key] !== before[key]) || !rows.shown) showFunctions();
    if (state.fn !== before.fn || state.thread !== before.thread || !rows.detailed) showDetails();
    if (remember) history.replaceState(null, "", `#${Model.writeHash(state)}`);
  }

  function showThread() {
    tree = Model.build(data, state.thread);
    rows = Model.totals(data, state.thread);
    if (!(state.zoom < tree.fn.length) || state.zoom < 0) state.zoom = 0;
    narrow();
    flame.show(tree, state.zoom);
    at("thread").value = state.thread;
    showCrumbs();
  }

  function narrow() {
    below = state.zoom ? Model.totalsBelow(data, tree, state.zoom) : rows;
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
    const time = matches && Model.matchedTime(tree, matches);
    at("matched").textContent = matches ? `${share(time, tree.total[0])} matched (${duration(time)})` : "";
  }

  function showFunctions() {
    const label = (fn) => `${strings[functions.name[fn]]} ${strings[functions.module[fn]]}`;
    const key = state.sort === "share" ? "self" : state.sort;
    const every = [...below.values()];
    const found = every.filter((row) => !flame.matches || flame.matches[row.fn]);
    // Of all rows, whatever is searched for: a bar keeps its length.
    const most = every.reduce((longest, row) => Math.max(longest, row.self), 0);
    const where = state.zoom ? names[tree.fn[state.zoom]] : "";
    Tables.showFunctions(page, Model.sortRows(found, key, state.reverse, label), tree.total[state.zoom], most, where, state, all);
    rows.shown = true;
  }

  function showDetails() {
    Tables.markSelected(state.fn);
    const entry = rows.get(state.fn);
    Tables.showDetails(page, state.fn, entry, entry && Model.neighbours(tree, state.fn));
    rows.detailed = true;
  }

  function showTip(node, event) {
    const tip = at("tip");
    tip.hidden = node <= 0;
    if (tip.hidden) return;
    const fn = tree.fn[node];
    const errors = tree.errors[node] ? ` · ${count(tree.errors[node])} errors` : "";
    const facts = `${duration(tree.total[node])} (${share(tree.total[node], tree.total[0])}) · self ${duration(tree.self[node])} · ${count(tree.calls[node])} calls${errors}`;
    tip.replaceChildren(element("b", {}, names[fn]), element("span", { class: "quiet" }, page.where(fn)), facts);
    const { offsetWidth: width, offsetHeight: height } = tip;
    tip.style.left = `${Math.max(8, Math.min(event.clientX + 14, innerWidth - width - 8))}px`;
    tip.style.top = `${event.clientY + 18 + height > innerHeight ? event.clientY - height - 10 : event.clientY + 18}px`;
  }

  function setTheme(theme) {
    document.documentElement.dataset.theme = theme;
    flame.dark = theme === "dark";
    flame.request();
    const used = ["program", "library", "standard", "other"].filter((kind) => kinds.includes(kind));
    const title = { program: "program", library: "libraries", standard: "standard library", other: "other" };
    const colour = (kind) => element("i", { style: `background: ${Flame.colour(kind, 3, flame.dark)}` });
    at("legend").replaceChildren(...used.map((kind) => element("li", {}, colour(kind), title[kind])));
  }

  const toggleTheme = () => setTheme(flame.dark ? "light" : "dark");

  function onKey(event) {
    const typing = /^(INPUT|SELECT)$/.test(event.target.tagName);
    if (event.key === "Escape") {
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
    at("thread").replaceChildren(element("option", { value: -1 }, `all ${data.threads.length} as one`), ...options);
  }

  showHead();
  Tables.showSteps(data.steps);
  Tables.showSources(data.files);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  setTheme(dark.matches ? "dark" : "light");
  dark.addEventListener("change", () => setTheme(dark.matches ? "dark" : "light"));
  at("theme").addEventListener("click", toggleTheme);
  at("thread").addEventListener("change", (event) => change({ thread: Number(event.target.value) }));
  at("search").addEventListener("input", (event) => change({ search: event.target.value }));
  at("more").addEventListener("click", () => { all = true; showFunctions(); });
  document.addEventListener("keydown", onKey);
  addEventListener("hashchange", () => change(Model.readHash(location.hash), false));
  change({});
})();
