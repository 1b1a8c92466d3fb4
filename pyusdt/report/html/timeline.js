// SPDX-License-Identifier: Apache-2.0
// What a process had in RAM over time, as a chart: its peak is a button, steps and marks lie below on the same
// axis. Places are shares of the width, so that nothing is drawn anew when it changes.
"use strict";

class Timeline {
  static WIDTH = 1000; // of the drawings' own coordinates
  static HEIGHT = 100;
  static NEAR = 12; // pixels within which a click means the peak

  // `it` has title, points {at, rss, swap}, lanes [{name, kind, each, spans}] and span (of the axis, in ns);
  // `page` has tip(children, place), and pick(), which shows what was allocated at the peak.
  constructor(it, page) {
    Object.assign(this, it, { page });
    this.peak = this.points.rss.indexOf(this.points.rss.reduce((a, b) => Math.max(a, b), 0));
    this.at = this.peak;
    this.step = Timeline.nice(this.points.rss[this.peak], 4);
    this.top = this.points.rss[this.peak] * 1.08 || 1;
    this.element = this.make();
  }

  // The smallest of 1, 2 and 5, times a power of ten, of which at most `n` are in `whole`.
  static nice(whole, n) {
    const power = 10 ** Math.floor(Math.log10(Math.max(whole / n, 1)));
    return [1, 2, 5, 10].map((factor) => factor * power).find((step) => whole / step <= n) || 10 * power;
  }

  // A text of a figure, without zeros at its end.
  static short(text) {
    return text.replace(/\.(\d*?)0+ /, (_, digits) => (digits ? `.${digits} ` : " "));
  }

  static svg(tag, properties, ...children) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(properties)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  static drawing(height, ...paths) {
    const box = { viewBox: `0 0 ${Timeline.WIDTH} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" };
    return Timeline.svg("svg", box, ...paths.map(([name, d]) => Timeline.svg("path", { class: name, d })));
  }

  x(ns) {
    return Math.min((Timeline.WIDTH * ns) / this.span, Timeline.WIDTH);
  }

  y(bytes) {
    return Timeline.HEIGHT * (1 - bytes / this.top);
  }

  // As style has it.
  left(ns) {
    return `${((100 * this.x(ns)) / Timeline.WIDTH).toFixed(3)}%`;
  }

  make() {
    const { element } = Format;
    const { at, rss } = this.points;
    const line = Array.from(at, (ns, i) => `${this.x(ns).toFixed(2)} ${this.y(rss[i]).toFixed(2)}`).join("L");
    const end = [at[0], at.at(-1)].map((ns) => this.x(ns).toFixed(2));
    const area = `M${end[0]} ${Timeline.HEIGHT}L${line}L${end[1]} ${Timeline.HEIGHT}Z`;
    this.cursor = element("i", { class: "cursor", hidden: "" });
    this.dot = element("i", { class: "dot", hidden: "" });
    this.plot = element("div", { class: "plot", role: "slider", tabindex: 0, "aria-label": `RAM of ${this.title} over time`, "aria-valuemin": 0, "aria-valuemax": at.length - 1 }, Timeline.drawing(Timeline.HEIGHT, ["area", area], ["rss", `M${line}`]), this.dot);
    const field = element("div", { class: "field-of-time" }, ...this.grid(), this.plot, ...this.pin(), ...this.lanes.map((lane) => this.lane(lane)), this.cursor);
    this.listen(field);
    this.setValue();
    return element("figure", { class: "timeline", "aria-label": `RAM of ${this.title}` }, element("figcaption", {}, this.title), field);
  }

  grid() {
    const marks = [];
    for (let bytes = 0; bytes < this.top; bytes += this.step) marks.push(bytes);
    return marks.map((bytes) => Format.element("i", { class: "grid", style: `--y: ${(this.y(bytes) / Timeline.HEIGHT).toFixed(4)}` }, Format.element("span", {}, Timeline.short(Memory.bytes(bytes)))));
  }

  // The button of the peak, and a line from it to where it is.
  pin() {
    const { element, duration } = Format;
    const [ns, bytes] = [this.points.at[this.peak], this.points.rss[this.peak]];
    const left = this.left(ns);
    const label = `Peak of ${this.title}: ${Memory.bytes(bytes)} in RAM at ${duration(ns)}. Show what was allocated at the peak.`;
    const button = element("button", { class: "peak", type: "button", "aria-label": label, style: `left: ${left}; translate: -${left}`, onclick: () => this.page.pick() }, `▼ peak ${Memory.bytes(bytes)}`);
    return [element("i", { class: "pin", style: `left: ${left}; --y: ${(this.y(bytes) / Timeline.HEIGHT).toFixed(4)}` }), button];
  }

  lane({ name, kind, each, spans }) {
    const { element, count } = Format;
    const height = 10;
    const d = Array.from(spans.start, (ns, i) => {
      const from = this.x(ns);
      return kind === "mark" ? `M${from.toFixed(2)} 0V${height}` : `M${from.toFixed(2)} 5H${Math.max(this.x(ns + spans.elapsed[i]), from + 1).toFixed(2)}`;
    });
    const title = `${kind} ${name}${each > 1 ? `, 1 of ${count(each)} drawn` : ""}`;
    return element("div", { class: `lane ${kind}`, title }, element("span", {}, name), Timeline.drawing(height, [kind, d.join("")]));
  }

  listen(field) {
    field.addEventListener("pointermove", (event) => this.show(this.nearest(event.clientX), event));
    field.addEventListener("pointerleave", () => this.hide());
    this.plot.addEventListener("blur", () => this.hide());
    this.plot.addEventListener("click", (event) => this.click(event.clientX));
    this.plot.addEventListener("keydown", (event) => this.key(event));
  }

  // The point that is nearest to this place on the screen.
  nearest(clientX) {
    const { left, width } = this.plot.getBoundingClientRect();
    return this.pointAt((this.span * (clientX - left)) / width);
  }

  pointAt(ns) {
    const { at } = this.points;
    let [low, high] = [0, at.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (at[middle] < ns) low = middle + 1;
      else high = middle;
    }
    return low && ns - at[low - 1] < at[low] - ns ? low - 1 : low;
  }

  click(clientX) {
    const { left, width } = this.plot.getBoundingClientRect();
    const peak = left + (width * this.x(this.points.at[this.peak])) / Timeline.WIDTH;
    if (Math.abs(clientX - peak) <= Timeline.NEAR) this.page.pick();
  }

  key(event) {
    const last = this.points.at.length - 1;
    const next = { ArrowLeft: this.at - 1, ArrowRight: this.at + 1, PageUp: this.at + 10, PageDown: this.at - 10, Home: 0, End: last }[event.key];
    if (event.key === "Enter" && this.at === this.peak) this.page.pick();
    else if (next !== undefined) this.move(Math.min(Math.max(next, 0), last));
    else return;
    event.preventDefault();
  }

  move(point) {
    const { left, top, width, height } = this.plot.getBoundingClientRect();
    this.show(point, { clientX: left + (width * this.x(this.points.at[point])) / Timeline.WIDTH, clientY: top + height / 2 });
    this.setValue();
  }

  setValue() {
    this.plot.setAttribute("aria-valuenow", this.at);
    this.plot.setAttribute("aria-valuetext", this.facts(this.at).join(", "));
  }

  // What is known of a point, as texts.
  facts(point) {
    const { at, rss, swap } = this.points;
    const out = swap[point] ? [`${Memory.bytes(swap[point])} swapped out`] : [];
    const steps = this.lanes.filter(({ kind }) => kind === "step").flatMap((lane) => this.stepAt(lane, at[point]));
    return [`${Memory.bytes(rss[point])} in RAM`, `at ${Format.duration(at[point])}`, ...out, ...steps];
  }

  // The step of a name that ran then, as a text.
  stepAt({ name, spans }, ns) {
    const found = spans.start.findLastIndex((start, i) => start <= ns && ns <= start + spans.elapsed[i]);
    return found < 0 ? [] : [`in step ${name}`];
  }

  show(point, place) {
    this.at = point;
    const left = this.left(this.points.at[point]);
    for (const part of [this.cursor, this.dot]) {
      part.hidden = false;
      part.style.left = left;
    }
    this.dot.style.top = `${this.y(this.points.rss[point])}%`;
    const [first, ...rest] = this.facts(point);
    this.page.tip([Format.element("b", {}, first), ...rest.map((text) => Format.element("span", { class: "quiet" }, text))], place);
  }

  hide() {
    this.cursor.hidden = this.dot.hidden = true;
    this.page.tip();
  }
}
