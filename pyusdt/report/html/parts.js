// SPDX-License-Identifier: Apache-2.0
// Bars of what a time is made of: CPU, and the classes of wait, each with a pattern of its own. A part is
// {kind, ns, looks}; looks are null where the time was measured.
"use strict";

const Parts = {};
{
  const { element, time } = Format;

  const text = (parts) => parts.map(({ kind, ns, looks }) => `${Measures.title(kind)} ${time(ns, looks)}`).join(", ");

  const swatch = (kind) => element("i", { class: `part ${kind}` });

  // Of full length, whatever the time; its text is for those who cannot see it.
  function bar(parts) {
    const whole = parts.reduce((sum, part) => sum + part.ns, 0);
    if (!whole) return element("span", { class: "parts" });
    const pieces = parts.map(({ kind, ns }) => {
      const piece = swatch(kind);
      piece.style.flexGrow = ns / whole;
      return piece;
    });
    return element("span", { class: "parts", role: "img", "aria-label": text(parts), title: text(parts) }, ...pieces);
  }

  // Each part with its pattern, name and time.
  function legend(parts) {
    const items = parts.map(({ kind, ns, looks }) => element("li", {}, swatch(kind), `${Measures.title(kind)} `, element("b", {}, time(ns, looks))));
    return element("ul", { class: "legend" }, ...items);
  }

  Object.assign(Parts, { bar, legend, text });
}
