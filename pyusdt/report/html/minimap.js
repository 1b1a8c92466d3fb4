// SPDX-License-Identifier: Apache-2.0
// A whole file on a narrow canvas beside its lines: the shape of the text, where it is hot, and which part is
// in sight. A click, or a drag, scrolls there. The keyboard has the lines themselves.
"use strict";

class Minimap {
  static WIDE = 100; // characters that fill its width
  static TALLEST = 3; // pixels of a line

  constructor(canvas, lines) {
    Object.assign(this, { canvas, lines });
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.scroll(event);
    });
    canvas.addEventListener("pointermove", (event) => event.buttons && this.scroll(event));
  }

  // Once it is in its place.
  observe() {
    new ResizeObserver(() => this.show(this.view)).observe(this.canvas.parentElement);
  }

  // Pixels of a line: fractions in a long file.
  get scale() {
    return Math.min(this.height / this.view.numbers.length, Minimap.TALLEST);
  }

  // Each row of pixels has the shape of the longest of its lines and the heat of the hottest.
  show(view) {
    const { width, height } = this.canvas.parentElement.getBoundingClientRect();
    this.view = view;
    if (!view || !width) return;
    Object.assign(this, { width, height });
    const thick = Math.max(this.scale, 1);
    this.rows = [];
    view.texts.forEach((text, i) => {
      const place = Math.floor((i * this.scale) / thick);
      const row = (this.rows[place] ||= { y: place * thick, thick, from: Infinity, to: 0, heat: 0 });
      const indent = text.search(/\S/);
      if (indent >= 0) row.from = Math.min(row.from, indent);
      row.to = Math.max(row.to, text.trimEnd().length);
      row.heat = Math.max(row.heat, Lines.heat(view, view.rows.get(view.numbers[i])));
    });
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    this.canvas.getContext("2d").scale(ratio, ratio);
    const hot = view.hot.slice(0, 3).map((line) => Format.count(line));
    this.canvas.setAttribute("aria-label", `Map of the file, ${Format.count(view.numbers.length)} lines; the hottest: ${hot.join(", ")}`);
    this.draw();
  }

  draw() {
    if (!this.view || !this.rows) return;
    const pen = this.canvas.getContext("2d");
    const style = getComputedStyle(this.canvas);
    const colour = (name) => style.getPropertyValue(name);
    const [text, hot, sight] = ["--lines", "--work", "--text"].map(colour);
    pen.clearRect(0, 0, this.width, this.height);
    const part = (this.width - 8) / Minimap.WIDE;
    for (const { y, thick, from, to, heat } of this.rows) {
      pen.globalAlpha = 0.45;
      pen.fillStyle = text;
      const tall = Math.max(thick * 0.7, 0.8);
      if (to > from) pen.fillRect(8 + from * part, y, Math.max((Math.min(to, Minimap.WIDE) - from) * part, 1), tall);
      if (!heat) continue;
      pen.fillStyle = hot;
      pen.globalAlpha = 0.25 + 0.75 * heat;
      pen.fillRect(0, y, 5 + (this.width - 5) * heat * 0.5, Math.max(thick, 2));
    }
    const { scrollTop, clientHeight } = this.lines;
    const top = (scrollTop / LineView.ROW) * this.scale;
    const tall = Math.max((clientHeight / LineView.ROW - 1) * this.scale, 6);
    pen.fillStyle = sight;
    pen.globalAlpha = 0.12;
    pen.fillRect(0, top, this.width, tall);
    pen.globalAlpha = 1;
  }

  scroll(event) {
    const y = event.clientY - this.canvas.getBoundingClientRect().top;
    this.lines.scrollTop = (y / this.scale) * LineView.ROW - this.lines.clientHeight / 2;
    event.preventDefault();
  }
}
