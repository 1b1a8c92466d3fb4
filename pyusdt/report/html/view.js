// SPDX-License-Identifier: Apache-2.0
// Lines of source with what was recorded of each. Only those in sight are in the document, so that a long
// file scrolls as a short one does.
"use strict";

class LineView {
  static ROW = 20;
  static BEYOND = 12; // lines above and below those in sight
  static LONGEST = 1000; // characters that are shown of a line
  static COLUMNS = [
    ["hits", "Hits", "how often the line began to run"],
    ["total", "Time", "with all that it called"],
    ["self", "Self", "without the functions that it called and that were recorded"],
    ["cpu", "CPU", "own time on a CPU"],
    ["wait", "Wait", "own time that it waited"],
    ["errors", "Errors", "exceptions raised at the line"],
  ];
  static BARS = ["hits", "self", "cpu"];
  static count = 0;

  // `page` has known (which columns there are), names(fn) (callees by name), pick(fn), describe(fn), onLine(line)
  // for a line that is clicked or entered, and onScroll(view) if that matters.
  constructor(page, label) {
    const { element } = Format;
    this.page = page;
    this.id = `lines${LineView.count++}`;
    const memory = page.known.memory ? Memory.MEASURES.map((key) => [key, Memory.COLUMNS[key][0], Memory.COLUMNS[key][2]]) : [];
    this.columns = [...LineView.COLUMNS.filter(([key]) => page.known[key] !== false), ...memory];
    this.bars = [...LineView.BARS, ...memory.map(([key]) => key)];
    this.head = element("div", { class: "line headings", role: "row", "aria-rowindex": 1 }, ...this.headings());
    this.space = element("div", { class: "space", role: "presentation" });
    this.box = element("div", { class: "lines", role: "grid", tabindex: 0, "aria-label": label }, this.head, this.space);
    this.box.addEventListener("scroll", () => this.request());
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.box.addEventListener("click", (event) => this.click(event));
    new ResizeObserver(() => this.resize()).observe(this.box);
    this.shown = new Map(); // index -> element
  }

  headings() {
    const { element } = Format;
    const title = ([key, text, hint]) => element("span", { class: `figure ${key}`, role: "columnheader", title: hint }, text);
    const line = element("span", { class: "number", role: "columnheader" }, "Line");
    return [element("span", { class: "gutter", role: "presentation" }, line, ...this.columns.map(title)), element("code", { role: "columnheader" }, "Source")];
  }

  // `view` as Lines.view() makes it; `line` is that at which it is, 0 for the hottest.
  show(view, line) {
    this.view = view;
    this.places = new Map(view.numbers.map((number, i) => [number, i]));
    this.shown.clear();
    this.at = this.places.get(line) ?? this.places.get(view.start) ?? 0;
    this.space.replaceChildren();
    this.space.style.height = `${view.numbers.length * LineView.ROW}px`;
    this.box.style.setProperty("--digits", `${String(view.numbers.at(-1)).length}ch`);
    this.box.style.setProperty("--hits", `${Format.count(view.most.hits).length + 2}ch`);
    const longest = view.texts.reduce((most, text) => Math.max(most, text.length + 3 * (text.match(/\t/g)?.length || 0)), 0);
    this.space.style.setProperty("--longest", `${Math.min(longest, LineView.LONGEST) + 2}ch`);
    this.box.className = `lines by-${view.weight}`;
    this.box.style.setProperty("--columns", this.columns.length);
    this.box.setAttribute("aria-rowcount", view.numbers.length + 1);
    this.awaiting = true; // to be brought into sight as soon as there is a size
    this.resize();
  }

  resize() {
    if (!this.view || !this.box.clientHeight) return;
    if (this.awaiting) this.center();
    this.draw();
  }

  center() {
    this.awaiting = false;
    const room = this.box.clientHeight - LineView.ROW;
    this.box.scrollTop = (this.at + 0.5) * LineView.ROW - room / 2;
    this.box.scrollLeft = 0;
  }

  request() {
    this.pending ||= requestAnimationFrame(() => {
      this.pending = 0;
      this.draw();
    });
  }

  draw() {
    const top = this.box.scrollTop;
    const last = this.view.numbers.length - 1;
    const first = Math.max(Math.floor(top / LineView.ROW) - LineView.BEYOND, 0);
    const end = Math.min(Math.ceil((top + this.box.clientHeight) / LineView.ROW) + LineView.BEYOND, last);
    for (const [index, row] of this.shown) {
      if (index >= first && index <= end) continue;
      row.remove();
      this.shown.delete(index);
    }
    for (let index = first; index <= end; index++) {
      if (this.shown.has(index)) continue;
      const row = this.row(index);
      this.shown.set(index, row);
      // In order, as it is read aloud.
      this.space.insertBefore(row, this.shown.get(index + 1) || null);
    }
    this.mark();
    this.page.onScroll?.(this);
  }

  row(index) {
    const { element, count, name } = Format;
    const { view } = this;
    const line = view.numbers[index];
    const row = view.rows.get(line);
    const cells = this.columns.map(([key]) => this.figure(key, row));
    const number = element("span", { class: "number", role: "rowheader", "aria-label": `line ${count(line)}` }, String(line));
    const gutter = element("span", { class: "gutter", role: "presentation", style: `--heat: ${Lines.heat(view, row).toFixed(3)}` }, number, ...cells);
    const text = name(view.texts[index].replaceAll("\t", "    "), LineView.LONGEST);
    const code = element("code", { role: "gridcell" }, ...this.pieces(text, row));
    return element("div", { class: row ? "line ran" : "line", role: "row", id: `${this.id}-${line}`, "data-line": line, "aria-rowindex": index + 2, style: `top: ${index * LineView.ROW}px` }, gutter, code);
  }

  figure(key, row) {
    const { element, reading, count } = Format;
    const exact = key === "hits" || key === "errors";
    const isMemory = this.page.known.memory && key in Memory.COLUMNS;
    const none = !row || (exact || isMemory ? !row[key] : row[key] == null);
    const text = none ? "" : exact ? count(row[key]) : (isMemory ? Memory.reading : reading)(row, key);
    const part = this.bars.includes(key) && row ? (100 * (row[key] || 0)) / (this.view.most[key] || 1) : 0;
    return element("span", { class: `figure ${key}`, role: "gridcell", style: part ? `--part: ${part.toFixed(1)}%` : null }, text);
  }

  // Calls of functions that were recorded go there.
  pieces(text, row) {
    if (!row) return [text];
    return Lines.pieces(text, this.page.names(row.fn)).map((piece) =>
      piece.fn === undefined ? piece : Format.element("button", { class: "call", type: "button", tabindex: -1, "data-fn": piece.fn, title: this.page.describe(piece.fn) }, piece.text),
    );
  }

  // The line at which the keyboard is.
  mark() {
    const current = this.shown.get(this.at);
    for (const row of this.space.querySelectorAll("[aria-selected]")) {
      if (row === current) continue;
      row.removeAttribute("aria-selected");
      for (const call of row.querySelectorAll(".call")) call.tabIndex = -1;
    }
    if (!current) return this.box.removeAttribute("aria-activedescendant");
    current.setAttribute("aria-selected", "true");
    this.box.setAttribute("aria-activedescendant", current.id);
    for (const call of current.querySelectorAll(".call")) call.tabIndex = 0;
  }

  // To another line, which is brought into sight.
  moveTo(index, middle = false) {
    this.at = Math.min(Math.max(index, 0), this.view.numbers.length - 1);
    const y = this.at * LineView.ROW;
    const room = this.box.clientHeight - 2 * LineView.ROW; // below the headings
    if (middle) this.center();
    else this.box.scrollTop = Math.max(Math.min(this.box.scrollTop, y), y - room);
    this.draw();
    this.page.onMove?.(this);
  }

  // To the next line that is less hot, or back.
  hotter(step) {
    const { hot, numbers } = this.view;
    const place = hot.indexOf(numbers[this.at]);
    const next = place < 0 ? 0 : Math.min(Math.max(place + step, 0), hot.length - 1);
    this.moveTo(this.places.get(hot[next]), true);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const inSight = Math.max(Math.floor(this.box.clientHeight / LineView.ROW) - 2, 1);
    const step = { ArrowUp: -1, ArrowDown: 1, PageUp: -inSight, PageDown: inSight, Home: -Infinity, End: Infinity }[event.key];
    if (step) this.moveTo(this.at + step);
    else if (event.key === "n" || event.key === "p") this.hotter(event.key === "n" ? 1 : -1);
    else if (event.key === "Enter" && event.target === this.box) this.page.onLine(this.view.numbers[this.at]);
    else return;
    event.preventDefault();
  }

  click(event) {
    const call = event.target.closest(".call");
    const row = event.target.closest("[data-line]");
    if (call) this.page.pick(Number(call.dataset.fn));
    else if (row && getSelection().isCollapsed) {
      this.moveTo(this.places.get(Number(row.dataset.line)));
      this.page.onLine(Number(row.dataset.line));
    }
  }
}
