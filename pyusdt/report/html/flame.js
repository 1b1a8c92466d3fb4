// SPDX-License-Identifier: Apache-2.0
// The flame graph on a canvas, the top at the top. What is shown is a window of time, [from, to):
// zooming moves it. Children lie heaviest first, so a row ends at the first that is too thin to see,
// and a frame costs what is visible, not what was recorded.
"use strict";

class Flame {
  static ROW = 22;
  static THINNEST = 0.7; // pixels
  static MILLISECONDS = 180;

  // `page` has label(fn), colour(node, dark), onZoom(node), onPick(node), onHover(node or -1, event).
  constructor(canvas, scroller, space, page) {
    Object.assign(this, { canvas, scroller, space, page });
    this.context = canvas.getContext("2d");
    this.tree = null;
    this.zoomed = 0;
    this.cursor = 0; // where the keyboard is
    this.hovered = -1;
    this.matches = null;
    this.dark = false;
    this.widths = new Map(); // label -> pixels
    this.drawn = []; // [node, x, y, width] of the last frame, for the mouse
    canvas.addEventListener("mousemove", (event) => this.hover(this.nodeAt(event), event));
    canvas.addEventListener("mouseleave", (event) => this.hover(-1, event));
    canvas.addEventListener("click", (event) => this.click(this.nodeAt(event)));
    canvas.addEventListener("keydown", (event) => this.key(event));
    scroller.addEventListener("scroll", () => this.request());
    new ResizeObserver(() => this.resize()).observe(scroller);
  }

  show(tree, zoomed) {
    this.tree = tree;
    this.zoomed = this.cursor = tree.fn[zoomed] === undefined ? 0 : zoomed;
    this.hovered = -1;
    [this.from, this.to] = this.window(this.zoomed);
    this.space.style.height = `${(tree.deepest + 1) * Flame.ROW + 8}px`;
    this.resize();
  }

  window(node) {
    return [this.tree.start[node], this.tree.start[node] + this.tree.total[node]];
  }

  zoom(node) {
    const target = this.window(node);
    if (!(target[1] > target[0])) return;
    this.zoomed = this.cursor = node;
    const origin = [this.from, this.to];
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const began = performance.now();
    const move = (now) => {
      const part = still ? 1 : Math.min(Math.max((now - began) / Flame.MILLISECONDS, 0), 1);
      const eased = 1 - (1 - part) ** 3;
      this.from = origin[0] + (target[0] - origin[0]) * eased;
      this.to = origin[1] + (target[1] - origin[1]) * eased;
      this.draw();
      if (part < 1) this.moving = requestAnimationFrame(move);
    };
    cancelAnimationFrame(this.moving);
    this.moving = requestAnimationFrame(move);
    this.reveal(node);
  }

  reveal(node) {
    const y = this.tree.depth[node] * Flame.ROW;
    const { scrollTop, clientHeight } = this.scroller;
    if (y < scrollTop || y + 2 * Flame.ROW > scrollTop + clientHeight) {
      this.scroller.scrollTop = Math.max(0, y - clientHeight / 3);
    }
  }

  resize() {
    const ratio = window.devicePixelRatio || 1;
    const width = this.scroller.clientWidth;
    const height = Math.min(this.scroller.clientHeight || 400, this.space.clientHeight);
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.width = width;
    this.height = height;
    this.request();
  }

  request() {
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = 0;
      this.draw();
    });
  }

  draw() {
    if (!this.tree) return;
    const { tree, context } = this;
    const scale = this.width / (this.to - this.from || 1);
    const top = this.scroller.scrollTop;
    context.clearRect(0, 0, this.width, this.height);
    context.font = '12px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';
    context.textBaseline = "middle";
    this.drawn = [];
    const stack = [0];
    while (stack.length) {
      const node = stack.pop();
      const x = Math.max((tree.start[node] - this.from) * scale, 0);
      const end = Math.min((tree.start[node] + tree.total[node] - this.from) * scale, this.width);
      const y = tree.depth[node] * Flame.ROW - top;
      if (y > this.height) continue;
      if (y > -Flame.ROW) this.box(node, x, y, end - x);
      for (const child of tree.children[node]) {
        const left = (tree.start[child] - this.from) * scale;
        const width = tree.total[child] * scale;
        if (width < Flame.THINNEST || left >= this.width) break;
        if (left + width > 0) stack.push(child);
      }
    }
  }

  box(node, x, y, width) {
    const { context } = this;
    const fn = this.tree.fn[node];
    const matched = this.matches && fn >= 0 && this.matches[fn];
    const faded = this.tree.depth[node] < this.tree.depth[this.zoomed];
    context.globalAlpha = faded ? 0.55 : this.matches && !matched ? 0.45 : 1;
    context.fillStyle = matched ? (this.dark ? "#d6459c" : "#f48fca") : this.page.colour(node, this.dark);
    const gap = width > 3 ? 1 : 0;
    context.beginPath();
    context.roundRect(x, y + 1, width - gap, Flame.ROW - 2, width > 8 ? 3 : 0);
    context.fill();
    this.hatch(node, x, y, width);
    if (node === this.hovered || (node === this.cursor && document.activeElement === this.canvas)) {
      context.globalAlpha = 1;
      context.strokeStyle = this.dark ? "#ffffff" : "#23211d";
      context.lineWidth = 1.5;
      context.stroke();
    }
    if (width > 24) this.text(this.page.label(fn), x + 6, y, width - 12);
    context.globalAlpha = 1;
    this.drawn.push([node, x, y, width]);
  }

  // Grey lines over the part of a box in which it waited itself: at the right, beyond its callees.
  hatch(node, left, y, width) {
    const { tree, context } = this;
    const waited = tree.waiting ? tree.waiting.own[node] : 0;
    const scale = this.width / (this.to - this.from || 1);
    if (waited * scale < 1) return;
    const end = (tree.start[node] + tree.total[node] - this.from) * scale;
    const from = Math.max(end - waited * scale, left);
    const length = Math.min(end, left + width) - from - (width > 3 ? 1 : 0);
    if (length <= 0) return;
    const outline = new Path2D();
    outline.roundRect(from, y + 1, length, Flame.ROW - 2, length > 8 ? 3 : 0);
    for (const style of [this.dark ? "#2b2c33" : "#eceae5", this.lines()]) {
      context.fillStyle = style;
      context.fill(outline);
    }
  }

  lines() {
    const key = this.dark ? "darkLines" : "lightLines";
    if (!this[key]) {
      const tile = document.createElement("canvas");
      tile.width = tile.height = 6;
      const pen = tile.getContext("2d");
      pen.strokeStyle = this.dark ? "#4d4f5a" : "#c9c5bc";
      for (const shift of [-6, 0, 6]) {
        pen.moveTo(shift - 1, 7);
        pen.lineTo(shift + 7, -1);
      }
      pen.stroke();
      this[key] = this.context.createPattern(tile, "repeat");
    }
    return this[key];
  }

  text(label, x, y, width) {
    const { context } = this;
    if (!this.widths.has(label)) this.widths.set(label, context.measureText(label).width);
    const full = this.widths.get(label);
    const room = Math.floor((label.length * (width - 9)) / full); // letters, with the ellipsis
    const shown = full <= width ? label : room > 1 ? `${label.slice(0, room)}…` : "";
    context.fillStyle = this.dark ? "#f3efe8" : "#2b2016";
    context.fillText(shown, x, y + Flame.ROW / 2 + 0.5, width);
  }

  nodeAt(event) {
    const bounds = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - bounds.left, event.clientY - bounds.top];
    const hit = this.drawn.find(([, left, top, width]) => x >= left && x < left + Math.max(width, 1) && y >= top && y < top + Flame.ROW);
    return hit ? hit[0] : -1;
  }

  hover(node, event) {
    if (node !== this.hovered) {
      this.hovered = node;
      this.request();
    }
    this.page.onHover(node, event);
  }

  click(node) {
    if (node < 0) return;
    this.page.onZoom(node);
    this.page.onPick(node);
  }

  key(event) {
    const { tree, cursor } = this;
    const siblings = cursor ? tree.children[tree.parent[cursor]] : [0];
    const place = siblings.indexOf(cursor);
    const next = {
      ArrowUp: tree.parent[cursor],
      ArrowDown: tree.children[cursor][0],
      ArrowLeft: siblings[place - 1],
      ArrowRight: siblings[place + 1],
      Home: this.zoomed,
    }[event.key];
    if (event.key === "Enter" || event.key === " ") this.click(cursor);
    else if (next === undefined || next < 0) return;
    else this.moveTo(next);
    event.preventDefault();
  }

  moveTo(node) {
    this.cursor = node;
    const [from, to] = this.window(node);
    if (from < this.from || to > this.to) this.page.onZoom(node);
    this.cursor = node;
    this.page.onPick(node);
    this.reveal(node);
    this.request();
  }
}
