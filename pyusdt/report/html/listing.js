// SPDX-License-Identifier: Apache-2.0
// The file of the selected function over the whole width: its lines, a map of it, and the way back.
"use strict";

class Listing {
  // `page` has lined(fn, part), functionName(fn), howTo(fn), known, names(fn), describe(fn),
  // onLine(line), follow(fn), back(), close(), and about(view).
  constructor(page) {
    this.page = page;
    this.section = document.getElementById("listing");
    const find = (selector) => this.section.querySelector(selector);
    Object.assign(this, { title: find("h2"), state: find(".state"), body: find(".body"), empty: find(".empty"), now: find(".now"), backward: find(".back") });
    const moved = (view) => this.say(view);
    this.view = new LineView({ ...page, pick: page.follow, onMove: moved, onScroll: () => this.map.draw() }, "Lines of the file");
    const canvas = Format.element("canvas", { role: "img" });
    this.map = new Minimap(canvas, this.view.box);
    this.body.append(this.view.box, Format.element("div", { class: "map" }, canvas));
    this.map.observe();
    this.backward.addEventListener("click", page.back);
    find(".close").addEventListener("click", page.close);
  }

  // At `line`, 0 for the hottest of the function; no line (-1) closes it. `back` is whether there is a way back,
  // `anew` whether the calls are others.
  show(fn, line, back, anew) {
    const opened = this.section.hidden && line >= 0 && fn >= 0;
    this.section.hidden = line < 0 || fn < 0;
    if (this.section.hidden) return false;
    this.backward.hidden = !back;
    if (this.fn !== fn) this.fill(fn, line);
    else if (anew) this.fill(fn, this.line);
    else if (this.shown) this.goTo(line);
    return opened;
  }

  fill(fn, line) {
    this.fn = fn;
    this.shown = this.page.lined(fn, false);
    this.body.hidden = this.now.hidden = !this.shown;
    this.empty.hidden = !!this.shown;
    if (!this.shown) {
      this.title.textContent = this.page.functionName(fn);
      this.state.textContent = "";
      this.empty.textContent = this.page.howTo(fn);
      return;
    }
    this.title.textContent = Format.name(this.shown.title) || "(no file)";
    this.state.textContent = this.page.about(this.shown);
    this.view.show(this.shown, line);
    this.map.show(this.shown);
    this.say(this.view);
  }

  // Where it is.
  get line() {
    return this.shown ? this.shown.numbers[this.view.at] : 0;
  }

  goTo(line) {
    const place = this.view.places.get(line || this.shown.start);
    if (place !== undefined && place !== this.view.at) this.view.moveTo(place, true);
  }

  // All figures of the line at which the keyboard is.
  say({ view, at }) {
    const line = view.numbers[at];
    const row = view.rows.get(line);
    const facts = Lines.facts(line, row, this.page.known);
    this.now.textContent = row ? `${facts} · ${this.page.functionName(row.fn)}` : facts;
  }

  focus() {
    this.section.scrollIntoView({ block: "nearest" });
    (this.shown ? this.view.box : this.section.querySelector(".close")).focus({ preventScroll: true });
  }
}
